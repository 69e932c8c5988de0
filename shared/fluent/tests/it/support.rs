//! A Fluent in memory, and messages that are handled with it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use connector::cache::Snapshot as _;
use connector::configuration::RoutingTable;
use connector::delivery::{Attempt, OutboundRequest, Response, TransportFailure};
use connector::event_log::Subject;
use connector::handler::{Context, HandlerError, Run};
use connector::message::Message;
use connector::outcome::NoAnswer;
use connector::parameter::{Parameter, Section};
use connector::ports::Transport;
use connector::route::Route;
use connector::secret::Secret;
use connector::sender::Sender;
use fluent::{Client, FluentContext as _};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testkit::fakes::{FakeJobs, FakeLog, FakeQueue, ManualClock};

/// Part of every secret and of no other text.
pub(crate) const MARK: &str = "hunter2";

/// Answers token calls with numbered tokens, refuses all but the newest one of each account, and else answers as told.
#[derive(Default)]
pub(crate) struct FakeFluent {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    requests: Vec<OutboundRequest>,
    answers: VecDeque<Result<Response, NoAnswer>>,
    token_answers: VecDeque<Result<Response, NoAnswer>>,
    tokens: u32,
    accepted: Vec<String>,
}

pub(crate) fn response(status: u16, body: impl Into<Vec<u8>>) -> Response {
    Response { status, retry_after: None, body: body.into() }
}

impl FakeFluent {
    /// The next answers to anything but token calls.
    pub(crate) fn answer(&self, answers: impl IntoIterator<Item = Result<Response, NoAnswer>>) {
        self.locked(|state| state.answers.extend(answers));
    }

    /// The next answers to token calls.
    pub(crate) fn answer_for_token(&self, answers: impl IntoIterator<Item = Result<Response, NoAnswer>>) {
        self.locked(|state| state.token_answers.extend(answers));
    }

    /// Accepts no token that it has given out.
    pub(crate) fn end_all_tokens(&self) {
        self.locked(|state| state.accepted.clear());
    }

    pub(crate) fn requests(&self) -> Vec<OutboundRequest> {
        self.locked(|state| state.requests.clone())
    }

    /// Host and path of each request.
    pub(crate) fn sent(&self) -> Vec<String> {
        let requests = self.requests();
        let urls = requests.iter().map(|request| request.url.as_url());
        urls.map(|url| format!("{}{}", url.host_str().unwrap(), url.path())).collect()
    }

    /// How many token calls there were.
    pub(crate) fn token_calls(&self) -> usize {
        self.sent().iter().filter(|sent| sent.ends_with("/oauth/token")).count()
    }

    fn locked<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn answer(&mut self, request: &OutboundRequest) -> Result<Response, NoAnswer> {
        if request.url.as_url().path().ends_with("/oauth/token") {
            return self.token_answers.pop_front().unwrap_or_else(|| Ok(self.token()));
        }
        let sent = request.headers["authorization"].to_str().unwrap();
        if !self.accepted.iter().any(|token| sent == format!("Bearer {token}")) {
            return Ok(response(401, format!("no: {sent}")));
        }
        self.answers.pop_front().unwrap_or_else(|| Ok(response(200, r#"{"data": {}}"#)))
    }

    fn token(&mut self) -> Response {
        self.tokens += 1;
        let token = format!("{MARK}-token-{}", self.tokens);
        self.accepted.push(token.clone());
        response(200, json!({"access_token": token, "token_type": "bearer", "expires_in": 3_600}).to_string())
    }
}

#[async_trait]
impl Transport for FakeFluent {
    async fn send(&self, request: OutboundRequest) -> Attempt {
        tokio::task::yield_now().await; // as a network does: whoever works beside it has its turn
        let result = self.locked(|state| {
            state.requests.push(request.clone());
            state.answer(&request)
        });
        tokio::task::yield_now().await;
        let detail = || "the fake Fluent was told to fail".to_owned();
        let result = result.map_err(|cause| TransportFailure { cause, detail: detail() });
        Attempt::new(request, Duration::from_millis(1), result)
    }
}

/// The accounts `ACME` and `OTHER`, and everything that calls to them work with.
pub(crate) struct World {
    pub(crate) fluent: Arc<FakeFluent>,
    pub(crate) log: Arc<FakeLog>,
    pub(crate) clock: ManualClock,
    pub(crate) time_left: SignedDuration,
    pub(crate) attempt: u32,
    pub(crate) account: &'static str,
    pub(crate) endpoint: Option<&'static str>,
    pub(crate) sender: Sender,
}

impl Default for World {
    fn default() -> Self {
        let (fluent, log) = (Arc::new(FakeFluent::default()), Arc::new(FakeLog::default()));
        let clock = ManualClock::default();
        let sender = Sender::new(fluent.clone(), log.clone(), clock.port(), Arc::new(|| 0.5));
        let time_left = SignedDuration::from_secs(25);
        Self { fluent, log, clock, time_left, attempt: 1, account: "ACME", endpoint: None, sender }
    }
}

fn parameter(section: Section, name: &str, value: &str) -> Parameter {
    Parameter { section, name: name.to_owned(), value: Secret::new(value), version: 1 }
}

fn account(id: &str) -> Parameter {
    let host = id.to_lowercase();
    let text = format!(
        "{{ baseUrl: 'https://{host}.example/', username: api, password: {MARK}-p-{id}, clientId: {id}, clientSecret: {MARK}-c-{id}, retailerId: 7 }}"
    );
    parameter(Section::Accounts, id, &text)
}

impl World {
    /// Lets a handler work with its context.
    pub(crate) async fn handle<T>(&self, work: impl AsyncFnOnce(&Context<'_>) -> T) -> T {
        let payload =
            json!({"id": "m1", "accountId": self.account, "entityRef": "HD_1", "entityType": "ORDER"});
        let envelope = json!({"version": 1, "id": "m1", "name": "Shipped", "source": "fluent", "receivedAt": "2026-11-20T08:30:00Z", "payload": payload});
        let message = Message::parse(&envelope.to_string()).unwrap();
        let route = Route::parse("message: Shipped\nendpoint: shop").unwrap();
        let shop = self.endpoint.map(|text| parameter(Section::Endpoints, "shop", text));
        let parameters: Vec<_> = [account("ACME"), account("OTHER")].into_iter().chain(shop).collect();
        let (table, problems) = RoutingTable::build(&parameters, None);
        assert!(problems.is_empty(), "{problems:?}");
        let now: Timestamp = (self.sender.clock)();
        let deadline = now.saturating_add(self.time_left).unwrap();
        let about = message.about();
        let subject = Subject { message: Some(&message), about: Some(&about), ..Subject::default() };
        let event_queue = &FakeQueue::default();
        let jobs = &FakeJobs::default();
        let run =
            Run { deadline, table: &table, subject, sender: &self.sender, event_queue, group: "g", jobs };
        work(&Context::new(&message, &route, self.attempt, run)).await
    }

    /// Lets a handler work with the client of the message's account.
    pub(crate) async fn with_client<T>(
        &self,
        work: impl AsyncFnOnce(Client<'_>) -> Result<T, HandlerError>,
    ) -> Result<T, HandlerError> {
        self.handle(async |context: &Context<'_>| work(context.fluent()?).await).await
    }

    pub(crate) async fn query(&self) -> Result<Value, HandlerError> {
        self.with_client(async |client: Client<'_>| client.graphql("{ me { id } }", &json!({})).await).await
    }

    /// Outcome and code of each entry.
    pub(crate) fn outcomes(&self) -> Vec<Value> {
        self.log.entries().iter().map(|entry| json!([entry["outcome"], entry["code"]])).collect()
    }
}
