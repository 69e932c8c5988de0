//! How an access token is asked for: client credentials, or a user's password. The one description of both, by which
//! tokens are kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};

use crate::authentication::hidden;
use crate::delivery::{ANSWER_BYTES, OutboundRequest, Shown};
use crate::endpoint_url::EndpointUrl;
use crate::secret::Secret;
use crate::token::TOKEN_TIMEOUT;

/// How an access token is had. Two that are equal share their token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Grant {
    /// OAuth 2.0 client credentials (RFC 6749, 4.4).
    ClientCredentials(ClientCredentials),
    /// A user's name and password with a client's id and secret (RFC 6749, 4.3), as Fluent has it.
    Password(PasswordCredentials),
}

/// OAuth 2.0 client credentials; sent in the header `Authorization`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientCredentials {
    /// Where tokens are had.
    pub token_url: EndpointUrl,
    /// Who asks.
    pub client_id: String,
    /// The proof of it.
    pub client_secret: Secret,
    /// What the token is for; the server's default where absent.
    pub scope: Option<String>,
}

/// A user's and a client's credentials; all sent in the form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PasswordCredentials {
    /// Where tokens are had.
    pub token_url: EndpointUrl,
    /// The user.
    pub username: String,
    /// The proof of it.
    pub password: Secret,
    /// The client that asks for the user.
    pub client_id: String,
    /// The proof of it.
    pub client_secret: Secret,
    /// What the token is for.
    pub scope: String,
}

impl Grant {
    /// Where tokens are had.
    #[must_use]
    pub fn token_url(&self) -> &EndpointUrl {
        match self {
            Self::ClientCredentials(credentials) => &credentials.token_url,
            Self::Password(credentials) => &credentials.token_url,
        }
    }

    /// What no log may show in any spelling.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        let secrets = match self {
            Self::ClientCredentials(credentials) => vec![&credentials.client_secret],
            Self::Password(credentials) => vec![&credentials.password, &credentials.client_secret],
        };
        secrets.into_iter().map(|secret| secret.expose().to_owned()).collect()
    }

    /// The request for a token; `None` where the credentials fit no header.
    #[must_use]
    pub fn request(&self) -> Option<OutboundRequest> {
        let (client, body) = match self {
            Self::ClientCredentials(credentials) => (Some(credentials.authorization()?), credentials.form()),
            Self::Password(credentials) => (None, credentials.form()),
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.extend(client.map(|value| (AUTHORIZATION, value)));
        Some(OutboundRequest {
            method: Method::POST,
            url: self.token_url().clone(),
            headers,
            body: body.into_bytes(),
            timeout: TOKEN_TIMEOUT,
            answer_bytes: ANSWER_BYTES,
            answer: Shown::Nothing,
        })
    }
}

impl ClientCredentials {
    /// Client id and secret, form-encoded first (RFC 6749, 2.3.1).
    fn authorization(&self) -> Option<HeaderValue> {
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let client = format!("{}:{}", encoded(&self.client_id), encoded(self.client_secret.expose()));
        hidden(&format!("Basic {}", STANDARD.encode(client)))
    }

    fn form(&self) -> String {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if let Some(scope) = &self.scope {
            form.append_pair("scope", scope);
        }
        form.finish()
    }
}

impl PasswordCredentials {
    fn form(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "password")
            .append_pair("username", &self.username)
            .append_pair("password", self.password.expose())
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.client_secret.expose())
            .append_pair("scope", &self.scope)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Grant, PasswordCredentials};
    use crate::endpoint_url::EndpointUrl;
    use crate::secret::Secret;

    #[test]
    fn a_password_grant_is_one_form_and_its_debug_shows_no_secret() {
        let grant = Grant::Password(PasswordCredentials {
            token_url: EndpointUrl::parse("https://acme.example/oauth/token").unwrap(),
            username: "a b".to_owned(),
            password: Secret::new("hunter2&"),
            client_id: "ACME".to_owned(),
            client_secret: Secret::new("hunter3="),
            scope: "api".to_owned(),
        });
        let request = grant.request().unwrap();
        insta::assert_snapshot!(String::from_utf8(request.body).unwrap(), @"grant_type=password&username=a+b&password=hunter2%26&client_id=ACME&client_secret=hunter3%3D&scope=api");
        assert!(!request.headers.contains_key("authorization"));
        assert_eq!(grant.secrets(), ["hunter2&", "hunter3="]);
        assert!(!format!("{grant:?}").contains("hunter"), "{grant:?}");
    }
}
