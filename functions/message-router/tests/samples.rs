//! Every SQS sample in `events/`: Lambda's JSON in, and where each record ends.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::sqs::SqsEvent;
use connector::cache::Cache;
use connector::message::Outgoing;
use connector::parameter::Section;
use connector::ports::Clock;
use connector::sender::Sender;
use jiff::Timestamp;
use message_router::record::Record;
use message_router::router::{Invocation, Router};
use message_router::settings::Unrouted;
use testkit::fakes::{FakeConfiguration, FakeLog, FakeQueue, FakeTransport, ManualClock};

/// How many messages were delivered, held and dead-lettered; none may stay, and each entity keeps its order.
async fn ends(file: &str) -> (usize, usize, usize) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events").join(file);
    let event: SqsEvent = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let clock: Clock = ManualClock::default().port();
    let configuration = Arc::new(FakeConfiguration::with(&[
        (Section::Endpoints, "storefront", "https://shop.example/orders"),
        (Section::Routes, "order-status-to-storefront", "message: OrderStatusChange\nendpoint: storefront"),
    ]));
    let (transport, log) = (Arc::new(FakeTransport::default()), Arc::new(FakeLog::default()));
    let queues: [Arc<FakeQueue>; 3] = Default::default();
    let router = Router {
        table: Cache::new(configuration, Duration::from_secs(30), clock.clone(), log.clone()),
        handlers: handlers::registry().build().unwrap(),
        sender: Sender::new(transport.clone(), log, clock, Arc::new(|| 0.5)),
        event_queue: queues[0].clone(),
        undelivered_queue: queues[1].clone(),
        unrouted: Unrouted::Hold,
        dead_letter_queue: queues[2].clone(),
    };
    let invocation = Invocation { request_id: "request".to_owned(), deadline: Timestamp::MAX };
    let kept = router.route(event.records.into_iter().map(Record::from).collect(), &invocation).await;
    assert_eq!(kept, Vec::<String>::new(), "{file}");
    let dispatched = queues[0].sent().into_iter().map(received).collect();
    assert_eq!(router.route(dispatched, &invocation).await, Vec::<String>::new(), "{file}");
    let delivered = transport.requests().into_iter().map(|request| {
        let event: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        (event["entityRef"].to_string(), event["id"].to_string())
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
    let router = |name: &String| name.starts_with("router-");
    let files =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(files.filter(router).count(), expected.len(), "every file is tested");
}
