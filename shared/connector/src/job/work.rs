//! What a job's messages say.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::to_raw_value;

use crate::job::{ENTITY_TYPE, SOURCE};
use crate::message::{Message, MessageError, Outgoing, group_of_job};

/// The name of a job's messages.
const MESSAGE_NAME: &str = "fluent-connect.job";
/// How much of the last run's time a run looks at again: for what was committed late, or by a clock that is behind.
pub const OVERLAP: Duration = Duration::from_mins(2);

/// The time whose changes a run is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its begin; `None`: all there ever was.
    pub from: Option<Timestamp>,
    /// Its end: when the run began.
    pub to: Timestamp,
}

/// Who asks for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Asker {
    /// The route's schedule: where a run is under way, the next time will do.
    Schedule,
    /// Somebody: where a run is under way, theirs waits for its end.
    Person,
}

/// Where a run is to begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Beginning {
    /// Where the last run ended; at the beginning of all where there was none.
    #[default]
    LastEnd,
    /// At the beginning of all.
    Everything,
    /// At this time.
    Since(Timestamp),
}

/// Asks for a run of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The job's route.
    pub route: String,
    /// Tells this request from others: two with one id are one.
    pub id: String,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// By whom.
    pub asker: Asker,
    /// Where the run is to begin.
    pub beginning: Beginning,
}

/// The payload of a job's messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Work {
    entity_type: String,
    /// The job's route.
    pub(super) entity_ref: String,
    pub(super) requested_at: Timestamp,
    pub(super) asker: Asker,
    pub(super) beginning: Beginning,
    /// How far another run had come when this request met it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) met: Option<Met>,
    /// Absent in a request for a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) step: Option<StepOf>,
}

/// A run, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Met {
    pub(super) run: String,
    pub(super) step: u32,
}

/// One step, as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StepOf {
    pub(super) run: String,
    pub(super) number: u32,
    pub(super) window: Window,
    #[serde(default)]
    pub(super) cursor: Value,
    pub(super) done: u64,
}

impl Start {
    /// The message that asks for the run.
    ///
    /// # Errors
    /// [`MessageError::TooLarge`] where SQS would refuse it.
    pub fn outgoing(&self, trace: Option<String>) -> Result<Outgoing, MessageError> {
        let work = Work {
            entity_type: ENTITY_TYPE.to_owned(),
            entity_ref: self.route.clone(),
            requested_at: self.requested_at,
            asker: self.asker,
            beginning: self.beginning,
            met: None,
            step: None,
        };
        work.message(self.id.clone(), self.requested_at)?.outgoing(group_of_job(&self.route), trace)
    }
}

impl Work {
    /// What a message asks for; `None` where it is no job's.
    pub(super) fn of(message: &Message) -> Option<Self> {
        let is_ours = message.source == SOURCE && message.name == MESSAGE_NAME;
        is_ours.then(|| serde_json::from_str(message.payload.get()).ok()).flatten()
    }

    /// The message that carries it, for the job's route.
    pub(super) fn message(&self, id: String, now: Timestamp) -> Result<Message, MessageError> {
        let payload = to_raw_value(self).map_err(MessageError::Malformed)?;
        Ok(Message::own(id, MESSAGE_NAME, payload, now).for_route(&self.entity_ref))
    }

    /// The same request, after it met this run.
    pub(super) fn having_met(&self, met: Met) -> Self {
        Self { met: Some(met), ..self.clone() }
    }

    /// A step of the run that was asked for.
    pub(super) fn with_step(&self, step: StepOf) -> Self {
        Self { met: None, step: Some(step), ..self.clone() }
    }

    /// The time that a run is about which begins now.
    pub(super) fn window(&self, last_end: Option<Timestamp>, now: Timestamp) -> Window {
        let from = match self.beginning {
            Beginning::Everything => None,
            Beginning::Since(time) => Some(time.min(now)),
            // A last end that is yet to come was written by hand, or by a clock that was wrong.
            Beginning::LastEnd => last_end.and_then(|end| end.min(now).checked_sub(OVERLAP).ok()),
        };
        Window { from, to: now }
    }
}
