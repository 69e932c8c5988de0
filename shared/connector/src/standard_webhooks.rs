//! Signs what is delivered, as Standard Webhooks 1.0 says (github.com/standard-webhooks/standard-webhooks).

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};

/// Identity of the message: the same over all attempts and replays, the receiver's idempotency key.
pub const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
/// When this attempt was made, in unix seconds.
pub const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
/// A signature by each secret.
pub const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// How a secret begins.
const PREFIX: &str = "whsec_";
/// Shortest and longest key in bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A symmetric signing secret.
#[derive(Clone)]
pub struct SigningSecret {
    text: String,
    key: hmac::Key,
}

/// Why a text is no signing secret. Never shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not whsec_ and the base64 of 24 to 64 random bytes")]
pub struct SecretError;

impl SigningSecret {
    /// Reads `whsec_` and base64.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SecretError)?;
        let key = STANDARD.decode(encoded).map_err(|_| SecretError)?;
        if !KEY_BYTES.contains(&key.len()) {
            return Err(SecretError);
        }
        Ok(Self { text: text.to_owned(), key: hmac::Key::new(hmac::HMAC_SHA256, &key) })
    }

    /// The secret as it was written: for striking it out of answers.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The same without `whsec_`.
    #[must_use]
    pub fn encoded_key(&self) -> &str {
        self.text.strip_prefix(PREFIX).unwrap_or(&self.text)
    }

    /// `v1,` and the base64 of the HMAC-SHA256 over id, timestamp (unix seconds) and body.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        format!("v1,{}", STANDARD.encode(self.mac(&signed_content(id, &timestamp.to_string(), body))))
    }

    /// The HMAC-SHA256 over what is signed.
    pub(crate) fn mac(&self, content: &[u8]) -> hmac::Tag {
        hmac::sign(&self.key, content)
    }
}

/// What is signed: id, timestamp and body, each behind a dot.
pub(crate) fn signed_content(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), timestamp.as_bytes(), body].join(&b'.')
}

/// The value of `webhook-signature`: one signature a secret, so that a receiver can change over from one to the next.
#[must_use]
pub fn signature(secrets: &[SigningSecret], id: &str, timestamp: i64, body: &[u8]) -> Option<HeaderValue> {
    let signatures: Vec<_> = secrets.iter().map(|secret| secret.sign(id, timestamp, body)).collect();
    let mut value = HeaderValue::from_str(&signatures.join(" ")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl PartialEq for SigningSecret {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for SigningSecret {}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

#[cfg(test)]
mod tests {
    use super::{SecretError, SigningSecret, signature};

    const FIRST: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const SECOND: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn the_vectors_of_the_standard_are_met() {
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        let first = SigningSecret::parse(FIRST).unwrap();
        assert_eq!(
            first.sign("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, body),
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="
        );
        let second = SigningSecret::parse(SECOND).unwrap();
        assert_eq!(
            second.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn several_secrets_give_several_signatures_and_are_never_shown() {
        let secrets = [FIRST, SECOND].map(|text| SigningSecret::parse(text).unwrap());
        let value = signature(&secrets, "msg_1", 1, b"{}").unwrap();
        let signatures: Vec<_> = value.to_str().unwrap().split(' ').collect();
        assert_eq!(signatures, secrets.each_ref().map(|secret| secret.sign("msg_1", 1, b"{}")));
        assert!(
            !format!("{secrets:?} {value:?}").contains("whsec_") && !format!("{value:?}").contains("v1,")
        );
    }

    #[test]
    fn what_is_no_signing_secret_is_refused() {
        for text in [
            "",
            "whsec_",
            "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "whsec_AAAA",
            "whsk_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        ] {
            assert_eq!(SigningSecret::parse(text).unwrap_err(), SecretError, "{text}");
        }
    }
}
