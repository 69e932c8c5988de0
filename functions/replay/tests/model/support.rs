//! A replay between queues that behave as SQS does, and what is parked there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use connector::cache::Cache;
use connector::message::Outgoing;
use connector::signature::Md5Policy;
use connector::undelivered::Received;
use connector::webhook::Served;
use jiff::Timestamp;
use replay::replay::{Invocation, Replay, ReplayError};
use replay::report::Report;
use serde_json::{Value, json};
use testkit::event_log_reader::FakeEventLogReader;
use testkit::fakes::{FakeConfiguration, FakeLog, ManualClock};
use testkit::fifo::{FakeFifoQueue, Faults};

/// Longer than any run sleeps.
pub(crate) const A_DAY: Duration = Duration::from_hours(24);

/// As the template has it.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(15);

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) undelivered: Arc<FakeFifoQueue>,
    pub(crate) events: Arc<FakeFifoQueue>,
    /// Of the undelivered queue.
    pub(crate) faults: Faults,
    /// Of the event queue.
    pub(crate) sends: Faults,
    pub(crate) log: Arc<FakeLog>,
    pub(crate) replay: Replay,
    pub(crate) runs: usize,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::default();
        let (faults, sends) = (Faults::default(), Faults::default());
        let undelivered = Arc::new(FakeFifoQueue::new(clock.port(), faults.clone()));
        let events = Arc::new(FakeFifoQueue::new(clock.port(), sends.clone()));
        let log = Arc::new(FakeLog::default());
        let replay = Replay {
            undelivered_queue: undelivered.clone(),
            event_queue: events.clone(),
            reader: Arc::new(FakeEventLogReader::default()),
            receiver_log: Arc::new(FakeEventLogReader::default()),
            keys: Cache::new(Arc::new(FakeConfiguration::default()), TIMEOUT, clock.port(), log.clone()),
            sources: Cache::new(Arc::new(FakeConfiguration::default()), TIMEOUT, clock.port(), log.clone()),
            served: Served { accounts: ["ACME".to_owned()].into(), md5: Md5Policy::Refuse },
            event_log: log.clone(),
            clock: clock.port(),
        };
        Self { clock, undelivered, events, faults, sends, log, replay, runs: 0 }
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock.port())()
    }

    pub(crate) fn park(&self, message: &Parked) {
        self.undelivered.put(&message.outgoing(self.undelivered.contents().len(), self.now()));
        self.clock.advance(Duration::from_secs(1));
    }

    pub(crate) fn park_all(&self, messages: &[Parked]) {
        for message in messages {
            self.park(message);
        }
    }

    /// A run; `None` where it died.
    pub(crate) async fn run(&mut self, input: &Value) -> Option<Report> {
        self.run_within(input, TIMEOUT).await
    }

    pub(crate) async fn run_within(&mut self, input: &Value, timeout: Duration) -> Option<Report> {
        self.runs += 1;
        self.clock.advance(Duration::from_secs(1));
        let invocation = Invocation {
            request_id: format!("run-{}", self.runs),
            deadline: self.now().checked_add(timeout).unwrap(),
        };
        match tokio::time::timeout(A_DAY, self.replay.run(input, &invocation)).await {
            Ok(Ok(report)) => Some(report),
            Ok(Err(ReplayError::Queue(_))) => Some(Report::default()),
            Ok(Err(error)) => panic!("{error}"),
            Err(_) => {
                self.clock.advance(TIMEOUT);
                None
            }
        }
    }

    /// Runs until nothing is left to do.
    pub(crate) async fn run_to_the_end(&mut self, input: &Value) -> Report {
        for _ in 0..400 {
            if let Some(report) = self.run(input).await
                && report.finished
            {
                return report;
            }
            self.clock.advance(TIMEOUT); // what could not be released is back
        }
        panic!("it never ends: {input}");
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Parked {
    pub(crate) group: u8,
    pub(crate) endpoint: u8,
    pub(crate) name: u8,
    pub(crate) entity: u8,
    pub(crate) reason: u8,
    pub(crate) stated: bool,
}

impl Parked {
    pub(crate) fn outgoing(&self, number: usize, now: Timestamp) -> Outgoing {
        let reasons = ["refused", "paused", "bewitched"];
        let body = json!({
            "version": 1, "id": format!("{number:03}"), "name": format!("N{}", self.name), "source": "fluent",
            "receivedAt": "2026-11-20T08:00:00Z", "payload": {"entityRef": format!("E{}", self.entity)}
        });
        let mut attributes = vec![
            ("reason", reasons[usize::from(self.reason)].to_owned()),
            ("endpoint", format!("e{}", self.endpoint)),
            ("attempts", "7".to_owned()),
        ];
        attributes.extend(self.stated.then(|| ("time", format!("{now:.3}"))));
        Outgoing {
            body: body.to_string(),
            group: format!("g{}", self.group),
            deduplication: number.to_string(),
            trace: Some(format!("Root={number}")),
            attributes,
        }
    }
}

pub(crate) fn one(group: u8, endpoint: u8, name: u8) -> Parked {
    Parked { group, endpoint, name, entity: 0, reason: 0, stated: true }
}

/// Ids by group, in order.
pub(crate) fn ids(messages: &[Received]) -> BTreeMap<String, Vec<String>> {
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for message in messages {
        ids.entry(message.group.clone()).or_default().push(id(message));
    }
    ids
}

pub(crate) fn id(message: &Received) -> String {
    let body: Value = serde_json::from_str(&message.body).unwrap();
    body["id"].as_str().unwrap().to_owned()
}

pub(crate) fn all(messages: &[Received]) -> Vec<String> {
    let mut ids: Vec<_> = messages.iter().map(id).collect();
    ids.sort();
    ids
}
