//! How a delivery proves itself to its receiver: the `auth` section of an endpoint.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::document::{Document, DocumentError};
use crate::endpoint_url::EndpointUrl;
use crate::grant::{ClientCredentials, Grant};
use crate::secret::Secret;
use crate::standard_webhooks::{SigningSecret, WEBHOOK_SIGNATURE};

/// How a delivery proves itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Authentication {
    /// Not at all.
    #[default]
    None,
    /// A header whose value is always the same: bearer, basic, or an API key.
    Fixed {
        /// The header.
        name: HeaderName,
        /// Its value.
        value: HeaderValue,
        /// What no log may show.
        secret: Secret,
    },
    /// An access token by OAuth 2.0 client credentials.
    OAuth2(Grant),
    /// Standard Webhooks signatures, one a secret.
    StandardWebhooks(Vec<SigningSecret>),
}

#[derive(Clone, Copy)]
enum Kind {
    None,
    Bearer,
    Basic,
    ApiKey,
    OAuth2,
    StandardWebhooks,
}

const KINDS: [(&str, Kind); 6] = [
    ("none", Kind::None),
    ("bearer", Kind::Bearer),
    ("basic", Kind::Basic),
    ("api-key", Kind::ApiKey),
    ("oauth2", Kind::OAuth2),
    ("standard-webhooks", Kind::StandardWebhooks),
];

/// Every key of every kind; which ones a kind takes is checked after its type is known.
pub const KEYS: [&str; 11] = [
    "type",
    "token",
    "username",
    "password",
    "header",
    "value",
    "tokenUrl",
    "clientId",
    "clientSecret",
    "scope",
    "secrets",
];

/// The names of the kinds.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(name, _)| *name)
}

impl Kind {
    /// The keys beside `type`; `scope` may be left out, no other.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::None => &["type"],
            Self::Bearer => &["token"],
            Self::Basic => &["username", "password"],
            Self::ApiKey => &["header", "value"],
            Self::OAuth2 => &["tokenUrl", "clientId", "clientSecret", "scope"],
            Self::StandardWebhooks => &["secrets"],
        }
    }
}

/// The keys of a section's kind; all where it has none.
fn likely_keys(auth: &Value) -> Vec<&'static str> {
    let kind = auth.get("type").and_then(Value::as_str);
    let kind = KINDS.iter().find(|(name, _)| Some(*name) == kind);
    kind.map_or_else(|| KEYS.to_vec(), |(_, kind)| [&["type"], kind.keys()].concat())
}

impl Authentication {
    /// Reads the section `auth` of an endpoint document.
    ///
    /// # Errors
    /// [`DocumentError`] names the key; no value is shown.
    pub fn of_document(document: &mut Document) -> Result<Self, DocumentError> {
        let Some(mut auth) = document.section_likely("auth", &KEYS, likely_keys)? else {
            return Ok(Self::None);
        };
        let Some(kind) = auth.word("type", &KINDS)? else { return Err(auth.missing("type")) };
        let read = match kind {
            Kind::None => Ok(Self::None),
            Kind::Bearer => bearer(&mut auth),
            Kind::Basic => basic(&mut auth),
            Kind::ApiKey => api_key(&mut auth),
            Kind::OAuth2 => oauth2(&mut auth),
            Kind::StandardWebhooks => signing_secrets(&mut auth).map(Self::StandardWebhooks),
        }?;
        match auth.rest() {
            Some(key) => {
                let problem = format!("does not belong to this type, which takes {}", kind.keys().join(", "));
                Err(auth.unusable(&key, problem))
            }
            None => Ok(read),
        }
    }

    /// The header that this kind sets.
    #[must_use]
    pub fn header(&self) -> Option<HeaderName> {
        match self {
            Self::None => None,
            Self::Fixed { name, .. } => Some(name.clone()),
            Self::OAuth2(_) => Some(AUTHORIZATION),
            Self::StandardWebhooks(_) => Some(WEBHOOK_SIGNATURE),
        }
    }

    /// What no log may show in any spelling.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        match self {
            Self::None => Vec::new(),
            Self::Fixed { value, secret, .. } => {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                let credentials = value.split_once(' ').map(|(_, credentials)| credentials.to_owned());
                [secret.expose().to_owned(), value].into_iter().chain(credentials).collect()
            }
            Self::OAuth2(grant) => grant.secrets(),
            Self::StandardWebhooks(secrets) => secrets
                .iter()
                .flat_map(|secret| [secret.expose(), secret.encoded_key()])
                .map(str::to_owned)
                .collect(),
        }
    }
}

/// A header's value that no `Debug` shows.
#[must_use]
pub fn hidden(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn bearer(auth: &mut Document) -> Result<Authentication, DocumentError> {
    let secret = auth.required_secret("token")?;
    let value = hidden(&format!("Bearer {}", secret.expose())).ok_or_else(|| unsendable(auth, "token"))?;
    Ok(Authentication::Fixed { name: AUTHORIZATION, value, secret })
}

fn basic(auth: &mut Document) -> Result<Authentication, DocumentError> {
    let (username, secret) = (auth.required_text("username")?, auth.required_secret("password")?);
    if username.contains(':') {
        return Err(auth.unusable("username", "must not hold a colon (RFC 7617)"));
    }
    let credentials = STANDARD.encode(format!("{username}:{}", secret.expose()));
    let value = hidden(&format!("Basic {credentials}")).ok_or_else(|| unsendable(auth, "password"))?;
    Ok(Authentication::Fixed { name: AUTHORIZATION, value, secret })
}

fn api_key(auth: &mut Document) -> Result<Authentication, DocumentError> {
    let (header, secret) = (auth.required_text("header")?, auth.required_secret("value")?);
    let name = header_name(auth, "header", &header)?;
    let value = hidden(secret.expose()).ok_or_else(|| unsendable(auth, "value"))?;
    Ok(Authentication::Fixed { name, value, secret })
}

fn oauth2(auth: &mut Document) -> Result<Authentication, DocumentError> {
    let token_url = auth.required_text("tokenUrl")?;
    Ok(Authentication::OAuth2(Grant::ClientCredentials(ClientCredentials {
        token_url: EndpointUrl::parse(token_url.trim())
            .map_err(|error| auth.unusable("tokenUrl", error.to_string()))?,
        client_id: auth.required_text("clientId")?,
        client_secret: auth.required_secret("clientSecret")?,
        scope: auth.text("scope")?,
    })))
}

/// The key `secrets`, which has to hold at least one.
pub(crate) fn signing_secrets(auth: &mut Document) -> Result<Vec<SigningSecret>, DocumentError> {
    let Some(texts) = auth.texts("secrets")? else { return Err(auth.missing("secrets")) };
    if texts.is_empty() {
        return Err(auth.unusable("secrets", "must hold at least one secret"));
    }
    let secret = |(text, number): (&String, usize)| {
        let unusable = |error| auth.unusable("secrets", format!("holds one, number {number}, that {error}"));
        SigningSecret::parse(text).map_err(unusable)
    };
    texts.iter().zip(1..).map(secret).collect()
}

/// Headers that belong to the connection or to what every delivery says of itself.
const RESERVED: [&str; 10] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "expect",
    "upgrade",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "traceparent",
];

/// A header that an operator may set.
///
/// # Errors
/// [`DocumentError::Unusable`] for what is no header's name, or not theirs to set.
pub(crate) fn header_name(document: &Document, key: &str, name: &str) -> Result<HeaderName, DocumentError> {
    match HeaderName::try_from(name) {
        Ok(name) if RESERVED.contains(&name.as_str()) => {
            Err(document.unusable(key, format!("must not set {name}: the connector does")))
        }
        Ok(name) => Ok(name),
        Err(_) => Err(document.unusable(key, "is no header's name: letters, digits and hyphens")),
    }
}

fn unsendable(auth: &Document, key: &str) -> DocumentError {
    auth.unusable(key, "holds a character that no header can carry")
}
