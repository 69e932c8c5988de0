//! Sends undelivered messages back to the event queue: filtered, paced, each group in order, none lost.
//!
//! [`request`] is what somebody asks for, [`filter`] says which messages that means, [`replay`] starts a run;
//! [`queue_run`] looks through the undelivered queue, `log_run` through the logs for webhooks that never reached a queue,
//! which `kept` reads and, where nobody has, verifies; [`report`] is what the caller reads, [`settings`] is the environment.
//!
//! # Order and loss
//! SQS gives at most ten messages of a group and no more of it while one of them is in flight. What does not match and
//! may have matches behind it is therefore *set aside*: a copy goes to the queue's end, then the original is deleted.
//! Once one message of a group is set aside, all that stand before its copy are set aside or taken, so that both what
//! is taken and what stays keep their order. Nothing is deleted before its copy is confirmed: a run that dies repeats,
//! it loses nothing. A run that dies, or whose copy is refused, while a group is half set aside leaves that group's
//! first messages behind its last.

pub mod candidate;
pub mod filter;
mod kept;
mod lanes;
mod log_run;
pub mod pace;
pub mod queue_run;
pub mod replay;
pub mod report;
pub mod request;
pub mod settings;
