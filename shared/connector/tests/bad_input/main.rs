//! What people get wrong in the AWS console, and what they are told: one line a case.
//!
//! Each case stands beside good parameters. It is the only problem, it is named, it shows no secret, the good ones serve,
//! and where there was a good copy of the broken one that copy goes on serving.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod accounts;
mod endpoints;
mod keys;
mod routes;
mod sources;
mod subscriptions;
mod templates;
mod yaml;

use connector::cache::Snapshot;
use connector::configuration::{Found, FoundSource, KeyRing, RoutingTable, Sources};
use connector::parameter::{Parameter, Problem, Section};
use connector::secret::Secret;

/// Stands in each value that could be a secret.
const SECRET: &str = "hunter2";

const ACCOUNT: &str = r#"{"baseUrl": "https://acme.example", "username": "a", "password": "b", "clientId": "c", "clientSecret": "d", "retailerId": "1"}"#;
const PROJECT: &str = "{ authUrl: https://auth.example, apiUrl: https://api.example, clientId: c, clientSecret: hunter2, accountId: ACME, retailerId: 1 }";

const SUBSCRIPTION: &str =
    "topics: fluent/*\nurl: https://bi.example/hooks\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]";

const GOOD: [(Section, &str); 7] = [
    (Section::Endpoints, "https://shop.example/orders"),
    (Section::Routes, "message: OrderStatusChange\nendpoint: good"),
    (Section::Accounts, ACCOUNT),
    (Section::Commercetools, PROJECT),
    (Section::Subscriptions, SUBSCRIPTION),
    (Section::Sources, "{ preset: fynd, secrets: [hunter2] }"),
    (Section::Keys, testkit::signing::DEVELOPMENT_PUBLIC_KEY),
];

fn parameter(section: Section, name: &str, value: &str) -> Parameter {
    Parameter { section, name: name.to_owned(), value: Secret::new(value), version: 1 }
}

/// A good parameter of each section that `S` reads, and `case` as one more.
fn beside_good_ones<S: Snapshot>(section: Section, case: &str) -> Vec<Parameter> {
    let good = GOOD.iter().filter(|(section, _)| S::SECTIONS.contains(section));
    let good = good.map(|(section, value)| parameter(*section, "good", value));
    good.chain([parameter(section, "case", case)]).collect()
}

fn value_of(section: Section) -> &'static str {
    GOOD.iter().find(|(good, _)| *good == section).unwrap().1
}

/// What the log says of a broken parameter; `serves` tells whether the parameter of a name is in use.
fn told<S: Snapshot>(section: Section, case: &str, serves: impl Fn(&S, Section, &str) -> bool) -> String {
    let broken = beside_good_ones::<S>(section, case);
    let (snapshot, problems) = S::build(&broken, None);
    let [Problem { parameter, reason, last_good_kept: false }] = &problems[..] else {
        panic!("{case} is one problem: {problems:?}")
    };
    assert_eq!(*parameter, format!("{section}/case"), "{case}");
    assert!(!reason.contains(SECRET), "{case} shows a secret: {reason}");
    assert!(!serves(&snapshot, section, "case"), "{case} serves");
    let (before, problems) = S::build(&beside_good_ones::<S>(section, value_of(section)), None);
    assert!(problems.is_empty(), "{problems:?}");
    let (after, problems) = S::build(&broken, Some(&before));
    assert!(problems.iter().all(|problem| problem.last_good_kept), "{case}: {problems:?}");
    for snapshot in [&snapshot, &after] {
        assert!(S::SECTIONS.iter().all(|section| serves(snapshot, *section, "good")), "{case} harms another");
    }
    assert!(serves(&after, section, "case"), "{case}: the last good copy goes on serving");
    reason.clone()
}

fn serves(table: &RoutingTable, section: Section, name: &str) -> bool {
    match section {
        Section::Endpoints => table.endpoint(name).is_some(),
        Section::Routes => matches!(table.route(name), Some(Found::Usable(_))),
        Section::Accounts => table.account(name).is_some(),
        Section::Commercetools => table.project(name).is_some(),
        Section::Subscriptions => table.subscription(&format!("subscriptions/{name}")).is_some(),
        Section::Keys | Section::Sources => false,
    }
}

/// What the log says of a broken route.
fn route(case: &str) -> String {
    told(Section::Routes, case, serves)
}

/// The same of a route that is good up to these lines.
fn route_with(lines: &str) -> String {
    route(&format!("message: OrderStatusChange\nendpoint: good\n{lines}"))
}

/// What the log says of a broken endpoint.
fn endpoint(case: &str) -> String {
    told(Section::Endpoints, case, serves)
}

/// The same of an endpoint that is good up to these lines.
fn endpoint_with(lines: &str) -> String {
    endpoint(&format!("url: https://shop.example/orders\n{lines}"))
}

/// What the log says of a broken subscription.
fn subscription(case: &str) -> String {
    told(Section::Subscriptions, case, serves)
}

/// The same of a subscription that is good up to these lines.
fn subscription_with(lines: &str) -> String {
    subscription(&format!("{SUBSCRIPTION}\n{lines}"))
}

/// What the log says of a broken account.
fn account(case: &str) -> String {
    told(Section::Accounts, case, serves)
}

/// What the log says of a broken key.
fn key(case: &str) -> String {
    told::<KeyRing>(Section::Keys, case, |ring, _, name| {
        // Both keys are the same one here: the second is in use where there are two.
        ring.keys().len() >= if name == "case" { 2 } else { 1 }
    })
}

/// What the log says of a broken source.
fn source(case: &str) -> String {
    told::<Sources>(Section::Sources, case, |sources, _, name| {
        matches!(sources.source(name), Some(FoundSource::Usable(_)))
    })
}

/// The same of a source that is good up to these lines.
fn source_with(lines: &str) -> String {
    source(&format!("preset: fynd\nsecrets: [hunter2]\n{lines}"))
}

/// The same of a source that is good up to its `auth`.
fn source_by(auth: &str) -> String {
    source(&format!("name: /type\nauth: {auth}"))
}

/// What is forgiven: it means what was meant.
fn usable(section: Section, case: &str) {
    let (table, problems) = RoutingTable::build(&beside_good_ones::<RoutingTable>(section, case), None);
    assert!(problems.is_empty() && serves(&table, section, "case"), "{case}: {problems:?}");
}
