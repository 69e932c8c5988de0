//! Fluent's public keys: what stands under `{prefix}/keys/`, all valid at once.
//!
//! Knows two spellings of a key and its size limits; does not know where the text came from.

use std::fmt;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use rsa::RsaPublicKey;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::pkcs8::DecodePublicKey as _;
use rsa::signature::Verifier as _;
use rsa::traits::PublicKeyParts as _;

/// The smallest key accepted, in bits: Fluent's own keys have 1024.
pub const MIN_KEY_BITS: usize = 1024;
/// The largest key accepted, in bits.
pub const MAX_KEY_BITS: usize = 4096;

const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";

/// Why a text is not a usable public key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text between the PEM lines, or the whole text, is not standard base64.
    #[error(
        "the key is neither bare base64 nor one block of PEM with BEGIN PUBLIC KEY: paste the whole key and nothing else, no quotes, names or further lines"
    )]
    NotBase64(#[source] base64::DecodeError),
    /// A PEM armour of another kind, such as a certificate or a private key.
    #[error(
        "the PEM block is not one whole PUBLIC KEY, from BEGIN to END: give the X.509 public key, not a certificate, another form of key or a private key"
    )]
    WrongPem,
    /// Nothing stands there.
    #[error("the key is empty: give Fluent's public key, bare base64 or PEM")]
    Empty,
    /// A key of another algorithm.
    #[error("the key is of another algorithm than RSA, by which Fluent signs: is it Fluent's key?")]
    OtherAlgorithm,
    /// The bytes are not an X.509 `SubjectPublicKeyInfo` of an RSA key.
    #[error(
        "the key is not one whole RSA public key in X.509 SubjectPublicKeyInfo form (MIGf… or MIIB…): paste all of it, once"
    )]
    NotAnRsaKey(#[source] rsa::pkcs8::spki::Error),
    /// The modulus is outside the limits.
    #[error("the key has {bits} bits; {MIN_KEY_BITS} to {MAX_KEY_BITS} are accepted")]
    Size {
        /// Size of the modulus in bits.
        bits: usize,
    },
    /// The key was read but is not accepted for verification.
    #[error("the key is not accepted for verification")]
    Rejected,
}

/// One RSA public key, parsed once for both algorithms.
pub struct PublicKey {
    sha512: ParsedPublicKey,
    md5: VerifyingKey<Md5>,
}

impl PublicKey {
    /// Reads a bare base64 X.509 key or a PEM block; white space around and between is ignored.
    ///
    /// # Errors
    /// [`KeyError`] says what is wrong with the text, never what it contains.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let der = der(text)?;
        let key = RsaPublicKey::from_public_key_der(&der).map_err(|error| match error {
            rsa::pkcs8::spki::Error::OidUnknown { .. } => KeyError::OtherAlgorithm,
            error => KeyError::NotAnRsaKey(error),
        })?;
        let bits = key.n().bits();
        if !(MIN_KEY_BITS..=MAX_KEY_BITS).contains(&bits) {
            return Err(KeyError::Size { bits });
        }
        let sha512 = ParsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, &der)
            .map_err(|_| KeyError::Rejected)?;
        Ok(Self { sha512, md5: VerifyingKey::new(key) })
    }

    /// Whether `signature` is this key's `SHA512withRSA` over `body`.
    #[must_use]
    pub fn verifies_sha512(&self, body: &[u8], signature: &[u8]) -> bool {
        self.sha512.verify_sig(body, signature).is_ok()
    }

    /// Whether `signature` is this key's `MD5withRSA` over `body`.
    #[must_use]
    pub fn verifies_md5(&self, body: &[u8], signature: &[u8]) -> bool {
        Signature::try_from(signature).is_ok_and(|signature| self.md5.verify(body, &signature).is_ok())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey").finish_non_exhaustive()
    }
}

/// The bytes of a bare base64 X.509 key, or of one in a PEM block.
pub(crate) fn der(text: &str) -> Result<Vec<u8>, KeyError> {
    let der = STANDARD.decode(base64_of(text)?).map_err(KeyError::NotBase64)?;
    if der.is_empty() { Err(KeyError::Empty) } else { Ok(der) }
}

fn base64_of(text: &str) -> Result<String, KeyError> {
    let text = text.trim();
    let bare = match text.strip_prefix(PEM_BEGIN) {
        Some(rest) => rest.strip_suffix(PEM_END).ok_or(KeyError::WrongPem)?,
        None if text.starts_with("-----") => return Err(KeyError::WrongPem),
        None => text,
    };
    Ok(bare.split_whitespace().collect())
}
