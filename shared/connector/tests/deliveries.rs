//! What a handler's delivery sends, what it records, and what it shows of secrets: nothing.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use connector::breaker;
use connector::cache::Snapshot as _;
use connector::configuration::RoutingTable;
use connector::delivery::{DeliveryFailure, Next, OutboundRequest, Response};
use connector::disposition::Reason;
use connector::event_log::Subject;
use connector::failure::Code;
use connector::handler::{Context, HandlerError, Run};
use connector::message::Message;
use connector::outcome::NoAnswer;
use connector::parameter::{Parameter, Section};
use connector::route::Route;
use connector::secret::Secret;
use connector::sender::Sender;
use connector::standard_webhooks::SigningSecret;
use jiff::Timestamp;
use serde_json::{Value, json};
use testkit::fakes::{FakeJobs, FakeLog, FakeQueue, FakeTransport, ManualClock};

const ENVELOPE: &str = r#"{"version":1,"id":"m1","name":"Shipped","source":"fluent","receivedAt":"2026-11-20T08:30:00Z","payload":{"id":"m1"},"route":"shipped"}"#;
const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
const OAUTH2: &str = "url: https://shop.example
auth: { type: oauth2, tokenUrl: 'https://id.example/token?q=hunter2', clientId: 'a b', clientSecret: hunter2, scope: write }";

/// One endpoint, `shop`, and everything that deliveries to it work with.
struct World {
    endpoint: &'static str,
    sender: Sender,
    transport: Arc<FakeTransport>,
    log: Arc<FakeLog>,
    clock: ManualClock,
}

impl World {
    fn with(endpoint: &'static str) -> Self {
        let (transport, log) = (Arc::new(FakeTransport::default()), Arc::new(FakeLog::default()));
        let clock = ManualClock::default();
        let sender = Sender::new(transport.clone(), log.clone(), clock.port(), Arc::new(|| 0.5));
        Self { endpoint, sender, transport, log, clock }
    }

    async fn deliver(&self, attempt: u32) -> Result<Response, HandlerError> {
        let message = Message::parse(ENVELOPE).unwrap();
        let route = Route::parse("message: Shipped\nendpoint: shop").unwrap();
        let parameter = Parameter {
            section: Section::Endpoints,
            name: "shop".to_owned(),
            value: Secret::new(self.endpoint),
            version: 1,
        };
        let (table, problems) = RoutingTable::build(&[parameter], None);
        assert!(problems.is_empty(), "{problems:?}");
        let webhook = message.webhook_id("shipped");
        let subject = Subject {
            message: Some(&message),
            webhook: Some(&webhook),
            trace: Some(TRACE),
            ..Subject::default()
        };
        let event_queue = &FakeQueue::default();
        let run = Run {
            deadline: Timestamp::MAX,
            table: &table,
            subject,
            sender: &self.sender,
            event_queue,
            group: "g",
            jobs: &FakeJobs::default(),
        };
        Context::new(&message, &route, attempt, run).deliver("shop", b"{\"a\":1}".to_vec()).await
    }

    async fn failed(&self, attempt: u32) -> DeliveryFailure {
        let Err(HandlerError::Delivery(failure)) = self.deliver(attempt).await else {
            unreachable!("the delivery fails");
        };
        failure
    }

    fn answer(&self, statuses: impl IntoIterator<Item = u16>) {
        self.transport.answer_next(statuses.into_iter().map(Ok));
    }

    fn answer_with(&self, status: u16, retry_after: Option<&str>, body: &str) {
        let retry_after = retry_after.map(str::to_owned);
        self.transport.answer_with([Ok(Response { status, retry_after, body: body.into() })]);
    }

    fn token(&self, token: &str, seconds: u64) {
        let body = json!({"access_token": token, "token_type": "Bearer", "expires_in": seconds});
        self.answer_with(200, None, &body.to_string());
    }

    /// Method and URL of each request.
    fn sent(&self) -> Vec<String> {
        let line = |request: &OutboundRequest| format!("{} {}", request.method, request.url.as_url());
        self.transport.requests().iter().map(line).collect()
    }

    fn header(&self, request: usize, name: &str) -> String {
        let requests = self.transport.requests();
        requests[request]
            .headers
            .get(name)
            .map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    }

    fn outcomes(&self) -> Vec<Value> {
        self.log.entries().iter().map(|entry| json!([entry["outcome"], entry["code"]])).collect()
    }
}

const fn retry(seconds: u64) -> Next {
    Next::Retry { after: Duration::from_secs(seconds) }
}

#[tokio::test]
async fn a_receiver_is_told_who_when_and_in_which_trace() {
    let world = World::with("{ url: 'https://shop.example', method: PUT, headers: { x-tenant: acme } }");
    world.deliver(1).await.unwrap();
    assert_eq!(world.sent(), ["PUT https://shop.example/"]);
    let id = Message::parse(ENVELOPE).unwrap().webhook_id("shipped");
    assert!(id.len() == 36 && id.starts_with("msg_"), "{id}");
    for (name, value) in [
        ("webhook-id", id.as_str()),
        ("webhook-timestamp", "1795163400"),
        ("traceparent", "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"),
        ("x-tenant", "acme"),
        ("content-type", "application/json"),
        ("webhook-signature", ""),
        ("authorization", ""),
    ] {
        assert_eq!(world.header(0, name), value, "{name}");
    }
    assert_eq!(world.log.entries()[0]["webhook.id"], id);
}

#[tokio::test]
async fn each_attempt_is_signed_anew_by_every_secret() {
    const FIRST: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const SECOND: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let world = World::with(
        "url: https://shop.example
auth: { type: standard-webhooks, secrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD, whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw] }",
    );
    world.deliver(1).await.unwrap();
    world.clock.advance(Duration::from_mins(5));
    world.deliver(2).await.unwrap();
    let id = world.header(0, "webhook-id");
    assert_eq!(id, world.header(1, "webhook-id"), "the id stays, so that the receiver can know it again");
    for (request, timestamp) in [(0, 1_795_163_400), (1, 1_795_163_700)] {
        assert_eq!(world.header(request, "webhook-timestamp"), timestamp.to_string());
        let expected = [FIRST, SECOND]
            .map(|secret| SigningSecret::parse(secret).unwrap().sign(&id, timestamp, b"{\"a\":1}"));
        assert_eq!(world.header(request, "webhook-signature"), expected.join(" "));
    }
}

#[tokio::test]
async fn a_fixed_proof_is_sent_with_every_request() {
    for (endpoint, header, value) in [
        ("url: https://shop.example\nauth: { type: bearer, token: abc }", "authorization", "Bearer abc"),
        (
            "url: https://shop.example\nauth: { type: basic, username: a, password: b }",
            "authorization",
            "Basic YTpi",
        ),
        ("url: https://shop.example\nauth: { type: api-key, header: x-key, value: abc }", "x-key", "abc"),
    ] {
        let world = World::with(endpoint);
        world.deliver(1).await.unwrap();
        assert_eq!(world.header(0, header), value);
    }
}

#[tokio::test]
async fn a_token_is_had_once_and_kept_until_shortly_before_it_expires() {
    let world = World::with(OAUTH2);
    world.token("first", 3_600);
    world.answer([200, 200]);
    world.deliver(1).await.unwrap();
    world.deliver(1).await.unwrap();
    world.clock.advance(Duration::from_mins(59));
    world.token("second", 3_600);
    world.deliver(1).await.unwrap();
    let shop = "POST https://shop.example/";
    let token = "POST https://id.example/token?q=hunter2";
    assert_eq!(world.sent(), [token, shop, shop, token, shop]);
    assert_eq!(world.header(0, "authorization"), "Basic YStiOmh1bnRlcjI=", "a+b:hunter2");
    assert_eq!(world.transport.requests()[0].body, b"grant_type=client_credentials&scope=write");
    for (request, value) in [(1, "Bearer first"), (2, "Bearer first"), (4, "Bearer second")] {
        assert_eq!(world.header(request, "authorization"), value);
    }
    let entries = world.log.entries();
    let purposes: Vec<_> = entries.iter().map(|entry| entry["purpose"].as_str().unwrap()).collect();
    let told = ["call", "delivery", "delivery", "call", "delivery"];
    assert_eq!(purposes, told, "a token call is on record as well");
    assert_eq!(entries[0]["request.url"], "https://id.example/token?q=***");
    assert!(entries[0].get("response.body").is_none(), "but never its answer");
}

#[tokio::test]
async fn a_token_that_ended_early_is_replaced_at_the_next_attempt() {
    let world = World::with(OAUTH2);
    world.token("first", 3_600);
    world.answer([200, 401]);
    world.deliver(1).await.unwrap();
    let failure = world.failed(1).await;
    assert_eq!((failure.code, failure.status, failure.next), (Code::Token, Some(401), retry(5)));
    world.token("second", 3_600);
    world.answer([401]);
    let failure = world.failed(2).await;
    assert_eq!(
        failure.next,
        Next::Undelivered { reason: Reason::Refused },
        "a fresh one is refused for good"
    );
    assert_eq!(failure.code, Code::Rejected);
    assert_eq!(world.header(4, "authorization"), "Bearer second");
    assert_eq!(
        world.outcomes(),
        [
            json!(["answered", null]),
            json!(["delivered", null]),
            json!(["retry", "E_TOKEN"]),
            json!(["answered", null]),
            json!(["undelivered", "E_REJECTED"])
        ]
    );
}

#[tokio::test]
async fn no_token_is_a_retry_where_its_server_may_answer_later_and_misconfigured_where_it_refuses() {
    for (answer, next) in [
        (Ok(503), retry(5)),
        (Ok(429), retry(5)),
        (Err(NoAnswer::Timeout), retry(5)),
        (Ok(401), Next::Undelivered { reason: Reason::Misconfigured }),
        (Ok(400), Next::Undelivered { reason: Reason::Misconfigured }),
        (Ok(200), retry(5)),
        (Err(NoAnswer::BlockedAddress), Next::Undelivered { reason: Reason::Misconfigured }),
    ] {
        let world = World::with(OAUTH2);
        world.transport.answer_next([answer]);
        let failure = world.failed(1).await;
        assert_eq!((failure.code, failure.next), (Code::Token, next), "{answer:?}");
        assert_eq!(world.sent().len(), 1, "nothing is delivered without a token");
    }
    let world = World::with(OAUTH2);
    world.answer([503]);
    let failure = world.failed(7).await;
    assert_eq!(failure.next, Next::Undelivered { reason: Reason::Exhausted });
}

#[tokio::test]
async fn many_that_wait_for_a_token_cause_one_call() {
    let world = World::with(OAUTH2);
    world.token("first", 3_600);
    let all = futures_util::future::join_all((0..20).map(|_| world.deliver(1))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(world.sent().iter().filter(|line| line.contains("id.example")).count(), 1);
    let world = World::with(OAUTH2);
    world.answer([503]);
    let all = futures_util::future::join_all((0..20).map(|_| world.deliver(1))).await;
    assert!(all.iter().all(Result::is_err));
    assert_eq!(world.sent().len(), 1, "those who waited share the failure");
    assert_eq!(world.log.entries().len(), 20, "each has its record");
    world.token("second", 3_600);
    world.deliver(2).await.unwrap();
}

#[tokio::test]
async fn the_last_of_several_attempts_has_a_new_token() {
    let world = World::with(OAUTH2);
    world.token("first", 3_600);
    world.deliver(1).await.unwrap();
    world.token("second", 3_600);
    world.deliver(7).await.unwrap();
    assert_eq!(world.header(3, "authorization"), "Bearer second");
}

#[tokio::test]
async fn a_token_call_is_treated_like_any_other() {
    let world = World::with(OAUTH2);
    world.answer_with(429, Some("120"), "");
    let failure = world.failed(1).await;
    assert_eq!((failure.code, failure.next), (Code::Token, retry(120)), "its Retry-After is honoured");
    assert_eq!(world.log.entries()[0]["retry_after_s"], 120);
    for body in ["", "<html>", r#"{"access_token":""}"#] {
        let world = World::with(OAUTH2);
        world.answer_with(200, None, body);
        let failure = world.failed(1).await;
        assert_eq!((failure.code, failure.next), (Code::Token, retry(5)), "{body}");
        assert_eq!(world.outcomes(), [json!(["retry", "E_TOKEN"])], "{body}");
    }
    let world = World::with(OAUTH2);
    world.transport.answer_next([Err(NoAnswer::Timeout), Err(NoAnswer::Timeout)]);
    world.failed(1).await;
    world.failed(1).await;
    assert_eq!(world.failed(2).await.code, Code::Unresponsive);
    assert_eq!(world.sent().len(), 2, "a token server that hangs is left alone");
    assert_eq!(world.log.entries()[2]["request.url"], "https://id.example/token?q=***");
    let mut world = World::with(OAUTH2);
    world.sender.transport = Arc::new(testkit::fakes::HangingTransport);
    let given_up = tokio::time::timeout(Duration::from_millis(1), world.deliver(1)).await;
    assert!(given_up.is_err());
    assert_eq!(world.outcomes(), [json!(["unknown", "E_CANCELLED"])]);
}

#[tokio::test]
async fn a_token_without_a_life_is_used_once() {
    for expires in [json!(0), json!(-5), json!("-1")] {
        let world = World::with(OAUTH2);
        for _ in 0..2 {
            world.answer_with(200, None, &json!({"access_token": "a", "expires_in": expires}).to_string());
            world.deliver(1).await.unwrap();
        }
        assert_eq!(world.sent().len(), 4, "{expires}");
    }
}

#[tokio::test]
async fn what_a_receiver_asks_for_is_honoured_between_the_schedule_and_eleven_hours() {
    for (status, asked, seconds) in [
        (429, "120", 120),
        (503, "Fri, 20 Nov 2026 08:40:00 GMT", 600),
        (429, "1", 5),
        (503, "999999", 11 * 3_600),
        (429, "soon", 5),
    ] {
        let world = World::with("https://shop.example");
        world.answer_with(status, Some(asked), "");
        assert_eq!(world.failed(1).await.next, retry(seconds), "{asked}");
        assert_eq!(world.log.entries()[0]["retry_after_s"], seconds);
    }
}

#[tokio::test]
async fn no_secret_is_shown_whatever_a_receiver_echoes() {
    let endpoints = [
        "url: https://shop.example/?key=hunter2-query\nheaders: { x-a: hunter2-header }\nauth: { type: bearer, token: hunter2-token }",
        "url: https://shop.example\nauth: { type: basic, username: a, password: hunter2-password }",
        "url: https://shop.example\nauth: { type: api-key, header: x-key, value: hunter2-value }",
        "url: https://shop.example\nauth: { type: standard-webhooks, secrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD] }",
    ];
    for endpoint in endpoints {
        let world = World::with(endpoint);
        world.deliver(1).await.unwrap();
        let request = &world.transport.requests()[0];
        let mut echo = format!("{} {endpoint}", request.url.as_url());
        for (name, value) in &request.headers {
            writeln!(echo, "\n{name}: {}", value.to_str().unwrap()).unwrap();
        }
        world.answer_with(200, None, &echo);
        world.deliver(1).await.unwrap();
        let shown = world.log.entries()[1]["response.body"].as_str().unwrap().to_owned();
        let signature = world.header(0, "webhook-signature");
        let signature = signature.strip_prefix("v1,").unwrap_or("no signature");
        for secret in ["hunter2", "YTpodW50ZXIy", "whsec_C2", "C2FVsBQI", signature] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("webhook-id: msg_"), "what is no secret stays: {shown}");
        assert!(!format!("{request:?}").contains("hunter2"), "nor by Debug");
    }
    let world = World::with(OAUTH2);
    world.token("hunter2-access", 3_600);
    world.answer_with(403, None, "you sent Bearer hunter2-access");
    world.failed(1).await;
    assert!(!format!("{:?}", world.log.entries()).contains("hunter2"));
}

#[tokio::test]
async fn an_endpoint_that_hangs_is_left_alone_for_a_while_but_never_at_the_last_attempt() {
    let world = World::with("https://shop.example");
    world.transport.answer_next([Err(NoAnswer::Timeout), Err(NoAnswer::Timeout)]);
    assert_eq!(world.failed(1).await.code, Code::Timeout);
    assert_eq!(world.failed(1).await.code, Code::Timeout);
    let failure = world.failed(2).await;
    assert_eq!((failure.code, failure.next), (Code::Unresponsive, retry(300)));
    assert_eq!(world.sent().len(), 2, "nothing was sent");
    assert_eq!(world.outcomes()[2], json!(["retry", "E_UNRESPONSIVE"]), "but it is on record");
    world.deliver(7).await.unwrap();
    assert_eq!(world.sent().len(), 3, "the last attempt is made");
    world.deliver(1).await.unwrap();
    world.transport.answer_next([Err(NoAnswer::Timeout), Err(NoAnswer::Timeout)]);
    world.failed(1).await;
    world.failed(1).await;
    world.clock.advance(breaker::FIRST_REST);
    world.deliver(2).await.unwrap();
}

#[tokio::test]
async fn a_delivery_that_is_given_up_half_way_is_on_record() {
    let mut world = World::with("https://shop.example/?token=hunter2");
    world.sender.transport = Arc::new(testkit::fakes::HangingTransport);
    let given_up = tokio::time::timeout(Duration::from_millis(1), world.deliver(1)).await;
    assert!(given_up.is_err());
    assert_eq!(world.outcomes(), [json!(["unknown", "E_CANCELLED"])]);
    assert_eq!(world.log.entries()[0]["request.url"], "https://shop.example/?token=***");
}

#[tokio::test]
async fn a_paused_endpoint_gets_nothing() {
    let world = World::with("{ url: 'https://shop.example', paused: true }");
    let error = world.deliver(1).await.unwrap_err();
    assert_eq!(error, HandlerError::Paused { endpoint: "shop".to_owned() });
    assert!(world.sent().is_empty() && world.log.entries().is_empty());
}
