//! The receiver: Lambda JSON in, Lambda JSON out.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use connector::cache::Cache;
use connector::message::Message;
use connector::parameter::Section;
use connector::signature::Md5Policy;
use lambda_http::lambda_runtime::{Context, LambdaEvent};
use lambda_http::request::LambdaRequest;
use lambda_http::tower::Service as _;
use lambda_http::{Adapter, Request, service_fn};
use serde_json::{Value, json};
use testkit::fakes::{FakeConfiguration, FakeLog, FakeQueue, ManualClock};
use webhook_receiver::http::answer;
use webhook_receiver::receive::Receiver;

struct World {
    receiver: Receiver,
    configuration: Arc<FakeConfiguration>,
    queue: Arc<FakeQueue>,
    console: Arc<FakeLog>,
    event_log: Arc<FakeLog>,
}

impl World {
    fn new(md5: Md5Policy) -> Self {
        let keys = [
            (Section::Keys, "broken", "no key"),
            (Section::Keys, "development", testkit::signing::DEVELOPMENT_PUBLIC_KEY),
        ];
        let clock = ManualClock::default();
        let configuration = Arc::new(FakeConfiguration::with(&keys));
        let queue = Arc::new(FakeQueue::default());
        let (console, event_log) = (Arc::new(FakeLog::default()), Arc::new(FakeLog::default()));
        let receiver = Receiver {
            keys: Cache::new(configuration.clone(), Duration::from_secs(30), clock.port(), console.clone()),
            sources: Cache::new(
                configuration.clone(),
                Duration::from_secs(30),
                clock.port(),
                console.clone(),
            ),
            md5,
            accounts: ["ACME".to_owned()].into(),
            queue: queue.clone(),
            event_log: event_log.clone(),
            console: console.clone(),
            clock: clock.port(),
        };
        Self { receiver, configuration, queue, console, event_log }
    }

    /// What Lambda hands over, to what Lambda gets back; the answer's body parsed.
    async fn invoke(&self, event: &Value) -> (u64, Value, Value) {
        let service = service_fn(async |request: Request| {
            Ok::<_, std::convert::Infallible>(answer(&self.receiver, request).await)
        });
        let payload: LambdaRequest = serde_json::from_value(event.clone()).unwrap();
        let mut context = Context::default();
        "request-1".clone_into(&mut context.request_id);
        context.xray_trace_id = Some("Root=1-2-3;Sampled=1".to_owned());
        let response = Adapter::from(service).call(LambdaEvent::new(payload, context)).await.unwrap();
        let response = serde_json::to_value(response).unwrap();
        let body = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
        (response["statusCode"].as_u64().unwrap(), body, response["headers"].clone())
    }
}

fn sample(name: &str) -> Value {
    let path = events().join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn events() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events")
}

/// A signed request with this body.
fn signed(body: &str) -> Value {
    let mut event = sample("webhook-200-fluent-signature");
    event["headers"]["fluent-signature"] = json!(testkit::signing::sign_sha512(body.as_bytes()));
    event["body"] = json!(body);
    event
}

fn refused_types(world: &World) -> Vec<String> {
    world.console.types().into_iter().filter(|kind| kind == "inbound.refused").collect()
}

#[tokio::test]
async fn every_sample_webhook_is_answered_as_its_name_says() {
    let mut seen = 0;
    for entry in std::fs::read_dir(events()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(rest) = name.strip_prefix("webhook-") else { continue };
        let md5 = if name.contains("md5-allowed") { Md5Policy::AllowAlone } else { Md5Policy::Refuse };
        let world = World::new(md5);
        let (status, body, headers) = world.invoke(&sample(name.trim_end_matches(".json"))).await;
        assert_eq!(
            Some(status),
            rest.split('-').next().and_then(|status| status.parse().ok()),
            "{name} {body}"
        );
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(world.queue.sent().len(), usize::from(status == 200), "{name}");
        let code = match status {
            200 => Value::Null,
            400 => json!("E_PAYLOAD"),
            401 => json!("E_SIGNATURE"),
            403 => json!("E_ACCOUNT"),
            _ => panic!("{name}: no code is expected for {status}"),
        };
        assert_eq!(body["code"], code, "{name}");
        assert_eq!(refused_types(&world).len(), usize::from(status != 200), "{name}");
        seen += 1;
    }
    assert!(seen >= 20, "{seen} sample webhooks");
}

#[tokio::test]
async fn an_accepted_webhook_is_queued_with_its_ids_and_trace() {
    let world = World::new(Md5Policy::Refuse);
    let (_, body, _) = world.invoke(&sample("webhook-200-both-signatures")).await;
    let id = "5f0c9c1e-8d4e-4b6e-9d5f-000000001001";
    assert_eq!(body, json!({"id": id, "status": "queued"}));
    let sent = world.queue.sent().remove(0);
    assert_eq!(sent.group, "fluent/ACME/ORDER/HD_1001");
    assert_eq!(sent.deduplication, format!("fluent/{id}"));
    assert_eq!(sent.trace.as_deref(), Some("Root=1-2-3;Sampled=1"));
    let message = Message::parse(&sent.body).unwrap();
    assert_eq!((message.id.as_str(), message.name.as_str()), (id, "OrderStatusChange"));
    let raw = sample("webhook-200-both-signatures");
    assert_eq!(message.payload.get(), raw["body"].as_str().unwrap());
    let accepted =
        world.console.entries().into_iter().find(|entry| entry["type"] == "inbound.accepted").unwrap();
    assert_eq!((&accepted["message.id"], &accepted["trace.id"]), (&json!(id), &json!("1-2-3")));
    assert!(world.event_log.entries().is_empty(), "no CloudWatch call on the request path");
}

#[tokio::test]
async fn a_signature_refusal_says_nothing_of_its_reason() {
    let mut answers = Vec::new();
    for name in ["forged", "altered-body", "missing-signature", "malformed-signature", "duplicate-signature"]
    {
        let world = World::new(Md5Policy::Refuse);
        answers.push(world.invoke(&sample(&format!("webhook-401-{name}"))).await.1);
        let logged = world.console.entries().pop().unwrap();
        assert!(!logged["error"].as_str().unwrap().is_empty());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0]["requestId"], "request-1");
}

#[tokio::test]
async fn a_missing_field_is_named() {
    let world = World::new(Md5Policy::Refuse);
    let (_, body, _) = world.invoke(&sample("webhook-400-missing-field")).await;
    assert!(body["message"].as_str().unwrap().contains("entityRef"), "{body}");
}

#[tokio::test]
async fn header_names_are_looked_up_without_case_and_duplicates_are_refused() {
    let mut event = sample("webhook-200-fluent-signature");
    let signature = event["headers"]["fluent-signature"].take();
    event["headers"].as_object_mut().unwrap().remove("fluent-signature");
    event["headers"]["Fluent-Signature"] = signature;
    let world = World::new(Md5Policy::Refuse);
    assert_eq!(world.invoke(&event).await.0, 200);
}

#[tokio::test]
async fn a_body_that_the_queue_does_not_take_is_413_and_never_503() {
    let world = World::new(Md5Policy::Refuse);
    for filler in [1_048_576, 1_046_000] {
        let event = json!({
            "id": "e", "name": "n", "accountId": "ACME", "retailerId": "1", "entityId": "1", "entityRef": "r",
            "entityType": "ORDER", "attributes": {"x": "x".repeat(filler)},
        });
        let (status, body, _) = world.invoke(&signed(&event.to_string())).await;
        assert_eq!((status, &body["code"]), (413, &json!("E_TOO_LARGE")), "{filler}");
    }
    assert!(world.queue.sent().is_empty());
}

#[tokio::test]
async fn a_queue_that_does_not_confirm_is_503_and_the_whole_message_is_kept() {
    let world = World::new(Md5Policy::Refuse);
    world.queue.fail_next([true]);
    let (status, body, headers) = world.invoke(&sample("webhook-200-fluent-signature")).await;
    assert_eq!((status, &body["code"], &headers["retry-after"]), (503, &json!("E_QUEUE"), &json!("5")));
    let entry = world.event_log.entries().remove(0);
    assert_eq!((&entry["type"], world.event_log.flushed()), (&json!("inbound.unqueued"), 1));
    let message = Message::parse(entry["message.body"].as_str().unwrap()).unwrap();
    assert_eq!(message.id, entry["message.id"]);
}

#[tokio::test]
async fn a_configuration_that_was_never_readable_is_503() {
    let world = World::new(Md5Policy::Refuse);
    world.configuration.set_unreadable(true);
    let (status, body, headers) = world.invoke(&sample("webhook-200-fluent-signature")).await;
    assert_eq!((status, &body["code"], &headers["retry-after"]), (503, &json!("E_CONFIG"), &json!("5")));
}

#[tokio::test]
async fn with_no_usable_key_every_request_is_refused_and_an_error_is_logged() {
    let world = World::new(Md5Policy::Refuse);
    world.configuration.remove(Section::Keys, "development");
    assert_eq!(world.invoke(&sample("webhook-200-fluent-signature")).await.0, 401);
    let errors: Vec<_> = world.console.entries().iter().map(|entry| entry["error"].to_string()).collect();
    assert!(errors.iter().any(|error| error.contains("no usable public key")), "{errors:?}");
    assert_eq!(world.console.entries()[0]["parameter"], "keys/broken");
}

#[tokio::test]
async fn another_path_or_method_is_404() {
    for (path, method) in
        [("/api/v1/fluent-connect/other", "POST"), ("/api/v1/fluent-connect/webhook", "GET")]
    {
        let mut event = sample("webhook-200-fluent-signature");
        event["rawPath"] = json!(path);
        event["requestContext"]["http"]["path"] = json!(path);
        event["requestContext"]["http"]["method"] = json!(method);
        let world = World::new(Md5Policy::Refuse);
        let (status, body, _) = world.invoke(&event).await;
        assert_eq!((status, &body["code"]), (404, &json!("E_SOURCE")), "{method} {path}");
    }
}
