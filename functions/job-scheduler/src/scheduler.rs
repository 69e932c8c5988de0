//! The job scheduler: its ports, and what it does at a tick and for people.

use std::sync::Arc;

use connector::cache::Cache;
use connector::configuration::Routes;
use connector::document::DocumentError;
use connector::event_log::{Entry, EventType, Subject};
use connector::failure::{Code, chain};
use connector::job::{Asker, Beginning, Start};
use connector::message::MessageError;
use connector::ports::{Clock, ConfigurationError, Console, JobStore, Queue, QueueError};
use jiff::Timestamp;
use serde_json::Value;

use crate::answer::{Answer, Asked};
use crate::job::{Job, Refusal};
use crate::request::Request;

/// The job scheduler.
pub struct Scheduler {
    /// Which routes have a schedule.
    pub routes: Cache<Routes>,
    /// How far jobs have come; only read.
    pub jobs: Arc<dyn JobStore>,
    /// Where starts go.
    pub event_queue: Arc<dyn Queue>,
    /// The scheduler's own log.
    pub console: Arc<dyn Console>,
    /// The time of day.
    pub clock: Clock,
    /// Where parameters stand, for those who read what to mend.
    pub prefix: String,
}

/// One invocation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Lambda's request id; the same when Lambda repeats it.
    pub request_id: String,
    /// X-Ray's trace header.
    pub trace: Option<String>,
}

/// Why it did not do what it was asked, or not all of it. Lambda repeats a tick that ends so.
#[derive(Debug, thiserror::Error)]
pub enum SchedulerError {
    /// The input cannot be meant.
    #[error("the input cannot be used")]
    Input(#[from] DocumentError),
    /// Nobody can tell what is due.
    #[error("the routes cannot be read")]
    Routes(#[from] ConfigurationError),
    /// The job cannot be started.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Those that are not named were started.
    #[error("not started: {}", jobs.join(", "))]
    Unsent {
        /// The jobs that were not started, as far as is known.
        jobs: Vec<String>,
        /// Why the first was not.
        #[source]
        first: StartError,
    },
}

/// Why a job was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The message cannot be made.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The queue did not confirm it.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl SchedulerError {
    /// The `errorType` of the function's answer.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Input(_) => "InvalidInput",
            Self::Routes(_) => "ConfigurationUnreadable",
            Self::Refused(_) => "JobRefused",
            Self::Unsent { .. } => "QueueUnconfirmed",
        }
    }
}

impl Scheduler {
    /// Does what the input asks.
    ///
    /// # Errors
    /// [`SchedulerError`] by cause.
    pub async fn answer(&self, input: &Value, invocation: &Invocation) -> Result<Answer, SchedulerError> {
        match Request::parse(input, (self.clock)())? {
            Request::Tick { minute } => self.tick(minute, invocation).await,
            Request::Run { job, beginning } => self.run(&job, beginning, invocation).await,
            Request::List => self.list().await,
        }
    }

    async fn tick(&self, minute: Timestamp, invocation: &Invocation) -> Result<Answer, SchedulerError> {
        let routes = self.routes.get().await?;
        let due = routes.usable().filter(|(_, route)| {
            route.enabled && route.schedule.is_some_and(|schedule| schedule.is_due(minute))
        });
        let start = |(name, _)| Start {
            route: String::from(name),
            id: format!("{name}/{minute}"),
            requested_at: minute,
            asker: Asker::Schedule,
            beginning: Beginning::LastEnd,
        };
        let starts: Vec<_> = due.map(start).collect();
        self.send(&starts, invocation).await?;
        Ok(Answer::Tick { minute, started: starts.into_iter().map(|start| start.route).collect() })
    }

    async fn run(
        &self,
        name: &str,
        beginning: Beginning,
        invocation: &Invocation,
    ) -> Result<Answer, SchedulerError> {
        let routes = self.routes.get().await?;
        let job = Job::to_run(&routes, name, &self.prefix)?;
        let now = (self.clock)();
        let before = job.standing(self.jobs.as_ref(), now).await;
        let id = format!("{name}/{}", invocation.request_id);
        let start =
            Start { route: job.name, id: id.clone(), requested_at: now, asker: Asker::Person, beginning };
        self.send(&[start], invocation).await?;
        Ok(Answer::Run(Box::new(Asked::new(id, beginning, before))))
    }

    async fn list(&self) -> Result<Answer, SchedulerError> {
        let routes = self.routes.get().await?;
        let mut jobs = Vec::new();
        for job in Job::all(&routes) {
            // One after another: Parameter Store counts calls, and nobody waits at a console for milliseconds.
            jobs.push(job.standing(self.jobs.as_ref(), (self.clock)()).await);
        }
        Ok(Answer::list(jobs))
    }

    /// Sends all that can be sent, whatever becomes of the others.
    async fn send(&self, starts: &[Start], invocation: &Invocation) -> Result<(), SchedulerError> {
        let (mut made, mut outgoing, mut unsent) = (Vec::new(), Vec::new(), Vec::new());
        for start in starts {
            match start.outgoing(invocation.trace.clone()) {
                Ok(message) => {
                    made.push(start);
                    outgoing.push(message);
                }
                Err(error) => unsent.push((start, StartError::from(error))),
            }
        }
        if !outgoing.is_empty() {
            let results = self.event_queue.send_all(&outgoing).await;
            for (start, result) in made.into_iter().zip(results) {
                match result {
                    Ok(()) => self.console.write(&self.entry(EventType::JobRequested, start, invocation)),
                    Err(error) => unsent.push((start, error.into())),
                }
            }
        }
        self.told(unsent, invocation)
    }

    fn told(&self, unsent: Vec<(&Start, StartError)>, invocation: &Invocation) -> Result<(), SchedulerError> {
        for (start, error) in &unsent {
            let entry = self.entry(EventType::MessageFault, start, invocation);
            self.console.write(&entry.field("code", Code::Queue.as_str()).field("error", chain(error)));
        }
        let jobs = unsent.iter().map(|(start, _)| start.route.clone()).collect();
        let first = unsent.into_iter().next();
        first.map_or(Ok(()), |(_, first)| Err(SchedulerError::Unsent { jobs, first }))
    }

    fn entry(&self, kind: EventType, start: &Start, invocation: &Invocation) -> Entry {
        let subject = Subject {
            route: Some(&start.route),
            trace: invocation.trace.as_deref(),
            request: Some(&invocation.request_id),
            ..Subject::default()
        };
        let asker = match start.asker {
            Asker::Schedule => "schedule",
            Asker::Person => "person",
        };
        let entry = Entry::new(kind, (self.clock)()).field("message.id", start.id.as_str());
        entry.subject(&subject).field("asker", asker)
    }
}
