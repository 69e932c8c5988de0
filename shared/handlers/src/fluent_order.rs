//! Creates an order in Fluent without code: what another shop sold becomes an order, once.

use connector::failure::Code;
use connector::handler::{Context, Handler, HandlerError};
use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::into_fluent::new_order::{self, text_of};
use crate::problem::no_payload;
use crate::{fetch, props};

/// Creates the order that the route's payload makes, which is the input of `createOrderAndCustomer`, in the account
/// `props.account` or the message's own. An order that Fluent has already is left alone, and a customer whose username it
/// knows is taken as it is there. What the payload leaves out or has as null is the account's retailer, and that retailer's
/// master catalogue.
pub struct FluentOrder;

impl Handler for FluentOrder {
    const NAME: &'static str = "fluent-order";

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        if context.route.payload.is_none() {
            return Err(no_payload(Self::NAME, "the order"));
        }
        let account = props::read_open(context, Account::read)?;
        let fluent = account.client(context)?;
        let Some(scope) = fetch::scope(context).await? else { return Ok(()) };
        let body = context.payload(&scope)?;
        let order: Value =
            serde_json::from_slice(&body.bytes).map_err(|error| context.unmade("payload", &error))?;
        let order = Order::read(order, fluent.retailer())?;
        if new_order::is_there(&fluent, &order.reference, &order.retailer).await? {
            context.log(&format!("nothing is created: Fluent has order {} already", order.reference));
            return Ok(());
        }
        new_order::create(&fluent, order.input, &order.username, order.customer).await
    }
}

/// What a payload says.
struct Order {
    reference: String,
    retailer: String,
    username: String,
    customer: Value,
    /// Without its customer.
    input: Map<String, Value>,
}

impl Order {
    /// Reads it, and fills in what the account says.
    fn read(payload: Value, of_account: &str) -> Result<Self, HandlerError> {
        let Value::Object(mut input) = without_nulls(payload) else {
            return Err(unusable("it is no mapping"));
        };
        let reference = text(&Value::Object(input.clone()), "/ref")?;
        let retailer = input.entry("retailer").or_insert_with(|| json!({ "id": of_account }));
        let retailer = text(retailer, "/id")?;
        let mut customer = input.remove("customer").ok_or_else(|| unusable("\"customer\" is missing"))?;
        let username = text(&customer, "/username")?;
        if let Some(fields) = customer.as_object_mut() {
            fields.entry("retailer").or_insert_with(|| json!({ "id": retailer }));
        }
        let items = input.get_mut("items").and_then(Value::as_array_mut).filter(|items| !items.is_empty());
        for item in items.ok_or_else(|| unusable("\"items\" holds nothing"))? {
            let item = item.as_object_mut().ok_or_else(|| unusable("an item is no mapping"))?;
            item.entry("productCatalogueRef").or_insert_with(|| format!("PC:MASTER:{retailer}").into());
        }
        Ok(Self { reference, retailer, username, customer, input })
    }
}

/// A text or a number that there has to be.
fn text(value: &Value, pointer: &str) -> Result<String, HandlerError> {
    let found = value.pointer(pointer).filter(|found| found.is_string() || found.is_number());
    let found = found.map(text_of).filter(|text| !text.trim().is_empty());
    found.ok_or_else(|| unusable(&format!("{:?} is missing", pointer.trim_start_matches('/'))))
}

/// What is null is left out: an input of Fluent tells the two apart.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let there = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(there.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        value => value,
    }
}

fn unusable(problem: &str) -> HandlerError {
    HandlerError::Misconfigured {
        code: Code::Template,
        reason: format!("the payload is no order: {problem}"),
    }
}
