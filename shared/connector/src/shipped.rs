//! The routes that every deployment has: one documented file, each route of it changed or switched by a parameter of its
//! name.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};

use crate::document::DocumentError;
use crate::located;
use crate::route::{Route, Wanted};

/// The file.
pub const FILE: &str = include_str!("../shipped-routes.yaml");

static SHIPPED: LazyLock<BTreeMap<String, Map<String, Value>>> = LazyLock::new(|| {
    let value = located::read(FILE).map(|(value, _)| value).unwrap_or_default();
    let routes = value.as_object().into_iter().flatten();
    routes.filter_map(|(name, route)| Some((name.clone(), route.as_object()?.clone()))).collect()
});

/// The names of the shipped routes.
pub fn names() -> impl Iterator<Item = &'static str> {
    SHIPPED.keys().map(String::as_str)
}

/// A shipped route as it is shipped.
///
/// # Errors
/// [`DocumentError`]; a test holds that there is none.
#[must_use]
pub fn route(name: &str) -> Option<Result<Route, DocumentError>> {
    SHIPPED.get(name).map(|route| Route::parse_over("{}", route))
}

/// The shipped routes that are enabled as they are.
pub(crate) fn enabled() -> impl Iterator<Item = (&'static str, Arc<Route>)> {
    let is_enabled = |name: &&str| {
        SHIPPED.get(*name).is_some_and(|route| route.get("enabled") != Some(&Value::Bool(false)))
    };
    names().filter(is_enabled).filter_map(|name| Some((name, Arc::new(route(name)?.ok()?))))
}

/// A route as its parameter says, over the shipped one of its name; whoever writes the parameter means it, so that it is
/// enabled unless it says otherwise.
///
/// # Errors
/// [`DocumentError`] names the key and its line.
pub fn changed(name: &str, text: &str) -> Result<Route, DocumentError> {
    match SHIPPED.get(name) {
        Some(shipped) => {
            let mut shipped = shipped.clone();
            shipped.remove("enabled");
            Route::parse_over(text, &shipped)
        }
        None => Route::parse(text),
    }
}

/// What a broken parameter wants, else the shipped route of its name.
pub(crate) fn wanted(name: &str, text: &str) -> Option<Wanted> {
    let shipped = || route(name)?.ok().map(|route| route.wanted);
    Wanted::of_broken(text).or_else(shipped)
}

#[cfg(test)]
mod tests {
    use super::{names, route};

    #[test]
    fn every_shipped_route_can_be_read_and_is_described() {
        assert!(names().count() > 0);
        for name in names() {
            let route = route(name).unwrap().unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(route.description.is_some(), "{name}");
            assert!(route.schedule.is_none() || (route.handler == name && !route.enabled), "{name}: a job");
        }
    }
}
