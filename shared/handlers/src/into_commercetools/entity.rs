//! The entity that an event of Fluent's is about, and what Fluent tells of it.

use connector::document::{Document, DocumentError};
use connector::handler::{Context, HandlerError};
use serde_json::{Value, json};

use super::reading::{required, text};
use crate::account::Account;
use crate::problem::unmappable;

/// How a route asks Fluent.
pub(crate) struct Asking {
    account: Account,
    /// Takes the place of the handler's query, and answers in its shape.
    query: Option<String>,
}

/// The event as Fluent sent it.
pub(crate) fn event(context: &Context<'_>) -> Result<Value, HandlerError> {
    serde_json::from_str(context.message.payload.get())
        .map_err(|error| unmappable(format!("the event is not JSON: {error}")))
}

/// The same, where it is of this type of entity.
pub(crate) fn event_of(context: &Context<'_>, kind: &str) -> Result<Value, HandlerError> {
    let event = event(context)?;
    if text(&event, "/entityType").as_deref() == Some(kind) {
        return Ok(event);
    }
    Err(unmappable(format!("the event is not of entity type {kind}")))
}

/// The id of the entity that the event is about.
pub(crate) fn id(event: &Value) -> Result<String, HandlerError> {
    required(event, "/entityId", "the event")
}

impl Asking {
    pub(crate) const KEYS: [&str; 2] = [Account::KEY, "query"];

    pub(crate) fn read(props: &mut Document) -> Result<Self, DocumentError> {
        Ok(Self { account: Account::read(props)?, query: props.text("query")? })
    }

    /// What the query's field `name` finds for this id, from the page behind the cursor `after` where it has pages.
    pub(crate) async fn fetched(
        &self,
        context: &Context<'_>,
        query: &str,
        name: &str,
        id: &str,
        after: Option<&str>,
    ) -> Result<Value, HandlerError> {
        let mut variables = json!({"id": id});
        if let Some(after) = after {
            variables = json!({"id": id, "after": after});
        }
        let query = self.query.as_deref().unwrap_or(query);
        let mut data = self.account.client(context)?.graphql(query, &variables).await?;
        match data.get_mut(name).map(Value::take).unwrap_or_default() {
            Value::Null => Err(unmappable(format!("Fluent knows no {name} {id}"))),
            found => Ok(found),
        }
    }
}
