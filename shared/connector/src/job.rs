//! A job: work that the clock starts, or somebody by hand, and that goes on for longer than one invocation.
//!
//! A job is a route with a `schedule`. What starts it is a message for that route, and each step that it takes puts the
//! next one on the event queue, all in one group: SQS gives out one message of a group at a time, so steps never overlap.
//! What a step finds it best hands over to another route, one message a thing, each with its own retries: [`Item`].
//! How far a job has come stands in Parameter Store, so that the next run resumes where the last one ended.
//!
//! An author writes one step; when steps follow, when a run is refused or taken over, is decided here.

mod item;
mod run;
mod state;
mod work;

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::handler::{Context, HandlerError};
pub use item::{Entity, Item};
pub use run::Steps;
pub use state::{KEYS as STATE_KEYS, Run, State, StateError};
pub use work::{Asker, Beginning, OVERLAP, Start, Window};

/// The `source` of messages that the connector makes itself.
pub const SOURCE: &str = "fluent-connect";
/// The `entityType` of a job's messages.
pub const ENTITY_TYPE: &str = "JOB";

/// A job: a route's handler that works in steps. Its route has a `schedule`, and neither `fetch` nor `respond`: a step asks
/// and answers by itself.
pub trait Job: Send + Sync + 'static {
    /// The name that routes use.
    const NAME: &'static str;
    /// Of two handlers with one name the higher priority serves.
    const PRIORITY: i32 = 0;
    /// Where the next step goes on.
    type Cursor: Serialize + DeserializeOwned + Send + Sync;

    /// Takes one step: what can be done well within an invocation, such as a page of a query.
    ///
    /// A step may be repeated: after an `Err`, and when what followed it was not confirmed.
    fn step(
        context: &Context<'_>,
        step: &Step<Self::Cursor>,
    ) -> impl Future<Output = Result<Progress<Self::Cursor>, HandlerError>> + Send;
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step<C> {
    /// The run's id, the same for all its steps.
    pub run: String,
    /// Number of the step, from 1.
    pub number: u32,
    /// The time whose changes the run is about.
    pub window: Window,
    /// Where the last step said to go on; `None` for the first.
    pub cursor: Option<C>,
    /// How many things the steps before it did.
    pub done: u64,
}

/// How far a step has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress<C> {
    /// There is more to do.
    GoOn {
        /// Where.
        cursor: C,
        /// How many things this step did.
        done: u64,
    },
    /// The run has ended, and the next one begins where its window ended.
    Ended {
        /// How many things this step did.
        done: u64,
    },
}
