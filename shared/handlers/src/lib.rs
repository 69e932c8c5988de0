#![doc = include_str!("../README.md")]

mod account;
mod fetch;
mod fluent_changes;
mod into_commercetools;
mod into_fluent;
mod jobs;
mod order_reference;
mod problem;
mod props;

pub mod answer;
pub mod commercetools_category_upsert;
pub mod commercetools_consignment_status;
pub mod commercetools_customer_upsert;
pub mod commercetools_fulfilment_status;
pub mod commercetools_inventory_sync;
pub mod commercetools_inventory_upsert;
pub mod commercetools_location_sync;
pub mod commercetools_location_upsert;
pub mod commercetools_order_create;
pub mod commercetools_order_status;
pub mod commercetools_product_catalogue_sync;
pub mod commercetools_product_upsert;
pub mod fluent_event;
pub mod fluent_event_failure_summary;
pub mod fluent_graphql;
pub mod fluent_order;
pub mod ignore;
pub mod subscription;
pub mod webhook;

use connector::handler::Registry;

/// Every handler of this build: one line each.
#[must_use]
pub fn registry() -> Registry {
    Registry::default()
        .register::<webhook::Webhook>()
        .register::<fluent_event::FluentEvent>()
        .register::<fluent_graphql::FluentGraphql>()
        .register::<fluent_order::FluentOrder>()
        .register::<ignore::Ignore>()
        .register::<subscription::Subscription>()
        .register::<answer::Answer>()
        .register::<commercetools_order_create::CommercetoolsOrderCreate>()
        .register::<commercetools_customer_upsert::CommercetoolsCustomerUpsert>()
        .register::<commercetools_category_upsert::CommercetoolsCategoryUpsert>()
        .register::<commercetools_product_upsert::CommercetoolsProductUpsert>()
        .register::<commercetools_order_status::CommercetoolsOrderStatus>()
        .register::<commercetools_fulfilment_status::CommercetoolsFulfilmentStatus>()
        .register::<commercetools_consignment_status::CommercetoolsConsignmentStatus>()
        .register::<commercetools_inventory_upsert::CommercetoolsInventoryUpsert>()
        .register::<commercetools_location_upsert::CommercetoolsLocationUpsert>()
        .register_job::<commercetools_product_catalogue_sync::CommercetoolsProductCatalogueSync>()
        .register_job::<commercetools_inventory_sync::CommercetoolsInventorySync>()
        .register_job::<commercetools_location_sync::CommercetoolsLocationSync>()
        .register_job::<fluent_event_failure_summary::FluentEventFailureSummary>()
}
