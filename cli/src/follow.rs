//! Which events of a log are new. Knows neither the clock nor CloudWatch.
//!
//! An event may come late: it has the time at which it was written down, and is sent when its function has ended. So each
//! look reaches back behind the newest event, and what was seen before is known by its id.

use std::collections::HashMap;

/// How far behind the newest event others may still come, in milliseconds: the longest invocation of the router, its
/// flush, and some of CloudWatch's own delay.
const LATE_MS: i64 = 120_000;

/// An event as CloudWatch gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: String,
    /// Milliseconds since 1970.
    pub(crate) time: i64,
    pub(crate) line: String,
}

/// What was seen so far.
#[derive(Debug)]
pub(crate) struct Follower {
    from: i64,
    seen: HashMap<String, i64>,
}

impl Follower {
    /// Events from this time on, in milliseconds since 1970.
    pub(crate) fn new(from: i64) -> Self {
        Self { from, seen: HashMap::new() }
    }

    /// From when the next look has to reach.
    pub(crate) fn from(&self) -> i64 {
        self.from
    }

    /// Those of a look that no earlier one showed, by time.
    pub(crate) fn fresh(&mut self, mut events: Vec<Event>) -> Vec<Event> {
        events.retain(|event| self.seen.insert(event.id.clone(), event.time).is_none());
        events.sort_by_key(|event| event.time);
        if let Some(newest) = self.seen.values().max() {
            self.from = self.from.max(newest - LATE_MS);
        }
        self.seen.retain(|_, time| *time >= self.from);
        events
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Follower, LATE_MS};

    fn event(id: &str, time: i64) -> Event {
        Event { id: id.to_owned(), time, line: String::new() }
    }

    fn ids(events: Vec<Event>) -> Vec<String> {
        events.into_iter().map(|event| event.id).collect()
    }

    #[test]
    fn nothing_is_shown_twice_and_what_comes_late_is_shown() {
        let mut follower = Follower::new(0);
        assert_eq!(ids(follower.fresh(vec![event("b", 200_000), event("a", 100_000)])), ["a", "b"]);
        assert_eq!(follower.from(), 200_000 - LATE_MS);
        let again =
            vec![event("a", 100_000), event("late", 90_000), event("b", 200_000), event("c", 200_000)];
        assert_eq!(ids(follower.fresh(again)), ["late", "c"]);
        assert!(follower.fresh(Vec::new()).is_empty());
    }

    #[test]
    fn what_no_look_can_bring_again_is_forgotten() {
        let mut follower = Follower::new(0);
        follower.fresh(vec![event("a", 1), event("b", LATE_MS + 2)]);
        assert_eq!((follower.from(), follower.seen.len()), (2, 1));
    }
}
