//! Customers, categories, products, stock and channels: what mapping needs of them.

use serde::{Deserialize, Serialize};

use crate::common::{Address, Attribute, Custom, Reference, ResourceIdentifier, Variant};
use crate::localized::LocalizedString;

/// A customer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    /// Id, UUID.
    pub id: String,
    /// Grows with each change.
    pub version: i64,
    /// User-defined key.
    pub key: Option<String>,
    /// What people call the account.
    pub customer_number: Option<String>,
    /// What another system calls it.
    pub external_id: Option<String>,
    /// Unique in the project or a store.
    pub email: String,
    /// First name.
    pub first_name: Option<String>,
    /// Middle name.
    pub middle_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Such as `Dr.`.
    pub title: Option<String>,
    /// Such as `Mr.`.
    pub salutation: Option<String>,
    /// The company.
    pub company_name: Option<String>,
    /// A date, RFC 3339.
    pub date_of_birth: Option<String>,
    /// The customer's language.
    pub locale: Option<String>,
    /// All addresses.
    #[serde(default)]
    pub addresses: Vec<Address>,
    /// Id of one of them.
    pub default_shipping_address_id: Option<String>,
    /// Id of one of them.
    pub default_billing_address_id: Option<String>,
    /// Custom fields.
    pub custom: Option<Custom>,
}

impl Customer {
    /// Where the customer's orders go unless they say otherwise.
    #[must_use]
    pub fn default_shipping_address(&self) -> Option<&Address> {
        self.address(self.default_shipping_address_id.as_deref())
    }

    /// Who pays unless the order says otherwise.
    #[must_use]
    pub fn default_billing_address(&self) -> Option<&Address> {
        self.address(self.default_billing_address_id.as_deref())
    }

    fn address(&self, id: Option<&str>) -> Option<&Address> {
        let id = id?;
        self.addresses.iter().find(|address| address.id.as_deref() == Some(id))
    }
}

/// A category of products.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Category {
    /// Id, UUID.
    pub id: String,
    /// Grows with each change.
    pub version: i64,
    /// User-defined key.
    pub key: Option<String>,
    /// What another system calls it.
    pub external_id: Option<String>,
    /// Its name.
    pub name: LocalizedString,
    /// Its name in URLs.
    pub slug: LocalizedString,
    /// Its description.
    pub description: Option<LocalizedString>,
    /// The category that it is in; none at the top.
    pub parent: Option<Reference>,
    /// Those above it, from the top.
    #[serde(default)]
    pub ancestors: Vec<Reference>,
    /// A decimal number from 0 to 1 by which its siblings are sorted.
    pub order_hint: Option<String>,
    /// Custom fields.
    pub custom: Option<Custom>,
}

/// A product, as it is or as it is going to be published.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductProjection {
    /// The product's id, UUID.
    pub id: String,
    /// Grows with each change.
    pub version: i64,
    /// User-defined key.
    pub key: Option<String>,
    /// Its type, which says what attributes it has.
    pub product_type: Reference,
    /// Its name.
    pub name: LocalizedString,
    /// Its name in URLs.
    pub slug: LocalizedString,
    /// Its description.
    pub description: Option<LocalizedString>,
    /// The categories that it is in.
    #[serde(default)]
    pub categories: Vec<Reference>,
    /// The first variant.
    pub master_variant: Variant,
    /// The others.
    #[serde(default)]
    pub variants: Vec<Variant>,
    /// Attributes of the product itself, not of a variant.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
    /// How it is taxed.
    pub tax_category: Option<Reference>,
    /// Whether customers see it.
    #[serde(default)]
    pub published: bool,
    /// Whether what is going to be published differs.
    #[serde(default)]
    pub has_staged_changes: bool,
}

impl ProductProjection {
    /// All variants, the master first.
    pub fn all_variants(&self) -> impl Iterator<Item = &Variant> {
        std::iter::once(&self.master_variant).chain(&self.variants)
    }
}

/// Stock of a product's variant in one place.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InventoryEntry {
    /// Id, UUID.
    pub id: String,
    /// Grows with each change, orders among them.
    pub version: i64,
    /// User-defined key.
    pub key: Option<String>,
    /// Stock keeping unit of the variant.
    pub sku: String,
    /// The place; none for stock without one.
    pub supply_channel: Option<Reference>,
    /// Pieces in stock, reserved ones included.
    pub quantity_on_stock: i64,
    /// Pieces that can be bought.
    pub available_quantity: i64,
    /// Days until there is new stock.
    pub restockable_in_days: Option<i64>,
    /// When there is new stock, RFC 3339.
    pub expected_delivery: Option<String>,
    /// Custom fields.
    pub custom: Option<Custom>,
}

/// Stock that is to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InventoryEntryDraft {
    /// Stock keeping unit of the variant.
    pub sku: String,
    /// User-defined key: letters, digits, hyphens and underscores, 2 to 256 of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supply_channel: Option<ResourceIdentifier>,
    /// Pieces in stock.
    pub quantity_on_stock: i64,
}

/// A warehouse, store or other system.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// Id, UUID.
    pub id: String,
    /// Grows with each change.
    pub version: i64,
    /// User-defined key.
    pub key: String,
    /// What it is for.
    #[serde(default)]
    pub roles: Vec<ChannelRole>,
    /// Its name.
    pub name: Option<LocalizedString>,
    /// Its description.
    pub description: Option<LocalizedString>,
    /// Where it is.
    pub address: Option<Address>,
    /// The point where it is.
    pub geo_location: Option<GeoPoint>,
    /// Custom fields.
    pub custom: Option<Custom>,
}

/// What a channel is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChannelRole {
    /// Has stock.
    InventorySupply,
    /// Sells products.
    ProductDistribution,
    /// Gets orders from commercetools.
    OrderExport,
    /// Gives orders to commercetools.
    OrderImport,
    /// Is seen by customers.
    Primary,
    /// One that this client does not know; it cannot be written.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// A point on the earth (`GeoJSON`, RFC 7946).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "Point")]
pub struct GeoPoint {
    /// Longitude, then latitude, in degrees.
    pub coordinates: [f64; 2],
}

/// A channel that is to be created.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelDraft {
    /// User-defined key.
    pub key: String,
    /// What it is for.
    pub roles: Vec<ChannelRole>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<LocalizedString>,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<LocalizedString>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// The point where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geo_location: Option<GeoPoint>,
}
