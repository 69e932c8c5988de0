//! The `props` of the shipped routes, and of routes that say otherwise: each handler knows its own and refuses others.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use connector::failure::Code;
use connector::handler::HandlerError;
use connector::message::Message;
use connector::parameter::Section;
use serde_json::{Map, Value, json};
use testkit::workbench::{Workbench, on_route};

const ACCOUNT: &str = "{ baseUrl: https://acme.api.example, username: u, password: p, clientId: c, clientSecret: s, retailerId: 1 }";
const PROJECT: &str = "{ authUrl: https://auth.example, apiUrl: https://api.example, clientId: c, clientSecret: s, accountId: ACME, retailerId: 1 }";

/// The shipped routes whose handler has code of its own, and their props.
fn routes() -> Vec<(&'static str, Map<String, Value>)> {
    let of = |name| {
        let route = connector::shipped::route(name).unwrap().unwrap();
        let is_one = route.handler.starts_with("commercetools-") && route.schedule.is_none(); // jobs: tests/jobs
        is_one.then_some((name, route.props))
    };
    connector::shipped::names().filter_map(of).collect()
}

/// Lets the route work, with these props, on a message that says nothing: what is wrong with the props is told before.
async fn handled(route: &str, props: &Map<String, Value>) -> HandlerError {
    let document = json!({"enabled": true, "props": props}).to_string();
    let bench = Workbench::with(&[
        (Section::Accounts, "ACME", ACCOUNT),
        (Section::Commercetools, "shop", PROJECT),
        (Section::Routes, route, &document),
    ]);
    let event = json!({"id": "m1", "name": "Changed", "accountId": "ACME", "retailerId": "1"});
    let notification = json!({"version": 1, "id": "m1", "name": "Changed", "source": "commercetools", "route": route,
        "receivedAt": "2026-11-20T08:30:00Z", "payload": {"notificationType": "ResourceUpdated", "projectKey": "shop", "version": 4,
        "resource": {"typeId": "none", "id": "x-1"}, "modifiedAt": "2026-11-20T08:30:00Z"}});
    let into_fluent =
        connector::shipped::route(route).unwrap().unwrap().wanted.source.as_deref() == Some("commercetools");
    let message = if into_fluent {
        Message::parse(&notification.to_string()).unwrap()
    } else {
        on_route(route, "Changed", &event)
    };
    let result = bench.handle(&handlers::registry().build().unwrap(), &message).await;
    assert_eq!(bench.transport.requests().len(), 0, "{route}: nobody is asked");
    result.unwrap_err()
}

fn reason(error: HandlerError, wanted: Code) -> String {
    match error {
        HandlerError::Misconfigured { code, reason } if code == wanted => reason,
        other => panic!("{other:?} is not {wanted:?}"),
    }
}

#[tokio::test]
async fn a_handler_knows_every_key_of_its_shipped_route() {
    let routes = routes();
    assert_eq!(routes.len(), 9, "{routes:?}");
    for (route, props) in routes {
        let told = reason(handled(route, &props).await, Code::Mapping);
        assert!(told.contains("message") || told.contains("event"), "{route}: {told}");
    }
}

#[tokio::test]
async fn a_handler_refuses_a_key_that_it_does_not_know() {
    for (route, mut props) in routes() {
        props.insert("langauges".to_owned(), json!(["en"]));
        let told = reason(handled(route, &props).await, Code::Route);
        assert!(told.starts_with("the route's props: unknown key \"langauges\"; "), "{route}: {told}");
    }
}

#[tokio::test]
async fn the_nearest_key_is_named() {
    for (route, wrong, right) in [
        ("commercetools-order-create", "productCatalogRef", "productCatalogueRef"),
        ("commercetools-order-status", "refprefix", "refPrefix"),
        ("commercetools-fulfilment-status", "acount", "account"),
        ("commercetools-consignment-status", "shipingKey", "shippingKey"),
        ("commercetools-inventory-upsert", "chanel", "channel"),
        ("commercetools-location-upsert", "contries", "countries"),
    ] {
        let (_, mut props) = routes().into_iter().find(|(name, _)| *name == route).unwrap();
        props.insert(wrong.to_owned(), json!("x"));
        let told = reason(handled(route, &props).await, Code::Route);
        assert_eq!(told, format!("the route's props: unknown key {wrong:?}; did you mean {right:?}?"));
    }
}
