//! A recorded, authorised call to an API, beside a delivery to an endpoint: its answer matters, and a token that ended
//! early is replaced at once.

use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;

use crate::delivery::{
    DeliveryFailure, OtherStatus, OutboundRequest, Purpose, Response, Shown, Tried, Unusable, as_its_status,
};
use crate::endpoint::LONGEST_TIMEOUT;
use crate::endpoint_url::EndpointUrl;
use crate::event_log::Subject;
use crate::grant::Grant;
use crate::handler::HandlerError;
use crate::redaction::Redaction;
use crate::retry::Schedule;
use crate::sender::{Sender, TO_END};
use crate::token::{AccessToken, TOKEN_TIMEOUT, Wanted};

/// Most bytes of an API's answer that are read: 2 MiB.
pub const CALL_ANSWER_BYTES: usize = 2 << 20;

/// What is asked of an API, as JSON, and what its answer is worth.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// How the access token is had.
    pub grant: &'a Grant,
    /// The HTTP method.
    pub method: Method,
    /// Where to. The record masks the values of its query; nothing secret belongs into them.
    pub url: EndpointUrl,
    /// JSON, or nothing.
    pub body: Vec<u8>,
    /// Of one attempt; at most [`LONGEST_TIMEOUT`].
    pub timeout: Duration,
    /// What a 2xx answer is worth.
    pub judge: fn(&Response) -> Result<(), Unusable>,
    /// What an answer of another status is worth.
    pub other: fn(&Response) -> OtherStatus,
}

/// For which message a call is made, and until when.
pub(crate) struct Calling<'a> {
    pub(crate) subject: &'a Subject<'a>,
    /// Number of the message's attempt, from 1.
    pub(crate) number: u32,
    pub(crate) schedule: &'a Schedule,
    /// No attempt starts that could not end before it.
    pub(crate) deadline: Timestamp,
}

impl<'a> Call<'a> {
    /// A POST of a JSON body.
    #[must_use]
    pub fn post(
        grant: &'a Grant,
        url: EndpointUrl,
        body: Vec<u8>,
        timeout: Duration,
        judge: fn(&Response) -> Result<(), Unusable>,
    ) -> Self {
        let timeout = timeout.min(LONGEST_TIMEOUT);
        Self { grant, method: Method::POST, url, body, timeout, judge, other: as_its_status }
    }

    /// A GET.
    #[must_use]
    pub fn get(
        grant: &'a Grant,
        url: EndpointUrl,
        timeout: Duration,
        judge: fn(&Response) -> Result<(), Unusable>,
    ) -> Self {
        Self { method: Method::GET, ..Self::post(grant, url, Vec::new(), timeout, judge) }
    }

    /// The same, where answers of another status than 2xx are worth something.
    #[must_use]
    pub fn weighing(self, other: fn(&Response) -> OtherStatus) -> Self {
        Self { other, ..self }
    }

    fn question(&self, token_may_be_outdated: bool) -> Purpose {
        Purpose::Question { judge: self.judge, other: self.other, token_may_be_outdated }
    }

    /// Longest time that an attempt takes, token call included.
    fn longest(&self) -> Duration {
        TOKEN_TIMEOUT + TO_END + self.timeout.min(LONGEST_TIMEOUT) + TO_END
    }

    fn request(&self, token: &AccessToken) -> OutboundRequest {
        let json = || HeaderValue::from_static("application/json");
        let content = (!self.body.is_empty()).then(|| (CONTENT_TYPE, json()));
        let mut headers: HeaderMap = content.into_iter().chain([(ACCEPT, json())]).collect();
        headers.insert(AUTHORIZATION, token.value.clone());
        let mut secrets = self.grant.secrets();
        let sent = String::from_utf8_lossy(token.value.as_bytes());
        secrets.extend(sent.strip_prefix("Bearer ").map(str::to_owned));
        OutboundRequest {
            method: self.method.clone(),
            url: self.url.clone(),
            headers,
            body: self.body.clone(),
            timeout: self.timeout.min(LONGEST_TIMEOUT),
            answer_bytes: CALL_ANSWER_BYTES,
            answer: Shown::Without(Redaction::of(&secrets, &[])),
        }
    }
}

impl Sender {
    /// One call, made a second time with a new token where a kept one is answered 401; each attempt is on record.
    ///
    /// # Errors
    /// [`HandlerError::Deadline`] where an attempt could not end in time, else [`HandlerError::Delivery`].
    pub(crate) async fn call(
        &self,
        call: &Call<'_>,
        calling: &Calling<'_>,
    ) -> Result<Response, HandlerError> {
        let mut tried = Tried {
            subject: calling.subject,
            number: calling.number,
            schedule: calling.schedule,
            chance: (self.chance)(),
            purpose: call.question(false),
        };
        self.in_time(call, calling)?;
        self.rested(&call.url, &tried)?;
        let token = self.tokens.access(call.grant, Wanted::Any, &tried, self).await?;
        tried.purpose = call.question(!token.fresh);
        let result = self.called(call, &token, &tried).await;
        if token.fresh || !is_unauthorized(&result) {
            return Ok(result?);
        }
        self.in_time(call, calling)?;
        let token = self.tokens.access(call.grant, Wanted::Other(&token), &tried, self).await?;
        tried.purpose = call.question(false);
        Ok(self.called(call, &token, &tried).await?)
    }

    fn in_time(&self, call: &Call<'_>, calling: &Calling<'_>) -> Result<(), HandlerError> {
        let left = calling.deadline.duration_since((self.clock)());
        let left = Duration::try_from(left).unwrap_or_default();
        if left < call.longest() { Err(HandlerError::Deadline) } else { Ok(()) }
    }

    async fn called(
        &self,
        call: &Call<'_>,
        token: &AccessToken,
        tried: &Tried<'_>,
    ) -> Result<Response, DeliveryFailure> {
        let attempt = self.attempt(call.request(token), tried).await;
        let result = attempt.conclude(tried, self.event_log.as_ref(), &self.clock);
        if is_unauthorized(&result) && token.fresh {
            self.tokens.forget(call.grant, token).await;
        }
        result
    }
}

fn is_unauthorized(result: &Result<Response, DeliveryFailure>) -> bool {
    matches!(result, Err(DeliveryFailure { status: Some(401), .. }))
}
