//! Delivers a body to an endpoint: is it paused, is there time, who are we, one attempt, its record.

use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use crate::authentication::Authentication;
use crate::breaker::Breaker;
use crate::delivery::{
    ANSWER_BYTES, Attempt, Body, DeliveryFailure, Next, OutboundRequest, Purpose, Response, Shown, Tried,
};
use crate::endpoint::{Endpoint, Target};
use crate::endpoint_url::EndpointUrl;
use crate::event_log::Subject;
use crate::failure::Code;
use crate::ports::{Chance, Clock, EventLog, Transport};
use crate::redaction::Redaction;
use crate::standard_webhooks::{WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP, signature};
use crate::subsegment::{Begun, Tracing};
use crate::token::{AccessToken, TOKEN_TIMEOUT, Tokens, Wanted};
use crate::trace::{SpanId, TRACEPARENT, TraceHeader};

/// To end an attempt whose timeout has passed, and to write its record.
pub(crate) const TO_END: Duration = Duration::from_secs(1);

/// The ports that deliveries work with, and what an execution environment remembers between them.
pub struct Sender {
    /// The only way out.
    pub transport: Arc<dyn Transport>,
    /// Where attempts are recorded.
    pub event_log: Arc<dyn EventLog>,
    /// The time of day.
    pub clock: Clock,
    /// For jitter and span ids.
    pub chance: Chance,
    /// Access tokens.
    pub tokens: Tokens,
    /// Endpoints that hang.
    pub breaker: Breaker,
    /// Where attempts are told to the traces of their messages; `None` where nobody takes them.
    pub tracing: Option<Tracing>,
}

/// One message's delivery to one endpoint.
pub(crate) struct Delivery<'a> {
    pub(crate) endpoint: &'a Endpoint,
    /// The endpoint, filled in for this message.
    pub(crate) target: &'a Target,
    /// With `webhook`, the message's id for receivers.
    pub(crate) subject: &'a Subject<'a>,
    /// Number of the attempt, from 1.
    pub(crate) number: u32,
    pub(crate) body: &'a Body,
}

/// Longest time that a delivery to this endpoint takes, token call included.
#[must_use]
pub fn longest(endpoint: &Endpoint) -> Duration {
    let token = match &endpoint.authentication {
        Authentication::OAuth2(_) => TOKEN_TIMEOUT + TO_END,
        Authentication::None | Authentication::Fixed { .. } | Authentication::StandardWebhooks(_) => {
            Duration::ZERO
        }
    };
    token + endpoint.timeout + TO_END
}

impl Sender {
    /// A sender that remembers nothing yet.
    pub fn new(
        transport: Arc<dyn Transport>,
        event_log: Arc<dyn EventLog>,
        clock: Clock,
        chance: Chance,
    ) -> Self {
        let (tokens, breaker) = (Tokens::default(), Breaker::default());
        Self { transport, event_log, clock, chance, tokens, breaker, tracing: None }
    }

    /// The same, which tells each attempt to its message's trace.
    #[must_use]
    pub fn traced(self, tracing: Option<Tracing>) -> Self {
        Self { tracing, ..self }
    }

    /// One attempt; whatever comes of it is on record.
    pub(crate) async fn send(&self, delivery: Delivery<'_>) -> Result<Response, DeliveryFailure> {
        let mut tried = Tried {
            subject: delivery.subject,
            number: delivery.number,
            schedule: &delivery.endpoint.schedule,
            chance: (self.chance)(),
            purpose: Purpose::Delivery { token_may_be_outdated: false },
        };
        self.rested(&delivery.target.url, &tried)?;
        let token = match &delivery.endpoint.authentication {
            Authentication::OAuth2(grant) => {
                Some((grant, self.tokens.access(grant, wanted(&tried), &tried, self).await?))
            }
            Authentication::None | Authentication::Fixed { .. } | Authentication::StandardWebhooks(_) => None,
        };
        let token_may_be_outdated = token.as_ref().is_some_and(|(_, token)| !token.fresh);
        tried.purpose = Purpose::Delivery { token_may_be_outdated };
        let request = self.request(&delivery, token.as_ref().map(|(_, token)| token));
        let attempt = self.attempt(request, &tried).await;
        let result = attempt.conclude(&tried, self.event_log.as_ref(), &self.clock);
        if let (Err(DeliveryFailure { status: Some(401), .. }), Some((grant, token))) = (&result, token) {
            self.tokens.forget(grant, &token).await;
        }
        result
    }

    /// The attempt; where its future is dropped half-way, the record says so.
    pub(crate) async fn attempt(&self, mut request: OutboundRequest, tried: &Tried<'_>) -> Attempt {
        let url = request.url.clone();
        let subsegment = self.trace(&mut request, tried);
        let mut record = Cancelled { sender: self, tried, url: Some(url.redacted()), subsegment };
        let attempt = self.transport.send(request).await;
        record.url = None;
        self.breaker.learn(&url, attempt.timed_out(), (self.clock)(), (self.chance)());
        attempt.within(record.subsegment.take())
    }

    /// Begins the attempt's subsegment, and tells a receiver in which trace it is called: below the subsegment, or where
    /// there is none below what the message's header names.
    fn trace(&self, request: &mut OutboundRequest, tried: &Tried<'_>) -> Option<Begun> {
        let header = TraceHeader::parse(tried.subject.trace?)?;
        let tracing = self.tracing.as_ref();
        let subsegment = tracing.and_then(|tracing| tracing.call(header, &request.method, &request.url));
        if let Purpose::Delivery { .. } = tried.purpose {
            let span = subsegment.as_ref().map(Begun::id).or(header.parent);
            let traceparent = header.traceparent(span.unwrap_or_else(|| SpanId::drawn(&self.chance)));
            if let Ok(value) = HeaderValue::from_str(&traceparent) {
                request.headers.insert(TRACEPARENT, value);
            }
        }
        subsegment
    }

    /// Whether the URL may be tried: it rests where it did not answer others just now. The last attempt is always made.
    pub(crate) fn rested(&self, url: &EndpointUrl, tried: &Tried<'_>) -> Result<(), DeliveryFailure> {
        match self.breaker.rests_until(url, (self.clock)()) {
            Some(until) if !tried.schedule.is_last(tried.number) => {
                let next = Next::after(tried, None);
                let failure = DeliveryFailure { code: Code::Unresponsive, status: None, next };
                let error = format!(
                    "nothing was sent: {} timed out in a row, this execution environment leaves it alone until {until:.0}",
                    url.redacted()
                );
                self.record_unsent(url, tried, &failure, &error);
                Err(failure)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The record of an attempt that sent nothing.
    pub(crate) fn record_unsent(
        &self,
        url: &EndpointUrl,
        tried: &Tried<'_>,
        failure: &DeliveryFailure,
        error: &str,
    ) {
        let entry = tried
            .entry((self.clock)())
            .field("request.url", url.redacted())
            .field("code", failure.code.as_str())
            .field("error", error);
        self.event_log.record(failure.next.told(entry));
    }

    fn request(&self, delivery: &Delivery<'_>, token: Option<&AccessToken>) -> OutboundRequest {
        let endpoint = delivery.endpoint;
        let mut headers = delivery.target.headers.clone();
        headers.entry(CONTENT_TYPE).or_insert_with(|| delivery.body.content_type.clone());
        for (name, value) in &delivery.body.headers {
            headers.insert(name, value.clone());
        }
        self.identify(delivery, &mut headers);
        match &endpoint.authentication {
            Authentication::Fixed { name, value, .. } => drop(headers.insert(name, value.clone())),
            Authentication::None | Authentication::OAuth2(_) | Authentication::StandardWebhooks(_) => {}
        }
        if let Some(token) = token {
            headers.insert(http::header::AUTHORIZATION, token.value.clone());
        }
        let mut credentials = endpoint.authentication.secrets();
        for header in [WEBHOOK_SIGNATURE, http::header::AUTHORIZATION] {
            let sent = headers.get(header).map(HeaderValue::as_bytes).unwrap_or_default();
            let sent = String::from_utf8_lossy(sent);
            let parts = sent.split([' ', ',']); // each signature, or scheme and credentials
            credentials.extend(parts.filter(|part| !matches!(*part, "Bearer" | "Basic")).map(str::to_owned));
        }
        OutboundRequest {
            method: endpoint.method.clone(),
            url: delivery.target.url.clone(),
            headers,
            body: delivery.body.bytes.clone(),
            timeout: endpoint.timeout,
            answer_bytes: ANSWER_BYTES,
            answer: Shown::Without(Redaction::of(&credentials, &delivery.target.hidden_values())),
        }
    }

    /// Who the message is, when this attempt was made, and the signatures over it.
    fn identify(&self, delivery: &Delivery<'_>, headers: &mut HeaderMap) {
        let timestamp = (self.clock)().as_second();
        let id = delivery.subject.webhook.unwrap_or_default();
        if let Ok(value) = HeaderValue::from_str(id) {
            headers.insert(WEBHOOK_ID, value);
        }
        headers.insert(WEBHOOK_TIMESTAMP, timestamp.into());
        if let Authentication::StandardWebhooks(secrets) = &delivery.endpoint.authentication
            && let Some(value) = signature(secrets, id, timestamp, &delivery.body.bytes)
        {
            headers.insert(WEBHOOK_SIGNATURE, value);
        }
    }
}

/// The last of several attempts has a new token: there is none after it that could make good for one that ended early.
fn wanted(tried: &Tried<'_>) -> Wanted<'static> {
    if tried.number > 1 && tried.schedule.is_last(tried.number) { Wanted::New } else { Wanted::Any }
}

/// Records an attempt whose future was dropped: the receiver may have got it.
struct Cancelled<'a> {
    sender: &'a Sender,
    tried: &'a Tried<'a>,
    /// Taken out when the attempt has ended.
    url: Option<String>,
    /// The same.
    subsegment: Option<Begun>,
}

impl Drop for Cancelled<'_> {
    fn drop(&mut self) {
        let Some(url) = self.url.take() else { return };
        let entry = self
            .tried
            .entry((self.sender.clock)())
            .field("request.url", url)
            .field("outcome", "unknown")
            .field("code", Code::Cancelled.as_str())
            .field("error", "the handler gave the delivery up half-way: the receiver may have got it");
        if let Some(subsegment) = self.subsegment.take() {
            subsegment.end(&entry);
        }
        self.sender.event_log.record(entry);
    }
}
