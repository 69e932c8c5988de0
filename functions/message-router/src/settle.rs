//! Carries a disposition out: acknowledge, postpone, park, or dead-letter.

use std::time::Duration;

use connector::disposition::{Disposition, Reason};
use connector::event_log::{Entry, EventType, Subject};
use connector::failure::{Code, chain};
use connector::message::Outgoing;
use connector::ports::Queue;
use connector::retry::resend_delay_after;
use connector::undelivered::Parked;

use crate::decide::Decision;
use crate::record::Record;
use crate::router::{Invocation, Router};
use crate::settings::Unrouted;

/// Whether SQS may delete the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It is done, or stands in another queue.
    Done,
    /// It has to come back.
    Kept,
}

impl Router {
    pub(crate) async fn settle(
        &self,
        record: &Record,
        decision: &Decision,
        invocation: &Invocation,
    ) -> Settled {
        match &decision.disposition {
            Disposition::Acknowledge => Settled::Done,
            Disposition::Retry { after, code } => {
                if decision.detail.is_some() {
                    let entry = self.entry(EventType::MessageFault, *code, record, decision, invocation);
                    self.sender.event_log.record(entry.field("retry_after_s", after.as_secs()));
                }
                self.postpone(record, *after, decision, invocation).await
            }
            Disposition::Park { reason, code, status } => {
                let entry = self
                    .entry(parked_as(*reason), *code, record, decision, invocation)
                    .field("reason", reason.as_str());
                let entry = match status {
                    Some(status) => entry.field("response.status", *status),
                    None => entry,
                };
                if *reason == Reason::Unrouted && decision.route.is_none() && self.unrouted == Unrouted::Drop
                {
                    self.sender.event_log.record(entry.field("dropped", true));
                    return Settled::Done;
                }
                let parked = Parked {
                    reason: *reason,
                    code: *code,
                    route: decision.route.clone(),
                    endpoint: decision.endpoint.clone(),
                    attempts: record.attempt,
                    status: *status,
                    time: self.now(),
                };
                let copy = copy(record, parked.attributes());
                self.moved(self.undelivered_queue.as_ref(), &copy, entry, (record, decision, invocation))
                    .await
            }
            Disposition::Fault { code } => {
                let entry = self.entry(EventType::MessageFault, *code, record, decision, invocation);
                let copy = copy(record, self.fault(*code, record));
                self.moved(self.dead_letter_queue.as_ref(), &copy, entry, (record, decision, invocation))
                    .await
            }
        }
    }

    /// Moves the record to another queue and tells so; where that fails the record stays.
    async fn moved(
        &self,
        queue: &dyn Queue,
        copy: &Outgoing,
        entry: Entry,
        (record, decision, invocation): (&Record, &Decision, &Invocation),
    ) -> Settled {
        match queue.send(copy).await {
            Ok(()) => {
                self.sender.event_log.record(entry);
                Settled::Done
            }
            Err(error) => {
                let after = resend_delay_after(record.attempt);
                let fault = self
                    .entry(EventType::MessageFault, Code::Queue, record, decision, invocation)
                    .field("move_error", chain(&error))
                    .field("retry_after_s", after.as_secs());
                self.sender.event_log.record(fault);
                self.postpone(record, after, decision, invocation).await
            }
        }
    }

    async fn postpone(
        &self,
        record: &Record,
        after: Duration,
        decision: &Decision,
        invocation: &Invocation,
    ) -> Settled {
        if let Err(error) = self.event_queue.postpone(&record.receipt, after).await {
            // It still comes back: when the queue's own visibility timeout ends.
            let entry = self.entry(EventType::MessageFault, Code::Queue, record, decision, invocation);
            self.sender.event_log.record(entry.field("postpone_error", chain(&error)));
        }
        Settled::Kept
    }

    /// What a message in the dead-letter queue says of itself.
    fn fault(&self, code: Code, record: &Record) -> Vec<(&'static str, String)> {
        vec![
            ("code", code.as_str().to_owned()),
            ("attempts", record.attempt.to_string()),
            ("time", format!("{:.3}", self.now())),
        ]
    }

    fn entry(
        &self,
        kind: EventType,
        code: Code,
        record: &Record,
        decision: &Decision,
        invocation: &Invocation,
    ) -> Entry {
        let subject = Subject {
            message: decision.message.as_ref(),
            about: Some(&decision.about),
            route: decision.route.as_deref(),
            endpoint: decision.endpoint.as_deref(),
            webhook: decision.webhook.as_deref(),
            trace: record.trace.as_deref(),
            request: Some(&invocation.request_id),
            config: decision.config.as_deref(),
        };
        let entry = Entry::new(kind, self.now())
            .subject(&subject)
            .field("code", code.as_str())
            .field("attempt", record.attempt)
            .field("sqs.message_id", record.id.as_str());
        match &decision.detail {
            Some(detail) => entry.field("error", detail.as_str()),
            None => entry,
        }
    }
}

/// The entry that tells of a parked message.
fn parked_as(reason: Reason) -> EventType {
    match reason {
        Reason::Unrouted => EventType::MessageUnrouted,
        Reason::Paused => EventType::MessageHeld,
        Reason::Refused | Reason::Exhausted | Reason::Misconfigured => EventType::MessageUndelivered,
    }
}

/// The record's body as it came. SQS's id of the record is the nonce: a second try of the move repeats nothing, and a
/// later replay, being another record, is not swallowed.
fn copy(record: &Record, attributes: Vec<(&'static str, String)>) -> Outgoing {
    Outgoing {
        body: record.body.clone().filter(|body| !body.is_empty()).unwrap_or_else(|| "null".to_owned()),
        group: if record.group.is_empty() { "unknown".to_owned() } else { record.group.clone() },
        deduplication: if record.id.is_empty() { record.deduplication.clone() } else { record.id.clone() },
        trace: record.trace.clone(),
        attributes,
    }
}
