//! What the clock starts: what is due in the minute of a tick, and what was due before it and may have been missed.
//!
//! Knows timetables and what was started from here; whether a start was missed is for who can read what is kept of jobs.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use connector::configuration::Routes;
use connector::job::{Asker, Beginning, Start};
use connector::timetable::Timetable;
use jiff::{SignedDuration, Timestamp};

/// How long ago a start may have been due that is caught up: long enough for an outage of what ticks, and short enough
/// that a job which is switched on in the daytime does not start what was due at night.
pub const LONGEST_AGO: SignedDuration = SignedDuration::from_mins(60);

/// Up to which time nothing of a job is left to start, as far as this environment knows: what the queue has confirmed, and
/// what was found to be no miss. So a start is sent once, however long it waits for its turn.
#[derive(Debug, Default)]
pub struct Settled(Mutex<BTreeMap<String, Timestamp>>);

impl Settled {
    /// From now on, nothing of this job is left that was due up to this time.
    pub(crate) fn settle(&self, job: &str, until: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let settled = known.entry(job.to_owned()).or_insert(until);
        *settled = until.max(*settled);
    }

    fn covers(&self, start: &Start) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&start.route).is_some_and(|settled| *settled >= start.requested_at)
    }
}

/// The starts of this minute.
pub(crate) fn now(routes: &Routes, minute: Timestamp) -> Vec<Start> {
    let due = clocked(routes).filter(|(_, timetable)| timetable.is_due(minute));
    due.map(|(name, _)| start(name, minute)).collect()
}

/// The last start of each job that has none in this minute, where it is not too long ago and not known to be settled.
pub(crate) fn before(routes: &Routes, minute: Timestamp, settled: &Settled) -> Vec<Start> {
    let last = clocked(routes).filter_map(|(name, timetable)| {
        let due = timetable.last_before(minute)?;
        let is_recent = due < minute && minute.duration_since(due) <= LONGEST_AGO;
        is_recent.then(|| start(name, due))
    });
    last.filter(|start| !settled.covers(start)).collect()
}

/// The jobs that the clock may start, by name.
fn clocked(routes: &Routes) -> impl Iterator<Item = (&str, Timetable)> {
    let enabled = routes.usable().filter(|(_, route)| route.enabled);
    enabled.filter_map(|(name, route)| Some((name, route.schedule?)))
}

fn start(name: &str, due: Timestamp) -> Start {
    Start {
        route: name.to_owned(),
        id: format!("{name}/{due}"),
        requested_at: due,
        asker: Asker::Schedule,
        beginning: Beginning::LastEnd,
    }
}
