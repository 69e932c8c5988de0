//! Tells commercetools how a fulfilment of an order goes on in Fluent (`FulfilmentStatusUpdate` of Fluent's Connect SDK).

use connector::handler::{Context, Handler, HandlerError};

use crate::mapped::{event, fetched, required, text, unmapped};
use crate::order_status::{Plain, Wanted};
use crate::placed_order;

/// Sets the order's shipment state as `props.statuses` says of the fulfilment's `entityStatus`: an entry is a shipment
/// state, or a map as that of `commercetools-order-status`, so that a custom field can be set instead. A status that is
/// not in it is nothing to do, as is an order that stands there already.
///
/// commercetools has one shipment state for an order: of several fulfilments the last event's stands.
pub struct CommercetoolsFulfilmentStatus;

const QUERY: &str = "query ($id: ID!) { fulfilmentById(id: $id) { ref status order { ref } } }";

impl Handler for CommercetoolsFulfilmentStatus {
    const NAME: &'static str = "commercetools-fulfilment-status";

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        let event = event(context)?;
        if text(&event, "/entityType").as_deref() != Some("FULFILMENT") {
            return Err(unmapped("the event is not of a FULFILMENT"));
        }
        let told = placed_order::reference(&event).zip(text(&event, "/entityStatus"));
        let (reference, status) = match told {
            Some(told) => told,
            None => asked(context, &required(&event, "/entityId", "the event")?).await?,
        };
        let Some(wanted) = Wanted::of(context, &status, Plain::ShipmentState)? else {
            context.log(&format!("nothing to do: props.statuses does not have status {status}"));
            return Ok(());
        };
        placed_order::change(context, &reference, |order| Ok(wanted.actions(order))).await
    }
}

/// Reference of the order and status of the fulfilment, as Fluent has them.
async fn asked(context: &Context<'_>, id: &str) -> Result<(String, String), HandlerError> {
    let (found, what) = (fetched(context, QUERY, "fulfilmentById", id, None).await?, "the fulfilment");
    Ok((required(&found, "/order/ref", what)?, required(&found, "/status", what)?))
}
