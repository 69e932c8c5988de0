//! From raw bytes to a queued message. Knows no AWS, and of HTTP only the types.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use connector::cache::Cache;
use connector::configuration::{KeyRing, Sources};
use connector::event_log::{Entry, EventType, Subject};
use connector::failure::Code;
use connector::message::{MAX_MESSAGE_BYTES, Message, Outgoing};
use connector::ports::{Clock, Console, EventLog, Queue};
use connector::source::{Reply, Request};
use connector::subsegment::{QUEUED, Tracing};
use connector::unverified::Unverified;
use connector::webhook::{Rejection, Served, Webhook, of_fluent, of_source};
use jiff::Timestamp;
use lambda_http::http::HeaderMap;

use crate::refusal::Refusal;

/// How long a request waits for a configuration that was never readable. With the queue's 5 s, or the event log's 10 s
/// for what is kept instead, it ends within the function's time.
pub const PATIENCE: Duration = Duration::from_secs(12);

/// The path of Fluent's webhooks.
pub const FLUENT_PATH: &str = "/api/v1/fluent-connect/webhook";

/// The path of other systems' webhooks, up to the name of the source.
pub const EXTERNAL_PATH: &str = "/api/v1/fluent-connect/external-system/webhook/";

/// What a request holds, as far as the receiver looks. Its `Debug` shows neither headers nor body: a header may be a secret.
#[derive(Clone)]
pub struct Inbound<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// Path without the stage.
    pub path: &'a str,
    /// Every header.
    pub headers: &'a HeaderMap,
    /// The decoded body.
    pub body: &'a [u8],
    /// X-Ray's trace header.
    pub trace: Option<&'a str>,
    /// Lambda's request id.
    pub request_id: &'a str,
}

/// What became of a request that is not refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Received {
    /// Id of the message, once SQS has confirmed it; `None` where the sender only tried the way, and nothing is queued.
    pub id: Option<String>,
    /// What its source's document wants it answered.
    pub reply: Option<Reply>,
}

/// Verifies, queues, and says what became of it.
pub struct Receiver {
    /// Fluent's public keys.
    pub keys: Cache<KeyRing>,
    /// Other systems.
    pub sources: Cache<Sources>,
    /// What is taken of Fluent.
    pub served: Served,
    /// The event queue.
    pub queue: Arc<dyn Queue>,
    /// Where a message goes that could not be queued, and a request that could not be verified.
    pub event_log: Arc<dyn EventLog>,
    /// The receiver's own log.
    pub console: Arc<dyn Console>,
    /// Where the trace of a request is told its message; `None` where nobody takes it.
    pub tracing: Option<Tracing>,
    /// The time of day.
    pub clock: Clock,
}

impl Receiver {
    /// Takes a request in.
    ///
    /// # Errors
    /// [`Refusal`]; it is already logged.
    pub async fn receive(&self, inbound: &Inbound<'_>) -> Result<Received, Refusal> {
        let received_at = (self.clock)();
        let result = self.received(inbound, received_at).await;
        if let Err(refusal) = &result {
            let code = refusal.code();
            let entry = Entry::new(EventType::InboundRefused, (self.clock)())
                .subject(&subject(inbound))
                .field("code", code.as_str())
                .field("error", refusal.detail())
                .field("request.bytes", inbound.body.len());
            let entry = match code {
                Code::Config => entry.field("kept", self.keep(inbound, received_at).await),
                _ => entry,
            };
            self.console.write(&with_source(entry, inbound));
        }
        result
    }

    /// Keeps a request that cannot be verified now, since its sender may never come back with it; whether it may be kept.
    async fn keep(&self, inbound: &Inbound<'_>, received_at: Timestamp) -> bool {
        let (source, request) = (source_of(inbound.path), request(inbound));
        let Some(entry) = Unverified::entry(source, request, received_at, &subject(inbound)) else {
            return false;
        };
        self.event_log.record(entry);
        self.event_log.flush().await;
        true
    }

    async fn received(&self, inbound: &Inbound<'_>, received_at: Timestamp) -> Result<Received, Refusal> {
        if inbound.body.len() > MAX_MESSAGE_BYTES {
            return Err(Refusal::BodyTooLarge);
        }
        match (inbound.method, inbound.path, source_of(inbound.path)) {
            ("POST", FLUENT_PATH, _) => self.of_fluent(inbound, received_at).await,
            ("POST", _, Some(name)) => self.of_source(name, inbound, received_at).await,
            _ => Err(Refusal::Path),
        }
    }

    async fn of_fluent(&self, inbound: &Inbound<'_>, received_at: Timestamp) -> Result<Received, Refusal> {
        let keys = self.keys.get().await.map_err(Refusal::Config)?;
        let webhook = of_fluent(request(inbound), &keys, &self.served, received_at)?;
        self.taken(inbound, webhook).await
    }

    async fn of_source(
        &self,
        name: &str,
        inbound: &Inbound<'_>,
        received_at: Timestamp,
    ) -> Result<Received, Refusal> {
        let sources = self.sources.get().await.map_err(Refusal::Config)?;
        let webhook = of_source(request(inbound), name, &sources, received_at)?;
        self.taken(inbound, webhook).await
    }

    async fn taken(&self, inbound: &Inbound<'_>, webhook: Webhook) -> Result<Received, Refusal> {
        match webhook {
            Webhook::Ping { reply } => Ok(self.pinged(reply, inbound)),
            Webhook::Event { message, group, reply } => self.queued(inbound, *message, group, reply).await,
        }
    }

    fn pinged(&self, reply: Option<Reply>, inbound: &Inbound<'_>) -> Received {
        let entry = Entry::new(EventType::InboundDropped, (self.clock)()).subject(&subject(inbound));
        self.console.write(&with_source(entry, inbound));
        Received { id: None, reply }
    }

    async fn queued(
        &self,
        inbound: &Inbound<'_>,
        message: Message,
        group: String,
        reply: Option<Reply>,
    ) -> Result<Received, Refusal> {
        let trace = inbound.trace.map(str::to_owned);
        let outgoing = message.outgoing(group, trace).map_err(Rejection::from)?;
        self.send(inbound, &message, &outgoing).await?;
        Ok(Received { id: Some(message.id), reply })
    }

    async fn send(
        &self,
        inbound: &Inbound<'_>,
        message: &Message,
        outgoing: &Outgoing,
    ) -> Result<(), Refusal> {
        let about = message.about();
        let subject = Subject { message: Some(message), about: Some(&about), ..subject(inbound) };
        let step = self.tracing.as_ref().zip(inbound.trace);
        let step = step.and_then(|(tracing, header)| tracing.step(header, QUEUED));
        let sent = self.queue.send(outgoing).await;
        let kind = if sent.is_ok() { EventType::InboundAccepted } else { EventType::InboundUnqueued };
        let entry = Entry::new(kind, (self.clock)()).subject(&subject);
        if let Some(step) = step {
            step.end(&entry);
        }
        match sent {
            Ok(()) => {
                self.console.write(&entry.field("request.bytes", inbound.body.len()));
                Ok(())
            }
            Err(error) => {
                // The sender may never come back with it: the whole message goes where it can be replayed from.
                self.event_log.record(
                    entry
                        .field("message.body", outgoing.body.as_str())
                        .field("message.group", outgoing.group.as_str()),
                );
                self.event_log.flush().await;
                Err(Refusal::Queue(error))
            }
        }
    }
}

impl fmt::Debug for Inbound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

fn request<'a>(inbound: &Inbound<'a>) -> Request<'a> {
    Request { headers: inbound.headers, body: inbound.body }
}

fn subject<'a>(inbound: &Inbound<'a>) -> Subject<'a> {
    Subject { trace: inbound.trace, request: Some(inbound.request_id), ..Subject::default() }
}

/// The name of the source that a path ends in.
fn source_of(path: &str) -> Option<&str> {
    path.strip_prefix(EXTERNAL_PATH).filter(|name| !name.is_empty() && !name.contains('/'))
}

/// Which source a request without a message was for, as its path says.
fn with_source(entry: Entry, inbound: &Inbound<'_>) -> Entry {
    match source_of(inbound.path) {
        Some(name) => entry.field("message.source", name),
        None => entry,
    }
}
