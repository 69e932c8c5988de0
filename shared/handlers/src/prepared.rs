//! What the shipped handlers do before their own work: find the account, fetch.

use connector::failure::Code;
use connector::handler::{Context, HandlerError};
use connector::template::Scope;
use fluent::{Client, FluentContext as _};
use serde_json::Value;
use serde_json::value::RawValue;

/// The API of the account that `props.account` names, else of the message's.
pub(crate) fn account<'a>(context: &'a Context<'_>) -> Result<Client<'a>, HandlerError> {
    match context.props().get("account") {
        None | Some(Value::Null) => context.fluent(),
        Some(Value::String(id)) => context.fluent_of(id),
        Some(_) => Err(HandlerError::Misconfigured {
            code: Code::Access,
            reason: "props.account must be text: put it in quotes".to_owned(),
        }),
    }
}

/// What the templates see: the message, and `data` where the route fetches; none where `fetch.when` does not hold of it.
pub(crate) async fn scope(context: &Context<'_>) -> Result<Option<Scope>, HandlerError> {
    let scope = context.scope();
    let Some(fetch) = &context.route.fetch else { return Ok(Some(scope)) };
    let variables =
        fetch.variables.render(&scope).map_err(|error| context.unmade("fetch.variables", &error))?;
    let variables =
        RawValue::from_string(variables).map_err(|error| context.unmade("fetch.variables", &error))?;
    let data = account(context)?.graphql_json(&fetch.query, &variables).await?;
    let scope = scope.with_json("data", data.get()).map_err(|error| context.unmade("fetch", &error))?;
    let holds = fetch.when.as_ref().map_or(Ok(true), |when| when.holds(&scope));
    if holds.map_err(|error| context.unmade("fetch.when", &error))? {
        return Ok(Some(scope));
    }
    context.log("nothing is sent: fetch.when does not hold of what Fluent answered");
    Ok(None)
}
