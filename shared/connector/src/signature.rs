//! Proof that Fluent sent a body.
//!
//! Takes the raw bytes, never re-serialised JSON. The only place that makes a [`Verified`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;

use crate::keys::PublicKey;

/// Header of the `SHA512withRSA` signature (Fluent's documentation).
pub const FLUENT_SIGNATURE: &str = "fluent-signature";
/// Header of the `MD5withRSA` signature (Fluent's documentation); some proxies drop names with a dot.
pub const FLEX_SIGNATURE: &str = "flex.signature";

/// A body that a configured key has signed. Only [`Verifier::verify`] makes one.
///
/// ```compile_fail,E0451
/// let unsigned = connector::signature::Verified { body: b"{}" };
/// ```
#[derive(Debug)]
pub struct Verified<'a> {
    body: &'a [u8],
}

impl<'a> Verified<'a> {
    /// The exact bytes that were signed.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body
    }
}

/// Why a request is not proven to be Fluent's. For the log alone: the answer tells nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Neither signature header is there.
    #[error("there is no signature header")]
    Missing,
    /// Only `flex.signature` came, and the deployment does not allow MD5.
    #[error("only flex.signature (MD5) came, and AllowMd5Signature is false")]
    Md5NotAllowed,
    /// The deciding header came more than once.
    #[error("the signature header came more than once")]
    Duplicate,
    /// The deciding header is not padded standard base64.
    #[error("the signature header is not base64")]
    Malformed,
    /// No public key could be read from the configuration.
    #[error("no usable public key is configured")]
    NoKey,
    /// No configured key made this signature over this body.
    #[error("no configured key made this signature")]
    Wrong,
}

/// Whether a lone `flex.signature` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Md5Policy {
    /// `flex.signature` is never enough (the default).
    Refuse,
    /// `flex.signature` counts where `fluent-signature` is absent.
    AllowAlone,
}

/// Whether a key made a signature over a body.
type Matches = fn(&PublicKey, &[u8], &[u8]) -> bool;

/// The values of the two signature headers, in the order they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignatureHeaders<'a> {
    /// Every value of `fluent-signature`.
    pub fluent: Vec<&'a [u8]>,
    /// Every value of `flex.signature`.
    pub flex: Vec<&'a [u8]>,
}

/// Verifies bodies against any of the configured keys.
#[derive(Debug, Clone, Copy)]
pub struct Verifier<'k> {
    keys: &'k [Arc<PublicKey>],
    md5: Md5Policy,
}

impl<'k> Verifier<'k> {
    /// A verifier over these keys; any one of them may match.
    #[must_use]
    pub fn new(keys: &'k [Arc<PublicKey>], md5: Md5Policy) -> Self {
        Self { keys, md5 }
    }

    /// `fluent-signature`, when present, even empty, decides alone; else `flex.signature` by policy.
    ///
    /// # Errors
    /// [`SignatureError`], for the log.
    pub fn verify<'a>(
        &self,
        body: &'a [u8],
        headers: &SignatureHeaders<'_>,
    ) -> Result<Verified<'a>, SignatureError> {
        let (values, matches): (_, Matches) =
            match (headers.fluent.is_empty(), headers.flex.is_empty(), self.md5) {
                (false, _, _) => (&headers.fluent, PublicKey::verifies_sha512),
                (true, true, _) => return Err(SignatureError::Missing),
                (true, false, Md5Policy::Refuse) => return Err(SignatureError::Md5NotAllowed),
                (true, false, Md5Policy::AllowAlone) => (&headers.flex, PublicKey::verifies_md5),
            };
        let signature = decoded(values)?;
        if self.keys.is_empty() {
            return Err(SignatureError::NoKey);
        }
        if self.keys.iter().any(|key| matches(key, body, &signature)) {
            Ok(Verified { body })
        } else {
            Err(SignatureError::Wrong)
        }
    }
}

fn decoded(values: &[&[u8]]) -> Result<Vec<u8>, SignatureError> {
    match values {
        [value] if value.contains(&b',') => Err(SignatureError::Duplicate), // how API Gateway joins them
        [value] => STANDARD.decode(value).map_err(|_| SignatureError::Malformed),
        _ => Err(SignatureError::Duplicate),
    }
}
