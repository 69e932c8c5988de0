//! A scheduler between fakes, and the routes that most tests are about.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use connector::cache::Cache;
use connector::failure::chain;
use connector::message::Message;
use connector::parameter::Section;
use job_scheduler::due::Settled;
use job_scheduler::scheduler::{Invocation, Scheduler};
use serde_json::{Value, json};
use testkit::fakes::{FakeConfiguration, FakeJobs, FakeLog, FakeQueue, ManualClock};

/// Two that are due at 8:30, one that is not, one by hand, one switched off, one broken, one that is no job.
pub(crate) const ROUTES: [(Section, &str, &str); 7] = [
    (Section::Routes, "inventory-sync", "handler: webhook\nschedule: { every: 15m }\nendpoint: x"),
    (Section::Routes, "heartbeat", "schedule: { every: 1m }\nendpoint: x"),
    (Section::Routes, "nightly", "schedule: { every: 24h, offset: 2h }\nendpoint: x"),
    (Section::Routes, "by-hand", "schedule: manual\nendpoint: x"),
    (Section::Routes, "off", "schedule: { every: 1m }\nendpoint: x\nenabled: false"),
    (Section::Routes, "broken", "schedule: { every: 90s }\nendpoint: x"),
    (Section::Routes, "status", "message: OrderStatusChange\nendpoint: x"),
];

pub(crate) struct World {
    pub(crate) scheduler: Scheduler,
    pub(crate) clock: ManualClock,
    pub(crate) configuration: Arc<FakeConfiguration>,
    pub(crate) jobs: Arc<FakeJobs>,
    pub(crate) event_queue: Arc<FakeQueue>,
    pub(crate) console: Arc<FakeLog>,
}

impl World {
    pub(crate) fn with(routes: &[(Section, &str, &str)]) -> Self {
        let (clock, configuration) = (ManualClock::default(), Arc::new(FakeConfiguration::with(routes)));
        let jobs = Arc::new(FakeJobs::by(clock.clone()));
        let (event_queue, console): (Arc<FakeQueue>, Arc<FakeLog>) = Default::default();
        let ttl = Duration::from_secs(30);
        let scheduler = Scheduler {
            routes: Cache::new(configuration.clone(), ttl, clock.port(), console.clone()),
            jobs: jobs.clone(),
            event_queue: event_queue.clone(),
            settled: Settled::default(),
            console: console.clone(),
            clock: clock.port(),
            prefix: "/fluent-connect/shop".to_owned(),
        };
        Self { scheduler, clock, configuration, jobs, event_queue, console }
    }

    /// What Lambda hands over, to what it gets back.
    pub(crate) async fn invoke(&self, input: Value) -> Result<Value, String> {
        let invocation =
            Invocation { request_id: "request-1".to_owned(), trace: Some("Root=1-2-3;Sampled=1".to_owned()) };
        let answer = self.scheduler.answer(&input, &invocation).await;
        let answer = answer.map_err(|error| format!("{}: {}", error.kind(), chain(&error)))?;
        Ok(serde_json::to_value(answer).unwrap())
    }

    /// A tick of the clock.
    pub(crate) async fn tick(&self, minute: &str) -> Result<Value, String> {
        self.invoke(json!({"detail-type": "Scheduled Event", "time": minute})).await
    }

    /// Ids of the messages on the event queue.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.event_queue.sent().iter().map(|sent| Message::parse(&sent.body).unwrap().id).collect()
    }

    pub(crate) fn lines(&self, kind: &str) -> Vec<Value> {
        self.console.entries().into_iter().filter(|entry| entry["type"] == kind).collect()
    }
}

pub(crate) fn sample(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events").join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}
