//! What a route's `props` say of the mapping, and what holds where they say nothing.

use connector::document::{Document, DocumentError};
use connector::handler::{Context, HandlerError};
use serde_json::Value;

use crate::commercetools_customer_upsert::DEFAULT_TIMEZONE;
use crate::into_fluent::catalogue::{MASTER, default_reference};
use crate::order_reference;
use crate::props::{self, text_or, texts_or};

/// Every key of `props`.
const KEYS: [&str; 14] = [
    order_reference::KEY,
    "refFrom",
    "productCatalogueRef",
    "totals",
    "customItems",
    "shipments",
    "collect",
    "types",
    SEVERAL,
    "fulfilmentTypes",
    "deliveryType",
    "deliveryTypes",
    "attributes",
    "timezone",
];
/// Fields of an order that become attributes, besides custom ones.
pub(super) const FIELDS: [&str; 7] =
    ["id", "orderNumber", "customerId", "country", "createdAt", "locale", "store"];
const COLLECT_KEYS: [&str; 4] = ["shippingMethods", "field", "values", "locationField"];
const WAYS: [&str; 2] = ["delivery", "collect"];
/// The type of orders that go several ways, as Fluent's own example has it ("Create multi order payload example").
const SEVERAL: &str = "severalType";
const DEFAULT_SEVERAL: &str = "MULTI";

/// How an order is mapped.
pub(super) struct Rules {
    /// Before the order's reference.
    pub(super) ref_prefix: String,
    /// What the reference is made of.
    pub(super) ref_from: RefFrom,
    /// Where Fluent finds the products.
    pub(super) catalogue: String,
    /// What totals hold of taxes.
    pub(super) totals: Totals,
    /// What becomes of custom line items.
    pub(super) custom_items: CustomItems,
    /// What becomes of several shipments.
    pub(super) shipments: Shipments,
    /// Which orders are collected, and where.
    pub(super) collect: Collect,
    /// The order's type.
    pub(super) types: ByWay,
    /// The type of an order of several fulfilment choices.
    pub(super) several_type: String,
    /// The type of its fulfilments.
    pub(super) fulfilment_types: ByWay,
    /// Of shipping methods that `delivery_types` does not name.
    pub(super) delivery_type: String,
    /// By the name or id of a shipping method.
    pub(super) delivery_types: Vec<(String, String)>,
    /// Fields that become attributes.
    pub(super) attributes: Vec<String>,
    /// Of new customers.
    pub(super) timezone: String,
}

/// What an order's reference is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RefFrom {
    Id,
    OrderNumber,
}

/// What totals hold of taxes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Totals {
    /// Them, where prices include them.
    Priced,
    Net,
    Gross,
}

/// What becomes of custom line items.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CustomItems {
    /// One attribute of the order.
    Attribute,
    /// Items like the others.
    Items,
}

/// What becomes of orders that go several ways.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shipments {
    /// One to several addresses, or collected in part, is not mapped.
    OneAddress,
    /// Each way is a fulfilment choice of its own.
    Choices,
    /// All goes to the first one.
    First,
}

/// Which orders are collected, and where.
pub(super) struct Collect {
    /// Names or ids of shipping methods.
    pub(super) methods: Vec<String>,
    /// The custom field of the order that tells it.
    pub(super) field: String,
    /// What it then holds.
    pub(super) values: Vec<String>,
    /// The custom field of the order that names the location.
    pub(super) location: String,
}

/// A text for orders that are delivered, and one for those that are collected.
pub(super) struct ByWay {
    delivery: String,
    collect: String,
}

impl Rules {
    /// What the route says.
    pub(super) fn of(context: &Context<'_>, retailer: &str) -> Result<Self, HandlerError> {
        props::read(context, &KEYS, |props| Self::read(props, retailer))
    }

    fn read(props: &mut Document, retailer: &str) -> Result<Self, DocumentError> {
        let ref_from = [("id", RefFrom::Id), ("orderNumber", RefFrom::OrderNumber)];
        let totals = [("priced", Totals::Priced), ("net", Totals::Net), ("gross", Totals::Gross)];
        let custom = [("attribute", CustomItems::Attribute), ("items", CustomItems::Items)];
        let shipments = [
            ("one-address", Shipments::OneAddress),
            ("choices", Shipments::Choices),
            ("first", Shipments::First),
        ];
        let (prefix, catalogue) = (order_reference::prefix(props)?, props.text("productCatalogueRef")?);
        Ok(Self {
            ref_prefix: prefix.unwrap_or_else(|| order_reference::PREFIX.to_owned()),
            ref_from: props.word("refFrom", &ref_from)?.unwrap_or(RefFrom::Id),
            catalogue: catalogue.unwrap_or_else(|| default_reference(MASTER, retailer)),
            totals: props.word("totals", &totals)?.unwrap_or(Totals::Priced),
            custom_items: props.word("customItems", &custom)?.unwrap_or(CustomItems::Attribute),
            shipments: props.word("shipments", &shipments)?.unwrap_or(Shipments::OneAddress),
            collect: Collect::read(props)?,
            several_type: text_or(props, SEVERAL, DEFAULT_SEVERAL)?,
            types: ByWay::read(props, "types", "HD", "CC")?,
            fulfilment_types: ByWay::read(props, "fulfilmentTypes", "HD_PFS", "CC_PFS")?,
            delivery_type: text_or(props, "deliveryType", "STANDARD")?,
            delivery_types: props.text_by_name("deliveryTypes")?,
            attributes: attributes(props)?,
            timezone: text_or(props, "timezone", DEFAULT_TIMEZONE)?,
        })
    }
}

impl Collect {
    fn read(props: &mut Document) -> Result<Self, DocumentError> {
        let section = props.section("collect", &COLLECT_KEYS)?;
        let mut section = section
            .map_or_else(|| Document::of_value(Value::Object(serde_json::Map::new()), &COLLECT_KEYS), Ok)?;
        Ok(Self {
            methods: texts_or(&mut section, "shippingMethods", &["Click & Collect", "Click and Collect"])?,
            field: text_or(&mut section, "field", "fulfilmentType")?,
            values: texts_or(&mut section, "values", &["CC"])?,
            location: text_or(&mut section, "locationField", "pickupLocationRef")?,
        })
    }
}

impl ByWay {
    fn read(props: &mut Document, key: &str, delivery: &str, collect: &str) -> Result<Self, DocumentError> {
        let (mut of_delivery, mut of_collect) = (delivery.to_owned(), collect.to_owned());
        if let Some(mut section) = props.section(key, &WAYS)? {
            of_delivery = text_or(&mut section, "delivery", delivery)?;
            of_collect = text_or(&mut section, "collect", collect)?;
        }
        Ok(Self { delivery: of_delivery, collect: of_collect })
    }

    /// The one for an order that is collected, or is not.
    pub(super) fn of(&self, is_collected: bool) -> &str {
        if is_collected { &self.collect } else { &self.delivery }
    }
}

fn attributes(props: &mut Document) -> Result<Vec<String>, DocumentError> {
    let names = texts_or(props, "attributes", &["orderNumber", "locale", "store"])?;
    let is_known = |name: &str| FIELDS.contains(&name) || name.starts_with("custom.");
    match names.iter().find(|name| !is_known(name)) {
        None => Ok(names),
        Some(unknown) => {
            let known = FIELDS.join(", ");
            let problem =
                format!("names no field of an order: {unknown:?}; there are {known} and custom.<field>");
            Err(props.unusable("attributes", problem))
        }
    }
}
