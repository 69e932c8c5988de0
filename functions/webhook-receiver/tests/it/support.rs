//! The receiver as `main` makes it, with fakes for AWS, and requests to it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use connector::cache::{Cache, Snapshot};
use connector::parameter::Section;
use connector::signature::Md5Policy;
use connector::webhook::Served;
use lambda_http::lambda_runtime::{Context, LambdaEvent};
use lambda_http::request::LambdaRequest;
use lambda_http::tower::Service as _;
use lambda_http::{Adapter, Request, service_fn};
use serde_json::{Value, json};
use testkit::fakes::{FakeConfiguration, FakeLog, FakeQueue, FakeTracer, ManualClock};
use webhook_receiver::http::answer;
use webhook_receiver::receive::{PATIENCE, Receiver};

pub(crate) struct World {
    pub(crate) receiver: Receiver,
    pub(crate) configuration: Arc<FakeConfiguration>,
    pub(crate) queue: Arc<FakeQueue>,
    pub(crate) console: Arc<FakeLog>,
    pub(crate) event_log: Arc<FakeLog>,
    pub(crate) tracer: Arc<FakeTracer>,
    pub(crate) clock: ManualClock,
    pub(crate) trace: &'static str,
}

impl World {
    pub(crate) fn new(md5: Md5Policy) -> Self {
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
    pub(crate) async fn invoke(&self, event: &Value) -> (u64, Value, Value) {
        let response = self.invoke_raw(event).await;
        let body = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
        (response["statusCode"].as_u64().unwrap(), body, response["headers"].clone())
    }

    pub(crate) async fn invoke_raw(&self, event: &Value) -> Value {
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
    pub(crate) fn with_source(name: &str, document: &str) -> Self {
        let world = Self::new(Md5Policy::Refuse);
        world.configuration.put(Section::Sources, name, document);
        world
    }
}

pub(crate) fn sample(name: &str) -> Value {
    let path = events().join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn events() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events")
}

/// As `main` makes it.
pub(crate) fn cache<S: Snapshot>(
    configuration: &Arc<FakeConfiguration>,
    clock: &ManualClock,
    console: &Arc<FakeLog>,
) -> Cache<S> {
    let ttl = Duration::from_secs(30);
    let cache = Cache::new(configuration.clone(), ttl, clock.port(), console.clone());
    cache.patient(PATIENCE, Arc::new(|| 0.5))
}

/// A request to a source, with these headers and this body.
pub(crate) fn to_source(source: &str, headers: Value, body: &str) -> Value {
    let mut event = sample("external-200-fynd-order-placed");
    let path = format!("/api/v1/fluent-connect/external-system/webhook/{source}");
    event["rawPath"] = json!(path);
    event["requestContext"]["http"]["path"] = json!(path);
    event["headers"] = headers;
    event["body"] = json!(body);
    event
}

/// A signed request with this body.
pub(crate) fn signed(body: &str) -> Value {
    let mut event = sample("webhook-200-fluent-signature");
    event["headers"]["fluent-signature"] = json!(testkit::signing::sign_sha512(body.as_bytes()));
    event["body"] = json!(body);
    event
}

pub(crate) fn refused_types(world: &World) -> Vec<String> {
    world.console.types().into_iter().filter(|kind| kind == "inbound.refused").collect()
}
