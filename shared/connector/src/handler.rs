//! What partners write: a handler of messages, chosen by a route.
//!
//! An author writes a plain `async fn`; the [`Registry`] erases its type. A handler sees the world through [`Context`] alone.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::configuration::RoutingTable;
use crate::delivery::{DEFAULT_TIMEOUT, DeliveryFailure, OutboundRequest, Response};
use crate::event_log::Subject;
use crate::failure::Code;
use crate::message::Message;
use crate::ports::{Clock, EventLog, Transport};
use crate::route::Route;

/// The longest that one call of [`Context::deliver`] takes: the transport's timeout, and a second to end it.
pub const LONGEST_DELIVERY: Duration = DEFAULT_TIMEOUT.saturating_add(Duration::from_secs(1));

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
    /// The delivery failed: tried again.
    #[error(transparent)]
    Delivery(#[from] DeliveryFailure),
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
    /// The ports.
    pub capabilities: &'a Capabilities,
}

/// The ports that a handler's context works with.
pub struct Capabilities {
    /// The only way out.
    pub transport: std::sync::Arc<dyn Transport>,
    /// Where attempts are recorded.
    pub event_log: std::sync::Arc<dyn EventLog>,
    /// The time of day.
    pub clock: Clock,
}

impl<'a> Context<'a> {
    /// The context of attempt number `attempt`.
    #[must_use]
    pub fn new(message: &'a Message, route: &'a Route, attempt: u32, run: Run<'a>) -> Self {
        Self { message, route, attempt, run }
    }

    /// POSTs a JSON body to the endpoint of this name. The attempt is recorded whatever happens.
    ///
    /// # Errors
    /// [`HandlerError::Misconfigured`] where there is no such usable endpoint, [`HandlerError::Deadline`] where it
    /// could not end in time, else [`HandlerError::Delivery`].
    pub async fn deliver(&self, endpoint: &str, json: Vec<u8>) -> Result<Response, HandlerError> {
        let target = self.run.table.endpoint(endpoint).ok_or_else(|| HandlerError::Misconfigured {
            code: Code::Endpoint,
            reason: format!("there is no usable endpoint endpoints/{endpoint}"),
        })?;
        let request = OutboundRequest {
            url: target.url.clone(),
            headers: vec![("content-type", "application/json".to_owned())],
            body: json,
            timeout: DEFAULT_TIMEOUT,
        };
        let subject = Subject { endpoint: Some(endpoint), ..self.run.subject };
        let Capabilities { transport, event_log, clock } = self.run.capabilities;
        let left = Duration::try_from(self.run.deadline.duration_since(clock())).unwrap_or_default();
        if left < LONGEST_DELIVERY {
            return Err(HandlerError::Deadline);
        }
        let attempt = transport.send(request).await;
        Ok(attempt.conclude(self.attempt, &subject, event_log.as_ref(), clock)?)
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
