//! The message on the event queue: its JSON envelope, and the group and deduplication ids of SQS FIFO.
//!
//! The payload travels as the JSON that came, every digit kept. Does not know how SQS is called.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::delivery::Response;
use crate::event::{FluentEvent, object, text};
use crate::failure::Code;
use crate::hex;
use crate::job;
use crate::notification::{self, Notification};
use crate::source::SourceEvent;

/// Version of the envelope that this code writes, and the only one that it reads.
pub const ENVELOPE_VERSION: u32 = 1;
/// Most bytes of an SQS message, body and attributes together: 1 MiB (SQS quotas).
pub const MAX_MESSAGE_BYTES: usize = 1_048_576;
/// Kept free of a received message: for the name of a route after a split, and for the attributes of a later stop in
/// the undelivered queue. A parameter's whole name has at most 1,011 characters (SSM API reference).
pub const RESERVED_BYTES: usize = 4_096;
/// What the name of a route may take of it.
const ROUTE_BYTES: usize = 1_100;
/// Most characters of a message group or deduplication id (SQS API reference, `SendMessage`).
const MAX_ID_CHARACTERS: usize = 128;

/// A message as it stands on the event queue.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    version: u32,
    /// Identity of the event at its source.
    pub id: String,
    /// Name by which routes choose it.
    pub name: String,
    /// `fluent`, `commercetools`, or the name of an external source.
    pub source: String,
    /// When the connector received it.
    pub received_at: Timestamp,
    /// The event as it came.
    pub payload: Box<RawValue>,
    /// The one route that it is for, after a split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// What the route's receiver answered: the message is delivered, and its answer is still to be passed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// What it is about, where the payload itself does not tell: of external sources.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<About>,
    /// Fields of writers that know more than this reader.
    #[serde(flatten)]
    unknown: BTreeMap<String, Box<RawValue>>,
}

/// What a receiver answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body: JSON as it came, anything else as a text.
    pub body: Box<RawValue>,
}

/// Why a body on the event queue is not a message.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The body is not the JSON of an envelope.
    #[error("the body is not a message")]
    Malformed(#[source] serde_json::Error),
    /// A field is absent or of the wrong kind.
    #[error("field {name:?} of the message cannot be read")]
    Field {
        /// Name of the field.
        name: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Written by another version of the connector.
    #[error("message version {version} is not known; this is version {ENVELOPE_VERSION}")]
    Version {
        /// The version it says.
        version: u32,
    },
    /// Without an identity nothing can be recorded or deduplicated.
    #[error("the message has an empty {field}")]
    Empty {
        /// Name of the empty field.
        field: &'static str,
    },
    /// Larger than SQS takes.
    #[error("the message has {bytes} bytes; at most {limit} fit the queue", limit = MAX_MESSAGE_BYTES - RESERVED_BYTES)]
    TooLarge {
        /// Size of the envelope in bytes.
        bytes: usize,
    },
}

impl MessageError {
    /// The code with which what came in is refused, where this is why it becomes no message.
    #[must_use]
    pub fn refusal(&self) -> Code {
        match self {
            Self::TooLarge { .. } => Code::TooLarge,
            Self::Malformed(_) | Self::Field { .. } | Self::Version { .. } | Self::Empty { .. } => {
                Code::Payload
            }
        }
    }
}

/// An envelope's fields by name. Not derived: serde's `flatten` cannot carry raw JSON.
struct Fields(BTreeMap<String, Box<RawValue>>);

impl Fields {
    /// Takes a field out; an absent one reads as `null`.
    fn take<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<T, MessageError> {
        let raw = self.0.remove(name);
        let json = raw.as_deref().map_or("null", RawValue::get);
        serde_json::from_str(json).map_err(|source| MessageError::Field { name, source })
    }
}

/// What a message is about, for the event log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct About {
    /// Type of the entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_type: Option<String>,
    /// Reference of the entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_ref: Option<String>,
    /// Reference of the entity that it belongs to, such as a fulfilment's order; absent where it is that itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_ref: Option<String>,
    /// Account at the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
}

impl From<Notification<'_>> for About {
    fn from(notification: Notification<'_>) -> Self {
        Self {
            entity_type: notification.type_id,
            entity_ref: notification.reference.or(notification.resource_id),
            root_ref: None,
            account_id: notification.project,
        }
    }
}

/// The payload's fields behind [`About`], digits kept.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AboutFields<'a> {
    #[serde(borrow)]
    entity_type: Option<&'a RawValue>,
    #[serde(borrow)]
    entity_ref: Option<&'a RawValue>,
    #[serde(borrow)]
    root_entity_ref: Option<&'a RawValue>,
    #[serde(borrow)]
    account_id: Option<&'a RawValue>,
}

/// What a message for one route keeps its order with, among those of its entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane<'a> {
    /// All messages to this endpoint, by whatever route.
    Endpoint(&'a str),
    /// All messages of this route, which names no endpoint.
    Route(&'a str),
    /// None: it waits for nobody. The route tells it from the message's other copies.
    Own(&'a str),
}

/// A message ready for the queue: its body and its two SQS ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The envelope.
    pub body: String,
    /// `MessageGroupId`: messages of one group keep their order.
    pub group: String,
    /// `MessageDeduplicationId`: a second one within five minutes is taken and dropped by SQS.
    pub deduplication: String,
    /// X-Ray's trace header, for `AWSTraceHeader`.
    pub trace: Option<String>,
    /// Message attributes, all of type String; within [`RESERVED_BYTES`].
    pub attributes: Vec<(&'static str, String)>,
}

impl Message {
    /// The message of a verified Fluent event.
    ///
    /// # Errors
    /// [`MessageError::Malformed`] where the body is not JSON after all.
    pub fn from_fluent(event: &FluentEvent<'_>, received_at: Timestamp) -> Result<Self, MessageError> {
        Self::received("fluent", event.id.clone(), event.name.clone(), event.raw, received_at)
    }

    /// The message of a commercetools notification, under this name. One that says too little of itself is known again
    /// by its bytes.
    ///
    /// # Errors
    /// [`MessageError::Malformed`] where the body is not JSON after all.
    pub fn from_commercetools(
        notification: &Notification<'_>,
        name: String,
        received_at: Timestamp,
    ) -> Result<Self, MessageError> {
        let id = notification.id.clone().unwrap_or_else(|| hashed(&[notification.raw]));
        Self::received(notification::SOURCE, id, name, notification.raw, received_at)
    }

    /// A message that the connector makes itself.
    pub(crate) fn own(id: String, name: &str, payload: Box<RawValue>, made_at: Timestamp) -> Self {
        Self {
            version: ENVELOPE_VERSION,
            id,
            name: name.to_owned(),
            source: job::SOURCE.to_owned(),
            received_at: made_at,
            payload,
            about: None,
            route: None,
            answer: None,
            unknown: BTreeMap::new(),
        }
    }

    /// The message of an external system's event.
    ///
    /// # Errors
    /// [`MessageError::Malformed`] where the body is not JSON after all.
    pub fn from_source(event: &SourceEvent<'_>, received_at: Timestamp) -> Result<Self, MessageError> {
        let (id, name) = (event.id.clone(), event.name.clone());
        let message = Self::received(event.source, id, name, event.raw, received_at)?;
        Ok(Self { about: Some(event.about.clone()), ..message })
    }

    fn received(
        source: &str,
        id: String,
        name: String,
        raw: &str,
        received_at: Timestamp,
    ) -> Result<Self, MessageError> {
        Ok(Self {
            version: ENVELOPE_VERSION,
            id,
            name,
            source: source.to_owned(),
            received_at,
            payload: RawValue::from_string(raw.to_owned()).map_err(MessageError::Malformed)?,
            route: None,
            answer: None,
            about: None,
            unknown: BTreeMap::new(),
        })
    }

    /// Reads a body of the event queue.
    ///
    /// # Errors
    /// [`MessageError`]: each is a fault of the pipeline, not of a receiver.
    pub fn parse(body: &str) -> Result<Self, MessageError> {
        let mut fields = Fields(object(body).map_err(MessageError::Malformed)?);
        let version = fields.take("version")?;
        if version != ENVELOPE_VERSION {
            return Err(MessageError::Version { version });
        }
        let message = Self {
            version,
            id: fields.take("id")?,
            name: fields.take("name")?,
            source: fields.take("source")?,
            received_at: fields.take("receivedAt")?,
            payload: fields.take("payload")?,
            route: fields.take("route")?,
            answer: fields.take("answer")?,
            about: fields.take("about")?,
            unknown: fields.0,
        };
        for (field, value) in [("id", &message.id), ("name", &message.name), ("source", &message.source)] {
            if value.is_empty() {
                return Err(MessageError::Empty { field });
            }
        }
        if message.route.as_deref() == Some("") {
            return Err(MessageError::Empty { field: "route" });
        }
        Ok(message)
    }

    /// Source and name in one, as subscriptions choose it: `fluent/OrderStatusChange`.
    #[must_use]
    pub fn topic(&self) -> String {
        format!("{}/{}", self.source, self.name)
    }

    /// The same message for one route alone.
    #[must_use]
    pub fn for_route(&self, route: &str) -> Self {
        Self { route: Some(route.to_owned()), ..self.clone() }
    }

    /// The message that passes on what its receiver answered.
    ///
    /// # Errors
    /// [`MessageError::Malformed`] where the answer cannot be written as JSON.
    pub fn answered(&self, response: &Response) -> Result<Self, MessageError> {
        let text = String::from_utf8_lossy(&response.body).into_owned();
        let body = match RawValue::from_string(text.trim().to_owned()) {
            Ok(json) => json,
            Err(_) => serde_json::value::to_raw_value(&text).map_err(MessageError::Malformed)?,
        };
        Ok(Self { answer: Some(Answer { status: response.status, body }), ..self.clone() })
    }

    /// The message's body and SQS ids; `group` as [`group_of`] or [`Self::group_in`] made it.
    ///
    /// # Errors
    /// [`MessageError::TooLarge`] where SQS would refuse it.
    pub fn outgoing(&self, group: String, trace: Option<String>) -> Result<Outgoing, MessageError> {
        let body = sqs_safe(&serde_json::to_string(self).map_err(MessageError::Malformed)?);
        let reserved = if self.route.is_some() { RESERVED_BYTES - ROUTE_BYTES } else { RESERVED_BYTES };
        if body.len() > MAX_MESSAGE_BYTES - reserved {
            return Err(MessageError::TooLarge { bytes: body.len() });
        }
        Ok(Outgoing { body, group, deduplication: self.deduplication(), trace, attributes: Vec::new() })
    }

    /// The group of this message's copy for one route, which keeps order per entity and `lane`: see [`Lane`].
    #[must_use]
    pub fn group_in(&self, entity_group: &str, lane: Lane<'_>) -> String {
        let plain = match lane {
            Lane::Endpoint(name) => format!("{entity_group}#{name}"), // a parameter's name has no '#'
            Lane::Route(name) => format!("{entity_group}#route:{name}"),
            Lane::Own(route) => return hashed(&[entity_group, &self.source, &self.id, route]),
        };
        if plain.len() <= MAX_ID_CHARACTERS { plain } else { hashed(&[&plain]) }
    }

    /// The group of what passes on the answer to a message of this group.
    #[must_use]
    pub fn answer_group(group: &str) -> String {
        let plain = format!("{group}#answer");
        if plain.len() <= MAX_ID_CHARACTERS { plain } else { hashed(&[&plain]) }
    }

    /// What receivers see as `webhook-id` of this message by way of `route`: the same over retries and replays.
    #[must_use]
    pub fn webhook_id(&self, route: &str) -> String {
        format!("msg_{:.32}", digest(&[&self.source, &self.id, route]))
    }

    /// What the message is about, as far as its envelope or its payload says so.
    #[must_use]
    pub fn about(&self) -> About {
        if let Some(about) = &self.about {
            return about.clone();
        }
        if self.source == notification::SOURCE {
            return Notification::of_platform(self.payload.get()).map(About::from).unwrap_or_default();
        }
        let fields: AboutFields<'_> = object(self.payload.get()).unwrap_or_default();
        let entity_ref = text(fields.entity_ref);
        About {
            root_ref: text(fields.root_entity_ref).filter(|root| entity_ref.as_ref() != Some(root)),
            entity_type: text(fields.entity_type),
            entity_ref,
            account_id: text(fields.account_id),
        }
    }

    fn deduplication(&self) -> String {
        match (&self.route, &self.answer) {
            (Some(route), None) => sqs_id(&[&self.source, &self.id, route]),
            (Some(route), Some(_)) => sqs_id(&[&self.source, &self.id, route, "answer"]),
            (None, _) => sqs_id(&[&self.source, &self.id]),
        }
    }
}

/// The group of a Fluent event: source, account, and the root entity or the entity itself.
#[must_use]
pub fn group_of(event: &FluentEvent<'_>) -> String {
    group_of_entity(&event.account, &event.root.kind, &event.root.reference)
}

/// The group of an entity of Fluent's, by its type and reference: that of its events, where it is their root.
#[must_use]
pub fn group_of_entity(account: &str, kind: &str, reference: &str) -> String {
    sqs_id(&["fluent", account, kind, reference])
}

/// The group of all messages of a job, by its route.
#[must_use]
pub fn group_of_job(route: &str) -> String {
    sqs_id(&[job::SOURCE, job::ENTITY_TYPE, route])
}

/// The group of a commercetools notification: source, project, and the resource; its message's id where it has none.
#[must_use]
pub fn group_of_notification(notification: &Notification<'_>, message: &Message) -> String {
    let project = notification.project.as_deref().unwrap_or_default();
    let type_id = notification.type_id.as_deref().unwrap_or_default();
    let id = notification.resource_id.as_deref().unwrap_or(&message.id);
    sqs_id(&[notification::SOURCE, project, type_id, id])
}

/// The group of an external system's event: source, account and entity; the event alone where no entity is known, so that
/// it waits for no other, and is known again by SQS when it comes once more.
#[must_use]
pub fn group_of_source_event(event: &SourceEvent<'_>) -> String {
    let About { entity_ref, account_id, .. } = &event.about;
    match entity_ref {
        Some(entity) => sqs_id(&[event.source, account_id.as_deref().unwrap_or_default(), entity]),
        None => sqs_id(&[event.source, &event.id]),
    }
}

/// Joins parts to an id that SQS takes: readable where all characters are allowed and it is short enough, else a hash.
///
/// SQS allows letters, digits and ASCII punctuation, 1 to 128 characters.
fn sqs_id(parts: &[&str]) -> String {
    let plain = parts.join("/");
    let separable = parts.iter().all(|part| !part.contains('/'));
    if separable && plain.len() <= MAX_ID_CHARACTERS && plain.bytes().all(|byte| byte.is_ascii_graphic()) {
        return plain;
    }
    hashed(parts)
}

fn hashed(parts: &[&str]) -> String {
    format!("sha256:{}", digest(parts))
}

/// SHA-256 over the parts, each after its length, in 64 hex digits.
fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hex::encoded(&hash.finalize())
}

/// Escapes the two characters that SQS refuses. In valid JSON they can only stand inside a string.
fn sqs_safe(json: &str) -> String {
    json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
}
