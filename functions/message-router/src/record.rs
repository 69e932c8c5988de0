//! One record of a batch, as the router works with it.

use aws_lambda_events::sqs::SqsMessage;

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
    /// `AWSTraceHeader`.
    pub trace: Option<String>,
}

impl From<SqsMessage> for Record {
    fn from(mut message: SqsMessage) -> Self {
        let id = message.message_id.unwrap_or_default();
        let mut attribute = |name| message.attributes.remove(name);
        Self {
            group: attribute("MessageGroupId").unwrap_or_else(|| id.clone()),
            deduplication: attribute("MessageDeduplicationId").unwrap_or_else(|| id.clone()),
            attempt: attribute("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1),
            trace: attribute("AWSTraceHeader"),
            receipt: message.receipt_handle.unwrap_or_default(),
            body: message.body,
            id,
        }
    }
}
