//! The router against its contract: random records, random failures, exactly one disposition each, order kept.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod deadlines;
mod deliveries;
mod dispatch;
mod dispositions;
mod faults;
mod kinds;
mod subscriptions;
mod support;
