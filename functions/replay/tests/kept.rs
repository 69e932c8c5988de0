//! Webhooks that never reached the queue, from the event log.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use connector::event_log::Component;
use connector::failure::chain;
use jiff::Timestamp;
use replay::replay::{Invocation, Replay};
use replay::report::Report;
use serde_json::{Value, json};
use testkit::event_log_reader::FakeEventLogReader;
use testkit::fakes::{FakeLog, ManualClock};
use testkit::fifo::{FakeFifoQueue, Fault, Faults};

struct World {
    clock: ManualClock,
    events: Arc<FakeFifoQueue>,
    sends: Faults,
    log: Arc<FakeLog>,
    reader: Arc<FakeEventLogReader>,
    replay: Replay,
    recorded: usize,
}

impl World {
    fn new() -> Self {
        let (clock, sends) = (ManualClock::default(), Faults::default());
        let events = Arc::new(FakeFifoQueue::new(clock.port(), sends.clone()));
        let (log, reader) = (Arc::new(FakeLog::default()), Arc::new(FakeEventLogReader::default()));
        let replay = Replay {
            undelivered_queue: Arc::new(FakeFifoQueue::new(clock.port(), Faults::default())),
            event_queue: events.clone(),
            reader: reader.clone(),
            event_log: log.clone(),
            clock: clock.port(),
        };
        Self { clock, events, sends, log, reader, replay, recorded: 0 }
    }

    fn now(&self) -> Timestamp {
        (self.clock.port())()
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
        let mut input = json!({"reason": "unqueued", "from": "2026-11-20T08:00:00Z", "dryRun": false});
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
