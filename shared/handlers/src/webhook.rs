//! The codeless handler: sends the event, or what the route's payload makes of it, to the route's endpoint.

use connector::handler::{Context, Handler, HandlerError};
use connector::route::DEFAULT_HANDLER;

/// Delivers to the route's `endpoint`, and passes its answer on where the route responds.
pub struct Webhook;

impl Handler for Webhook {
    const NAME: &'static str = DEFAULT_HANDLER;

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        let body = context.payload(&context.scope())?;
        let response = context.deliver(context.endpoint()?, body).await?;
        context.pass_on(&response).await
    }
}
