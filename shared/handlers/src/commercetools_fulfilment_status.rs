//! Tells commercetools how a fulfilment of an order goes on in Fluent (`FulfilmentStatusUpdate` of Fluent's Connect SDK).

use connector::handler::{Context, Handler, HandlerError};

use crate::into_commercetools::entity::{self, Asking};
use crate::into_commercetools::placed_order;
use crate::into_commercetools::reading::{required, text};
use crate::into_commercetools::statuses::{KEYS, Plain, Settings};
use crate::props;

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
        let settings =
            props::read(context, &KEYS, |props| Settings::read(props, context, Plain::ShipmentState))?;
        let event = entity::event_of(context, "FULFILMENT")?;
        let told = placed_order::reference(&event).zip(text(&event, "/entityStatus"));
        let (reference, status) = match told {
            Some(told) => told,
            None => asked(context, &settings.asking, &entity::id(&event)?).await?,
        };
        let Some(wanted) = settings.wanted(context, &status) else { return Ok(()) };
        settings.naming.change(context, &reference, |order| Ok(wanted.actions(order))).await
    }
}

/// Reference of the order and status of the fulfilment, as Fluent has them.
async fn asked(context: &Context<'_>, asking: &Asking, id: &str) -> Result<(String, String), HandlerError> {
    let (found, what) = (asking.fetched(context, QUERY, "fulfilmentById", id, None).await?, "the fulfilment");
    Ok((required(&found, "/order/ref", what)?, required(&found, "/status", what)?))
}
