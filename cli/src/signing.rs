//! Signs bodies as Fluent does, with a key of one's own.

use std::fmt;
use std::path::Path;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::RsaPrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use sha2::Sha512;

/// An RSA key that signs.
#[derive(Clone)]
pub(crate) struct PrivateKey(SigningKey<Sha512>);

impl PrivateKey {
    /// Reads an unencrypted PEM file, PKCS#8 or PKCS#1.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let pem = std::fs::read_to_string(path)
            .with_context(|| format!("the private key {} cannot be read", path.display()))?;
        Self::parse(&pem).with_context(|| {
            format!(
                "{} is no RSA private key in PEM without a password: make one with `connector keygen`",
                path.display()
            )
        })
    }

    /// Reads PEM; errors show nothing of it.
    pub(crate) fn parse(pem: &str) -> anyhow::Result<Self> {
        let pem = pem.trim();
        let key = if pem.starts_with("-----BEGIN RSA PRIVATE KEY-----") {
            RsaPrivateKey::from_pkcs1_pem(pem)?
        } else {
            RsaPrivateKey::from_pkcs8_pem(pem)?
        };
        Ok(Self(SigningKey::new(key)))
    }

    /// The value of `fluent-signature`: `SHA512withRSA` over the body, base64.
    pub(crate) fn sign(&self, body: &[u8]) -> String {
        STANDARD.encode(self.0.sign(body).to_vec())
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::PrivateKey;

    const DEVELOPMENT: &str = include_str!("../../shared/testkit/keys/development.private.pem");

    #[test]
    fn signs_as_the_sample_events_are_signed() {
        let key = PrivateKey::parse(DEVELOPMENT).unwrap();
        assert_eq!(key.sign(b"{}"), testkit::signing::sign_sha512(b"{}"));
        assert_eq!(format!("{key:?}"), "PrivateKey([REDACTED])");
    }
}
