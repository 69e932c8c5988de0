//! When the clock starts a route: `schedule` of a route document.
//!
//! Knows no time of day: whoever asks says which minute it is.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::document::{Document, DocumentError};

/// Every key of `schedule`.
pub const KEYS: [&str; 2] = ["every", "offset"];
/// Shortest time from one start to the next: the clock ticks once a minute.
pub const SHORTEST: Duration = MINUTE;
/// Longest time from one start to the next.
pub const LONGEST: Duration = Duration::from_hours(31 * 24);
const MINUTE: Duration = Duration::from_mins(1);
/// The text that stands for a route that the clock never starts.
const BY_HAND: &str = "manual";

/// When the clock starts a route; times count from midnight UTC of 1 January 1970, so that `24h` is midnight UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timetable {
    /// Never: somebody does.
    Manual,
    /// At regular times.
    Every {
        /// From one start to the next: whole minutes, from [`SHORTEST`] to [`LONGEST`].
        period: Duration,
        /// How much later than full periods: whole minutes, less than the period; none by default.
        offset: Duration,
    },
}

impl Timetable {
    /// Reads `schedule` of a document; `None` where it has none.
    ///
    /// # Errors
    /// [`DocumentError`] names the key and its line.
    pub(crate) fn read(document: &mut Document) -> Result<Option<Self>, DocumentError> {
        match document.peek("schedule").and_then(Value::as_str) {
            Some(BY_HAND) => return Ok(Some(Self::Manual)),
            Some(_) => return Err(document.unusable("schedule", "must be like { every: 15m }, or manual")),
            None => {}
        }
        let Some(mut schedule) = document.section("schedule", &KEYS)? else { return Ok(None) };
        let period = schedule.duration("every")?.ok_or_else(|| schedule.missing("every"))?;
        if !is_in_minutes(period) || !(SHORTEST..=LONGEST).contains(&period) {
            return Err(schedule.unusable("every", "must be whole minutes, from 1m to 744h"));
        }
        let offset = schedule.duration("offset")?.unwrap_or_default();
        if !is_in_minutes(offset) || offset >= period {
            return Err(schedule.unusable("offset", "must be whole minutes, and shorter than `every`"));
        }
        Ok(Some(Self::Every { period, offset }))
    }

    /// Whether it starts in the minute of this time.
    #[must_use]
    pub fn is_due(self, time: Timestamp) -> bool {
        self.last_before(time).is_some_and(|start| minute_of(start) == minute_of(time))
    }

    /// The last start up to this time; `None` where there is none.
    #[must_use]
    pub fn last_before(self, time: Timestamp) -> Option<Timestamp> {
        let Self::Every { period, offset } = self else { return None };
        let (period, offset) = (i64::try_from(period.as_secs()).ok()?, i64::try_from(offset.as_secs()).ok()?);
        let since = time.as_second().checked_sub(offset)?;
        Timestamp::from_second(time.as_second().checked_sub(since.checked_rem_euclid(period)?)?).ok()
    }

    /// The first start after this time; `None` where there is none.
    #[must_use]
    pub fn next_after(self, time: Timestamp) -> Option<Timestamp> {
        let Self::Every { period, .. } = self else { return None };
        self.last_before(time)?.checked_add(period).ok()
    }
}

/// As a document says it: `manual`, or `{ every: 24h, offset: 90m }`.
impl fmt::Display for Timetable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manual => f.write_str(BY_HAND),
            Self::Every { period, offset } if offset.is_zero() => {
                write!(f, "{{ every: {} }}", in_units(*period))
            }
            Self::Every { period, offset } => {
                write!(f, "{{ every: {}, offset: {} }}", in_units(*period), in_units(*offset))
            }
        }
    }
}

/// Whole hours as such, anything else in minutes.
fn in_units(duration: Duration) -> String {
    match duration.as_secs() / MINUTE.as_secs() {
        minutes if minutes.is_multiple_of(60) => format!("{}h", minutes / 60),
        minutes => format!("{minutes}m"),
    }
}

fn is_in_minutes(duration: Duration) -> bool {
    duration.subsec_nanos() == 0 && duration.as_secs().is_multiple_of(MINUTE.as_secs())
}

fn minute_of(time: Timestamp) -> i64 {
    time.as_second().div_euclid(60)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::Timetable;
    use crate::route::Route;

    fn every(minutes: u64, offset: u64) -> Timetable {
        Timetable::Every { period: Duration::from_mins(minutes), offset: Duration::from_mins(offset) }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_starts_at_midnight_utc_and_an_offset_moves_it() {
        assert!(every(24 * 60, 0).is_due(at("2026-11-21T00:00:59Z")));
        assert!(!every(24 * 60, 0).is_due(at("2026-11-21T00:01:00Z")));
        assert!(every(24 * 60, 150).is_due(at("2026-11-21T02:30:00Z")));
        assert!(!every(24 * 60, 150).is_due(at("2026-11-21T00:00:00Z")));
        assert!(!Timetable::Manual.is_due(at("2026-11-21T00:00:00Z")));
    }

    proptest! {
        #[test]
        fn a_period_has_one_minute_that_is_due(period in 1..3_000_u64, offset in 0..3_000_u64, start in 0..4_000_000_000_i64) {
            let timetable = every(period, offset % period);
            let minute = |n: u64| Timestamp::from_second(start + i64::try_from(n).unwrap() * 60).unwrap();
            let due = (0..period).filter(|n| timetable.is_due(minute(*n))).count();
            prop_assert_eq!(due, 1);
        }

        #[test]
        fn the_next_start_is_the_first_minute_that_is_due(period in 1..3_000_u64, offset in 0..3_000_u64, time in 0..4_000_000_000_i64) {
            let timetable = every(period, offset % period);
            let time = Timestamp::from_second(time).unwrap();
            let next = timetable.next_after(time).unwrap();
            prop_assert!(next > time && timetable.is_due(next));
            prop_assert_eq!(timetable.last_before(next - Duration::from_secs(1)), timetable.last_before(time));
        }

        #[test]
        fn what_is_shown_can_be_written(period in 1..44_640_u64, offset in 0..44_640_u64) {
            let timetable = every(period, offset % period);
            let route = Route::parse(&format!("handler: x\nschedule: {timetable}")).unwrap();
            prop_assert_eq!(route.schedule, Some(timetable));
        }
    }

    #[test]
    fn a_schedule_is_read() {
        let schedule = |text: &str| Route::parse(&format!("handler: x\nschedule: {text}")).unwrap().schedule;
        assert_eq!(schedule("manual"), Some(Timetable::Manual));
        assert_eq!(
            (Timetable::Manual.to_string(), Timetable::Manual.next_after(at("2026-11-21T00:00:00Z"))),
            ("manual".to_owned(), None)
        );
        assert_eq!(schedule("{ every: 15m }"), Some(every(15, 0)));
        assert_eq!(schedule("{ every: 24h, offset: 2h }"), Some(every(24 * 60, 120)));
    }
}
