//! Keeps a run's sends below its rate, so that a recovered receiver is not run over.

use std::time::Duration;

use connector::ports::Clock;
use jiff::Timestamp;

/// Spreads sends evenly over time.
pub struct Pace {
    clock: Clock,
    per_second: u64,
    next: Timestamp,
}

impl Pace {
    /// At most this many sends a second.
    #[must_use]
    pub fn new(clock: Clock, per_second: u64) -> Self {
        let next = clock();
        Self { clock, per_second: per_second.max(1), next }
    }

    /// How many messages may go in one call, at most.
    #[must_use]
    pub fn burst(&self) -> usize {
        usize::try_from(self.per_second).unwrap_or(usize::MAX)
    }

    /// Waits until this many messages may be sent.
    pub async fn wait_for(&mut self, messages: usize) {
        let now = (self.clock)();
        if let Ok(ahead) = Duration::try_from(self.next.duration_since(now)) {
            tokio::time::sleep(ahead).await;
        }
        let messages = u64::try_from(messages).unwrap_or(u64::MAX);
        let takes = Duration::from_nanos(messages.saturating_mul(1_000_000_000 / self.per_second));
        self.next = self.next.max(now).checked_add(takes).unwrap_or(Timestamp::MAX);
    }
}
