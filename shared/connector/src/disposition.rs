//! How a record of a batch ends: exactly one of these.

use std::time::Duration;

use crate::failure::Code;

/// The end of one record in one invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// Done: SQS deletes it.
    Acknowledge,
    /// Comes back after the delay.
    Retry {
        /// Counted from now.
        after: Duration,
        /// Why.
        code: Code,
    },
    /// Kept in the undelivered queue until somebody mends the cause and replays it.
    Park {
        /// Why it waits.
        reason: Reason,
        /// The code of what happened.
        code: Code,
        /// The last HTTP status of the receiver, where it answered.
        status: Option<u16>,
    },
    /// The pipeline itself is at fault: kept in the dead-letter queue.
    Fault {
        /// The code of what happened.
        code: Code,
    },
}

/// Why a message stands in the undelivered queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The receiver, or the address policy, refused it for good.
    Refused,
    /// Every attempt of the schedule failed.
    Exhausted,
    /// Its endpoint is paused.
    Paused,
    /// No route wants it.
    Unrouted,
    /// Its route, handler or endpoint cannot serve as configured.
    Misconfigured,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 5] =
        [Self::Refused, Self::Exhausted, Self::Paused, Self::Unrouted, Self::Misconfigured];

    /// The text of the message attribute `reason`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Exhausted => "exhausted",
            Self::Paused => "paused",
            Self::Unrouted => "unrouted",
            Self::Misconfigured => "misconfigured",
        }
    }
}
