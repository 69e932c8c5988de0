#![doc = include_str!("../README.md")]

mod blocked;
mod client;
mod failure;
mod networks;
mod policy;
mod resolver;
mod special;
mod transport;

pub use client::BuildError;
pub use networks::{Networks, NetworksError};
pub use policy::{AddressPolicy, Reach, Rule};
pub use resolver::Lookup;
pub use transport::HttpTransport;
