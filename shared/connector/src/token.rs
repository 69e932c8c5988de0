//! Access tokens: kept until shortly before they expire, had once for all who wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use jiff::Timestamp;
use serde_json::Value;

use crate::authentication::hidden;
use crate::delivery::{DeliveryFailure, Next, Purpose, Response, Tried, Unusable, as_its_status};
use crate::disposition::Reason;
use crate::failure::Code;
use crate::grant::Grant;
use crate::sender::Sender;

/// For a whole token call.
pub const TOKEN_TIMEOUT: Duration = Duration::from_secs(5);
/// A token is not used in its last minute, or in the second half of its life where that is shorter than two.
const SPARE: Duration = Duration::from_mins(1);
/// Life of a token whose server names none (RFC 6749, 5.1 only recommends `expires_in`).
const DEFAULT_LIFE: Duration = Duration::from_mins(5);

/// The tokens of an execution environment.
#[derive(Default)]
pub struct Tokens(Mutex<HashMap<Grant, Arc<Slot>>>);

/// One grant's token.
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

/// Which token will do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// A kept one, or else a new one.
    Any,
    /// A new one, or what the call of another, waited for, has just brought.
    New,
    /// Any but this one, which a receiver did not accept.
    Other(&'a AccessToken),
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
    /// A token that is good for a call now.
    ///
    /// # Errors
    /// [`DeliveryFailure`] with `E_TOKEN`: retried where the server may answer later, else misconfigured.
    pub(crate) async fn access(
        &self,
        grant: &Grant,
        which: Wanted<'_>,
        tried: &Tried<'_>,
        sender: &Sender,
    ) -> Result<AccessToken, DeliveryFailure> {
        let slot = self.slot(grant);
        let ended = slot.ended.load(Ordering::Acquire);
        let mut state = slot.state.lock().await;
        let waited = slot.ended.load(Ordering::Acquire) != ended;
        match &*state {
            State::Held(held) if (sender.clock)() < held.use_until && which.admits(held, waited) => {
                return Ok(AccessToken { value: held.value.clone(), fresh: false });
            }
            State::Failed(error) if waited => return Err(error.shared(grant, tried, sender)),
            State::Empty | State::Held(_) | State::Failed(_) => {}
        }
        let asked = ask(grant, tried, sender).await;
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
    pub(crate) async fn forget(&self, grant: &Grant, token: &AccessToken) {
        let slot = self.slot(grant);
        let mut state = slot.state.lock().await;
        if matches!(&*state, State::Held(held) if held.value == token.value) {
            *state = State::Empty;
        }
    }

    fn slot(&self, grant: &Grant) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(grant.clone()).or_default())
    }
}

impl Wanted<'_> {
    fn admits(self, held: &Held, waited: bool) -> bool {
        match self {
            Self::Any => true,
            Self::New => waited,
            Self::Other(refused) => held.value != refused.value,
        }
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
    fn shared(self, grant: &Grant, tried: &Tried<'_>, sender: &Sender) -> DeliveryFailure {
        let failure = self.failure(tried);
        let error = "nothing was sent: the token call of another delivery, which this one waited for, failed";
        sender.record_unsent(grant.token_url(), tried, &failure, error);
        failure
    }
}

async fn ask(
    grant: &Grant,
    tried: &Tried<'_>,
    sender: &Sender,
) -> Result<Held, (TokenError, DeliveryFailure)> {
    let now = || (sender.clock)();
    let purpose = Purpose::Question { judge, other: as_its_status, token_may_be_outdated: false };
    let tried = Tried { purpose, ..*tried };
    let failed = |error: TokenError| (error, error.failure(&tried));
    let request = grant.request().ok_or_else(|| failed(TokenError::Refused { status: None }))?;
    if let Err(failure) = sender.rested(grant.token_url(), &tried) {
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

fn judge(response: &Response) -> Result<(), Unusable> {
    match held(response, Timestamp::UNIX_EPOCH) {
        Some(_) => Ok(()),
        None => Err(Unusable::passing(Code::Token, "the answer holds no access token")),
    }
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
