//! The border to Lambda: an SQS event in, the answer to its batch out, and one record as the listener works with it.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use jiff::Timestamp;
use lambda_runtime::LambdaEvent;

use crate::listen::{Invocation, Listener};

/// A received SQS message. What AWS always sends but its event type leaves open has a safe stand-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// SQS's id of the message; names it in the answer.
    pub id: String,
    /// For changing its visibility.
    pub receipt: String,
    /// The body; empty where the record has none.
    pub body: String,
    /// `ApproximateReceiveCount`: how often it was received, from 1.
    pub receives: u32,
    /// `AWSTraceHeader`.
    pub trace: Option<String>,
}

impl From<SqsMessage> for Record {
    fn from(mut message: SqsMessage) -> Self {
        let mut attribute = |name| message.attributes.remove(name);
        Self {
            receives: attribute("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1),
            trace: attribute("AWSTraceHeader"),
            id: message.message_id.unwrap_or_default(),
            receipt: message.receipt_handle.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
        }
    }
}

/// Answers one batch: Lambda's event in, the records that SQS keeps out.
pub async fn answer(listener: &Listener, event: LambdaEvent<SqsEvent>) -> SqsBatchResponse {
    let deadline = i64::try_from(event.context.deadline).ok();
    let invocation = Invocation {
        request_id: event.context.request_id,
        deadline: deadline.and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX),
        trace: event.context.xray_trace_id,
    };
    let records: Vec<_> = event.payload.records.into_iter().map(Record::from).collect();
    let mut response = SqsBatchResponse::default();
    for id in listener.listen(&records, &invocation).await {
        response.add_failure(id);
    }
    response
}
