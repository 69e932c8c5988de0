//! The other half of a proof: signs a request as the source's system would, for whoever tries a source without it.
//!
//! Works from the same document as the check, so that no second table says which header carries what.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use super::Source;
use super::private_key::PrivateKey;
use super::proof::Proof;
use crate::hex;
use crate::standard_webhooks::{
    SigningSecret, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP, signed_content,
};

/// Why a request cannot be signed as the source's system would.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// Public keys prove its requests, and no private key is given.
    #[error("its document holds public keys alone: to sign, give the private key of one of them")]
    NoKey,
    /// A private key is given, and secrets prove its requests.
    #[error("it takes no private key: the secrets of its document are what it signs with")]
    NeedlessKey,
    /// The private key is of another kind than the document's public ones.
    #[error("the private key is of another kind than the public keys of its document: {wanted}")]
    OtherKey {
        /// Which kind would be right.
        wanted: &'static str,
    },
    /// The private key signs nothing.
    #[error("the private key cannot sign")]
    Refused,
    /// A header cannot hold what belongs there.
    #[error("no request can hold what belongs into its header {header}")]
    Unwritable {
        /// Its name.
        header: HeaderName,
    },
}

impl Source {
    /// Adds the headers by which a request of this body proves to be the source's. A header that is the secret itself is
    /// marked as sensitive. Of several secrets the first signs; of Standard Webhooks each does, and `webhook-id` is made of
    /// the body where there is none yet.
    ///
    /// # Errors
    /// [`SigningError`].
    pub fn sign(
        &self,
        headers: &mut HeaderMap,
        body: &[u8],
        key: Option<&PrivateKey>,
        now: Timestamp,
    ) -> Result<(), SigningError> {
        match &self.proof {
            Proof::Signed(signed) => signed.sign(headers, body, key, now),
            Proof::StandardWebhooks { secrets, keys, .. } => {
                if keys.is_empty() && key.is_some() {
                    return Err(SigningError::NeedlessKey);
                }
                standard_webhooks(secrets, key, headers, body, now)
            }
            Proof::Nothing | Proof::Fixed { .. } if key.is_some() => Err(SigningError::NeedlessKey),
            Proof::Nothing => Ok(()),
            Proof::Fixed { header, scheme, values } => {
                let value = values.first().map_or("", |value| value.expose());
                let written = scheme.map_or_else(|| value.to_owned(), |scheme| format!("{scheme} {value}"));
                put(headers, header, &written)?;
                if let Some(value) = headers.get_mut(header) {
                    value.set_sensitive(true);
                }
                Ok(())
            }
        }
    }
}

/// A signature by each secret, and by the private key.
fn standard_webhooks(
    secrets: &[SigningSecret],
    key: Option<&PrivateKey>,
    headers: &mut HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<(), SigningError> {
    if secrets.is_empty() && key.is_none() {
        return Err(SigningError::NoKey);
    }
    let unwritable = |_| SigningError::Unwritable { header: WEBHOOK_ID };
    let id = match headers.get(WEBHOOK_ID) {
        Some(id) => id.to_str().map_err(unwritable)?.trim().to_owned(),
        None => format!("msg_{}", hex::encoded(digest(&SHA256, body).as_ref())),
    };
    let seconds = now.as_second();
    let mut signatures: Vec<_> = secrets.iter().map(|secret| secret.sign(&id, seconds, body)).collect();
    if let Some(key) = key {
        let signature = key.sign_ed25519(&signed_content(&id, &seconds.to_string(), body))?;
        signatures.push(format!("v1a,{}", STANDARD.encode(signature)));
    }
    put(headers, &WEBHOOK_ID, &id)?;
    put(headers, &WEBHOOK_TIMESTAMP, &seconds.to_string())?;
    put(headers, &WEBHOOK_SIGNATURE, &signatures.join(" "))
}

/// Puts a header into the place of one of the same name.
pub(super) fn put(headers: &mut HeaderMap, name: &HeaderName, text: &str) -> Result<(), SigningError> {
    let value = HeaderValue::from_str(text);
    let value = value.map_err(|_| SigningError::Unwritable { header: name.clone() })?;
    headers.insert(name.clone(), value);
    Ok(())
}
