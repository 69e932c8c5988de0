//! The listener: Lambda JSON in, Lambda JSON out, and every sample of `events/`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::sqs::SqsEvent;
use connector::cache::Cache;
use connector::message::Message;
use connector::parameter::Section;
use connector::ports::Queue;
use ct_queue_listener::listen::Listener;
use ct_queue_listener::record::answer;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use testkit::fakes::{FakeConfiguration, FakeLog, FakeQueue, FakeTracer, HangingQueue, ManualClock};

struct World {
    listener: Listener,
    clock: ManualClock,
    configuration: Arc<FakeConfiguration>,
    console: Arc<FakeLog>,
    event_queue: Arc<FakeQueue>,
    ct_queue: Arc<FakeQueue>,
    dead_letters: Arc<FakeQueue>,
    tracer: Arc<FakeTracer>,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::default();
        let configuration = Arc::new(FakeConfiguration::default());
        let console = Arc::new(FakeLog::default());
        let queues: [Arc<FakeQueue>; 3] = Default::default();
        let [event_queue, ct_queue, dead_letters] = queues;
        let tracer = Arc::new(FakeTracer::default());
        let listener = Listener {
            names: Cache::new(configuration.clone(), Duration::from_secs(30), clock.port(), console.clone()),
            event_queue: event_queue.clone(),
            ct_queue: ct_queue.clone(),
            dead_letter_queue: dead_letters.clone(),
            console: console.clone(),
            clock: clock.port(),
            tracing: Some(tracer.tracing(clock.port())),
        };
        Self { listener, clock, configuration, console, event_queue, ct_queue, dead_letters, tracer }
    }

    /// What Lambda hands over, to the ids that it gets back.
    async fn invoke(&self, event: Value) -> Vec<String> {
        let event: SqsEvent = serde_json::from_value(event).unwrap();
        let mut context = Context::default();
        "request-1".clone_into(&mut context.request_id);
        context.deadline = (self.clock.port()().as_millisecond() + 45_000).cast_unsigned();
        context.xray_trace_id = Some("Root=1-2-3;Sampled=1".to_owned());
        let response = answer(&self.listener, LambdaEvent::new(event, context)).await;
        let response = serde_json::to_value(response).unwrap();
        let failures = response["batchItemFailures"].as_array().unwrap();
        failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
    }

    /// The messages on the event queue.
    fn messages(&self) -> Vec<Message> {
        self.event_queue.sent().iter().map(|sent| Message::parse(&sent.body).unwrap()).collect()
    }

    /// The listener's own lines of this type.
    fn lines(&self, kind: &str) -> Vec<Value> {
        self.console.entries().into_iter().filter(|entry| entry["type"] == kind).collect()
    }
}

fn events() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events")
}

fn sample(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(events().join(format!("{name}.json"))).unwrap()).unwrap()
}

fn order() -> Value {
    sample("ct-order-created")
}

#[tokio::test]
async fn every_sample_notification_ends_as_the_table_says() {
    let create = "commercetools.connect.order.create";
    let expected: [(&str, &[&str], usize, usize); 15] = [
        ("ct-order-created", &[create], 0, 0),
        ("ct-order-created-cloudevents", &[create], 0, 0),
        ("ct-order-imported", &[create], 0, 0),
        ("ct-customer-updated", &["commercetools.connect.customer.upsert"], 0, 0),
        ("ct-category-updated", &["commercetools.connect.category.upsert"], 0, 0),
        ("ct-product-published", &["commercetools.connect.product.upsert"], 0, 0),
        ("ct-payload-not-included", &["commercetools.connect.product.upsert"], 0, 0),
        ("ct-category-deleted", &["commercetools.category.ResourceDeleted"], 0, 0),
        ("ct-event", &["commercetools.import-api.ImportContainerCreated"], 0, 0),
        ("ct-test-notification", &[], 0, 1),
        ("ct-test-notification-cloudevents", &[], 0, 1),
        ("ct-unknown-notification", &["commercetools.order.ResourceArchived"], 0, 0),
        ("ct-not-json", &[], 1, 0),
        ("ct-no-notification", &[], 1, 0),
        ("ct-mixed-batch", &[create, create, "commercetools.connect.product.upsert"], 1, 1),
    ];
    for (file, names, refused, dropped) in expected {
        let world = World::new();
        assert_eq!(world.invoke(sample(file)).await, Vec::<String>::new(), "{file}");
        let sent: Vec<_> = world.messages().into_iter().map(|message| message.name).collect();
        assert_eq!(sent, names, "{file}");
        assert_eq!(world.dead_letters.sent().len(), refused, "{file}");
        assert_eq!(world.lines("inbound.accepted").len(), names.len(), "{file}");
        assert_eq!(world.lines("inbound.refused").len(), refused, "{file}");
        assert_eq!(world.lines("inbound.dropped").len(), dropped, "{file}");
    }
    let files = std::fs::read_dir(events()).unwrap();
    let names = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with("ct-")).count(), expected.len(), "every file is tested");
}

#[tokio::test]
async fn a_notification_is_queued_as_it_came_with_its_ids_and_trace() {
    let world = World::new();
    world.invoke(order()).await;
    let (sent, message) = (world.event_queue.sent().remove(0), world.messages().remove(0));
    let id = "7c1d2b60-0000-4000-8000-000000003001";
    assert_eq!(sent.group, format!("commercetools/acme-shop/order/{id}"));
    assert_eq!(sent.deduplication, format!("commercetools/{id}.1"));
    assert_eq!(
        sent.trace.as_deref(),
        Some("Root=1-2-3;Sampled=1"),
        "the invocation's, where the record has none"
    );
    assert_eq!(message.payload.get(), order()["Records"][0]["body"].as_str().unwrap());
    let line = world.lines("inbound.accepted").remove(0);
    for (key, value) in [
        ("message.id", json!(format!("{id}.1"))),
        ("message.name", json!("commercetools.connect.order.create")),
        ("message.source", json!("commercetools")),
        ("entity.type", json!("order")),
        ("entity.ref", json!("CT_3001")),
        ("account.id", json!("acme-shop")),
        ("trace.id", json!("1-2-3")),
        ("request.id", json!("request-1")),
        ("request.bytes", json!(message.payload.get().len())),
        ("attempt", json!(1)),
    ] {
        assert_eq!(line[key], value, "{key}");
    }
}

#[tokio::test]
async fn a_records_own_trace_goes_on() {
    let world = World::new();
    let mut event = order();
    event["Records"][0]["attributes"]["AWSTraceHeader"] = json!("Root=1-4-5");
    world.invoke(event).await;
    assert_eq!(world.event_queue.sent()[0].trace.as_deref(), Some("Root=1-4-5"));
}

#[tokio::test]
async fn the_trace_of_a_record_names_its_message_once_it_is_queued() {
    let world = World::new();
    let mut event = order();
    let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    event["Records"][0]["attributes"]["AWSTraceHeader"] = json!(header);
    world.event_queue.fail_next([true]);
    world.invoke(event.clone()).await;
    assert!(world.tracer.documents().is_empty(), "it comes back");
    world.invoke(event).await;
    let document = world.tracer.documents().remove(0);
    assert_eq!(
        (&document["name"], &document["parent_id"]),
        (&json!("queue event"), &json!("53995c3f42cd8ad8"))
    );
    let annotations = json!({
        "message_id": "7c1d2b60-0000-4000-8000-000000003001.1",
        "message_name": "commercetools.connect.order.create",
        "entity_ref": "CT_3001",
        "attempt": 1,
    });
    assert_eq!(document["annotations"], annotations);
}

#[tokio::test]
async fn both_formats_and_a_second_delivery_make_one_message() {
    let world = World::new();
    world.invoke(order()).await;
    let platform = order()["Records"][0]["body"].as_str().unwrap().to_owned();
    let mut event = order();
    event["Records"][0]["body"] =
        json!(format!("{{\"specversion\":\"1.0\",\"id\":\"another\",\"data\":{platform}}}"));
    world.invoke(event).await;
    let sent = world.event_queue.sent();
    assert_eq!((&sent[0].group, &sent[0].deduplication), (&sent[1].group, &sent[1].deduplication));
    assert_eq!(world.messages()[1].payload.get(), platform);
}

#[tokio::test]
async fn garbage_is_kept_as_it_came_and_says_what_is_wrong() {
    let world = World::new();
    world.invoke(sample("ct-not-json")).await;
    let dead = world.dead_letters.sent().remove(0);
    assert_eq!(dead.body, "{not json");
    assert_eq!(
        dead.attributes,
        [
            ("code", "E_PAYLOAD".to_owned()),
            ("attempts", "1".to_owned()),
            ("time", "2026-11-20T08:30:00.000Z".to_owned())
        ]
    );
    let line = world.lines("inbound.refused").remove(0);
    assert_eq!((&line["code"], &line["request.bytes"]), (&json!("E_PAYLOAD"), &json!(9)));
    let error = line["error"].as_str().unwrap();
    assert!(
        error.starts_with("the record is no notification: the notification is not a JSON object"),
        "{error}"
    );
    assert!(world.event_queue.sent().is_empty() && world.ct_queue.postponed().is_empty());
}

#[tokio::test]
async fn a_record_without_a_body_is_kept_as_null() {
    let world = World::new();
    let mut event = order();
    event["Records"][0].as_object_mut().unwrap().remove("body");
    assert!(world.invoke(event).await.is_empty());
    assert_eq!(world.dead_letters.sent()[0].body, "null");
}

#[tokio::test]
async fn a_notification_that_does_not_fit_the_queue_is_a_dead_letter() {
    let world = World::new();
    let mut event = order();
    let body = json!({"notificationType": "Message", "filler": "x".repeat(1 << 20)}).to_string();
    event["Records"][0]["body"] = json!(body);
    assert!(world.invoke(event).await.is_empty());
    assert!(world.dead_letters.sent()[0].attributes.contains(&("code", "E_TOO_LARGE".to_owned())));
}

#[tokio::test]
async fn only_what_the_event_queue_refused_comes_back() {
    let world = World::new();
    world.event_queue.fail_next([false, true, false]);
    let mut event = sample("ct-mixed-batch");
    event["Records"][3]["attributes"]["ApproximateReceiveCount"] = json!("3");
    let kept = world.invoke(event.clone()).await;
    assert_eq!(kept, [event["Records"][3]["messageId"].as_str().unwrap()], "the second that was sent there");
    let receipt = event["Records"][3]["receiptHandle"].as_str().unwrap().to_owned();
    assert_eq!(world.ct_queue.postponed(), [(receipt, Duration::from_secs(20))]);
    let line = world.lines("message.fault").remove(0);
    assert_eq!(
        (&line["code"], &line["retry_after_s"], &line["attempt"]),
        (&json!("E_QUEUE"), &json!(20), &json!(3))
    );
    assert_eq!(line["message.id"], world.messages()[0].id, "it tells which message waits");
}

#[tokio::test]
async fn a_dead_letter_that_is_not_confirmed_comes_back() {
    let world = World::new();
    world.dead_letters.fail_next([true]);
    assert_eq!(world.invoke(sample("ct-not-json")).await.len(), 1);
    assert!(world.lines("inbound.refused").is_empty(), "it is not refused yet");
    let error = world.lines("message.fault")[0]["error"].as_str().unwrap().to_owned();
    assert!(error.starts_with("E_PAYLOAD: ") && error.contains("told to refuse"), "{error}");
}

#[tokio::test]
async fn a_delay_that_is_refused_is_told_and_the_record_comes_back_all_the_same() {
    let world = World::new();
    world.event_queue.fail_next([true]);
    world.ct_queue.fail_next([true]);
    assert_eq!(world.invoke(order()).await.len(), 1);
    let line = world.lines("message.fault").remove(0);
    assert!(line["postpone_error"].as_str().unwrap().contains("visibility"), "{line}");
}

#[tokio::test]
async fn a_retry_stays_within_the_deduplication_window() {
    let world = World::new();
    let mut event = order();
    event["Records"][0]["attributes"]["ApproximateReceiveCount"] = json!("90");
    world.event_queue.fail_next([true]);
    world.invoke(event).await;
    assert!(world.ct_queue.postponed()[0].1 < Duration::from_mins(5));
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_hangs_leaves_time_to_send_the_records_back() {
    let mut world = World::new();
    let hanging: Arc<dyn Queue> = Arc::new(HangingQueue);
    world.listener.event_queue = hanging;
    assert_eq!(world.invoke(sample("ct-mixed-batch")).await.len(), 3);
    assert_eq!((world.ct_queue.postponed().len(), world.dead_letters.sent().len()), (3, 1));
}

#[tokio::test]
async fn an_unreadable_configuration_keeps_all_records_and_moves_none() {
    let world = World::new();
    world.configuration.set_unreadable(true);
    assert_eq!(world.invoke(sample("ct-mixed-batch")).await.len(), 5);
    assert_eq!(world.ct_queue.postponed().len(), 5);
    assert!(world.event_queue.sent().is_empty() && world.dead_letters.sent().is_empty());
    let codes: BTreeSet<_> =
        world.lines("message.fault").iter().map(|line| line["code"].to_string()).collect();
    assert_eq!(codes, ["\"E_CONFIG\"".to_owned()].into());
}

#[tokio::test]
async fn the_names_change_with_their_parameter_and_its_last_good_copy_serves() {
    let world = World::new();
    let names = async || {
        world.invoke(order()).await;
        world.clock.advance(Duration::from_secs(31));
        world.messages().pop().unwrap().name
    };
    assert_eq!(names().await, "commercetools.connect.order.create");
    world.configuration.put(Section::Sources, "commercetools", "names: { order.OrderCreated: Ours }");
    assert_eq!(names().await, "Ours");
    world.configuration.put(Section::Sources, "commercetools", "names: { order.OrderCreated: 5 }");
    assert_eq!(names().await, "Ours");
    assert_eq!(world.lines("configuration.problem")[0]["parameter"], "sources/commercetools");
    world.configuration.set_unreadable(true);
    assert_eq!(names().await, "Ours");
    world.configuration.set_unreadable(false);
    world.configuration.remove(Section::Sources, "commercetools");
    assert_eq!(names().await, "commercetools.connect.order.create");
}

#[tokio::test]
async fn an_empty_batch_asks_for_nothing() {
    let world = World::new();
    assert!(world.invoke(json!({"Records": []})).await.is_empty());
    assert_eq!(world.configuration.reads(), 0);
}
