//! The configuration as each function uses it, made of parameters; a broken one never harms another.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::cache::Snapshot;
use crate::endpoint::Endpoint;
use crate::failure::chain;
use crate::keys::PublicKey;
use crate::message::Message;
use crate::parameter::{Parameter, Problem, Section};
use crate::route::Route;
use std::sync::Arc;

/// What the webhook receiver needs: Fluent's public keys.
#[derive(Debug, Default)]
pub struct KeyRing {
    keys: BTreeMap<String, Arc<PublicKey>>,
    all: Vec<Arc<PublicKey>>,
}

/// What the message router needs: endpoints and routes.
#[derive(Debug, Default)]
pub struct RoutingTable {
    version: String,
    endpoints: BTreeMap<String, Arc<Endpoint>>,
    routes: BTreeMap<String, Arc<Route>>,
}

impl KeyRing {
    /// Every usable key; all are valid at once.
    #[must_use]
    pub fn keys(&self) -> &[Arc<PublicKey>] {
        &self.all
    }
}

impl Snapshot for KeyRing {
    const SECTIONS: &'static [Section] = &[Section::Keys];

    fn build(parameters: &[Parameter], last: Option<&Self>) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let keys = parsed(parameters, Section::Keys, last.map(|last| &last.keys), &mut problems, |text| {
            PublicKey::parse(text).map_err(|error| chain(&error))
        });
        let all = keys.values().cloned().collect();
        (Self { keys, all }, problems)
    }
}

impl RoutingTable {
    /// A hash over the names of all parameters and their versions in the store: tells which configuration decided, and
    /// nothing of their values.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The endpoint of this name, where it is usable.
    #[must_use]
    pub fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.get(name).map(Arc::as_ref)
    }

    /// The route of this name, where it is usable.
    #[must_use]
    pub fn route(&self, name: &str) -> Option<&Route> {
        self.routes.get(name).map(Arc::as_ref)
    }

    /// Every enabled route that wants the message, by name.
    pub fn routes_for(&self, message: &Message) -> impl Iterator<Item = (&str, &Route)> {
        self.routes
            .iter()
            .filter(|(_, route)| route.wants(message))
            .map(|(name, route)| (name.as_str(), route.as_ref()))
    }
}

impl Snapshot for RoutingTable {
    const SECTIONS: &'static [Section] = &[Section::Endpoints, Section::Routes];

    fn build(parameters: &[Parameter], last: Option<&Self>) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let endpoints =
            parsed(parameters, Section::Endpoints, last.map(|last| &last.endpoints), &mut problems, |text| {
                Endpoint::parse(text).map_err(|error| chain(&error))
            });
        let routes =
            parsed(parameters, Section::Routes, last.map(|last| &last.routes), &mut problems, |text| {
                Route::parse(text).map_err(|error| chain(&error))
            });
        (Self { version: version_of(parameters), endpoints, routes }, problems)
    }
}

/// Parses a section's parameters; where one is broken its last good copy goes on serving.
fn parsed<T>(
    parameters: &[Parameter],
    section: Section,
    last: Option<&BTreeMap<String, Arc<T>>>,
    problems: &mut Vec<Problem>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> BTreeMap<String, Arc<T>> {
    let mut good = BTreeMap::new();
    for parameter in parameters.iter().filter(|parameter| parameter.section == section) {
        let last_good = last.and_then(|last| last.get(&parameter.name));
        match parse(parameter.value.expose()) {
            Ok(value) => {
                good.insert(parameter.name.clone(), Arc::new(value));
            }
            Err(reason) => {
                problems.push(Problem {
                    parameter: format!("{section}/{}", parameter.name),
                    reason,
                    last_good_kept: last_good.is_some(),
                });
                if let Some(value) = last_good {
                    good.insert(parameter.name.clone(), Arc::clone(value));
                }
            }
        }
    }
    good
}

fn version_of(parameters: &[Parameter]) -> String {
    let mut sorted: Vec<_> = parameters.iter().collect();
    sorted.sort_by_key(|parameter| (parameter.section, &parameter.name));
    let mut hash = Sha256::new();
    for parameter in sorted {
        for part in [parameter.section.as_str(), &parameter.name, &parameter.version.to_string()] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
    }
    hash.finalize().iter().take(6).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
