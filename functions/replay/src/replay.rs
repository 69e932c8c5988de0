//! The replay function: its ports, and one run.

use std::sync::Arc;

use connector::cache::Cache;
use connector::configuration::{KeyRing, Sources};
use connector::document::DocumentError;
use connector::event_log::{Entry, EventType};
use connector::failure::{Code, chain};
use connector::ports::{
    Clock, ConfigurationError, EventLog, EventLogError, EventLogReader, Queue, QueueError, UndeliveredQueue,
};
use connector::webhook::Served;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::log_run::LogRun;
use crate::queue_run::QueueRun;
use crate::report::Report;
use crate::request::{Origin, Request};

/// What must be left of the time to go on taking: what follows is for groups that are half set aside.
pub(crate) const TO_TAKE: SignedDuration = SignedDuration::from_secs(90);
/// What must be left of the time to touch anything: what follows is for releasing and recording.
pub(crate) const TO_END: SignedDuration = SignedDuration::from_secs(20);
/// Records are kept at most for so many moved messages.
const FLUSH_EVERY: usize = 100;

/// The replay function.
pub struct Replay {
    /// Where messages are parked.
    pub undelivered_queue: Arc<dyn UndeliveredQueue>,
    /// Where they go.
    pub event_queue: Arc<dyn Queue>,
    /// Where webhooks stand that never reached a queue, and what was replayed.
    pub reader: Arc<dyn EventLogReader>,
    /// The webhook receiver's own log: where such webhooks stand that the event log did not take.
    pub receiver_log: Arc<dyn EventLogReader>,
    /// Fluent's public keys, for what was never verified.
    pub keys: Cache<KeyRing>,
    /// Other systems, likewise.
    pub sources: Cache<Sources>,
    /// What is taken of Fluent.
    pub served: Served,
    /// Where every moved message is recorded.
    pub event_log: Arc<dyn EventLog>,
    /// The time of day.
    pub clock: Clock,
}

/// One invocation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Lambda's request id, another for each run.
    pub request_id: String,
    /// When Lambda ends the function.
    pub deadline: Timestamp,
}

/// Why a run did not start.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The input cannot be meant.
    #[error("the input cannot be used")]
    Input(#[from] DocumentError),
    /// Without what was replayed before, everything would be replayed again.
    #[error("what was replayed before cannot be read")]
    History(#[from] EventLogError),
    /// Without keys and sources nothing can be verified.
    #[error("what was never verified cannot be verified now")]
    Configuration(#[from] ConfigurationError),
    /// Nothing could be received at all.
    #[error("the undelivered queue cannot be read")]
    Queue(#[from] QueueError),
}

impl ReplayError {
    /// The `errorType` of the function's answer.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Input(_) => "InvalidInput",
            Self::History(_) => "EventLogUnreadable",
            Self::Configuration(_) => "ConfigurationUnreadable",
            Self::Queue(_) => "QueueUnreadable",
        }
    }
}

impl Replay {
    /// One run.
    ///
    /// # Errors
    /// [`ReplayError`] where nothing was done. What fails on the way is in the report.
    pub async fn run(&self, input: &Value, invocation: &Invocation) -> Result<Report, ReplayError> {
        let request = Request::parse(input, (self.clock)())?;
        let report = match request.origin {
            Origin::Undelivered => QueueRun::new(self, &request, invocation).run().await,
            Origin::Kept { how, from, to } => {
                LogRun::new(self, &request, invocation, how).run(from, to).await
            }
        };
        self.event_log.flush().await;
        report
    }
}

/// What every kind of run does alike: knows the time that is left, records, and flushes now and then.
pub(crate) struct Records<'a> {
    replay: &'a Replay,
    invocation: &'a Invocation,
    unflushed: usize,
}

impl<'a> Records<'a> {
    pub(crate) fn new(replay: &'a Replay, invocation: &'a Invocation) -> Self {
        Self { replay, invocation, unflushed: 0 }
    }

    pub(crate) fn request_id(&self) -> &'a str {
        &self.invocation.request_id
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.replay.clock)()
    }

    /// What is left of the function's time.
    pub(crate) fn left(&self) -> SignedDuration {
        self.invocation.deadline.duration_since(self.now())
    }

    /// Keeps the record of a moved message.
    pub(crate) fn moved(&mut self, entry: Entry) {
        self.replay.event_log.record(entry);
        self.unflushed += 1;
    }

    /// Records a failure, and gives its text with all causes.
    pub(crate) fn failed(&self, error: &QueueError, entry: impl FnOnce(EventType) -> Entry) -> String {
        let text = chain(error);
        let entry = entry(EventType::MessageFault).field("code", Code::Queue.as_str());
        self.replay.event_log.record(entry.field("error", text.as_str()));
        text
    }

    /// Stores the records where there are many.
    pub(crate) async fn store(&mut self) {
        if self.unflushed >= FLUSH_EVERY {
            self.replay.event_log.flush().await;
            self.unflushed = 0;
        }
    }
}
