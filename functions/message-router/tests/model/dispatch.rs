//! A message that was received becomes one message for each route that wants it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use connector::parameter::Section;
use message_router::settings::Unrouted;
use serde_json::json;

use crate::support::{World, envelope, envelope_for, on_route, one, record};

#[test]
fn a_message_that_no_route_wants_is_held_and_recorded() {
    let world = World::new();
    assert!(world.route(&one("Unheard")).is_empty());
    let held = world.undelivered.sent();
    assert_eq!((held[0].body.as_str(), held[0].group.as_str()), (envelope("m1", "Unheard").as_str(), "g1"));
    assert!(held[0].attributes.contains(&("reason", "unrouted".to_owned())));
    assert_eq!(world.log.types(), ["message.unrouted"]);
}

#[test]
fn a_deployment_may_drop_what_no_route_wants_but_never_what_a_route_was_to_get() {
    let mut world = World::new();
    world.router.unrouted = Unrouted::Drop;
    assert!(world.route(&one("Unheard")).is_empty());
    assert!(world.undelivered.sent().is_empty());
    assert_eq!(
        (world.log.types(), &world.log.entries()[0]["dropped"]),
        (vec!["message.unrouted".to_owned()], &json!(true))
    );
    assert!(world.route(&on_route("gone", 1)).is_empty());
    assert_eq!(world.undelivered.sent().len(), 1);
}

#[test]
fn a_message_becomes_one_message_for_each_route_that_wants_it() {
    let world = World::new();
    assert!(world.route(&one("Both")).is_empty());
    let copies = world.event_queue.sent();
    let ids: Vec<_> = copies.iter().map(|copy| (copy.group.as_str(), copy.deduplication.as_str())).collect();
    assert_eq!(ids, [("g1#storefront", "fluent/m1/both-1"), ("g1#storefront", "fluent/m1/both-2")]);
    assert!(world.transport.requests().is_empty());
    let second = record("m9", &copies[1].group, copies[1].body.clone(), 1);
    assert!(world.route(&[second]).is_empty());
    assert_eq!(world.delivered(), ["m1"]);
    assert_eq!(world.log.types(), ["message.routed", "outbound.attempt"]);
    assert_eq!(world.log.entries()[1]["route"], "both-2");
}

#[test]
fn an_endpoint_without_ordering_gives_each_message_a_group_of_its_own() {
    let world = World::new();
    let endpoint = "url: https://shop.example/orders\nordering: none";
    world.configuration.put(Section::Endpoints, "storefront", endpoint);
    world.route(&[
        record("m1", "g1", envelope("m1", "Both"), 1),
        record("m2", "g1", envelope("m2", "Both"), 1),
    ]);
    let groups: BTreeSet<_> = world.event_queue.sent().into_iter().map(|copy| copy.group).collect();
    assert_eq!(groups.len(), 4);
}

#[test]
fn a_dispatch_that_half_failed_is_repeated_with_the_same_ids_within_the_deduplication_window() {
    let world = World::new();
    world.event_queue.fail_next([false, true]);
    assert_eq!(world.route(&one("Both")), ["m1"]);
    assert!(world.event_queue.postponed()[0].1 < Duration::from_mins(5));
    assert!(world.route(&one("Both")).is_empty());
    let ids: Vec<_> = world.event_queue.sent().into_iter().map(|copy| copy.deduplication).collect();
    assert_eq!(
        ids,
        ["fluent/m1/both-1", "fluent/m1/both-1", "fluent/m1/both-2"],
        "SQS drops the second of a kind"
    );
}

#[test]
fn copies_that_the_queue_keeps_refusing_end_in_the_undelivered_queue_before_sqs_forgets_the_others() {
    let world = World::new();
    let received = |receives| [record("m1", "g1", envelope("m1", "Both"), receives)];
    let mut waited = Duration::ZERO;
    for receives in 1..5 {
        world.event_queue.fail_next([false, true]);
        assert_eq!(world.route(&received(receives)), ["m1"]);
        waited += world.event_queue.postponed().last().unwrap().1;
    }
    assert!(waited < Duration::from_mins(5), "{waited:?}");
    world.event_queue.fail_next([false, true]);
    assert!(world.route(&received(5)).is_empty());
    let [parked] = &world.undelivered.sent()[..] else { unreachable!("one copy is parked") };
    assert_eq!(parked.body, envelope_for("m1", "Both", "both-2"));
    for attribute in
        [("reason", "exhausted"), ("code", "E_QUEUE"), ("route", "both-2"), ("endpoint", "storefront")]
    {
        assert!(parked.attributes.contains(&(attribute.0, attribute.1.to_owned())), "{attribute:?}");
    }
    let entries = world.log.entries();
    let [.., routed, last] = &entries[..] else { unreachable!("both are told") };
    assert_eq!((&routed["type"], &routed["copies"]), (&json!("message.routed"), &json!(1)), "the other copy");
    assert_eq!((&last["type"], &last["route"]), (&json!("message.undelivered"), &json!("both-2")));
    assert!(last["error"].as_str().unwrap().starts_with("1 of 2 copies were not confirmed"));
    let world = World::new();
    world.event_queue.fail_next([true, true]);
    assert_eq!(world.route(&received(50)), ["m1"], "where the queue is down nothing is repeated");
    let world = World::new();
    world.event_queue.fail_next([false, true]);
    world.undelivered.fail_next([true]);
    assert_eq!(world.route(&received(5)), ["m1"]);
}

#[test]
fn a_dispatch_ends_within_the_invocation() {
    let mut world = World::new();
    world.router.event_queue = Arc::new(testkit::fakes::HangingQueue);
    assert_eq!(world.route(&one("Both")), ["m1"]);
    assert_eq!(world.log.entries()[0]["code"], "E_QUEUE");
}

#[test]
fn a_message_for_a_route_that_is_gone_is_held() {
    let world = World::new();
    world.route(&one("Both"));
    world.configuration.remove(Section::Routes, "both-1");
    world.clock.advance(Duration::from_secs(31));
    let copy = &world.event_queue.sent()[0];
    assert!(world.route(&[record("m9", &copy.group, copy.body.clone(), 1)]).is_empty());
    assert!(world.undelivered.sent()[0].attributes.contains(&("reason", "unrouted".to_owned())));
}
