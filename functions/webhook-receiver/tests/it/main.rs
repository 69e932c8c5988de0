//! The receiver: Lambda JSON in, Lambda JSON out.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod fluent;
mod kept;
mod sources;
mod support;
