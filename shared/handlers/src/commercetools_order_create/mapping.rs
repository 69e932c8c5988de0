//! The whole order, but for its customer, who may have to be looked up.

use commercetools::Order;
use connector::handler::HandlerError;
use serde_json::{Map, Value, json};

use super::amounts::Amount;
use super::json::{attribute, float, object, text};
use super::rules::{RefFrom, Rules};
use super::{delivery, discounts, items, unmappable};

/// The order's reference in Fluent: the same each time.
pub(super) fn reference(order: &Order, rules: &Rules) -> Result<String, HandlerError> {
    let name = match rules.ref_from {
        RefFrom::Id => order.id.as_str(),
        RefFrom::OrderNumber => {
            let number = order.order_number.as_deref().filter(|number| !number.trim().is_empty());
            number.ok_or_else(|| unmappable("orderNumber", "is missing, and props.refFrom asks for it"))?
        }
    };
    Ok(format!("{}{name}", rules.ref_prefix))
}

/// The input of `createOrder` without its customer.
pub(super) fn input(
    order: &Order,
    rules: &Rules,
    reference: &str,
    retailer: &str,
) -> Result<Map<String, Value>, HandlerError> {
    let amount = Amount::of("order", &order.total_price, order.taxed_price.as_ref(), rules.totals)?;
    let is_collected = delivery::is_collected(order, rules)?;
    Ok(object([
        ("ref", Some(reference.into())),
        ("type", Some(rules.types.of(is_collected).into())),
        ("retailer", Some(json!({ "id": retailer }))),
        ("items", Some(items::of(order, rules)?.into())),
        ("totalPrice", float(Some(amount.total))),
        ("totalTaxPrice", float(amount.tax)),
        ("attributes", Some(attributes(order, rules)?.into())),
        ("fulfilmentChoice", Some(delivery::choice(order, rules, is_collected, reference)?)),
    ]))
}

/// Those of `props.attributes` that the order has, and what Fluent has no field for.
fn attributes(order: &Order, rules: &Rules) -> Result<Vec<Value>, HandlerError> {
    let named = |name: &String| match value(order, name) {
        Err(error) => Some(Err(error)),
        Ok(value) => value.map(|value| Ok(attribute(name.trim_start_matches("custom."), &value))),
    };
    let mut attributes = rules.attributes.iter().filter_map(named).collect::<Result<Vec<_>, _>>()?;
    let discount = discounts::of_order(order)?;
    attributes.extend(discount.map(|off| attribute("discount", &off.to_string().into())));
    attributes.extend(items::custom_attribute(order, rules));
    attributes.extend(delivery::shipments_attribute(order));
    Ok(attributes)
}

/// A field of the order by its name in `props.attributes`.
fn value(order: &Order, name: &str) -> Result<Option<Value>, HandlerError> {
    Ok(match name {
        "id" => Some(order.id.as_str().into()),
        "orderNumber" => text(order.order_number.as_ref()),
        "customerId" => text(order.customer_id.as_ref()),
        "country" => text(order.country.as_ref()),
        "createdAt" => Some(order.created_at.as_str().into()),
        "locale" => text(order.locale.as_ref()),
        "store" => order.store.as_ref().map(|store| store.key.as_str().into()),
        name => match name.strip_prefix("custom.") {
            Some(field) => {
                let value = order.custom.as_ref().and_then(|custom| custom.fields.get(field));
                value.filter(|value| !value.is_null()).cloned()
            }
            None => {
                return Err(unmappable("props.attributes", &format!("names no field of an order: {name}")));
            }
        },
    })
}
