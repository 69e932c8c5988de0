//! How an order gets to its customer: sent home or collected, at what price.

use commercetools::{Address, Decimal, Order, ShippingInfo};
use connector::handler::HandlerError;
use serde_json::{Map, Value, json};

use super::amounts::Amount;
use super::discounts;
use super::rules::{Rules, Shipments};
use super::ways::{self, Way, Ways};
use crate::into_fluent::address;
use crate::into_fluent::attributes::attribute;
use crate::into_fluent::input::{float, object, text};
use crate::problem::unmappable;

/// The fulfilment choices of an order that goes several ways.
pub(super) struct Choices<'a> {
    order: &'a Order,
    rules: &'a Rules,
    pub(super) ways: Ways<'a>,
    /// What Fluent calls each of the ways, which items refer to.
    pub(super) references: Vec<String>,
}

/// What a fulfilment choice says besides its currency.
struct Choice<'a> {
    is_collected: bool,
    delivery_type: &'a str,
    costs: Option<Amount>,
    location: Option<String>,
    address: Option<Map<String, Value>>,
}

impl<'a> Choices<'a> {
    /// None where all goes one way, or the route does not want several choices.
    pub(super) fn of(
        order: &'a Order,
        rules: &'a Rules,
        reference: &str,
    ) -> Result<Option<Self>, HandlerError> {
        if rules.shipments != Shipments::Choices {
            return Ok(None);
        }
        let Some(ways) = Ways::of(order, rules)? else { return Ok(None) };
        let references = (1..=ways.all.len()).map(|number| format!("{reference}-{number}")).collect();
        Ok(Some(Self { order, rules, ways, references }))
    }

    /// The input's `fulfilmentChoices`.
    pub(super) fn inputs(&self) -> Result<Value, HandlerError> {
        let all = self.ways.all.iter().zip(&self.references);
        all.map(|(way, reference)| self.input(way, reference)).collect()
    }

    fn input(&self, way: &Way<'_>, reference: &str) -> Result<Value, HandlerError> {
        let (order, rules) = (self.order, self.rules);
        let is_collected = self.is_collected(way);
        let choice = Choice {
            is_collected,
            delivery_type: delivery_type(way.info.into_iter(), rules),
            costs: self.costs(way)?,
            location: is_collected.then(|| self.location(way)).transpose()?,
            address: (!is_collected).then(|| address_input(way.address, reference)),
        };
        let mut input = choice.input(order, rules);
        input.insert("ref".to_owned(), reference.into());
        input.insert("type".to_owned(), rules.types.of(is_collected).into());
        Ok(input.into())
    }

    fn is_collected(&self, way: &Way<'_>) -> bool {
        is_told_collected(self.order, self.rules)
            || way.info.is_some_and(|info| is_collecting(info, self.rules))
    }

    /// The location that the order names, where only this way is collected; else the key of the address.
    fn location(&self, way: &Way<'_>) -> Result<String, HandlerError> {
        let is_alone = self.ways.all.iter().filter(|way| self.is_collected(way)).count() == 1;
        let named = custom_text(self.order, &self.rules.collect.location).filter(|_| is_alone);
        let named = named.filter(|text| !text.trim().is_empty());
        named.or_else(|| key(way.address)).ok_or_else(|| no_location(self.rules))
    }

    /// What its shipping costs; nothing where another way by the same shipping tells it.
    fn costs(&self, way: &Way<'_>) -> Result<Option<Amount>, HandlerError> {
        let costs = costs(way.info.into_iter(), self.rules)?;
        let none =
            |tax: Option<_>| Amount { total: Decimal::default(), tax: tax.map(|_| Decimal::default()) };
        Ok(costs.map(|costs| if way.is_first { costs } else { none(costs.tax) }))
    }
}

/// Whether the order is collected. Of several shipments, an order of one fulfilment choice has one way for all.
pub(super) fn is_collected(order: &Order, rules: &Rules) -> Result<bool, HandlerError> {
    if is_told_collected(order, rules) {
        return Ok(true);
    }
    let mut each = discounts::shipping(order).map(|info| is_collecting(info, rules));
    let first = each.next().unwrap_or_default();
    if rules.shipments == Shipments::OneAddress && each.any(|other| other != first) {
        let problem = "shipping[].shippingInfo are in part collected, and an order of one fulfilment choice is or is not: see props.shipments";
        return Err(unmappable(problem));
    }
    Ok(first)
}

/// Whether the order's custom field says that it is collected.
fn is_told_collected(order: &Order, rules: &Rules) -> bool {
    let collect = &rules.collect;
    custom_text(order, &collect.field).is_some_and(|text| collect.values.contains(&text))
}

/// Whether it is a method by which orders are collected.
fn is_collecting(info: &ShippingInfo, rules: &Rules) -> bool {
    rules.collect.methods.iter().any(|method| is_method(info, method))
}

/// The input's `fulfilmentChoice`.
pub(super) fn choice(
    order: &Order,
    rules: &Rules,
    is_collected: bool,
    reference: &str,
) -> Result<Value, HandlerError> {
    let (location, address) = if is_collected {
        (Some(location(order, rules)?), None)
    } else {
        (None, Some(address_input(address(order, rules)?, reference)))
    };
    let delivery_type = delivery_type(discounts::shipping(order), rules);
    let costs = costs(discounts::shipping(order), rules)?;
    Ok(Choice { is_collected, delivery_type, costs, location, address }.input(order, rules).into())
}

impl Choice<'_> {
    fn input(self, order: &Order, rules: &Rules) -> Map<String, Value> {
        object([
            ("currency", Some(order.total_price.currency_code.as_str().into())),
            ("fulfilmentType", Some(rules.fulfilment_types.of(self.is_collected).into())),
            ("deliveryType", Some(self.delivery_type.into())),
            ("fulfilmentPrice", float(self.costs.map(|costs| costs.total))),
            ("fulfilmentTaxPrice", float(self.costs.and_then(|costs| costs.tax))),
            ("pickupLocationRef", self.location.map(Value::from)),
            ("deliveryAddress", self.address.map(Value::from)),
        ])
    }
}

/// Several shipments as the value of one attribute: what each is called in commercetools, and what Fluent has no field for.
pub(super) fn shipments_attribute(order: &Order) -> Option<Value> {
    let told = |shipping: &commercetools::Shipping| {
        let info = &shipping.shipping_info;
        json!({
            "key": shipping.shipping_key, "method": info.shipping_method_name,
            "price": price(info).amount().to_string(), "currency": info.price.currency_code,
            "address": address_input(&shipping.shipping_address, &shipping.shipping_key),
        })
    };
    let several = order.shipping.len() > 1;
    several.then(|| attribute("shipments", order.shipping.iter().map(told).collect::<Vec<_>>()))
}

/// What sending it costs; `None` where commercetools tells no shipping.
fn costs<'i>(
    shipping: impl Iterator<Item = &'i ShippingInfo>,
    rules: &Rules,
) -> Result<Option<Amount>, HandlerError> {
    let field = "shippingInfo";
    let each = |info: &ShippingInfo| Amount::of(field, price(info), info.taxed_price.as_ref(), rules.totals);
    let mut sum: Option<Amount> = None;
    for amount in shipping.map(each) {
        let amount = amount?;
        sum = Some(sum.map_or(Ok(amount), |sum| sum.plus(field, amount))?);
    }
    Ok(sum)
}

/// After discounts.
fn price(info: &ShippingInfo) -> &commercetools::Money {
    info.discounted_price.as_ref().map_or(&info.price, |discounted| &discounted.value)
}

fn delivery_type<'i, 'a>(mut shipping: impl Iterator<Item = &'i ShippingInfo>, rules: &'a Rules) -> &'a str {
    let of = |info: &ShippingInfo| rules.delivery_types.iter().find(|(method, _)| is_method(info, method));
    shipping.find_map(of).map_or(&rules.delivery_type, |(_, delivery_type)| delivery_type)
}

fn is_method(info: &ShippingInfo, method: &str) -> bool {
    info.shipping_method_name == method
        || info.shipping_method.as_ref().is_some_and(|known| known.id == method)
}

/// The location that the order names, else the key of the address that it goes to.
fn location(order: &Order, rules: &Rules) -> Result<String, HandlerError> {
    let collect = &rules.collect;
    if let Some(named) = custom_text(order, &collect.location).filter(|text| !text.trim().is_empty()) {
        return Ok(named);
    }
    let one = one_address(order, rules, key)?.and_then(key);
    one.ok_or_else(|| no_location(rules))
}

/// An address' key, which names a location where somebody collects.
fn key(address: &Address) -> Option<String> {
    address.key.clone().filter(|key| !key.trim().is_empty())
}

fn no_location(rules: &Rules) -> HandlerError {
    let missing = "is missing, and so is the address' key: the order is collected";
    unmappable(format!("custom.fields.{} {missing}", rules.collect.location))
}

/// Where a home delivery goes.
fn address<'a>(order: &'a Order, rules: &Rules) -> Result<&'a Address, HandlerError> {
    let place = |address: &Address| Address { id: None, key: None, ..address.clone() };
    let one = one_address(order, rules, place)?;
    one.ok_or_else(|| unmappable("shippingAddress is missing, and the order is not collected"))
}

/// The address in either shipping mode; of several the first, where they are the same in what matters or may differ.
fn one_address<'a, T: PartialEq>(
    order: &'a Order,
    rules: &Rules,
    matters: impl Fn(&Address) -> T,
) -> Result<Option<&'a Address>, HandlerError> {
    let mut each = ways::addresses(order);
    let Some(first) = each.next() else { return Ok(None) };
    if rules.shipments == Shipments::OneAddress && each.any(|other| matters(other) != matters(first)) {
        let problem = "shipping[].shippingAddress or items' shippingDetails hold several addresses, and an order of one fulfilment choice has one: see props.shipments";
        return Err(unmappable(problem));
    }
    Ok(Some(first))
}

/// The address, under the name that it has in commercetools, else under `reference`.
fn address_input(address: &Address, reference: &str) -> Map<String, Value> {
    let named = text(address.key.as_ref()).or_else(|| text(address.id.as_ref()));
    address::fields(address, named.or_else(|| Some(reference.into())))
}

/// A custom field as text: an enum is its key already.
fn custom_text(order: &Order, name: &str) -> Option<String> {
    match order.custom.as_ref()?.fields.get(name)? {
        Value::String(text) => Some(text.clone()),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
