//! Brings an order of commercetools to Fluent: once, whole, and with its amounts to the last digit.

mod amounts;
mod customer;
mod delivery;
mod discounts;
mod items;
mod mapping;
mod rules;
mod ways;

use commercetools::CommercetoolsContext as _;
use connector::handler::{Context, Handler, HandlerError};
use fluent::FluentContext as _;

use self::rules::Rules;
use crate::commercetools_customer_upsert::username;
use crate::into_fluent::{new_order, notification};

/// Creates in Fluent the order that a message of commercetools is about, as it now is there, and its customer where Fluent
/// knows none of that email. An order that Fluent has already is left alone, so that a message may come again.
pub struct CommercetoolsOrderCreate;

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
        if new_order::is_there(&fluent, &reference, retailer).await? {
            context.log(&format!("nothing is created: Fluent has order {reference} already"));
            return Ok(());
        }
        let input = mapping::input(&order, &rules, &reference, retailer)?;
        let email = customer::email(&order)?;
        let new_customer = customer::new(&order, &email, &rules, retailer);
        new_order::create(&fluent, input, &username(&email), new_customer).await
    }
}
