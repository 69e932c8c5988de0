//! One outbound request, its attempt, and the record that every attempt leaves.
//!
//! An [`Attempt`] is opened only by [`Attempt::conclude`], which writes its record: no outcome is known unrecorded.

use std::time::Duration;

use crate::endpoint::EndpointUrl;
use crate::event_log::{Entry, EventType, Subject};
use crate::failure::Code;
use crate::ports::{Clock, EventLog};
use crate::retry;

/// The whole attempt, from connect to the last byte of the answer that is read, unless a request says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Most bytes of an answer's body that the event log shows.
pub const LOGGED_BODY_BYTES: usize = 2_048;

/// A request for the transport.
#[derive(Debug, Clone)]
pub struct OutboundRequest {
    /// Where to.
    pub url: EndpointUrl,
    /// Header names and values besides those that the transport adds.
    pub headers: Vec<(&'static str, String)>,
    /// The body of the POST.
    pub body: Vec<u8>,
    /// For the whole attempt.
    pub timeout: Duration,
}

/// What a receiver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The body up to the transport's cap.
    pub body: Vec<u8>,
}

/// Why there is no answer. The code is what people see; the detail names no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportFailure {
    /// The stable code.
    pub code: Code,
    /// The chain of causes, without the URL.
    pub detail: String,
}

/// A finished attempt whose record is still to be written.
#[derive(Debug)]
#[must_use = "an attempt has to leave its record: conclude it"]
pub struct Attempt {
    url: String,
    request_bytes: usize,
    duration: Duration,
    result: Result<Response, TransportFailure>,
}

/// A delivery that did not succeed, already on record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the delivery failed with {code}")]
pub struct DeliveryFailure {
    /// The stable code.
    pub code: Code,
    /// HTTP status, where the receiver answered.
    pub status: Option<u16>,
}

impl Attempt {
    /// An attempt as the transport saw it.
    pub fn new(
        request: &OutboundRequest,
        duration: Duration,
        result: Result<Response, TransportFailure>,
    ) -> Self {
        Self { url: request.url.redacted(), request_bytes: request.body.len(), duration, result }
    }

    /// Writes the record and opens the attempt: a 2xx answer, or why it counts as failed.
    ///
    /// # Errors
    /// [`DeliveryFailure`] for every other status, and where there was no answer.
    pub fn conclude(
        self,
        number: u32,
        subject: &Subject<'_>,
        log: &dyn EventLog,
        clock: &Clock,
    ) -> Result<Response, DeliveryFailure> {
        let failure = self.failure();
        let mut entry = Entry::new(EventType::OutboundAttempt, clock())
            .subject(subject)
            .field("attempt", number)
            .field("request.method", "POST")
            .field("request.url", self.url)
            .field("request.bytes", self.request_bytes)
            .field("duration_ms", u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX))
            .field("outcome", if failure.is_some() { "retry" } else { "delivered" });
        match &self.result {
            Ok(response) => {
                let shown = response.body.get(..LOGGED_BODY_BYTES).unwrap_or(&response.body);
                entry = entry
                    .field("response.status", response.status)
                    .field("response.bytes", response.body.len())
                    .field("response.body", String::from_utf8_lossy(shown).into_owned());
            }
            Err(failure) => entry = entry.field("error", failure.detail.as_str()),
        }
        if let Some(failure) = &failure {
            entry = entry
                .field("code", failure.code.as_str())
                .field("retry_after_s", retry::delay_after(number).as_secs());
        }
        log.record(entry);
        match failure {
            Some(failure) => Err(failure),
            None => self.result.map_err(|failure| DeliveryFailure { code: failure.code, status: None }),
        }
    }

    fn failure(&self) -> Option<DeliveryFailure> {
        match &self.result {
            Ok(response) if (200..300).contains(&response.status) => None,
            Ok(response) => Some(DeliveryFailure { code: Code::Status, status: Some(response.status) }),
            Err(failure) => Some(DeliveryFailure { code: failure.code, status: None }),
        }
    }
}
