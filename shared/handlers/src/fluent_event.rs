//! Sends an event to Fluent without code: what other systems tell becomes a workflow's event.

use connector::failure::Code;
use connector::handler::{Context, Handler, HandlerError};
use fluent::Event;
use serde_json::Value;

use crate::prepared;

/// Sends the event that the route's payload makes, with the fields of Fluent's Event API, to the account `props.account`
/// or the message's own. With `props.sync: true` it waits for the workflow, and only `COMPLETE` is a success.
pub struct FluentEvent;

impl Handler for FluentEvent {
    const NAME: &'static str = "fluent-event";

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        if context.route.payload.is_none() {
            return Err(HandlerError::Misconfigured {
                code: Code::Template,
                reason: format!("the route has no payload, and handler {} needs one: the event", Self::NAME),
            });
        }
        let Some(scope) = prepared::scope(context).await? else { return Ok(()) };
        let body = context.payload(&scope)?;
        let event = Event::read(&body.bytes).map_err(|error| context.unmade("payload", &error))?;
        let client = prepared::account(context)?;
        if context.props().get("sync") != Some(&Value::Bool(true)) {
            return client.event(&event).await.map(drop);
        }
        let answer = client.event_sync(&event).await?;
        match answer.status.as_deref() {
            None | Some("COMPLETE") => Ok(()),
            Some(status) => Err(HandlerError::Misconfigured {
                code: Code::Answer,
                reason: format!("Fluent took the event, and its workflow ended as {status}"),
            }),
        }
    }
}
