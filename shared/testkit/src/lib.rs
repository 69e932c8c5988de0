#![doc = include_str!("../README.md")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a fake that cannot go on has to fail its test"
)]

pub mod event_log_reader;
pub mod fakes;
pub mod fifo;
pub mod fluent_inputs;
pub mod handlers;
pub mod shipped;
pub mod signing;
pub mod sources;
pub mod workbench;
