//! What cannot serve, cannot be read, or is no message.

use std::time::Duration;

use connector::parameter::Section;
use message_router::record::Record;

use crate::kinds::{Kind, body};
use crate::support::{World, on_route, one, record, routed};

#[test]
fn a_message_waits_where_its_route_is_broken_or_its_condition_cannot_tell() {
    let world = World::new();
    world.configuration.put(Section::Routes, "broken", "message: Odd\nendpont: storefront");
    world.configuration.put(Section::Routes, "unsure", "message: Odd\nendpoint: storefront\nwhen: event.vip");
    world.configuration.put(
        Section::Routes,
        "no",
        "message: Odd\nendpoint: storefront\nwhen: event.entityRef == 'x'",
    );
    assert!(world.route(&one("Odd")).is_empty());
    let copies = world.event_queue.sent();
    let ids: Vec<_> = copies.iter().map(|copy| copy.deduplication.as_str()).collect();
    assert_eq!(ids, ["fluent/m1/unsure", "fluent/m1/broken"]);
    for copy in copies {
        assert!(world.route(&[record("m2", &copy.group, copy.body, 1)]).is_empty());
    }
    let parked: Vec<_> = world.undelivered.sent().into_iter().map(|parked| parked.attributes).collect();
    for (attributes, code) in parked.iter().zip(["E_TEMPLATE", "E_ROUTE"]) {
        assert!(attributes.contains(&("reason", "misconfigured".to_owned())));
        assert!(attributes.contains(&("code", code.to_owned())), "{attributes:?}");
    }
    let errors: Vec<_> =
        world.log.entries().iter().filter_map(|entry| entry["error"].as_str().map(str::to_owned)).collect();
    let [.., unsure, broken] = &errors[..] else { unreachable!("both are told") };
    assert_eq!(unsure, "the condition of routes/unsure: line 1: `event.vip` is undefined");
    assert!(broken.starts_with("routes/broken is broken: unknown key \"endpont\" (line 2)"), "{broken}");
    assert!(world.transport.requests().is_empty());
}

#[test]
fn what_cannot_serve_as_configured_is_parked_as_misconfigured() {
    for (route, code) in [("nowhere", "E_ENDPOINT"), ("nobody", "E_HANDLER")] {
        let world = World::new();
        assert!(world.route(&on_route(route, 1)).is_empty());
        let attributes = &world.undelivered.sent()[0].attributes;
        assert!(attributes.contains(&("reason", "misconfigured".to_owned())));
        assert!(attributes.contains(&("code", code.to_owned())));
    }
}

#[test]
fn a_body_that_is_no_message_goes_to_the_dead_letter_queue_as_it_came() {
    let no_body = Record { body: None, ..on_route("deliver", 1)[0].clone() };
    for (kind, code) in
        [(Kind::Malformed, "E_MESSAGE"), (Kind::UnknownVersion, "E_VERSION"), (Kind::EmptyId, "E_MESSAGE")]
    {
        let world = World::new();
        let given = record("m1", "g1", body(kind, "m1"), 1);
        assert!(world.route(std::slice::from_ref(&given)).is_empty());
        let dead = &world.dead_letters.sent()[0];
        assert_eq!(Some(&dead.body), given.body.as_ref());
        assert!(dead.attributes.contains(&("code", code.to_owned())));
        assert_eq!(world.log.types(), ["message.fault"]);
    }
    let world = World::new();
    assert!(world.route(&[no_body]).is_empty());
    assert_eq!(world.dead_letters.sent().len(), 1);
}

#[test]
fn a_panic_is_tried_again_and_ends_in_the_dead_letter_queue_alone() {
    let records = |attempt| {
        [record("m1", "g1", routed("m1", "panic"), attempt), record("m2", "g2", routed("m2", "deliver"), 1)]
    };
    let world = World::new();
    assert_eq!(world.route(&records(1)), ["m1"]);
    assert_eq!(world.delivered(), ["m2"]);
    let world = World::new();
    assert!(world.route(&records(3)).is_empty());
    assert_eq!(world.dead_letters.sent()[0].deduplication, "m1");
}

#[test]
fn an_unreadable_configuration_is_a_retry_and_never_unrouted() {
    let world = World::new();
    world.configuration.set_unreadable(true);
    assert_eq!(world.route(&one("Deliver")), ["m1"]);
    assert!(world.undelivered.sent().is_empty());
    world.configuration.set_unreadable(false);
    world.clock.advance(Duration::from_secs(6));
    assert!(world.route(&one("Deliver")).is_empty());
}
