//! Says that silence is meant.

use connector::handler::{Context, Handler, HandlerError};

/// Does nothing: a route to it keeps messages that nobody needs from being held as unrouted.
pub struct Ignore;

impl Handler for Ignore {
    const NAME: &'static str = "ignore";

    async fn handle(_context: &Context<'_>) -> Result<(), HandlerError> {
        Ok(())
    }
}
