//! What handlers ask of commercetools and get, what is recorded, and what is shown of secrets: nothing.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod fixtures;
mod reads;
mod support;
mod tokens;
mod types;
mod updates;
