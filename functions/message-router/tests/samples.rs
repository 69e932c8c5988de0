//! Every SQS sample in `events/`: Lambda's JSON in, and where each record ends.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::sqs::SqsEvent;
use connector::cache::Cache;
use connector::delivery::Response;
use connector::message::{Lane, Outgoing};
use connector::parameter::Section;
use connector::ports::Clock;
use connector::sender::Sender;
use jiff::Timestamp;
use message_router::record::Record;
use message_router::router::{Invocation, Router};
use message_router::settings::Unrouted;
use serde_json::json;
use testkit::fakes::{FakeConfiguration, FakeLog, FakeQueue, FakeTransport, ManualClock};

/// Event queue, undelivered queue, dead-letter queue.
type Queues = [Arc<FakeQueue>; 3];

fn router(configuration: Arc<FakeConfiguration>, transport: &Arc<FakeTransport>, queues: &Queues) -> Router {
    let (clock, log): (Clock, _) = (ManualClock::default().port(), Arc::new(FakeLog::default()));
    let [event_queue, undelivered_queue, dead_letter_queue] = queues.clone();
    Router {
        table: Cache::new(configuration, Duration::from_secs(30), clock.clone(), log.clone()),
        handlers: handlers::registry().build().unwrap(),
        sender: Sender::new(transport.clone(), log, clock, Arc::new(|| 0.5)),
        event_queue,
        jobs: Arc::new(testkit::fakes::FakeJobs::default()),
        undelivered_queue,
        console: Arc::new(FakeLog::default()),
        unrouted: Unrouted::Hold,
        dead_letter_queue,
    }
}

/// How many messages were delivered, held and dead-lettered; none may stay, and each entity keeps its order.
async fn ends(file: &str) -> (usize, usize, usize) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events").join(file);
    let event: SqsEvent = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let configuration = Arc::new(FakeConfiguration::with(&[
        (Section::Endpoints, "storefront", "https://shop.example/orders"),
        (Section::Routes, "order-status-to-storefront", "enabled: true"),
    ]));
    let (transport, queues) = (Arc::new(FakeTransport::default()), Queues::default());
    let router = router(configuration, &transport, &queues);
    let invocation = Invocation { request_id: "request".to_owned(), deadline: Timestamp::MAX };
    let kept = router.route(event.records.into_iter().map(Record::from).collect(), &invocation).await;
    assert_eq!(kept, Vec::<String>::new(), "{file}");
    let dispatched = queues[0].sent().into_iter().map(received).collect();
    assert_eq!(router.route(dispatched, &invocation).await, Vec::<String>::new(), "{file}");
    let delivered = transport.requests().into_iter().map(|request| {
        let event: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        (event["order"].to_string(), event["id"].to_string())
    });
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    for (entity, id) in delivered {
        let before = last.insert(entity, id.clone());
        assert!(before.is_none_or(|before| before < id), "{file}: ids grow with time");
    }
    (transport.requests().len(), queues[1].sent().len(), queues[2].sent().len())
}

/// A message as SQS hands it out again.
fn received(sent: Outgoing) -> Record {
    Record {
        id: sent.deduplication.clone(),
        receipt: sent.deduplication.clone(),
        body: Some(sent.body),
        group: sent.group,
        deduplication: sent.deduplication,
        attempt: 1,
        sent: None,
        trace: sent.trace,
    }
}

#[tokio::test]
async fn every_sample_batch_ends_as_it_should() {
    let expected = [
        ("router-one.json", (1, 0, 0)),
        ("router-delivery.json", (1, 0, 0)),
        ("router-poison-record.json", (2, 0, 1)),
        ("router-two-groups.json", (4, 0, 0)),
        ("router-unknown-version.json", (0, 0, 1)),
        ("router-empty-id.json", (0, 0, 1)),
        ("router-unrouted.json", (0, 1, 0)),
    ];
    for (file, end) in expected {
        assert_eq!(ends(file).await, end, "{file}");
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events");
    let router = |name: &String| name.starts_with("router-") && !name.starts_with("router-shipped-");
    let files =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(files.filter(router).count(), expected.len(), "every file is tested");
}

/// Everything that was called for the sample of a shipped route: token, query, delivery and event, as far as it needs them.
async fn calls(route: &str) -> Vec<String> {
    let event: SqsEvent = serde_json::from_value(testkit::shipped::batch(route)).unwrap();
    let shipped = connector::shipped::route(route).unwrap().unwrap();
    let account = "{ baseUrl: https://acme.api.example, username: u, password: p, clientId: c, clientSecret: s, retailerId: 1 }";
    let configuration = Arc::new(FakeConfiguration::with(&[
        (Section::Accounts, "ACME", account),
        (Section::Endpoints, shipped.endpoint.as_deref().unwrap(), "https://receiver.example"),
        (Section::Routes, route, "enabled: true"),
    ]));
    let (transport, queues) = (Arc::new(FakeTransport::default()), Queues::default());
    let token = json!({"access_token": "t", "expires_in": 3600});
    let numbers = json!({"bookingNumber": "1", "labelUrl": "2", "manifestNumber": "3", "orderNumber": "4"});
    let mut answers = vec![numbers, json!({"id": "e1"})];
    if let Some(fetch) = &shipped.fetch {
        answers.splice(0..0, [token, testkit::shipped::answer(&fetch.query, &testkit::shipped::fluent())]);
    }
    transport.answer_with(
        answers
            .into_iter()
            .map(|body| Ok(Response { status: 200, retry_after: None, body: body.to_string().into_bytes() })),
    );
    let router = router(configuration, &transport, &queues);
    let invocation = Invocation { request_id: "request".to_owned(), deadline: Timestamp::MAX };
    let kept = router.route(event.records.into_iter().map(Record::from).collect(), &invocation).await;
    assert_eq!(kept, Vec::<String>::new(), "{route}");
    let passed_on = queues[0].sent().into_iter().map(received).collect();
    assert_eq!(router.route(passed_on, &invocation).await, Vec::<String>::new(), "{route}");
    assert!(queues[1].sent().is_empty() && queues[2].sent().is_empty(), "{route}");
    transport.requests().into_iter().map(|request| request.url.as_url().to_string()).collect()
}

#[tokio::test]
async fn the_sample_of_every_shipped_route_is_delivered_and_its_answer_passed_on() {
    let (token, query) = ("https://acme.api.example/oauth/token", "https://acme.api.example/graphql");
    let (delivery, event) = ("https://receiver.example/", "https://acme.api.example/api/v4.1/event/async");
    for name in testkit::shipped::to_endpoints() {
        let shipped = connector::shipped::route(name).unwrap().unwrap();
        let mut expected =
            if shipped.fetch.is_some() { vec![token, query, delivery] } else { vec![delivery] };
        expected.extend(shipped.respond.is_some().then_some(event));
        assert_eq!(calls(name).await, expected, "{name}");
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events");
    let samples = std::fs::read_dir(folder).unwrap();
    let samples = samples
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("router-shipped-"));
    // Those that write to an API by themselves are tried with their handlers; jobs get no messages.
    assert_eq!(samples.count(), shipped_with_messages().count(), "every route has one");
}

fn shipped_with_messages() -> impl Iterator<Item = &'static str> {
    connector::shipped::names()
        .filter(|name| connector::shipped::route(name).unwrap().unwrap().schedule.is_none())
}

#[test]
fn the_samples_of_shipped_routes_stand_in_the_queue_as_the_router_puts_them_there() {
    for name in shipped_with_messages() {
        let event: SqsEvent = serde_json::from_value(testkit::shipped::batch(name)).unwrap();
        let record = event.records.into_iter().map(Record::from).next().unwrap();
        let shipped = connector::shipped::route(name).unwrap().unwrap();
        let lane = shipped.endpoint.as_deref().map_or(Lane::Route(name), Lane::Endpoint);
        let message = testkit::shipped::sample(name);
        assert!(shipped.wanted.includes(&message), "{name}");
        let (entity, _) = record.group.split_once('#').unwrap();
        let sent = message.outgoing(message.group_in(entity, lane), None).unwrap();
        assert_eq!((sent.group, sent.deduplication), (record.group, record.deduplication), "{name}");
    }
}
