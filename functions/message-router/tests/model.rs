//! The router against its contract: random records, random failures, exactly one disposition each, order kept.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use connector::cache::Cache;
use connector::outcome::NoAnswer;
use connector::parameter::Section;
use connector::sender::Sender;
use message_router::record::Record;
use message_router::router::{Invocation, Router};
use message_router::settings::Unrouted;
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::fakes::{FakeConfiguration, FakeLog, FakeQueue, FakeTransport, ManualClock};

struct World {
    router: Router,
    clock: ManualClock,
    configuration: Arc<FakeConfiguration>,
    transport: Arc<FakeTransport>,
    log: Arc<FakeLog>,
    event_queue: Arc<FakeQueue>,
    undelivered: Arc<FakeQueue>,
    dead_letters: Arc<FakeQueue>,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::default();
        let configuration = Arc::new(FakeConfiguration::with(&[
            (Section::Endpoints, "storefront", "https://shop.example/orders"),
            (Section::Endpoints, "warehouse", "url: https://wms.example/orders\npaused: true"),
            (Section::Routes, "deliver", "message: Deliver\nendpoint: storefront"),
            (Section::Routes, "held", "message: Held\nendpoint: warehouse"),
            (Section::Routes, "panic", "message: Panic\nhandler: panics"),
            (Section::Routes, "nowhere", "message: Nowhere\nendpoint: missing"),
            (Section::Routes, "nobody", "message: Nobody\nhandler: unknown"),
            (Section::Routes, "both-1", "message: Both\nendpoint: storefront"),
            (Section::Routes, "both-2", "message: Bot*\nendpoint: storefront"),
        ]));
        let (transport, log) = (Arc::new(FakeTransport::default()), Arc::new(FakeLog::default()));
        let queues: [Arc<FakeQueue>; 3] = Default::default();
        let [event_queue, undelivered, dead_letters] = queues;
        let router = Router {
            table: Cache::new(configuration.clone(), Duration::from_secs(30), clock.port(), log.clone()),
            handlers: handlers::registry().register::<testkit::handlers::Panics>().build().unwrap(),
            sender: Sender::new(transport.clone(), log.clone(), clock.port(), Arc::new(|| 0.5)),
            event_queue: event_queue.clone(),
            jobs: Arc::new(testkit::fakes::FakeJobs::default()),
            undelivered_queue: undelivered.clone(),
            console: log.clone(),
            unrouted: Unrouted::Hold,
            dead_letter_queue: dead_letters.clone(),
        };
        Self { router, clock, configuration, transport, log, event_queue, undelivered, dead_letters }
    }

    fn route(&self, records: &[Record]) -> Vec<String> {
        self.route_within(records, Duration::from_secs(45))
    }

    fn route_within(&self, records: &[Record], time: Duration) -> Vec<String> {
        let deadline = self.clock.port()().checked_add(time).unwrap();
        let invocation = Invocation { request_id: "request".to_owned(), deadline };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(self.router.route(records.to_vec(), &invocation))
    }

    fn delivered(&self) -> Vec<String> {
        let name = |request: &connector::delivery::OutboundRequest| {
            let payload: Value = serde_json::from_slice(&request.body).unwrap();
            payload["id"].as_str().unwrap().to_owned()
        };
        self.transport.requests().iter().map(name).collect()
    }
}

/// As it was received: no route yet.
fn envelope(id: &str, name: &str) -> String {
    json!({
        "version": 1, "id": id, "name": name, "source": "fluent", "receivedAt": "2026-11-20T08:30:00Z",
        "payload": {"id": id, "entityRef": "HD_1", "entityType": "ORDER", "accountId": "ACME"},
    })
    .to_string()
}

/// As it is for one route.
fn routed(id: &str, route: &str) -> String {
    let mut message: Value = serde_json::from_str(&envelope(id, "Any")).unwrap();
    message["route"] = route.into();
    message.to_string()
}

/// As its dispatch makes it for one route.
fn envelope_for(id: &str, name: &str, route: &str) -> String {
    let mut body = envelope(id, name);
    body.pop();
    let message = connector::message::Message::parse(&format!("{body},\"route\":\"{route}\"}}")).unwrap();
    message.outgoing(String::new(), None).unwrap().body
}

fn record(id: &str, group: &str, body: String, attempt: u32) -> Record {
    Record {
        id: id.to_owned(),
        receipt: format!("receipt-{id}"),
        body: Some(body),
        group: group.to_owned(),
        deduplication: format!("fluent/{id}"),
        attempt,
        sent: None,
        trace: Some("Root=1-2-3".to_owned()),
    }
}

/// One message as it was received.
fn one(name: &str) -> [Record; 1] {
    [record("m1", "g1", envelope("m1", name), 1)]
}

/// One message on its way by a route, at this attempt.
fn on_route(route: &str, attempt: u32) -> [Record; 1] {
    [record("m1", "g1#storefront", routed("m1", route), attempt)]
}

/// What a generated record is, and so where it has to end when nothing fails.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Deliver,
    Panic,
    Unrouted,
    RouteGone,
    Misconfigured,
    UnknownHandler,
    Paused,
    Malformed,
    UnknownVersion,
    EmptyId,
    Dispatch,
    DispatchToTwo,
}

const KINDS: [Kind; 12] = [
    Kind::Deliver,
    Kind::Panic,
    Kind::Unrouted,
    Kind::RouteGone,
    Kind::Misconfigured,
    Kind::UnknownHandler,
    Kind::Paused,
    Kind::Malformed,
    Kind::UnknownVersion,
    Kind::EmptyId,
    Kind::Dispatch,
    Kind::DispatchToTwo,
];

fn body(kind: Kind, id: &str) -> String {
    match kind {
        Kind::Deliver => routed(id, "deliver"),
        Kind::Panic => routed(id, "panic"),
        Kind::Unrouted => envelope(id, "Unheard"),
        Kind::RouteGone => routed(id, "gone"),
        Kind::Misconfigured => routed(id, "nowhere"),
        Kind::UnknownHandler => routed(id, "nobody"),
        Kind::Paused => routed(id, "held"),
        Kind::Malformed => "{".to_owned(),
        Kind::UnknownVersion => routed(id, "deliver").replace("\"version\":1", "\"version\":99"),
        Kind::EmptyId => envelope("", "Deliver"),
        Kind::Dispatch => envelope(id, "Deliver"),
        Kind::DispatchToTwo => envelope(id, "Both"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn each_record_has_one_disposition_and_groups_keep_their_order(
        shape in prop::collection::vec((prop::sample::select(&KINDS[..]), 0..3_usize, 1..6_u32), 0..12),
        answers in prop::collection::vec(prop_oneof![3 => Just(Ok(200)), 1 => Just(Ok(503)), 1 => Just(Ok(404)), 1 => Just(Err(NoAnswer::Dns))], 0..12),
        event_queue_fails in prop::collection::vec(prop::bool::weighted(0.2), 0..12),
        undelivered_fails in prop::collection::vec(prop::bool::weighted(0.3), 0..6),
        dead_letters_fail in prop::collection::vec(prop::bool::weighted(0.3), 0..6),
        unreadable in prop::bool::weighted(0.1),
    ) {
        let world = World::new();
        world.transport.answer_next(answers);
        world.event_queue.fail_next(event_queue_fails);
        world.undelivered.fail_next(undelivered_fails);
        world.dead_letters.fail_next(dead_letters_fail);
        world.configuration.set_unreadable(unreadable);
        let records: Vec<_> = shape.iter().enumerate()
            .map(|(i, (kind, group, attempt))| record(&format!("m{i}"), &format!("g{group}"), body(*kind, &format!("m{i}")), *attempt))
            .collect();

        let kept = world.route(&records);

        let kept_set: BTreeSet<_> = kept.iter().cloned().collect();
        prop_assert_eq!(kept_set.len(), kept.len(), "a record is reported once");
        let ids = |queue: &FakeQueue| queue.sent().iter().map(|sent| sent.deduplication.clone()).collect::<Vec<_>>();
        let (parked, dead) = (ids(&world.undelivered), ids(&world.dead_letters));
        let (sent, posted) = (world.event_queue.sent(), world.delivered());
        let mut stopped: BTreeMap<&str, bool> = BTreeMap::new();
        for ((kind, _, _), record) in shape.iter().zip(&records) {
            let untouched = *stopped.entry(&record.group).or_default();
            let is_kept = kept_set.contains(&record.id);
            let ends = usize::from(is_kept) + parked.iter().chain(&dead).filter(|id| **id == record.id).count();
            let parked_copies = world.undelivered.sent().into_iter().filter(|copy| copy.deduplication.starts_with("fluent/"));
            let all_copies = sent.iter().cloned().chain(parked_copies);
            let copies = all_copies.filter(|copy| copy.body.contains(&format!("\"id\":\"{}\"", record.id))).count();
            let attempts = posted.iter().filter(|id| **id == record.id).count();
            if untouched {
                prop_assert!(is_kept && ends == 1 && copies == 0 && attempts == 0, "{:?} was touched", record);
                continue;
            }
            match kind {
                Kind::Deliver => prop_assert!(ends <= 1 && (ends == 1 || attempts == 1)),
                Kind::Dispatch => prop_assert!(ends <= 1 && (ends == 1 || copies == 1)),
                Kind::DispatchToTwo => prop_assert!(ends <= 1 && (ends == 1 || copies == 2)),
                Kind::Panic | Kind::Unrouted | Kind::RouteGone | Kind::Misconfigured | Kind::UnknownHandler
                | Kind::Paused | Kind::Malformed | Kind::UnknownVersion | Kind::EmptyId => prop_assert_eq!(ends, 1),
            }
            stopped.insert(&record.group, is_kept);
        }
        prop_assert_eq!(world.log.flushed(), world.log.entries().len(), "all is flushed before the answer");
        prop_assert_eq!(world.log.types().iter().filter(|kind| *kind == "outbound.attempt").count(), posted.len());
    }
}

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

#[test]
fn work_that_cannot_end_in_time_is_not_started() {
    let world = World::new();
    assert_eq!(world.route_within(&on_route("deliver", 1), Duration::from_secs(20)), ["m1"]);
    assert!(world.delivered().is_empty());
    assert_eq!(world.event_queue.postponed(), [("receipt-m1".to_owned(), Duration::from_secs(5))]);
    let world = World::new();
    assert_eq!(
        world.route_within(&on_route("deliver", 1), Duration::from_secs(30)),
        ["m1"],
        "10 s are not enough"
    );
    assert!(world.delivered().is_empty());
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

/// Delivers twice; each delivery takes nine seconds of the clock.
struct Twice;

impl connector::handler::Handler for Twice {
    const NAME: &'static str = "twice";

    async fn handle(
        context: &connector::handler::Context<'_>,
    ) -> Result<(), connector::handler::HandlerError> {
        context.deliver("storefront", context.message.payload.get().as_bytes().to_vec()).await?;
        context.deliver("storefront", context.message.payload.get().as_bytes().to_vec()).await?;
        Ok(())
    }
}

#[test]
fn a_handler_cannot_start_a_delivery_that_could_not_end_in_time() {
    let mut world = World::new();
    let slow: Arc<dyn connector::ports::Transport> =
        Arc::new(Slow { inner: world.transport.clone(), clock: world.clock.clone() });
    world.router.sender.transport = slow;
    world.router.handlers = handlers::registry().register::<Twice>().build().unwrap();
    world.configuration.put(Section::Routes, "deliver", "message: Deliver\nhandler: twice");
    assert_eq!(world.route_within(&on_route("deliver", 1), Duration::from_secs(38)), ["m1"]);
    assert_eq!(world.delivered(), ["m1"], "the second delivery was not started");
    assert_eq!(world.log.types(), ["outbound.attempt", "message.fault"]);
    assert_eq!(world.log.entries()[1]["code"], "E_DEADLINE");
}

/// Takes nine seconds of the clock for each request.
struct Slow {
    inner: Arc<FakeTransport>,
    clock: ManualClock,
}

#[async_trait::async_trait]
impl connector::ports::Transport for Slow {
    async fn send(&self, request: connector::delivery::OutboundRequest) -> connector::delivery::Attempt {
        self.clock.advance(Duration::from_secs(9));
        self.inner.send(request).await
    }
}

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
