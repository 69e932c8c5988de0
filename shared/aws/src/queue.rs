//! SQS as the queue port.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
    SendMessageBatchRequestEntry,
};
use connector::message::Outgoing;
use connector::ports::{Cause, Queue, QueueError};

use crate::batch::{EntryError, Measured};

/// SQS counts its 12 hours from the receive, so that 43,200 s is refused once a second has passed.
const LONGEST_VISIBILITY_S: i32 = 43_199;
/// How the name, and so the URL, of every FIFO queue ends (SQS API reference, `CreateQueue`).
const FIFO_SUFFIX: &str = ".fifo";
/// The data type of the attributes that the connector writes.
const TEXT: &str = "String";

/// One SQS queue.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    pub(crate) client: Client,
    pub(crate) url: String,
}

impl SqsQueue {
    /// The queue at this URL.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    async fn confirmed(&self, message: &Outgoing) -> Result<(), Cause> {
        let (group, deduplication) = self.fifo_ids(message);
        let mut call = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(&message.body)
            .set_message_group_id(group)
            .set_message_deduplication_id(deduplication);
        for (name, value) in &message.attributes {
            call = call.message_attributes(*name, text(value)?);
        }
        if let Some(trace) = &message.trace {
            let name = MessageSystemAttributeNameForSends::AwsTraceHeader;
            call = call.message_system_attributes(name, trace_header(trace)?);
        }
        call.send().await?;
        Ok(())
    }

    /// The group and deduplication id of a message: a standard queue has no use for the one and refuses the other.
    fn fifo_ids(&self, message: &Outgoing) -> (Option<String>, Option<String>) {
        let is_fifo = self.url.ends_with(FIFO_SUFFIX);
        let id = |id: &String| is_fifo.then(|| id.clone());
        (id(&message.group), id(&message.deduplication))
    }

    fn entry(&self, at: usize, message: &Outgoing) -> Result<Measured, BuildError> {
        let (group, deduplication) = self.fifo_ids(message);
        let mut bytes = message.body.len();
        let mut entry = SendMessageBatchRequestEntry::builder()
            .id(at.to_string())
            .message_body(&message.body)
            .set_message_group_id(group)
            .set_message_deduplication_id(deduplication);
        for (name, value) in &message.attributes {
            bytes += name.len() + TEXT.len() + value.len();
            entry = entry.message_attributes(*name, text(value)?);
        }
        if let Some(trace) = &message.trace {
            let name = MessageSystemAttributeNameForSends::AwsTraceHeader;
            entry = entry.message_system_attributes(name, trace_header(trace)?);
        }
        Ok(Measured { entry: entry.build()?, bytes })
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, message: &Outgoing) -> Result<(), QueueError> {
        self.confirmed(message).await.map_err(QueueError::Send)
    }

    async fn send_all(&self, messages: &[Outgoing]) -> Vec<Result<(), QueueError>> {
        let entries =
            messages.iter().enumerate().map(|(at, message)| self.entry(at, message).map_err(unbuilt));
        let results = self.send_entries(entries.collect()).await;
        results.into_iter().map(|result| result.map_err(QueueError::Send)).collect()
    }

    async fn postpone(&self, receipt: &str, delay: Duration) -> Result<(), QueueError> {
        let call = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        let sent = call.visibility_timeout(visibility_seconds(delay)).send().await;
        sent.map(drop).map_err(|error| QueueError::Postpone(error.into()))
    }
}

/// A visibility timeout as SQS takes it; a part of a second is never none.
pub(crate) fn visibility_seconds(duration: Duration) -> i32 {
    let seconds = duration.as_nanos().div_ceil(1_000_000_000);
    i32::try_from(seconds).unwrap_or(LONGEST_VISIBILITY_S).min(LONGEST_VISIBILITY_S)
}

pub(crate) fn trace_header(trace: &str) -> Result<MessageSystemAttributeValue, BuildError> {
    MessageSystemAttributeValue::builder().data_type(TEXT).string_value(trace).build()
}

pub(crate) fn unbuilt(error: BuildError) -> EntryError {
    EntryError::Build(Arc::new(error))
}

fn text(value: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type(TEXT).string_value(value).build()
}
