//! From a record to its disposition: parse, find its routes, split it or run its handler.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use connector::configuration::RoutingTable;
use connector::disposition::{Disposition, Reason};
use connector::event_log::Subject;
use connector::failure::{Code, chain};
use connector::handler::{Context, HandlerError, LONGEST_DELIVERY, Run};
use connector::message::{About, Message, MessageError};
use connector::retry::{delay_after, resend_delay_after};
use connector::route::Route;
use futures_util::FutureExt as _;

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
    /// Version of the configuration that decided.
    pub config: Option<String>,
    /// Details for the log; `None` where an attempt's record tells them already.
    pub detail: Option<String>,
}

/// The end of a message that was routed: its disposition, and details that no attempt's record tells.
type End = (Disposition, Option<String>);

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
        if self.time_for_work(invocation) < LONGEST_DELIVERY {
            return Decision::of(later(record, Code::Deadline), chain(&HandlerError::Deadline)).with(message);
        }
        let routes = chosen(&table, &message);
        let (disposition, detail) = match routes.as_slice() {
            [] => unrouted(&message),
            [route] => self.handled(record, &message, &table, *route, invocation).await,
            several => self.split(record, &message, several).await,
        };
        let only = if let [(name, route)] = routes.as_slice() { Some((*name, *route)) } else { None };
        Decision {
            disposition,
            route: only.map(|(name, _)| name.to_owned()).or_else(|| message.route.clone()),
            endpoint: only.and_then(|(_, route)| route.endpoint.clone()),
            config: Some(table.version().to_owned()),
            detail,
            about: message.about(),
            message: Some(message),
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
        let about = message.about();
        let subject = Subject {
            message: Some(message),
            about: Some(&about),
            route: Some(name),
            endpoint: route.endpoint.as_deref(),
            trace: record.trace.as_deref(),
            request: Some(&invocation.request_id),
            config: Some(table.version()),
        };
        let deadline = self.work_deadline(invocation);
        let run = Run { deadline, table, subject, capabilities: &self.capabilities };
        let context = Context::new(message, route, record.attempt, run);
        let handling = AssertUnwindSafe(async { Some(self.handlers.handle(&context)?.await) }).catch_unwind();
        match tokio::time::timeout(self.time_for_work(invocation), handling).await {
            Ok(Ok(Some(Ok(())))) => (Disposition::Acknowledge, None),
            Ok(Ok(Some(Err(error)))) => ended(record, error),
            Ok(Ok(None)) => {
                let detail =
                    format!("route {name} names handler {:?}, which is not registered", route.handler);
                park(Code::Handler, detail)
            }
            Ok(Err(_panic)) => panicked(record, &route.handler),
            Err(_elapsed) => {
                let detail = format!("handler {:?} did not end within this invocation", route.handler);
                (later(record, Code::Deadline), Some(detail))
            }
        }
    }

    /// One message a route. The deduplication ids make a second try of a half-done split repeat nothing.
    async fn split(&self, record: &Record, message: &Message, routes: &[(&str, &Route)]) -> End {
        for (name, _) in routes {
            let group = Message::group_of_route(&record.group, name);
            let copy = match message.for_route(name).outgoing(group, record.trace.clone()) {
                Ok(copy) => copy,
                Err(error) => return (Disposition::Fault { code: Code::TooLarge }, Some(chain(&error))),
            };
            if let Err(error) = self.event_queue.send(&copy).await {
                let after = resend_delay_after(record.attempt);
                return (Disposition::Retry { after, code: Code::Queue }, Some(chain(&error)));
            }
        }
        (Disposition::Acknowledge, None)
    }
}

impl Decision {
    fn of(disposition: Disposition, detail: String) -> Self {
        Self {
            disposition,
            message: None,
            about: About::default(),
            route: None,
            endpoint: None,
            config: None,
            detail: Some(detail),
        }
    }

    fn with(self, message: Message) -> Self {
        Self { about: message.about(), message: Some(message), ..self }
    }
}

/// The routes of a message: its own after a split, else all that want it.
fn chosen<'a>(table: &'a RoutingTable, message: &'a Message) -> Vec<(&'a str, &'a Route)> {
    match &message.route {
        None => table.routes_for(message).collect(),
        Some(name) => {
            let route = table.route(name).filter(|route| route.enabled);
            route.map(|route| (name.as_str(), route)).into_iter().collect()
        }
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

fn unrouted(message: &Message) -> End {
    let detail = match &message.route {
        None => "no route wants this message".to_owned(),
        Some(route) => format!("the message is for route {route}, which is gone or disabled"),
    };
    (Disposition::Park { reason: Reason::Unrouted, code: Code::Unrouted }, Some(detail))
}

fn ended(record: &Record, error: HandlerError) -> End {
    match error {
        HandlerError::Delivery(failure) => (later(record, failure.code), None),
        HandlerError::Misconfigured { code, reason } => park(code, reason),
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

fn park(code: Code, detail: String) -> End {
    (Disposition::Park { reason: Reason::Misconfigured, code }, Some(detail))
}

/// Also where nothing was tried: a function timeout that leaves no time for work must not use the receives up at once.
fn later(record: &Record, code: Code) -> Disposition {
    Disposition::Retry { after: delay_after(record.attempt), code }
}
