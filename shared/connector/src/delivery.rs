//! One outbound request, its attempt, and the record that every attempt leaves.
//!
//! An [`Attempt`] is opened only by [`Attempt::conclude`], which writes its record: no outcome is known unrecorded.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;

use crate::disposition::Reason;
use crate::endpoint_url::EndpointUrl;
use crate::event_log::{Entry, EventType, Subject};
use crate::failure::Code;
use crate::outcome::{NoAnswer, Outcome};
use crate::ports::{Clock, EventLog};
use crate::redaction::Redaction;
use crate::retry::{Schedule, retry_after};
use crate::subsegment::Begun;

/// Most bytes of an answer's body that the event log shows.
pub const LOGGED_BODY_BYTES: usize = 2_048;
/// Most bytes of what an answer says is wrong that the event log shows.
pub const LOGGED_ERROR_BYTES: usize = 1_024;
/// Most bytes of an answer's body that are read, of a delivery or a token call: 64 KiB.
pub const ANSWER_BYTES: usize = 65_536;

/// What is delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Of what kind they are, unless the endpoint's own headers say so.
    pub content_type: HeaderValue,
    /// What else the request says of them.
    pub headers: HeaderMap,
}

impl From<Vec<u8>> for Body {
    /// JSON.
    fn from(bytes: Vec<u8>) -> Self {
        let content_type = HeaderValue::from_static("application/json");
        Self { bytes, content_type, headers: HeaderMap::new() }
    }
}

/// A request for the transport.
#[derive(Debug, Clone)]
pub struct OutboundRequest {
    /// The HTTP method.
    pub method: Method,
    /// Where to.
    pub url: EndpointUrl,
    /// Headers besides those that the transport adds.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// For the whole attempt, from name resolution to the last byte of the answer that is read.
    pub timeout: Duration,
    /// Most bytes of the answer's body that are read.
    pub answer_bytes: usize,
    /// What the record shows of the answer's body.
    pub answer: Shown,
}

/// What the record shows of an answer's body.
#[derive(Debug, Clone)]
pub enum Shown {
    /// The first [`LOGGED_BODY_BYTES`], with the known secrets struck out.
    Without(Redaction),
    /// Nothing: the answer is a secret itself.
    Nothing,
}

/// What a receiver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The header `Retry-After`, as it came.
    pub retry_after: Option<String>,
    /// The body, up to the request's `answer_bytes`; what arrived of it where it broke off.
    pub body: Vec<u8>,
}

/// Why there is no answer, with details that name no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportFailure {
    /// The cause.
    pub cause: NoAnswer,
    /// The chain of causes, without the URL.
    pub detail: String,
}

/// A finished attempt whose record is still to be written.
#[derive(Debug)]
#[must_use = "an attempt has to leave its record: conclude it"]
pub struct Attempt {
    method: Method,
    url: String,
    request_bytes: usize,
    answer: Shown,
    duration: Duration,
    result: Result<Response, TransportFailure>,
    /// Where its trace is kept.
    subsegment: Option<Begun>,
}

/// Which attempt it was, and what would follow it.
#[derive(Debug, Clone, Copy)]
pub struct Tried<'a> {
    /// What the record is about.
    pub subject: &'a Subject<'a>,
    /// Number of the attempt, from 1.
    pub number: u32,
    /// When a failed attempt is followed by another.
    pub schedule: &'a Schedule,
    /// For the delay's jitter, from 0 up to 1.
    pub chance: f64,
    /// What the call is for.
    pub purpose: Purpose,
}

/// What a call is for, which decides what its answer means.
#[derive(Debug, Clone, Copy)]
pub enum Purpose {
    /// Delivers the message.
    Delivery {
        /// Whether a 401 may only mean that the access token has ended early.
        token_may_be_outdated: bool,
    },
    /// Asks for something, or says something to an API: its answer matters.
    Question {
        /// What a 2xx answer is worth.
        judge: fn(&Response) -> Result<(), Unusable>,
        /// What an answer of another status is worth.
        other: fn(&Response) -> OtherStatus,
        /// Whether a 401 may only mean that the access token has ended early; the call is then made again at once.
        token_may_be_outdated: bool,
    },
}

/// What an API's answer of another status than 2xx is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OtherStatus {
    /// What its status says.
    AsItSays {
        /// What the answer says of it, for the record.
        detail: Option<String>,
    },
    /// It answers the question, and is given to who asked.
    Answer {
        /// The same.
        detail: Option<String>,
    },
    /// It does not, and something else follows than from its status.
    Unusable(Unusable),
}

/// Every status is what it says.
#[must_use]
pub fn as_its_status(_response: &Response) -> OtherStatus {
    OtherStatus::AsItSays { detail: None }
}

/// An answer that cannot be worked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// The stable code.
    pub code: Code,
    /// Whether another attempt may have a better answer.
    pub may_pass: bool,
    /// What is wrong with it: for the record, where secrets are struck out of it and its end is cut off. Never shown
    /// where the answer is not.
    pub detail: String,
}

impl Unusable {
    /// Another attempt may have a better answer.
    #[must_use]
    pub fn passing(code: Code, detail: impl Into<String>) -> Self {
        Self { code, may_pass: true, detail: detail.into() }
    }

    /// No attempt will have a better one.
    #[must_use]
    pub fn lasting(code: Code, detail: impl Into<String>) -> Self {
        Self { code, may_pass: false, detail: detail.into() }
    }

    fn outcome(&self) -> Outcome {
        if self.may_pass { Outcome::Retry(self.code) } else { Outcome::Refused(self.code) }
    }
}

impl Tried<'_> {
    /// The beginning of its record.
    pub(crate) fn entry(&self, now: Timestamp) -> Entry {
        Entry::new(EventType::OutboundAttempt, now)
            .subject(self.subject)
            .field("purpose", self.purpose.as_str())
            .field("attempt", self.number)
    }
}

impl Purpose {
    /// The text of the field `purpose`: `delivery` or `call`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivery { .. } => "delivery",
            Self::Question { .. } => "call",
        }
    }

    /// What an answer means, and what is wrong with it where its status does not say so.
    fn outcome(self, response: &Response) -> (Outcome, Option<String>) {
        let of_status = Outcome::of_status(response.status);
        match (self, of_status) {
            (Self::Delivery { token_may_be_outdated: true }, _) if response.status == 401 => {
                (Outcome::Retry(Code::Token), None)
            }
            (Self::Question { token_may_be_outdated: true, .. }, _) if response.status == 401 => {
                (Outcome::Repeat(Code::Token), None)
            }
            (Self::Question { judge, .. }, Outcome::Delivered) => match judge(response) {
                Ok(()) => (Outcome::Answered, None),
                Err(unusable) => (unusable.outcome(), Some(unusable.detail)),
            },
            (Self::Question { other, .. }, _) => match other(response) {
                OtherStatus::AsItSays { detail } => (of_status, detail),
                OtherStatus::Answer { detail } => (Outcome::Answered, detail),
                OtherStatus::Unusable(unusable) => (unusable.outcome(), Some(unusable.detail)),
            },
            (Self::Delivery { .. }, _) => (of_status, None),
        }
    }
}

/// A delivery that did not succeed, already on record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the delivery failed with {code}")]
pub struct DeliveryFailure {
    /// The stable code.
    pub code: Code,
    /// HTTP status, where the receiver answered.
    pub status: Option<u16>,
    /// What becomes of the message.
    pub next: Next,
}

/// What becomes of a message whose delivery failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is tried again.
    Retry {
        /// Counted from now.
        after: Duration,
    },
    /// It is parked.
    Undelivered {
        /// Why it waits.
        reason: Reason,
    },
}

impl Next {
    /// What follows an attempt that failed but may succeed later: a retry, or the end of the schedule.
    #[must_use]
    pub fn after(tried: &Tried<'_>, asked: Option<Duration>) -> Self {
        match tried.schedule.delay_after(tried.number, asked, tried.chance) {
            Some(after) => Self::Retry { after },
            None => Self::Undelivered { reason: Reason::Exhausted },
        }
    }

    /// Adds what follows to an attempt's record.
    pub(crate) fn told(self, entry: Entry) -> Entry {
        match self {
            Self::Retry { after } => entry.field("outcome", "retry").field("retry_after_s", after.as_secs()),
            Self::Undelivered { reason } => {
                entry.field("outcome", "undelivered").field("reason", reason.as_str())
            }
        }
    }
}

impl Attempt {
    /// An attempt as the transport saw it.
    pub fn new(
        request: OutboundRequest,
        duration: Duration,
        result: Result<Response, TransportFailure>,
    ) -> Self {
        Self {
            url: request.url.redacted(),
            method: request.method,
            request_bytes: request.body.len(),
            answer: request.answer,
            duration,
            result,
            subsegment: None,
        }
    }

    /// The attempt, which ends this subsegment when it is concluded.
    pub(crate) fn within(self, subsegment: Option<Begun>) -> Self {
        Self { subsegment, ..self }
    }

    /// Whether the receiver did not answer in time.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        matches!(&self.result, Err(failure) if failure.cause == NoAnswer::Timeout)
    }

    /// How long the receiver asks to be left alone.
    #[must_use]
    pub fn asked(&self, now: Timestamp) -> Option<Duration> {
        retry_after(self.result.as_ref().ok()?.retry_after.as_deref()?, now)
    }

    /// Writes the record and opens the attempt: a 2xx answer or one that its question takes for an answer, or why it failed and what follows.
    ///
    /// # Errors
    /// [`DeliveryFailure`] for every other answer, for a 2xx that is of no use, and where there was no answer.
    pub fn conclude(
        self,
        tried: &Tried<'_>,
        log: &dyn EventLog,
        clock: &Clock,
    ) -> Result<Response, DeliveryFailure> {
        let now = clock();
        let status = self.result.as_ref().ok().map(|response| response.status);
        let (outcome, detail) = match &self.result {
            Ok(response) => tried.purpose.outcome(response),
            Err(failure) => (Outcome::of_no_answer(failure.cause), Some(failure.detail.clone())),
        };
        let failed = |code, next| Some(DeliveryFailure { code, status, next });
        let failure = match outcome {
            Outcome::Delivered | Outcome::Answered => None,
            Outcome::Retry(code) => failed(code, Next::after(tried, self.asked(now))),
            Outcome::Repeat(code) => failed(code, Next::Retry { after: Duration::ZERO }),
            Outcome::Refused(code) => failed(code, Next::Undelivered { reason: Reason::Refused }),
        };
        let entry = self.record(tried.entry(now), detail.as_deref());
        let entry = match (&failure, outcome) {
            (None, Outcome::Answered) => entry.field("outcome", "answered"),
            (None, _) => delivered(entry, tried.subject, now),
            (Some(failure), _) => failure.next.told(entry.field("code", failure.code.as_str())),
        };
        if let Some(subsegment) = self.subsegment {
            subsegment.end(&entry);
        }
        log.record(entry);
        match (self.result, failure) {
            (Ok(response), None) => Ok(response),
            (Ok(_), Some(failure)) => Err(failure),
            (Err(no_answer), failure) => Err(failure.unwrap_or(DeliveryFailure {
                code: no_answer.cause.code(),
                status: None,
                next: Next::Undelivered { reason: Reason::Refused },
            })),
        }
    }

    fn record(&self, entry: Entry, detail: Option<&str>) -> Entry {
        let entry = entry
            .field("request.method", self.method.as_str())
            .field("request.url", self.url.as_str())
            .field("request.bytes", self.request_bytes)
            .field("duration_ms", u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX));
        let Ok(response) = &self.result else { return told(entry, detail.map(str::to_owned)) };
        let entry =
            entry.field("response.status", response.status).field("response.bytes", response.body.len());
        match &self.answer {
            Shown::Nothing => entry,
            Shown::Without(secrets) => {
                let body = secrets.shown(within(&response.body), LOGGED_BODY_BYTES);
                let entry = entry.field("response.body", body);
                told(entry, detail.map(|detail| secrets.shown(within(detail.as_bytes()), LOGGED_ERROR_BYTES)))
            }
        }
    }
}

/// A delivery's entry, and how long its message took to come so far.
fn delivered(entry: Entry, subject: &Subject<'_>, now: Timestamp) -> Entry {
    let entry = entry.field("outcome", "delivered");
    let Some(message) = subject.message else { return entry };
    let delay = Duration::try_from(now.duration_since(message.received_at)).unwrap_or_default();
    entry.field("delivery_delay_ms", u64::try_from(delay.as_millis()).unwrap_or(u64::MAX))
}

/// As much of a text as secrets are sought in: far more than is shown of it.
fn within(text: &[u8]) -> &[u8] {
    text.get(..ANSWER_BYTES).unwrap_or(text)
}

fn told(entry: Entry, error: Option<String>) -> Entry {
    match error {
        Some(error) => entry.field("error", error),
        None => entry,
    }
}
