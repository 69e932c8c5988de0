//! What can be done to a resource, as commercetools spells it (API reference, update actions).

use serde::Serialize;
use serde_json::Value;

use crate::catalog::{ChannelRole, GeoPoint};
use crate::common::{Address, ResourceIdentifier};
use crate::localized::LocalizedString;
use crate::order::{DeliveryItem, OrderState, ParcelMeasurements, PaymentState, ShipmentState, TrackingData};

/// A change of an order.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum OrderAction {
    /// Sets where the order stands.
    ChangeOrderState {
        /// Where.
        order_state: OrderState,
    },
    /// Sets where its shipment stands.
    ChangeShipmentState {
        /// Where.
        shipment_state: ShipmentState,
    },
    /// Sets where its payment stands.
    ChangePaymentState {
        /// Where.
        payment_state: PaymentState,
    },
    /// Moves it on in the project's own workflow.
    TransitionState {
        /// Where to.
        state: ResourceIdentifier,
    },
    /// Says that parcels were handed over.
    AddDelivery(DeliveryDraft),
    /// Says that there is one more parcel.
    AddParcelToDelivery {
        /// Id of the delivery.
        delivery_id: String,
        /// User-defined key, unique in the order: by it a second try is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        parcel_key: Option<String>,
        /// How to follow it.
        #[serde(skip_serializing_if = "Option::is_none")]
        tracking_data: Option<TrackingData>,
        /// What is in it.
        items: Vec<DeliveryItem>,
    },
    /// Says how a parcel is followed.
    SetParcelTrackingData {
        /// Id of the parcel.
        parcel_id: String,
        /// How; not at all where absent.
        tracking_data: Option<TrackingData>,
    },
    /// Says what another system calls the order.
    UpdateSyncInfo {
        /// The channel that stands for the system; it needs the role `OrderExport` or `OrderImport`.
        channel: ResourceIdentifier,
        /// Its name for the order.
        external_id: String,
    },
    /// Sets a custom field; the order has to have the type that defines it.
    SetCustomField {
        /// Its name.
        name: String,
        /// Its value; `null` takes it out.
        value: Value,
    },
}

/// Parcels that are handed over together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryDraft {
    /// User-defined key, unique in the order: by it a second try is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_key: Option<String>,
    /// Which of several ways it goes; needed in shipping mode Multiple.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipping_key: Option<String>,
    /// What is in it.
    pub items: Vec<DeliveryItem>,
    /// Its parcels.
    pub parcels: Vec<ParcelDraft>,
    /// Where it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Box<Address>>,
}

/// A parcel of a delivery that is to be added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ParcelDraft {
    /// User-defined key, unique in the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How to follow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_data: Option<TrackingData>,
    /// What is in it.
    pub items: Vec<DeliveryItem>,
    /// How large and heavy it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measurements: Option<ParcelMeasurements>,
}

/// A change of stock.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum InventoryAction {
    /// Sets how many pieces there are.
    ChangeQuantity {
        /// Pieces in stock, reserved ones included.
        quantity: i64,
    },
    /// Adds pieces.
    AddQuantity {
        /// How many.
        quantity: i64,
    },
    /// Takes pieces away.
    RemoveQuantity {
        /// How many.
        quantity: i64,
    },
    /// Sets when there is new stock.
    SetExpectedDelivery {
        /// RFC 3339; nobody knows where absent.
        expected_delivery: Option<String>,
    },
    /// Sets a custom field; the entry has to have the type that defines it.
    SetCustomField {
        /// Its name.
        name: String,
        /// Its value; `null` takes it out.
        value: Value,
    },
}

/// A change of a channel.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ChannelAction {
    /// Sets what it is for.
    SetRoles {
        /// At least one.
        roles: Vec<ChannelRole>,
    },
    /// Says what else it is for.
    AddRoles {
        /// At least one.
        roles: Vec<ChannelRole>,
    },
    /// Sets its name.
    ChangeName {
        /// In every language.
        name: LocalizedString,
    },
    /// Sets its description.
    ChangeDescription {
        /// In every language.
        description: LocalizedString,
    },
    /// Sets where it is.
    SetAddress {
        /// Nowhere where absent.
        address: Option<Box<Address>>,
    },
    /// Sets the point where it is.
    SetGeoLocation {
        /// Nowhere where absent.
        geo_location: Option<GeoPoint>,
    },
    /// Sets a custom field; the channel has to have the type that defines it.
    SetCustomField {
        /// Its name.
        name: String,
        /// Its value; `null` takes it out.
        value: Value,
    },
}
