#![doc = include_str!("../README.md")]

mod batch;
pub mod clients;
pub mod configuration;
pub mod console;
pub mod event_log;
pub mod foundation;
pub mod jobs;
pub mod queue;
mod undelivered;
pub mod xray;
