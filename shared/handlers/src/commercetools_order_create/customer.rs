//! Whose order it is. In Fluent a customer's reference is the username, and that is the email, of guests too.

use commercetools::{Address, Order};
use connector::handler::HandlerError;
use serde_json::{Value, json};

use super::rules::Rules;
use crate::commercetools_customer_upsert::username;
use crate::into_fluent::input::{object, text};
use crate::problem::unmappable;

/// The customer's email.
pub(super) fn email(order: &Order) -> Result<String, HandlerError> {
    let of_addresses = addresses(order).map(|address| address.email.as_ref());
    let all = std::iter::once(order.customer_email.as_ref()).chain(of_addresses);
    let mut known = all.flatten().map(|email| email.trim()).filter(|email| !email.is_empty());
    let email = known.next().map(str::to_owned);
    email.ok_or_else(|| unmappable("customerEmail is missing, and addresses hold no email either"))
}

/// A customer that Fluent does not know yet. Fluent demands a first name: the company's, or the email, where there is none.
pub(super) fn new(order: &Order, email: &str, rules: &Rules, retailer: &str) -> Value {
    let first = |of: fn(&Address) -> Option<&String>| addresses(order).find_map(|address| text(of(address)));
    let person = addresses(order).find(|address| text(address.first_name.as_ref()).is_some());
    let last_name = match person {
        Some(person) => text(person.last_name.as_ref()),
        None => first(|address| address.last_name.as_ref()),
    };
    let first_name = person.and_then(|person| text(person.first_name.as_ref()));
    let first_name = first_name.or_else(|| first(|address| address.company.as_ref()));
    let phone = first(|address| address.mobile.as_ref().or(address.phone.as_ref()));
    let customer = object([
        ("username", Some(username(email).into())),
        ("firstName", first_name.or_else(|| Some(email.into()))),
        ("lastName", last_name),
        ("primaryEmail", Some(email.into())),
        ("primaryPhone", phone),
        ("timezone", Some(rules.timezone.as_str().into())),
        ("promotionOptIn", Some(false.into())),
        ("retailer", Some(json!({ "id": retailer }))),
        ("country", addresses(order).next().map(|address| address.country.as_str().into())),
    ]);
    customer.into()
}

/// Where a customer's name stands, the best place first.
fn addresses(order: &Order) -> impl Iterator<Item = &Address> {
    let shipping = order.shipping.iter().map(|shipping| &shipping.shipping_address);
    order.billing_address.iter().chain(&order.shipping_address).chain(shipping)
}
