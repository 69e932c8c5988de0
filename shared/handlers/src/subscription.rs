//! Serves subscriptions: sends what they make of an event to their receiver.

use connector::handler::{Context, Handler, HandlerError};
use connector::subscription::SUBSCRIPTION_HANDLER;

/// Delivers to the subscription's own receiver; its answer goes nowhere.
pub struct Subscription;

impl Handler for Subscription {
    const NAME: &'static str = SUBSCRIPTION_HANDLER;

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        let endpoint = context.open_endpoint()?;
        context.deliver(endpoint, context.emission()?).await.map(drop)
    }
}
