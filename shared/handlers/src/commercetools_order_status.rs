//! Tells commercetools how an order goes on in Fluent (`OrderStatusUpdated` of Fluent's Connect SDK).

use connector::handler::{Context, Handler, HandlerError};

use crate::mapped::{event, fetched, required, text, unmapped};
use crate::order_status::{Plain, Wanted};
use crate::placed_order;

/// Sets the order's states as `props.statuses` says of the event's `entityStatus`: an entry is an order state, or a map of
/// `orderState`, `shipmentState`, `paymentState`, `state` (id of a state of the project's workflow) and `fields` (custom
/// fields). A status that is not in it is nothing to do, as is an order that stands there already.
///
/// The order is that of the event, or its root entity; by `props.refPrefix` (`HD_`) its reference holds the commercetools
/// id, else it is the order number. What the event lacks is asked of Fluent.
pub struct CommercetoolsOrderStatus;

const QUERY: &str = "query ($id: ID!) { orderById(id: $id) { ref status } }";

impl Handler for CommercetoolsOrderStatus {
    const NAME: &'static str = "commercetools-order-status";

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        let event = event(context)?;
        if text(&event, "/entityType").as_deref() != Some("ORDER") {
            return Err(unmapped("the event is not of an ORDER"));
        }
        let told = text(&event, "/entityRef").zip(text(&event, "/entityStatus"));
        let (reference, status) = match told {
            Some(told) => told,
            None => asked(context, &required(&event, "/entityId", "the event")?).await?,
        };
        let Some(wanted) = Wanted::of(context, &status, Plain::OrderState)? else {
            context.log(&format!("nothing to do: props.statuses does not have status {status}"));
            return Ok(());
        };
        placed_order::change(context, &reference, |order| Ok(wanted.actions(order))).await
    }
}

/// Reference and status as Fluent has them.
async fn asked(context: &Context<'_>, id: &str) -> Result<(String, String), HandlerError> {
    let order = fetched(context, QUERY, "orderById", id, None).await?;
    Ok((required(&order, "/ref", "the order")?, required(&order, "/status", "the order")?))
}
