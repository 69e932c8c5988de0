//! The router against its contract: random records, random failures, exactly one disposition each, order kept.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use connector::cache::Cache;
use connector::failure::Code;
use connector::handler::Capabilities;
use connector::parameter::Section;
use message_router::record::Record;
use message_router::router::{Invocation, Router};
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
            (Section::Routes, "deliver", "message: Deliver\nendpoint: storefront"),
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
            capabilities: Capabilities {
                transport: transport.clone(),
                event_log: log.clone(),
                clock: clock.port(),
            },
            event_queue: event_queue.clone(),
            undelivered_queue: undelivered.clone(),
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

fn envelope(id: &str, name: &str) -> String {
    json!({
        "version": 1, "id": id, "name": name, "source": "fluent", "receivedAt": "2026-11-20T08:30:00Z",
        "payload": {"id": id, "entityRef": "HD_1", "entityType": "ORDER", "accountId": "ACME"},
    })
    .to_string()
}

fn record(id: &str, group: &str, body: String, attempt: u32) -> Record {
    Record {
        id: id.to_owned(),
        receipt: format!("receipt-{id}"),
        body: Some(body),
        group: group.to_owned(),
        deduplication: format!("fluent/{id}"),
        attempt,
        trace: Some("Root=1-2-3".to_owned()),
    }
}

fn one(name: &str) -> [Record; 1] {
    [record("m1", "g1", envelope("m1", name), 1)]
}

/// What a generated record is, and so where it has to end when nothing fails.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Deliver,
    Panic,
    Unrouted,
    Misconfigured,
    UnknownHandler,
    Malformed,
    UnknownVersion,
    EmptyId,
    Split,
}

const KINDS: [Kind; 9] = [
    Kind::Deliver,
    Kind::Panic,
    Kind::Unrouted,
    Kind::Misconfigured,
    Kind::UnknownHandler,
    Kind::Malformed,
    Kind::UnknownVersion,
    Kind::EmptyId,
    Kind::Split,
];

fn body(kind: Kind, id: &str) -> String {
    match kind {
        Kind::Deliver => envelope(id, "Deliver"),
        Kind::Panic => envelope(id, "Panic"),
        Kind::Unrouted => envelope(id, "Unheard"),
        Kind::Misconfigured => envelope(id, "Nowhere"),
        Kind::UnknownHandler => envelope(id, "Nobody"),
        Kind::Malformed => "{".to_owned(),
        Kind::UnknownVersion => envelope(id, "Deliver").replace("\"version\":1", "\"version\":99"),
        Kind::EmptyId => envelope("", "Deliver"),
        Kind::Split => envelope(id, "Both"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn each_record_has_one_disposition_and_groups_keep_their_order(
        shape in prop::collection::vec((prop::sample::select(&KINDS[..]), 0..3_usize, 1..6_u32), 0..12),
        answers in prop::collection::vec(prop_oneof![3 => Just(Ok(200)), 1 => Just(Ok(503)), 1 => Just(Err(Code::Timeout))], 0..12),
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
            let copies = sent.iter().filter(|copy| copy.body.contains(&format!("\"id\":\"{}\"", record.id))).count();
            let attempts = posted.iter().filter(|id| **id == record.id).count();
            if untouched {
                prop_assert!(is_kept && ends == 1 && copies == 0 && attempts == 0, "{:?} was touched", record);
                continue;
            }
            match kind {
                Kind::Deliver => prop_assert!(ends <= 1 && (ends == 1 || attempts == 1)),
                Kind::Split => prop_assert!(ends <= 1 && (ends == 1 || copies == 2)),
                Kind::Panic | Kind::Unrouted | Kind::Misconfigured | Kind::UnknownHandler
                | Kind::Malformed | Kind::UnknownVersion | Kind::EmptyId => prop_assert_eq!(ends, 1),
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
    assert!(world.route(&one("Deliver")).is_empty());
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
}

#[test]
fn a_failed_delivery_comes_back_after_a_growing_delay() {
    for (attempt, seconds) in [(1, 5), (2, 10), (4, 40), (60, 3600)] {
        let world = World::new();
        world.transport.answer_next([Ok(503)]);
        let kept = world.route(&[record("m1", "g1", envelope("m1", "Deliver"), attempt)]);
        assert_eq!(kept, ["m1"]);
        assert_eq!(world.event_queue.postponed(), [("receipt-m1".to_owned(), Duration::from_secs(seconds))]);
        let entry = &world.log.entries()[0];
        assert_eq!((&entry["code"], &entry["retry_after_s"]), (&json!("E_STATUS"), &json!(seconds)));
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
fn what_cannot_serve_as_configured_is_parked_as_misconfigured() {
    for (name, code) in [("Nowhere", "E_ENDPOINT"), ("Nobody", "E_HANDLER")] {
        let world = World::new();
        assert!(world.route(&one(name)).is_empty());
        let attributes = &world.undelivered.sent()[0].attributes;
        assert!(attributes.contains(&("reason", "misconfigured".to_owned())));
        assert!(attributes.contains(&("code", code.to_owned())));
    }
}

#[test]
fn a_body_that_is_no_message_goes_to_the_dead_letter_queue_as_it_came() {
    let no_body = Record { body: None, ..one("Deliver")[0].clone() };
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
        [
            record("m1", "g1", envelope("m1", "Panic"), attempt),
            record("m2", "g2", envelope("m2", "Deliver"), 1),
        ]
    };
    let world = World::new();
    assert_eq!(world.route(&records(1)), ["m1"]);
    assert_eq!(world.delivered(), ["m2"]);
    let world = World::new();
    assert!(world.route(&records(3)).is_empty());
    assert_eq!(world.dead_letters.sent()[0].deduplication, "m1");
}

#[test]
fn a_message_of_two_routes_becomes_one_message_a_route() {
    let world = World::new();
    assert!(world.route(&one("Both")).is_empty());
    let copies = world.event_queue.sent();
    let ids: Vec<_> = copies.iter().map(|copy| (copy.group.as_str(), copy.deduplication.as_str())).collect();
    assert_eq!(ids, [("g1#both-1", "fluent/m1/both-1"), ("g1#both-2", "fluent/m1/both-2")]);
    assert!(world.delivered().is_empty());
    let second = record("m9", &copies[1].group, copies[1].body.clone(), 1);
    assert!(world.route(&[second]).is_empty());
    assert_eq!(world.delivered(), ["m1"]);
    assert_eq!(world.log.entries()[0]["route"], "both-2");
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
    assert_eq!(world.route_within(&one("Deliver"), Duration::from_secs(20)), ["m1"]);
    assert!(world.delivered().is_empty());
    assert_eq!(world.event_queue.postponed(), [("receipt-m1".to_owned(), Duration::from_secs(5))]);
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
    world.router.capabilities.transport = slow;
    world.router.handlers = handlers::registry().register::<Twice>().build().unwrap();
    world.configuration.put(Section::Routes, "deliver", "message: Deliver\nhandler: twice");
    assert_eq!(world.route_within(&one("Deliver"), Duration::from_secs(43)), ["m1"]);
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
