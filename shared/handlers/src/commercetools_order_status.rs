//! Tells commercetools how an order goes on in Fluent (`OrderStatusUpdated` of Fluent's Connect SDK).

use connector::handler::{Context, Handler, HandlerError};

use crate::into_commercetools::entity::{self, Asking};
use crate::into_commercetools::reading::{required, text};
use crate::into_commercetools::statuses::{KEYS, Plain, Settings};
use crate::props;

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
        let settings =
            props::read(context, &KEYS, |props| Settings::read(props, context, Plain::OrderState))?;
        let event = entity::event_of(context, "ORDER")?;
        let told = text(&event, "/entityRef").zip(text(&event, "/entityStatus"));
        let (reference, status) = match told {
            Some(told) => told,
            None => asked(context, &settings.asking, &entity::id(&event)?).await?,
        };
        let Some(wanted) = settings.wanted(context, &status) else { return Ok(()) };
        settings.naming.change(context, &reference, |order| Ok(wanted.actions(order))).await
    }
}

/// Reference and status as Fluent has them.
async fn asked(context: &Context<'_>, asking: &Asking, id: &str) -> Result<(String, String), HandlerError> {
    let order = asking.fetched(context, QUERY, "orderById", id, None).await?;
    Ok((required(&order, "/ref", "the order")?, required(&order, "/status", "the order")?))
}
