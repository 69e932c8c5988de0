//! A FIFO queue in memory that behaves as SQS does: groups are locked, ten at most, what is hidden comes back. It fails,
//! loses answers, or kills its caller when told to.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use connector::message::Outgoing;
use connector::ports::{Clock, Queue, QueueError, UndeliveredQueue};
use connector::undelivered::{Attribute, Received, SetAside};
use jiff::{SignedDuration, Timestamp};

/// How long a deduplication id is remembered.
const DEDUPLICATION: SignedDuration = SignedDuration::from_mins(5);
/// Most messages of a receive.
const MAX_RECEIVED: usize = 10;

/// What befalls one entry of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It is refused and does nothing.
    Refused,
    /// It works, and the answer says that it failed.
    Lost,
    /// Its caller dies before it does anything: the call never returns.
    Death,
    /// Its caller dies after it has worked.
    DeathAfter,
}

/// What befalls the next entries; queues may share it.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<VecDeque<Fault>>>);

impl Faults {
    /// What befalls the next entries; then nothing does.
    pub fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        locked(&self.0).extend(faults);
    }

    /// Whether there are any left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        locked(&self.0).is_empty()
    }

    /// Does something, or not; whether the caller hears of it.
    async fn befall<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        let fault = locked(&self.0).pop_front().unwrap_or(Fault::None);
        match fault {
            Fault::None => Some(work()),
            Fault::Refused => None,
            Fault::Lost => {
                work();
                None
            }
            Fault::Death => std::future::pending().await,
            Fault::DeathAfter => {
                work();
                std::future::pending().await
            }
        }
    }
}

/// A FIFO queue in memory.
pub struct FakeFifoQueue {
    clock: Clock,
    faults: Faults,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    messages: Vec<Stored>,
    sent: Vec<(String, String, Timestamp)>,
    calls: Vec<usize>,
    numbers: u64,
}

struct Stored {
    message: Received,
    visible_at: Timestamp,
}

impl FakeFifoQueue {
    /// An empty queue.
    #[must_use]
    pub fn new(clock: Clock, faults: Faults) -> Self {
        Self { clock, faults, state: Mutex::default() }
    }

    /// Puts a message in without any fault.
    pub fn put(&self, message: &Outgoing) {
        let attributes = message.attributes.iter();
        self.append(Received {
            id: String::new(),
            receipt: String::new(),
            body: message.body.clone(),
            group: message.group.clone(),
            deduplication: message.deduplication.clone(),
            sent: Timestamp::UNIX_EPOCH,
            trace: message.trace.clone(),
            attributes: attributes.map(|(name, value)| Attribute::text(*name, value.as_str())).collect(),
        });
    }

    /// All that it holds, hidden or not, in order.
    #[must_use]
    pub fn contents(&self) -> Vec<Received> {
        locked(&self.state).messages.iter().map(|stored| stored.message.clone()).collect()
    }

    /// How many of them are hidden.
    #[must_use]
    pub fn hidden(&self) -> usize {
        let now = (self.clock)();
        locked(&self.state).messages.iter().filter(|stored| stored.visible_at > now).count()
    }

    /// The number of messages of each call that sent some.
    #[must_use]
    pub fn calls(&self) -> Vec<usize> {
        locked(&self.state).calls.clone()
    }

    fn append(&self, mut message: Received) {
        let now = (self.clock)();
        let mut state = locked(&self.state);
        state.sent.retain(|(_, _, at)| now.duration_since(*at) < DEDUPLICATION);
        let known = |(group, id, _): &(String, String, Timestamp)| {
            (group, id) == (&message.group, &message.deduplication)
        };
        if state.sent.iter().any(known) {
            return;
        }
        state.sent.push((message.group.clone(), message.deduplication.clone(), now));
        state.numbers += 1;
        message.id = format!("id-{}", state.numbers);
        message.receipt = String::new();
        message.sent = now;
        state.messages.push(Stored { message, visible_at: now });
    }

    fn give(&self, hidden_for: Duration) -> Vec<Received> {
        let now = (self.clock)();
        let mut state = locked(&self.state);
        let mut groups: Vec<String> = Vec::new();
        let mut locks = BTreeSet::new();
        for stored in &state.messages {
            if stored.visible_at > now {
                locks.insert(stored.message.group.clone());
            }
            if !groups.contains(&stored.message.group) {
                groups.push(stored.message.group.clone());
            }
        }
        let mut given = Vec::new();
        for group in groups.iter().filter(|group| !locks.contains(*group)) {
            let State { messages, numbers, .. } = &mut *state;
            for stored in messages.iter_mut().filter(|stored| stored.message.group == *group) {
                if given.len() < MAX_RECEIVED {
                    *numbers += 1;
                    stored.message.receipt = format!("receipt-{numbers}");
                    stored.visible_at = now.checked_add(hidden_for).expect("a time in range");
                    given.push(stored.message.clone());
                }
            }
        }
        given
    }
}

#[async_trait]
impl Queue for FakeFifoQueue {
    async fn send(&self, message: &Outgoing) -> Result<(), QueueError> {
        self.faults.befall(|| self.put(message)).await.ok_or_else(|| QueueError::Send(told()))
    }

    async fn send_all(&self, messages: &[Outgoing]) -> Vec<Result<(), QueueError>> {
        locked(&self.state).calls.push(messages.len());
        let mut results = Vec::new();
        for message in messages {
            results.push(self.send(message).await);
        }
        results
    }

    async fn postpone(&self, receipt: &str, delay: Duration) -> Result<(), QueueError> {
        let now = (self.clock)();
        let work = || {
            for stored in &mut locked(&self.state).messages {
                if stored.message.receipt == receipt {
                    stored.visible_at = now.checked_add(delay).expect("a time in range");
                }
            }
        };
        self.faults.befall(work).await.ok_or_else(|| QueueError::Postpone(told()))
    }
}

#[async_trait]
impl UndeliveredQueue for FakeFifoQueue {
    async fn receive(&self, _attempt: &str, hidden_for: Duration) -> Result<Vec<Received>, QueueError> {
        self.faults.befall(|| self.give(hidden_for)).await.ok_or_else(|| QueueError::Receive(told()))
    }

    async fn set_aside(&self, copies: &[SetAside<'_>]) -> Vec<Result<(), QueueError>> {
        locked(&self.state).calls.push(copies.len());
        let mut results = Vec::new();
        for copy in copies {
            let message = Received { deduplication: copy.deduplication.clone(), ..copy.message.clone() };
            let end = self.faults.befall(|| self.append(message)).await;
            results.push(end.ok_or_else(|| QueueError::Send(told())));
        }
        results
    }

    async fn delete(&self, receipts: &[&str]) -> Vec<Result<(), QueueError>> {
        let mut results = Vec::new();
        for receipt in receipts {
            let work = || locked(&self.state).messages.retain(|stored| stored.message.receipt != *receipt);
            results.push(self.faults.befall(work).await.ok_or_else(|| QueueError::Delete(told())));
        }
        results
    }

    async fn release(&self, receipts: &[&str]) -> Vec<Result<(), QueueError>> {
        let mut results = Vec::new();
        for receipt in receipts {
            results.push(self.postpone(receipt, Duration::ZERO).await);
        }
        results
    }

    async fn waiting(&self) -> Result<u64, QueueError> {
        let count = || {
            let now = (self.clock)();
            locked(&self.state).messages.iter().filter(|stored| stored.visible_at <= now).count()
        };
        let count = self.faults.befall(count).await.ok_or_else(|| QueueError::Count(told()))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

fn told() -> Box<dyn std::error::Error + Send + Sync> {
    "the fake queue was told to fail".into()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
