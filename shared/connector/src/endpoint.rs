//! An endpoint: where deliveries go and how, as `{prefix}/endpoints/{name}` says.

use std::fmt;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::authentication::{Authentication, header_name, hidden};
use crate::document::{Document, DocumentError, name_of};
use crate::endpoint_url::{EndpointUrl, MadeUrlError, UrlError, UrlTemplate};
use crate::retry::Schedule;
use crate::standard_webhooks::SigningSecret;
use crate::template::{Format, MESSAGE_VARIABLES, RenderError, Scope, Template, is_template};

/// The whole attempt, from name resolution to the last byte of the answer that is read, unless the endpoint says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest timeout of an endpoint: with a token call before it, it still fits an invocation of the router.
pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(15);
/// Shortest one: a slip of the unit would fail every delivery.
pub const SHORTEST_TIMEOUT: Duration = Duration::from_millis(100);

/// Every key of an endpoint.
pub const KEYS: [&str; 8] = ["url", "method", "headers", "timeout", "auth", "retry", "ordering", "paused"];

/// Every key of `retry`.
pub const RETRY_KEYS: [&str; 1] = ["delays"];

/// Where deliveries go, and how.
#[derive(Debug, PartialEq)]
pub struct Endpoint {
    /// The whole URL.
    pub url: UrlTemplate,
    /// POST by default.
    pub method: Method,
    /// Headers of every request; no `Debug` shows their values.
    pub headers: Vec<(HeaderName, HeaderText)>,
    /// Of one attempt; 10 s by default, 100 ms to 15 s.
    pub timeout: Duration,
    /// None by default.
    pub authentication: Authentication,
    /// When a failed attempt is followed by another.
    pub schedule: Schedule,
    /// Whether an entity's messages wait for each other; they do by default.
    pub ordering: Ordering,
    /// Whether its messages are held; false by default.
    pub paused: bool,
}

/// The value of a header.
#[derive(PartialEq)]
pub enum HeaderText {
    /// The same for every message.
    Fixed(HeaderValue),
    /// Made for each message.
    Made(Template),
}

impl fmt::Debug for HeaderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// Where one message goes: the endpoint with its templates filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The URL.
    pub url: EndpointUrl,
    /// The headers that the endpoint sets.
    pub headers: HeaderMap,
}

/// Why an endpoint's templates made nothing of a message.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Its URL.
    #[error("its url: {0}")]
    Url(#[from] MadeUrlError),
    /// One of its headers.
    #[error("its header {name}: {error}")]
    Header {
        /// The header.
        name: HeaderName,
        /// What is wrong.
        error: RenderError,
    },
    /// A header's value that cannot be sent.
    #[error("its header {0}: its value holds a character that no header can carry")]
    Unsendable(HeaderName),
}

/// Whether messages of one entity wait for each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ordering {
    /// An entity's messages arrive in order, through failures.
    #[default]
    Entity,
    /// No message waits for another.
    None,
}

/// Why a text is no endpoint. Never shows a value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// A bare URL that will not do.
    #[error("the endpoint {0}")]
    Url(UrlError),
    /// A document that will not do.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl Endpoint {
    /// Reads a parameter's value: a bare URL, or a document.
    ///
    /// # Errors
    /// [`EndpointError`] says what is wrong.
    pub fn parse(value: &str) -> Result<Self, EndpointError> {
        let value = value.trim_start_matches('\u{feff}'); // what some editors put in front
        let text = value.trim();
        let bare = !text.contains('\n') && !text.starts_with('{') && !text.contains(": ");
        if bare {
            return UrlTemplate::parse(text, MESSAGE_VARIABLES).map(Self::at).map_err(EndpointError::Url);
        }
        Ok(Self::of_document(Document::parse(value, &KEYS)?)?)
    }

    fn at(url: UrlTemplate) -> Self {
        Self {
            url,
            method: Method::POST,
            headers: Vec::new(),
            timeout: DEFAULT_TIMEOUT,
            authentication: Authentication::default(),
            schedule: Schedule::default(),
            ordering: Ordering::default(),
            paused: false,
        }
    }

    fn of_document(mut document: Document) -> Result<Self, DocumentError> {
        let url = document.required_text("url")?;
        let url = UrlTemplate::parse(url.trim(), MESSAGE_VARIABLES)
            .map_err(|error| document.unusable("url", error.to_string()))?;
        let default = Self::at(url);
        let methods = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        let words: Vec<_> =
            methods.iter().zip(0_usize..).map(|(method, index)| (method.as_str(), index)).collect();
        let method = document.word("method", &words)?.and_then(|index| methods.get(index).cloned());
        let authentication = Authentication::of_document(&mut document)?;
        let method = method.unwrap_or(default.method);
        Self { method, authentication, ..default }.with_rest_of(&mut document)
    }

    /// A receiver of signed webhooks, with those keys of an endpoint that a subscription has as well.
    pub(crate) fn of_subscription(
        document: &mut Document,
        url: EndpointUrl,
        secrets: Vec<SigningSecret>,
    ) -> Result<Self, DocumentError> {
        let authentication = Authentication::StandardWebhooks(secrets);
        Self { authentication, ..Self::at(UrlTemplate::Fixed(url)) }.with_rest_of(document)
    }

    /// With all that is read alike of every receiver.
    fn with_rest_of(self, document: &mut Document) -> Result<Self, DocumentError> {
        Ok(Self {
            headers: headers(document, &self.authentication)?,
            timeout: timeout(document)?.unwrap_or(self.timeout),
            schedule: schedule(document)?.unwrap_or_default(),
            ordering: document
                .word("ordering", &[("entity", Ordering::Entity), ("none", Ordering::None)])?
                .unwrap_or_default(),
            paused: document.switch("paused")?.unwrap_or_default(),
            ..self
        })
    }

    /// Whether it is the same for every message.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        matches!(self.url, UrlTemplate::Fixed(_))
            && self.headers.iter().all(|(_, text)| matches!(text, HeaderText::Fixed(_)))
    }

    /// Where a message goes.
    ///
    /// # Errors
    /// [`TargetError`] names what failed.
    pub fn target(&self, scope: &Scope) -> Result<Target, TargetError> {
        let url = self.url.resolve(scope)?;
        let mut headers = HeaderMap::new();
        for (name, text) in &self.headers {
            headers.insert(name, text.value(name, scope)?);
        }
        Ok(Target { url, headers })
    }
}

impl HeaderText {
    fn value(&self, name: &HeaderName, scope: &Scope) -> Result<HeaderValue, TargetError> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::Made(template) => {
                let text = template.render(scope);
                let text = text.map_err(|error| TargetError::Header { name: name.clone(), error })?;
                hidden(text.trim()).ok_or_else(|| TargetError::Unsendable(name.clone()))
            }
        }
    }
}

impl Target {
    /// What no log shows beside the credentials: the values of its headers, their parts, and those of its query.
    #[must_use]
    pub fn hidden_values(&self) -> Vec<String> {
        let mut values = self.url.query_values();
        for (_, value) in self.headers.iter().filter(|(name, _)| *name != CONTENT_TYPE) {
            let value = String::from_utf8_lossy(value.as_bytes());
            values.extend(value.split([' ', ';', ',', '=']).map(str::to_owned));
            values.push(value.into_owned());
        }
        values
    }
}

fn headers(
    document: &mut Document,
    authentication: &Authentication,
) -> Result<Vec<(HeaderName, HeaderText)>, DocumentError> {
    let mut headers: Vec<(HeaderName, HeaderText)> = Vec::new();
    for (name, text) in document.text_by_name("headers")? {
        let key = format!("headers.{}", name_of(&name));
        let name = header_name(document, &key, &name)?;
        if authentication.header().as_ref() == Some(&name) {
            return Err(document.unusable(&key, "is set by auth as well: take one of them out"));
        }
        if headers.iter().any(|(known, _)| *known == name) {
            return Err(document.unusable(&key, "stands there twice: header names are the same in any case"));
        }
        headers.push((name, header_text(document, &key, &text)?));
    }
    Ok(headers)
}

fn header_text(document: &Document, key: &str, text: &str) -> Result<HeaderText, DocumentError> {
    if is_template(text) {
        let template = Template::parse_hidden(text, Format::Text, MESSAGE_VARIABLES);
        return template.map(HeaderText::Made).map_err(|error| document.unusable(key, error.to_string()));
    }
    let value = hidden(text);
    value
        .map(HeaderText::Fixed)
        .ok_or_else(|| document.unusable(key, "holds a character that no header can carry"))
}

fn timeout(document: &mut Document) -> Result<Option<Duration>, DocumentError> {
    match document.duration("timeout")? {
        Some(timeout) if !(SHORTEST_TIMEOUT..=LONGEST_TIMEOUT).contains(&timeout) => {
            Err(document.unusable("timeout", "must be from 100ms to 15s"))
        }
        timeout => Ok(timeout),
    }
}

fn schedule(document: &mut Document) -> Result<Option<Schedule>, DocumentError> {
    let Some(mut retry) = document.section("retry", &RETRY_KEYS)? else { return Ok(None) };
    let Some(delays) = retry.durations("delays")? else { return Ok(None) };
    Schedule::new(delays).map(Some).map_err(|error| retry.unusable("delays", error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Endpoint, Ordering};
    use crate::authentication::Authentication;
    use crate::retry::Schedule;
    use crate::template::Scope;

    const FULL: &str = "
url: https://shop.example/orders?key=q-hunter2
method: PUT
headers: { x-tenant: h-hunter2 }
timeout: 500ms
auth: { type: standard-webhooks, secrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD, whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw] }
retry: { delays: [1s, 2m] }
ordering: none
paused: true
";

    fn error(text: &str) -> String {
        Endpoint::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_bare_url_is_enough() {
        let endpoint = Endpoint::parse(" https://shop.example/orders?x=1\n").unwrap();
        let target = endpoint.target(&Scope::default()).unwrap();
        assert_eq!(target.url.as_url().as_str(), "https://shop.example/orders?x=1");
        assert_eq!((endpoint.method.as_str(), endpoint.timeout.as_secs()), ("POST", 10));
        assert_eq!((endpoint.ordering, endpoint.paused), (Ordering::Entity, false));
        assert_eq!(endpoint, Endpoint::parse("url: https://shop.example/orders?x=1").unwrap());
        assert_eq!(endpoint, Endpoint::parse(r#"{"url":"https://shop.example/orders?x=1"}"#).unwrap());
    }

    #[test]
    fn what_an_editor_puts_in_front_is_no_part_of_the_url() {
        assert_eq!(Endpoint::parse("\u{feff}https://shop.example"), Endpoint::parse("https://shop.example"));
    }

    #[test]
    fn a_document_says_it_all() {
        let endpoint = Endpoint::parse(FULL).unwrap();
        assert_eq!((endpoint.method.as_str(), endpoint.timeout), ("PUT", Duration::from_millis(500)));
        assert_eq!(endpoint.target(&Scope::default()).unwrap().headers["x-tenant"], "h-hunter2");
        assert_eq!((endpoint.ordering, endpoint.paused), (Ordering::None, true));
        let delays = vec![Duration::from_secs(1), Duration::from_mins(2)];
        assert_eq!(endpoint.schedule, Schedule::new(delays).unwrap());
        assert!(
            matches!(&endpoint.authentication, Authentication::StandardWebhooks(secrets) if secrets.len() == 2)
        );
    }

    #[test]
    fn no_secret_is_shown_by_debug_and_all_are_known() {
        let endpoint = Endpoint::parse(FULL).unwrap();
        let shown = format!("{endpoint:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("whsec_"), "{shown}");
        let target = endpoint.target(&Scope::default()).unwrap();
        assert!(!format!("{target:?}").contains("hunter2"));
        let secrets = [target.hidden_values(), endpoint.authentication.secrets()].concat();
        for secret in ["q-hunter2", "h-hunter2", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"] {
            assert!(secrets.iter().any(|known| known == secret), "{secret}");
        }
    }

    #[test]
    fn urls_and_headers_are_made_of_the_message() {
        let text = "url: https://shop.example/{{ event.ref }}\nheaders: { x-id: '{{ event.id }}' }";
        let endpoint = Endpoint::parse(text).unwrap();
        let target = |event: &str| endpoint.target(&Scope::default().with_json("event", event).unwrap());
        let made = target(r#"{"ref":"a b","id":7}"#).unwrap();
        assert_eq!(made.url.as_url().as_str(), "https://shop.example/a%20b");
        assert_eq!(made.headers["x-id"], "7");
        let failed = |event: &str| target(event).unwrap_err().to_string();
        insta::assert_snapshot!(failed(r#"{"id":7}"#), @"its url: line 1: `event.ref` is undefined");
        insta::assert_snapshot!(failed(r#"{"ref":".."}"#), @"its url: has a part that is . or .. in its path");
        insta::assert_snapshot!(failed(r#"{"ref":1}"#), @"its header x-id: line 1: `event.id` is undefined");
        insta::assert_snapshot!(failed(r#"{"ref":1,"id":"a\nb"}"#), @"its header x-id: its value holds a character that no header can carry");
        insta::assert_snapshot!(error("https://shop.example/{{ evnt.ref }}"), @r#"the endpoint is no template: line 1: there is no variable "evnt"; did you mean "event"?"#);
        insta::assert_snapshot!(error("https://{{ event.host }}/"), @"the endpoint may hold templates only behind its host, as in https://shop.example/orders/${ event.entityRef }");
        insta::assert_snapshot!(error("url: https://shop.example/\nheaders: { x-id: '{{ event.id' }"), @r#""headers.x-id" (line 2) is no template: line 1: unexpected end of input, expected end of variable block; close {{ with }}"#);
    }

    #[test]
    fn every_kind_of_authentication_is_read() {
        for (auth, header) in [
            ("{ type: none }", None),
            ("{ type: bearer, token: abc }", Some("authorization")),
            ("{ type: basic, username: a, password: b }", Some("authorization")),
            ("{ type: api-key, header: X-Api-Key, value: abc }", Some("x-api-key")),
            (
                "{ type: oauth2, tokenUrl: 'https://id.example/token', clientId: a, clientSecret: b, scope: c }",
                Some("authorization"),
            ),
            (
                "{ type: standard-webhooks, secrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD] }",
                Some("webhook-signature"),
            ),
        ] {
            let endpoint = Endpoint::parse(&format!("url: https://shop.example\nauth: {auth}")).unwrap();
            assert_eq!(
                endpoint.authentication.header().as_ref().map(http::HeaderName::as_str),
                header,
                "{auth}"
            );
        }
        let basic = Endpoint::parse(
            "url: https://shop.example\nauth: { type: basic, username: Aladdin, password: 'open sesame' }",
        )
        .unwrap();
        let Authentication::Fixed { value, .. } = basic.authentication else {
            panic!("basic is a fixed header")
        };
        assert_eq!(value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "RFC 7617");
    }

    #[test]
    fn a_broken_endpoint_says_what_is_wrong_and_shows_no_value() {
        let document = |line: &str| error(&format!("url: https://shop.example\n{line}"));
        insta::assert_snapshot!(error(""), @"the endpoint is empty: give a URL such as https://shop.example/orders");
        insta::assert_snapshot!(error("shop.example/hunter2"), @"the endpoint is not an absolute URL such as https://shop.example/orders");
        insta::assert_snapshot!(error("ftp://shop.example"), @"the endpoint must begin with https:// (or http://, to an allowed network)");
        insta::assert_snapshot!(error("url: https://user:hunter2@shop.example"), @r#""url" holds a user or password: take them out of the URL, they have keys of their own"#);
        insta::assert_snapshot!(error("method: POST"), @r#"key "url" is missing"#);
        insta::assert_snapshot!(document("pausd: true"), @r#"unknown key "pausd" (line 2); did you mean "paused"?"#);
        insta::assert_snapshot!(document("method: GET"), @r#""method" (line 2) must be one of POST, PUT, PATCH, DELETE"#);
        insta::assert_snapshot!(document("timeout: 10"), @r#""timeout" (line 2) must be a whole number with its unit, such as 500ms, 10s, 5m or 2h"#);
        insta::assert_snapshot!(document("timeout: 60s"), @r#""timeout" (line 2) must be from 100ms to 15s"#);
        insta::assert_snapshot!(document("retry: [5s]"), @r#""retry" (line 2) must be a mapping of keys to values; known are delays"#);
        insta::assert_snapshot!(document("retry: { delay: [5s] }"), @r#"unknown key "retry.delay" (line 2); did you mean "delays"?"#);
        insta::assert_snapshot!(document("retry: { delays: [12h] }"), @r#""retry.delays" (line 2) has a delay over 11h, the longest that SQS can wait for sure"#);
        insta::assert_snapshot!(document("ordering: fifo"), @r#""ordering" (line 2) must be one of entity, none"#);
        insta::assert_snapshot!(document("headers: { host: hunter2 }"), @r#""headers.host" (line 2) must not set host: the connector does"#);
        insta::assert_snapshot!(document("headers: { 'a b': hunter2 }"), @r#""headers.a" (line 2) is no header's name: letters, digits and hyphens"#);
        insta::assert_snapshot!(document("headers: { x-a: \"hunter2\\n\" }"), @r#""headers.x-a" (line 2) holds a character that no header can carry"#);
        insta::assert_snapshot!(document("auth: hunter2"), @r#""auth" (line 2) must be a mapping of keys to values; known are type, token, username, password, header, value, tokenUrl, clientId, clientSecret, scope, secrets"#);
        insta::assert_snapshot!(document("auth: { token: hunter2 }"), @r#"key "auth.type" is missing"#);
        insta::assert_snapshot!(document("auth: { type: hunter2 }"), @r#""auth.type" (line 2) must be one of none, bearer, basic, api-key, oauth2, standard-webhooks"#);
        insta::assert_snapshot!(document("auth: { type: bearer }"), @r#"key "auth.token" is missing"#);
        insta::assert_snapshot!(document("auth: { type: bearer, token: 123456 }"), @r#""auth.token" (line 2) must be text: put it in quotes"#);
        insta::assert_snapshot!(document("auth: { type: bearer, token: a, value: hunter2 }"), @r#""auth.value" (line 2) does not belong to this type, which takes token"#);
        insta::assert_snapshot!(document("auth: { type: basic, username: 'a:hunter2', password: b }"), @r#""auth.username" (line 2) must not hold a colon (RFC 7617)"#);
        insta::assert_snapshot!(document("auth: { type: standard-webhooks, secrets: [] }"), @r#""auth.secrets" (line 2) must hold at least one secret"#);
        insta::assert_snapshot!(document("auth: { type: standard-webhooks, secrets: [hunter2] }"), @r#""auth.secrets" (line 2) holds one, number 1, that is not whsec_ and the base64 of 24 to 64 random bytes"#);
        insta::assert_snapshot!(document("auth: { type: bearer, token: a }\nheaders: { Authorization: b }"), @r#""headers.Authorization" (line 3) is set by auth as well: take one of them out"#);
    }
}
