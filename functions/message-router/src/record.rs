//! One record of a batch, as the router works with it.

use std::time::Duration;

use aws_lambda_events::sqs::SqsMessage;
use jiff::Timestamp;

/// After this long a message is not sent back to wait: SQS deletes what it has kept for 14 days, unseen and unrecorded,
/// and those that wait behind it in its group are as old.
pub const LONGEST_STAY: Duration = Duration::from_hours(13 * 24);

/// A received SQS message. What AWS always sends but its event type leaves open has a safe stand-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// SQS's id of the message; names it in the answer. An empty one fails the whole batch there.
    pub id: String,
    /// For changing its visibility.
    pub receipt: String,
    /// The body; `None` where the record has none.
    pub body: Option<String>,
    /// `MessageGroupId`; the record's own id where it has none, so that it waits for nobody.
    pub group: String,
    /// `MessageDeduplicationId`.
    pub deduplication: String,
    /// `ApproximateReceiveCount`: the number of this attempt, from 1.
    pub attempt: u32,
    /// `SentTimestamp`: since when the queue keeps it.
    pub sent: Option<Timestamp>,
    /// `AWSTraceHeader`.
    pub trace: Option<String>,
}

impl Record {
    /// Whether the message may wait until then.
    #[must_use]
    pub fn can_wait_until(&self, then: Timestamp) -> bool {
        self.sent.is_none_or(|sent| sent.saturating_add(LONGEST_STAY).is_ok_and(|latest| then <= latest))
    }
}

impl From<SqsMessage> for Record {
    fn from(mut message: SqsMessage) -> Self {
        let id = message.message_id.unwrap_or_default();
        let mut attribute = |name| message.attributes.remove(name);
        Self {
            group: attribute("MessageGroupId").unwrap_or_else(|| id.clone()),
            deduplication: attribute("MessageDeduplicationId").unwrap_or_else(|| id.clone()),
            attempt: attribute("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1),
            sent: attribute("SentTimestamp")
                .and_then(|sent| Timestamp::from_millisecond(sent.parse().ok()?).ok()),
            trace: attribute("AWSTraceHeader"),
            receipt: message.receipt_handle.unwrap_or_default(),
            body: message.body,
            id,
        }
    }
}
