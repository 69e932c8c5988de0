//! The commercetools order that an order of Fluent's was made from: how it is found, and changed.

use commercetools::{Client, CommercetoolsContext as _, Order, OrderAction};
use connector::document::{Document, DocumentError};
use connector::handler::{Context, HandlerError};
use serde_json::Value;

use super::reading::text;
use crate::order_reference;
use crate::problem::unmappable;

/// Where commercetools' id stands in the reference of an order in Fluent.
pub(crate) struct Naming {
    /// What stands before it; none where references are order numbers.
    prefix: Option<String>,
}

/// The reference of the order that an event is about: its own, or its root entity's.
pub(crate) fn reference(event: &Value) -> Option<String> {
    let is_order = |pointer: &str| event.pointer(pointer).and_then(Value::as_str) == Some("ORDER");
    let own = || is_order("/entityType").then(|| text(event, "/entityRef"))?;
    let roots = || is_order("/rootEntityType").then(|| text(event, "/rootEntityRef"))?;
    own().or_else(roots)
}

impl Naming {
    /// What `props.refPrefix` says: `HD_` unless given, `null` for none.
    pub(crate) fn read(props: &mut Document, context: &Context<'_>) -> Result<Self, DocumentError> {
        let is_none = context.props().get(order_reference::KEY) == Some(&Value::Null);
        let told = order_reference::prefix(props)?;
        let presumed = (!is_none).then(|| order_reference::PREFIX.to_owned());
        Ok(Self { prefix: told.or(presumed) })
    }

    /// Lets `change` say what to do to the order of this reference in Fluent, and does it; again where somebody else was
    /// faster.
    ///
    /// What follows the prefix is the order's id in commercetools. Where there is none of this id, and for a reference
    /// without the prefix, the reference is its order number. An order that is not found was made elsewhere, which a note
    /// says, unless its reference has the prefix: then the order is missing.
    pub(crate) async fn change(
        &self,
        context: &Context<'_>,
        reference: &str,
        change: impl Fn(&Order) -> Result<Vec<OrderAction>, HandlerError> + Send + Sync,
    ) -> Result<(), HandlerError> {
        let shop = context.commercetools_of_account()?;
        let id = self.prefix.as_deref().and_then(|prefix| reference.strip_prefix(prefix));
        if let Some(id) = id.filter(|id| !id.is_empty())
            && changed(&shop, id, &change).await?
        {
            return Ok(());
        }
        if let Some(order) = shop.order_by_number(reference).await?
            && changed(&shop, &order.id, &change).await?
        {
            return Ok(());
        }
        let project = shop.project().key();
        if id.is_some() {
            return Err(unmappable(format!("project {project} has no order of reference {reference}")));
        }
        context.log(&format!("nothing to do: project {project} has no order of number {reference}"));
        Ok(())
    }
}

/// Whether there is such an order.
async fn changed(
    shop: &Client<'_>,
    id: &str,
    change: &(impl Fn(&Order) -> Result<Vec<OrderAction>, HandlerError> + Send + Sync),
) -> Result<bool, HandlerError> {
    let mut problem = None;
    let order = shop.update(id, |order: &Order| {
        change(order).unwrap_or_else(|error| {
            problem = Some(error);
            Vec::new()
        })
    });
    let is_there = order.await?.is_some();
    problem.map_or(Ok(is_there), Err)
}
