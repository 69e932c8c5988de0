//! Runs a GraphQL mutation in Fluent without code.

use connector::handler::{Context, Handler, HandlerError};
use serde_json::json;

use crate::account::Account;
use crate::{fetch, props};

/// Runs `props.query` with the variables that the route's payload makes (a JSON object; none without a payload), in the
/// account `props.account` or the message's own.
pub struct FluentGraphql;

impl Handler for FluentGraphql {
    const NAME: &'static str = "fluent-graphql";

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        let (account, query) =
            props::read_open(context, |props| Ok((Account::read(props)?, props.required_text("query")?)))?;
        let Some(scope) = fetch::scope(context).await? else { return Ok(()) };
        let variables = match &context.route.payload {
            None => json!({}),
            Some(_) => serde_json::from_slice(&context.payload(&scope)?.bytes)
                .map_err(|error| context.unmade("payload", &error))?,
        };
        account.client(context)?.graphql(&query, &variables).await.map(drop)
    }
}
