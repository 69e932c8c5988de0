//! Webhooks that never reached the queue, from the logs.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use connector::cache::Cache;
use connector::event_log::{Component, Span, Subject};
use connector::failure::chain;
use connector::message::Message;
use connector::parameter::Section;
use connector::ports::EventLogReader as _;
use connector::signature::Md5Policy;
use connector::source::Request;
use connector::standard_webhooks::SigningSecret;
use connector::unverified::Unverified;
use connector::webhook::Served;
use http::HeaderMap;
use jiff::Timestamp;
use replay::replay::{Invocation, Replay};
use replay::report::Report;
use serde_json::{Value, json};
use testkit::event_log_reader::FakeEventLogReader;
use testkit::fakes::{FakeConfiguration, FakeLog, ManualClock};
use testkit::fifo::{FakeFifoQueue, Fault, Faults};
use testkit::signing::{DEVELOPMENT_PUBLIC_KEY, sign_sha512};

/// The secret of the source `shop`, which signs as Standard Webhooks says.
const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

struct World {
    clock: ManualClock,
    events: Arc<FakeFifoQueue>,
    sends: Faults,
    log: Arc<FakeLog>,
    reader: Arc<FakeEventLogReader>,
    receiver_log: Arc<FakeEventLogReader>,
    configuration: Arc<FakeConfiguration>,
    replay: Replay,
    recorded: usize,
}

impl World {
    fn new() -> Self {
        let (clock, sends) = (ManualClock::default(), Faults::default());
        let events = Arc::new(FakeFifoQueue::new(clock.port(), sends.clone()));
        let (log, reader) = (Arc::new(FakeLog::default()), Arc::new(FakeEventLogReader::default()));
        let receiver_log = Arc::new(FakeEventLogReader::default());
        let shop = format!("{{ preset: standard-webhooks, secrets: [{SECRET}] }}");
        let configuration = Arc::new(FakeConfiguration::with(&[
            (Section::Keys, "development", DEVELOPMENT_PUBLIC_KEY),
            (Section::Sources, "shop", &shop),
            (Section::Sources, "broken", "preset: fynd\nsecret: [hunter2]"),
        ]));
        let ttl = Duration::from_secs(30);
        let replay = Replay {
            undelivered_queue: Arc::new(FakeFifoQueue::new(clock.port(), Faults::default())),
            event_queue: events.clone(),
            reader: reader.clone(),
            receiver_log: receiver_log.clone(),
            keys: Cache::new(configuration.clone(), ttl, clock.port(), log.clone()),
            sources: Cache::new(configuration.clone(), ttl, clock.port(), log.clone()),
            served: Served { accounts: ["ACME".to_owned()].into(), md5: Md5Policy::Refuse },
            event_log: log.clone(),
            clock: clock.port(),
        };
        Self { clock, events, sends, log, reader, receiver_log, configuration, replay, recorded: 0 }
    }

    fn now(&self) -> Timestamp {
        (self.clock.port())()
    }

    /// A request as the receiver keeps it.
    fn unverified(&self, source: Option<&str>, headers: &[(&'static str, &str)], body: &[u8]) -> String {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let subject = Subject { trace: Some("Root=1-a-b"), request: Some("r"), ..Subject::default() };
        let request = Request { headers: &headers, body };
        let line = Unverified::entry(source, request, self.now(), &subject).unwrap().line();
        self.reader.put(Component::WebhookReceiver, self.now(), line.clone());
        self.clock.advance(Duration::from_secs(1));
        line
    }

    /// A webhook of Fluent as the receiver keeps it.
    fn unverified_of_fluent(&self, account: &str, id: &str, genuine: bool) -> String {
        let event = json!({
            "id": id, "name": "N", "accountId": account, "retailerId": "1", "entityId": "1", "entityRef": "HD_1",
            "entityType": "ORDER",
        });
        let body = event.to_string();
        let signature = if genuine { sign_sha512(body.as_bytes()) } else { sign_sha512(b"another body") };
        self.unverified(None, &[("fluent-signature", &signature)], body.as_bytes())
    }

    /// A webhook of the shop, signed for the time that the clock shows.
    fn unverified_of_shop(&self, id: &str, age: i64) {
        let body = format!(r#"{{"type":"paid","order":"{id}"}}"#);
        let timestamp = self.now().as_second() - age;
        let secret = SigningSecret::parse(SECRET).unwrap();
        let (signature, timestamp) = (secret.sign(id, timestamp, body.as_bytes()), timestamp.to_string());
        let headers =
            [("webhook-id", id), ("webhook-timestamp", &timestamp), ("webhook-signature", &signature)];
        self.unverified(Some("shop"), &headers, body.as_bytes());
    }

    fn unqueued(&self, id: &str, name: &str, group: &str) {
        let body = json!({
            "version": 1, "id": id, "name": name, "source": "fluent", "receivedAt": "2026-11-20T08:00:00Z",
            "payload": {"entityRef": group}
        });
        let entry = json!({
            "type": "inbound.unqueued", "time": self.now().to_string(), "message.id": id, "message.name": name,
            "message.source": "fluent", "message.group": group, "message.body": body.to_string(), "trace.id": "1-a-b"
        });
        self.reader.put(Component::WebhookReceiver, self.now(), entry.to_string());
        self.clock.advance(Duration::from_secs(1));
    }

    async fn run(&mut self, changes: Value) -> Report {
        self.run_for("unqueued", changes).await
    }

    async fn run_for(&mut self, reason: &str, changes: Value) -> Report {
        let mut input = json!({"reason": reason, "from": "2026-11-20T08:00:00Z", "dryRun": false});
        input.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let deadline = self.now().checked_add(Duration::from_mins(15)).unwrap();
        let invocation = Invocation { request_id: "run".to_owned(), deadline };
        let report = self.replay.run(&input, &invocation).await.unwrap();
        for entry in self.log.entries().iter().skip(self.recorded) {
            self.reader.put(Component::Replay, self.now(), entry.to_string());
        }
        self.recorded = self.log.entries().len();
        self.clock.advance(Duration::from_mins(6)); // past SQS's deduplication
        report
    }

    /// All that the receiver wrote.
    fn all(&self) -> Span {
        let from = "2026-11-20T00:00:00Z".parse().unwrap();
        Span { component: Component::WebhookReceiver, from, to: self.now() }
    }

    fn sent(&self) -> Vec<String> {
        let id = |body: &str| serde_json::from_str::<Value>(body).unwrap()["id"].as_str().unwrap().to_owned();
        self.events.contents().iter().map(|message| id(&message.body)).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_was_never_queued_is_sent_as_it_came_and_once() {
    let mut world = World::new();
    (0..5).for_each(|at| world.unqueued(&format!("id-{at}"), "N", "g"));
    world.reader.put(Component::WebhookReceiver, world.now(), "no entry at all");
    let report = world.run(json!({})).await;
    assert_eq!((report.matched, report.moved, report.finished), (5, 5, true));
    let first = world.events.contents().remove(0);
    assert_eq!((first.group.as_str(), first.trace.as_deref()), ("g", Some("Root=1-a-b")));
    assert!(first.deduplication.starts_with("unqueued/") && first.deduplication.len() <= 128);
    let report = world.run(json!({})).await;
    assert_eq!((report.moved, report.already_replayed, report.finished), (0, 5, true));
    assert_eq!(world.sent(), ["id-0", "id-1", "id-2", "id-3", "id-4"]);
    assert_eq!(world.events.calls(), [1; 5], "one of a group a call");
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_failed_twice_is_sent_once() {
    let mut world = World::new();
    (0..4).for_each(|_| world.unqueued("id", "N", "g"));
    assert_eq!(world.run(json!({"dryRun": true})).await.matched, 1);
    let report = world.run(json!({})).await;
    assert_eq!((report.moved, report.already_replayed), (1, 3));
    assert_eq!(world.sent(), ["id"]);
}

#[tokio::test(start_paused = true)]
async fn filters_and_the_limit_hold() {
    let mut world = World::new();
    for (id, name, group) in
        [("a", "N", "g"), ("b", "M", "g"), ("c", "N", "h"), ("d", "N", "g"), ("e", "N", "g")]
    {
        world.unqueued(id, name, group);
    }
    let asked = json!({"name": "N", "entityRef": "g", "limit": 2});
    let report = world.run(asked.clone()).await;
    assert_eq!((report.moved, report.left, report.finished), (2, 2, false));
    let report = world.run(asked).await;
    assert_eq!((report.moved, report.already_replayed, report.finished), (1, 2, true));
    assert_eq!(world.sent(), ["a", "d", "e"]);
}

#[tokio::test(start_paused = true)]
async fn after_a_failed_send_the_rest_of_its_group_waits() {
    let mut world = World::new();
    for (id, group) in [("a", "g"), ("b", "g"), ("c", "h")] {
        world.unqueued(id, "N", group);
    }
    world.sends.next([Fault::Refused]);
    let report = world.run(json!({})).await;
    assert_eq!((report.moved, report.failed, report.left, report.finished), (1, 1, 1, false));
    assert!(world.run(json!({})).await.finished);
    assert_eq!(world.sent(), ["c", "a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn without_knowing_what_was_sent_before_nothing_is_sent() {
    let world = World::new();
    world.unqueued("a", "N", "g");
    world.reader.set_unreadable(true);
    let input = json!({"reason": "unqueued", "from": "2026-11-20T08:00:00Z", "dryRun": false});
    let invocation = Invocation { request_id: "run".to_owned(), deadline: Timestamp::MAX };
    let error = world.replay.run(&input, &invocation).await.unwrap_err();
    assert_eq!(error.kind(), "EventLogUnreadable");
    assert!(chain(&error).contains("the event log could not be read: the fake"), "{}", chain(&error));
    assert!(world.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_nobody_could_verify_is_verified_and_sent_once_as_it_would_have_been() {
    let mut world = World::new();
    let line = world.unverified_of_fluent("ACME", "id", true);
    let came = world.now();
    world.clock.advance(Duration::from_hours(20));
    assert_eq!(world.run_for("unverified", json!({"dryRun": true})).await.matched, 1);
    assert!(world.sent().is_empty());
    let report = world.run_for("unverified", json!({})).await;
    assert_eq!((report.moved, report.refused, report.finished), (1, 0, true));
    let sent = world.events.contents().remove(0);
    assert_eq!((sent.group.as_str(), sent.deduplication.as_str()), ("fluent/ACME/ORDER/HD_1", "fluent/id"));
    assert_eq!(sent.trace.as_deref(), Some("Root=1-a-b"));
    let message = Message::parse(&sent.body).unwrap();
    assert!(message.received_at < came && line.contains("inbound.unverified"), "when it came, not now");
    let report = world.run_for("unverified", json!({})).await;
    assert_eq!((report.moved, report.already_replayed), (0, 1));
    assert_eq!(world.sent(), ["id"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_genuine_is_told_with_its_reason_and_never_sent() {
    let mut world = World::new();
    world.unverified_of_fluent("ACME", "forged", false);
    world.unverified_of_fluent("OTHER", "foreign", true);
    world.unverified(Some("shop"), &[("webhook-signature", "v1,AAAA")], b"{}");
    world.unverified(Some("nobody"), &[("webhook-signature", "v1,AAAA")], b"{}");
    world.unverified_of_fluent("ACME", "genuine", true);
    let report = world.run_for("unverified", json!({})).await;
    assert_eq!((report.moved, report.refused, report.failed, report.finished), (1, 4, 0, true));
    let told: Vec<_> = report.refusals.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    1 E_ACCOUNT: account "OTHER" is not among FluentAccounts
    1 E_SIGNATURE: no configured key made this signature
    1 E_SIGNATURE: there is no header webhook-id
    1 E_SOURCE: there is no source of this name
    "#);
    assert_eq!(world.sent(), ["genuine"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_verified_yet_is_no_forgery_and_is_sent_when_its_cause_is_mended() {
    let mut world = World::new();
    world.unverified(Some("broken"), &[("x-fp-signature", "00")], b"\xff");
    world.unverified_of_shop("at-the-shop", 10);
    world.unverified_of_fluent("ACME", "of-fluent", true);
    let (section, shop) = (Section::Sources, format!("{{ preset: standard-webhooks, secrets: [{SECRET}] }}"));
    world.configuration.put(section, "shop", "{ preset: standard-webhooks, secrets: hunter2 ");
    world.configuration.put(Section::Keys, "development", "no key");
    for (input, moved) in [(json!({"dryRun": true}), 0), (json!({}), 0)] {
        let report = world.run_for("unverified", input).await;
        assert_eq!((report.moved, report.refused, report.failed, report.finished), (moved, 0, 3, false));
        let error = report.error.unwrap();
        assert_eq!(error, "E_CONFIG: the document sources/broken is broken: see configuration.problem");
    }
    world.configuration.put(section, "shop", &shop);
    world.configuration.put(Section::Keys, "development", DEVELOPMENT_PUBLIC_KEY);
    let report = world.run_for("unverified", json!({})).await;
    assert_eq!((report.moved, report.failed, report.finished), (2, 1, false));
    world.configuration.remove(section, "broken");
    let report = world.run_for("unverified", json!({})).await;
    assert_eq!((report.already_replayed, report.refused, report.finished), (2, 1, true));
    assert_eq!(world.sent(), ["at-the-shop", "of-fluent"]);
    assert!(!format!("{:?}", world.log.entries()).contains("hunter2"));
}

/// A source of its own kind: the signature is in a header that is kept, and much else in headers that are not.
const OWN_KIND: &str = "auth: { type: hmac, header: x-hub-signature-256, prefix: sha256=, secrets: [s] }
name: [header:x-topic, unnamed]
id: header:x-delivery";

#[tokio::test(start_paused = true)]
async fn an_event_is_never_sent_as_another_because_a_header_was_not_kept() {
    let mut world = World::new();
    world.configuration.put(Section::Sources, "own", OWN_KIND);
    // openssl dgst -sha256 -hmac s
    let genuine = "sha256=143ca8d517ba1b181025d732b1cf275d90104fca57bb02a565542978aa18c4b6";
    let body = b"{}";
    let rest = [("x-delivery", "7"), ("x-topic", "paid"), ("user-agent", "own/1")];
    let signed = |signature: &'static str| [&[("x-hub-signature-256", signature)], &rest[..]].concat();
    world.unverified(Some("own"), &signed(genuine), body);
    world.unverified(Some("own"), &signed("sha256=00"), body);
    let report = world.run_for("unverified", json!({})).await;
    assert_eq!((report.moved, report.refused, report.finished), (0, 2, true));
    let told: Vec<_> = report.refusals.keys().map(String::as_str).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    E_SIGNATURE: its source's document looks into the header x-delivery, which came and was not kept: its sender has to send it again
    E_SIGNATURE: no configured secret or key made this proof of this request
    ");
    let alone = [("x-hub-signature-256", genuine), ("user-agent", "own/1")];
    world.unverified(Some("own"), &alone, body);
    let report = world.run_for("unverified", json!({})).await;
    assert_eq!((report.moved, report.refused), (1, 2), "what came without them is as it came");
}

#[tokio::test(start_paused = true)]
async fn what_stands_behind_more_than_can_be_read_is_reached_by_a_shorter_time() {
    let world = World::new();
    (0..4).for_each(|at| drop(world.unverified_of_fluent("ACME", &at.to_string(), false)));
    let since = world.now();
    world.unverified_of_fluent("ACME", "genuine", true);
    let deadline = world.now().checked_add(Duration::from_secs(20)).unwrap();
    let invocation = Invocation { request_id: "run".to_owned(), deadline };
    let input = |from: &str| json!({"reason": "unverified", "from": from, "dryRun": false});
    let report = world.replay.run(&input("2026-11-20T08:00:00Z"), &invocation).await.unwrap();
    assert_eq!((report.refused, report.moved, report.finished), (3, 0, false));
    insta::assert_snapshot!(report.next, @r#"so much stands in the logs that nothing to send was come upon in time: invoke again for a shorter time, by "from" and "to""#);
    let invocation = Invocation { deadline: Timestamp::MAX, ..invocation };
    let report = world.replay.run(&input(&since.to_string()), &invocation).await.unwrap();
    assert_eq!((report.moved, report.finished), (1, true));
}

#[tokio::test(start_paused = true)]
async fn however_many_reasons_there_are_the_answer_stays_small() {
    let mut world = World::new();
    world.configuration.put(Section::Sources, "anybody", "auth: none-i-know-what-this-means\nname: /type");
    for at in 0..50 {
        let body = format!("{}x", " ".repeat(at));
        world.unverified(Some("anybody"), &[("webhook-signature", "x")], body.as_bytes());
    }
    let report = world.run_for("unverified", json!({})).await;
    assert_eq!((report.refused, report.refusals.len(), report.refusals["other reasons"]), (50, 21, 30));
}

#[tokio::test(start_paused = true)]
async fn a_signed_time_is_held_against_the_time_when_it_came() {
    let mut world = World::new();
    world.unverified_of_shop("in-time", 10);
    world.unverified_of_shop("too-old", 400);
    world.clock.advance(Duration::from_hours(20));
    let report = world.run_for("unverified", json!({})).await;
    assert_eq!((report.moved, report.refused), (1, 1));
    assert_eq!(world.sent(), ["in-time"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_event_log_did_not_take_is_found_in_the_receivers_own_log() {
    let mut world = World::new();
    world.unqueued("a", "N", "g");
    let renamed = |line: &str| line.replace("\"a\"", "\"b\"").replace("\\\"a\\\"", "\\\"b\\\"");
    let lines = world.reader.page(&world.all(), None).await.unwrap().lines;
    world.receiver_log.put(Component::WebhookReceiver, world.now(), renamed(&lines[0]));
    world.receiver_log.put(Component::WebhookReceiver, world.now(), lines[0].as_str());
    world.receiver_log.put(Component::WebhookReceiver, world.now(), "START RequestId: \"inbound.unqueued\"");
    let line = world.unverified_of_fluent("ACME", "c", true).replace("\\\"c\\\"", "\\\"d\\\"");
    world.receiver_log.put(Component::WebhookReceiver, world.now(), line);
    let report = world.run(json!({})).await;
    assert_eq!((report.moved, report.already_replayed, report.finished), (2, 1, true));
    let report = world.run_for("unverified", json!({})).await;
    assert_eq!((report.moved, report.refused), (1, 1), "the altered one is not genuine");
    assert_eq!(world.sent(), ["a", "b", "c"]);
}

#[tokio::test(start_paused = true)]
async fn without_keys_and_sources_nothing_is_verified_and_nothing_sent() {
    let world = World::new();
    world.unverified_of_fluent("ACME", "a", true);
    world.configuration.set_unreadable(true);
    let input = json!({"reason": "unverified", "from": "2026-11-20T08:00:00Z", "dryRun": false});
    let invocation = Invocation { request_id: "run".to_owned(), deadline: Timestamp::MAX };
    let error = world.replay.run(&input, &invocation).await.unwrap_err();
    assert_eq!(error.kind(), "ConfigurationUnreadable");
    assert!(world.sent().is_empty());
}
