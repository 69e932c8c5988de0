//! What a job hands over: one thing that another route is to deal with, as though its own system had told of it.

use std::error::Error;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::to_raw_value;

use crate::configuration::Found;
use crate::failure::{Code, chain};
use crate::handler::{Context, HandlerError};
use crate::message::{Message, MessageError, group_of_entity, group_of_notification};
use crate::notification::Notification;

/// A message for another route, and the group of what it is about.
#[derive(Debug, Clone)]
pub struct Item {
    message: Message,
    group: String,
}

/// An entity of Fluent's, as an event names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entity {
    /// The account's id.
    pub account_id: String,
    /// The retailer's id.
    pub retailer_id: String,
    /// The entity's type, such as `LOCATION`.
    pub entity_type: String,
    /// Its id.
    pub entity_id: String,
    /// Its reference.
    pub entity_ref: String,
}

#[derive(Serialize)]
struct Event<'a> {
    id: &'a str,
    name: &'a str,
    #[serde(flatten)]
    entity: &'a Entity,
}

impl Item {
    /// A message that looks like an event of this name on an entity of Fluent's, as `event` in templates; its source is the
    /// connector, as nobody signed it. `run` and the entity tell it from others.
    ///
    /// # Errors
    /// [`MessageError::Malformed`] where it cannot be written as JSON.
    pub fn of_fluent(run: &str, name: &str, entity: &Entity, now: Timestamp) -> Result<Self, MessageError> {
        let id = format!("{run}/{}/{}", entity.entity_type, entity.entity_id);
        let event = to_raw_value(&Event { id: &id, name, entity }).map_err(MessageError::Malformed)?;
        let group = group_of_entity(&entity.account_id, &entity.entity_type, &entity.entity_ref);
        Ok(Self { message: Message::own(id, name, event, now), group })
    }

    /// The message of a notification of commercetools under this name: the same as though commercetools had sent it, so
    /// that one that comes as well within five minutes is one with it.
    ///
    /// # Errors
    /// [`MessageError::Malformed`] where the notification is not JSON.
    pub fn of_commercetools(
        notification: &Notification<'_>,
        name: &str,
        now: Timestamp,
    ) -> Result<Self, MessageError> {
        let message = Message::from_commercetools(notification, name.to_owned(), now)?;
        let group = group_of_notification(notification, &message);
        Ok(Self { message, group })
    }
}

impl Context<'_> {
    /// Puts items on the event queue, each for the route of this name. Where some are not confirmed, all are to be handed
    /// over again: SQS drops the ones that it has, within five minutes.
    ///
    /// # Errors
    /// As [`open_route`](Self::open_route); [`HandlerError::Unconfirmed`] where not all are confirmed.
    pub async fn hand_over(&self, route: &str, items: &[Item]) -> Result<(), HandlerError> {
        let endpoint = self.open_route(route)?;
        let outgoing = items.iter().map(|item| {
            let group = item.message.group_in(&item.group, self.run.table.lane(route, endpoint));
            item.message.for_route(route).outgoing(group, self.run.subject.trace.map(str::to_owned))
        });
        let outgoing: Vec<_> = outgoing.collect::<Result<_, _>>().map_err(|error| unsent(&error))?;
        let results = self.run.event_queue.send_all(&outgoing).await;
        results.into_iter().find_map(Result::err).map_or(Ok(()), |error| Err(unsent(&error)))
    }

    /// Whether a route can be handed over to; the endpoint that it names.
    ///
    /// # Errors
    /// [`HandlerError::Misconfigured`] where there is no such route, or it is broken, disabled, or a job itself.
    pub fn open_route(&self, name: &str) -> Result<Option<&str>, HandlerError> {
        let problem = match self.run.table.route(name) {
            Some(Found::Usable(route)) if route.schedule.is_some() => {
                "has a schedule: what is handed over goes to a route that messages start".to_owned()
            }
            Some(Found::Usable(route)) if route.enabled => return Ok(route.endpoint.as_deref()),
            Some(Found::Usable(_)) => {
                "is disabled: a parameter of its name with `enabled: true` switches it on".to_owned()
            }
            Some(Found::Broken(broken)) => format!("is broken: {}", broken.reason),
            None => "does not exist, or is a shipped one that no parameter switches on".to_owned(),
        };
        Err(HandlerError::Misconfigured { code: Code::Route, reason: format!("routes/{name} {problem}") })
    }
}

fn unsent(error: &dyn Error) -> HandlerError {
    HandlerError::Unconfirmed { code: Code::Queue, what: "not all was handed over", reason: chain(error) }
}
