//! Access tokens by OAuth 2.0 client credentials: kept until shortly before they expire, had once for all who wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use serde_json::Value;

use crate::authentication::{ClientCredentials, hidden};
use crate::delivery::{DeliveryFailure, Next, OutboundRequest, Response, Shown, Tried};
use crate::disposition::Reason;
use crate::failure::Code;
use crate::ports::{Clock, EventLog, Transport};

/// For a whole token call.
pub const TOKEN_TIMEOUT: Duration = Duration::from_secs(5);
/// A token is not used for longer than this before it expires: it has to last for the delivery.
const SPARE: Duration = Duration::from_mins(1);
/// Life of a token whose server names none (RFC 6749, 5.1 only recommends `expires_in`).
const DEFAULT_LIFE: Duration = Duration::from_mins(5);
/// A failed call is the answer for those who waited for it, not for those who come later.
const FAILURE_IS_SHARED_FOR: Duration = Duration::from_millis(500);

/// The tokens of an execution environment.
#[derive(Default)]
pub struct Tokens(Mutex<HashMap<ClientCredentials, Arc<Slot>>>);

/// One credentials' token; its lock is held while a new one is had.
type Slot = tokio::sync::Mutex<State>;

#[derive(Default)]
enum State {
    #[default]
    Empty,
    Held(Held),
    Failed {
        at: Timestamp,
        refusal: TokenError,
    },
}

struct Held {
    value: HeaderValue,
    use_until: Timestamp,
}

/// A token for one delivery.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The value of `Authorization`.
    pub value: HeaderValue,
    /// Whether it was had for this very delivery: a refusal of it then is no matter of its age.
    pub fresh: bool,
}

/// No token: its status, where the server answered, and whether another try may succeed.
#[derive(Debug, Clone, Copy)]
struct TokenError {
    status: Option<u16>,
    retry: bool,
}

/// What a token call works with.
pub(crate) struct Ports<'a> {
    pub(crate) transport: &'a dyn Transport,
    pub(crate) event_log: &'a dyn EventLog,
    pub(crate) clock: &'a Clock,
}

impl Tokens {
    /// A token that is good for a delivery now.
    ///
    /// # Errors
    /// [`DeliveryFailure`] with `E_TOKEN`: retried where the server may answer later, else misconfigured.
    pub(crate) async fn access(
        &self,
        credentials: &ClientCredentials,
        tried: &Tried<'_>,
        ports: &Ports<'_>,
    ) -> Result<AccessToken, DeliveryFailure> {
        let slot = self.slot(credentials);
        let mut state = slot.lock().await;
        let now = (ports.clock)();
        match &*state {
            State::Held(held) if now < held.use_until => {
                return Ok(AccessToken { value: held.value.clone(), fresh: false });
            }
            State::Failed { at, refusal } if elapsed(*at, now) < FAILURE_IS_SHARED_FOR => {
                return Err(refusal.failure(tried));
            }
            State::Empty | State::Held(_) | State::Failed { .. } => {}
        }
        let asked = ask(credentials, tried, ports).await;
        let now = (ports.clock)();
        match asked {
            Ok(held) => {
                let token = AccessToken { value: held.value.clone(), fresh: true };
                *state = State::Held(held);
                Ok(token)
            }
            Err(refusal) => {
                *state = State::Failed { at: now, refusal };
                Err(refusal.failure(tried))
            }
        }
    }

    /// Forgets a token that a receiver did not accept, unless another has taken its place.
    pub(crate) async fn forget(&self, credentials: &ClientCredentials, token: &AccessToken) {
        let slot = self.slot(credentials);
        let mut state = slot.lock().await;
        if matches!(&*state, State::Held(held) if held.value == token.value) {
            *state = State::Empty;
        }
    }

    fn slot(&self, credentials: &ClientCredentials) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(credentials.clone()).or_default())
    }
}

impl TokenError {
    fn failure(self, tried: &Tried<'_>) -> DeliveryFailure {
        let next = if self.retry {
            Next::after(tried, None)
        } else {
            Next::Undelivered { reason: Reason::Misconfigured }
        };
        DeliveryFailure { code: Code::Token, status: self.status, next }
    }
}

async fn ask(
    credentials: &ClientCredentials,
    tried: &Tried<'_>,
    ports: &Ports<'_>,
) -> Result<Held, TokenError> {
    let request = request(credentials).ok_or(TokenError { status: None, retry: false })?;
    let attempt = ports.transport.send(request).await;
    match attempt.conclude(tried, ports.event_log, ports.clock) {
        Ok(response) => {
            let unusable = TokenError { status: Some(response.status), retry: false };
            held(&response, (ports.clock)()).ok_or(unusable)
        }
        Err(failure) => {
            let refused = matches!(failure.next, Next::Undelivered { reason: Reason::Refused });
            Err(TokenError { status: failure.status, retry: !refused })
        }
    }
}

/// Client id and secret in the header `Authorization`, form-encoded first (RFC 6749, 2.3.1).
fn request(credentials: &ClientCredentials) -> Option<OutboundRequest> {
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let client =
        format!("{}:{}", encoded(&credentials.client_id), encoded(credentials.client_secret.expose()));
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    if let Some(scope) = &credentials.scope {
        form.append_pair("scope", scope);
    }
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, hidden(&format!("Basic {}", STANDARD.encode(client)))?);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    Some(OutboundRequest {
        method: Method::POST,
        url: credentials.token_url.clone(),
        headers,
        body: form.finish().into_bytes(),
        timeout: TOKEN_TIMEOUT,
        answer: Shown::Nothing,
    })
}

/// The token of a server's answer (RFC 6749, 5.1); `expires_in` is a number, or one in quotes.
fn held(response: &Response, now: Timestamp) -> Option<Held> {
    let answer: Value = serde_json::from_slice(&response.body).ok()?;
    let token = answer.get("access_token")?.as_str().filter(|token| !token.is_empty())?;
    let seconds = match answer.get("expires_in") {
        Some(Value::Number(seconds)) => seconds.as_f64(),
        Some(Value::String(seconds)) => seconds.parse().ok(),
        _ => None,
    };
    let life = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(DEFAULT_LIFE);
    let use_for = life.saturating_sub(SPARE).max(life / 2).min(life);
    let use_until = now.saturating_add(use_for).unwrap_or(now);
    Some(Held { value: hidden(&format!("Bearer {token}"))?, use_until })
}

fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
