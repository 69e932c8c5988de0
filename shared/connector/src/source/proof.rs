//! Proof that the system of a source sent a request. The only place that makes a [`Proven`].
//!
//! Every comparison of secrets takes a time that tells nothing of them; no error holds one.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::digest::{Digest, SHA256, digest};
use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use super::Source;
use super::signed::{Signed, is_one_of, timely};
use crate::secret::Secret;
use crate::standard_webhooks::{
    SigningSecret, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP, signed_content,
};

/// Most signatures of a Standard Webhooks request that are looked at.
const MAX_SIGNATURES: usize = 16;

/// What came: headers, and the decoded body byte for byte. Its `Debug` shows neither: a header may be the secret itself.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Every header.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: &'a [u8],
}

/// A request that the system of a source has proven to be its own. Only [`Source::prove`] makes one.
///
/// ```compile_fail,E0451
/// use connector::source::{Proven, Request, Source};
/// fn unproven<'a>(source: &'a Source, request: Request<'a>) -> Proven<'a> {
///     Proven { source, request }
/// }
/// ```
#[derive(Debug)]
pub struct Proven<'a> {
    source: &'a Source,
    request: Request<'a>,
}

/// Why a request is not proven to be its source's. For the log alone: the answer tells nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A header without which there is no proof is not there at all.
    #[error("there is no header {header}")]
    Missing {
        /// Its name.
        header: HeaderName,
    },
    /// The header holds nothing that could be a proof: another prefix, encoding or scheme, or it came twice.
    #[error("the header {header} holds no proof of the kind that the source's document tells")]
    Malformed {
        /// Its name.
        header: HeaderName,
    },
    /// The signed timestamp is not there, not a number, or not the only one.
    #[error("there is no signed timestamp, or it is not one number of unix seconds or milliseconds")]
    NoTimestamp,
    /// The proof is genuine, its time is not near.
    #[error("the signature is genuine, but its timestamp is {seconds} s old, which is outside the tolerance")]
    Untimely {
        /// How old it is; less than 0 for a time to come.
        seconds: i64,
    },
    /// No configured secret or key made it.
    #[error("no configured secret or key made this proof of this request")]
    Wrong,
}

/// How a request proves itself.
pub(super) enum Proof {
    /// Not at all: somebody wrote that they know what this means.
    Nothing,
    /// A header whose value is always the same.
    Fixed {
        header: HeaderName,
        /// What stands before the value, such as `Bearer`.
        scheme: Option<&'static str>,
        values: Vec<FixedValue>,
    },
    /// A signature.
    Signed(Signed),
    /// Standard Webhooks 1.0: `v1` by secrets, `v1a` by public keys.
    StandardWebhooks { secrets: Vec<SigningSecret>, keys: Vec<ParsedPublicKey>, tolerance: Duration },
}

/// A value that is always the same.
pub(super) struct FixedValue {
    value: Secret,
    /// Its SHA-256, which is what is compared: of one length, whatever the value's is.
    digest: Digest,
}

impl FixedValue {
    pub(super) fn new(value: &str) -> Self {
        Self { value: Secret::new(value), digest: hash(value) }
    }

    /// The value itself: for the header of a request.
    pub(super) fn expose(&self) -> &str {
        self.value.expose()
    }
}

impl AsRef<[u8]> for FixedValue {
    fn as_ref(&self) -> &[u8] {
        self.digest.as_ref()
    }
}

impl Proof {
    /// The header without which a request brings no proof at all.
    pub(super) fn header(&self) -> Option<HeaderName> {
        match self {
            Self::Nothing => None,
            Self::Fixed { header, .. } | Self::Signed(Signed { header, .. }) => Some(header.clone()),
            Self::StandardWebhooks { .. } => Some(WEBHOOK_SIGNATURE),
        }
    }

    /// Whether a request is proven by what stands in this header, among others.
    pub(super) fn reads(&self, header: &HeaderName) -> bool {
        self.header().as_ref() == Some(header)
            || match self {
                Self::Nothing | Self::Fixed { .. } => false,
                Self::Signed(signed) => signed.timestamp() == Some(header),
                Self::StandardWebhooks { .. } => [WEBHOOK_ID, WEBHOOK_TIMESTAMP].contains(header),
            }
    }
}

impl Source {
    /// Proves that the source's system sent a request.
    ///
    /// # Errors
    /// [`ProofError`], for the log.
    pub fn prove<'a>(&'a self, request: Request<'a>, now: Timestamp) -> Result<Proven<'a>, ProofError> {
        match &self.proof {
            Proof::Nothing => Ok(()),
            Proof::Fixed { header, scheme, values } => fixed(header, *scheme, values, request.headers),
            Proof::Signed(signed) => signed.check(&request, now),
            Proof::StandardWebhooks { secrets, keys, tolerance } => {
                standard_webhooks(secrets, keys, &request)
                    .and_then(|written| timely(written, *tolerance, now))
            }
        }?;
        Ok(Proven { source: self, request })
    }
}

impl<'a> Proven<'a> {
    /// The source that it is proven to be of.
    #[must_use]
    pub fn source(&self) -> &'a Source {
        self.source
    }

    /// What came.
    #[must_use]
    pub fn request(&self) -> Request<'a> {
        self.request
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

fn hash(value: &str) -> Digest {
    digest(&SHA256, value.as_bytes())
}

fn fixed(
    header: &HeaderName,
    scheme: Option<&str>,
    values: &[FixedValue],
    headers: &HeaderMap,
) -> Result<(), ProofError> {
    let written = only(header, headers)?;
    let value = match scheme {
        None => Some(written),
        Some(scheme) => {
            let parts = written.split_once(' ');
            parts.filter(|(said, _)| said.eq_ignore_ascii_case(scheme)).map(|(_, value)| value.trim())
        }
    };
    let value = value.ok_or_else(|| ProofError::Malformed { header: header.clone() })?;
    if is_one_of(hash(value).as_ref(), values) { Ok(()) } else { Err(ProofError::Wrong) }
}

/// Whether one of the signatures is genuine; the timestamp, which is then so as well.
fn standard_webhooks<'a>(
    secrets: &[SigningSecret],
    keys: &[ParsedPublicKey],
    request: &Request<'a>,
) -> Result<&'a str, ProofError> {
    let signatures = only(&WEBHOOK_SIGNATURE, request.headers)?;
    let id = only(&WEBHOOK_ID, request.headers)?;
    let timestamp = only(&WEBHOOK_TIMESTAMP, request.headers)?;
    let content = signed_content(id, timestamp, request.body);
    let tags: Vec<_> = secrets.iter().map(|secret| secret.mac(&content)).collect();
    let genuine = |written: &str| {
        let (version, encoded) = written.split_once(',')?;
        let signature = STANDARD.decode(encoded).ok()?;
        Some(match version {
            "v1" => is_one_of(&signature, &tags),
            "v1a" => keys.iter().any(|key| key.verify_sig(&content, &signature).is_ok()),
            _ => false,
        })
    };
    let looked_at = signatures.split(' ').take(MAX_SIGNATURES);
    let verdicts: Vec<_> = looked_at.filter_map(genuine).collect();
    if verdicts.is_empty() {
        return Err(ProofError::Malformed { header: WEBHOOK_SIGNATURE });
    }
    if verdicts.contains(&true) { Ok(timestamp) } else { Err(ProofError::Wrong) }
}

/// The only value of a header.
fn only<'a>(header: &HeaderName, headers: &'a HeaderMap) -> Result<&'a str, ProofError> {
    let mut values = headers.get_all(header).iter();
    let value = values.next().ok_or_else(|| ProofError::Missing { header: header.clone() })?;
    let malformed = || ProofError::Malformed { header: header.clone() };
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    text.map(str::trim).filter(|text| !text.is_empty()).ok_or_else(malformed)
}
