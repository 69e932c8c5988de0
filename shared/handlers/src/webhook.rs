//! The codeless handler: POSTs the event as it came to the route's endpoint.

use connector::failure::Code;
use connector::handler::{Context, Handler, HandlerError};
use connector::route::DEFAULT_HANDLER;

/// Delivers the whole event as JSON, byte for byte, to the route's `endpoint`.
pub struct Webhook;

impl Handler for Webhook {
    const NAME: &'static str = DEFAULT_HANDLER;

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        let endpoint = context.route.endpoint.as_deref().ok_or_else(|| HandlerError::Misconfigured {
            code: Code::Endpoint,
            reason: "the route names no endpoint, and handler webhook needs one".to_owned(),
        })?;
        context.deliver(endpoint, context.message.payload.get().as_bytes().to_vec()).await?;
        Ok(())
    }
}
