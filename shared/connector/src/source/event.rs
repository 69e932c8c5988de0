//! What a proven request says: which event it is, what it is called, what it is about.
//!
//! The body stays as it came; nothing is re-serialised.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::value::RawValue;

use super::place::{Place, Places, Sent};
use super::proof::{ProofError, Proven, Request};
use super::{Entity, Source};
use crate::hex;
use crate::message::About;

/// A request by which a system tries whether it is heard: answered, and nothing is queued for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ping {
    pub(super) at: Place,
    pub(super) equals: String,
    /// Whether it may come without any proof; a wrong one is refused all the same.
    pub(super) unsigned: bool,
}

/// What a proven request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'a> {
    /// The source's system tries the way.
    Ping,
    /// An event.
    Event(SourceEvent<'a>),
}

/// An event of an external system: what the connector works with, and the body as it came. Made of a [`Proven`] request
/// alone.
///
/// ```compile_fail,E0639
/// use connector::message::About;
/// use connector::source::SourceEvent;
/// let (id, name, about) = ("1".to_owned(), "paid".to_owned(), About::default());
/// let event = SourceEvent { source: "shop", id, name, about, raw: "{}" };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceEvent<'a> {
    /// Name of the source.
    pub source: &'a str,
    /// Identity of the event: the same each time that it is sent.
    pub id: String,
    /// Name by which routes choose it.
    pub name: String,
    /// What it is about, as far as the source's document tells where that stands.
    pub about: About,
    /// The body, byte for byte.
    pub raw: &'a str,
}

/// Why a genuine body is not an event.
#[derive(Debug, thiserror::Error)]
pub enum SourceEventError {
    /// The body is not one JSON object or array in UTF-8.
    #[error("the body is not a JSON object or array")]
    NotJson(#[source] serde_json::Error),
    /// The event has no name.
    #[error("there is no non-empty text or number at {places}, where the event's name is looked for")]
    NoName {
        /// Where it was looked for.
        places: String,
    },
}

impl<'a> Proven<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// [`SourceEventError`] by cause.
    pub fn content(&self) -> Result<Content<'a>, SourceEventError> {
        let (source, request) = (self.source(), self.request());
        let raw = json(request.body)?;
        let sent = Sent { headers: request.headers, body: raw };
        if source.ping.as_ref().is_some_and(|ping| ping.is(sent)) {
            return Ok(Content::Ping);
        }
        let name = source.event_name.find(sent);
        let name = name.ok_or_else(|| SourceEventError::NoName { places: source.event_name.to_string() })?;
        Ok(Content::Event(SourceEvent {
            source: &source.name,
            id: source.id.find(sent).unwrap_or_else(|| hash_of(request.body)),
            name,
            about: About {
                account_id: source.account.as_ref().and_then(|places| places.find(sent)),
                ..source.entity.as_ref().and_then(|entity| entity.find(sent)).unwrap_or_default()
            },
            raw: raw.get(),
        }))
    }
}

impl Source {
    /// Whether a request that is not proven only tries the way, and may do so: it brings no proof at all, rather than a
    /// wrong one.
    #[must_use]
    pub fn takes_unproven_ping(&self, request: &Request<'_>, error: &ProofError) -> bool {
        let ping = self.ping.as_ref().filter(|ping| ping.unsigned);
        let (Some(ping), ProofError::Missing { header }) = (ping, error) else { return false };
        if self.proof.header().as_ref() != Some(header) {
            return false;
        }
        json(request.body).is_ok_and(|body| ping.is(Sent { headers: request.headers, body }))
    }
}

impl Ping {
    fn is(&self, sent: Sent<'_>) -> bool {
        Places(vec![self.at.clone()]).find(sent).as_ref() == Some(&self.equals)
    }
}

impl Entity {
    fn find(&self, sent: Sent<'_>) -> Option<About> {
        let entity_type = match &self.kind {
            Some(kind) => Some(kind.find(sent)?),
            None => None,
        };
        Some(About { entity_type, entity_ref: Some(self.reference.find(sent)?), ..About::default() })
    }
}

/// Scalars are refused: there is nothing in them that could be routed.
fn json(body: &[u8]) -> Result<&RawValue, SourceEventError> {
    let raw: &RawValue = serde_json::from_slice(body).map_err(SourceEventError::NotJson)?;
    if raw.get().starts_with(['{', '[']) {
        return Ok(raw);
    }
    Err(SourceEventError::NotJson(serde::de::Error::custom("neither an object nor an array")))
}

fn hash_of(body: &[u8]) -> String {
    format!("sha256:{}", hex::encoded(digest(&SHA256, body).as_ref()))
}
