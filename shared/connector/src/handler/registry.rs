//! The handlers of a build: which serve, which of them are jobs, and which routes they can do nothing with.

use std::collections::BTreeMap;
use std::future::ready;

use futures_util::future::{BoxFuture, FutureExt as _};

use super::{ANSWER_HANDLER, Context, Handler, HandlerError};
use crate::failure::Code;
use crate::route::Route;

type Erased = for<'a> fn(&'a Context<'a>) -> BoxFuture<'a, Result<(), HandlerError>>;

/// What a handler takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Messages,
    /// A job's starts and steps, and nothing else.
    Steps,
}

/// What serves under a name.
struct Registered {
    priority: i32,
    takes: Takes,
    handle: Erased,
}

/// The handlers of a build, by name.
#[derive(Default)]
pub struct Registry {
    handlers: BTreeMap<&'static str, Registered>,
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
    pub fn register<H: Handler>(self) -> Self {
        self.add::<H>(Takes::Messages)
    }

    /// Adds a handler of either kind.
    pub(crate) fn add<H: Handler>(mut self, takes: Takes) -> Self {
        let priority = H::PRIORITY;
        match self.handlers.get(H::NAME) {
            Some(other) if other.priority == priority => {
                self.conflict.get_or_insert(RegistryError { name: H::NAME, priority });
            }
            Some(other) if other.priority > priority => {}
            _ => {
                let handle: Erased = |context| Box::pin(H::handle(context));
                self.handlers.insert(H::NAME, Registered { priority, takes, handle });
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
pub struct Handlers(BTreeMap<&'static str, Registered>);

/// Why a handler can do nothing with a route of its name: what is to be changed there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A job that nothing starts.
    #[error(
        "\"handler\" names {handler}, which is a job: its route needs a schedule in place of message (schedule: manual leaves the start to people)"
    )]
    NoSchedule {
        /// The job's name.
        handler: String,
    },
    /// A key that is for handlers of messages.
    #[error(
        "{key:?} does nothing here, take it out: handler {handler} is a job, which asks and answers by itself"
    )]
    Idle {
        /// The key.
        key: &'static str,
        /// The job's name.
        handler: String,
    },
}

impl Handlers {
    /// Name and priority of each handler that serves, by name.
    pub fn names(&self) -> impl Iterator<Item = (&'static str, i32)> {
        self.0.iter().map(|(name, registered)| (*name, registered.priority))
    }

    /// Whether the handler of this name is a job; false where there is none.
    #[must_use]
    pub fn is_job(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|registered| registered.takes == Takes::Steps)
    }

    /// What is to be changed in a route before its handler can serve it; of handlers that are not registered nothing is
    /// known.
    #[must_use]
    pub fn unfit(&self, route: &Route) -> Option<Unfit> {
        if !self.is_job(&route.handler) {
            return None;
        }
        let handler = route.handler.clone();
        if route.schedule.is_none() {
            return Some(Unfit::NoSchedule { handler });
        }
        let idle = [("fetch", route.fetch.is_some()), ("respond", route.respond.is_some())];
        let (key, _) = idle.into_iter().find(|(_, is_there)| *is_there)?;
        Some(Unfit::Idle { key, handler })
    }

    /// Runs the handler that the context's route names; `None` where there is none.
    #[must_use]
    pub fn handle<'a>(&self, context: &'a Context<'a>) -> Option<BoxFuture<'a, Result<(), HandlerError>>> {
        if context.message.answer.is_some() {
            return self.0.get(ANSWER_HANDLER).map(|answer| (answer.handle)(context));
        }
        let registered = self.0.get(context.route.handler.as_str())?;
        Some(match self.unfit(context.route) {
            None => (registered.handle)(context),
            Some(unfit) => ready(Err(unfit.into())).boxed(),
        })
    }
}

impl From<Unfit> for HandlerError {
    fn from(unfit: Unfit) -> Self {
        Self::Misconfigured { code: Code::Route, reason: unfit.to_string() }
    }
}
