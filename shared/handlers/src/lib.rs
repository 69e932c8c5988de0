#![doc = include_str!("../README.md")]

use connector::handler::Registry;

pub mod webhook;

/// Every handler of this build: one line each.
#[must_use]
pub fn registry() -> Registry {
    Registry::default().register::<webhook::Webhook>()
}
