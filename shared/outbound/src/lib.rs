#![doc = include_str!("../README.md")]

mod client;
mod failure;
pub mod policy;
mod resolver;
mod transport;

pub use client::BuildError;
pub use transport::{BODY_CAP_BYTES, HttpTransport};
