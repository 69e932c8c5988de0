//! Subscriptions beside routes.

use std::collections::BTreeSet;

use connector::parameter::Section;
use serde_json::Value;

use crate::support::{World, on_route, one, record};

const SUBSCRIPTION: &str = "topics: test/*\nurl: https://bi.example/hooks\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]\nfilter: event.entityRef != 'no'";

#[test]
fn a_subscription_and_a_route_get_their_own_copies_of_a_message() {
    let world = World::new();
    let document = SUBSCRIPTION.replace("test/*", "'*/Deliver'");
    world.configuration.put(Section::Subscriptions, "bi", &document);
    assert!(world.route(&one("Deliver")).is_empty());
    let copies = world.event_queue.sent();
    let groups: BTreeSet<_> = copies.iter().map(|copy| copy.group.as_str()).collect();
    assert_eq!(groups, BTreeSet::from(["g1#storefront", "g1#subscriptions/bi"]));
    for copy in copies {
        assert!(world.route(&[record("m2", &copy.group, copy.body, 1)]).is_empty());
    }
    let requests = world.transport.requests();
    let ids: BTreeSet<_> = requests.iter().map(|request| request.headers["webhook-id"].as_bytes()).collect();
    assert_eq!((requests.len(), ids.len()), (2, 2), "each has an id of its own");
    let to_bi: Vec<_> =
        requests.iter().filter(|request| request.headers.contains_key("webhook-topic")).collect();
    assert_eq!(to_bi.len(), 1);
    assert_eq!(to_bi[0].headers["webhook-subscription"], "bi");
    assert!(to_bi[0].headers["webhook-signature"].is_sensitive());
    let body: Value = serde_json::from_slice(&to_bi[0].body).unwrap();
    assert_eq!(body["type"], to_bi[0].headers["webhook-topic"].to_str().unwrap());
}

#[test]
fn what_a_subscription_cannot_get_waits_under_its_own_name() {
    for (change, reason, code) in [
        ("paused: true", "paused", "E_PAUSED"),
        ("urll: x", "misconfigured", "E_ROUTE"),
        ("filter: event.missing", "misconfigured", "E_TEMPLATE"),
    ] {
        let world = World::new();
        let rest = SUBSCRIPTION.replace("test/*", "'*/Told'");
        let document = format!("{}\n{change}", rest.replace("\nfilter: event.entityRef != 'no'", ""));
        world.configuration.put(Section::Subscriptions, "bi", &document);
        assert!(world.route(&one("Told")).is_empty());
        let copy = world.event_queue.sent().remove(0);
        assert!(world.route(&[record("m2", &copy.group, copy.body, 1)]).is_empty());
        let parked = world.undelivered.sent().remove(0).attributes;
        let named = [("route", "subscriptions/bi"), ("endpoint", "subscriptions/bi")];
        for told in [("reason", reason), ("code", code)].into_iter().chain(named) {
            assert!(parked.contains(&(told.0, told.1.to_owned())), "{change}: {parked:?}");
        }
        let entry = world.log.entries().pop().unwrap();
        assert_eq!(entry["endpoint"], "subscriptions/bi");
        let error = entry["error"].as_str().unwrap();
        assert!(error.contains("subscriptions/bi") && !error.contains("s/subscriptions"), "{error}");
        assert!(world.transport.requests().is_empty());
    }
}

#[test]
fn what_was_on_its_way_to_a_subscription_that_is_gone_or_inactive_can_be_replayed_by_its_endpoint() {
    for document in [None, Some(format!("{SUBSCRIPTION}\nactive: false"))] {
        let world = World::new();
        if let Some(document) = document {
            world.configuration.put(Section::Subscriptions, "bi", &document);
        }
        assert!(world.route(&on_route("subscriptions/bi", 1)).is_empty());
        let parked = world.undelivered.sent().remove(0).attributes;
        for told in [("reason", "unrouted"), ("endpoint", "subscriptions/bi")] {
            assert!(parked.contains(&(told.0, told.1.to_owned())), "{parked:?}");
        }
    }
}

#[test]
fn a_broken_subscription_keeps_its_messages_in_the_order_of_its_good_ones() {
    let group = |document: &str| {
        let world = World::new();
        world.configuration.put(Section::Subscriptions, "bi", &document.replace("test/*", "'*/Told'"));
        assert!(world.route(&one("Told")).is_empty());
        world.event_queue.sent().remove(0).group
    };
    assert_eq!(group(&format!("{SUBSCRIPTION}\nurll: x")), group(SUBSCRIPTION));
}

#[test]
fn an_inactive_subscription_gets_nothing_and_nothing_is_kept_for_it() {
    let world = World::new();
    for (name, more) in [("off", "active: false"), ("off-and-broken", "active: false\nurll: x")] {
        let document = SUBSCRIPTION.replace("test/*", "'*'");
        world.configuration.put(Section::Subscriptions, name, &format!("{document}\n{more}"));
    }
    assert!(world.route(&one("Deliver")).is_empty());
    assert_eq!(world.event_queue.sent().len(), 1, "the route's alone");
}
