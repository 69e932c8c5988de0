//! Passes on what a receiver answered: the second half of a route that responds.

use connector::failure::Code;
use connector::handler::{ANSWER_HANDLER, Context, Handler, HandlerError};
use connector::template::Scope;
use fluent::Event;
use serde_json::{Map, Value};

use crate::account::Account;

/// Sends the event that the route's `respond` makes of the answer. What it does not say of the entity is that of the event
/// that was delivered.
pub struct Answer;

/// Fields that belong together: where one of them is given, none is taken over.
const TAKEN_OVER: [&[&str]; 3] = [
    &["retailerId"],
    &["entityType", "entityId", "entityRef", "entitySubtype"],
    &["rootEntityType", "rootEntityId", "rootEntityRef"],
];

impl Handler for Answer {
    const NAME: &'static str = ANSWER_HANDLER;

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        let (Some(answer), Some(respond)) = (&context.message.answer, &context.route.respond) else {
            return Err(HandlerError::Misconfigured {
                code: Code::Template,
                reason: "the message holds an answer, and its route no longer has respond".to_owned(),
            });
        };
        let scope = context.scope().with_json("response", answer.body.get());
        let scope = scope.map_err(|error| context.unmade("respond", &error))?;
        let holds = respond.when.as_ref().map_or(Ok(true), |when| when.holds(&scope));
        if !holds.map_err(|error| context.unmade("respond.when", &error))? {
            return Ok(());
        }
        let event = event(context, &scope)?;
        Account::of_route(context)?.client(context)?.event(&event).await.map(drop)
    }
}

fn event(context: &Context<'_>, scope: &Scope) -> Result<Event, HandlerError> {
    let rendered = context
        .route
        .respond
        .as_ref()
        .map_or_else(|| Ok(String::new()), |respond| respond.event.render(scope));
    let json = rendered.map_err(|error| context.unmade("respond", &error))?;
    let mut fields: Map<String, Value> =
        serde_json::from_str(&json).map_err(|error| context.unmade("respond", &error))?;
    let delivered: Map<String, Value> =
        serde_json::from_str(context.message.payload.get()).unwrap_or_default();
    for group in TAKEN_OVER {
        if !group.iter().any(|key| fields.contains_key(*key)) {
            let taken =
                group.iter().filter_map(|key| Some(((*key).to_owned(), delivered.get(*key)?.clone())));
            fields.extend(taken.filter(|(_, value)| !value.is_null()));
        }
    }
    Event::read(Value::Object(fields).to_string().as_bytes())
        .map_err(|error| context.unmade("respond", &error))
}
