//! A private key of one's own, by which a request is signed as its system would.
//!
//! For the command line and tests: no function has a private key. RSA by `rsa`, because Fluent's keys have 1024 bits and
//! aws-lc-rs signs with no key of less than 2048; all else by aws-lc-rs.

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::{AssociatedOid, DecodePrivateKey as _};
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sha2::{Digest, Sha256, Sha512};

use super::signed::{Form, Scheme};
use super::signer::SigningError;

/// How a private key of Standard Webhooks begins.
const STANDARD_WEBHOOKS: &str = "whsk_";
/// Bytes of an ed25519 seed, which is all of the key, and may have its public half behind it.
const SEED_BYTES: usize = 32;

/// A private key: RSA, ECDSA on P-256 or P-384, or ed25519. Its `Debug` shows its kind alone.
pub struct PrivateKey(Kind);

enum Kind {
    Rsa(Box<RsaPrivateKey>),
    P256(Pair),
    P384(Pair),
    Ed25519(Box<Ed25519KeyPair>),
}

/// One key in the two forms of its signatures.
struct Pair {
    asn1: EcdsaKeyPair,
    fixed: EcdsaKeyPair,
}

/// Why a text is no private key. Never shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is no private key without a password: PEM (BEGIN PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY) of RSA, P-256, P-384 or ed25519, or whsk_ and base64"
)]
pub struct PrivateKeyError;

impl PrivateKey {
    /// Reads PEM (PKCS #8, PKCS #1 or SEC 1), or `whsk_` and the base64 of an ed25519 key.
    ///
    /// # Errors
    /// [`PrivateKeyError`].
    pub fn parse(text: &str) -> Result<Self, PrivateKeyError> {
        let text = text.trim();
        let kind = match text.strip_prefix(STANDARD_WEBHOOKS) {
            Some(encoded) => STANDARD.decode(encoded).ok().and_then(|key| of_seed(&key)),
            None => rsa(text).or_else(|| of_der(&der(text)?)),
        };
        kind.map(Self).ok_or(PrivateKeyError)
    }

    /// `SHA512withRSA` over a body, as Fluent signs its webhooks; `None` where the key is not RSA.
    #[must_use]
    pub fn sha512_with_rsa(&self, body: &[u8]) -> Option<Vec<u8>> {
        self.sign(Scheme::Rsa, &digest::SHA512, body).ok()
    }

    /// A signature of the kind and over the hash that public keys are to verify.
    pub(super) fn sign(
        &self,
        scheme: Scheme,
        hash: &'static digest::Algorithm,
        content: &[u8],
    ) -> Result<Vec<u8>, SigningError> {
        match (scheme, &self.0) {
            (Scheme::Rsa, Kind::Rsa(key)) if *hash == digest::SHA512 => pkcs1v15::<Sha512>(key, content),
            (Scheme::Rsa, Kind::Rsa(key)) if *hash == digest::SHA256 => pkcs1v15::<Sha256>(key, content),
            (Scheme::Rsa, _) => Err(SigningError::OtherKey { wanted: "RSA" }),
            (Scheme::Ecdsa(form), Kind::P256(pair)) if *hash == digest::SHA256 => pair.sign(form, content),
            (Scheme::Ecdsa(form), Kind::P384(pair)) if *hash == digest::SHA384 => pair.sign(form, content),
            (Scheme::Ecdsa(_), _) => {
                Err(SigningError::OtherKey { wanted: "ECDSA: of P-256 for sha256, of P-384 for sha384" })
            }
        }
    }

    /// An ed25519 signature, which Standard Webhooks calls `v1a`.
    pub(super) fn sign_ed25519(&self, content: &[u8]) -> Result<Vec<u8>, SigningError> {
        match &self.0 {
            Kind::Ed25519(pair) => Ok(pair.sign(content).as_ref().to_vec()),
            _ => Err(SigningError::OtherKey { wanted: "ed25519" }),
        }
    }
}

impl Pair {
    fn of(
        der: &[u8],
        asn1: &'static EcdsaSigningAlgorithm,
        fixed: &'static EcdsaSigningAlgorithm,
    ) -> Option<Self> {
        let read = |algorithm| EcdsaKeyPair::from_private_key_der(algorithm, der).ok();
        Some(Self { asn1: read(asn1)?, fixed: read(fixed)? })
    }

    fn sign(&self, form: Form, content: &[u8]) -> Result<Vec<u8>, SigningError> {
        let key = match form {
            Form::Asn1 => &self.asn1,
            Form::Fixed => &self.fixed,
        };
        let signature = key.sign(&SystemRandom::new(), content);
        signature.map(|signature| signature.as_ref().to_vec()).map_err(|_| SigningError::Refused)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            Kind::Rsa(_) => "RSA",
            Kind::P256(_) => "P-256",
            Kind::P384(_) => "P-384",
            Kind::Ed25519(_) => "ed25519",
        };
        write!(f, "PrivateKey({kind} [REDACTED])")
    }
}

fn rsa(pem: &str) -> Option<Kind> {
    let key = RsaPrivateKey::from_pkcs8_pem(pem).ok().or_else(|| RsaPrivateKey::from_pkcs1_pem(pem).ok())?;
    Some(Kind::Rsa(Box::new(key)))
}

fn of_der(der: &[u8]) -> Option<Kind> {
    let p256 = || Pair::of(der, &ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P256_SHA256_FIXED_SIGNING);
    let p384 = || Pair::of(der, &ECDSA_P384_SHA384_ASN1_SIGNING, &ECDSA_P384_SHA384_FIXED_SIGNING);
    let ed25519 = || Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok();
    let curve = p256().map(Kind::P256).or_else(|| p384().map(Kind::P384));
    curve.or_else(|| ed25519().map(|pair| Kind::Ed25519(Box::new(pair))))
}

/// Of a seed, or of a seed and the public key behind it.
fn of_seed(key: &[u8]) -> Option<Kind> {
    let (seed, public) = key.split_at_checked(SEED_BYTES)?;
    let pair = if public.is_empty() {
        Ed25519KeyPair::from_seed_unchecked(seed)
    } else {
        Ed25519KeyPair::from_seed_and_public_key(seed, public)
    };
    Some(Kind::Ed25519(Box::new(pair.ok()?)))
}

/// What stands in the block of PEM that holds a private key; OpenSSL writes one of parameters before it.
fn der(pem: &str) -> Option<Vec<u8>> {
    ["PRIVATE KEY", "EC PRIVATE KEY"].into_iter().find_map(|label| {
        let (_, behind) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
        let (inside, _) = behind.split_once(&format!("-----END {label}-----"))?;
        STANDARD.decode(inside.split_whitespace().collect::<String>()).ok()
    })
}

fn pkcs1v15<H: Digest + AssociatedOid>(key: &RsaPrivateKey, content: &[u8]) -> Result<Vec<u8>, SigningError> {
    let signature = key.sign(Pkcs1v15Sign::new::<H>(), &H::digest(content));
    signature.map_err(|_| SigningError::Refused)
}
