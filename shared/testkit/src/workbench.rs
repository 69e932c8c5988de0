//! A place to try a handler: parameters in, one message handled, and everything that it did to look at.

use std::sync::Arc;
use std::time::Duration;

use connector::cache::Snapshot as _;
use connector::configuration::{Found, RoutingTable};
use connector::delivery::Response;
use connector::event_log::Subject;
use connector::handler::{Context, HandlerError, Handlers, Run};
use connector::message::Message;
use connector::parameter::{Parameter, Section};
use connector::secret::Secret;
use connector::sender::Sender;
use serde_json::{Value, json};

use crate::fakes::{FakeJobs, FakeLog, FakeQueue, FakeTransport, ManualClock};

/// Everything that a handler works with, in memory.
pub struct Workbench {
    /// Answers what is sent, and keeps it.
    pub transport: Arc<FakeTransport>,
    /// The event log.
    pub log: Arc<FakeLog>,
    /// Where answers are passed on.
    pub event_queue: Arc<FakeQueue>,
    /// How far jobs have come.
    pub jobs: Arc<FakeJobs>,
    /// The time of day.
    pub clock: ManualClock,
    /// How much of the invocation's time is left.
    pub time_left: Duration,
    sender: Sender,
    table: RoutingTable,
}

impl Workbench {
    /// With these parameters: section, name, value.
    ///
    /// # Panics
    /// Where one of them is broken.
    #[must_use]
    pub fn with(parameters: &[(Section, &str, &str)]) -> Self {
        let parameter = |(section, name, value): &(Section, &str, &str)| Parameter {
            section: *section,
            name: (*name).to_owned(),
            value: Secret::new(*value),
            version: 1,
        };
        let parameters: Vec<_> = parameters.iter().map(parameter).collect();
        let (table, problems) = RoutingTable::build(&parameters, None);
        assert!(problems.is_empty(), "{problems:?}");
        let (transport, log) = (Arc::new(FakeTransport::default()), Arc::new(FakeLog::default()));
        let clock = ManualClock::default();
        let sender = Sender::new(transport.clone(), log.clone(), clock.port(), Arc::new(|| 0.5));
        let (event_queue, time_left) = (Arc::new(FakeQueue::default()), Duration::from_secs(25));
        let jobs = Arc::new(FakeJobs::default());
        Self { transport, log, event_queue, jobs, clock, time_left, sender, table }
    }

    /// The next answers of whatever is called: status and JSON.
    pub fn answers(&self, answers: &[(u16, Value)]) {
        let answer = |(status, body): &(u16, Value)| {
            Ok(Response { status: *status, retry_after: None, body: body.to_string().into_bytes() })
        };
        self.transport.answer_with(answers.iter().map(answer));
    }

    /// Lets the route's handler work on a first attempt at a message.
    ///
    /// # Errors
    /// The handler's own.
    ///
    /// # Panics
    /// Where the message has no route, or one that is not usable, or whose handler is not registered.
    pub async fn handle(&self, handlers: &Handlers, message: &Message) -> Result<(), HandlerError> {
        self.handle_again(handlers, message, 1).await
    }

    /// The same at attempt number `attempt`.
    ///
    /// # Errors
    /// As the handler.
    ///
    /// # Panics
    /// As [`handle`](Self::handle).
    pub async fn handle_again(
        &self,
        handlers: &Handlers,
        message: &Message,
        attempt: u32,
    ) -> Result<(), HandlerError> {
        let name = message.route.as_deref().expect("the message is for a route");
        let Some(Found::Usable(route)) = self.table.route(name) else {
            panic!("routes/{name} is not usable")
        };
        let (about, webhook) = (message.about(), message.webhook_id(name));
        let subject = Subject {
            message: Some(message),
            about: Some(&about),
            route: Some(name),
            endpoint: route.endpoint.as_deref(),
            webhook: Some(&webhook),
            ..Subject::default()
        };
        let deadline =
            self.clock.port()().saturating_add(self.time_left).expect("the clock is not at its end");
        let (table, sender, event_queue) = (&self.table, &self.sender, self.event_queue.as_ref());
        let jobs = self.jobs.as_ref();
        let run = Run { deadline, table, subject, sender, event_queue, group: "group", jobs };
        handlers.handle(&Context::new(message, route, attempt, run)).expect("the handler is registered").await
    }
}

/// A message of this event on its way by a route.
///
/// # Panics
/// Where the event makes no message.
#[must_use]
pub fn on_route(route: &str, name: &str, event: &Value) -> Message {
    let envelope = json!({
        "version": 1, "id": "m1", "name": name, "source": "fluent", "receivedAt": "2026-11-20T08:30:00Z",
        "payload": event, "route": route,
    });
    Message::parse(&envelope.to_string()).expect("an envelope is a message")
}
