//! When a failed message is tried again: an endpoint's schedule for deliveries, and the pipeline's own delays.

use std::time::Duration;

use jiff::Timestamp;

const SECOND: Duration = Duration::from_secs(1);
/// Delays of an endpoint that sets none: seven attempts over 17 hours and 35 minutes (Standard Webhooks' first six).
pub const DEFAULT_DELAYS: [Duration; 6] = [
    SECOND.saturating_mul(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
];
/// Most delays of a schedule: twenty of the longest end within the 14 days that SQS keeps a message.
pub const MAX_DELAYS: usize = 20;
/// Longest delay, jitter and `Retry-After` included: SQS counts its limit of 12 hours from the receive.
pub const LONGEST_DELAY: Duration = Duration::from_hours(11);
/// A delay is drawn from this part below to this part above the schedule's, so that failures do not come back as one wave.
pub const JITTER: f64 = 0.2;

/// Delays between the attempts of a message at one endpoint; attempts are one more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(Vec<Duration>);

/// Why delays are no schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// More than [`MAX_DELAYS`].
    #[error("has {count} delays; at most {MAX_DELAYS} are allowed")]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// A delay over [`LONGEST_DELAY`].
    #[error("has a delay over 11h, the longest that SQS can wait for sure")]
    TooLong,
}

impl Default for Schedule {
    fn default() -> Self {
        Self(DEFAULT_DELAYS.to_vec())
    }
}

impl Schedule {
    /// A schedule of these delays; none means one attempt.
    ///
    /// # Errors
    /// [`ScheduleError`] by cause.
    pub fn new(delays: Vec<Duration>) -> Result<Self, ScheduleError> {
        if delays.len() > MAX_DELAYS {
            return Err(ScheduleError::TooMany { count: delays.len() });
        }
        if delays.iter().any(|delay| *delay > LONGEST_DELAY) {
            return Err(ScheduleError::TooLong);
        }
        Ok(Self(delays))
    }

    /// How long to wait after failed attempt `number` (from 1): the schedule's delay with jitter, or what the receiver
    /// asked for where that is longer; `None` once the attempts are used up. `chance` is from 0 up to 1.
    #[must_use]
    pub fn delay_after(&self, number: u32, asked: Option<Duration>, chance: f64) -> Option<Duration> {
        let index = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
        let delay = jittered(*self.0.get(index)?, chance);
        Some(delay.max(asked.unwrap_or_default()).min(LONGEST_DELAY))
    }

    /// Whether attempt `number` (from 1) is the last one.
    #[must_use]
    pub fn is_last(&self, number: u32) -> bool {
        usize::try_from(number).is_ok_and(|number| number > self.0.len())
    }
}

/// A delay within [`JITTER`] of this one, drawn by `chance` from 0 up to 1.
#[must_use]
pub fn jittered(delay: Duration, chance: f64) -> Duration {
    delay.mul_f64(1.0 - JITTER + 2.0 * JITTER * chance.clamp(0.0, 1.0))
}

/// What `Retry-After` asks for: seconds, or a date in one of HTTP's three spellings (RFC 9110, 10.2.3 and 5.6.7). `None`
/// where it is neither, or in the past.
#[must_use]
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(value.parse().map_or(LONGEST_DELAY, Duration::from_secs)); // too long for a number is still long
    }
    let date = Timestamp::try_from(httpdate::parse_http_date(value).ok()?).ok()?;
    Duration::try_from(date.duration_since(now)).ok()
}

/// First delay after a fault of the pipeline.
pub const FIRST_PIPELINE_DELAY: Duration = Duration::from_secs(5);
/// Longest delay after a fault of the pipeline. 100 receives (the event queue's maxReceiveCount) then end within the 14
/// days that SQS keeps a message.
pub const LONGEST_PIPELINE_DELAY: Duration = Duration::from_hours(1);
/// Longest delay before a send is repeated whose first try may have arrived: within SQS's five minutes of deduplication.
pub const LONGEST_RESEND_DELAY: Duration = Duration::from_mins(4);

/// The delay after the pipeline failed a message that was received `receives` times: doubles from 5 s up to 1 h.
#[must_use]
pub fn pipeline_delay_after(receives: u32) -> Duration {
    let factor = 2_u32.checked_pow(receives.saturating_sub(1)).unwrap_or(u32::MAX);
    let delay = FIRST_PIPELINE_DELAY.checked_mul(factor);
    delay.map_or(LONGEST_PIPELINE_DELAY, |delay| delay.min(LONGEST_PIPELINE_DELAY))
}

/// The delay before a send is tried again: [`pipeline_delay_after`], but within the deduplication window.
#[must_use]
pub fn resend_delay_after(receives: u32) -> Duration {
    pipeline_delay_after(receives).min(LONGEST_RESEND_DELAY)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{
        LONGEST_DELAY, LONGEST_PIPELINE_DELAY, MAX_DELAYS, Schedule, ScheduleError, pipeline_delay_after,
        resend_delay_after, retry_after,
    };

    fn seconds(delays: &[u64]) -> Schedule {
        Schedule::new(delays.iter().copied().map(Duration::from_secs).collect()).unwrap()
    }

    #[test]
    fn the_default_schedule_has_seven_attempts() {
        let schedule = Schedule::default();
        let delays: Vec<_> = (1..=7)
            .map_while(|number| schedule.delay_after(number, None, 0.5))
            .map(|d| d.as_secs())
            .collect();
        assert_eq!(delays, [5, 300, 1_800, 7_200, 18_000, 36_000]);
        assert!(!schedule.is_last(6) && schedule.is_last(7) && schedule.is_last(u32::MAX));
    }

    #[test]
    fn no_delays_mean_one_attempt() {
        assert_eq!(seconds(&[]).delay_after(1, None, 0.5), None);
        assert!(seconds(&[]).is_last(1));
    }

    #[test]
    fn a_schedule_has_at_most_twenty_delays_of_eleven_hours() {
        let longest = |count| Schedule::new(vec![LONGEST_DELAY; count]);
        assert!(longest(MAX_DELAYS).is_ok());
        assert_eq!(longest(MAX_DELAYS + 1), Err(ScheduleError::TooMany { count: 21 }));
        let over = LONGEST_DELAY + Duration::from_millis(1);
        assert_eq!(Schedule::new(vec![over]), Err(ScheduleError::TooLong));
        let all = LONGEST_DELAY * u32::try_from(MAX_DELAYS).unwrap();
        assert!(all < Duration::from_hours(14 * 24), "SQS keeps a message for 14 days");
    }

    proptest! {
        #[test]
        fn a_delay_is_within_a_fifth_of_the_schedule_and_never_below_what_was_asked_for(
            delay in 0..50_000_u64, asked in prop::option::of(0..100_000_u64), chance in 0.0..1.0_f64,
        ) {
            let delay = Duration::from_secs(delay).min(LONGEST_DELAY);
            let asked = asked.map(Duration::from_secs);
            let wait = Schedule::new(vec![delay]).unwrap().delay_after(1, asked, chance).unwrap();
            let asked = asked.unwrap_or_default();
            prop_assert!(wait <= LONGEST_DELAY && wait >= delay.mul_f64(0.799).max(asked).min(LONGEST_DELAY));
            prop_assert!(wait <= delay.mul_f64(1.201).max(asked));
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "2026-11-20T08:30:00Z".parse().unwrap();
        for (value, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Fri, 20 Nov 2026 08:31:00 GMT", Some(60)),
            ("Friday, 20-Nov-26 08:31:00 GMT", Some(60)),
            ("Fri Nov 20 08:31:00 2026", Some(60)),
            ("99999999999999999999999", Some(LONGEST_DELAY.as_secs())),
            ("Fri, 20 Nov 2026 08:29:00 GMT", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(value, now).map(|delay| delay.as_secs()), seconds, "{value}");
        }
    }

    #[test]
    fn the_pipelines_delay_grows_and_stays_within_its_bounds() {
        let first: Vec<_> = (1..=4).map(|receives| pipeline_delay_after(receives).as_secs()).collect();
        assert_eq!(first, [5, 10, 20, 40]);
        assert_eq!(pipeline_delay_after(0).as_secs(), 5);
        assert!(
            (11..=u32::MAX).step_by(1_000_003).all(|n| pipeline_delay_after(n) == LONGEST_PIPELINE_DELAY)
        );
        let all: Duration = (1..=100).map(pipeline_delay_after).sum();
        assert!(all < Duration::from_hours(14 * 24), "a hundred receives end before SQS forgets the message");
    }

    #[test]
    fn a_repeated_send_stays_within_the_deduplication_window() {
        assert!((0..=100).all(|receives| resend_delay_after(receives) < Duration::from_mins(5)));
    }
}
