//! A queue's backlog: how many wait, for how long, and what that means for this queue.

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Datapoint, Statistic};
use aws_sdk_sqs::types::QueueAttributeName as Queued;
use jiff::Timestamp;

use crate::diagnosis::Check;
use crate::finding::counted;
use crate::metric::Metric;
use crate::session::{Session, refused};

/// An event queue or ct-queue whose oldest message waits longer is worth a look, in seconds: of the ct-queue nothing is
/// meant to wait, of the event queue only what a failing endpoint has had tried several times, long before its alarm rings.
const WAITS_LONG_S: f64 = 900.0;
/// Ten of the fourteen days that the undelivered queue keeps a message, in seconds.
const LAST_DAYS_S: f64 = 864_000.0;

/// What a queue is for, which decides what a backlog means.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Backlog {
    Event,
    Undelivered,
    DeadLetter,
    Ct,
    CtDeadLetter,
}

impl Backlog {
    fn name(self) -> &'static str {
        match self {
            Self::Event => "event queue",
            Self::Undelivered => "undelivered queue",
            Self::DeadLetter => "dead-letter queue",
            Self::Ct => "ct-queue",
            Self::CtDeadLetter => "ct-queue's dead-letter queue",
        }
    }

    /// Looks at the queue at this URL.
    pub(crate) async fn examine(self, url: &str, session: &Session, now: Timestamp) -> Check {
        let waiting = match waiting(url, session).await {
            Ok(waiting) => waiting,
            Err(error) => return Check::unmade(self.name(), &error),
        };
        let oldest = if waiting > 0 { oldest_s(url, session, now).await } else { Ok(None) };
        let age = match &oldest {
            Ok(None) => String::new(),
            Ok(Some(age)) => format!(", oldest {}", aged(*age)),
            Err(error) => format!(", {error:#}"),
        };
        let found = format!("{}{age}", counted(waiting, "message"));
        self.check(waiting, oldest.ok().flatten().unwrap_or_default(), found)
    }

    fn check(self, waiting: usize, age_s: f64, found: String) -> Check {
        match self {
            Self::Event if age_s > WAITS_LONG_S => {
                Check::warn(self.name(), found, "an endpoint fails: `connector tail`, and mend it")
            }
            Self::Undelivered if waiting > 0 && age_s > LAST_DAYS_S => Check::fail(
                self.name(),
                found,
                "messages are lost after 14 days: mend the cause, `connector replay --run`",
            ),
            Self::Undelivered if waiting > 0 => {
                Check::warn(self.name(), found, "see why with `connector replay`, mend it, add --run")
            }
            Self::DeadLetter if waiting > 0 => Check::fail(
                self.name(),
                found,
                "a fault of the pipeline: `connector tail --type message.fault`, then redrive",
            ),
            Self::Ct if age_s > WAITS_LONG_S => Check::warn(
                self.name(),
                found,
                "notifications wait: see the event source and the log of CtQueueListener",
            ),
            Self::CtDeadLetter if waiting > 0 => Check::fail(
                self.name(),
                found,
                "no notifications, or never queued: see `code` of each in the SQS console, mend, then redrive",
            ),
            Self::Event | Self::Undelivered | Self::DeadLetter | Self::Ct | Self::CtDeadLetter => {
                Check::ok(self.name(), found)
            }
        }
    }
}

/// Messages of a queue, those in flight and those that are delayed too.
async fn waiting(url: &str, session: &Session) -> anyhow::Result<usize> {
    let names = [
        Queued::ApproximateNumberOfMessages,
        Queued::ApproximateNumberOfMessagesNotVisible,
        Queued::ApproximateNumberOfMessagesDelayed,
    ];
    let client = session.queues();
    let call = client.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.to_vec()));
    let answer = call.send().await.map_err(|error| refused("it cannot be asked", &error))?;
    let count =
        |name| answer.attributes().and_then(|all| all.get(name)?.parse::<usize>().ok()).unwrap_or_default();
    Ok(names.iter().map(count).sum())
}

/// The age of a queue's oldest message in seconds, as CloudWatch last heard of it; SQS itself does not tell.
async fn oldest_s(url: &str, session: &Session, now: Timestamp) -> anyhow::Result<Option<f64>> {
    let name = url.rsplit('/').next().unwrap_or_default();
    let age = Metric {
        namespace: "AWS/SQS",
        name: "ApproximateAgeOfOldestMessage",
        dimension: ("QueueName", name),
        statistic: Statistic::Maximum,
    };
    let points = age.lately(session, now, "the age of its oldest is not known").await?;
    let newest = points.iter().max_by_key(|point| point.timestamp().map(DateTime::secs));
    Ok(newest.and_then(Datapoint::maximum))
}

/// An age for people.
fn aged(seconds: f64) -> String {
    let minutes = seconds / 60.0;
    if minutes < 2.0 {
        format!("{seconds:.0} s")
    } else if minutes < 120.0 {
        format!("{minutes:.0} min")
    } else {
        format!("{:.0} h", minutes / 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Backlog, aged};
    use crate::diagnosis::State;

    #[test]
    fn what_waits_means_something_else_in_each_queue() {
        let state = |queue: Backlog, waiting, age_s| queue.check(waiting, age_s, String::new()).state;
        assert_eq!(state(Backlog::Event, 1_000, 60.0), State::Ok, "it is at work");
        assert_eq!(state(Backlog::Event, 1, 1_000.0), State::Warn);
        assert_eq!(state(Backlog::Undelivered, 0, 0.0), State::Ok);
        assert_eq!(state(Backlog::Undelivered, 1, 60.0), State::Warn);
        assert_eq!(state(Backlog::Undelivered, 1, 900_000.0), State::Fail, "soon it is lost");
        assert_eq!(state(Backlog::DeadLetter, 1, 0.0), State::Fail);
        assert_eq!(state(Backlog::Ct, 1_000, 60.0), State::Ok, "it is at work");
        assert_eq!(state(Backlog::Ct, 1, 1_000.0), State::Warn);
        assert_eq!([0, 1].map(|n| state(Backlog::CtDeadLetter, n, 0.0)), [State::Ok, State::Fail]);
    }

    #[test]
    fn ages_are_read_at_a_glance() {
        assert_eq!([90.0, 600.0, 864_000.0].map(aged), ["90 s", "10 min", "240 h"]);
    }
}
