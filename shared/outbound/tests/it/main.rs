//! The transport as its users have it: the policy by itself, and real sockets on the loopback.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod addresses;
mod guard;
mod keep_alive;
mod support;
mod tls;
mod transport;
