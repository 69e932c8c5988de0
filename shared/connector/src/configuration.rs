//! The configuration as each function uses it, made of parameters; a broken one never harms another.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::account::Account;
use crate::cache::Snapshot;
use crate::endpoint::{Endpoint, Ordering};
use crate::failure::chain;
use crate::keys::PublicKey;
use crate::message::{Lane, Message};
use crate::parameter::{Parameter, Problem, Section};
use crate::project::Project;
use crate::route::{Route, Wanted};
use crate::shipped;
use crate::source::Source;
use crate::subscription::{self, SUBSCRIPTIONS, Subscription};
use crate::template::Scope;

/// What the webhook receiver needs: Fluent's public keys.
#[derive(Debug, Default)]
pub struct KeyRing {
    keys: BTreeMap<String, Arc<PublicKey>>,
    all: Vec<Arc<PublicKey>>,
}

/// What the webhook receiver needs for other systems: how each proves itself.
#[derive(Debug, Default)]
pub struct Sources {
    usable: BTreeMap<String, Arc<Source>>,
    broken: BTreeSet<String>,
}

/// What a source's name stands for.
#[derive(Debug, Clone, Copy)]
pub enum FoundSource<'a> {
    /// A source.
    Usable(&'a Source),
    /// A source that cannot be used, and of which no good copy is known.
    Broken,
}

/// What the message router needs: endpoints, routes, and access to accounts and projects.
#[derive(Debug, Default)]
pub struct RoutingTable {
    version: String,
    endpoints: BTreeMap<String, Arc<Endpoint>>,
    routes: BTreeMap<String, Arc<Route>>,
    broken: BTreeMap<String, BrokenRoute>,
    accounts: BTreeMap<String, Arc<Account>>,
    projects: BTreeMap<String, Arc<Project>>,
    subscriptions: BTreeMap<String, Arc<Subscription>>,
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
        let keys =
            parsed(parameters, Section::Keys, last.map(|last| &last.keys), &mut problems, |_, text| {
                PublicKey::parse(text).map_err(|error| chain(&error))
            });
        let all = keys.values().cloned().collect();
        (Self { keys, all }, problems)
    }
}

impl Sources {
    /// The source of this name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<FoundSource<'_>> {
        let usable = self.usable.get(name).map(|source| FoundSource::Usable(source));
        usable.or_else(|| self.broken.contains(name).then_some(FoundSource::Broken))
    }

    /// Every usable source, by name.
    pub fn usable(&self) -> impl Iterator<Item = &Source> {
        self.usable.values().map(Arc::as_ref)
    }
}

impl Snapshot for Sources {
    const SECTIONS: &'static [Section] = &[Section::Sources];

    fn build(parameters: &[Parameter], last: Option<&Self>) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let own = parameters.iter().filter(|parameter| !Source::is_of_another_kind(&parameter.name));
        let own: Vec<_> = own.cloned().collect();
        let usable =
            parsed(&own, Section::Sources, last.map(|last| &last.usable), &mut problems, |name, text| {
                Source::parse(name, text).map_err(|error| chain(&error))
            });
        let names = own.into_iter().map(|parameter| parameter.name);
        let broken = names.filter(|name| !usable.contains_key(name) && !Source::is_reserved(name));
        (Self { broken: broken.collect(), usable }, problems)
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
        let subscribed = || Some(&self.subscription(name)?.endpoint);
        self.endpoints.get(name).map(Arc::as_ref).or_else(subscribed)
    }

    /// The route of this name.
    #[must_use]
    pub fn route(&self, name: &str) -> Option<Found<'_>> {
        let usable = self.routes.get(name).map(|route| Found::Usable(route));
        let subscribed = || self.subscription(name).map(|subscription| Found::Usable(&subscription.route));
        usable.or_else(subscribed).or_else(|| self.broken.get(name).map(Found::Broken))
    }

    /// The subscription of this name among those of routes and endpoints, where it is usable.
    #[must_use]
    pub fn subscription(&self, name: &str) -> Option<&Subscription> {
        self.subscriptions.get(name.strip_prefix(SUBSCRIPTIONS)?).map(Arc::as_ref)
    }

    /// Every usable subscription, by its name among those of routes and endpoints.
    pub fn subscriptions(&self) -> impl Iterator<Item = (&str, &Subscription)> {
        self.subscriptions.values().map(|subscription| (subscription.name(), subscription.as_ref()))
    }

    /// Every usable endpoint, by name; those of subscriptions are not among them.
    pub fn endpoints(&self) -> impl Iterator<Item = (&str, &Endpoint)> {
        self.endpoints.iter().map(|(name, endpoint)| (name.as_str(), endpoint.as_ref()))
    }

    /// Access to the Fluent account of this id, where it is usable.
    #[must_use]
    pub fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.get(id).map(Arc::as_ref)
    }

    /// Access to the project of commercetools with this key, where it is usable.
    #[must_use]
    pub fn project(&self, key: &str) -> Option<&Project> {
        self.projects.get(key).map(Arc::as_ref)
    }

    /// Access to every usable Fluent account, by id.
    pub fn accounts(&self) -> impl Iterator<Item = (&str, &Account)> {
        self.accounts.iter().map(|(id, account)| (id.as_str(), account.as_ref()))
    }

    /// Access to every usable project of commercetools, by key.
    pub fn projects(&self) -> impl Iterator<Item = &Project> {
        self.projects.values().map(Arc::as_ref)
    }

    /// The projects of commercetools that belong to the Fluent account of this id, by key.
    pub fn projects_of(&self, account_id: &str) -> impl Iterator<Item = &Project> {
        self.projects().filter(move |project| project.account_id() == account_id)
    }

    /// What a route's messages of one entity wait for; `endpoint` is the route's.
    #[must_use]
    pub fn lane<'a>(&self, route: &'a str, endpoint: Option<&'a str>) -> Lane<'a> {
        match endpoint {
            None => Lane::Route(route),
            Some(endpoint) => match self.endpoint(endpoint).map(|endpoint| endpoint.ordering) {
                Some(Ordering::None) => Lane::Own(route),
                Some(Ordering::Entity) | None => Lane::Endpoint(endpoint),
            },
        }
    }

    /// Every route, those of subscriptions among them, by name.
    pub fn routes(&self) -> impl Iterator<Item = (&str, Found<'_>)> {
        let usable = self.routes.iter().map(|(name, route)| (name.as_str(), Found::Usable(route)));
        let subscribed =
            self.subscriptions().map(|(name, subscription)| (name, Found::Usable(&subscription.route)));
        usable
            .chain(subscribed)
            .chain(self.broken.iter().map(|(name, broken)| (name.as_str(), Found::Broken(broken))))
    }

    /// Every usable route, the disabled ones too, by name; those of subscriptions are not among them.
    pub fn usable_routes(&self) -> impl Iterator<Item = (&str, &Route)> {
        self.routes.iter().map(|(name, route)| (name.as_str(), route.as_ref()))
    }

    /// Every route that is to get the message: the enabled ones that want it, those whose condition cannot tell, and the
    /// broken ones that would want it, so that what they miss is kept and can be replayed.
    pub fn routes_for<'a>(&'a self, message: &'a Message) -> impl Iterator<Item = (&'a str, Found<'a>)> {
        let scope = OnceCell::new(); // the event is read once, however many routes have a condition
        self.routes().filter(move |(_, found)| match found {
            Found::Usable(route) => {
                route.wants(message, || scope.get_or_init(|| Scope::of(message))).unwrap_or(true)
            }
            Found::Broken(broken) => broken.wanted.as_ref().is_some_and(|wanted| wanted.includes(message)),
        })
    }
}

impl RoutingTable {
    /// The routes and subscriptions of which there is no usable copy, by their names among routes.
    fn broken_routes(&self, parameters: &[Parameter], problems: &[Problem]) -> BTreeMap<String, BrokenRoute> {
        let unusable = parameters.iter().filter(|parameter| match parameter.section {
            Section::Routes => !self.routes.contains_key(&parameter.name),
            Section::Subscriptions => !self.subscriptions.contains_key(&parameter.name),
            Section::Keys
            | Section::Endpoints
            | Section::Accounts
            | Section::Commercetools
            | Section::Sources => false,
        });
        let broken = unusable.map(|Parameter { section, name, value, .. }| {
            let path = format!("{section}/{name}");
            let problem = problems.iter().find(|problem| problem.parameter == path);
            let reason = problem.map_or_else(String::new, |problem| problem.reason.clone());
            match section {
                Section::Subscriptions => {
                    (path, BrokenRoute { wanted: subscription::wanted(value.expose()), reason })
                }
                _ => (name.clone(), BrokenRoute { wanted: shipped::wanted(name, value.expose()), reason }),
            }
        });
        broken.collect()
    }
}

impl From<Subscription> for RoutingTable {
    /// With this subscription and nothing else: for trying it.
    fn from(subscription: Subscription) -> Self {
        let name = subscription.name().strip_prefix(SUBSCRIPTIONS).unwrap_or_default().to_owned();
        Self { subscriptions: BTreeMap::from([(name, Arc::new(subscription))]), ..Self::default() }
    }
}

impl Snapshot for RoutingTable {
    const SECTIONS: &'static [Section] = &[
        Section::Endpoints,
        Section::Routes,
        Section::Accounts,
        Section::Commercetools,
        Section::Subscriptions,
    ];

    fn build(parameters: &[Parameter], last: Option<&Self>) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let endpoints = parsed(
            parameters,
            Section::Endpoints,
            last.map(|last| &last.endpoints),
            &mut problems,
            |_, text| Endpoint::parse(text).map_err(|error| chain(&error)),
        );
        let mut routes = parsed(
            parameters,
            Section::Routes,
            last.map(|last| &last.routes),
            &mut problems,
            |name, text| shipped::changed(name, text).map_err(|error| chain(&error)),
        );
        for (name, route) in shipped::enabled() {
            if !parameters.iter().any(|parameter| parameter.is(Section::Routes, name)) {
                routes.insert(name.to_owned(), route);
            }
        }
        let accounts = parsed(
            parameters,
            Section::Accounts,
            last.map(|last| &last.accounts),
            &mut problems,
            |_, text| Account::parse(text).map_err(|error| chain(&error)),
        );
        let projects = parsed(
            parameters,
            Section::Commercetools,
            last.map(|last| &last.projects),
            &mut problems,
            |key, text| Project::parse(key, text).map_err(|error| chain(&error)),
        );
        let subscriptions = parsed(
            parameters,
            Section::Subscriptions,
            last.map(|last| &last.subscriptions),
            &mut problems,
            |name, text| Subscription::parse(name, text).map_err(|error| chain(&error)),
        );
        let mut table = Self {
            version: version_of(parameters),
            endpoints,
            routes,
            broken: BTreeMap::new(),
            accounts,
            projects,
            subscriptions,
        };
        table.broken = table.broken_routes(parameters, &problems);
        (table, problems)
    }
}

/// Parses a section's parameters; where one is broken its last good copy goes on serving.
fn parsed<T>(
    parameters: &[Parameter],
    section: Section,
    last: Option<&BTreeMap<String, Arc<T>>>,
    problems: &mut Vec<Problem>,
    parse: impl Fn(&str, &str) -> Result<T, String>,
) -> BTreeMap<String, Arc<T>> {
    let mut good = BTreeMap::new();
    for parameter in parameters.iter().filter(|parameter| parameter.section == section) {
        let last_good = last.and_then(|last| last.get(&parameter.name));
        match parse(&parameter.name, parameter.value.expose()) {
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
