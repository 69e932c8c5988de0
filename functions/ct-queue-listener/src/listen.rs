//! A batch: each record ends in exactly one place, or stays in the ct-queue.

use std::sync::Arc;
use std::time::Duration;

use connector::cache::Cache;
use connector::event_log::{Entry, EventType, Subject};
use connector::failure::{Code, chain};
use connector::message::{Message, Outgoing};
use connector::message_names::MessageNames;
use connector::ports::{Clock, Console, Queue};
use connector::retry::{pipeline_delay_after, resend_delay_after};
use connector::subsegment::{Begun, QUEUED, Tracing};
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::end::End;
use crate::record::Record;

/// Kept of an invocation's time for sending back what failed: one operation of at most the 5 s that the AWS clients
/// give it, all records side by side, and as much again.
pub const RESERVE: Duration = Duration::from_secs(10);

/// The listener's parts.
pub struct Listener {
    /// Under which name a notification goes to its routes.
    pub names: Cache<MessageNames>,
    /// Where messages go.
    pub event_queue: Arc<dyn Queue>,
    /// Where records come from.
    pub ct_queue: Arc<dyn Queue>,
    /// Where records go that are no notifications.
    pub dead_letter_queue: Arc<dyn Queue>,
    /// The listener's own log.
    pub console: Arc<dyn Console>,
    /// The time of day.
    pub clock: Clock,
    /// Where the trace of a record is told its message; `None` where nobody takes it.
    pub tracing: Option<Tracing>,
}

/// One call of the function.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Lambda's request id.
    pub request_id: String,
    /// When Lambda ends it.
    pub deadline: Timestamp,
    /// X-Ray's trace header.
    pub trace: Option<String>,
}

/// A record that stays in the ct-queue.
struct Kept<'a> {
    record: &'a Record,
    message: Option<&'a Message>,
    code: Code,
    detail: String,
    after: Duration,
}

impl Listener {
    /// Takes a batch in; the ids of the records that SQS has to keep.
    ///
    /// Their order is not kept: neither commercetools nor a standard queue promises one.
    pub async fn listen(&self, records: &[Record], invocation: &Invocation) -> Vec<String> {
        if records.is_empty() {
            return Vec::new();
        }
        let names = match self.names.get().await {
            Ok(names) => names,
            // A name that the parameter changes would be wrong for good.
            Err(error) => {
                let kept = |record| Kept {
                    record,
                    message: None,
                    code: Code::Config,
                    detail: chain(&error),
                    after: pipeline_delay_after(record.receives),
                };
                return self.keep(records.iter().map(kept).collect(), invocation).await;
            }
        };
        let trace = invocation.trace.as_deref();
        let ends: Vec<_> =
            records.iter().map(|record| (record, End::of(record, &names, trace, (self.clock)()))).collect();
        let kept = self.settle(&ends, invocation).await;
        self.keep(kept, invocation).await
    }

    /// Sends what is to be sent, the two queues side by side; what stays.
    async fn settle<'a>(&self, ends: &'a [(&'a Record, End)], invocation: &Invocation) -> Vec<Kept<'a>> {
        let (mut accepted, mut refused) = (Vec::new(), Vec::new());
        for (record, end) in ends {
            match end {
                End::Queue { message, outgoing } => accepted.push((*record, message, outgoing.clone())),
                End::Refuse { code, detail } => {
                    refused.push((*record, (*code, detail.as_str()), self.dead_letter(record, *code)));
                }
                End::Drop { message } => self.console.write(&self.entry(
                    EventType::InboundDropped,
                    record,
                    Some(message),
                    invocation,
                )),
            }
        }
        let (mut kept, refused) =
            tokio::join!(self.accept(accepted, invocation), self.refuse(refused, invocation));
        kept.extend(refused);
        kept
    }

    async fn accept<'a>(
        &self,
        all: Vec<(&'a Record, &'a Message, Outgoing)>,
        invocation: &Invocation,
    ) -> Vec<Kept<'a>> {
        let mut kept = Vec::new();
        let begun =
            |(record, message, outgoing)| (record, (message, self.step(record, invocation)), outgoing);
        let all = all.into_iter().map(begun).collect();
        for (record, (message, step), sent) in self.sent(self.event_queue.as_ref(), all, invocation).await {
            match sent {
                Ok(()) => {
                    let entry = self.entry(EventType::InboundAccepted, record, Some(message), invocation);
                    if let Some(step) = step {
                        step.end(&entry);
                    }
                    self.console.write(&entry);
                }
                Err(detail) => kept.push(unsent(record, Some(message), detail)),
            }
        }
        kept
    }

    fn step(&self, record: &Record, invocation: &Invocation) -> Option<Begun> {
        let header = record.trace.as_deref().or(invocation.trace.as_deref())?;
        self.tracing.as_ref()?.step(header, QUEUED)
    }

    async fn refuse<'a>(
        &self,
        all: Vec<(&'a Record, (Code, &'a str), Outgoing)>,
        invocation: &Invocation,
    ) -> Vec<Kept<'a>> {
        let mut kept = Vec::new();
        for (record, (code, detail), sent) in
            self.sent(self.dead_letter_queue.as_ref(), all, invocation).await
        {
            match sent {
                Ok(()) => {
                    let entry = self.entry(EventType::InboundRefused, record, None, invocation);
                    self.console.write(&entry.field("code", code.as_str()).field("error", detail));
                }
                Err(error) => kept.push(unsent(record, None, format!("{code}: {detail}; {error}"))),
            }
        }
        kept
    }

    /// How the send of each ended, within the invocation's time.
    async fn sent<'a, T>(
        &self,
        queue: &dyn Queue,
        all: Vec<(&'a Record, T, Outgoing)>,
        invocation: &Invocation,
    ) -> Vec<(&'a Record, T, Result<(), String>)> {
        if all.is_empty() {
            return Vec::new();
        }
        let (about, outgoing): (Vec<_>, Vec<_>) =
            all.into_iter().map(|(record, about, outgoing)| ((record, about), outgoing)).unzip();
        let time = self.time_for_work(invocation);
        let mut results = match tokio::time::timeout(time, queue.send_all(&outgoing)).await {
            Ok(results) => results.into_iter().map(|result| result.map_err(|error| chain(&error))).collect(),
            Err(_elapsed) => Vec::new(),
        }
        .into_iter();
        let mut result = || {
            let silent = || Err("the queue did not answer within this invocation".to_owned());
            results.next().unwrap_or_else(silent)
        };
        about.into_iter().map(|(record, about)| (record, about, result())).collect()
    }

    /// Sends records back to the ct-queue to wait there; their ids.
    ///
    /// Without that each would wait for the queue's visibility timeout: too long after a hiccup, and the same at the
    /// hundredth time as at the first.
    async fn keep(&self, kept: Vec<Kept<'_>>, invocation: &Invocation) -> Vec<String> {
        join_all(kept.iter().map(|kept| self.postpone(kept, invocation))).await;
        kept.into_iter().map(|kept| kept.record.id.clone()).collect()
    }

    async fn postpone(&self, kept: &Kept<'_>, invocation: &Invocation) {
        let entry = self
            .entry(EventType::MessageFault, kept.record, kept.message, invocation)
            .field("code", kept.code.as_str())
            .field("error", kept.detail.as_str())
            .field("retry_after_s", kept.after.as_secs());
        let entry = match self.ct_queue.postpone(&kept.record.receipt, kept.after).await {
            Ok(()) => entry,
            // It still comes back: when the queue's own visibility timeout ends.
            Err(error) => entry.field("postpone_error", chain(&error)),
        };
        self.console.write(&entry);
    }

    /// The record's body as it came, and what is wrong with it.
    fn dead_letter(&self, record: &Record, code: Code) -> Outgoing {
        Outgoing {
            body: if record.body.is_empty() { "null".to_owned() } else { record.body.clone() },
            group: record.id.clone(),
            deduplication: record.id.clone(),
            trace: record.trace.clone(),
            attributes: vec![
                ("code", code.as_str().to_owned()),
                ("attempts", record.receives.to_string()),
                ("time", format!("{:.3}", (self.clock)())),
            ],
        }
    }

    fn time_for_work(&self, invocation: &Invocation) -> Duration {
        let deadline = invocation.deadline.saturating_sub(RESERVE).unwrap_or(Timestamp::MIN);
        Duration::try_from(deadline.duration_since((self.clock)())).unwrap_or_default()
    }

    fn entry(
        &self,
        kind: EventType,
        record: &Record,
        message: Option<&Message>,
        invocation: &Invocation,
    ) -> Entry {
        let about = message.map(Message::about);
        let trace = record.trace.as_deref().or(invocation.trace.as_deref());
        let subject = Subject {
            message,
            about: about.as_ref(),
            trace,
            request: Some(&invocation.request_id),
            ..Subject::default()
        };
        Entry::new(kind, (self.clock)())
            .subject(&subject)
            .field("request.bytes", record.body.len())
            .field("attempt", record.receives)
            .field("sqs.message_id", record.id.as_str())
    }
}

/// A record whose copy may or may not have arrived: it comes back within SQS's deduplication window.
fn unsent<'a>(record: &'a Record, message: Option<&'a Message>, detail: String) -> Kept<'a> {
    Kept { record, message, code: Code::Queue, detail, after: resend_delay_after(record.receives) }
}
