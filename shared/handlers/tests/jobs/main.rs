//! The shipped jobs: what they find, what they hand over of it, and how they go on.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod catalogue;
mod changes;
mod failures;
mod run;
