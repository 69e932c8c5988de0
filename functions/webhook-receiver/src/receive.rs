//! From raw bytes to a queued message. Knows no AWS, and of HTTP only the types.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use connector::cache::Cache;
use connector::configuration::{FoundSource, KeyRing, Sources};
use connector::event::FluentEvent;
use connector::event_log::{Entry, EventType, Subject};
use connector::message::{MAX_MESSAGE_BYTES, Message, Outgoing, group_of, group_of_source_event};
use connector::ports::{Clock, Console, EventLog, Queue};
use connector::signature::{FLEX_SIGNATURE, FLUENT_SIGNATURE, Md5Policy, SignatureHeaders, Verifier};
use connector::source::{Content, Reply, Request, Source};
use connector::subsegment::{QUEUED, Tracing};
use connector::trace::TraceHeader;
use lambda_http::http::{HeaderMap, HeaderValue};

use crate::refusal::Refusal;

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
    /// Whether a lone MD5 signature counts.
    pub md5: Md5Policy,
    /// The accounts that this deployment serves.
    pub accounts: BTreeSet<String>,
    /// The event queue.
    pub queue: Arc<dyn Queue>,
    /// Where a message goes that could not be queued.
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
        let result = self.received(inbound).await;
        if let Err(refusal) = &result {
            let entry = Entry::new(EventType::InboundRefused, (self.clock)())
                .subject(&subject(inbound))
                .field("code", refusal.code().as_str())
                .field("error", refusal.detail())
                .field("request.bytes", inbound.body.len());
            self.console.write(&with_source(entry, inbound));
        }
        result
    }

    async fn received(&self, inbound: &Inbound<'_>) -> Result<Received, Refusal> {
        if inbound.body.len() > MAX_MESSAGE_BYTES {
            return Err(Refusal::BodyTooLarge { limit: MAX_MESSAGE_BYTES });
        }
        match (inbound.method, inbound.path, source_of(inbound.path)) {
            ("POST", FLUENT_PATH, _) => self.of_fluent(inbound).await,
            ("POST", _, Some(name)) => self.of_source(name, inbound).await,
            _ => Err(Refusal::Source),
        }
    }

    async fn of_fluent(&self, inbound: &Inbound<'_>) -> Result<Received, Refusal> {
        let keys = self.keys.get().await.map_err(Refusal::Config)?;
        let verified = Verifier::new(keys.keys(), self.md5)
            .verify(inbound.body, &signatures(inbound.headers))
            .map_err(Refusal::Signature)?;
        let event = FluentEvent::from_verified(&verified).map_err(Refusal::Payload)?;
        if !self.accounts.contains(&event.account) {
            return Err(Refusal::Account(event.account));
        }
        let message = Message::from_fluent(&event, (self.clock)()).map_err(Refusal::Message)?;
        self.queued(inbound, message, group_of(&event), None).await
    }

    async fn of_source(&self, name: &str, inbound: &Inbound<'_>) -> Result<Received, Refusal> {
        let sources = self.sources.get().await.map_err(Refusal::Config)?;
        let source = match sources.source(name) {
            Some(FoundSource::Usable(source)) => source,
            Some(FoundSource::Broken) => return Err(Refusal::BrokenSource(name.to_owned())),
            None => return Err(Refusal::Source),
        };
        if inbound.body.len() > source.max_bytes() {
            return Err(Refusal::MoreThanItsSource { limit: source.max_bytes() });
        }
        let request = Request { headers: inbound.headers, body: inbound.body };
        let proven = match source.prove(request, (self.clock)()) {
            Ok(proven) => proven,
            Err(error) if source.takes_unproven_ping(&request, &error) => {
                return Ok(self.pinged(source, inbound));
            }
            Err(error) => return Err(Refusal::Proof(error)),
        };
        match proven.content().map_err(Refusal::Event)? {
            Content::Ping => Ok(self.pinged(source, inbound)),
            Content::Event(event) => {
                let message = Message::from_source(&event, (self.clock)()).map_err(Refusal::Message)?;
                self.queued(inbound, message, group_of_source_event(&event), source.answer().cloned()).await
            }
        }
    }

    fn pinged(&self, source: &Source, inbound: &Inbound<'_>) -> Received {
        let entry = Entry::new(EventType::InboundDropped, (self.clock)()).subject(&subject(inbound));
        self.console.write(&with_source(entry, inbound));
        Received { id: None, reply: source.answer().cloned() }
    }

    async fn queued(
        &self,
        inbound: &Inbound<'_>,
        message: Message,
        group: String,
        reply: Option<Reply>,
    ) -> Result<Received, Refusal> {
        let trace = inbound.trace.map(str::to_owned);
        let outgoing = message.outgoing(group, trace).map_err(Refusal::Message)?;
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
        let step = self.tracing.as_ref().zip(inbound.trace.and_then(TraceHeader::parse));
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

fn signatures(headers: &HeaderMap) -> SignatureHeaders<'_> {
    let values = |name| headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    SignatureHeaders { fluent: values(FLUENT_SIGNATURE), flex: values(FLEX_SIGNATURE) }
}
