//! SQS's batch calls: cut within their limits, every entry's end read, failed sends repeated.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchOutput;
use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchRequestEntry, SendMessageBatchResultEntry};
use connector::message::MAX_MESSAGE_BYTES;
use connector::ports::Cause;

use crate::queue::SqsQueue;

/// Most entries of a batch call (SQS API reference).
pub(crate) const MAX_ENTRIES: usize = 10;
/// Most bytes of a `SendMessageBatch`, bodies and attributes together: as for one message (SQS quotas).
const MAX_BYTES: usize = MAX_MESSAGE_BYTES;
/// How often an entry is sent, the first time included.
const TRIES: u32 = 3;
/// Before the second try; twice as long before the third.
const PAUSE: Duration = Duration::from_millis(100);

/// An entry of a `SendMessageBatch` and what SQS counts of it.
pub(crate) struct Measured {
    pub(crate) entry: SendMessageBatchRequestEntry,
    pub(crate) bytes: usize,
}

/// Why an entry of a batch is not known to have succeeded.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum EntryError {
    /// SQS refused this one.
    #[error("{code}: {message}")]
    Refused { code: String, message: String },
    /// SQS told of others only.
    #[error("the answer does not name the entry")]
    Missing,
    /// The whole call failed.
    #[error("the call failed")]
    Call(#[source] Arc<dyn Error + Send + Sync>),
    /// It was never sent.
    #[error("the entry could not be built")]
    Build(#[source] Arc<dyn Error + Send + Sync>),
}

impl SqsQueue {
    /// Sends entries, those that fail again; the entry at each place has that place for its id.
    pub(crate) async fn send_entries(
        &self,
        entries: Vec<Result<Measured, EntryError>>,
    ) -> Vec<Result<(), Cause>> {
        let mut results: Vec<_> =
            entries.iter().map(|entry| entry.as_ref().map(drop).map_err(Clone::clone)).collect();
        let mut pending: Vec<_> =
            entries.iter().enumerate().filter_map(|(at, entry)| Some((at, entry.as_ref().ok()?))).collect();
        for again in 0..TRIES {
            if again > 0 && !pending.is_empty() {
                tokio::time::sleep(PAUSE * again).await;
            }
            for chunk in chunks(std::mem::take(&mut pending)) {
                for ((at, entry), result) in chunk.iter().zip(self.send_chunk(&chunk).await) {
                    if result.is_err() {
                        pending.push((*at, *entry));
                    }
                    if let Some(slot) = results.get_mut(*at) {
                        *slot = result;
                    }
                }
            }
        }
        results.into_iter().map(|result| result.map_err(Into::into)).collect()
    }

    async fn send_chunk(&self, chunk: &[(usize, &Measured)]) -> Vec<Result<(), EntryError>> {
        let ids: Vec<_> = chunk.iter().map(|(_, measured)| measured.entry.id()).collect();
        let entries = chunk.iter().map(|(_, measured)| measured.entry.clone()).collect();
        let call = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        match call.send().await {
            Ok(output) => ends(&ids, &confirmed(&output), output.failed()),
            Err(error) => call_failed(ids.len(), error),
        }
    }
}

fn confirmed(output: &SendMessageBatchOutput) -> Vec<&str> {
    output.successful().iter().map(SendMessageBatchResultEntry::id).collect()
}

/// How each entry ended; one that the answer does not confirm has failed.
pub(crate) fn ends(
    ids: &[&str],
    successful: &[&str],
    failed: &[BatchResultErrorEntry],
) -> Vec<Result<(), EntryError>> {
    let end = |id: &&str| {
        if let Some(entry) = failed.iter().find(|entry| entry.id() == *id) {
            let message = entry.message().unwrap_or_default().to_owned();
            return Err(EntryError::Refused { code: entry.code().to_owned(), message });
        }
        if successful.contains(id) { Ok(()) } else { Err(EntryError::Missing) }
    };
    ids.iter().map(end).collect()
}

/// The end of every entry of a call that failed.
pub(crate) fn call_failed(
    entries: usize,
    error: impl Error + Send + Sync + 'static,
) -> Vec<Result<(), EntryError>> {
    vec![Err(EntryError::Call(Arc::new(error))); entries]
}

/// Entries cut into batches, in their order; one that is too large for any goes alone, for SQS to judge.
fn chunks(entries: Vec<(usize, &Measured)>) -> Vec<Vec<(usize, &Measured)>> {
    let mut chunks: Vec<Vec<(usize, &Measured)>> = Vec::new();
    let mut bytes = 0;
    for (at, entry) in entries {
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < MAX_ENTRIES && bytes + entry.bytes <= MAX_BYTES => {
                bytes += entry.bytes;
                chunk.push((at, entry));
            }
            _ => {
                bytes = entry.bytes;
                chunks.push(vec![(at, entry)]);
            }
        }
    }
    chunks
}
