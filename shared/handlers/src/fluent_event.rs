//! Sends an event to Fluent without code: what other systems tell becomes a workflow's event.

use connector::handler::{Context, Handler, HandlerError};
use fluent::Event;

use crate::account::{Account, Sync};
use crate::problem::no_payload;
use crate::{fetch, props};

/// Sends the event that the route's payload makes, with the fields of Fluent's Event API, to the account `props.account`
/// or the message's own. With `props.sync: true` it waits for the workflow, and only `COMPLETE` is a success.
pub struct FluentEvent;

impl Handler for FluentEvent {
    const NAME: &'static str = "fluent-event";

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        if context.route.payload.is_none() {
            return Err(no_payload(Self::NAME, "the event"));
        }
        let (account, sync) =
            props::read_open(context, |props| Ok((Account::read(props)?, Sync::read(props)?)))?;
        let Some(scope) = fetch::scope(context).await? else { return Ok(()) };
        let body = context.payload(&scope)?;
        let event = Event::read(&body.bytes).map_err(|error| context.unmade("payload", &error))?;
        sync.send(&account.client(context)?, &event).await
    }
}
