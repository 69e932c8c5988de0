//! What partners write: a handler of messages, chosen by a route.
//!
//! An author writes a plain `async fn`; the [`Registry`] erases its type. A handler sees the world through [`Context`] alone.

mod registry;

use std::error::Error;
use std::future::Future;
use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::account::Account;
use crate::call::{Call, Calling};
use crate::configuration::RoutingTable;
use crate::delivery::{Body, DeliveryFailure, LOGGED_BODY_BYTES, Response};
use crate::endpoint::Endpoint;
use crate::event_log::{Entry, EventType, Subject};
use crate::failure::{Code, chain};
use crate::message::Message;
use crate::notification;
use crate::parameter::Section;
use crate::ports::{JobStore, Queue};
use crate::project::Project;
use crate::route::Route;
use crate::sender::{Delivery, Sender, longest};
use crate::subscription::{SUBSCRIPTIONS, parameter_of};
use crate::template::Scope;
pub(crate) use registry::Takes;
pub use registry::{Handlers, Registry, RegistryError, Unfit};

/// The handler that passes an answer on, whatever handler the message's route names.
pub const ANSWER_HANDLER: &str = "answer";

/// A handler: chosen by a route's `handler`, runs once for each attempt of a message.
pub trait Handler: Send + Sync + 'static {
    /// The name that routes use.
    const NAME: &'static str;
    /// Of two handlers with one name the higher priority serves, so that a partner can replace a shipped one.
    const PRIORITY: i32 = 0;

    /// Handles one message. An `Err` decides between retrying and parking; a panic is a fault of this message alone.
    fn handle(context: &Context<'_>) -> impl Future<Output = Result<(), HandlerError>> + Send;
}

/// Why a handler did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandlerError {
    /// The delivery failed: tried again or parked, as the failure says.
    #[error(transparent)]
    Delivery(#[from] DeliveryFailure),
    /// The endpoint is paused: held until it no longer is and somebody replays the message.
    #[error("endpoint {} is paused", parameter_of(Section::Endpoints, endpoint))]
    Paused {
        /// Name of the endpoint.
        endpoint: String,
    },
    /// The route or endpoint cannot serve as configured: parked until it is mended and replayed.
    #[error("misconfigured: {reason}")]
    Misconfigured {
        /// The stable code.
        code: Code,
        /// What to mend.
        reason: String,
    },
    /// The pipeline did not confirm what the handler asked of it: tried again, with all that the handler does.
    #[error("{what}: {reason}")]
    Unconfirmed {
        /// `E_QUEUE`, or `E_CONFIG` for what is kept in the configuration's store.
        code: Code,
        /// What was not confirmed.
        what: &'static str,
        /// What happened.
        reason: String,
    },
    /// Too little time was left to start a delivery: nothing was sent, and the message is tried again.
    #[error("too little time was left in this invocation to start a delivery")]
    Deadline,
}

/// What a handler can do and know.
pub struct Context<'a> {
    /// The message.
    pub message: &'a Message,
    /// The route that chose this handler.
    pub route: &'a Route,
    /// Number of this attempt, from 1.
    pub attempt: u32,
    /// Read once, however many templates see it.
    scope: OnceLock<Scope>,
    pub(crate) run: Run<'a>,
}

/// What a context works with; a handler cannot reach it, so that it cannot send past the record.
pub struct Run<'a> {
    /// When the handler has to be done: no delivery starts that could not end before it.
    pub deadline: Timestamp,
    /// Endpoints and routes.
    pub table: &'a RoutingTable,
    /// What the event log's entries are about.
    pub subject: Subject<'a>,
    /// How deliveries are made.
    pub sender: &'a Sender,
    /// Where answers are passed on.
    pub event_queue: &'a dyn Queue,
    /// The message's group there.
    pub group: &'a str,
    /// How far jobs have come.
    pub jobs: &'a dyn JobStore,
}

impl<'a> Context<'a> {
    /// The context of attempt number `attempt`.
    #[must_use]
    pub fn new(message: &'a Message, route: &'a Route, attempt: u32, run: Run<'a>) -> Self {
        Self { message, route, attempt, scope: OnceLock::new(), run }
    }

    /// The project of commercetools that sent the message; `None` where it came from elsewhere or the project is not
    /// configured.
    #[must_use]
    pub fn sending_project(&self) -> Option<&'a Project> {
        let key = self.message.about().account_id.filter(|_| self.message.source == notification::SOURCE)?;
        self.run.table.project(&key)
    }

    /// What the route's templates see of the message.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope.get_or_init(|| self.route.scope(self.message)).clone()
    }

    /// The time of day.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.run.sender.clock)()
    }

    /// The route's properties for its handler.
    #[must_use]
    pub fn props(&self) -> &Map<String, Value> {
        &self.route.props
    }

    /// What the route's payload makes of the message; without one the event, byte for byte.
    ///
    /// # Errors
    /// [`HandlerError::Misconfigured`] where the template makes nothing of it.
    pub fn payload(&self, scope: &Scope) -> Result<Body, HandlerError> {
        let Some(payload) = &self.route.payload else {
            return Ok(self.message.payload.get().as_bytes().to_vec().into());
        };
        let text = payload.render(scope).map_err(|error| self.unmade("payload", &error))?;
        let content_type = self.route.content_type.clone();
        Ok(Body { content_type, ..text.into_bytes().into() })
    }

    /// What the subscription that the message is for makes of it.
    ///
    /// # Errors
    /// [`HandlerError::Misconfigured`] where it is for a route, or cannot be written.
    pub fn emission(&self) -> Result<Body, HandlerError> {
        let Run { table, subject, .. } = &self.run;
        let route = subject.route.unwrap_or_default();
        let subscription = table.subscription(route).ok_or_else(|| HandlerError::Misconfigured {
            code: Code::Handler,
            reason: format!("handler {} serves subscriptions alone: take another one", self.route.handler),
        })?;
        let id = subject.webhook.unwrap_or_default();
        let name = route.strip_prefix(SUBSCRIPTIONS).unwrap_or(route);
        subscription.emission.of(self.message, name, id).map_err(|error| self.unmade("payload", &error))
    }

    /// The error of a template of this route.
    #[must_use]
    pub fn unmade(&self, key: &str, error: &dyn Error) -> HandlerError {
        let route = self.run.subject.route.unwrap_or_default();
        HandlerError::Misconfigured {
            code: Code::Template,
            reason: format!("{key} of {}: {}", parameter_of(Section::Routes, route), chain(error)),
        }
    }

    /// The endpoint that the route names.
    ///
    /// # Errors
    /// [`HandlerError::Misconfigured`] where it names none.
    pub fn endpoint(&self) -> Result<&str, HandlerError> {
        self.route.endpoint.as_deref().ok_or_else(|| HandlerError::Misconfigured {
            code: Code::Endpoint,
            reason: format!("the route names no endpoint, and handler {} needs one", self.route.handler),
        })
    }

    /// The same, where it is not paused: for handlers that have something to do before they deliver.
    ///
    /// # Errors
    /// As [`endpoint`](Self::endpoint), and as [`deliver`](Self::deliver) for an endpoint that is missing or paused.
    pub fn open_endpoint(&self) -> Result<&str, HandlerError> {
        let name = self.endpoint()?;
        self.opened(name).map(|_| name)
    }

    fn opened(&self, endpoint: &str) -> Result<&'a Endpoint, HandlerError> {
        let target = self.run.table.endpoint(endpoint).ok_or_else(|| HandlerError::Misconfigured {
            code: Code::Endpoint,
            reason: format!("there is no usable endpoint {}", parameter_of(Section::Endpoints, endpoint)),
        })?;
        if target.paused {
            return Err(HandlerError::Paused { endpoint: endpoint.to_owned() });
        }
        Ok(target)
    }

    /// Puts a line into the event log, with all that is known of the message: at most 2 KiB of it. Nothing is struck out
    /// of it.
    pub fn log(&self, text: &str) {
        let shown = text.get(..text.floor_char_boundary(LOGGED_BODY_BYTES)).unwrap_or_default();
        let Run { sender, subject, .. } = &self.run;
        let entry =
            Entry::new(EventType::MessageNote, (sender.clock)()).subject(subject).field("note", shown);
        sender.event_log.record(entry);
    }

    /// Passes the receiver's answer on where the route responds: as a message of its own, with its own retries.
    ///
    /// # Errors
    /// [`HandlerError::Unconfirmed`] where the queue does not take it: the message comes back, and is delivered again.
    pub async fn pass_on(&self, response: &Response) -> Result<(), HandlerError> {
        if self.route.respond.is_none() {
            return Ok(());
        }
        let group = Message::answer_group(self.run.group);
        let trace = self.run.subject.trace.map(str::to_owned);
        let answer = self.message.answered(response).and_then(|answer| answer.outgoing(group, trace));
        let lost = |error: &dyn Error| HandlerError::Unconfirmed {
            code: Code::Queue,
            what: "the receiver's answer could not be passed on",
            reason: chain(error),
        };
        let answer = answer.map_err(|error| lost(&error))?;
        self.run.event_queue.send(&answer).await.map_err(|error| lost(&error))
    }

    /// Sends a body to the endpoint of this name, as its document says. The attempt is recorded whatever happens.
    ///
    /// # Errors
    /// [`HandlerError::Misconfigured`] where there is no such usable endpoint or its templates make nothing of the message,
    /// [`HandlerError::Paused`] where it is paused, [`HandlerError::Deadline`] where the delivery could not end in time,
    /// else [`HandlerError::Delivery`].
    pub async fn deliver(
        &self,
        endpoint: &str,
        body: impl Into<Body> + Send,
    ) -> Result<Response, HandlerError> {
        let body = body.into();
        let Run { deadline, subject, sender, .. } = &self.run;
        let target = self.opened(endpoint)?;
        let made = target.target(&if target.is_fixed() { Scope::default() } else { self.scope() }).map_err(
            |error| HandlerError::Misconfigured {
                code: Code::Template,
                reason: format!("endpoint {}: {}", parameter_of(Section::Endpoints, endpoint), chain(&error)),
            },
        )?;
        let left = Duration::try_from(deadline.duration_since((sender.clock)())).unwrap_or_default();
        if left < longest(target) {
            return Err(HandlerError::Deadline);
        }
        let subject = Subject { endpoint: Some(endpoint), ..*subject };
        let delivery = Delivery {
            endpoint: target,
            target: &made,
            subject: &subject,
            number: self.attempt,
            body: &body,
        };
        Ok(sender.send(delivery).await?)
    }
}

/// What API clients are made of.
impl Context<'_> {
    /// Access to the Fluent account of this id, where it is configured.
    #[must_use]
    pub fn account(&self, id: &str) -> Option<&Account> {
        self.run.table.account(id)
    }

    /// Access to every Fluent account that is configured, by id: for jobs, whose messages name none.
    pub fn accounts(&self) -> impl Iterator<Item = (&str, &Account)> {
        self.run.table.accounts()
    }

    /// Access to every project of commercetools that is configured, by key: for jobs, whose messages name none.
    pub fn projects(&self) -> impl Iterator<Item = &Project> {
        self.run.table.projects()
    }

    /// Access to the project of commercetools with this key, where it is configured.
    #[must_use]
    pub fn project(&self, key: &str) -> Option<&Project> {
        self.run.table.project(key)
    }

    /// The projects of commercetools that belong to the Fluent account of this id.
    pub fn projects_of(&self, account_id: &str) -> impl Iterator<Item = &Project> {
        self.run.table.projects_of(account_id)
    }

    /// Calls an API. Every attempt is recorded, and a failed one followed by others as the schedule of the route's
    /// endpoint says, or the default one where it has none: an attempt is one of the message, whatever failed.
    ///
    /// # Errors
    /// [`HandlerError::Deadline`] where the call could not end in time, else [`HandlerError::Delivery`].
    pub async fn call(&self, call: &Call<'_>) -> Result<Response, HandlerError> {
        let Run { deadline, table, subject, sender, .. } = &self.run;
        let endpoint = self.route.endpoint.as_deref().and_then(|name| table.endpoint(name));
        let schedule = endpoint.map(|endpoint| endpoint.schedule.clone()).unwrap_or_default();
        let subject = Subject { endpoint: None, webhook: None, ..*subject };
        let calling =
            Calling { subject: &subject, number: self.attempt, schedule: &schedule, deadline: *deadline };
        sender.call(call, &calling).await
    }
}
