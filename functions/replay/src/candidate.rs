//! A message that a run looks at, with what is known of it.

use connector::event_log::{Entry, EventType, Subject};
use connector::message::{About, Message, Outgoing};
use connector::undelivered::{Attribute, Received, Stated};
use jiff::Timestamp;

/// Most message attributes of an SQS message (SQS API reference).
const MAX_ATTRIBUTES: usize = 10;

/// A received message, its attributes and its body read as far as they can be.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// As it was received.
    pub received: Received,
    /// What its attributes state.
    pub stated: Stated,
    /// Its envelope, where the body is one.
    pub message: Option<Message>,
    /// What the envelope's payload says.
    pub about: About,
}

impl Candidate {
    /// Reads a received message.
    #[must_use]
    pub fn of(received: Received) -> Self {
        let message = Message::parse(&received.body).ok();
        let about = message.as_ref().map(Message::about).unwrap_or_default();
        Self { stated: received.stated(), message, about, received }
    }

    /// When it was parked.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.stated.time.unwrap_or(self.received.sent)
    }

    /// As it goes back to the event queue. SQS's id is the nonce: a replay is never swallowed as a repetition of the first
    /// delivery, while the same replay sent twice within five minutes is.
    #[must_use]
    pub fn outgoing(&self) -> Outgoing {
        Outgoing {
            body: self.received.body.clone(),
            group: self.received.group.clone(),
            deduplication: format!("replay/{}", self.received.id),
            trace: self.received.trace.clone(),
            attributes: Vec::new(),
        }
    }

    /// Writes the time of parking into the attributes where it stands nowhere else: a copy is sent at another time.
    pub(crate) fn keep_time(&mut self) {
        if self.stated.time.is_none() && self.received.attributes.len() < MAX_ATTRIBUTES {
            let attributes = &mut self.received.attributes;
            attributes.retain(|attribute| attribute.name != "time");
            attributes.push(Attribute::text("time", format!("{:.3}", self.received.sent)));
        }
    }

    /// An entry of the event log about it.
    #[must_use]
    pub fn entry(&self, kind: EventType, time: Timestamp, request: &str) -> Entry {
        let route = self.stated.route.as_deref();
        let webhook = self.message.as_ref().zip(route).map(|(message, route)| message.webhook_id(route));
        let subject = Subject {
            message: self.message.as_ref(),
            about: Some(&self.about),
            route,
            endpoint: self.stated.endpoint.as_deref(),
            webhook: webhook.as_deref(),
            trace: self.received.trace.as_deref(),
            request: Some(request),
            config: None,
        };
        let mut entry = Entry::new(kind, time).subject(&subject);
        if let Some(reason) = self.stated.reason {
            entry = entry.field("reason", reason.as_str());
        }
        if let Some(attempts) = self.stated.attempts {
            entry = entry.field("attempts", attempts);
        }
        entry.field("sqs.message_id", self.received.id.as_str())
    }
}
