//! What handlers ask of Fluent and get, what is recorded, and what is shown of secrets: nothing.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod answers;
mod events;
mod searches;
mod support;
mod tokens;
