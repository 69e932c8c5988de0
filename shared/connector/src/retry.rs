//! When a failed message is tried again.

use std::time::Duration;

/// Delay after the first failed attempt.
pub const FIRST_DELAY: Duration = Duration::from_secs(5);
/// Longest delay. 100 receives (the event queue's maxReceiveCount) then end within the 14 days that SQS keeps a message.
pub const LONGEST_DELAY: Duration = Duration::from_hours(1);

/// Longest delay before a send is repeated whose first try may have arrived: within SQS's five minutes of deduplication.
pub const LONGEST_RESEND_DELAY: Duration = Duration::from_mins(4);

/// The delay before a send is tried again: [`delay_after`], but within the deduplication window.
#[must_use]
pub fn resend_delay_after(attempt: u32) -> Duration {
    delay_after(attempt).min(LONGEST_RESEND_DELAY)
}

/// The delay after attempt number `attempt` (from 1): doubles from 5 s up to 1 h.
#[must_use]
pub fn delay_after(attempt: u32) -> Duration {
    let factor = 2_u32.checked_pow(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST_DELAY.checked_mul(factor).map_or(LONGEST_DELAY, |delay| delay.min(LONGEST_DELAY))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LONGEST_DELAY, delay_after, resend_delay_after};

    #[test]
    fn the_delay_grows_and_stays_within_its_bounds() {
        let first: Vec<_> = (1..=4).map(|attempt| delay_after(attempt).as_secs()).collect();
        assert_eq!(first, [5, 10, 20, 40]);
        assert_eq!(delay_after(0).as_secs(), 5);
        assert!((11..=u32::MAX).step_by(1_000_003).all(|attempt| delay_after(attempt) == LONGEST_DELAY));
    }

    #[test]
    fn a_repeated_send_stays_within_the_deduplication_window() {
        assert!((0..=100).all(|attempt| resend_delay_after(attempt) < Duration::from_mins(5)));
    }

    #[test]
    fn a_hundred_receives_end_before_sqs_forgets_the_message() {
        let all: Duration = (1..=100).map(delay_after).sum();
        assert!(all < Duration::from_hours(14 * 24));
    }
}
