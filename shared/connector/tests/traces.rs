//! What X-Ray is told of an attempt, and what a receiver is told of the trace.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use connector::cache::Snapshot as _;
use connector::configuration::RoutingTable;
use connector::endpoint_url::EndpointUrl;
use connector::event_log::{Entry, EventType, Subject};
use connector::handler::{Context, Run};
use connector::message::Message;
use connector::outcome::NoAnswer;
use connector::parameter::{Parameter, Section};
use connector::route::Route;
use connector::secret::Secret;
use connector::sender::Sender;
use connector::trace::TraceHeader;
use http::Method;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::fakes::{
    FakeJobs, FakeLog, FakeQueue, FakeTracer, FakeTransport, HangingTransport, ManualClock,
};

const ENVELOPE: &str = r#"{"version":1,"id":"m1","name":"Shipped","source":"fluent","receivedAt":"2026-11-20T08:30:00Z","payload":{"id":"m1","entityRef":"HD_1","entityType":"ORDER"},"route":"shipped"}"#;
const SAMPLED: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
const SHOP: &str = "https://shop.example:8443/orders/new?key=hunter2";
const OAUTH2: &str = "url: https://shop.example/?key=hunter2
auth: { type: oauth2, tokenUrl: 'https://id.example/token?q=hunter2', clientId: hunter2, clientSecret: hunter2 }";

struct World {
    endpoint: &'static str,
    sender: Sender,
    transport: Arc<FakeTransport>,
    tracer: Arc<FakeTracer>,
}

impl World {
    fn with(endpoint: &'static str) -> Self {
        let (transport, log) = (Arc::new(FakeTransport::default()), Arc::new(FakeLog::default()));
        let (clock, tracer) = (ManualClock::default(), Arc::new(FakeTracer::default()));
        let sender = Sender::new(transport.clone(), log, clock.port(), Arc::new(|| 0.5))
            .traced(Some(tracer.tracing(clock.port())));
        Self { endpoint, sender, transport, tracer }
    }

    async fn deliver(&self, trace: Option<&str>, attempt: u32) {
        let message = Message::parse(ENVELOPE).unwrap();
        let about = message.about();
        let route = Route::parse("message: Shipped\nendpoint: shop").unwrap();
        let value = Secret::new(self.endpoint);
        let parameter = Parameter { section: Section::Endpoints, name: "shop".to_owned(), value, version: 1 };
        let (table, problems) = RoutingTable::build(&[parameter], None);
        assert!(problems.is_empty(), "{problems:?}");
        let subject = Subject {
            message: Some(&message),
            about: Some(&about),
            route: Some("shipped"),
            endpoint: Some("shop"),
            trace,
            ..Subject::default()
        };
        let (event_queue, jobs) = (&FakeQueue::default(), &FakeJobs::default());
        let (sender, deadline) = (&self.sender, Timestamp::MAX);
        let run = Run { deadline, table: &table, subject, sender, event_queue, group: "g", jobs };
        drop(Context::new(&message, &route, attempt, run).deliver("shop", b"{}".to_vec()).await);
    }

    fn traceparents(&self) -> Vec<Option<String>> {
        let text = |request: &connector::delivery::OutboundRequest| {
            Some(request.headers.get("traceparent")?.to_str().unwrap().to_owned())
        };
        self.transport.requests().iter().map(text).collect()
    }
}

#[tokio::test]
async fn an_attempt_is_a_subsegment_of_its_messages_trace_and_the_receivers_parent() {
    let world = World::with(SHOP);
    world.deliver(Some(SAMPLED), 1).await;
    let [document] = &world.tracer.documents()[..] else { unreachable!("one attempt, one subsegment") };
    insta::assert_json_snapshot!(document, @r#"
    {
      "name": "shop.example",
      "id": "3fe0000000000000",
      "trace_id": "1-5759e988-bd862e3fe1be46a994272793",
      "parent_id": "53995c3f42cd8ad8",
      "type": "subsegment",
      "start_time": 1795163400.0,
      "end_time": 1795163400.0,
      "namespace": "remote",
      "http": {
        "request": {
          "method": "POST",
          "url": "https://shop.example:8443/orders/new"
        },
        "response": {
          "status": 200
        }
      },
      "annotations": {
        "message_id": "m1",
        "message_name": "Shipped",
        "entity_ref": "HD_1",
        "route": "shipped",
        "endpoint": "shop",
        "attempt": 1,
        "outcome": "delivered"
      }
    }
    "#);
    let id = document["id"].as_str().unwrap();
    let traceparent = format!("00-5759e988bd862e3fe1be46a994272793-{id}-01");
    assert_eq!(world.traceparents(), [Some(traceparent)]);
}

#[tokio::test]
async fn what_became_of_it_is_marked_and_annotated() {
    for (answer, marks, outcome, code) in [
        (Ok(200), json!([null, null, null, 200]), "delivered", Value::Null),
        (Ok(302), json!([true, null, null, 302]), "undelivered", json!("E_REDIRECT")),
        (Ok(404), json!([true, null, null, 404]), "undelivered", json!("E_REJECTED")),
        (Ok(429), json!([true, true, null, 429]), "retry", json!("E_BUSY")),
        (Ok(503), json!([null, null, true, 503]), "retry", json!("E_SERVER")),
        (Err(NoAnswer::Timeout), json!([null, null, true, null]), "retry", json!("E_TIMEOUT")),
        (Err(NoAnswer::Connect), json!([null, null, true, null]), "retry", json!("E_CONNECT")),
    ] {
        let world = World::with(SHOP);
        world.transport.answer_next([answer]);
        world.deliver(Some(SAMPLED), 2).await;
        let document = world.tracer.documents().remove(0);
        let marked = ["error", "throttle", "fault"].map(|mark| document[mark].clone());
        let status = document["http"]["response"]["status"].clone();
        let [error, throttle, fault] = marked;
        assert_eq!(json!([error, throttle, fault, status]), marks, "{answer:?}");
        let annotations = &document["annotations"];
        assert_eq!((&annotations["outcome"], &annotations["code"]), (&json!(outcome), &code), "{answer:?}");
        assert_eq!(annotations["attempt"], 2);
    }
}

#[tokio::test]
async fn an_attempt_that_is_given_up_half_way_is_told_as_well() {
    let mut world = World::with(SHOP);
    world.sender.transport = Arc::new(HangingTransport);
    let given_up = tokio::time::timeout(Duration::from_millis(1), world.deliver(Some(SAMPLED), 1)).await;
    assert!(given_up.is_err());
    let document = world.tracer.documents().remove(0);
    assert_eq!((&document["fault"], &document["annotations"]["outcome"]), (&json!(true), &json!("unknown")));
}

#[tokio::test]
async fn of_a_trace_that_is_not_kept_nothing_is_told_but_to_the_receiver() {
    const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";
    for (header, traceparent) in [
        (Some(format!("{ROOT};Parent=53995c3f42cd8ad8;Sampled=0")), Some("53995c3f42cd8ad8-00")),
        (Some(format!("{ROOT};Parent=53995c3f42cd8ad8")), Some("53995c3f42cd8ad8-00")),
        (Some(format!("{ROOT};Sampled=1")), Some("3fe0000000000000-01")),
        (Some(ROOT.to_owned()), Some("3fe0000000000000-00")),
        (Some("Root=1-2-3;Parent=53995c3f42cd8ad8;Sampled=1".to_owned()), None),
        (None, None),
    ] {
        let world = World::with(SHOP);
        world.deliver(header.as_deref(), 1).await;
        assert!(world.tracer.documents().is_empty(), "{header:?}");
        let expected = traceparent.map(|rest| format!("00-5759e988bd862e3fe1be46a994272793-{rest}"));
        assert_eq!(world.traceparents(), [expected], "{header:?}");
    }
}

#[tokio::test]
async fn without_a_daemon_the_receiver_hangs_below_what_the_header_names() {
    let mut world = World::with(SHOP);
    world.sender = world.sender.traced(None);
    world.deliver(Some(SAMPLED), 1).await;
    let traceparent = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";
    assert_eq!(world.traceparents(), [Some(traceparent.to_owned())]);
}

#[tokio::test]
async fn a_token_call_is_a_subsegment_too_and_no_document_shows_a_secret() {
    let world = World::with(OAUTH2);
    let token = json!({"access_token": "hunter2", "expires_in": 60}).to_string();
    world.transport.answer_with([Ok(connector::delivery::Response {
        status: 200,
        retry_after: None,
        body: token.into_bytes(),
    })]);
    world.deliver(Some(SAMPLED), 1).await;
    let documents = world.tracer.documents();
    let told: Vec<_> = documents.iter().map(|document| &document["http"]["request"]["url"]).collect();
    assert_eq!(told, ["https://id.example/token", "https://shop.example/"]);
    assert_ne!(documents[0]["id"], documents[1]["id"]);
    assert!(world.traceparents()[0].is_none(), "a token server is no receiver");
    assert!(!json!(documents).to_string().contains("hunter2"));
    assert!(EndpointUrl::parse("https://user:hunter2@shop.example").is_err(), "no URL has a user");
}

#[tokio::test]
async fn where_nothing_was_sent_nothing_is_told() {
    let world = World::with(SHOP);
    world.transport.answer_next([Err(NoAnswer::Timeout), Err(NoAnswer::Timeout)]);
    for _ in 0..3 {
        world.deliver(Some(SAMPLED), 1).await;
    }
    assert_eq!(world.transport.requests().len(), 2, "the endpoint rests");
    assert_eq!(world.tracer.documents().len(), 2);
}

/// The document of a call to this URL that took so long.
fn call(url: &str, took: i64, id: &str, reference: &str) -> Value {
    let (clock, tracer) = (ManualClock::default(), Arc::new(FakeTracer::default()));
    let start = clock.port()();
    let late = move || start + jiff::SignedDuration::from_millis(took);
    let now = std::sync::atomic::AtomicBool::new(false);
    let clock =
        Arc::new(move || if now.swap(true, std::sync::atomic::Ordering::SeqCst) { late() } else { start });
    let header = TraceHeader::parse(SAMPLED).unwrap();
    let url = EndpointUrl::parse(url).unwrap();
    let begun = tracer.tracing(clock).call(header, &Method::POST, &url).unwrap();
    let entry = Entry::new(EventType::OutboundAttempt, start)
        .field("message.id", id)
        .field("entity.ref", reference)
        .field("request.bytes", 7);
    begun.end(&entry);
    tracer.documents().remove(0)
}

#[test]
fn it_says_when_it_began_and_ended_and_never_ends_before_it_began() {
    for (took, seconds) in [(250, 1_795_163_400.25), (0, 1_795_163_400.0), (-5_000, 1_795_163_400.0)] {
        let document = call("https://shop.example", took, "m1", "HD_1");
        assert_eq!(document["start_time"], 1_795_163_400.0);
        assert_eq!(document["end_time"], seconds);
    }
}

#[test]
fn a_host_is_a_name_that_xray_takes() {
    for (url, name) in [
        ("https://shop.example:8443/a", "shop.example"),
        ("http://127.0.0.1:8080", "127.0.0.1"),
        ("http://[2001:db8::1]:8080", "2001:db8::1"),
        ("https://bücher.example", "xn--bcher-kva.example"),
    ] {
        assert_eq!(call(url, 0, "m1", "HD_1")["name"], name);
    }
}

proptest! {
    #[test]
    fn whatever_a_message_says_its_document_is_small_and_its_annotations_flat(
        id in ".{0,40}", reference in ".{0,20}", times in 1..2_000_usize,
    ) {
        let (id, reference) = (id.repeat(times), reference.repeat(times));
        let url = format!("https://shop.example/{}", "a".repeat(times));
        let document = call(&url, 1, &id, &reference);
        prop_assert!(document.to_string().len() < 16_000);
        for (key, value) in document["annotations"].as_object().unwrap() {
            prop_assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
            prop_assert!(value.as_str().is_some_and(|text| text.chars().count() <= 250));
        }
        let told = document["annotations"]["message_id"].as_str().unwrap();
        prop_assert!(id.starts_with(told) && (told == id || told.chars().count() == 250));
    }
}
