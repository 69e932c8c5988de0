//! The last good copy of the configuration: read when it is older than its time to live, kept when that fails.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use crate::event_log::{Entry, EventType};
use crate::failure::{Code, chain};
use crate::parameter::{Parameter, Problem, Section};
use crate::ports::{Cause, Chance, Clock, ConfigurationError, ConfigurationSource, Console};

/// After a failed read the next one waits this long, or the time to live where that is shorter.
const RETRY_READ_AFTER: Duration = Duration::from_secs(5);
/// While reading fails, this often is told, with the age of what goes on serving.
const TELL_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// Between two reads of a caller that is patient this long at most, and half of it at least: environments that start
/// together do not come back together.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A usable form of some sections' parameters.
pub trait Snapshot: Sized + Send + Sync {
    /// The sections it is made of; the function's IAM policy allows no others.
    const SECTIONS: &'static [Section];

    /// Builds the snapshot; a broken parameter becomes a problem and keeps its copy in `last`.
    fn build(parameters: &[Parameter], last: Option<&Self>) -> (Self, Vec<Problem>);
}

/// Keeps a [`Snapshot`] for its time to live.
pub struct Cache<S> {
    source: Arc<dyn ConfigurationSource>,
    ttl: Duration,
    clock: Clock,
    console: Arc<dyn Console>,
    patience: Option<Patience>,
    state: Mutex<State<S>>,
}

/// How long a caller waits for a configuration that was never readable.
struct Patience {
    at_most: Duration,
    chance: Chance,
}

struct State<S> {
    /// The last good copy; the last error only where there was never one.
    current: Result<Arc<S>, ConfigurationError>,
    /// What it was built of: while they stay the same nothing is compiled anew.
    parameters: Option<Vec<Parameter>>,
    /// When it was read last.
    read_at: Timestamp,
    /// When it was last told that reading fails; `None` while it does not.
    failure_told_at: Option<Timestamp>,
    read_again_at: Timestamp,
    reported: BTreeSet<(String, String)>,
}

impl<S: Snapshot> Cache<S> {
    /// An empty cache: nothing is read before the first [`get`](Self::get).
    pub fn new(
        source: Arc<dyn ConfigurationSource>,
        ttl: Duration,
        clock: Clock,
        console: Arc<dyn Console>,
    ) -> Self {
        let state = State {
            current: Err(ConfigurationError(Arc::from(Cause::from("nothing was read yet")))),
            parameters: None,
            read_at: Timestamp::MIN,
            failure_told_at: None,
            read_again_at: Timestamp::MIN,
            reported: BTreeSet::new(),
        };
        Self { source, ttl, clock, console, patience: None, state: Mutex::new(state) }
    }

    /// The same, but while it was never readable a [`get`](Self::get) that reads goes on for `at_most`, and all who ask
    /// meanwhile share what comes of it. Once that has failed, those of the next seconds are told so at once: a store that
    /// is down must not hold every environment for so long at every request.
    #[must_use]
    pub fn patient(self, at_most: Duration, chance: Chance) -> Self {
        Self { patience: Some(Patience { at_most, chance }), ..self }
    }

    /// The configuration, at most one time to live old where it can be read, else the last good copy.
    ///
    /// # Errors
    /// [`ConfigurationError`] where it has never been readable.
    pub async fn get(&self) -> Result<Arc<S>, ConfigurationError> {
        let mut state = self.state.lock().await;
        let now = (self.clock)();
        let set_back = now.saturating_add(self.ttl).is_ok_and(|latest| latest < state.read_again_at);
        if now >= state.read_again_at || set_back {
            self.refresh(&mut state).await;
        }
        state.current.clone()
    }

    async fn refresh(&self, state: &mut State<S>) {
        let read = match (&state.current, &self.patience) {
            (Err(_), Some(patience)) => self.read_patiently(patience).await,
            _ => self.source.read(S::SECTIONS).await,
        };
        let now = (self.clock)();
        match read {
            Ok(parameters) => {
                state.read_at = now;
                state.failure_told_at = None;
                state.read_again_at = now.saturating_add(self.ttl).unwrap_or(Timestamp::MAX);
                if state.parameters.as_ref() != Some(&parameters) {
                    let (snapshot, problems) = S::build(&parameters, state.current.as_deref().ok());
                    state.current = Ok(Arc::new(snapshot));
                    state.parameters = Some(parameters);
                    self.report(state, problems, now);
                }
            }
            Err(error) => {
                self.tell(state, &error, now);
                state.read_again_at =
                    now.saturating_add(self.ttl.min(RETRY_READ_AFTER)).unwrap_or(Timestamp::MAX);
                if state.current.is_err() {
                    state.current = Err(error);
                }
            }
        }
    }

    async fn read_patiently(&self, patience: &Patience) -> Result<Vec<Parameter>, ConfigurationError> {
        let mut failure = ConfigurationError(Arc::from(Cause::from("it did not answer in time")));
        let reading = async {
            loop {
                match self.source.read(S::SECTIONS).await {
                    Ok(parameters) => break parameters,
                    Err(error) => failure = error,
                }
                sleep(LONGEST_PAUSE.mul_f64(f64::midpoint(1.0, (patience.chance)()))).await;
            }
        };
        let read = timeout(patience.at_most, reading).await;
        read.map_err(|_| failure)
    }

    /// Logs that reading fails: at once, and again while it goes on.
    fn tell(&self, state: &mut State<S>, error: &ConfigurationError, now: Timestamp) {
        let is_told =
            |told_at: Timestamp| told_at.saturating_add(TELL_AGAIN_AFTER).is_ok_and(|again| now < again);
        if state.failure_told_at.is_some_and(is_told) {
            return;
        }
        state.failure_told_at = Some(now);
        let age = state.current.as_ref().ok().map(|_| now.duration_since(state.read_at).as_secs());
        self.console.write(&unreadable(error, age, now));
    }

    /// Logs each problem once, and again only after it was gone.
    fn report(&self, state: &mut State<S>, problems: Vec<Problem>, now: Timestamp) {
        let mut current = BTreeSet::new();
        for problem in problems {
            let key = (problem.parameter.clone(), problem.reason.clone());
            if !state.reported.contains(&key) {
                self.console.write(&broken(&problem, now));
            }
            current.insert(key);
        }
        state.reported = current;
    }
}

/// `age` is that of the copy that goes on serving, in seconds.
fn unreadable(error: &ConfigurationError, age: Option<i64>, now: Timestamp) -> Entry {
    let entry = Entry::new(EventType::ConfigurationProblem, now)
        .field("code", Code::Config.as_str())
        .field("error", chain(error))
        .field("last_good_kept", age.is_some());
    match age {
        Some(age) => entry.field("age_s", age),
        None => entry,
    }
}

fn broken(problem: &Problem, now: Timestamp) -> Entry {
    Entry::new(EventType::ConfigurationProblem, now)
        .field("code", Code::Config.as_str())
        .field("parameter", problem.parameter.as_str())
        .field("error", problem.reason.as_str())
        .field("last_good_kept", problem.last_good_kept)
}
