//! What several resources are made of.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::money::Money;

/// A resource that is named by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// Such as `channel`.
    pub type_id: String,
    /// Its id.
    pub id: String,
}

/// A store, which is named by its key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KeyReference {
    /// Its key.
    pub key: String,
}

/// A resource in a write: by its id or by its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceIdentifier {
    type_id: &'static str,
    #[serde(flatten)]
    name: Name,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Name {
    Id(String),
    Key(String),
}

impl ResourceIdentifier {
    /// The channel with this id.
    #[must_use]
    pub fn channel(id: impl Into<String>) -> Self {
        Self { type_id: "channel", name: Name::Id(id.into()) }
    }

    /// The channel with this key.
    #[must_use]
    pub fn channel_by_key(key: impl Into<String>) -> Self {
        Self { type_id: "channel", name: Name::Key(key.into()) }
    }

    /// The state with this id.
    #[must_use]
    pub fn state(id: impl Into<String>) -> Self {
        Self { type_id: "state", name: Name::Id(id.into()) }
    }

    /// The state with this key.
    #[must_use]
    pub fn state_by_key(key: impl Into<String>) -> Self {
        Self { type_id: "state", name: Name::Key(key.into()) }
    }
}

/// Custom fields, by their names.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Custom {
    /// The fields; what they hold depends on the project.
    #[serde(default)]
    pub fields: Map<String, Value>,
}

/// An address. commercetools demands the country alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are commercetools' own, and say what they hold")]
pub struct Address {
    /// ISO 3166-1, two letters.
    pub country: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub salutation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_street_info: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub building: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apartment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_o_box: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_address_info: Option<String>,
}

/// The price of one piece.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Price {
    /// Before any product discount.
    pub value: Money,
    /// After it.
    pub discounted: Option<DiscountedPrice>,
    /// Where it is sold at this price; everywhere where absent. Of prices of products.
    pub country: Option<String>,
    /// From which channel. Of prices of products.
    pub channel: Option<Reference>,
    /// To whom. Of prices of products.
    pub customer_group: Option<Reference>,
    /// From when on, RFC 3339. Of prices of products.
    pub valid_from: Option<String>,
    /// Until when, RFC 3339. Of prices of products.
    pub valid_until: Option<String>,
}

/// A price after a product discount.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DiscountedPrice {
    /// Of one piece.
    pub value: Money,
}

impl Price {
    /// What one piece costs: the discounted price where there is one.
    #[must_use]
    pub fn current(&self) -> &Money {
        self.discounted.as_ref().map_or(&self.value, |discounted| &discounted.value)
    }
}

/// A variant of a product.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Variant {
    /// Number within the product, from 1.
    pub id: i64,
    /// Stock keeping unit.
    pub sku: Option<String>,
    /// User-defined key.
    pub key: Option<String>,
    /// Its prices.
    #[serde(default)]
    pub prices: Vec<Price>,
    /// Its pictures.
    #[serde(default)]
    pub images: Vec<Image>,
    /// Its attributes.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Image {
    /// Where it is.
    pub url: String,
    /// What it shows.
    pub label: Option<String>,
}

/// An attribute of a variant.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// What it holds depends on the product's type.
    pub value: Value,
}

impl Variant {
    /// The value of the attribute of this name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Value> {
        self.attributes.iter().find(|attribute| attribute.name == name).map(|attribute| &attribute.value)
    }
}

/// A rate of tax.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaxRate {
    /// Its name.
    pub name: String,
    /// From 0 to 1.
    pub amount: f64,
    /// Whether prices include it.
    pub included_in_price: bool,
    /// ISO 3166-1, two letters.
    pub country: Option<String>,
}

/// An amount without and with its taxes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaxedPrice {
    /// Without them.
    pub total_net: Money,
    /// With them.
    pub total_gross: Money,
    /// They alone.
    pub total_tax: Option<Money>,
}
