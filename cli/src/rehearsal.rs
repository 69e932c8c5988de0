//! A route's handler at work on an event, with nothing sent: what it would send is kept, and answered as told.
//!
//! The handler, its templates and its clients are those of the functions; only the ports are others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use connector::configuration::RoutingTable;
use connector::delivery::{Attempt, OutboundRequest, Response};
use connector::event_log::{Entry, Subject};
use connector::handler::{Context, HandlerError, Handlers, Run};
use connector::message::{Message, Outgoing};
use connector::ports::{Clock, EventLog, JobStore, JobStoreError, Queue, QueueError, Transport};
use connector::route::Route;
use connector::sender::Sender;
use http::HeaderValue;
use jiff::Timestamp;
use serde::Serialize;

use crate::screen::{Screen, Tone, printable};

/// For a whole rehearsal, as an invocation of the router has it.
const TIME: Duration = Duration::from_secs(25);
/// Where Fluent gives tokens, and answers queries.
const TOKEN_PATH: &str = "/oauth/token";
const QUERY_PATH: &str = "/graphql";

/// A request that would be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Query values masked.
    pub(crate) url: String,
    /// Values that may be secrets masked.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What the receivers are to answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers {
    /// `data` of a GraphQL query, as JSON.
    pub(crate) data: String,
    /// The body of everybody else's answer, as JSON; empty where it is absent.
    pub(crate) response: Option<String>,
}

/// What a handler did.
#[derive(Debug)]
pub(crate) struct Rehearsed {
    pub(crate) requests: Vec<Request>,
    /// The message that passes the receiver's answer on.
    pub(crate) answer: Option<Message>,
    pub(crate) result: Result<(), HandlerError>,
}

/// Lets a route's handler work on a message.
pub(crate) async fn rehearse(
    message: &Message,
    (name, route): (&str, &Route),
    table: &RoutingTable,
    handlers: &Handlers,
    answers: Answers,
    clock: &Clock,
) -> anyhow::Result<Rehearsed> {
    let stage = Arc::new(Stage { answers, requests: Mutex::default(), sent: Mutex::default() });
    let sender = Sender::new(stage.clone(), stage.clone(), clock.clone(), Arc::new(|| 0.5));
    let ports = Ports { sender: &sender, event_queue: stage.as_ref() };
    let result = handled(message, (name, route), table, handlers, ports).await?;
    let answer = locked(&stage.sent).first().map(|sent| Message::parse(&sent.body)).transpose()?;
    let requests = locked(&stage.requests).clone();
    Ok(Rehearsed { requests, answer, result })
}

/// What a handler works with.
#[derive(Clone, Copy)]
pub(crate) struct Ports<'a> {
    pub(crate) sender: &'a Sender,
    pub(crate) event_queue: &'a dyn Queue,
}

/// One attempt of a route's handler at a message.
pub(crate) async fn handled(
    message: &Message,
    (name, route): (&str, &Route),
    table: &RoutingTable,
    handlers: &Handlers,
    Ports { sender, event_queue }: Ports<'_>,
) -> anyhow::Result<Result<(), HandlerError>> {
    let (about, webhook) = (message.about(), message.webhook_id(name));
    let subject = Subject {
        message: Some(message),
        about: Some(&about),
        route: Some(name),
        endpoint: route.endpoint.as_deref(),
        webhook: Some(&webhook),
        ..Subject::default()
    };
    let deadline = (sender.clock)().saturating_add(TIME).context("the clock is at its end")?;
    let run = Run { deadline, table, subject, sender, event_queue, group: "rehearsal", jobs: &NoJobs };
    let context = Context::new(message, route, 1, run);
    let handling = handlers.handle(&context);
    Ok(handling.with_context(|| format!("handler {:?} is not in this build", route.handler))?.await)
}

/// All ports in one: answers as told, and keeps what it is given.
struct Stage {
    answers: Answers,
    requests: Mutex<Vec<Request>>,
    sent: Mutex<Vec<Outgoing>>,
}

impl Stage {
    fn answer(&self, request: &OutboundRequest) -> Option<String> {
        let path = request.url.as_url().path();
        if path.ends_with(TOKEN_PATH) {
            Some(r#"{"access_token":"rehearsal","expires_in":3600}"#.to_owned())
        } else if path.ends_with(QUERY_PATH) {
            Some(format!(
                r#"{{"data":{}}}"#,
                if self.answers.data.is_empty() { "null" } else { &self.answers.data }
            ))
        } else {
            self.answers.response.clone()
        }
    }
}

/// No job has come anywhere yet, and none is remembered.
struct NoJobs;

#[async_trait]
impl JobStore for NoJobs {
    async fn read(&self, _job: &str) -> Result<Option<String>, JobStoreError> {
        Ok(None)
    }

    async fn last_written(&self, _jobs: &[&str]) -> Result<BTreeMap<String, Timestamp>, JobStoreError> {
        Ok(BTreeMap::new())
    }

    async fn write(&self, _job: &str, _text: &str) -> Result<(), JobStoreError> {
        Ok(())
    }
}

#[async_trait]
impl Transport for Stage {
    async fn send(&self, request: OutboundRequest) -> Attempt {
        let answer = self.answer(&request);
        if !request.url.as_url().path().ends_with(TOKEN_PATH) {
            locked(&self.requests).push(Request::of(&request));
        }
        let body = answer.map_or_else(Vec::new, String::into_bytes);
        Attempt::new(request, Duration::ZERO, Ok(Response { status: 200, retry_after: None, body }))
    }
}

#[async_trait]
impl EventLog for Stage {
    fn record(&self, _entry: Entry) {}

    async fn flush(&self) {}
}

#[async_trait]
impl Queue for Stage {
    async fn send(&self, message: &Outgoing) -> Result<(), QueueError> {
        locked(&self.sent).push(message.clone());
        Ok(())
    }

    async fn send_all(&self, messages: &[Outgoing]) -> Vec<Result<(), QueueError>> {
        locked(&self.sent).extend_from_slice(messages);
        messages.iter().map(|_| Ok(())).collect()
    }

    async fn postpone(&self, _receipt: &str, _delay: Duration) -> Result<(), QueueError> {
        Ok(())
    }
}

impl Request {
    /// A request for people and scripts.
    pub(crate) fn of(request: &OutboundRequest) -> Self {
        let header = |(name, value): (&http::HeaderName, &HeaderValue)| {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), if value.is_sensitive() { "***".to_owned() } else { text })
        };
        Self {
            method: request.method.to_string(),
            url: request.url.redacted(),
            headers: request.headers.iter().map(header).collect(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
        }
    }

    /// Writes it as it goes over the wire.
    pub(crate) fn show(&self, screen: &mut Screen) -> anyhow::Result<()> {
        screen.line(&format!("{} {}", self.method, printable(&self.url)))?;
        for (name, value) in &self.headers {
            screen.line(&format!("{}: {}", Tone::Faint.paint(name), printable(value)))?;
        }
        screen.line("")?;
        for line in self.body.lines() {
            screen.line(&printable(line))?;
        }
        screen.line("")
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A queue that takes everything and keeps nothing, for handlers that queue nothing.
pub(crate) struct Unqueued;

#[async_trait]
impl Queue for Unqueued {
    async fn send(&self, _message: &Outgoing) -> Result<(), QueueError> {
        Ok(())
    }

    async fn send_all(&self, messages: &[Outgoing]) -> Vec<Result<(), QueueError>> {
        messages.iter().map(|_| Ok(())).collect()
    }

    async fn postpone(&self, _receipt: &str, _delay: Duration) -> Result<(), QueueError> {
        Ok(())
    }
}
