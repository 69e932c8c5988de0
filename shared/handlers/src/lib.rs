#![doc = include_str!("../README.md")]

mod prepared;

pub mod answer;
pub mod commercetools_order_create;
pub mod fluent_event;
pub mod fluent_graphql;
pub mod ignore;
pub mod webhook;

use connector::handler::Registry;

/// Every handler of this build: one line each.
#[must_use]
pub fn registry() -> Registry {
    Registry::default()
        .register::<webhook::Webhook>()
        .register::<fluent_event::FluentEvent>()
        .register::<fluent_graphql::FluentGraphql>()
        .register::<ignore::Ignore>()
        .register::<answer::Answer>()
        .register::<commercetools_order_create::CommercetoolsOrderCreate>()
}
