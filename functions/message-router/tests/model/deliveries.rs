//! What becomes of a delivery, and of its message.

use std::time::Duration;

use connector::outcome::NoAnswer;
use message_router::record::Record;
use serde_json::json;
use testkit::fakes::ManualClock;

use crate::support::{World, on_route, routed};

#[test]
fn a_delivered_message_is_acknowledged_and_recorded() {
    let world = World::new();
    assert!(world.route(&on_route("deliver", 1)).is_empty());
    let entries = world.log.entries();
    assert_eq!(entries.len(), 1);
    for (key, value) in [
        ("type", json!("outbound.attempt")),
        ("outcome", json!("delivered")),
        ("message.id", json!("m1")),
        ("entity.ref", json!("HD_1")),
        ("account.id", json!("ACME")),
        ("route", json!("deliver")),
        ("endpoint", json!("storefront")),
        ("attempt", json!(1)),
        ("response.status", json!(200)),
        ("trace.id", json!("1-2-3")),
    ] {
        assert_eq!(entries[0][key], value, "{key}");
    }
    assert!(entries[0]["webhook.id"].as_str().unwrap().starts_with("msg_"));
}

#[test]
fn a_failed_delivery_comes_back_as_its_endpoints_schedule_says() {
    for (attempt, seconds) in [(1, 5), (2, 300), (4, 7_200), (6, 36_000)] {
        let world = World::new();
        world.transport.answer_next([Ok(503)]);
        let kept = world.route(&on_route("deliver", attempt));
        assert_eq!(kept, ["m1"]);
        assert_eq!(world.event_queue.postponed(), [("receipt-m1".to_owned(), Duration::from_secs(seconds))]);
        let entry = &world.log.entries()[0];
        assert_eq!((&entry["code"], &entry["retry_after_s"]), (&json!("E_SERVER"), &json!(seconds)));
        assert_eq!(entry["outcome"], "retry");
    }
}

#[test]
fn a_schedule_that_is_used_up_parks_the_message_with_all_that_is_known() {
    let world = World::new();
    world.transport.answer_next([Ok(503)]);
    assert!(world.route(&on_route("deliver", 7)).is_empty());
    let parked = &world.undelivered.sent()[0];
    for attribute in [
        ("reason", "exhausted"),
        ("code", "E_SERVER"),
        ("route", "deliver"),
        ("endpoint", "storefront"),
        ("attempts", "7"),
        ("status", "503"),
        ("time", "2026-11-20T08:30:00.000Z"),
    ] {
        assert!(parked.attributes.contains(&(attribute.0, attribute.1.to_owned())), "{attribute:?}");
    }
    assert_eq!(
        (parked.body.as_str(), parked.group.as_str()),
        (routed("m1", "deliver").as_str(), "g1#storefront")
    );
    assert_eq!(world.log.types(), ["outbound.attempt", "message.undelivered"]);
    assert_eq!(world.log.entries()[0]["outcome"], "undelivered");
}

#[test]
fn ordinary_4xx_answers_are_undelivered_at_once_and_never_dead_letters() {
    for (status, code) in [(400, "E_REJECTED"), (404, "E_REJECTED"), (410, "E_GONE"), (301, "E_REDIRECT")] {
        let world = World::new();
        world.transport.answer_next([Ok(status)]);
        assert!(world.route(&on_route("deliver", 1)).is_empty());
        let parked = world.undelivered.sent();
        assert!(parked[0].attributes.contains(&("reason", "refused".to_owned())));
        assert!(parked[0].attributes.contains(&("code", code.to_owned())), "{status}");
        assert!(parked[0].attributes.contains(&("status", status.to_string())));
        assert!(world.dead_letters.sent().is_empty() && world.event_queue.postponed().is_empty());
    }
}

#[test]
fn a_forbidden_address_is_undelivered_at_once() {
    let world = World::new();
    world.transport.answer_next([Err(NoAnswer::BlockedAddress)]);
    assert!(world.route(&on_route("deliver", 1)).is_empty());
    let attributes = &world.undelivered.sent()[0].attributes;
    assert!(attributes.contains(&("code", "E_BLOCKED_ADDRESS".to_owned())));
    assert!(attributes.contains(&("reason", "refused".to_owned())));
}

#[test]
fn a_paused_endpoint_holds_new_messages_and_those_that_wait_for_a_retry() {
    for attempt in [1, 3] {
        let world = World::new();
        assert!(world.route(&on_route("held", attempt)).is_empty());
        assert!(world.transport.requests().is_empty(), "nothing is sent");
        let held = &world.undelivered.sent()[0];
        assert!(held.attributes.contains(&("reason", "paused".to_owned())));
        assert!(held.attributes.contains(&("endpoint", "warehouse".to_owned())));
        assert_eq!(world.log.types(), ["message.held"]);
    }
}

#[test]
fn a_message_does_not_wait_until_sqs_deletes_it() {
    let (world, now) = (World::new(), ManualClock::default().port()());
    let days = |days: i64| now.checked_sub(jiff::SignedDuration::from_hours(24 * days)).ok();
    world.transport.answer_next([Ok(503), Ok(503)]);
    let young = Record { sent: days(12), ..on_route("deliver", 3)[0].clone() };
    assert_eq!(world.route(&[young]), ["m1"]);
    let old = Record { sent: days(13), ..on_route("deliver", 3)[0].clone() };
    assert!(world.route(&[old]).is_empty());
    assert!(world.undelivered.sent()[0].attributes.contains(&("reason", "exhausted".to_owned())));
    let world = World::new();
    world.configuration.set_unreadable(true);
    let old = Record { sent: days(13), ..on_route("deliver", 3)[0].clone() };
    assert!(world.route(&[old]).is_empty(), "whatever it waits for");
}

#[test]
fn a_message_is_told_undelivered_only_when_the_undelivered_queue_has_it() {
    let world = World::new();
    world.transport.answer_next([Ok(404)]);
    world.undelivered.fail_next([true]);
    assert_eq!(world.route(&on_route("deliver", 1)), ["m1"]);
    assert_eq!(world.log.types(), ["outbound.attempt", "message.fault"]);
    assert_eq!(world.log.entries()[1]["code"], "E_QUEUE");
}
