//! The receiver: Lambda JSON in, Lambda JSON out.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connector::cache::{Cache, Snapshot};
use connector::event_log::MAX_BATCH_BYTES;
use connector::message::{MAX_MESSAGE_BYTES, Message};
use connector::parameter::Section;
use connector::signature::Md5Policy;
use connector::unverified::{PROOFS, Unverified};
use connector::webhook::{Served, Webhook};
use lambda_http::lambda_runtime::{Context, LambdaEvent};
use lambda_http::request::LambdaRequest;
use lambda_http::tower::Service as _;
use lambda_http::{Adapter, Request, service_fn};
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::fakes::{FakeConfiguration, FakeLog, FakeQueue, FakeTracer, ManualClock};
use webhook_receiver::http::answer;
use webhook_receiver::receive::{FLUENT_PATH, PATIENCE, Receiver};

struct World {
    receiver: Receiver,
    configuration: Arc<FakeConfiguration>,
    queue: Arc<FakeQueue>,
    console: Arc<FakeLog>,
    event_log: Arc<FakeLog>,
    tracer: Arc<FakeTracer>,
    clock: ManualClock,
    trace: &'static str,
}

impl World {
    fn new(md5: Md5Policy) -> Self {
        let keys = [
            (Section::Keys, "broken", "no key"),
            (Section::Keys, "development", testkit::signing::DEVELOPMENT_PUBLIC_KEY),
        ];
        let clock = ManualClock::default();
        let configuration = Arc::new(FakeConfiguration::with(&keys));
        for (name, document) in testkit::sources::DEVELOPMENT {
            configuration.put(Section::Sources, name, document);
        }
        let (queue, tracer) = (Arc::new(FakeQueue::default()), Arc::new(FakeTracer::default()));
        let (console, event_log) = (Arc::new(FakeLog::default()), Arc::new(FakeLog::default()));
        let receiver = Receiver {
            keys: cache(&configuration, &clock, &console),
            sources: cache(&configuration, &clock, &console),
            served: Served { accounts: ["ACME".to_owned()].into(), md5 },
            queue: queue.clone(),
            event_log: event_log.clone(),
            console: console.clone(),
            clock: clock.port(),
            tracing: Some(tracer.tracing(clock.port())),
        };
        let trace = "Root=1-2-3;Sampled=1";
        Self { receiver, configuration, queue, console, event_log, tracer, clock, trace }
    }

    /// What Lambda hands over, to what Lambda gets back; the answer's body parsed.
    async fn invoke(&self, event: &Value) -> (u64, Value, Value) {
        let response = self.invoke_raw(event).await;
        let body = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
        (response["statusCode"].as_u64().unwrap(), body, response["headers"].clone())
    }

    async fn invoke_raw(&self, event: &Value) -> Value {
        let service = service_fn(async |request: Request| {
            Ok::<_, std::convert::Infallible>(answer(&self.receiver, request).await)
        });
        let payload: LambdaRequest = serde_json::from_value(event.clone()).unwrap();
        let mut context = Context::default();
        "request-1".clone_into(&mut context.request_id);
        context.xray_trace_id = Some(self.trace.to_owned());
        let response = Adapter::from(service).call(LambdaEvent::new(payload, context)).await.unwrap();
        serde_json::to_value(response).unwrap()
    }

    /// The same with one more source.
    fn with_source(name: &str, document: &str) -> Self {
        let world = Self::new(Md5Policy::Refuse);
        world.configuration.put(Section::Sources, name, document);
        world
    }
}

fn sample(name: &str) -> Value {
    let path = events().join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn events() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events")
}

/// As `main` makes it.
fn cache<S: Snapshot>(
    configuration: &Arc<FakeConfiguration>,
    clock: &ManualClock,
    console: &Arc<FakeLog>,
) -> Cache<S> {
    let ttl = Duration::from_secs(30);
    let cache = Cache::new(configuration.clone(), ttl, clock.port(), console.clone());
    cache.patient(PATIENCE, Arc::new(|| 0.5))
}

/// A request to a source, with these headers and this body.
fn to_source(source: &str, headers: Value, body: &str) -> Value {
    let mut event = sample("external-200-fynd-order-placed");
    let path = format!("/api/v1/fluent-connect/external-system/webhook/{source}");
    event["rawPath"] = json!(path);
    event["requestContext"]["http"]["path"] = json!(path);
    event["headers"] = headers;
    event["body"] = json!(body);
    event
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
        let rest = name.strip_prefix("webhook-").or_else(|| name.strip_prefix("external-"));
        let Some(rest) = rest else { continue };
        let md5 = if name.contains("md5-allowed") { Md5Policy::AllowAlone } else { Md5Policy::Refuse };
        let world = World::new(md5);
        let (status, body, headers) = world.invoke(&sample(name.trim_end_matches(".json"))).await;
        assert_eq!(
            Some(status),
            rest.split('-').next().and_then(|status| status.parse().ok()),
            "{name} {body}"
        );
        assert_eq!(headers["content-type"], "application/json");
        let queued = status == 200 && !name.contains("ping");
        assert_eq!(world.queue.sent().len(), usize::from(queued), "{name}");
        let code = match status {
            200 => Value::Null,
            400 => json!("E_PAYLOAD"),
            401 => json!("E_SIGNATURE"),
            403 => json!("E_ACCOUNT"),
            404 => json!("E_SOURCE"),
            413 => json!("E_TOO_LARGE"),
            _ => panic!("{name}: no code is expected for {status}"),
        };
        assert_eq!(body["code"], code, "{name}");
        assert_eq!(refused_types(&world).len(), usize::from(status != 200), "{name}");
        seen += 1;
    }
    assert!(seen >= 42, "{seen} sample webhooks");
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
async fn the_trace_of_a_request_names_its_message() {
    let mut world = World::new(Md5Policy::Refuse);
    world.trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    world.queue.fail_next([false, true]);
    for status in [200, 503] {
        assert_eq!(world.invoke(&sample("webhook-200-both-signatures")).await.0, status);
    }
    let documents = world.tracer.documents();
    assert_eq!(documents.len(), 2);
    for document in &documents {
        assert_eq!(document["name"], "queue event");
        assert_eq!(document["trace_id"], "1-5759e988-bd862e3fe1be46a994272793");
        assert_eq!(document["parent_id"], "53995c3f42cd8ad8");
        let annotations = json!({
            "message_id": "5f0c9c1e-8d4e-4b6e-9d5f-000000001001",
            "message_name": "OrderStatusChange",
            "entity_ref": "HD_1001",
        });
        assert_eq!(document["annotations"], annotations);
    }
    assert_eq!((&documents[0]["fault"], &documents[1]["fault"]), (&Value::Null, &json!(true)));
    world.trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0";
    world.invoke(&sample("webhook-200-both-signatures")).await;
    assert_eq!(world.tracer.documents().len(), 2, "X-Ray keeps no such trace");
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

#[tokio::test(start_paused = true)]
async fn a_configuration_that_was_never_readable_is_503_and_the_request_is_kept() {
    let world = World::new(Md5Policy::Refuse);
    world.configuration.set_unreadable(true);
    let event = sample("webhook-200-fluent-signature");
    let (status, body, headers) = world.invoke(&event).await;
    assert_eq!((status, &body["code"], &headers["retry-after"]), (503, &json!("E_CONFIG"), &json!("5")));
    assert!(world.configuration.reads() > 12, "it was asked again while there was time");
    let entry = world.event_log.entries().remove(0);
    assert_eq!((&entry["type"], world.event_log.flushed()), (&json!("inbound.unverified"), 1));
    assert_eq!((&entry["verified"], &entry["message.source"]), (&json!(false), &json!("fluent")));
    assert_eq!(entry["request.body"], event["body"]);
    let signature = event["headers"]["fluent-signature"].as_str().unwrap();
    assert_eq!(entry["request.headers"], format!("fluent-signature: {signature}\n"));
    assert_eq!(world.console.entries().pop().unwrap()["kept"], true);
    world.invoke(&event).await;
    assert_eq!(world.event_log.entries().len(), 2, "each is kept");
}

#[tokio::test(start_paused = true)]
async fn a_read_that_fails_at_first_refuses_nothing_and_is_no_later_receipt() {
    let world = World::new(Md5Policy::Refuse);
    let came = (world.clock.port())();
    world.configuration.set_unreadable(true);
    let mends = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        world.clock.advance(Duration::from_secs(3));
        world.configuration.set_unreadable(false);
    };
    let event = sample("webhook-200-fluent-signature");
    let (answer, ()) = tokio::join!(world.invoke(&event), mends);
    assert_eq!((answer.0, world.queue.sent().len(), world.event_log.entries().len()), (200, 1, 0));
    assert_eq!(Message::parse(&world.queue.sent()[0].body).unwrap().received_at, came);
}

#[tokio::test(start_paused = true)]
async fn what_was_kept_is_what_came_and_genuine_when_it_is_verified_then() {
    let names = ["webhook-200-both-signatures", "webhook-200-base64-body", "external-200-fynd-base64-body"];
    let others = ["external-200-github-push", "external-200-fynd-without-event-id"];
    for name in names.into_iter().chain(others) {
        let world = World::new(Md5Policy::Refuse);
        world.invoke(&sample(name)).await;
        let fresh = world.queue.sent().remove(0);
        let world = World::new(Md5Policy::Refuse);
        world.configuration.set_unreadable(true);
        world.invoke(&sample(name)).await;
        let line = world.event_log.entries().remove(0).to_string();
        let kept = Unverified::read(&line).unwrap();
        world.configuration.set_unreadable(false);
        let world = World::new(Md5Policy::Refuse);
        let (keys, sources) =
            (world.receiver.keys.get().await.unwrap(), world.receiver.sources.get().await.unwrap());
        let verified = kept.verified(&keys, &sources, &world.receiver.served).unwrap();
        let Webhook::Event { message, group, .. } = verified else { panic!("{name} is an event") };
        assert_eq!(message.outgoing(group, fresh.trace.clone()).unwrap(), fresh, "{name}");
    }
}

/// Names of headers that are or may be secrets.
const SECRET: [&str; 9] = [
    "Authorization",
    "authorization",
    "Proxy-Authorization",
    "Cookie",
    "Set-Cookie",
    "X-Api-Key",
    "api-key",
    "x-amz-security-token",
    "x-shop-token",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_value_of_a_header_that_may_be_a_secret_stands_in_any_log(
        secrets in prop::collection::btree_map(prop::sample::select(&SECRET[..]), "hunter2-[a-zA-Z0-9]{8}", 1..6),
        proof in prop::option::of(prop::sample::select(&PROOFS[..])),
        source in prop::option::of(prop::sample::select(vec!["fynd", "shop", "nobody", "fluent"])),
        broken in any::<bool>(),
        body in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut headers = json!(secrets);
        if let Some(proof) = proof {
            headers[proof] = json!("v1,c2lnbmF0dXJl");
        }
        let mut event = to_source(source.unwrap_or("fynd"), headers, "");
        if source.is_none() {
            for place in ["/rawPath", "/requestContext/http/path"] {
                *event.pointer_mut(place).unwrap() = json!(FLUENT_PATH);
            }
        }
        event["body"] = json!(STANDARD.encode(&body));
        event["isBase64Encoded"] = json!(true);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let world = World::with_source("shop", "preset: fynd\nsecret: [oops]");
        world.configuration.set_unreadable(!broken);
        let (status, answer, _) = runtime.block_on(world.invoke(&event));
        let logged = format!("{:?} {:?}", world.console.entries(), world.event_log.entries());
        prop_assert!(!logged.contains("hunter2"), "{logged}");
        let refused = world.console.entries().pop().unwrap();
        let kept = answer["code"] == "E_CONFIG" && proof.is_some() && source != Some("fluent");
        prop_assert_eq!(world.event_log.entries().len(), usize::from(kept), "{} {}", status, refused);
        if answer["code"] == "E_CONFIG" {
            prop_assert_eq!(&refused["kept"], &json!(kept));
        } else {
            prop_assert_eq!(&refused["kept"], &Value::Null);
        }
    }
}

#[tokio::test]
async fn a_body_that_is_no_text_is_kept_byte_for_byte() {
    let world = World::with_source("shop", "preset: fynd\nsecret: [oops]");
    let mut event = to_source("shop", json!({"x-fp-signature": "00", "authorization": "Bearer hunter2"}), "");
    event["body"] = json!(STANDARD.encode([0xff, 0x00, 0x7b]));
    event["isBase64Encoded"] = json!(true);
    assert_eq!(world.invoke(&event).await.0, 503);
    let entry = world.event_log.entries().remove(0);
    assert_eq!((&entry["request.body.base64"], &entry["request.body"]), (&json!("/wB7"), &Value::Null));
    assert_eq!(entry["request.headers"], "x-fp-signature: 00\n");
}

#[tokio::test]
async fn what_could_never_be_proven_is_not_kept_and_that_is_said() {
    let world = World::with_source("shop", "auth: { type: bearr, secrets: [hunter2] }\nname: /type");
    let event = to_source("shop", json!({"authorization": "Bearer hunter2"}), "{}");
    assert_eq!(world.invoke(&event).await.1["code"], "E_CONFIG");
    assert!(world.event_log.entries().is_empty());
    assert_eq!(world.console.entries().pop().unwrap()["kept"], false);
}

#[tokio::test]
async fn the_largest_body_is_kept_though_its_entry_may_be_too_large_for_the_event_log() {
    let world = World::with_source("shop", "preset: fynd\nsecret: [oops]");
    let body = "x".repeat(MAX_MESSAGE_BYTES);
    assert_eq!(world.invoke(&to_source("shop", json!({"x-fp-signature": "00"}), &body)).await.0, 503);
    let entry = world.event_log.entries().remove(0);
    assert!(entry.to_string().len() > MAX_BATCH_BYTES, "the adapter prints it into the receiver's own log");
    assert_eq!(entry["request.body"], body);
}

#[tokio::test]
async fn no_entry_is_much_longer_than_its_body_whatever_that_holds() {
    for body in ["\u{1}".repeat(750_000), "\"".repeat(750_000), "\\n".repeat(375_000)] {
        let world = World::with_source("shop", "preset: fynd\nsecret: [oops]");
        assert_eq!(world.invoke(&to_source("shop", json!({"x-fp-signature": "00"}), &body)).await.0, 503);
        let entry = world.event_log.entries().remove(0);
        assert!(entry.to_string().len() < MAX_BATCH_BYTES, "the event log takes it");
        let kept = STANDARD.decode(entry["request.body.base64"].as_str().unwrap()).unwrap();
        assert_eq!(kept, body.as_bytes());
    }
}

#[tokio::test]
async fn without_any_key_every_request_is_refused_and_an_error_is_logged() {
    let world = World::new(Md5Policy::Refuse);
    world.configuration.remove(Section::Keys, "development");
    world.configuration.remove(Section::Keys, "broken");
    assert_eq!(world.invoke(&sample("webhook-200-fluent-signature")).await.0, 401);
    let errors: Vec<_> = world.console.entries().iter().map(|entry| entry["error"].to_string()).collect();
    assert!(errors.iter().any(|error| error.contains("no usable public key")), "{errors:?}");
    assert!(world.event_log.entries().is_empty(), "nobody uses Fluent's path here");
}

#[tokio::test]
async fn where_all_keys_are_broken_a_signed_request_is_503_and_kept() {
    let world = World::new(Md5Policy::Refuse);
    world.configuration.remove(Section::Keys, "development");
    let mut event = sample("webhook-200-fluent-signature");
    let (status, body, _) = world.invoke(&event).await;
    assert_eq!((status, &body["code"]), (503, &json!("E_CONFIG")));
    assert_eq!(world.console.entries()[0]["parameter"], "keys/broken");
    assert_eq!(world.event_log.types(), ["inbound.unverified"]);
    event["headers"] = json!({});
    assert_eq!(world.invoke(&event).await.0, 401, "what bears no signature needs no key to be refused");
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

#[tokio::test]
async fn what_a_source_sends_is_queued_under_its_name_and_entity() {
    let queued = async |name: &str| {
        let world = World::new(Md5Policy::Refuse);
        let (status, body, _) = world.invoke(&sample(name)).await;
        assert_eq!((status, &body["status"]), (200, &json!("queued")), "{name}");
        let sent = world.queue.sent().remove(0);
        let message = Message::parse(&sent.body).unwrap();
        assert_eq!(body["id"], message.id);
        assert_eq!(world.console.types(), ["inbound.accepted"]);
        format!("{} {} {} {}", message.source, message.name, sent.group, sent.deduplication)
    };
    insta::assert_snapshot!(queued("external-200-fynd-order-placed").await, @"fynd application/order/placed/v1 fynd/1/FY4001 fynd/6f5e4d3c-0000-4000-8000-000000004001");
    insta::assert_snapshot!(queued("external-200-fynd-without-event-id").await, @"fynd application/shipment/update/v1 fynd/1/FY4003 fynd/sha256:00032cb1b5c93a6c6c1f7d766dbb80c7653f9a53b6fe0f31c0bfdd7b29373a1e");
    insta::assert_snapshot!(queued("external-200-github-pull-request").await, @"github pull_request/opened sha256:d7a6b2df824ba4bafa075b811afae99d63929caa629a0d7a92c733fe57f4cd02 github/5f0c9c1e-8d4e-4b6e-9d5f-000000004007");
    insta::assert_snapshot!(queued("external-200-github-push").await, @"github push sha256:d7a6b2df824ba4bafa075b811afae99d63929caa629a0d7a92c733fe57f4cd02 github/5f0c9c1e-8d4e-4b6e-9d5f-000000004008");
}

#[tokio::test]
async fn the_payload_of_a_source_travels_with_every_digit() {
    let world = World::new(Md5Policy::Refuse);
    world.invoke(&sample("external-200-fynd-base64-body")).await;
    let message = Message::parse(&world.queue.sent().remove(0).body).unwrap();
    assert!(message.payload.get().contains(r#""total":1499.500,"long":12345678901234567890123"#));
    assert_eq!(message.about().entity_ref.as_deref(), Some("FY4004"));
}

#[tokio::test]
async fn a_ping_is_answered_and_said_in_the_log() {
    for name in ["fynd-ping-unsigned", "fynd-ping-signed", "github-ping"] {
        let world = World::new(Md5Policy::Refuse);
        let (status, body, _) = world.invoke(&sample(&format!("external-200-{name}"))).await;
        assert_eq!((status, body), (200, json!({"status": "ping"})), "{name}");
        assert_eq!(world.console.types(), ["inbound.dropped"]);
        let source = name.split('-').next().unwrap();
        assert_eq!(world.console.entries()[0]["message.source"], source);
    }
}

#[tokio::test]
async fn a_refusal_of_a_source_says_nothing_of_its_reason_and_the_log_no_secret() {
    let mut answers = Vec::new();
    for name in ["altered-body", "missing-signature", "malformed-signature", "ping-forged"] {
        let world = World::new(Md5Policy::Refuse);
        answers.push(world.invoke(&sample(&format!("external-401-fynd-{name}"))).await.1);
        let logged = world.console.entries().pop().unwrap();
        assert_eq!((&logged["type"], &logged["message.source"]), (&json!("inbound.refused"), &json!("fynd")));
        assert!(!logged["error"].as_str().unwrap().is_empty());
        let signature = sample(&format!("external-401-fynd-{name}"))["headers"]["x-fp-signature"].clone();
        let hidden = ["development-secret", signature.as_str().unwrap_or("development-secret")];
        assert!(hidden.iter().all(|hidden| !logged.to_string().contains(hidden)), "{logged}");
    }
    let world = World::new(Md5Policy::Refuse);
    answers.push(world.invoke(&sample("webhook-401-forged")).await.1);
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn a_broken_document_is_503_told_once_and_harms_no_other() {
    let world = World::with_source("shop", "preset: fynd\nsecret: [hunter2]");
    for _ in 0..3 {
        let (status, body, headers) = world.invoke(&to_source("shop", json!({}), "{}")).await;
        assert_eq!((status, &body["code"], &headers["retry-after"]), (503, &json!("E_CONFIG"), &json!("5")));
    }
    let entries = world.console.entries();
    let told: Vec<_> = entries.iter().filter(|entry| entry["type"] == "configuration.problem").collect();
    assert_eq!((told.len(), &told[0]["parameter"]), (1, &json!("sources/shop")));
    assert!(!format!("{entries:?}").contains("hunter2"));
    assert_eq!(world.invoke(&sample("external-200-fynd-order-placed")).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn configuration_that_was_never_readable_is_503_for_sources_too() {
    let world = World::new(Md5Policy::Refuse);
    world.configuration.set_unreadable(true);
    let (status, body, _) = world.invoke(&sample("external-200-fynd-order-placed")).await;
    assert_eq!((status, &body["code"]), (503, &json!("E_CONFIG")));
}

#[tokio::test]
async fn keys_and_sources_are_read_only_by_the_webhooks_that_need_them() {
    let world = World::new(Md5Policy::Refuse);
    world.invoke(&sample("external-200-fynd-order-placed")).await;
    assert_eq!(
        (world.configuration.reads(), world.console.types()),
        (1, vec!["inbound.accepted".to_owned()])
    );
    world.invoke(&sample("webhook-200-fluent-signature")).await;
    assert_eq!(world.configuration.reads(), 2);
}

#[tokio::test]
async fn a_source_is_answered_as_its_document_says() {
    let shop = "{ auth: none-i-know-what-this-means, name: /type, answer: ";
    let answered = async |answer: &str| {
        let world = World::with_source("shop", &format!("{shop}{answer} }}"));
        let response = world.invoke_raw(&to_source("shop", json!({}), r#"{"type":"paid"}"#)).await;
        assert_eq!(world.queue.sent().len(), 1);
        format!("{} {} {}", response["statusCode"], response["headers"]["content-type"], response["body"])
    };
    insta::assert_snapshot!(answered("{ body: OK }").await, @r#"200 "text/plain; charset=utf-8" "OK""#);
    insta::assert_snapshot!(answered("{ status: 202, body: { received: true } }").await, @r#"202 "application/json" "{\"received\":true}""#);
    insta::assert_snapshot!(answered("{ status: 204 }").await, @r#"204 null """#);
    insta::assert_snapshot!(answered("{ status: 201 }").await, @r#"201 "application/json" "{\"id\":\"sha256:c86ea47436d5119fffcf2d38c2c21d76d48f3fc54bda70c856b69f4a9e046160\",\"status\":\"queued\"}""#);
}

#[tokio::test]
async fn a_missing_name_is_told_and_so_is_a_body_that_is_none() {
    let world = World::with_source("shop", "{ auth: none-i-know-what-this-means, name: /type }");
    let refused = async |body: &str| {
        let (status, answer, _) = world.invoke(&to_source("shop", json!({}), body)).await;
        format!("{status} {} {}", answer["code"], answer["message"])
    };
    insta::assert_snapshot!(refused("{}").await, @r#"400 "E_PAYLOAD" "there is no non-empty text or number at /type, where the event's name is looked for""#);
    insta::assert_snapshot!(refused("no").await, @r#"400 "E_PAYLOAD" "the body is not a JSON object or array""#);
}

#[tokio::test]
async fn a_body_is_told_whether_the_queue_or_its_source_is_too_small_for_it() {
    let world = World::new(Md5Policy::Refuse);
    let (_, answer, _) = world.invoke(&sample("external-413-larger-than-its-source-may-send")).await;
    insta::assert_snapshot!(answer["message"], @r#""the body is larger than its source may send""#);
    insta::assert_snapshot!(world.console.entries()[0]["error"], @r#""the body is larger than the 4096 bytes that its source may send""#);
    let (_, answer, _) = world.invoke(&to_source("partner", json!({}), &"x".repeat(1_048_577))).await;
    insta::assert_snapshot!(answer["message"], @r#""the event is larger than the queue takes""#);
}

#[tokio::test]
async fn an_event_that_sqs_does_not_confirm_is_kept_whole() {
    let world = World::new(Md5Policy::Refuse);
    world.queue.fail_next([true]);
    assert_eq!(world.invoke(&sample("external-200-fynd-order-placed")).await.0, 503);
    let entry = world.event_log.entries().remove(0);
    assert_eq!((&entry["type"], &entry["message.source"]), (&json!("inbound.unqueued"), &json!("fynd")));
    assert_eq!(entry["entity.ref"], "FY4001");
}

#[tokio::test]
async fn only_a_post_to_one_name_is_a_source() {
    let world = World::new(Md5Policy::Refuse);
    for name in ["", "fynd/", "fynd/more", "FYND", "%66ynd", "..%2Ffynd"] {
        let (status, body, _) = world.invoke(&to_source(name, json!({}), "{}")).await;
        assert_eq!((status, &body["code"]), (404, &json!("E_SOURCE")), "{name}");
    }
    let mut event = sample("external-200-fynd-order-placed");
    event["requestContext"]["http"]["method"] = json!("GET");
    assert_eq!(world.invoke(&event).await.0, 404);
}
