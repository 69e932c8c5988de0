#![doc = include_str!("../README.md")]

mod action;
mod answer;
mod catalog;
mod client;
mod common;
mod localized;
mod message;
mod money;
mod order;
mod query;
mod resource;

use connector::failure::Code;
use connector::handler::{Context, HandlerError};
use serde::Deserialize;
use serde_json::Value;

pub use action::{ChannelAction, DeliveryDraft, InventoryAction, OrderAction, ParcelDraft};
pub use catalog::{
    Category, Channel, ChannelDraft, ChannelRole, Customer, GeoPoint, InventoryEntry, InventoryEntryDraft,
    ProductProjection,
};
pub use client::{Client, MAX_REAPPLIED, PAGE_TIMEOUT, Projection, READ_TIMEOUT, WRITE_TIMEOUT};
pub use common::{
    Address, Attribute, Custom, DiscountedPrice, Image, KeyReference, Price, Reference, ResourceIdentifier,
    TaxRate, TaxedPrice, Variant,
};
pub use localized::LocalizedString;
pub use message::Message;
pub use money::{Decimal, Money, MoneyError};
pub use order::{
    CustomLineItem, Delivery, DeliveryItem, DiscountedShipping, ItemShippingDetails, ItemShippingTarget,
    ItemState, LineItem, Order, OrderState, Parcel, ParcelMeasurements, PaymentInfo, PaymentState,
    ShipmentState, Shipping, ShippingInfo, ShippingMode, SyncInfo, TrackingData,
};
pub use query::{MAX_LIMIT, Pages, Query, quoted};
pub use resource::{Resource, Updatable};

/// What a handler's context gives of commercetools.
pub trait CommercetoolsContext {
    /// The API of the project with this key.
    ///
    /// # Errors
    /// [`HandlerError::Misconfigured`] with `E_ACCESS` where it is not configured.
    fn commercetools(&self, project_key: &str) -> Result<Client<'_>, HandlerError>;

    /// The API of the project that sent the message.
    ///
    /// # Errors
    /// [`HandlerError::Misconfigured`] with `E_ACCESS` where the message is not from commercetools, or its project is not
    /// configured.
    fn commercetools_of_sender(&self) -> Result<Client<'_>, HandlerError>;

    /// The API of the one project that belongs to the message's account, and to its retailer where it names one.
    ///
    /// # Errors
    /// [`HandlerError::Misconfigured`] with `E_ACCESS` where the message names no account, or none or several projects
    /// belong to it.
    fn commercetools_of_account(&self) -> Result<Client<'_>, HandlerError>;
}

impl CommercetoolsContext for Context<'_> {
    fn commercetools(&self, project_key: &str) -> Result<Client<'_>, HandlerError> {
        match self.project(project_key) {
            Some(project) => Ok(Client::new(self, project)),
            None => Err(inaccessible(format!("there is no usable project commercetools/{project_key}"))),
        }
    }

    fn commercetools_of_sender(&self) -> Result<Client<'_>, HandlerError> {
        if let Some(project) = self.sending_project() {
            return Ok(Client::new(self, project));
        }
        let key = self.message.about().account_id.unwrap_or_default();
        Err(inaccessible(format!("the message is from no usable project commercetools/{key}")))
    }

    fn commercetools_of_account(&self) -> Result<Client<'_>, HandlerError> {
        let Some(account) = self.message.about().account_id else {
            return Err(inaccessible("the message names no account".to_owned()));
        };
        let retailer = retailer(self.message.payload.get());
        let is_its = |id: &str| retailer.as_deref().is_none_or(|retailer| retailer == id);
        let mut projects = self.projects_of(&account).filter(|project| is_its(project.retailer()));
        match (projects.next(), projects.next()) {
            (Some(project), None) => Ok(Client::new(self, project)),
            (one, _) => {
                let (many, retailer) =
                    (if one.is_some() { "several" } else { "no usable" }, retailer.unwrap_or_default());
                Err(inaccessible(format!(
                    "{many} projects below commercetools/ belong to account {account}, retailer {retailer:?}"
                )))
            }
        }
    }
}

/// The retailer that a Fluent event names, as text or as number.
fn retailer(payload: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(rename = "retailerId")]
        id: Value,
    }
    match serde_json::from_str(payload).ok()? {
        Named { id: Value::String(id) } if !id.is_empty() => Some(id),
        Named { id: Value::Number(id) } => Some(id.to_string()),
        Named { .. } => None,
    }
}

fn inaccessible(reason: String) -> HandlerError {
    HandlerError::Misconfigured { code: Code::Access, reason }
}
