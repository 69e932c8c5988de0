//! What the function answers, to be read in the console.

use connector::job::{Beginning, Start};
use jiff::Timestamp;
use serde::Serialize;

use crate::job::Standing;

/// What the function answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To a tick.
    Tick {
        /// The minute.
        minute: Timestamp,
        /// The jobs that were due, each asked for a run.
        started: Vec<String>,
        /// The ids of starts that were due before and missed; sent now.
        #[serde(rename = "caughtUp", skip_serializing_if = "Vec::is_empty")]
        caught_up: Vec<String>,
    },
    /// To who asked for a run.
    Run(Box<Asked>),
    /// To who only looks.
    List {
        /// Every job.
        jobs: Vec<Standing>,
        /// What to do now.
        next: String,
    },
}

/// A run that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The job's route.
    pub started: String,
    /// The run's id.
    pub id: String,
    /// Where it begins.
    pub from: String,
    /// What happens now.
    pub next: String,
    /// How far the job had come before.
    pub before: Standing,
}

impl Answer {
    /// To a tick: what was due, and what was before.
    #[must_use]
    pub fn tick(minute: Timestamp, started: Vec<Start>, missed: Vec<Start>) -> Self {
        let started = started.into_iter().map(|start| start.route).collect();
        Self::Tick { minute, started, caught_up: missed.into_iter().map(|start| start.id).collect() }
    }

    /// To who only looks.
    #[must_use]
    pub fn list(jobs: Vec<Standing>) -> Self {
        let next = if jobs.is_empty() {
            "no route has a schedule: write one, as the README says under Jobs"
        } else {
            "nothing was started; {\"run\": \"<job>\"} starts one"
        };
        Self::List { jobs, next: next.to_owned() }
    }
}

impl Asked {
    /// A run that was asked for, and what it meets.
    #[must_use]
    pub fn new(id: String, beginning: Beginning, before: Standing) -> Self {
        let next = match (&before.state.run, &before.problem) {
            (Some(run), _) => format!(
                "run {} is under way, at step {}: this one begins when it has ended, or takes its place where it stands still",
                run.id, run.step
            ),
            (None, Some(problem)) => format!("it may not come far: {problem}"),
            (None, None) => "it begins within seconds; invoke with {} to see how far it has come".to_owned(),
        };
        let from = match beginning {
            Beginning::LastEnd => "the end of the last run".to_owned(),
            Beginning::Everything => "the beginning".to_owned(),
            Beginning::Since(time) => time.to_string(),
        };
        Self { started: before.job.clone(), id, from, next, before }
    }
}
