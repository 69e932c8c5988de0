//! A job's runs on the workbench: its messages as SQS gives them out, and what it hands over.

use std::collections::BTreeSet;
use std::time::Duration;

use connector::delivery::{OutboundRequest, Response};
use connector::handler::HandlerError;
use connector::job::{Asker, Beginning, Start, State};
use connector::message::{Message, Outgoing};
use connector::parameter::Section;
use jiff::Timestamp;
use serde_json::{Value, json};
use testkit::workbench::Workbench;

const ACCOUNT: &str = "{ baseUrl: https://acme.api.example, username: u, password: hunter2-p, clientId: c, clientSecret: hunter2-s, retailerId: 1 }";
const PROJECT: &str = "{ authUrl: https://auth.example, apiUrl: https://api.example, clientId: c, clientSecret: hunter2-s, accountId: ACME, retailerId: 1 }";
/// More steps than any run of these tests has.
const MOST_STEPS: usize = 2_000;

/// A job whose route has its name, and what has become of it.
pub(crate) struct Running {
    pub(crate) bench: Workbench,
    job: &'static str,
    group: Vec<Message>,
    /// What was handed over, and not taken for known by SQS.
    pub(crate) items: Vec<Outgoing>,
    seen: BTreeSet<String>,
    taken: usize,
    starts: u32,
    /// Handled messages of the job.
    pub(crate) handled: usize,
}

impl Running {
    /// With the job's route and these others; an account ACME and a project `shop`, unless there are other ones.
    pub(crate) fn new(job: &'static str, route: &Value, others: &[(Section, &str, &str)]) -> Self {
        let route = route.to_string();
        let mut parameters = vec![(Section::Routes, job, route.as_str())];
        for (section, name, value) in
            [(Section::Accounts, "ACME", ACCOUNT), (Section::Commercetools, "shop", PROJECT)]
        {
            let is_given = others.iter().any(|(other, ..)| *other == section);
            parameters.extend((!is_given).then_some((section, name, value)));
        }
        parameters.extend_from_slice(others);
        let bench = Workbench::with(&parameters);
        let (group, items, seen) = Default::default();
        Self { bench, job, group, items, seen, taken: 0, starts: 0, handled: 0 }
    }

    /// Answers as this server does; tokens are given out.
    pub(crate) fn answered_by(&self, answer: impl Fn(&OutboundRequest) -> Value + Send + Sync + 'static) {
        self.bench.transport.answer_by(move |request| {
            let is_token = request.url.as_url().path() == "/oauth/token";
            let token = || json!({"access_token": "hunter2-t", "expires_in": 3600});
            let body = if is_token { token() } else { answer(request) };
            Response { status: 200, retry_after: None, body: body.to_string().into_bytes() }
        });
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.bench.clock.port()()
    }

    pub(crate) fn start(&mut self, beginning: Beginning) {
        self.starts += 1;
        let start = Start {
            route: self.job.to_owned(),
            id: format!("{}/{}", self.job, self.starts),
            requested_at: self.now(),
            asker: Asker::Person,
            beginning,
        };
        self.queued(start.outgoing(None).unwrap());
    }

    fn queued(&mut self, outgoing: Outgoing) {
        if !self.seen.insert(outgoing.deduplication.clone()) {
            return;
        }
        let message = Message::parse(&outgoing.body).unwrap();
        if message.route.as_deref() == Some(self.job) {
            self.group.push(message);
        } else {
            self.items.push(outgoing);
        }
    }

    /// Lets the head of the job's group be handled once; it stays where that failed.
    pub(crate) async fn handle(&mut self) -> Result<(), HandlerError> {
        let head = self.group.first().unwrap().clone();
        let result = self.bench.handle(&handlers::registry().build().unwrap(), &head).await;
        self.handled += 1;
        if result.is_ok() {
            self.group.remove(0);
        }
        let sent = self.bench.event_queue.sent();
        for outgoing in sent.iter().skip(self.taken) {
            self.queued(outgoing.clone());
        }
        self.taken = sent.len();
        result
    }

    /// A whole run.
    pub(crate) async fn run(&mut self, beginning: Beginning) -> Result<(), HandlerError> {
        self.start(beginning);
        for _ in 0..MOST_STEPS {
            if self.group.is_empty() {
                return Ok(());
            }
            self.bench.clock.advance(Duration::from_secs(1));
            self.handle().await?;
        }
        panic!("it never ends");
    }

    pub(crate) fn state(&self) -> State {
        State::parse(self.job, self.bench.jobs.text(self.job).as_deref()).unwrap()
    }

    pub(crate) fn messages(&self) -> Vec<Message> {
        self.items.iter().map(|outgoing| Message::parse(&outgoing.body).unwrap()).collect()
    }

    /// The payloads of what was handed over.
    pub(crate) fn payloads(&self) -> Vec<Value> {
        self.messages().iter().map(|message| serde_json::from_str(message.payload.get()).unwrap()).collect()
    }

    /// The notes in the event log, which holds no secret.
    pub(crate) fn notes(&self) -> Vec<String> {
        assert!(!format!("{:?}", self.bench.log.entries()).contains("hunter2"));
        let entries = self.bench.log.entries();
        entries.iter().filter_map(|entry| Some(entry.get("note")?.as_str()?.to_owned())).collect()
    }

    /// What was asked, tokens aside.
    pub(crate) fn asked(&self) -> Vec<OutboundRequest> {
        let requests = self.bench.transport.requests().into_iter();
        requests.filter(|request| request.url.as_url().path() != "/oauth/token").collect()
    }
}

/// Why a step is parked.
pub(crate) fn problem(result: Result<(), HandlerError>) -> String {
    match result {
        Err(HandlerError::Misconfigured { reason, .. }) => reason,
        other => panic!("{other:?} is not misconfigured"),
    }
}

/// The value of a parameter of a URL's query.
pub(crate) fn parameter(request: &OutboundRequest, name: &str) -> Option<String> {
    let mut pairs = request.url.as_url().query_pairs();
    pairs.find_map(|(known, value)| (known == name).then(|| value.into_owned()))
}
