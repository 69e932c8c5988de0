//! How an order gets to its customer: sent home or collected, at what price.

use commercetools::{Address, Order, ShippingInfo};
use connector::handler::HandlerError;
use serde_json::{Map, Value, json};

use super::amounts::Amount;
use super::discounts;
use super::rules::{Rules, Shipments};
use crate::into_fluent::address;
use crate::into_fluent::attributes::attribute;
use crate::into_fluent::input::{float, object, text};
use crate::problem::unmappable;

/// Whether the order is collected. Of several shipments, Fluent's order has one way for all.
pub(super) fn is_collected(order: &Order, rules: &Rules) -> Result<bool, HandlerError> {
    let collect = &rules.collect;
    if custom_text(order, &collect.field).is_some_and(|text| collect.values.contains(&text)) {
        return Ok(true);
    }
    let mut each =
        discounts::shipping(order).map(|info| collect.methods.iter().any(|method| is_method(info, method)));
    let first = each.next().unwrap_or_default();
    if rules.shipments == Shipments::OneAddress && each.any(|other| other != first) {
        let problem = "shipping[].shippingInfo are in part collected, and an order in Fluent is or is not: see props.shipments";
        return Err(unmappable(problem));
    }
    Ok(first)
}

/// The input's `fulfilmentChoice`.
pub(super) fn choice(
    order: &Order,
    rules: &Rules,
    is_collected: bool,
    reference: &str,
) -> Result<Value, HandlerError> {
    let costs = costs(order, rules)?;
    let (location, address) = if is_collected {
        (Some(location(order, rules)?.into()), None)
    } else {
        (None, Some(address_input(address(order, rules)?, reference).into()))
    };
    let choice = object([
        ("currency", Some(order.total_price.currency_code.as_str().into())),
        ("fulfilmentType", Some(rules.fulfilment_types.of(is_collected).into())),
        ("deliveryType", Some(delivery_type(order, rules).into())),
        ("fulfilmentPrice", float(costs.map(|costs| costs.total))),
        ("fulfilmentTaxPrice", float(costs.and_then(|costs| costs.tax))),
        ("pickupLocationRef", location),
        ("deliveryAddress", address),
    ]);
    Ok(choice.into())
}

/// Several shipments as the value of one attribute, as Fluent has one price and one address for all of them.
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
fn costs(order: &Order, rules: &Rules) -> Result<Option<Amount>, HandlerError> {
    let field = "shippingInfo";
    let each = |info: &ShippingInfo| Amount::of(field, price(info), info.taxed_price.as_ref(), rules.totals);
    let mut sum: Option<Amount> = None;
    for amount in discounts::shipping(order).map(each) {
        let amount = amount?;
        sum = Some(sum.map_or(Ok(amount), |sum| sum.plus(field, amount))?);
    }
    Ok(sum)
}

/// After discounts.
fn price(info: &ShippingInfo) -> &commercetools::Money {
    info.discounted_price.as_ref().map_or(&info.price, |discounted| &discounted.value)
}

fn delivery_type<'a>(order: &Order, rules: &'a Rules) -> &'a str {
    let of = |info: &ShippingInfo| rules.delivery_types.iter().find(|(method, _)| is_method(info, method));
    discounts::shipping(order).find_map(of).map_or(&rules.delivery_type, |(_, delivery_type)| delivery_type)
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
    let key = |address: &Address| address.key.clone().filter(|key| !key.trim().is_empty());
    let one = one_address(order, rules, key)?.and_then(key);
    one.ok_or_else(|| {
        let field = &collect.location;
        let missing = "is missing, and so is the address' key: the order is collected";
        unmappable(format!("custom.fields.{field} {missing}"))
    })
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
    let mut each = order.shipping.iter().map(|shipping| &shipping.shipping_address);
    let Some(first) = each.next() else { return Ok(order.shipping_address.as_ref()) };
    if rules.shipments == Shipments::OneAddress && each.any(|other| matters(other) != matters(first)) {
        let problem = "shipping[].shippingAddress hold several addresses, and an order in Fluent has one: see props.shipments";
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
