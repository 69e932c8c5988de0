//! The job scheduler: its ports, and what it does at a tick and for people.

use std::sync::Arc;

use connector::cache::Cache;
use connector::configuration::Routes;
use connector::document::DocumentError;
use connector::event_log::{Entry, EventType, Subject};
use connector::failure::{Code, chain};
use connector::job::{Asker, Beginning, Start};
use connector::message::MessageError;
use connector::ports::{Clock, ConfigurationError, Console, JobStore, JobStoreError, Queue, QueueError};
use jiff::Timestamp;
use serde_json::Value;

use crate::answer::{Answer, Asked};
use crate::due::{self, Settled};
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
    /// What needs no start any more; empty in a new environment.
    pub settled: Settled,
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

    /// What is due now goes first: nothing that is done for what was due before holds it up.
    async fn tick(&self, minute: Timestamp, invocation: &Invocation) -> Result<Answer, SchedulerError> {
        let routes = self.routes.get().await?;
        let started = due::now(&routes, minute);
        let sent = self.send(&started, invocation).await;
        let missed = self.missed(due::before(&routes, minute, &self.settled), invocation).await;
        let caught_up = self.send(&missed, invocation).await;
        sent.and(caught_up)?;
        Ok(Answer::tick(minute, started, missed))
    }

    /// Those of the starts that were missed: nothing was written of the job since it was due. One of which nothing is kept
    /// at all never ran, and what cannot be read is looked at again at the next tick.
    async fn missed(&self, starts: Vec<Start>, invocation: &Invocation) -> Vec<Start> {
        if starts.is_empty() {
            return starts;
        }
        let jobs: Vec<_> = starts.iter().map(|start| start.route.as_str()).collect();
        let written = match self.jobs.last_written(&jobs).await {
            Ok(written) => written,
            Err(error) => {
                self.unread(&jobs, &error, invocation);
                return Vec::new();
            }
        };
        let (missed, settled): (Vec<_>, Vec<_>) = starts.into_iter().partition(|start| {
            written.get(&start.route).is_some_and(|written| *written < start.requested_at)
        });
        for start in settled {
            self.settled.settle(&start.route, start.requested_at);
        }
        missed
    }

    fn unread(&self, jobs: &[&str], error: &JobStoreError, invocation: &Invocation) {
        let error =
            format!("whether a start was missed cannot be told of {}: {}", jobs.join(", "), chain(error));
        let entry = Entry::new(EventType::MessageFault, (self.clock)()).field("code", Code::Config.as_str());
        let subject = Subject { request: Some(&invocation.request_id), ..Subject::default() };
        self.console.write(&entry.subject(&subject).field("error", error));
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
                    Ok(()) => {
                        self.settled.settle(&start.route, start.requested_at);
                        self.console.write(&self.entry(EventType::JobRequested, start, invocation));
                    }
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
