//! What partners write: a handler of messages, chosen by a route.
//!
//! An author writes a plain `async fn`; the [`Registry`] erases its type. A handler sees the world through [`Context`] alone.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::configuration::RoutingTable;
use crate::delivery::{DeliveryFailure, Response};
use crate::event_log::Subject;
use crate::failure::Code;
use crate::message::Message;
use crate::route::Route;
use crate::sender::{Delivery, Sender, longest};

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
    #[error("endpoint endpoints/{endpoint} is paused")]
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
    run: Run<'a>,
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
}

impl<'a> Context<'a> {
    /// The context of attempt number `attempt`.
    #[must_use]
    pub fn new(message: &'a Message, route: &'a Route, attempt: u32, run: Run<'a>) -> Self {
        Self { message, route, attempt, run }
    }

    /// Sends a body to the endpoint of this name, as its document says. The attempt is recorded whatever happens.
    ///
    /// # Errors
    /// [`HandlerError::Misconfigured`] where there is no such usable endpoint, [`HandlerError::Paused`] where it is
    /// paused, [`HandlerError::Deadline`] where the delivery could not end in time, else [`HandlerError::Delivery`].
    pub async fn deliver(&self, endpoint: &str, body: Vec<u8>) -> Result<Response, HandlerError> {
        let Run { deadline, table, subject, sender } = &self.run;
        let target = table.endpoint(endpoint).ok_or_else(|| HandlerError::Misconfigured {
            code: Code::Endpoint,
            reason: format!("there is no usable endpoint endpoints/{endpoint}"),
        })?;
        if target.paused {
            return Err(HandlerError::Paused { endpoint: endpoint.to_owned() });
        }
        let left = Duration::try_from(deadline.duration_since((sender.clock)())).unwrap_or_default();
        if left < longest(target) {
            return Err(HandlerError::Deadline);
        }
        let subject = Subject { endpoint: Some(endpoint), ..*subject };
        let delivery = Delivery { endpoint: target, subject: &subject, number: self.attempt, body };
        Ok(sender.send(delivery).await?)
    }
}

type Erased = for<'a> fn(&'a Context<'a>) -> BoxFuture<'a, Result<(), HandlerError>>;

/// The handlers of a build, by name.
#[derive(Default)]
pub struct Registry {
    handlers: BTreeMap<&'static str, (i32, Erased)>,
    conflict: Option<RegistryError>,
}

/// Two handlers claim one name with one priority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "two handlers are registered as {name:?} with priority {priority}: rename one, or give it a higher priority"
)]
pub struct RegistryError {
    name: &'static str,
    priority: i32,
}

impl Registry {
    /// Adds a handler. A conflict is kept for [`build`](Self::build), so that registrations stay one chain.
    #[must_use]
    pub fn register<H: Handler>(mut self) -> Self {
        let erased: Erased = |context| Box::pin(H::handle(context));
        match self.handlers.get(H::NAME) {
            Some((priority, _)) if *priority == H::PRIORITY => {
                self.conflict.get_or_insert(RegistryError { name: H::NAME, priority: H::PRIORITY });
            }
            Some((priority, _)) if *priority > H::PRIORITY => {}
            _ => {
                self.handlers.insert(H::NAME, (H::PRIORITY, erased));
            }
        }
        self
    }

    /// The finished registry.
    ///
    /// # Errors
    /// [`RegistryError`] where two handlers have one name and one priority.
    pub fn build(self) -> Result<Handlers, RegistryError> {
        match self.conflict {
            Some(conflict) => Err(conflict),
            None => Ok(Handlers(self.handlers)),
        }
    }
}

/// The registered handlers.
pub struct Handlers(BTreeMap<&'static str, (i32, Erased)>);

impl Handlers {
    /// Runs the handler that the context's route names; `None` where there is none.
    #[must_use]
    pub fn handle<'a>(&self, context: &'a Context<'a>) -> Option<BoxFuture<'a, Result<(), HandlerError>>> {
        self.0.get(context.route.handler.as_str()).map(|(_, handle)| handle(context))
    }
}
