//! A commercetools in memory, and messages that are handled with it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use commercetools::{Client, CommercetoolsContext as _};
use connector::cache::Snapshot as _;
use connector::configuration::RoutingTable;
use connector::delivery::{Attempt, DeliveryFailure, OutboundRequest, Response, TransportFailure};
use connector::event_log::Subject;
use connector::handler::{Context, HandlerError, Run};
use connector::message::Message;
use connector::outcome::NoAnswer;
use connector::parameter::{Parameter, Section};
use connector::ports::Transport;
use connector::route::Route;
use connector::secret::Secret;
use connector::sender::Sender;
use jiff::SignedDuration;
use serde_json::{Value, json};
use testkit::fakes::{FakeJobs, FakeLog, FakeQueue, ManualClock};

/// Part of every secret and of no other text.
pub(crate) const MARK: &str = "hunter2";

/// Answers token calls with numbered tokens, refuses those that have ended, and else answers as told.
#[derive(Default)]
pub(crate) struct FakeCommercetools {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    requests: Vec<OutboundRequest>,
    answers: VecDeque<Result<Response, NoAnswer>>,
    /// Resources by id, for queries.
    stored: BTreeMap<String, Value>,
    tokens: u32,
    accepted: Vec<String>,
}

pub(crate) fn response(status: u16, body: impl Into<Vec<u8>>) -> Response {
    Response { status, retry_after: None, body: body.into() }
}

pub(crate) fn refusal(status: u16, code: &str) -> Response {
    let error = json!({"code": code, "message": format!("told: {code}")});
    response(status, json!({"statusCode": status, "message": "m", "errors": [error]}).to_string())
}

impl FakeCommercetools {
    /// The next answers to anything but token calls.
    pub(crate) fn answer(&self, answers: impl IntoIterator<Item = Response>) {
        self.answer_with(answers.into_iter().map(Ok));
    }

    /// The same, some of which are none.
    pub(crate) fn answer_with(&self, answers: impl IntoIterator<Item = Result<Response, NoAnswer>>) {
        self.locked(|state| state.answers.extend(answers));
    }

    /// Keeps a resource, for queries.
    pub(crate) fn store(&self, id: &str, resource: Value) {
        self.locked(|state| state.stored.insert(id.to_owned(), resource));
    }

    /// Forgets it.
    pub(crate) fn delete(&self, id: &str) {
        self.locked(|state| state.stored.remove(id));
    }

    /// Accepts no token that it has given out.
    pub(crate) fn end_all_tokens(&self) {
        self.locked(|state| state.accepted.clear());
    }

    pub(crate) fn requests(&self) -> Vec<OutboundRequest> {
        self.locked(|state| state.requests.clone())
    }

    /// Method and URL of each request but token calls, without the host.
    pub(crate) fn sent(&self) -> Vec<String> {
        let requests = self.requests();
        let calls = requests.iter().filter(|request| !is_token_call(request));
        calls
            .map(|request| {
                let url = request.url.as_url();
                let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
                format!("{} {}{query}", request.method, url.path())
            })
            .collect()
    }

    /// The bodies of its writes.
    pub(crate) fn written(&self) -> Vec<Value> {
        let requests = self.requests();
        let writes = requests.iter().filter(|request| request.method == "POST" && !is_token_call(request));
        writes.map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
    }

    /// How many token calls there were.
    pub(crate) fn token_calls(&self) -> usize {
        self.requests().iter().filter(|request| is_token_call(request)).count()
    }

    fn locked<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn is_token_call(request: &OutboundRequest) -> bool {
    request.url.as_url().path().ends_with("/oauth/token")
}

impl State {
    fn answer(&mut self, request: &OutboundRequest) -> Result<Response, NoAnswer> {
        if is_token_call(request) {
            return Ok(self.token());
        }
        let sent = request.headers["authorization"].to_str().unwrap();
        if !self.accepted.iter().any(|token| sent == format!("Bearer {token}")) {
            return Ok(refusal(401, "invalid_token"));
        }
        let told = self.answers.pop_front();
        told.unwrap_or_else(|| Ok(self.page(request)))
    }

    fn token(&mut self) -> Response {
        self.tokens += 1;
        let token = format!("{MARK}-token-{}", self.tokens);
        self.accepted.push(token.clone());
        response(
            200,
            json!({"access_token": token, "token_type": "Bearer", "expires_in": 172_800}).to_string(),
        )
    }

    /// By id, from behind the one that the predicate ends with.
    fn page(&self, request: &OutboundRequest) -> Response {
        let query: BTreeMap<_, _> = request.url.as_url().query_pairs().into_owned().collect();
        assert_eq!((query["sort"].as_str(), query["withTotal"].as_str()), ("id asc", "false"));
        let limit = query["limit"].parse().unwrap();
        let after =
            query.get("where").and_then(|predicate| predicate.rsplit_once("id > \"")).map(|(_, id)| id);
        let after = after.map(|id| id.trim_end_matches('"').to_owned()).unwrap_or_default();
        let found: Vec<_> =
            self.stored.iter().filter(|(id, _)| **id > after).take(limit).map(|(_, stored)| stored).collect();
        let mut body =
            json!({"limit": limit, "offset": 0, "count": found.len(), "results": found}).to_string();
        body.truncate(connector::call::CALL_ANSWER_BYTES);
        response(200, body)
    }
}

#[async_trait]
impl Transport for FakeCommercetools {
    async fn send(&self, request: OutboundRequest) -> Attempt {
        tokio::task::yield_now().await; // as a network does: whoever works beside it has its turn
        let result = self.locked(|state| {
            state.requests.push(request.clone());
            state.answer(&request)
        });
        let detail = || "the fake commercetools was told to fail".to_owned();
        let result = result.map_err(|cause| TransportFailure { cause, detail: detail() });
        Attempt::new(request, Duration::from_millis(1), result)
    }
}

/// The projects `shop` and `other`, and everything that calls to them work with.
pub(crate) struct World {
    pub(crate) api: Arc<FakeCommercetools>,
    pub(crate) log: Arc<FakeLog>,
    pub(crate) clock: ManualClock,
    pub(crate) time_left: SignedDuration,
    pub(crate) project: &'static str,
    /// The message's payload.
    pub(crate) payload: Value,
    pub(crate) sender: Sender,
}

impl Default for World {
    fn default() -> Self {
        let (api, log) = (Arc::new(FakeCommercetools::default()), Arc::new(FakeLog::default()));
        let clock = ManualClock::default();
        let sender = Sender::new(api.clone(), log.clone(), clock.port(), Arc::new(|| 0.5));
        let payload = json!({"accountId": "ACME", "entityRef": "HD_1", "entityType": "ORDER"});
        let time_left = SignedDuration::from_secs(25);
        Self { api, log, clock, time_left, project: "shop", payload, sender }
    }
}

fn project(key: &str, account: &str, retailer: u32) -> Parameter {
    let text = format!(
        "{{ authUrl: 'https://auth.example', apiUrl: 'https://api.example', clientId: c-{key}, clientSecret: {MARK}-{key}, accountId: {account}, retailerId: {retailer} }}"
    );
    let (section, name) = (Section::Commercetools, key.to_owned());
    Parameter { section, name, value: Secret::new(text), version: 1 }
}

impl World {
    /// Lets a handler work with its context.
    pub(crate) async fn handle<T>(&self, work: impl AsyncFnOnce(&Context<'_>) -> T) -> T {
        let envelope = json!({"version": 1, "id": "m1", "name": "Shipped", "source": "fluent", "receivedAt": "2026-11-20T08:30:00Z", "payload": self.payload});
        let message = Message::parse(&envelope.to_string()).unwrap();
        let route = Route::parse("message: Shipped\nendpoint: nowhere").unwrap();
        let parameters =
            [project("shop", "ACME", 1), project("other", "ACME", 2), project("third", "THIRD", 1)];
        let (table, problems) = RoutingTable::build(&parameters, None);
        assert!(problems.is_empty(), "{problems:?}");
        let deadline = (self.sender.clock)().saturating_add(self.time_left).unwrap();
        let about = message.about();
        let subject = Subject { message: Some(&message), about: Some(&about), ..Subject::default() };
        let event_queue = &FakeQueue::default();
        let jobs = &FakeJobs::default();
        let run =
            Run { deadline, table: &table, subject, sender: &self.sender, event_queue, group: "g", jobs };
        work(&Context::new(&message, &route, 1, run)).await
    }

    /// Lets a handler work with the client of a project.
    pub(crate) async fn with_client<T>(
        &self,
        work: impl AsyncFnOnce(Client<'_>) -> Result<T, HandlerError>,
    ) -> Result<T, HandlerError> {
        self.handle(async |context: &Context<'_>| work(context.commercetools(self.project)?).await).await
    }

    /// Outcome, code and error of each entry but those of token calls.
    pub(crate) fn outcomes(&self) -> Vec<Value> {
        let entries = self.log.entries();
        let calls =
            entries.iter().filter(|entry| !entry["request.url"].as_str().unwrap().contains("/oauth/token"));
        calls.map(|entry| json!([entry["outcome"], entry["code"], entry["error"]])).collect()
    }
}

/// The failure of a delivery.
pub(crate) fn failure<T: std::fmt::Debug>(result: Result<T, HandlerError>) -> DeliveryFailure {
    match result {
        Err(HandlerError::Delivery(failure)) => failure,
        other => panic!("a delivery failed, not {other:?}"),
    }
}
