//! SQS as the undelivered queue port: received, copied to its end, deleted and released in batches.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::operation::receive_message::ReceiveMessageError;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, ChangeMessageVisibilityBatchResultEntry,
    DeleteMessageBatchRequestEntry, DeleteMessageBatchResultEntry, Message, MessageAttributeValue,
    MessageSystemAttributeName as System, MessageSystemAttributeNameForSends, QueueAttributeName,
    SendMessageBatchRequestEntry,
};
use connector::ports::{QueueError, UndeliveredQueue};
use connector::undelivered::{Attribute, AttributeValue, Received, SetAside};
use jiff::Timestamp;

use crate::batch::{EntryError, MAX_ENTRIES, Measured, call_failed, ends};
use crate::queue::{SqsQueue, trace_header, unbuilt, visibility_seconds};

/// How long SQS waits for a first message: long enough to ask all of its servers, short for a queue that is empty.
const WAIT_S: i32 = 1;
/// Most messages of a receive (SQS API reference, `ReceiveMessage`).
const MAX_RECEIVED: i32 = 10;

#[async_trait]
impl UndeliveredQueue for SqsQueue {
    async fn receive(&self, attempt: &str, hidden_for: Duration) -> Result<Vec<Received>, QueueError> {
        let call = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(MAX_RECEIVED)
            .visibility_timeout(visibility_seconds(hidden_for))
            .wait_time_seconds(WAIT_S)
            .receive_request_attempt_id(attempt)
            .message_system_attribute_names(System::All)
            .message_attribute_names("All");
        match call.send().await {
            Ok(output) => Ok(output.messages.unwrap_or_default().into_iter().filter_map(received).collect()),
            Err(error) if error.as_service_error().is_some_and(ReceiveMessageError::is_over_limit) => {
                Err(QueueError::InFlight(error.into()))
            }
            Err(error) => Err(QueueError::Receive(error.into())),
        }
    }

    async fn set_aside(&self, copies: &[SetAside<'_>]) -> Vec<Result<(), QueueError>> {
        let entries = copies.iter().enumerate().map(|(at, copy)| entry(at, copy).map_err(unbuilt));
        let results = self.send_entries(entries.collect()).await;
        results.into_iter().map(|result| result.map_err(QueueError::Send)).collect()
    }

    async fn delete(&self, receipts: &[&str]) -> Vec<Result<(), QueueError>> {
        let mut results = Vec::with_capacity(receipts.len());
        for chunk in receipts.chunks(MAX_ENTRIES) {
            results.extend(self.delete_chunk(chunk).await);
        }
        results.into_iter().map(|result| result.map_err(|error| QueueError::Delete(error.into()))).collect()
    }

    async fn release(&self, receipts: &[&str]) -> Vec<Result<(), QueueError>> {
        let mut results = Vec::with_capacity(receipts.len());
        for chunk in receipts.chunks(MAX_ENTRIES) {
            results.extend(self.release_chunk(chunk).await);
        }
        results.into_iter().map(|result| result.map_err(|error| QueueError::Postpone(error.into()))).collect()
    }

    async fn waiting(&self) -> Result<u64, QueueError> {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let call = self.client.get_queue_attributes().queue_url(&self.url).attribute_names(name.clone());
        let output = call.send().await.map_err(|error| QueueError::Count(error.into()))?;
        let count = output.attributes().and_then(|attributes| attributes.get(&name)?.parse().ok());
        count.ok_or_else(|| QueueError::Count(EntryError::Missing.into()))
    }
}

impl SqsQueue {
    async fn delete_chunk(&self, receipts: &[&str]) -> Vec<Result<(), EntryError>> {
        let entries = entries(receipts, |id, receipt| {
            DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(receipt).build()
        });
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => return call_failed(receipts.len(), error),
        };
        let call = self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(entries));
        match call.send().await {
            Ok(output) => {
                let successful: Vec<_> =
                    output.successful().iter().map(DeleteMessageBatchResultEntry::id).collect();
                ends_in_order(receipts.len(), &successful, output.failed())
            }
            Err(error) => call_failed(receipts.len(), error),
        }
    }

    async fn release_chunk(&self, receipts: &[&str]) -> Vec<Result<(), EntryError>> {
        let entries = entries(receipts, |id, receipt| {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id).receipt_handle(receipt);
            entry.visibility_timeout(0).build()
        });
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => return call_failed(receipts.len(), error),
        };
        let call = self.client.change_message_visibility_batch().queue_url(&self.url);
        match call.set_entries(Some(entries)).send().await {
            Ok(output) => {
                let successful: Vec<_> =
                    output.successful().iter().map(ChangeMessageVisibilityBatchResultEntry::id).collect();
                ends_in_order(receipts.len(), &successful, output.failed())
            }
            Err(error) => call_failed(receipts.len(), error),
        }
    }
}

/// An entry for each receipt; its place is its id.
fn entries<T>(
    receipts: &[&str],
    build: impl Fn(String, &str) -> Result<T, BuildError>,
) -> Result<Vec<T>, BuildError> {
    receipts.iter().enumerate().map(|(at, receipt)| build(at.to_string(), receipt)).collect()
}

/// How the entry at each place ended.
fn ends_in_order(
    entries: usize,
    successful: &[&str],
    failed: &[BatchResultErrorEntry],
) -> Vec<Result<(), EntryError>> {
    let ids: Vec<_> = (0..entries).map(|at| at.to_string()).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    ends(&ids, successful, failed)
}

/// `None` for what SQS never sends: a message without a receipt could be neither deleted nor released.
fn received(message: Message) -> Option<Received> {
    let mut system = message.attributes.unwrap_or_default();
    let sent = system
        .remove(&System::SentTimestamp)
        .and_then(|ms| Timestamp::from_millisecond(ms.parse().ok()?).ok());
    let attributes = message.message_attributes.unwrap_or_default();
    Some(Received {
        id: message.message_id?,
        receipt: message.receipt_handle?,
        body: message.body.unwrap_or_default(),
        group: system.remove(&System::MessageGroupId).unwrap_or_default(),
        deduplication: system.remove(&System::MessageDeduplicationId).unwrap_or_default(),
        sent: sent.unwrap_or(Timestamp::UNIX_EPOCH),
        trace: system.remove(&System::AwsTraceHeader),
        attributes: attributes.into_iter().map(attribute).collect(),
    })
}

fn attribute((name, read): (String, MessageAttributeValue)) -> Attribute {
    let value = match (read.string_value, read.binary_value) {
        (None, Some(bytes)) => AttributeValue::Bytes(bytes.into_inner()),
        (text, _) => AttributeValue::Text(text.unwrap_or_default()),
    };
    Attribute { name, kind: read.data_type, value }
}

fn entry(at: usize, copy: &SetAside<'_>) -> Result<Measured, BuildError> {
    let message = copy.message;
    let mut bytes = message.body.len();
    let mut entry = SendMessageBatchRequestEntry::builder()
        .id(at.to_string())
        .message_body(&message.body)
        .message_group_id(&message.group)
        .message_deduplication_id(&copy.deduplication);
    for Attribute { name, kind, value } in &message.attributes {
        let (length, read) = value_of(value);
        bytes += name.len() + kind.len() + length;
        entry = entry.message_attributes(name, read.data_type(kind).build()?);
    }
    if let Some(trace) = &message.trace {
        let name = MessageSystemAttributeNameForSends::AwsTraceHeader;
        entry = entry.message_system_attributes(name, trace_header(trace)?);
    }
    Ok(Measured { entry: entry.build()?, bytes })
}

fn value_of(value: &AttributeValue) -> (usize, aws_sdk_sqs::types::builders::MessageAttributeValueBuilder) {
    let builder = MessageAttributeValue::builder();
    match value {
        AttributeValue::Text(text) => (text.len(), builder.string_value(text)),
        AttributeValue::Bytes(bytes) => (bytes.len(), builder.binary_value(Blob::new(bytes.clone()))),
    }
}
