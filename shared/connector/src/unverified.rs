//! A request that nobody could verify when it came, for the configuration could not be read: how it is kept, and read
//! back to be verified then.
//!
//! It is no message and becomes none but by [`Unverified::verified`], which asks the same of it as of a request that
//! comes in. Kept of its headers are those alone that carry a signature of the body or say what is signed: `Authorization`,
//! cookies, keys of an API and whatever else may be a secret are not, so that a request that is proven by such a header
//! cannot be kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde_json::Value;

use crate::configuration::{FoundSource, KeyRing, Sources};
use crate::event_log::{Entry, EventType, Subject};
use crate::signature::{FLEX_SIGNATURE, FLUENT_SIGNATURE};
use crate::source::{FLUENT, ProofError, Request, Source};
use crate::trace;
use crate::webhook::{Rejection, Served, Webhook, of_fluent, of_source};

/// Headers that prove a body and are no secret: Fluent's, and those of the presets of sources. A request without any of
/// them could never be verified, and is not kept.
pub const PROOFS: [&str; 7] = [
    FLUENT_SIGNATURE,
    FLEX_SIGNATURE,
    "webhook-signature",
    "x-fp-signature",
    "x-hub-signature-256",
    "x-shopify-hmac-sha256",
    "stripe-signature",
];
/// Headers besides, in which the presets find what is signed, or what an event is: ids, timestamps, topics.
pub const FACTS: [&str; 8] = [
    "webhook-id",
    "webhook-timestamp",
    "x-fp-event-id",
    "x-github-delivery",
    "x-github-event",
    "x-shopify-shop-domain",
    "x-shopify-topic",
    "x-shopify-webhook-id",
];

const SOURCE: &str = "message.source";
const HEADERS: &str = "request.headers";
const OMITTED: &str = "request.headers.omitted";
const TEXT: &str = "request.body";
const BASE64: &str = "request.body.base64";

/// A request as it was kept.
pub struct Unverified {
    /// When it came: what a signed timestamp is held against.
    pub received_at: Timestamp,
    /// X-Ray's trace header.
    pub trace: Option<String>,
    source: String,
    headers: HeaderMap,
    /// Names of headers that came and were not kept.
    omitted: Vec<HeaderName>,
    body: Vec<u8>,
}

impl Unverified {
    /// The entry that keeps a request to the path of the source of this name, Fluent's own without one; `None` where
    /// nothing of it may be kept that could prove it.
    #[must_use]
    pub fn entry(
        source: Option<&str>,
        request: Request<'_>,
        received_at: Timestamp,
        subject: &Subject<'_>,
    ) -> Option<Entry> {
        if !PROOFS.iter().any(|name| request.headers.contains_key(*name))
            || source.is_some_and(Source::is_reserved)
        {
            return None;
        }
        let entry = Entry::new(EventType::InboundUnverified, received_at).subject(subject);
        let entry = entry
            .field("verified", false)
            .field(SOURCE, source.unwrap_or(FLUENT))
            .field(HEADERS, kept(request.headers))
            .field(OMITTED, omitted(request.headers));
        let encoded = STANDARD.encode(request.body);
        Some(match std::str::from_utf8(request.body) {
            Ok(text) if written(text) <= encoded.len() => entry.field(TEXT, text),
            _ => entry.field(BASE64, encoded),
        })
    }

    /// Reads a line of the log; `None` for an entry of another kind.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        let entry: Value = serde_json::from_str(line).ok()?;
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        if text("type")? != EventType::InboundUnverified.as_str() {
            return None;
        }
        let body = match text(TEXT) {
            Some(text) => text.as_bytes().to_vec(),
            None => STANDARD.decode(text(BASE64)?).ok()?,
        };
        Some(Self {
            received_at: text("time")?.parse().ok()?,
            trace: text("trace.id").map(trace::header_of),
            source: text(SOURCE)?.to_owned(),
            headers: text(HEADERS)?.lines().filter_map(header).collect(),
            omitted: text(OMITTED).unwrap_or_default().lines().filter_map(|name| name.parse().ok()).collect(),
            body,
        })
    }

    /// What it is, if it is genuine: verified now, as of the time when it came.
    ///
    /// # Errors
    /// [`Rejection`] by cause.
    pub fn verified(&self, keys: &KeyRing, sources: &Sources, served: &Served) -> Result<Webhook, Rejection> {
        let request = Request { headers: &self.headers, body: &self.body };
        if self.source == FLUENT {
            of_fluent(request, keys, served, self.received_at)
        } else {
            let told = of_source(request, &self.source, sources, self.received_at);
            match self.lacks(sources).filter(|_| may_depend(&told)) {
                Some(header) => Err(Rejection::NotKept(header.clone())),
                None => told,
            }
        }
    }

    /// A header that its source looks into, and that came and was not kept: without it an event would be another one.
    fn lacks(&self, sources: &Sources) -> Option<&HeaderName> {
        let Some(FoundSource::Usable(source)) = sources.source(&self.source) else { return None };
        self.omitted.iter().find(|header| source.reads(header))
    }
}

/// Whether a header that was not kept could have made it another; what is forged stays so.
fn may_depend(told: &Result<Webhook, Rejection>) -> bool {
    matches!(
        told,
        Ok(_)
            | Err(
                Rejection::Event(_) | Rejection::Proof(ProofError::Missing { .. } | ProofError::NoTimestamp)
            )
    )
}

/// The names of all other headers, one a line: what they hold may be a secret.
fn omitted(headers: &HeaderMap) -> String {
    let is_kept = |name: &str| PROOFS.contains(&name) || FACTS.contains(&name);
    let names = headers.keys().filter(|name| !is_kept(name.as_str()));
    names.flat_map(|name| [name.as_str(), "\n"]).collect()
}

/// The headers that may be kept, one a line, each as often as it came.
fn kept(headers: &HeaderMap) -> String {
    let names = PROOFS.iter().chain(&FACTS);
    let lines = names.flat_map(|name| {
        let values = headers.get_all(*name).into_iter();
        values.map(move |value| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())))
    });
    lines.collect()
}

/// The length of a text in an entry: as JSON. Somebody may send what is six times as long there.
fn written(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(escaped).sum()
}

fn header(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(": ")?;
    Some((name.parse().ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
}
