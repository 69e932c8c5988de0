//! An order that Fluent is to have once: looked for by its reference, and created with its customer where there is none.

use connector::handler::HandlerError;
use fluent::Client;
use serde_json::{Map, Value, json};

use crate::problem::unmappable;

const ORDER: &str = "query ($ref: String!) { order(ref: $ref) { id retailer { id } } }";
const CUSTOMER: &str = "query ($ref: String!) { customer(ref: $ref) { id } }";
const CREATE_ORDER: &str = "mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }";
const CREATE_BOTH: &str =
    "mutation ($input: CreateOrderAndCustomerInput!) { createOrderAndCustomer(input: $input) { id } }";

/// Whether Fluent has the order. References are unique there, so that another retailer's one stands in the way.
pub(crate) async fn is_there(
    fluent: &Client<'_>,
    reference: &str,
    retailer: &str,
) -> Result<bool, HandlerError> {
    let found = fluent.graphql(ORDER, &json!({ "ref": reference })).await?;
    let Some(order) = found.get("order").filter(|order| !order.is_null()) else { return Ok(false) };
    match order.pointer("/retailer/id").map(text_of) {
        Some(other) if other != retailer => {
            let problem = format!(
                "ref {reference} is an order of retailer {other} in Fluent: give the route another props.refPrefix"
            );
            Err(unmappable(problem))
        }
        _ => Ok(true),
    }
}

/// Creates it for the customer of this username, or for this new one where there is none.
pub(crate) async fn create(
    fluent: &Client<'_>,
    mut input: Map<String, Value>,
    username: &str,
    new_customer: Value,
) -> Result<(), HandlerError> {
    let found = fluent.graphql(CUSTOMER, &json!({ "ref": username })).await?;
    let known = found.pointer("/customer/id").filter(|id| !id.is_null());
    let mutation = if known.is_some() { CREATE_ORDER } else { CREATE_BOTH };
    let customer = known.map_or(new_customer, |id| json!({ "id": text_of(id) }));
    input.insert("customer".to_owned(), customer);
    fluent.graphql(mutation, &json!({ "input": input })).await.map(drop)
}

/// An id, which is a text or a number.
pub(crate) fn text_of(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}
