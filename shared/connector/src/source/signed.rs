//! A signature in a header: over what it is made, by which keys, and how it is written there. What is checked is also
//! what is written, where the command line takes the system's place.
//!
//! Takes the raw bytes, never re-serialised JSON. HMAC, RSA (PKCS #1 v1.5) and ECDSA, all by aws-lc-rs.

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{self, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName};
use jiff::{SignedDuration, Timestamp};

use super::private_key::PrivateKey;
use super::proof::{ProofError, Request};
use super::signer::{SigningError, put};
use crate::hex;

/// Most signatures of a request that are looked at, so that a forged one costs no more than a few.
const MAX_SIGNATURES: usize = 16;
/// From here on a timestamp counts milliseconds: as seconds it would be in the year 5138.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

/// How a request is signed.
pub(super) struct Signed {
    /// Where signatures stand, separated by commas or spaces.
    pub(super) header: HeaderName,
    /// What a signature begins with there; what begins otherwise is none.
    pub(super) prefix: String,
    pub(super) encoding: Encoding,
    pub(super) content: Content,
    pub(super) keys: Keys,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Hex,
    Base64,
}

/// What is signed.
pub(super) enum Content {
    /// The body alone.
    Body,
    /// A text around the timestamp and the body.
    Timed { parts: Vec<Part>, place: TimestampPlace, tolerance: Duration },
}

/// A part of what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Timestamp,
    Body,
}

/// Where the timestamp stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TimestampPlace {
    Header(HeaderName),
    /// `name=…` in the list that holds the signatures.
    Field(String),
}

/// What made a signature that counts; all are valid at once.
pub(super) enum Keys {
    Hmac(Vec<hmac::Key>),
    /// Of RSA or ECDSA, over a hash of what is signed.
    Public {
        scheme: Scheme,
        hash: &'static digest::Algorithm,
        keys: Vec<ParsedPublicKey>,
    },
}

/// Of which kind public keys are, and their signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// PKCS #1 v1.5.
    Rsa,
    Ecdsa(Form),
}

/// How an ECDSA signature holds its two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Asn1,
    Fixed,
}

impl Signed {
    pub(super) fn check(&self, request: &Request<'_>, now: Timestamp) -> Result<(), ProofError> {
        let list = self.list(request.headers)?;
        let signatures = self.signatures(&list)?;
        match &self.content {
            Content::Body => self.keys.made_one_of(&signatures, request.body),
            Content::Timed { parts, place, tolerance } => {
                let written = place.find(&list, request.headers)?;
                self.keys.made_one_of(&signatures, &joined(parts, written, request.body))?;
                timely(written, *tolerance, now)
            }
        }
    }

    /// The header of the timestamp, where it has one of its own.
    pub(super) fn timestamp(&self) -> Option<&HeaderName> {
        match &self.content {
            Content::Timed { place: TimestampPlace::Header(name), .. } => Some(name),
            Content::Timed { .. } | Content::Body => None,
        }
    }

    /// Writes what [`check`](Self::check) takes: by the first secret, or this private key.
    pub(super) fn sign(
        &self,
        headers: &mut HeaderMap,
        body: &[u8],
        key: Option<&PrivateKey>,
        now: Timestamp,
    ) -> Result<(), SigningError> {
        let written = now.as_second().to_string();
        let (content, field) = match &self.content {
            Content::Body => (body.to_vec(), String::new()),
            Content::Timed { parts, place, .. } => {
                (joined(parts, &written, body), place.write(&written, headers)?)
            }
        };
        let signature = self.encoding.encode(&self.keys.sign(&content, key)?);
        put(headers, &self.header, &format!("{field}{}{signature}", self.prefix))
    }

    /// What stands in the header, in pieces.
    fn list<'a>(&self, headers: &'a HeaderMap) -> Result<Vec<&'a str>, ProofError> {
        let mut values = headers.get_all(&self.header).iter().peekable();
        if values.peek().is_none() {
            return Err(ProofError::Missing { header: self.header.clone() });
        }
        let malformed = |_| ProofError::Malformed { header: self.header.clone() };
        let texts = values.map(|value| value.to_str().map_err(malformed)).collect::<Result<Vec<_>, _>>()?;
        Ok(texts
            .into_iter()
            .flat_map(|text| text.split([',', ' ']))
            .filter(|piece| !piece.is_empty())
            .collect())
    }

    fn signatures(&self, list: &[&str]) -> Result<Vec<Vec<u8>>, ProofError> {
        let written = list.iter().filter_map(|piece| piece.strip_prefix(self.prefix.as_str()));
        let signatures: Vec<_> =
            written.take(MAX_SIGNATURES).filter_map(|text| self.encoding.decode(text)).collect();
        if signatures.is_empty() {
            return Err(ProofError::Malformed { header: self.header.clone() });
        }
        Ok(signatures)
    }
}

impl Encoding {
    /// The bytes; `None` where there are none.
    pub(super) fn decode(self, text: &str) -> Option<Vec<u8>> {
        let bytes = match self {
            Self::Hex => hex::decoded(text)?,
            Self::Base64 => STANDARD.decode(text).ok()?,
        };
        (!bytes.is_empty()).then_some(bytes)
    }

    fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encoded(bytes),
            Self::Base64 => STANDARD.encode(bytes),
        }
    }
}

impl TimestampPlace {
    fn find<'a>(&self, list: &[&'a str], headers: &'a HeaderMap) -> Result<&'a str, ProofError> {
        let found: Vec<_> = match self {
            Self::Header(name) => {
                headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect()
            }
            Self::Field(name) => {
                let value = |piece: &&'a str| piece.strip_prefix(name.as_str())?.strip_prefix('=');
                list.iter().filter_map(value).collect()
            }
        };
        match found[..] {
            [one] => Ok(one.trim()),
            _ => Err(ProofError::NoTimestamp),
        }
    }

    /// Puts a timestamp into its header; what stands before the signature where it has none of its own.
    fn write(&self, timestamp: &str, headers: &mut HeaderMap) -> Result<String, SigningError> {
        match self {
            Self::Header(name) => put(headers, name, timestamp).map(|()| String::new()),
            Self::Field(name) => Ok(format!("{name}={timestamp},")),
        }
    }
}

impl Keys {
    /// Every secret is tried on every signature: how long that takes tells nothing of which one was near. What is signed is
    /// hashed once a secret, or once for all public keys, however many signatures a forged request brings.
    fn made_one_of(&self, signatures: &[Vec<u8>], content: &[u8]) -> Result<(), ProofError> {
        let made = match self {
            Self::Hmac(keys) => {
                let tags = keys.iter().map(|key| hmac::sign(key, content));
                tags.fold(false, |made, tag| made | is_one_of(tag.as_ref(), signatures))
            }
            Self::Public { hash, keys, .. } => {
                let hashed = digest(hash, content);
                let is_by = |key: &ParsedPublicKey, signature: &Vec<u8>| {
                    key.verify_digest_sig(&hashed, signature).is_ok()
                };
                keys.iter().any(|key| signatures.iter().any(|signature| is_by(key, signature)))
            }
        };
        if made { Ok(()) } else { Err(ProofError::Wrong) }
    }

    fn sign(&self, content: &[u8], key: Option<&PrivateKey>) -> Result<Vec<u8>, SigningError> {
        match (self, key) {
            (Self::Hmac(keys), None) => {
                Ok(keys.first().map(|key| hmac::sign(key, content).as_ref().to_vec()).unwrap_or_default())
            }
            (Self::Hmac(_), Some(_)) => Err(SigningError::NeedlessKey),
            (Self::Public { .. }, None) => Err(SigningError::NoKey),
            (Self::Public { scheme, hash, .. }, Some(key)) => key.sign(*scheme, hash, content),
        }
    }
}

/// Whether a text is among others, in a time that tells nothing of them.
pub(super) fn is_one_of<T: AsRef<[u8]>>(one: &[u8], others: &[T]) -> bool {
    let is = |other: &T| verify_slices_are_equal(one, other.as_ref()).is_ok();
    others.iter().fold(false, |found, other| found | is(other))
}

fn joined(parts: &[Part], timestamp: &str, body: &[u8]) -> Vec<u8> {
    let bytes = parts.iter().map(|part| match part {
        Part::Text(text) => text.as_bytes(),
        Part::Timestamp => timestamp.as_bytes(),
        Part::Body => body,
    });
    bytes.collect::<Vec<_>>().concat()
}

/// Whether a timestamp in unix seconds, or milliseconds, is near enough to now, in either direction.
pub(super) fn timely(written: &str, tolerance: Duration, now: Timestamp) -> Result<(), ProofError> {
    let number: i64 = written.parse().map_err(|_| ProofError::NoTimestamp)?;
    let time = if number < FIRST_MILLISECONDS {
        Timestamp::from_second(number)
    } else {
        Timestamp::from_millisecond(number)
    };
    let age = now.duration_since(time.map_err(|_| ProofError::NoTimestamp)?);
    let tolerance = SignedDuration::try_from(tolerance).unwrap_or(SignedDuration::MAX);
    if age.abs() <= tolerance { Ok(()) } else { Err(ProofError::Untimely { seconds: age.as_secs() }) }
}
