//! What the message router needs.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::parsed;
use super::routes::{BrokenRoute, Found, Routes};
use crate::account::Account;
use crate::cache::Snapshot;
use crate::endpoint::{Endpoint, Ordering};
use crate::failure::chain;
use crate::hex;
use crate::message::{Lane, Message};
use crate::parameter::{Parameter, Problem, Section};
use crate::project::Project;
use crate::route::Route;
use crate::subscription::{self, SUBSCRIPTIONS, Subscription};
use crate::template::Scope;

/// What the message router needs: endpoints, routes, subscriptions, and access to accounts and projects.
#[derive(Debug, Default)]
pub struct RoutingTable {
    version: String,
    endpoints: BTreeMap<String, Arc<Endpoint>>,
    routes: Routes,
    subscriptions: BTreeMap<String, Arc<Subscription>>,
    /// By their names among routes.
    broken_subscriptions: BTreeMap<String, BrokenRoute>,
    accounts: BTreeMap<String, Arc<Account>>,
    projects: BTreeMap<String, Arc<Project>>,
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
        let subscribed = || self.subscription(name).map(|subscription| Found::Usable(&subscription.route));
        let broken = || self.broken_subscriptions.get(name).map(Found::Broken);
        self.routes.get(name).or_else(subscribed).or_else(broken)
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
        let subscribed =
            self.subscriptions().map(|(name, subscription)| (name, Found::Usable(&subscription.route)));
        let broken = self.broken_subscriptions.iter();
        let broken = broken.map(|(name, broken)| (name.as_str(), Found::Broken(broken)));
        self.routes.all().chain(subscribed).chain(broken)
    }

    /// Every usable route, the disabled ones too, by name; those of subscriptions are not among them.
    pub fn usable_routes(&self) -> impl Iterator<Item = (&str, &Route)> {
        self.routes.usable()
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
        let (routes, mut problems) = Routes::build(parameters, last.map(|last| &last.routes));
        let good = last.map(|last| &last.endpoints);
        let endpoints = parsed(parameters, Section::Endpoints, good, &mut problems, |_, text| {
            Endpoint::parse(text).map_err(|error| chain(&error))
        });
        let good = last.map(|last| &last.accounts);
        let accounts = parsed(parameters, Section::Accounts, good, &mut problems, |_, text| {
            Account::parse(text).map_err(|error| chain(&error))
        });
        let good = last.map(|last| &last.projects);
        let projects = parsed(parameters, Section::Commercetools, good, &mut problems, |key, text| {
            Project::parse(key, text).map_err(|error| chain(&error))
        });
        let good = last.map(|last| &last.subscriptions);
        let subscriptions = parsed(parameters, Section::Subscriptions, good, &mut problems, |name, text| {
            Subscription::parse(name, text).map_err(|error| chain(&error))
        });
        let broken_subscriptions = broken(parameters, &subscriptions, &problems);
        let version = version_of(parameters);
        let table =
            Self { version, endpoints, routes, subscriptions, broken_subscriptions, accounts, projects };
        (table, problems)
    }
}

fn broken(
    parameters: &[Parameter],
    usable: &BTreeMap<String, Arc<Subscription>>,
    problems: &[Problem],
) -> BTreeMap<String, BrokenRoute> {
    let wanted = |_: &str, text: &str| subscription::wanted(text);
    let broken = BrokenRoute::all(parameters, Section::Subscriptions, usable, problems, wanted);
    broken.into_iter().map(|(name, broken)| (format!("{SUBSCRIPTIONS}{name}"), broken)).collect()
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
    format!("{:.12}", hex::encoded(&hash.finalize()))
}
