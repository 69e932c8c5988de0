//! Fynd's platform API, as far as a subscription needs it: its topics, and the subscribers of a company.
//!
//! A client of the company signs in with the client credentials grant (Fynd's help, "OAuth Client ID and Secret"), and its
//! token is the bearer of all other calls. The topics are public. Fynd's own SDKs sign each request as well
//! (`x-fp-signature`), with a key that stands in their source; its examples without an SDK do not, and neither do we.

pub(crate) mod plan;

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connector::delivery::{OutboundRequest, Purpose, Shown, Tried};
use connector::document::Document;
use connector::endpoint_url::EndpointUrl;
use connector::event_log::{Entry, Subject};
use connector::failure::chain;
use connector::ports::{Clock, EventLog, Transport as _};
use connector::redaction::Redaction;
use connector::retry::Schedule;
use connector::secret::Secret;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use outbound::{AddressPolicy, HttpTransport, Networks};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Environment;
use crate::load::{LOOPBACK, is_local};
use crate::screen::printable;

/// Where Fynd's API is, unless a company is told otherwise.
pub(crate) const CLUSTER: &str = "https://api.fynd.com";
/// Where the credentials stand.
const CLIENT_ID: &str = "FYND_CLIENT_ID";
const CLIENT_SECRET: &str = "FYND_CLIENT_SECRET";
/// Of one call.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Most bytes of an answer: the topics come with their schemas.
const ANSWER_BYTES: usize = 32 << 20;
/// Subscribers of a page, and most pages: more than any company has.
const PAGE: usize = 50;
const MOST_PAGES: usize = 100;
/// Characters of an answer that an error shows.
const SHOWN_CHARACTERS: usize = 300;

/// A topic that can be subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Topic {
    event_category: String,
    event_name: String,
    event_type: String,
    version: Value,
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// What a subscriber has besides it.
    #[serde(default)]
    subscriber_event_mapping: Option<Mapping>,
}

/// What a subscriber wants of a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct Mapping {
    #[serde(default)]
    filters: Option<Value>,
    #[serde(default)]
    reducer: Option<Value>,
}

/// A subscriber as it is registered; what Fynd leaves out or has as null is absent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Subscriber {
    pub(crate) id: Option<u64>,
    pub(crate) name: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) webhook_url: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) email_id: Option<String>,
    pub(crate) association: Option<Association>,
    pub(crate) custom_headers: Option<Value>,
    pub(crate) auth_meta: Option<AuthMeta>,
    pub(crate) event_configs: Option<Vec<Topic>>,
}

/// Which sales channels a subscriber is for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Association {
    pub(crate) application_id: Option<Vec<String>>,
    pub(crate) criteria: Option<String>,
}

/// How webhooks are signed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AuthMeta {
    pub(crate) r#type: Option<String>,
    secret: Option<String>,
}

#[derive(Deserialize)]
struct Topics {
    event_configs: Vec<Topic>,
}

#[derive(Deserialize)]
struct Subscribers {
    #[serde(default)]
    items: Vec<Subscriber>,
    #[serde(default)]
    page: Page,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Page {
    has_next: Option<bool>,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

/// Who signs in.
pub(crate) struct Credentials {
    client_id: String,
    client_secret: Secret,
}

/// The API.
pub(crate) struct Fynd {
    transport: HttpTransport,
    base: EndpointUrl,
    clock: Clock,
}

/// A company that a client is signed in to.
pub(crate) struct Company<'a> {
    fynd: &'a Fynd,
    id: String,
    token: HeaderValue,
    /// What no error shows.
    hidden: Redaction,
}

/// One call.
struct Call {
    method: Method,
    url: Option<EndpointUrl>,
    headers: HeaderMap,
    body: Vec<u8>,
    answer: Shown,
}

impl Topic {
    /// The name that a message of this topic has.
    pub(crate) fn name(&self) -> String {
        let version = self.version.as_str().map_or_else(|| self.version.to_string(), str::to_owned);
        format!("{}/{}/{}/v{version}", self.event_category, self.event_name, self.event_type)
    }

    /// Whether the whole body is made anew, envelope included.
    pub(crate) fn has_reducer(&self) -> bool {
        self.kept("reducer").is_some()
    }

    /// Its filter or reducer, where there is one.
    pub(crate) fn kept(&self, key: &str) -> Option<&Value> {
        let mapping = self.subscriber_event_mapping.as_ref()?;
        let value = if key == "reducer" { &mapping.reducer } else { &mapping.filters };
        let says_something =
            |value: &&Value| !value.is_null() && value.as_object().is_none_or(|fields| !fields.is_empty());
        value.as_ref().filter(says_something)
    }
}

impl AuthMeta {
    /// Whether it is this secret; `None` where Fynd does not show it.
    pub(crate) fn is(&self, secret: &Secret) -> Option<bool> {
        let shown = self.secret.as_deref().filter(|shown| shown.chars().any(|c| c != '*' && c != '•'))?;
        Some(shown == secret.expose())
    }
}

impl Credentials {
    /// Out of a file, else out of the environment; never out of arguments, which every user of a machine can see.
    pub(crate) fn find(file: Option<&Path>, environment: Environment) -> anyhow::Result<Self> {
        let Some(file) = file else { return Self::of_environment(environment) };
        let unreadable = || format!("the credentials {} cannot be read", file.display());
        let text = std::fs::read_to_string(file).with_context(unreadable)?;
        let mut document = Document::parse(&text, &["clientId", "clientSecret"]).with_context(unreadable)?;
        Ok(Self {
            client_id: document.required_text("clientId").with_context(unreadable)?,
            client_secret: document.required_secret("clientSecret").with_context(unreadable)?,
        })
    }

    fn of_environment(environment: Environment) -> anyhow::Result<Self> {
        let of = |name: &str| {
            let value = environment(name).filter(|value| !value.trim().is_empty());
            value.with_context(|| {
                format!("{name} is not set: {CLIENT_ID} and {CLIENT_SECRET} are those of a client of the company, or say --credentials FILE")
            })
        };
        Ok(Self { client_id: of(CLIENT_ID)?, client_secret: Secret::new(of(CLIENT_SECRET)?) })
    }
}

impl Fynd {
    /// The API at this URL: https, or this machine.
    pub(crate) fn at(cluster: &str, clock: Clock) -> anyhow::Result<Self> {
        let base =
            EndpointUrl::parse(cluster).map_err(|error| anyhow::anyhow!("--cluster {}", chain(&error)))?;
        let networks = if is_local(base.as_url()) { LOOPBACK } else { "" };
        let transport = HttpTransport::new(AddressPolicy::new(Networks::parse(networks)?))?;
        Ok(Self { transport, base, clock })
    }

    /// Every topic there is, by name.
    pub(crate) async fn topics(&self) -> anyhow::Result<Vec<Topic>> {
        let call = Call {
            method: Method::GET,
            url: self.base.at(&["service", "common", "webhook", "v1.0", "events"], &[]),
            headers: HeaderMap::new(),
            body: Vec::new(),
            answer: Shown::Without(Redaction::default()),
        };
        let Topics { mut event_configs } = self.json(call, "the topics cannot be read").await?;
        event_configs.sort_by_key(Topic::name);
        event_configs.dedup_by_key(|topic| topic.name());
        Ok(event_configs)
    }

    /// Signs in to a company.
    pub(crate) async fn sign_in(
        &self,
        company: u64,
        credentials: &Credentials,
        secret: &Secret,
    ) -> anyhow::Result<Company<'_>> {
        let id = company.to_string();
        let Credentials { client_id, client_secret } = credentials;
        let basic = STANDARD.encode(format!("{client_id}:{}", client_secret.expose()));
        let mut headers = HeaderMap::from_iter([(AUTHORIZATION, hidden(&format!("Basic {basic}"))?)]);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let path = ["service", "panel", "authentication", "v1.0", "company", &id, "oauth", "token"];
        let call = Call {
            method: Method::POST,
            url: self.base.at(&path, &[]),
            headers,
            body: b"grant_type=client_credentials".to_vec(),
            answer: Shown::Nothing,
        };
        let failed = format!("no access token for company {id}: see {CLIENT_ID} and {CLIENT_SECRET}");
        let Token { access_token } = self.json(call, &failed).await?;
        let token = hidden(&format!("Bearer {access_token}"))?;
        let secrets = [client_secret.expose().to_owned(), access_token, secret.expose().to_owned()];
        Ok(Company { fynd: self, id, token, hidden: Redaction::of(&secrets, &[]) })
    }

    async fn json<T: DeserializeOwned>(&self, call: Call, failed: &str) -> anyhow::Result<T> {
        let body = self.call(call, failed).await?;
        let read = serde_json::from_slice(&body);
        read.map_err(|error| {
            anyhow::anyhow!(
                "{failed}: what Fynd answered is not what its SDKs expect ({:?} at line {}, column {}), or over {} MiB",
                error.classify(),
                error.line(),
                error.column(),
                ANSWER_BYTES >> 20
            )
        })
    }

    /// The body of a 2xx answer.
    async fn call(&self, call: Call, failed: &str) -> anyhow::Result<Vec<u8>> {
        let request = OutboundRequest {
            method: call.method,
            url: call.url.context("a part of the URL names nothing")?,
            headers: call.headers,
            body: call.body,
            timeout: TIMEOUT,
            answer_bytes: ANSWER_BYTES,
            answer: call.answer,
        };
        let attempt = self.transport.send(request).await;
        let (kept, schedule) = (Kept::default(), Schedule::default());
        let purpose = Purpose::Delivery { token_may_be_outdated: false };
        let tried =
            Tried { subject: &Subject::default(), number: 1, schedule: &schedule, chance: 0.0, purpose };
        attempt.conclude(&tried, &kept, &self.clock).map(|response| response.body).map_err(|failure| {
            let status = failure.status.map(|status| format!("Fynd answered {status}"));
            let status = status.unwrap_or_else(|| failure.code.to_string());
            anyhow::anyhow!("{failed}: {status}{}", kept.says())
        })
    }
}

impl Company<'_> {
    /// All its subscribers.
    pub(crate) async fn subscribers(&self) -> anyhow::Result<Vec<Subscriber>> {
        let failed = format!("the subscribers of company {} cannot be read", self.id);
        let mut all = Vec::new();
        for number in 1..=MOST_PAGES {
            let query = [("page_no", number.to_string()), ("page_size", PAGE.to_string())];
            let query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let path = ["service", "platform", "webhook", "v1.0", "company", &self.id, "subscriber"];
            let call = self.call(Method::GET, self.fynd.base.at(&path, &query), Vec::new());
            let Subscribers { items, page } = self.fynd.json(call, &failed).await?;
            all.extend(items);
            if page.has_next != Some(true) {
                return Ok(all);
            }
        }
        anyhow::bail!("{failed}: there are more than {MOST_PAGES} pages of them")
    }

    /// Registers a subscriber, or takes the place of the one of its name.
    pub(crate) async fn register(&self, subscriber: &Value) -> anyhow::Result<()> {
        let path = ["service", "platform", "webhook", "v3.0", "company", &self.id, "subscriber"];
        let body = subscriber.to_string().into_bytes();
        let call = self.call(Method::PUT, self.fynd.base.at(&path, &[]), body);
        let failed = format!("the subscriber of company {} was not changed", self.id);
        self.fynd.call(call, &failed).await.map(drop)
    }

    fn call(&self, method: Method, url: Option<EndpointUrl>, body: Vec<u8>) -> Call {
        let mut headers = HeaderMap::from_iter([(AUTHORIZATION, self.token.clone())]);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Call { method, url, headers, body, answer: Shown::Without(self.hidden.clone()) }
    }
}

fn hidden(text: &str) -> anyhow::Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| anyhow::anyhow!("the credentials hold a character that no header may have"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Keeps the record of one attempt.
#[derive(Default)]
struct Kept(Mutex<Option<Entry>>);

impl Kept {
    /// What the answer or the failure says of itself, secrets struck out.
    fn says(self) -> String {
        let entry = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let record = serde_json::to_value(entry).unwrap_or_default();
        let says = record.get("error").or_else(|| record.get("response.body")).and_then(Value::as_str);
        let says: String = says.unwrap_or_default().trim().chars().take(SHOWN_CHARACTERS).collect();
        if says.is_empty() { says } else { format!(": {}", printable(&says)) }
    }
}

#[async_trait]
impl EventLog for Kept {
    fn record(&self, entry: Entry) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(entry);
    }

    async fn flush(&self) {}
}
