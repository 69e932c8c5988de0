//! The routes, shipped ones and those of parameters.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::parsed;
use crate::cache::Snapshot;
use crate::failure::chain;
use crate::parameter::{Parameter, Problem, Section};
use crate::route::{Route, Wanted};
use crate::shipped;

/// The routes alone: what the job scheduler needs, which has no business with endpoints and accounts.
#[derive(Debug, Default)]
pub struct Routes {
    usable: BTreeMap<String, Arc<Route>>,
    broken: BTreeMap<String, BrokenRoute>,
}

/// A route that cannot be used, and of which no good copy is known.
#[derive(Debug)]
pub struct BrokenRoute {
    /// The messages that it would get, as far as its document tells.
    pub wanted: Option<Wanted>,
    /// What is wrong with it.
    pub reason: String,
}

/// What a route's name stands for.
#[derive(Debug, Clone, Copy)]
pub enum Found<'a> {
    /// A route.
    Usable(&'a Route),
    /// A route that cannot be used.
    Broken(&'a BrokenRoute),
}

impl BrokenRoute {
    /// The broken ones of a section, by the names of their parameters: those of which no copy is usable. `wanted` tells of
    /// name and text what it would get.
    pub(super) fn all<T>(
        parameters: &[Parameter],
        section: Section,
        usable: &BTreeMap<String, Arc<T>>,
        problems: &[Problem],
        wanted: impl Fn(&str, &str) -> Option<Wanted>,
    ) -> BTreeMap<String, Self> {
        let of_section = parameters.iter().filter(|parameter| parameter.section == section);
        let broken = of_section.filter(|parameter| !usable.contains_key(&parameter.name)).map(|parameter| {
            let path = format!("{section}/{}", parameter.name);
            let problem = problems.iter().find(|problem| problem.parameter == path);
            let reason = problem.map_or_else(String::new, |problem| problem.reason.clone());
            let wanted = wanted(&parameter.name, parameter.value.expose());
            (parameter.name.clone(), Self { wanted, reason })
        });
        broken.collect()
    }

    /// Whether it may be one that the clock starts: its document names no message, as far as it tells.
    #[must_use]
    pub fn may_have_schedule(&self) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted.names.patterns().is_empty())
    }
}

impl Routes {
    /// The route of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Found<'_>> {
        let usable = self.usable.get(name).map(|route| Found::Usable(route));
        usable.or_else(|| self.broken.get(name).map(Found::Broken))
    }

    /// Every route, by name.
    pub fn all(&self) -> impl Iterator<Item = (&str, Found<'_>)> {
        let broken = self.broken.iter().map(|(name, broken)| (name.as_str(), Found::Broken(broken)));
        self.usable().map(|(name, route)| (name, Found::Usable(route))).chain(broken)
    }

    /// Every usable route, the disabled ones too, by name.
    pub fn usable(&self) -> impl Iterator<Item = (&str, &Route)> {
        self.usable.iter().map(|(name, route)| (name.as_str(), route.as_ref()))
    }
}

impl Snapshot for Routes {
    const SECTIONS: &'static [Section] = &[Section::Routes];

    fn build(parameters: &[Parameter], last: Option<&Self>) -> (Self, Vec<Problem>) {
        let (mut problems, last) = (Vec::new(), last.map(|last| &last.usable));
        let mut usable = parsed(parameters, Section::Routes, last, &mut problems, |name, text| {
            shipped::changed(name, text).map_err(|error| chain(&error))
        });
        for (name, route) in shipped::enabled() {
            if !parameters.iter().any(|parameter| parameter.is(Section::Routes, name)) {
                usable.insert(name.to_owned(), route);
            }
        }
        let broken = BrokenRoute::all(parameters, Section::Routes, &usable, &problems, shipped::wanted);
        (Self { usable, broken }, problems)
    }
}
