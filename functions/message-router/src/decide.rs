//! From a record to its disposition. A message comes twice: as it was received, to become one message for each route
//! that wants it, and then as each of these, to be handled.

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use connector::configuration::{Found, RoutingTable};
use connector::delivery::{DeliveryFailure, Next};
use connector::disposition::{Disposition, Reason};
use connector::event_log::Subject;
use connector::failure::{Code, chain};
use connector::handler::{Context, HandlerError, Run};
use connector::message::{About, Message, MessageError};
use connector::parameter::Section;
use connector::retry::pipeline_delay_after;
use connector::route::Route;
use connector::subscription::{self, parameter_of};
use futures_util::FutureExt as _;
use jiff::Timestamp;

use crate::record::Record;
use crate::router::{Invocation, Router};

/// A panic may pass, so the record comes back while it was received fewer times than this; then it is dead-lettered.
pub const RECEIVES_BEFORE_PANIC_IS_FAULT: u32 = 3;

/// A disposition, and what the event log needs to tell of it.
#[derive(Debug)]
pub struct Decision {
    /// How the record ends.
    pub disposition: Disposition,
    /// The message, where the record holds one.
    pub message: Option<Message>,
    /// What its payload says.
    pub about: About,
    /// The route that was followed.
    pub route: Option<String>,
    /// That route's endpoint.
    pub endpoint: Option<String>,
    /// What receivers see as the message's id, where it has a route.
    pub webhook: Option<String>,
    /// Version of the configuration that decided.
    pub config: Option<String>,
    /// Details for the log; `None` where an attempt's record tells them already.
    pub detail: Option<String>,
}

/// The end of a message that was routed: its disposition, and details that no attempt's record tells.
pub(crate) type End = (Disposition, Option<String>);

impl Router {
    /// The disposition of one record; a handler's panic is a fault of this record alone.
    pub(crate) async fn decide(&self, record: &Record, invocation: &Invocation) -> Decision {
        let message = match Message::parse(record.body.as_deref().unwrap_or_default()) {
            Ok(message) => message,
            Err(error) => return unreadable(&error),
        };
        let table = match self.table.get().await {
            Ok(table) => table,
            Err(error) => return Decision::of(later(record, Code::Config), chain(&error)).with(message),
        };
        if self.time_for_work(invocation).is_zero() {
            return Decision::of(later(record, Code::Deadline), chain(&HandlerError::Deadline)).with(message);
        }
        let (disposition, detail) = match &message.route {
            None => self.dispatched(record, &message, &table, invocation).await,
            Some(name) => match followed(&message, &table, name) {
                Ok(route) => self.handled(record, &message, &table, (name, route), invocation).await,
                Err(end) => end,
            },
        };
        let endpoint = message.route.as_deref().and_then(|name| endpoint_of(&table, name));
        Decision {
            disposition,
            endpoint,
            config: Some(table.version().to_owned()),
            detail,
            ..Decision::about(message)
        }
    }

    async fn handled(
        &self,
        record: &Record,
        message: &Message,
        table: &Arc<RoutingTable>,
        (name, route): (&str, &Route),
        invocation: &Invocation,
    ) -> End {
        let (about, webhook) = (message.about(), message.webhook_id(name));
        let subject = Subject {
            message: Some(message),
            about: Some(&about),
            route: Some(name),
            endpoint: route.endpoint.as_deref(),
            webhook: Some(&webhook),
            trace: record.trace.as_deref(),
            request: Some(&invocation.request_id),
            config: Some(table.version()),
        };
        let deadline = self.work_deadline(invocation);
        let event_queue = self.event_queue.as_ref();
        let run = Run {
            deadline,
            table,
            subject,
            sender: &self.sender,
            event_queue,
            group: &record.group,
            jobs: self.jobs.as_ref(),
        };
        let context = Context::new(message, route, record.attempt, run);
        let handling = AssertUnwindSafe(async { Some(self.handlers.handle(&context)?.await) }).catch_unwind();
        match tokio::time::timeout(self.time_for_work(invocation), handling).await {
            Ok(Ok(Some(Ok(())))) => (Disposition::Acknowledge, None),
            Ok(Ok(Some(Err(error)))) => ended(record, error),
            Ok(Ok(None)) => {
                let detail = format!(
                    "{} names handler {:?}, which is not in this build",
                    parameter(name),
                    route.handler
                );
                misconfigured(Code::Handler, detail)
            }
            Ok(Err(_panic)) => panicked(record, &route.handler),
            Err(_elapsed) => {
                let detail = format!("handler {:?} did not end within this invocation", route.handler);
                (later(record, Code::Deadline), Some(detail))
            }
        }
    }
}

impl Decision {
    /// The decision, but none that makes a message wait for longer than SQS keeps it.
    pub(crate) fn within_stay(self, record: &Record, now: Timestamp) -> Self {
        match self.disposition {
            Disposition::Retry { after, code }
                if !now.saturating_add(after).is_ok_and(|then| record.can_wait_until(then)) =>
            {
                let told = "it has waited for 13 days, and SQS would soon delete it".to_owned();
                let detail = self.detail.into_iter().fold(told, |told, detail| format!("{told}: {detail}"));
                let disposition = Disposition::Park { reason: Reason::Exhausted, code, status: None };
                Self { disposition, detail: Some(detail), ..self }
            }
            Disposition::Retry { .. }
            | Disposition::Acknowledge
            | Disposition::Park { .. }
            | Disposition::Fault { .. } => self,
        }
    }

    fn of(disposition: Disposition, detail: String) -> Self {
        Self {
            disposition,
            message: None,
            about: About::default(),
            route: None,
            endpoint: None,
            webhook: None,
            config: None,
            detail: Some(detail),
        }
    }

    fn with(self, message: Message) -> Self {
        let Self { disposition, detail, .. } = self;
        Self { disposition, detail, ..Self::about(message) }
    }

    /// What is known of a message before anything is decided.
    fn about(message: Message) -> Self {
        let webhook = message.route.as_deref().map(|route| message.webhook_id(route));
        let (about, route) = (message.about(), message.route.clone());
        let endpoint = route.as_deref().and_then(subscription::endpoint_of).map(str::to_owned);
        let nothing = Self::of(Disposition::Acknowledge, String::new());
        Self { about, route, endpoint, webhook, message: Some(message), ..nothing }
    }
}

/// The route of a message that is on its way by one.
fn followed<'a>(message: &Message, table: &'a RoutingTable, name: &str) -> Result<&'a Route, End> {
    let route = match table.route(name) {
        Some(Found::Usable(route)) if route.enabled => route,
        Some(Found::Broken(broken)) => {
            let detail = format!("{} is broken: {}", parameter(name), broken.reason);
            return Err(misconfigured(Code::Route, detail));
        }
        Some(Found::Usable(_)) | None => {
            let detail = format!("the message is for {}, which is gone or disabled", parameter(name));
            return Err(unrouted(detail));
        }
    };
    match route
        .when
        .as_ref()
        .filter(|_| message.answer.is_none())
        .map(|when| when.holds(&route.scope(message)))
    {
        None | Some(Ok(true)) => Ok(route),
        Some(Ok(false)) => Err(unrouted(format!("the condition of {} no longer holds", parameter(name)))),
        Some(Err(error)) => {
            Err(misconfigured(Code::Template, format!("the condition of {}: {error}", parameter(name))))
        }
    }
}

/// The parameter of a route's name.
fn parameter(name: &str) -> Cow<'_, str> {
    parameter_of(Section::Routes, name)
}

fn endpoint_of(table: &RoutingTable, route: &str) -> Option<String> {
    match table.route(route) {
        Some(Found::Usable(route)) => route.endpoint.clone(),
        Some(Found::Broken(_)) | None => subscription::endpoint_of(route).map(str::to_owned),
    }
}

fn unreadable(error: &MessageError) -> Decision {
    let code = match error {
        MessageError::Version { .. } => Code::Version,
        MessageError::Malformed(_)
        | MessageError::Field { .. }
        | MessageError::Empty { .. }
        | MessageError::TooLarge { .. } => Code::Message,
    };
    Decision::of(Disposition::Fault { code }, chain(error))
}

pub(crate) fn unrouted(detail: String) -> End {
    (Disposition::Park { reason: Reason::Unrouted, code: Code::Unrouted, status: None }, Some(detail))
}

fn ended(record: &Record, error: HandlerError) -> End {
    match error {
        HandlerError::Delivery(DeliveryFailure { code, status, next }) => match next {
            Next::Retry { after } => (Disposition::Retry { after, code }, None),
            Next::Undelivered { reason } => (Disposition::Park { reason, code, status }, None),
        },
        HandlerError::Paused { .. } => {
            let held = Disposition::Park { reason: Reason::Paused, code: Code::Paused, status: None };
            (held, Some(chain(&error)))
        }
        HandlerError::Misconfigured { code, reason } => misconfigured(code, reason),
        HandlerError::Unconfirmed { code, .. } => (later(record, code), Some(chain(&error))),
        HandlerError::Deadline => (later(record, Code::Deadline), Some(chain(&HandlerError::Deadline))),
    }
}

fn panicked(record: &Record, handler: &str) -> End {
    let disposition = if record.attempt < RECEIVES_BEFORE_PANIC_IS_FAULT {
        later(record, Code::Panic)
    } else {
        Disposition::Fault { code: Code::Panic }
    };
    (disposition, Some(format!("handler {handler:?} panicked")))
}

fn misconfigured(code: Code, detail: String) -> End {
    (Disposition::Park { reason: Reason::Misconfigured, code, status: None }, Some(detail))
}

/// Also where nothing was tried: a function timeout that leaves no time for work must not use the receives up at once.
fn later(record: &Record, code: Code) -> Disposition {
    Disposition::Retry { after: pipeline_delay_after(record.attempt), code }
}
