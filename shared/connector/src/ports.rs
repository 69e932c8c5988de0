//! What the domain needs of the world, in its own types. Implemented by `aws` and `outbound`, faked by `testkit`.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::delivery::{Attempt, OutboundRequest};
use crate::event_log::{Entry, Span};
use crate::message::Outgoing;
use crate::parameter::{Parameter, Section};
use crate::subsegment::Subsegment;
use crate::undelivered::{Received, SetAside};

/// The time of day, read in `main.rs` and passed down.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A number from 0 up to 1, drawn anew at each call; its source is made in `main.rs` and passed down.
pub type Chance = Arc<dyn Fn() -> f64 + Send + Sync>;

/// The cause of a port's failure, for the log.
pub type Cause = Box<dyn Error + Send + Sync>;

/// A queue did not confirm what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// A message was not confirmed: it may or may not have arrived.
    #[error("the queue did not confirm the message")]
    Send(#[source] Cause),
    /// A message's visibility was not changed: it comes back when the queue's own timeout ends.
    #[error("the queue did not change the message's visibility")]
    Postpone(#[source] Cause),
    /// Nothing was received; what was may come back only when its visibility timeout ends.
    #[error("the queue gave no messages")]
    Receive(#[source] Cause),
    /// As many messages are in flight as SQS allows.
    #[error("too many messages of the queue are in flight")]
    InFlight(#[source] Cause),
    /// A message was not deleted: it comes back.
    #[error("the queue did not delete the message")]
    Delete(#[source] Cause),
    /// The queue did not say how many messages it holds.
    #[error("the queue did not count its messages")]
    Count(#[source] Cause),
}

/// The event log could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the event log could not be read")]
pub struct EventLogError(#[source] pub Cause);

/// The configuration could not be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the configuration could not be read")]
pub struct ConfigurationError(#[source] pub Arc<dyn Error + Send + Sync>);

/// One SQS queue.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends a message; `Ok` only after the queue has confirmed it.
    ///
    /// # Errors
    /// [`QueueError::Send`].
    async fn send(&self, message: &Outgoing) -> Result<(), QueueError>;

    /// Sends several messages in as few calls as they fit; one result each, in their order. What fails is sent again,
    /// so that two messages of one group keep their order only in two calls.
    async fn send_all(&self, messages: &[Outgoing]) -> Vec<Result<(), QueueError>>;

    /// Makes a received message visible again after `delay`, counted from now.
    ///
    /// # Errors
    /// [`QueueError::Postpone`].
    async fn postpone(&self, receipt: &str, delay: Duration) -> Result<(), QueueError>;
}

/// The undelivered queue, as the replay function looks through it. SQS gives nothing more of a group while one of its
/// messages is in flight.
#[async_trait]
pub trait UndeliveredQueue: Send + Sync {
    /// At most ten messages, hidden from everybody for this long. A call that is repeated with the same `attempt`
    /// within five minutes gets the same messages, so that an answer that was lost locks nothing.
    ///
    /// # Errors
    /// [`QueueError::InFlight`] or [`QueueError::Receive`].
    async fn receive(&self, attempt: &str, hidden_for: Duration) -> Result<Vec<Received>, QueueError>;

    /// Puts copies at the queue's end, each with all that its message carries; one result each, in their order.
    async fn set_aside(&self, copies: &[SetAside<'_>]) -> Vec<Result<(), QueueError>>;

    /// Deletes received messages; one result each, in their order.
    async fn delete(&self, receipts: &[&str]) -> Vec<Result<(), QueueError>>;

    /// Makes received messages visible again, at once; one result each, in their order.
    async fn release(&self, receipts: &[&str]) -> Vec<Result<(), QueueError>>;

    /// How many messages are visible, about: SQS counts with some delay.
    ///
    /// # Errors
    /// [`QueueError::Count`].
    async fn waiting(&self) -> Result<u64, QueueError>;
}

/// Where the configuration stands.
#[async_trait]
pub trait ConfigurationSource: Send + Sync {
    /// All parameters of these sections, decrypted; all or nothing.
    ///
    /// # Errors
    /// [`ConfigurationError`] where one page of one section could not be read.
    async fn read(&self, sections: &[Section]) -> Result<Vec<Parameter>, ConfigurationError>;
}

/// The record of what happened. Never fails a delivery: what cannot be stored is printed.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// Keeps an entry until the next [`flush`](Self::flush).
    fn record(&self, entry: Entry);

    /// Sends what was recorded; returns when it is stored or printed.
    async fn flush(&self);
}

/// How far a job has come could not be read or kept.
#[derive(Debug, thiserror::Error)]
#[error("how far the job has come could not be read or kept")]
pub struct JobStoreError(#[source] pub Cause);

/// Keeps how far each job has come, a text a job.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// What was kept last for the job of this name; `None` where nothing ever was.
    ///
    /// # Errors
    /// [`JobStoreError`].
    async fn read(&self, job: &str) -> Result<Option<String>, JobStoreError>;

    /// When what is kept of each of these jobs was last written, in as few calls as they fit; jobs of which nothing is
    /// kept are not in it.
    ///
    /// # Errors
    /// [`JobStoreError`] where one call failed.
    async fn last_written(&self, jobs: &[&str]) -> Result<BTreeMap<String, Timestamp>, JobStoreError>;

    /// Keeps this text in place of the last one.
    ///
    /// # Errors
    /// [`JobStoreError`].
    async fn write(&self, job: &str, text: &str) -> Result<(), JobStoreError>;
}

/// A page of the event log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPage {
    /// Entries, each a line of JSON, sorted by time.
    pub lines: Vec<String>,
    /// What asks for the next page, where there is one; a page before it may be empty.
    pub next: Option<String>,
}

/// Reads back what was recorded.
#[async_trait]
pub trait EventLogReader: Send + Sync {
    /// A page of what one component wrote; the first without `next`.
    ///
    /// # Errors
    /// [`EventLogError`].
    async fn page(&self, span: &Span, next: Option<&str>) -> Result<LogPage, EventLogError>;
}

/// The function's own log: one line an entry, at once.
pub trait Console: Send + Sync {
    /// Writes one line.
    fn write(&self, entry: &Entry);
}

/// Tells X-Ray what a message's trace should show.
pub trait Tracer: Send + Sync {
    /// Sends it, at once and only once. Waits for nobody and fails nobody: what nobody takes is lost.
    fn send(&self, subsegment: &Subsegment);
}

/// The only way out: sends one request and yields the attempt.
#[async_trait]
pub trait Transport: Send + Sync {
    /// One attempt within the request's timeout. Whatever happens is in the [`Attempt`].
    async fn send(&self, request: OutboundRequest) -> Attempt;
}
