//! Brings an order of commercetools to Fluent: once, whole, and with its amounts to the last digit.

mod amounts;
mod customer;
mod delivery;
mod discounts;
mod items;
mod mapping;
mod rules;
mod ways;

use commercetools::{CommercetoolsContext as _, Order};
use connector::handler::{Context, Handler, HandlerError};
use fluent::{Client, FluentContext as _};
use serde_json::{Map, Value, json};

use self::rules::Rules;
use crate::commercetools_customer_upsert::username;
use crate::into_fluent::notification;
use crate::problem::unmappable;

/// Creates in Fluent the order that a message of commercetools is about, as it now is there, and its customer where Fluent
/// knows none of that email. An order that Fluent has already is left alone, so that a message may come again.
pub struct CommercetoolsOrderCreate;

const ORDER: &str = "query ($ref: String!) { order(ref: $ref) { id retailer { id } } }";
const CUSTOMER: &str = "query ($ref: String!) { customer(ref: $ref) { id } }";
const CREATE_ORDER: &str = "mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }";
const CREATE_BOTH: &str =
    "mutation ($input: CreateOrderAndCustomerInput!) { createOrderAndCustomer(input: $input) { id } }";

impl Handler for CommercetoolsOrderCreate {
    const NAME: &'static str = "commercetools-order-create";

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        let source = context.commercetools_of_sender()?;
        let retailer = source.project().retailer();
        let rules = Rules::of(context, retailer)?;
        let id = notification::resource_id(context, "order")?;
        let Some(order) = source.order(&id).await? else {
            context.log(&format!("nothing is created: commercetools no longer has order {id}"));
            return Ok(());
        };
        let (fluent, reference) = (context.fluent()?, mapping::reference(&order, &rules)?);
        if is_there(&fluent, &reference, retailer).await? {
            context.log(&format!("nothing is created: Fluent has order {reference} already"));
            return Ok(());
        }
        let input = mapping::input(&order, &rules, &reference, retailer)?;
        create(&fluent, input, &order, &rules, retailer).await
    }
}

/// Whether Fluent has the order. References are unique there, so that another retailer's one stands in the way.
async fn is_there(fluent: &Client<'_>, reference: &str, retailer: &str) -> Result<bool, HandlerError> {
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

async fn create(
    fluent: &Client<'_>,
    mut input: Map<String, Value>,
    order: &Order,
    rules: &Rules,
    retailer: &str,
) -> Result<(), HandlerError> {
    let email = customer::email(order)?;
    let found = fluent.graphql(CUSTOMER, &json!({ "ref": username(&email) })).await?;
    let known = found.pointer("/customer/id").filter(|id| !id.is_null());
    let customer = known
        .map_or_else(|| customer::new(order, &email, rules, retailer), |id| json!({ "id": text_of(id) }));
    let mutation = if known.is_some() { CREATE_ORDER } else { CREATE_BOTH };
    input.insert("customer".to_owned(), customer);
    fluent.graphql(mutation, &json!({ "input": input })).await.map(drop)
}

/// An id, which is a text or a number.
fn text_of(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}
