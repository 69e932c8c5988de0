//! The groups of a receive, each in order, and what becomes of its next message.
//!
//! Decides only; `queue_run` carries it out and says what failed.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use crate::candidate::Candidate;
use crate::filter::{Filter, Match};

/// Most messages of a receive. SQS fills it with as many of one group as there are before it turns to the next, so that
/// the last group of a full one may go on behind it.
const FULL_RECEIVE: usize = 10;

/// How a group stands in this run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing of it was set aside.
    #[default]
    Untouched,
    /// Some of it was set aside: so is, or is taken, all that stands before the first copy.
    Open,
    /// The same, and nothing more of it is taken.
    Finishing,
    /// The rest of it is left.
    Closed,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Sent to the event queue.
    Take,
    /// Copied to the end of the undelivered queue.
    SetAside,
    /// Released in the end.
    Leave,
}

/// What a run is for.
pub(crate) struct Scope<'a> {
    pub(crate) filter: &'a Filter,
    /// When it began: what was parked later may have been replayed by it.
    pub(crate) start: Timestamp,
    /// How the deduplication ids of its copies begin.
    pub(crate) copies: String,
}

impl Scope<'_> {
    /// Whether this run has put it there.
    pub(crate) fn is_copy(&self, candidate: &Candidate) -> bool {
        candidate.received.deduplication.starts_with(&self.copies)
    }
}

/// What there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// Another message may be taken.
    Take,
    /// The limit is reached, or time runs out: only groups that are open go on.
    Finish,
    /// No time is left.
    None,
}

/// The messages of one group in one receive.
pub(crate) struct Lane {
    pub(crate) group: String,
    pub(crate) standing: Standing,
    waiting: VecDeque<Candidate>,
    /// Whether messages of the filter's endpoint, entity and time may be in it.
    promising: bool,
}

/// Sorts a receive by group, each in its order.
pub(crate) fn lanes(candidates: Vec<Candidate>, scope: &Scope<'_>) -> Vec<Lane> {
    let cut = candidates.get(FULL_RECEIVE - 1..).and_then(<[_]>::last);
    let cut = cut.map(|candidate| candidate.received.group.clone());
    let mut groups: BTreeMap<String, VecDeque<Candidate>> = BTreeMap::new();
    for candidate in candidates {
        groups.entry(candidate.received.group.clone()).or_default().push_back(candidate);
    }
    let lane = |(group, waiting): (String, VecDeque<Candidate>)| {
        let here = |candidate: &Candidate| scope.filter.matches(candidate) != Match::Elsewhere;
        let promising = cut.as_ref() == Some(&group) || waiting.iter().any(here);
        Lane { group, standing: Standing::default(), waiting, promising }
    };
    groups.into_iter().map(lane).collect()
}

impl Lane {
    /// The next message and what becomes of it.
    pub(crate) fn next(&mut self, scope: &Scope<'_>, room: Room) -> Option<(Step, Candidate)> {
        let candidate = self.waiting.pop_front()?;
        let step = self.step(&candidate, scope, room);
        Some((step, candidate))
    }

    /// Puts back a message that could not be taken or set aside; an open group is brought to its end.
    pub(crate) fn failed(&mut self, step: Step, candidate: Candidate) {
        self.standing = match (step, self.standing) {
            (Step::Take, Standing::Open | Standing::Finishing) => Standing::Finishing,
            (Step::Take, Standing::Untouched | Standing::Closed) | (Step::SetAside | Step::Leave, _) => {
                Standing::Closed
            }
        };
        self.waiting.push_front(candidate);
    }

    fn step(&mut self, candidate: &Candidate, scope: &Scope<'_>, room: Room) -> Step {
        if room == Room::None || scope.is_copy(candidate) {
            self.standing = Standing::Closed;
        }
        // What was parked while the run went on may be what it has just replayed.
        let new = candidate.received.sent > scope.start;
        let found = scope.filter.matches(candidate);
        match self.standing {
            Standing::Closed => Step::Leave,
            Standing::Untouched => self.first_step(found, new, room),
            Standing::Open if found == Match::Yes && !new && room == Room::Take => Step::Take,
            Standing::Open | Standing::Finishing => {
                if found == Match::Yes {
                    self.standing = Standing::Finishing; // none behind it may overtake it, should there be room again
                }
                Step::SetAside
            }
        }
    }

    fn first_step(&mut self, found: Match, new: bool, room: Room) -> Step {
        let step = match found {
            _ if new || room != Room::Take => Step::Leave,
            Match::Yes => Step::Take,
            Match::Elsewhere if !self.promising => Step::Leave,
            Match::Elsewhere | Match::No => Step::SetAside,
        };
        self.standing = match step {
            Step::Take => Standing::Untouched,
            Step::SetAside => Standing::Open,
            Step::Leave => Standing::Closed,
        };
        step
    }
}
