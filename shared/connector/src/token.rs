//! Access tokens by OAuth 2.0 client credentials: kept until shortly before they expire, had once for all who wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use serde_json::Value;

use crate::authentication::{ClientCredentials, hidden};
use crate::delivery::{DeliveryFailure, Next, OutboundRequest, Purpose, Response, Shown, Tried};
use crate::disposition::Reason;
use crate::failure::Code;
use crate::sender::Sender;

/// For a whole token call.
pub const TOKEN_TIMEOUT: Duration = Duration::from_secs(5);
/// A token is not used in its last minute, or in the second half of its life where that is shorter than two.
const SPARE: Duration = Duration::from_mins(1);
/// Life of a token whose server names none (RFC 6749, 5.1 only recommends `expires_in`).
const DEFAULT_LIFE: Duration = Duration::from_mins(5);

/// The tokens of an execution environment.
#[derive(Default)]
pub struct Tokens(Mutex<HashMap<ClientCredentials, Arc<Slot>>>);

/// One credentials' token.
#[derive(Default)]
struct Slot {
    /// How many calls have ended: tells those who waited for one from those who come later.
    ended: AtomicU64,
    /// Locked while a call is made.
    state: tokio::sync::Mutex<State>,
}

#[derive(Default)]
enum State {
    #[default]
    Empty,
    Held(Held),
    Failed(TokenError),
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

/// No token; with the status of the answer, where there was one.
#[derive(Debug, Clone, Copy)]
enum TokenError {
    /// Another call may succeed, after as long as the server asks to be left alone.
    Failed { status: Option<u16>, asked: Option<Duration> },
    /// No call will succeed with these credentials.
    Refused { status: Option<u16> },
}

impl Tokens {
    /// A token that is good for a delivery now. The last of several attempts has a new one: there is none after it that
    /// could make good for a token that ended early.
    ///
    /// # Errors
    /// [`DeliveryFailure`] with `E_TOKEN`: retried where the server may answer later, else misconfigured.
    pub(crate) async fn access(
        &self,
        credentials: &ClientCredentials,
        tried: &Tried<'_>,
        sender: &Sender,
    ) -> Result<AccessToken, DeliveryFailure> {
        let slot = self.slot(credentials);
        let ended = slot.ended.load(Ordering::Acquire);
        let mut state = slot.state.lock().await;
        let waited = slot.ended.load(Ordering::Acquire) != ended;
        let renew = tried.number > 1 && tried.schedule.is_last(tried.number) && !waited;
        match &*state {
            State::Held(held) if (sender.clock)() < held.use_until && !renew => {
                return Ok(AccessToken { value: held.value.clone(), fresh: false });
            }
            State::Failed(error) if waited => return Err(error.shared(credentials, tried, sender)),
            State::Empty | State::Held(_) | State::Failed(_) => {}
        }
        let asked = ask(credentials, tried, sender).await;
        slot.ended.fetch_add(1, Ordering::Release);
        match asked {
            Ok(held) => {
                let token = AccessToken { value: held.value.clone(), fresh: true };
                *state = State::Held(held);
                Ok(token)
            }
            Err((error, failure)) => {
                *state = State::Failed(error);
                Err(failure)
            }
        }
    }

    /// Forgets a token that a receiver did not accept, unless another has taken its place.
    pub(crate) async fn forget(&self, credentials: &ClientCredentials, token: &AccessToken) {
        let slot = self.slot(credentials);
        let mut state = slot.state.lock().await;
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
    /// What the failure means for a delivery.
    fn failure(self, tried: &Tried<'_>) -> DeliveryFailure {
        let (status, next) = match self {
            Self::Failed { status, asked } => (status, Next::after(tried, asked)),
            Self::Refused { status } => (status, Next::Undelivered { reason: Reason::Misconfigured }),
        };
        DeliveryFailure { code: Code::Token, status, next }
    }

    /// For a delivery that waited for another's call: its own record.
    fn shared(self, credentials: &ClientCredentials, tried: &Tried<'_>, sender: &Sender) -> DeliveryFailure {
        let failure = self.failure(tried);
        let error = "nothing was sent: the token call of another delivery, which this one waited for, failed";
        sender.record_unsent(&credentials.token_url, tried, &failure, error);
        failure
    }
}

async fn ask(
    credentials: &ClientCredentials,
    tried: &Tried<'_>,
    sender: &Sender,
) -> Result<Held, (TokenError, DeliveryFailure)> {
    let now = || (sender.clock)();
    let tried = Tried { purpose: Purpose::Question { usable, code: Code::Token }, ..*tried };
    let failed = |error: TokenError| (error, error.failure(&tried));
    let request = request(credentials).ok_or_else(|| failed(TokenError::Refused { status: None }))?;
    if let Err(failure) = sender.rested(&credentials.token_url, &tried) {
        return Err((TokenError::Failed { status: None, asked: None }, failure));
    }
    let attempt = sender.attempt(request, &tried).await;
    let asked = attempt.asked(now());
    match attempt.conclude(&tried, sender.event_log.as_ref(), &sender.clock) {
        Ok(response) => {
            let error = TokenError::Failed { status: Some(response.status), asked };
            held(&response, now()).ok_or_else(|| failed(error))
        }
        Err(failure) => {
            let status = failure.status;
            Err(failed(match failure.next {
                Next::Undelivered { reason: Reason::Refused } => TokenError::Refused { status },
                Next::Undelivered { .. } | Next::Retry { .. } => TokenError::Failed { status, asked },
            }))
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

fn usable(response: &Response) -> bool {
    held(response, Timestamp::UNIX_EPOCH).is_some()
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
    let life = seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok())
        .unwrap_or(DEFAULT_LIFE);
    let use_for = life.saturating_sub(SPARE).max(life / 2).min(life);
    let use_until = now.saturating_add(use_for).unwrap_or(now);
    Some(Held { value: hidden(&format!("Bearer {token}"))?, use_until })
}
