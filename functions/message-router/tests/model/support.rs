//! A router between fakes, and the records that it is given.

use std::sync::Arc;
use std::time::Duration;

use connector::cache::Cache;
use connector::parameter::Section;
use connector::sender::Sender;
use message_router::record::Record;
use message_router::router::{Invocation, Router};
use message_router::settings::Unrouted;
use serde_json::{Value, json};
use testkit::fakes::{FakeConfiguration, FakeLog, FakeQueue, FakeTransport, ManualClock};

pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) clock: ManualClock,
    pub(crate) configuration: Arc<FakeConfiguration>,
    pub(crate) transport: Arc<FakeTransport>,
    pub(crate) log: Arc<FakeLog>,
    pub(crate) event_queue: Arc<FakeQueue>,
    pub(crate) undelivered: Arc<FakeQueue>,
    pub(crate) dead_letters: Arc<FakeQueue>,
}

impl World {
    pub(crate) fn new() -> Self {
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

    pub(crate) fn route(&self, records: &[Record]) -> Vec<String> {
        self.route_within(records, Duration::from_secs(45))
    }

    pub(crate) fn route_within(&self, records: &[Record], time: Duration) -> Vec<String> {
        let deadline = self.clock.port()().checked_add(time).unwrap();
        let invocation = Invocation { request_id: "request".to_owned(), deadline };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(self.router.route(records.to_vec(), &invocation))
    }

    pub(crate) fn delivered(&self) -> Vec<String> {
        let name = |request: &connector::delivery::OutboundRequest| {
            let payload: Value = serde_json::from_slice(&request.body).unwrap();
            payload["id"].as_str().unwrap().to_owned()
        };
        self.transport.requests().iter().map(name).collect()
    }
}

/// As it was received: no route yet.
pub(crate) fn envelope(id: &str, name: &str) -> String {
    json!({
        "version": 1, "id": id, "name": name, "source": "fluent", "receivedAt": "2026-11-20T08:30:00Z",
        "payload": {"id": id, "entityRef": "HD_1", "entityType": "ORDER", "accountId": "ACME"},
    })
    .to_string()
}

/// As it is for one route.
pub(crate) fn routed(id: &str, route: &str) -> String {
    let mut message: Value = serde_json::from_str(&envelope(id, "Any")).unwrap();
    message["route"] = route.into();
    message.to_string()
}

/// As its dispatch makes it for one route.
pub(crate) fn envelope_for(id: &str, name: &str, route: &str) -> String {
    let mut body = envelope(id, name);
    body.pop();
    let message = connector::message::Message::parse(&format!("{body},\"route\":\"{route}\"}}")).unwrap();
    message.outgoing(String::new(), None).unwrap().body
}

pub(crate) fn record(id: &str, group: &str, body: String, attempt: u32) -> Record {
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
pub(crate) fn one(name: &str) -> [Record; 1] {
    [record("m1", "g1", envelope("m1", name), 1)]
}

/// One message on its way by a route, at this attempt.
pub(crate) fn on_route(route: &str, attempt: u32) -> [Record; 1] {
    [record("m1", "g1#storefront", routed("m1", route), attempt)]
}
