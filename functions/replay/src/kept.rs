//! A webhook that never reached the queue, as the log keeps it: the message that SQS did not take, or the request that
//! nobody could verify, which is verified here before it is a message at all.

use std::sync::Arc;

use connector::configuration::{KeyRing, Sources};
use connector::event_log::{Entry, EventType, Subject};
use connector::failure::{Code, chain};
use connector::hex;
use connector::message::{About, Message, Outgoing};
use connector::trace;
use connector::unverified::Unverified;
use connector::webhook::{Rejection, Served, Webhook};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::report::Line;
use crate::request::Kept;

/// Source and id of a message.
pub(crate) type Key = (String, String);

/// How the entries of a run are read.
pub(crate) enum Reader<'a> {
    /// Each holds a message.
    Unqueued,
    /// Each holds a request, to be verified by these.
    Unverified { keys: Arc<KeyRing>, sources: Arc<Sources>, served: &'a Served },
}

/// What an entry holds.
pub(crate) enum Reading {
    /// A genuine webhook.
    Message(Box<KeptMessage>),
    /// A genuine request by which its sender only tried the way.
    Ping,
    /// A request that is not genuine, or no event that is taken here, with the reason.
    Refused(String),
    /// A request that nobody can verify now either, for what it needs is still broken, with the reason.
    Unverifiable(String),
}

/// A genuine webhook that never reached the queue.
pub(crate) struct KeptMessage {
    pub(crate) key: Key,
    pub(crate) outgoing: Outgoing,
    pub(crate) message: Option<Message>,
    pub(crate) about: About,
    how: Kept,
    name: Option<String>,
    time: Option<Timestamp>,
}

impl Reader<'_> {
    /// Reads a line of the log; `None` for an entry of another kind.
    pub(crate) fn read(&self, line: &str) -> Option<Reading> {
        match self {
            Self::Unqueued => Some(Reading::Message(Box::new(KeptMessage::unqueued(line)?))),
            Self::Unverified { keys, sources, served } => {
                let unverified = Unverified::read(line)?;
                let verified = unverified.verified(keys, sources, served);
                let reading = verified.and_then(|webhook| genuine(&unverified, webhook));
                Some(reading.unwrap_or_else(|rejection| rejected(&rejection)))
            }
        }
    }
}

fn rejected(rejection: &Rejection) -> Reading {
    let reason = format!("{}: {}", rejection.code(), chain(rejection));
    match rejection.code() {
        Code::Config => Reading::Unverifiable(reason),
        _ => Reading::Refused(reason),
    }
}

/// What a request is that is verified by now: as it would have been when it came. It goes out under the deduplication id of
/// its message, so that SQS drops it where its sender has just sent it again.
fn genuine(unverified: &Unverified, webhook: Webhook) -> Result<Reading, Rejection> {
    let (message, group) = match webhook {
        Webhook::Ping { .. } => return Ok(Reading::Ping),
        Webhook::Event { message, group, .. } => (*message, group),
    };
    Ok(Reading::Message(Box::new(KeptMessage {
        key: (message.source.clone(), message.id.clone()),
        outgoing: message.outgoing(group, unverified.trace.clone())?,
        about: message.about(),
        how: Kept::Unverified,
        name: Some(message.name.clone()),
        time: Some(unverified.received_at),
        message: Some(message),
    })))
}

impl KeptMessage {
    fn unqueued(line: &str) -> Option<Self> {
        let mut entry: Value = serde_json::from_str(line).ok()?;
        if entry.get("type")?.as_str()? != EventType::InboundUnqueued.as_str() {
            return None;
        }
        let key = (text(&mut entry, "message.source")?, text(&mut entry, "message.id")?);
        let body = text(&mut entry, "message.body")?;
        let message = Message::parse(&body).ok();
        Some(Self {
            outgoing: Outgoing {
                body,
                group: text(&mut entry, "message.group")?,
                deduplication: deduplication(&key),
                trace: text(&mut entry, "trace.id").map(|root| trace::header_of(&root)),
                attributes: Vec::new(),
            },
            key,
            how: Kept::Unqueued,
            name: text(&mut entry, "message.name"),
            time: text(&mut entry, "time").and_then(|time| time.parse().ok()),
            about: message.as_ref().map(Message::about).unwrap_or_default(),
            message,
        })
    }

    /// Its group on the event queue.
    pub(crate) fn group(&self) -> &str {
        &self.outgoing.group
    }

    /// An entry of the event log about it.
    pub(crate) fn entry(&self, kind: EventType, time: Timestamp, request: &str) -> Entry {
        let (source, id) = (self.key.0.as_str(), self.key.1.as_str());
        let subject = Subject {
            message: self.message.as_ref(),
            about: Some(&self.about),
            trace: self.outgoing.trace.as_deref(),
            request: Some(request),
            ..Subject::default()
        };
        let entry = Entry::new(kind, time).subject(&subject).field("reason", self.how.as_str());
        match &self.message {
            Some(message) if (message.source.as_str(), message.id.as_str()) == (source, id) => entry,
            _ => entry.field("message.source", source).field("message.id", id),
        }
    }
}

impl From<&KeptMessage> for Line {
    fn from(kept: &KeptMessage) -> Self {
        Self {
            id: Some(kept.key.1.clone()),
            name: kept.name.clone(),
            entity_ref: kept.about.entity_ref.clone(),
            reason: Some(kept.how.as_str()),
            time: kept.time,
            ..Self::default()
        }
    }
}

/// Source and id of what an earlier run has sent, in whichever way it was kept.
pub(crate) fn replayed(line: &str) -> Option<Key> {
    let mut entry: Value = serde_json::from_str(line).ok()?;
    let says = |key: &str| entry.get(key).and_then(Value::as_str);
    let is_kept = |word: &str| Kept::ALL.iter().any(|how| how.as_str() == word);
    if says("type") != Some(EventType::MessageReplayed.as_str()) || !says("reason").is_some_and(is_kept) {
        return None;
    }
    Some((text(&mut entry, "message.source")?, text(&mut entry, "message.id")?))
}

fn text(entry: &mut Value, key: &str) -> Option<String> {
    match entry.get_mut(key)?.take() {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// The same for each replay of a message, and none that the webhook was sent with. At most 128 characters.
fn deduplication((source, id): &Key) -> String {
    let mut hash = Sha256::new();
    for part in [source, id] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    format!("unqueued/{}", hex::encoded(&hash.finalize()))
}
