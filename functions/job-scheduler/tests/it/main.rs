//! The job scheduler between fakes of its ports.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod missed;
mod scheduler;
mod support;
