//! What the templates of a route without code see: the message, and what its `fetch` finds in Fluent.

use connector::handler::{Context, HandlerError};
use connector::template::Scope;
use serde_json::value::RawValue;

use crate::account::Account;

/// The message, and `data` where the route fetches; none where `fetch.when` does not hold of it.
pub(crate) async fn scope(context: &Context<'_>) -> Result<Option<Scope>, HandlerError> {
    let scope = context.scope();
    let Some(fetch) = &context.route.fetch else { return Ok(Some(scope)) };
    let variables =
        fetch.variables.render(&scope).map_err(|error| context.unmade("fetch.variables", &error))?;
    let variables =
        RawValue::from_string(variables).map_err(|error| context.unmade("fetch.variables", &error))?;
    let fluent = Account::of_route(context)?.client(context)?;
    let data = fluent.graphql_json(&fetch.query, &variables).await?;
    let scope = scope.with_json("data", data.get()).map_err(|error| context.unmade("fetch", &error))?;
    let holds = fetch.when.as_ref().map_or(Ok(true), |when| when.holds(&scope));
    if holds.map_err(|error| context.unmade("fetch.when", &error))? {
        return Ok(Some(scope));
    }
    context.log("nothing is sent: fetch.when does not hold of what Fluent answered");
    Ok(None)
}
