//! Orders: what mapping needs of them. Whatever commercetools does not promise is optional.

use serde::{Deserialize, Serialize};

use crate::common::{Address, Custom, KeyReference, Price, Reference, TaxRate, TaxedPrice, Variant};
use crate::localized::LocalizedString;
use crate::money::Money;

/// An order.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Id, UUID.
    pub id: String,
    /// Grows with each change.
    pub version: i64,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub last_modified_at: String,
    /// What people call it; absent unless the shop sets one.
    pub order_number: Option<String>,
    /// Absent for guests.
    pub customer_id: Option<String>,
    /// Also of guests.
    pub customer_email: Option<String>,
    /// Where it was bought.
    pub store: Option<KeyReference>,
    /// The customer's language.
    pub locale: Option<String>,
    /// ISO 3166-1, two letters.
    pub country: Option<String>,
    /// Where it stands.
    pub order_state: OrderState,
    /// Where its shipment stands.
    pub shipment_state: Option<ShipmentState>,
    /// Where its payment stands.
    pub payment_state: Option<PaymentState>,
    /// The state of the project's own workflow.
    pub state: Option<Reference>,
    /// All items, shipping and discounts.
    pub total_price: Money,
    /// The same with taxes.
    pub taxed_price: Option<TaxedPrice>,
    /// Products that were bought.
    #[serde(default)]
    pub line_items: Vec<LineItem>,
    /// What was bought besides.
    #[serde(default)]
    pub custom_line_items: Vec<CustomLineItem>,
    /// Whether it is sent in one way or in several.
    #[serde(default)]
    pub shipping_mode: ShippingMode,
    /// Where it is sent to, in shipping mode Single.
    pub shipping_address: Option<Address>,
    /// Who pays.
    pub billing_address: Option<Address>,
    /// How it is sent, in shipping mode Single.
    pub shipping_info: Option<ShippingInfo>,
    /// How it is sent, in shipping mode Multiple.
    #[serde(default)]
    pub shipping: Vec<Shipping>,
    /// Where single pieces are sent to, in either mode: what `shipping_details` of items refer to by key.
    #[serde(default)]
    pub item_shipping_addresses: Vec<Address>,
    /// How it was paid.
    pub payment_info: Option<PaymentInfo>,
    /// What other systems call it.
    #[serde(default)]
    pub sync_info: Vec<SyncInfo>,
    /// Custom fields.
    pub custom: Option<Custom>,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are commercetools' own")]
pub enum OrderState {
    Open,
    Confirmed,
    Complete,
    Cancelled,
    /// One that this client does not know; it cannot be written.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// Where a shipment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are commercetools' own")]
pub enum ShipmentState {
    Pending,
    Ready,
    Shipped,
    Delivered,
    Delayed,
    Partial,
    Backorder,
    Canceled,
    /// One that this client does not know; it cannot be written.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are commercetools' own")]
pub enum PaymentState {
    BalanceDue,
    Failed,
    Pending,
    CreditOwed,
    Paid,
    /// One that this client does not know; it cannot be written.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// Whether an order is sent in one way or in several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the names are commercetools' own")]
pub enum ShippingMode {
    #[default]
    Single,
    Multiple,
    /// One that this client does not know.
    #[serde(other)]
    Unknown,
}

/// A product that was bought.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineItem {
    /// Id within the order.
    pub id: String,
    /// User-defined key.
    pub key: Option<String>,
    /// The product's id.
    pub product_id: String,
    /// The product's key.
    pub product_key: Option<String>,
    /// The product's name.
    pub name: LocalizedString,
    /// As it was when it was bought.
    pub variant: Variant,
    /// Of one piece.
    pub price: Price,
    /// Number of pieces.
    pub quantity: i64,
    /// Of all pieces, after all discounts.
    pub total_price: Money,
    /// The same with taxes.
    pub taxed_price: Option<TaxedPrice>,
    /// Absent until a shipping address is known.
    pub tax_rate: Option<TaxRate>,
    /// Whose stock it is.
    pub supply_channel: Option<Reference>,
    /// Who sells it.
    pub distribution_channel: Option<Reference>,
    /// How many pieces stand where in the project's own workflow.
    #[serde(default)]
    pub state: Vec<ItemState>,
    /// Which pieces go where; absent where all go the order's way.
    pub shipping_details: Option<ItemShippingDetails>,
    /// Custom fields.
    pub custom: Option<Custom>,
}

/// Something else that was bought, such as gift wrapping.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomLineItem {
    /// Id within the order.
    pub id: String,
    /// User-defined key.
    pub key: Option<String>,
    /// Its name.
    pub name: LocalizedString,
    /// User-defined name in URLs.
    pub slug: Option<String>,
    /// Of one piece.
    pub money: Money,
    /// Number of pieces.
    pub quantity: i64,
    /// Of all pieces, after all discounts.
    pub total_price: Money,
    /// The same with taxes.
    pub taxed_price: Option<TaxedPrice>,
    /// Absent until a shipping address is known.
    pub tax_rate: Option<TaxRate>,
    /// Which pieces go where; absent where all go the order's way.
    pub shipping_details: Option<ItemShippingDetails>,
    /// Custom fields.
    pub custom: Option<Custom>,
}

/// Which pieces of an item go where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ItemShippingDetails {
    /// All together as many pieces as the item has, in an order that was made of a cart.
    #[serde(default)]
    pub targets: Vec<ItemShippingTarget>,
}

/// Pieces of an item that go one way.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemShippingTarget {
    /// Key of one of the order's `item_shipping_addresses`.
    pub address_key: String,
    /// Number of pieces.
    pub quantity: i64,
    /// `shipping_key` of one of the order's ways, in shipping mode Multiple.
    pub shipping_method_key: Option<String>,
}

/// How many pieces of an item are in a state.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ItemState {
    /// Number of pieces.
    pub quantity: i64,
    /// The state.
    pub state: Reference,
}

/// How an order is sent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShippingInfo {
    /// Such as the carrier's name.
    pub shipping_method_name: String,
    /// What it costs.
    pub price: Money,
    /// The same with taxes.
    pub taxed_price: Option<TaxedPrice>,
    /// Absent until a shipping address is known.
    pub tax_rate: Option<TaxRate>,
    /// After discounts.
    pub discounted_price: Option<DiscountedShipping>,
    /// The method; absent where it is not one of the project's.
    pub shipping_method: Option<Reference>,
    /// What was handed over.
    #[serde(default)]
    pub deliveries: Vec<Delivery>,
}

/// The price of shipping after discounts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DiscountedShipping {
    /// What it costs then.
    pub value: Money,
}

/// One of several ways in which an order is sent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shipping {
    /// User-defined key.
    pub shipping_key: String,
    /// How.
    pub shipping_info: ShippingInfo,
    /// Where to.
    pub shipping_address: Address,
}

/// The payments of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct PaymentInfo {
    /// Payments.
    #[serde(default)]
    pub payments: Vec<Reference>,
}

/// What another system calls an order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncInfo {
    /// The channel that stands for the system.
    pub channel: Reference,
    /// Its name for the order.
    pub external_id: Option<String>,
    /// When it got it, RFC 3339.
    pub synced_at: String,
}

/// Parcels that were handed over together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Delivery {
    /// Id within the order.
    pub id: String,
    /// User-defined key.
    pub key: Option<String>,
    /// What is in it.
    #[serde(default)]
    pub items: Vec<DeliveryItem>,
    /// Its parcels.
    #[serde(default)]
    pub parcels: Vec<Parcel>,
    /// Where it goes.
    pub address: Option<Address>,
}

/// Pieces of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryItem {
    /// Id of the line item or custom line item.
    pub id: String,
    /// Number of pieces.
    pub quantity: i64,
}

/// A parcel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parcel {
    /// Id within the order.
    pub id: String,
    /// User-defined key.
    pub key: Option<String>,
    /// How to follow it.
    pub tracking_data: Option<TrackingData>,
    /// What is in it.
    #[serde(default)]
    pub items: Vec<DeliveryItem>,
}

/// How to follow a parcel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrackingData {
    /// The carrier's number for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_id: Option<String>,
    /// Who carries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// Who knows where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Under which number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_transaction: Option<String>,
    /// Whether it comes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_return: Option<bool>,
}

/// How large and heavy a parcel is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ParcelMeasurements {
    /// mm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height_in_millimeter: Option<i64>,
    /// mm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length_in_millimeter: Option<i64>,
    /// mm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width_in_millimeter: Option<i64>,
    /// g.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_in_gram: Option<i64>,
}

impl Order {
    /// Everything that was handed over, in either shipping mode.
    pub fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        let ways = self.shipping.iter().map(|shipping| &shipping.shipping_info);
        self.shipping_info.iter().chain(ways).flat_map(|info| &info.deliveries)
    }

    /// What the system that this channel stands for calls the order.
    #[must_use]
    pub fn external_id(&self, channel_id: &str) -> Option<&str> {
        let sync = self.sync_info.iter().find(|sync| sync.channel.id == channel_id)?;
        sync.external_id.as_deref()
    }
}
