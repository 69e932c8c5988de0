//! A system that sends webhooks, as `{prefix}/sources/{source}` says: how it proves itself, where id, name and entity
//! stand in what it sends, and what it is answered.
//!
//! Knows no system by name: what is particular to one stands in a document, or in the file of presets.

mod auth;
mod event;
mod place;
mod preset;
mod private_key;
mod proof;
mod renewal;
mod signed;
mod signer;

use std::fmt;

use http::{HeaderName, StatusCode};
use serde_json::Value;

use crate::document::{Document, DocumentError};
use crate::job;
use crate::message::{MAX_MESSAGE_BYTES, RESERVED_BYTES};
use crate::notification;

pub use auth::{DEFAULT_TOLERANCE, KEYS as AUTH_KEYS, LONGEST_TOLERANCE, NOTHING, keys_of, kinds};
pub use event::{Content, SourceEvent, SourceEventError};
pub use preset::{FILE as PRESETS, names as presets};
pub use private_key::{PrivateKey, PrivateKeyError};
pub use proof::{ProofError, Proven, Request};
pub use renewal::renewed_at;
pub use signer::SigningError;

use event::Ping;
use place::{Place, Places};
use preset::Preset;
use proof::Proof;

/// Every key of the document.
pub const KEYS: [&str; 11] =
    ["preset", "auth", "secrets", "keys", "name", "id", "entity", "account", "ping", "maxBytes", "answer"];
/// The keys of `entity`, where it is no place itself.
pub const ENTITY_KEYS: [&str; 2] = ["type", "ref"];
/// The keys of `ping`.
pub const PING_KEYS: [&str; 3] = ["at", "equals", "unsigned"];
/// The keys of `answer`.
pub const ANSWER_KEYS: [&str; 2] = ["status", "body"];
/// The largest body that a document may allow, in bytes: larger ones do not fit the queue.
pub const MOST_BYTES: usize = MAX_MESSAGE_BYTES - RESERVED_BYTES;
/// What belongs to `auth`, and stands beside a preset.
const PROOF_KEYS: [&str; 2] = ["secrets", "keys"];
/// The `source` of Fluent's own messages.
pub const FLUENT: &str = "fluent";

/// A system that sends webhooks.
pub struct Source {
    name: String,
    proof: Proof,
    event_name: Places,
    id: Places,
    entity: Option<Entity>,
    account: Option<Places>,
    ping: Option<Ping>,
    max_bytes: usize,
    answer: Option<Reply>,
}

/// Where type and reference of an event's entity stand.
struct Entity {
    kind: Option<Places>,
    reference: Places,
}

/// What a source is answered instead of the connector's own answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// A status of success.
    pub status: u16,
    /// The body; the connector's own where absent.
    pub body: Option<ReplyBody>,
}

/// A body of the operator's choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyBody {
    /// A text, as it is.
    Text(String),
    /// Anything else, as JSON.
    Json(Value),
}

/// Why a parameter is no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The name means something else already.
    #[error(
        "its name is taken: {FLUENT} is the source of Fluent's own webhooks, and {own} of the connector's messages; choose another",
        own = job::SOURCE
    )]
    Reserved,
    /// No webhook's path ends in the name.
    #[error("its name holds a slash, and no webhook's path ends in such a name: choose another")]
    Unreachable,
    /// Its document is wrong.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl Source {
    /// Whether `sources/{name}` is a document of another kind: commercetools sends no webhooks, and what stands there
    /// names its messages.
    #[must_use]
    pub fn is_of_another_kind(name: &str) -> bool {
        name == notification::SOURCE
    }

    /// Whether the name can never be a source's: Fluent's own webhooks have another path, and another proof, and nobody
    /// sends what the connector makes itself.
    #[must_use]
    pub fn is_reserved(name: &str) -> bool {
        [FLUENT, job::SOURCE].contains(&name)
    }

    /// Reads the document of the source of this name.
    ///
    /// # Errors
    /// [`SourceError`] names what is wrong; no value is shown.
    pub fn parse(name: &str, text: &str) -> Result<Self, SourceError> {
        if Self::is_reserved(name) {
            return Err(SourceError::Reserved);
        }
        if name.contains('/') {
            return Err(SourceError::Unreachable);
        }
        let mut document = Document::parse(text.trim_start_matches('\u{feff}'), &KEYS)?;
        let proof = match Preset::named_by(&mut document)? {
            Some((preset, told)) => {
                let proof = proof_beside(&mut document, preset, told)?;
                document = document.over(&told.rest);
                proof
            }
            None => proof_alone(&mut document)?,
        };
        let event_name = places(&mut document, "name")?.ok_or_else(|| document.missing("name"))?;
        let source = Self {
            name: name.to_owned(),
            proof,
            event_name,
            id: id(&mut document)?,
            entity: entity(&mut document)?,
            account: places(&mut document, "account")?,
            ping: ping(&mut document)?,
            max_bytes: document.number_to("maxBytes", MOST_BYTES)?.unwrap_or(MOST_BYTES),
            answer: answer(&mut document)?,
        };
        source.keeps_its_proof(&document)?;
        Ok(source)
    }

    /// What places find is logged, queued and answered: the header of the proof is none of them.
    fn keeps_its_proof(&self, document: &Document) -> Result<(), DocumentError> {
        let Some(header) = self.proof.header() else { return Ok(()) };
        match self.places().find(|(_, places)| places.reads(&header)) {
            Some((key, _)) => {
                let problem =
                    format!("takes what stands in {header}: that is the proof, which no log may show");
                Err(document.unusable(key, problem))
            }
            None => Ok(()),
        }
    }

    /// What tells what an event is, with the keys of the document.
    fn places(&self) -> impl Iterator<Item = (&'static str, &Places)> {
        let entity = self.entity.iter().flat_map(|entity| entity.kind.iter().chain([&entity.reference]));
        let named = [("name", &self.event_name), ("id", &self.id)].into_iter();
        let named = named.chain(self.account.iter().map(|places| ("account", places)));
        named.chain(entity.map(|places| ("entity", places)))
    }

    /// Whether it looks into this header: for the proof of a request, or for what its event is.
    #[must_use]
    pub fn reads(&self, header: &HeaderName) -> bool {
        self.proof.reads(header)
            || self.places().any(|(_, places)| places.reads(header))
            || self.ping.as_ref().is_some_and(|ping| ping.at.reads(header))
    }

    /// Its name: the `source` of its messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The largest body that it may send, in bytes.
    #[must_use]
    pub fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// What it is answered, where its document says so.
    #[must_use]
    pub fn answer(&self) -> Option<&Reply> {
        self.answer.as_ref()
    }

    /// Whether anybody may send in its name.
    #[must_use]
    pub fn is_unproven(&self) -> bool {
        matches!(self.proof, Proof::Nothing)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The proof of a preset, with the document's secrets or keys.
fn proof_beside(document: &mut Document, preset: &str, told: &Preset) -> Result<Proof, DocumentError> {
    if document.peek("auth").is_some() {
        let problem =
            format!("stands beside preset {preset}, which says it already: take one of the two out");
        return Err(document.unusable("auth", problem));
    }
    let kind = told.auth.get("type").and_then(Value::as_str).unwrap_or_default();
    let takes: Vec<_> = PROOF_KEYS.into_iter().filter(|key| auth::keys_of(kind).contains(key)).collect();
    let foreign = PROOF_KEYS.into_iter().find(|key| document.peek(key).is_some() && !takes.contains(key));
    if let Some(key) = foreign {
        let problem = format!("does not belong to preset {preset}, which takes {}", takes.join(" or "));
        return Err(document.unusable(key, problem));
    }
    let mut section = document.taking(&PROOF_KEYS, &told.auth);
    auth::of_section(&mut section)
}

fn proof_alone(document: &mut Document) -> Result<Proof, DocumentError> {
    let proof = auth::of_document(document)?;
    match PROOF_KEYS.into_iter().find(|key| document.peek(key).is_some()) {
        Some(key) => {
            let problem =
                format!("stands outside of auth, where it belongs: auth: {{ type: …, {key}: [ … ] }}");
            Err(document.unusable(key, problem))
        }
        None => Ok(proof),
    }
}

fn places(document: &mut Document, key: &str) -> Result<Option<Places>, DocumentError> {
    let Some(texts) = document.text_or_texts(key)? else { return Ok(None) };
    if texts.is_empty() {
        return Err(document.unusable(key, "must hold at least one place"));
    }
    let place = |text: &String| Place::parse(text).map_err(|problem| document.unusable(key, problem));
    texts.iter().map(place).collect::<Result<_, _>>().map(|places| Some(Places(places)))
}

/// What must differ from one event to the next.
fn varying(document: &mut Document, key: &str) -> Result<Option<Places>, DocumentError> {
    let places = places(document, key)?;
    if places.iter().flat_map(|places| &places.0).any(Place::is_constant) {
        let problem = "holds what is the same in every event: give a JSON pointer such as /delivery/id, or header:<name>";
        return Err(document.unusable(key, problem));
    }
    Ok(places)
}

/// Where the id stands; where the document does not say so, nowhere: events are then known by their bytes.
fn id(document: &mut Document) -> Result<Places, DocumentError> {
    Ok(varying(document, "id")?.unwrap_or(Places(Vec::new())))
}

fn entity(document: &mut Document) -> Result<Option<Entity>, DocumentError> {
    if !matches!(document.peek("entity"), Some(Value::Object(_))) {
        return Ok(varying(document, "entity")?.map(|reference| Entity { kind: None, reference }));
    }
    let Some(mut entity) = document.section("entity", &ENTITY_KEYS)? else { return Ok(None) };
    let kind = places(&mut entity, "type")?;
    let reference = varying(&mut entity, "ref")?.ok_or_else(|| entity.missing("ref"))?;
    Ok(Some(Entity { kind, reference }))
}

fn ping(document: &mut Document) -> Result<Option<Ping>, DocumentError> {
    let Some(mut ping) = document.section("ping", &PING_KEYS)? else { return Ok(None) };
    let written = ping.required_text("at")?;
    let at = Place::parse(&written).map_err(|problem| ping.unusable("at", problem))?;
    if at.is_constant() {
        return Err(ping.unusable("at", "must be a JSON pointer such as /event/name, or header:<name>"));
    }
    let (equals, unsigned) = (ping.required_text("equals")?, ping.switch("unsigned")?.unwrap_or(false));
    Ok(Some(Ping { at, equals, unsigned }))
}

fn answer(document: &mut Document) -> Result<Option<Reply>, DocumentError> {
    let Some(mut answer) = document.section("answer", &ANSWER_KEYS)? else { return Ok(None) };
    let status = match answer.value("status") {
        None => Some(StatusCode::OK.as_u16()),
        Some(status) => status.as_u64().and_then(|status| u16::try_from(status).ok()),
    };
    let Some(status) = status.filter(|status| (200..300).contains(status)) else {
        return Err(answer.unusable("status", "must be a number from 200 to 299: the event is queued"));
    };
    let body = answer.value("body").map(|body| match body {
        Value::String(text) => ReplyBody::Text(text),
        other => ReplyBody::Json(other),
    });
    if status == StatusCode::NO_CONTENT && body.is_some() {
        return Err(answer.unusable("body", "is never sent with status 204: take one of the two out"));
    }
    Ok(Some(Reply { status, body }))
}
