//! The whole order, but for its customer, who may have to be looked up.

use commercetools::Order;
use connector::handler::HandlerError;
use serde_json::{Map, Value, json};

use super::amounts::Amount;
use super::rules::{RefFrom, Rules};
use super::{delivery, discounts, items};
use crate::into_fluent::attributes::attribute;
use crate::into_fluent::input::{float, object, text};
use crate::problem::unmappable;

/// The order's reference in Fluent: the same each time.
pub(super) fn reference(order: &Order, rules: &Rules) -> Result<String, HandlerError> {
    let name = match rules.ref_from {
        RefFrom::Id => order.id.as_str(),
        RefFrom::OrderNumber => {
            let number = order.order_number.as_deref().filter(|number| !number.trim().is_empty());
            number.ok_or_else(|| unmappable("orderNumber is missing, and props.refFrom asks for it"))?
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
    let choices = delivery::Choices::of(order, rules, reference)?;
    let (kind, one, several) = if let Some(choices) = &choices {
        (rules.several_type.as_str(), None, Some(choices.inputs()?))
    } else {
        let is_collected = delivery::is_collected(order, rules)?;
        let choice = delivery::choice(order, rules, is_collected, reference)?;
        (rules.types.of(is_collected), Some(choice), None)
    };
    Ok(object([
        ("ref", Some(reference.into())),
        ("type", Some(kind.into())),
        ("retailer", Some(json!({ "id": retailer }))),
        ("items", Some(items::of(order, rules, choices.as_ref())?.into())),
        ("totalPrice", float(Some(amount.total))),
        ("totalTaxPrice", float(amount.tax)),
        ("attributes", Some(attributes(order, rules)?.into())),
        ("fulfilmentChoice", one),
        ("fulfilmentChoices", several),
    ]))
}

/// Those of `props.attributes` that the order has, and what Fluent has no field for.
fn attributes(order: &Order, rules: &Rules) -> Result<Vec<Value>, HandlerError> {
    let named = |name: &String| Some(attribute(name.trim_start_matches("custom."), value(order, name)?));
    let mut attributes: Vec<_> = rules.attributes.iter().filter_map(named).collect();
    let discount = discounts::of_order(order)?;
    attributes.extend(discount.map(|off| attribute("discount", off.to_string())));
    attributes.extend(items::custom_attribute(order, rules));
    attributes.extend(delivery::shipments_attribute(order));
    Ok(attributes)
}

/// A field of the order by its name in `props.attributes`: one of [`super::rules::FIELDS`], or a custom one.
fn value(order: &Order, name: &str) -> Option<Value> {
    match name {
        "id" => Some(order.id.as_str().into()),
        "orderNumber" => text(order.order_number.as_ref()),
        "customerId" => text(order.customer_id.as_ref()),
        "country" => text(order.country.as_ref()),
        "createdAt" => Some(order.created_at.as_str().into()),
        "locale" => text(order.locale.as_ref()),
        "store" => order.store.as_ref().map(|store| store.key.as_str().into()),
        _ => {
            let value = order.custom.as_ref()?.fields.get(name.strip_prefix("custom.")?);
            value.filter(|value| !value.is_null()).cloned()
        }
    }
}
