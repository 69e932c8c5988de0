//! Random messages, filters, failures and deaths against queues that behave as SQS does.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod groups;
mod random;
mod runs;
mod support;
