//! The codeless handler: sends the event, or what the route's payload makes of it, to the route's endpoint.

use connector::handler::{Context, Handler, HandlerError};
use connector::route::DEFAULT_HANDLER;

use crate::fetch;

/// Fetches where the route says so, delivers to the route's `endpoint`, and passes its answer on where the route responds.
pub struct Webhook;

impl Handler for Webhook {
    const NAME: &'static str = DEFAULT_HANDLER;

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        let endpoint = context.open_endpoint()?;
        let Some(scope) = fetch::scope(context).await? else { return Ok(()) };
        let body = context.payload(&scope)?;
        let response = context.deliver(endpoint, body).await?;
        context.pass_on(&response).await
    }
}
