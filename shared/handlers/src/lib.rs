#![doc = include_str!("../README.md")]

mod catalogue;
mod prepared;
mod upsert;

pub mod answer;
pub mod commercetools_category_upsert;
pub mod commercetools_customer_upsert;
pub mod commercetools_order_create;
pub mod commercetools_product_upsert;
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
        .register::<commercetools_customer_upsert::CommercetoolsCustomerUpsert>()
        .register::<commercetools_category_upsert::CommercetoolsCategoryUpsert>()
        .register::<commercetools_product_upsert::CommercetoolsProductUpsert>()
}
