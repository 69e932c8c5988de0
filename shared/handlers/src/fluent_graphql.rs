//! Runs a GraphQL mutation in Fluent without code.

use connector::failure::Code;
use connector::handler::{Context, Handler, HandlerError};
use serde_json::{Value, json};

use crate::prepared;

/// Runs `props.query` with the variables that the route's payload makes (a JSON object; none without a payload), in the
/// account `props.account` or the message's own.
pub struct FluentGraphql;

impl Handler for FluentGraphql {
    const NAME: &'static str = "fluent-graphql";

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        let Some(Value::String(query)) = context.props().get("query") else {
            return Err(HandlerError::Misconfigured {
                code: Code::Graphql,
                reason: format!("props.query is missing or no text, and handler {} needs it", Self::NAME),
            });
        };
        let Some(scope) = prepared::scope(context).await? else { return Ok(()) };
        let variables = match &context.route.payload {
            None => json!({}),
            Some(_) => serde_json::from_slice(&context.payload(&scope)?.bytes)
                .map_err(|error| context.unmade("payload", &error))?,
        };
        prepared::account(context)?.graphql(query, &variables).await.map(drop)
    }
}
