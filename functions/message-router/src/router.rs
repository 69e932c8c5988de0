//! What the router works with, built once in INIT.

use std::sync::Arc;
use std::time::Duration;

use connector::cache::Cache;
use connector::configuration::RoutingTable;
use connector::handler::Handlers;
use connector::ports::{Console, JobStore, Queue};
use connector::sender::Sender;
use jiff::Timestamp;

use crate::settings::Unrouted;

/// Kept of an invocation's time for settling the record and flushing the event log: a move, a delay, and a flush that
/// has to create its stream: two operations of at most the 5 s that the AWS clients give each, and the flush's own 10 s.
pub const RESERVE: Duration = Duration::from_secs(20);

/// The router's parts.
pub struct Router {
    /// Endpoints and routes.
    pub table: Cache<RoutingTable>,
    /// The registered handlers.
    pub handlers: Handlers,
    /// How deliveries are made.
    pub sender: Sender,
    /// Where records come from and split messages go to.
    pub event_queue: Arc<dyn Queue>,
    /// How far jobs have come.
    pub jobs: Arc<dyn JobStore>,
    /// Where messages wait that cannot be delivered as configured.
    pub undelivered_queue: Arc<dyn Queue>,
    /// The router's own log.
    pub console: Arc<dyn Console>,
    /// What becomes of a message that no route wants.
    pub unrouted: Unrouted,
    /// Where pipeline faults end.
    pub dead_letter_queue: Arc<dyn Queue>,
}

/// One call of the function.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Lambda's request id.
    pub request_id: String,
    /// When Lambda ends it.
    pub deadline: Timestamp,
}

impl Router {
    /// The time of day.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.sender.clock)()
    }

    /// When work on a record has to be done: what is left then is the reserve.
    #[must_use]
    pub fn work_deadline(&self, invocation: &Invocation) -> Timestamp {
        invocation.deadline.saturating_sub(RESERVE).unwrap_or(Timestamp::MIN)
    }

    /// Time until the work's deadline; zero where it has passed.
    #[must_use]
    pub fn time_for_work(&self, invocation: &Invocation) -> Duration {
        let left = self.work_deadline(invocation).duration_since(self.now());
        Duration::try_from(left).unwrap_or_default()
    }
}
