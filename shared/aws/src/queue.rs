//! SQS as the queue port.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
};
use connector::message::Outgoing;
use connector::ports::{Queue, QueueError};

/// SQS counts its 12 hours from the receive, so that 43,200 s is refused once a second has passed.
const LONGEST_VISIBILITY_S: i32 = 43_199;

/// One SQS queue.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: Client,
    url: String,
}

impl SqsQueue {
    /// The queue at this URL.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    async fn confirmed(&self, message: &Outgoing) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let mut call = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(&message.body)
            .message_group_id(&message.group)
            .message_deduplication_id(&message.deduplication);
        for (name, value) in &message.attributes {
            call = call.message_attributes(*name, text(value)?);
        }
        if let Some(trace) = &message.trace {
            let value =
                MessageSystemAttributeValue::builder().data_type("String").string_value(trace).build()?;
            call = call.message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, value);
        }
        call.send().await?;
        Ok(())
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, message: &Outgoing) -> Result<(), QueueError> {
        self.confirmed(message).await.map_err(QueueError::Send)
    }

    async fn send_all(&self, messages: &[Outgoing]) -> Vec<Result<(), QueueError>> {
        let mut results = Vec::new();
        for message in messages {
            results.push(self.send(message).await);
        }
        results
    }

    async fn postpone(&self, receipt: &str, delay: Duration) -> Result<(), QueueError> {
        let seconds = delay.as_nanos().div_ceil(1_000_000_000); // a part of a second is never no delay
        let seconds = i32::try_from(seconds).unwrap_or(LONGEST_VISIBILITY_S).min(LONGEST_VISIBILITY_S);
        let call = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        let sent = call.visibility_timeout(seconds).send().await;
        sent.map(drop).map_err(|error| QueueError::Postpone(error.into()))
    }
}

fn text(value: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build()
}
