//! How the steps of a run follow each other, and which runs there are: at most one of a job at a time.
//!
//! The state names the run that is under way and its next step. A step of another run, or one that was taken already, does
//! nothing. A request that meets a run goes to the end of the group once: all that was there before is then done, so that
//! where the run has not moved on, nothing moves it any more (its step was parked), and the request takes its place.

use std::error::Error;
use std::marker::PhantomData;

use serde_json::Value;

use crate::failure::{Code, chain};
use crate::handler::{Context, Handler, HandlerError, Registry, Takes};
use crate::job::state::{Run, State};
use crate::job::work::{Asker, Met, StepOf, Window, Work};
use crate::job::{Job, Progress, Step};
use crate::message::MessageError;

/// A parameter that was just written may be read as it was before (seen of new ones: aws/aws-cdk-cli, pull request 830).
/// So a state that is older than a step's run is believed at this attempt alone: then somebody wrote it by hand.
const READS_BEFORE_STATE_IS_BELIEVED: u32 = 3;

/// The handler that takes a job's steps.
pub struct Steps<J>(PhantomData<J>);

impl<J: Job> Handler for Steps<J> {
    const NAME: &'static str = J::NAME;
    const PRIORITY: i32 = J::PRIORITY;

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        let work = Work::of(context.message).ok_or_else(|| HandlerError::Misconfigured {
            code: Code::Route,
            reason: format!(
                "handler {} is a job: it takes starts and steps of its own, and this message is neither",
                J::NAME
            ),
        })?;
        let state = kept(context, &work.entity_ref).await?;
        match work.step.clone() {
            None => Request { context, work, state }.answer().await,
            Some(step) => Turn { context, work, state, step }.take::<J>().await,
        }
    }
}

impl Registry {
    /// Adds a job. A conflict is kept for [`build`](Self::build), so that registrations stay one chain.
    #[must_use]
    pub fn register_job<J: Job>(self) -> Self {
        self.add::<Steps<J>>(Takes::Steps)
    }
}

/// A request for a run, and what it meets.
struct Request<'a> {
    context: &'a Context<'a>,
    work: Work,
    state: State,
}

impl Request<'_> {
    async fn answer(self) -> Result<(), HandlerError> {
        let id = self.id();
        let Some(run) = &self.state.run else { return self.begin_unless_covered().await };
        let met = Met { run: run.id.clone(), step: run.step };
        if run.id == id {
            // It began, and that was not confirmed: the first step may be missing.
            return if run.step == 1 { self.first_step(run).await } else { Ok(()) };
        }
        match &self.work.met {
            Some(before) if *before == met => {
                self.context.log(&format!(
                    "run {} stands at step {} for good: this run takes its place",
                    met.run, met.step
                ));
                self.begin().await
            }
            Some(_) if self.work.asker == Asker::Schedule => {
                self.context.log(&format!(
                    "run {} is under way, at step {}: the next time will do",
                    met.run, met.step
                ));
                Ok(())
            }
            Some(_) | None => {
                let again = format!("{id}@{}/{}", met.run, met.step);
                self.context.follow(again, &self.work.having_met(met)).await
            }
        }
    }

    /// Its id, whatever it has met: that of the run that it becomes. An id does not grow with the runs before it.
    fn id(&self) -> &str {
        let id = self.context.message.id.as_str();
        id.split_once('@').map_or(id, |(id, _)| id)
    }

    /// A request that waited while another run began after it has what it wants, unless it says where to begin.
    async fn begin_unless_covered(self) -> Result<(), HandlerError> {
        let began = self.work.requested_at..=self.context.now(); // a time to come was written by hand
        let is_covered = self.state.started_at.is_some_and(|started| began.contains(&started));
        if is_covered && self.work.asker == Asker::Schedule {
            return Ok(());
        }
        self.begin().await
    }

    async fn begin(mut self) -> Result<(), HandlerError> {
        let now = self.context.now();
        let window = self.work.window(self.state.last_end_date, now);
        let run = Run { id: self.id().to_owned(), step: 1, window };
        self.state = State { started_at: Some(now), run: Some(run.clone()), ..self.state };
        keep(self.context, &self.work.entity_ref, &self.state).await?;
        self.first_step(&run).await
    }

    async fn first_step(&self, run: &Run) -> Result<(), HandlerError> {
        let step =
            StepOf { run: run.id.clone(), number: 1, window: run.window, cursor: Value::Null, done: 0 };
        self.context.follow(format!("{}/1", run.id), &self.work.with_step(step)).await
    }
}

/// A step whose turn it may be.
struct Turn<'a> {
    context: &'a Context<'a>,
    work: Work,
    state: State,
    step: StepOf,
}

impl Turn<'_> {
    async fn take<J: Job>(self) -> Result<(), HandlerError> {
        let Some(run) = self.state.run.as_ref().filter(|run| run.id == self.step.run) else {
            return self.let_be();
        };
        if run.step > self.step.number {
            return Ok(()); // taken already: its copy came beyond SQS's window of deduplication
        }
        let step = self.step::<J>()?;
        match J::step(self.context, &step).await? {
            Progress::GoOn { cursor, done } => self.go_on(&cursor, done).await,
            Progress::Ended { done } => self.end(done).await,
        }
    }

    /// Nothing is known of its run: that is over, unless what is kept is older than the run's begin.
    fn let_be(&self) -> Result<(), HandlerError> {
        let is_older = self.state.started_at.is_none_or(|started| started < self.step.window.to);
        if is_older && self.context.attempt < READS_BEFORE_STATE_IS_BELIEVED {
            return Err(HandlerError::Unconfirmed {
                code: Code::Config,
                what: "Parameter Store does not show the run yet",
                reason: format!("jobs/{} is older than run {}", self.work.entity_ref, self.step.run),
            });
        }
        self.context.log(&format!("run {} has ended, or another has taken its place", self.step.run));
        Ok(())
    }

    fn step<J: Job>(&self) -> Result<Step<J::Cursor>, HandlerError> {
        let StepOf { run, number, window, cursor, done } = self.step.clone();
        let cursor = match cursor {
            Value::Null => None,
            cursor => Some(serde_json::from_value(cursor).map_err(|error| HandlerError::Misconfigured {
                code: Code::Message,
                reason: format!("the step was written by another version of {}: {error}", J::NAME),
            })?),
        };
        Ok(Step { run, number, window, cursor, done })
    }

    /// The next step first, and then that it is next: where the second is lost this step is taken again.
    async fn go_on<C: serde::Serialize>(self, cursor: &C, done: u64) -> Result<(), HandlerError> {
        let cursor = serde_json::to_value(cursor)
            .map_err(|error| HandlerError::Misconfigured { code: Code::Message, reason: chain(&error) })?;
        let number = self.step.number.saturating_add(1);
        let next = StepOf { number, cursor, done: self.step.done.saturating_add(done), ..self.step.clone() };
        let run = Run { id: next.run.clone(), step: number, window: next.window };
        self.context.follow(format!("{}/{number}", next.run), &self.work.with_step(next)).await?;
        keep(self.context, &self.work.entity_ref, &State { run: Some(run), ..self.state }).await
    }

    async fn end(self, done: u64) -> Result<(), HandlerError> {
        let Self { context, work, state, step } = self;
        let Window { from, to } = step.window;
        // What lies between the last end and a later beginning is still to be worked through.
        let before = state.last_end_date.filter(|last| from.is_some_and(|from| from > *last));
        let ended = State { last_end_date: Some(before.unwrap_or(to)), run: None, ..state };
        keep(context, &work.entity_ref, &ended).await?;
        let from = from.map_or_else(|| "the beginning".to_owned(), |from| from.to_string());
        let (done, steps) = (step.done.saturating_add(done), step.number);
        let left = before.map(|last| format!("; what is before is left to the next run, from {last} on"));
        let left = left.unwrap_or_default();
        context.log(&format!("{done} done in {steps} steps, from {from} to {to}{left}"));
        Ok(())
    }
}

impl Context<'_> {
    /// Puts another message of this job at the end of its group.
    async fn follow(&self, id: String, work: &Work) -> Result<(), HandlerError> {
        let message = work.message(id, self.now());
        let trace = self.run.subject.trace.map(str::to_owned);
        let outgoing = message.and_then(|message| message.outgoing(self.run.group.to_owned(), trace));
        let outgoing = outgoing.map_err(|error| unmade(&error))?;
        self.run.event_queue.send(&outgoing).await.map_err(|error| unsent(&error))
    }
}

/// No attempt makes another message of it.
fn unmade(error: &MessageError) -> HandlerError {
    let code = match error {
        MessageError::TooLarge { .. } => Code::TooLarge,
        MessageError::Malformed(_)
        | MessageError::Field { .. }
        | MessageError::Version { .. }
        | MessageError::Empty { .. } => Code::Message,
    };
    let reason = format!("where the job goes on cannot be put on the queue: {}", chain(error));
    HandlerError::Misconfigured { code, reason }
}

fn unsent(error: &dyn Error) -> HandlerError {
    HandlerError::Unconfirmed { code: Code::Queue, what: "the job cannot go on", reason: chain(error) }
}

async fn kept(context: &Context<'_>, job: &str) -> Result<State, HandlerError> {
    let text = context.run.jobs.read(job).await.map_err(|error| unkept(&error))?;
    State::parse(job, text.as_deref())
        .map_err(|error| HandlerError::Misconfigured { code: Code::Config, reason: chain(&error) })
}

async fn keep(context: &Context<'_>, job: &str, state: &State) -> Result<(), HandlerError> {
    context.run.jobs.write(job, &state.text()).await.map_err(|error| unkept(&error))
}

fn unkept(error: &dyn Error) -> HandlerError {
    HandlerError::Unconfirmed {
        code: Code::Config,
        what: "Parameter Store did not answer",
        reason: chain(error),
    }
}
