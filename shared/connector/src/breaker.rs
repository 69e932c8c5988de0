//! Keeps an endpoint that hangs from taking the time of all others.
//!
//! An execution environment works on one message at a time, and an attempt at an endpoint that hangs costs it the whole
//! timeout. After some in a row it stops sending there for a while: those messages fail at once and wait as their
//! schedule says, and the environment is free. The last attempt of a schedule is always made.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::endpoint_url::EndpointUrl;
use crate::retry::jittered;

/// Timeouts in a row, at one URL and in one execution environment, after which nothing is sent there for a while.
pub const TIMEOUTS: u32 = 2;
/// How long nothing is sent at first; doubles with each further timeout.
pub const FIRST_REST: Duration = Duration::from_secs(30);
/// The longest such time.
pub const LONGEST_REST: Duration = Duration::from_mins(5);

/// What an execution environment knows of the endpoints that hang.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<HashMap<String, Hanging>>);

#[derive(Debug, Default)]
struct Hanging {
    timeouts: u32,
    rest_until: Option<Timestamp>,
}

impl Breaker {
    /// Until when nothing should be sent to this URL; `None` where it may be tried.
    #[must_use]
    pub fn rests_until(&self, url: &EndpointUrl, now: Timestamp) -> Option<Timestamp> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(url.place())?.rest_until.filter(|until| now < *until)
    }

    /// Learns from an attempt that ended now: with a timeout, or with anything else. `chance`, from 0 up to 1, spreads the
    /// ends of rests by a fifth, so that not all execution environments try again at once.
    pub fn learn(&self, url: &EndpointUrl, timed_out: bool, now: Timestamp, chance: f64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !timed_out {
            known.remove(url.place());
            return;
        }
        let hanging = known.entry(url.place().to_owned()).or_default();
        hanging.timeouts = hanging.timeouts.saturating_add(1);
        if let Some(beyond) = hanging.timeouts.checked_sub(TIMEOUTS) {
            let factor = 2_u32.checked_pow(beyond).unwrap_or(u32::MAX);
            let rest = FIRST_REST.checked_mul(factor).map_or(LONGEST_REST, |rest| rest.min(LONGEST_REST));
            hanging.rest_until = now.saturating_add(jittered(rest, chance)).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Breaker, LONGEST_REST};
    use crate::endpoint_url::EndpointUrl;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn an_endpoint_that_hangs_is_left_alone_for_a_growing_while_and_others_are_not() {
        let (breaker, url) = (Breaker::default(), EndpointUrl::parse("https://a.example").unwrap());
        breaker.learn(&url, true, at(0), 0.5);
        assert_eq!(breaker.rests_until(&url, at(0)), None, "one timeout may be one slow order");
        breaker.learn(&url, true, at(10), 0.5);
        assert_eq!(breaker.rests_until(&url, at(10)), Some(at(40)));
        assert_eq!(breaker.rests_until(&url, at(40)), None, "then it is tried again");
        breaker.learn(&url, true, at(50), 0.5);
        assert_eq!(breaker.rests_until(&url, at(50)), Some(at(110)));
        assert_eq!(breaker.rests_until(&EndpointUrl::parse("https://b.example").unwrap(), at(50)), None);
        breaker.learn(&url, false, at(120), 0.5);
        breaker.learn(&url, true, at(121), 0.5);
        assert_eq!(breaker.rests_until(&url, at(121)), None, "an answer makes all well");
    }

    #[test]
    fn the_while_has_an_end() {
        let (breaker, url) = (Breaker::default(), EndpointUrl::parse("https://a.example").unwrap());
        for _ in 0..100 {
            breaker.learn(&url, true, at(0), 0.5);
        }
        let longest = at(0).saturating_add(LONGEST_REST).unwrap();
        assert_eq!(breaker.rests_until(&url, at(0)), Some(longest));
        breaker.learn(&url, true, at(0), 0.0);
        assert_eq!(breaker.rests_until(&url, at(0)), Some(at(240)), "spread by a fifth");
    }
}
