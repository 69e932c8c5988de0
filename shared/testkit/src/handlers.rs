//! Handlers that misbehave on purpose.

use connector::handler::{Context, Handler, HandlerError};

/// Panics on every message.
pub struct Panics;

impl Handler for Panics {
    const NAME: &'static str = "panics";

    async fn handle(_context: &Context<'_>) -> Result<(), HandlerError> {
        panic!("this handler panics on purpose")
    }
}
