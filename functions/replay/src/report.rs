//! What a run did: the function's answer, to be read in the console.

use std::collections::BTreeMap;

use connector::disposition::Reason;
use jiff::Timestamp;
use serde::Serialize;

use crate::candidate::Candidate;

/// How many messages are shown one by one.
const SHOWN: usize = 20;
/// Stands for the reasons of refusals that are too many to tell.
const OTHER: &str = "other reasons";

/// What a run did. The counts are of messages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether the run only looked.
    pub dry_run: bool,
    /// Whether all was seen, and nothing failed.
    pub finished: bool,
    /// Why the run ended.
    pub stopped: String,
    /// What to do now.
    pub next: String,
    /// Meant by the filter and within the limit.
    pub matched: u64,
    /// Sent to the event queue, confirmed.
    pub moved: u64,
    /// Seen and left where they stand.
    pub left: u64,
    /// Copied to the end of the undelivered queue and deleted, to reach those behind them.
    pub set_aside: u64,
    /// Sends that the queue did not confirm, and kept requests that cannot be verified, for what they need is still broken.
    pub failed: u64,
    /// Sent or copied, but the original is still there: they may come twice.
    pub sent_but_not_removed: u64,
    /// Webhooks that an earlier run, or an earlier entry, has already sent.
    #[serde(skip_serializing_if = "is_zero")]
    pub already_replayed: u64,
    /// Kept requests that are not genuine, or no event that is taken here: never sent.
    #[serde(skip_serializing_if = "is_zero")]
    pub refused: u64,
    /// Why, each with its count.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub refusals: BTreeMap<String, u64>,
    /// About how many stand behind the first ten of their group, where a dry run cannot see them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unseen: Option<u64>,
    /// The first failure, with its causes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The matched ones by the reason for which they were parked.
    pub by_reason: BTreeMap<String, u64>,
    /// The matched ones by endpoint.
    pub by_endpoint: BTreeMap<String, u64>,
    /// The first of the matched ones.
    pub messages: Vec<Line>,
}

/// A matched message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Id of the event at its source.
    pub id: Option<String>,
    /// Name of the message.
    pub name: Option<String>,
    /// Reference of the entity.
    pub entity_ref: Option<String>,
    /// Name of the route.
    pub route: Option<String>,
    /// Name of the endpoint.
    pub endpoint: Option<String>,
    /// Why it was parked.
    pub reason: Option<&'static str>,
    /// What happened.
    pub code: Option<String>,
    /// How often it was tried.
    pub attempts: Option<u32>,
    /// The receiver's last status.
    pub status: Option<u16>,
    /// When it was parked.
    pub time: Option<Timestamp>,
}

impl Report {
    /// Counts a matched message.
    pub fn matches(&mut self, line: Line) {
        self.matched += 1;
        count(&mut self.by_reason, line.reason.unwrap_or("unknown"));
        if let Some(endpoint) = &line.endpoint {
            count(&mut self.by_endpoint, endpoint);
        }
        if self.messages.len() < SHOWN {
            self.messages.push(line);
        }
    }

    /// Counts a kept request that is not sent, and why. A reason may quote what anybody has sent: the first ones are told.
    pub fn refuses(&mut self, reason: &str) {
        self.refused += 1;
        let is_told = self.refusals.len() < SHOWN || self.refusals.contains_key(reason);
        count(&mut self.refusals, if is_told { reason } else { OTHER });
    }

    /// Counts a failure; the first one is told.
    pub fn fails(&mut self, error: &str) {
        self.failed += 1;
        self.error.get_or_insert_with(|| error.to_owned());
    }

    /// Says how the run ended, and what to do now; `more` where it did not see all.
    #[must_use]
    pub fn ended(mut self, stopped: &str, more: bool) -> Self {
        stopped.clone_into(&mut self.stopped);
        self.finished = !more && self.failed == 0 && self.sent_but_not_removed == 0;
        self.next = match (self.dry_run, self.finished) {
            (true, true) if self.matched == 0 => "nothing matches".to_owned(),
            (true, true) => "nothing was moved; set \"dryRun\" to false to move the messages".to_owned(),
            (true, false) => {
                "nothing was moved, and there is more; set \"dryRun\" to false to move the messages"
                    .to_owned()
            }
            (false, true) => "nothing is left to do".to_owned(),
            (false, false) => "invoke again with the same input to go on".to_owned(),
        };
        self
    }
}

impl From<&Candidate> for Line {
    fn from(candidate: &Candidate) -> Self {
        let (message, stated) = (candidate.message.as_ref(), &candidate.stated);
        Self {
            id: message.map(|message| message.id.clone()),
            name: message.map(|message| message.name.clone()),
            entity_ref: candidate.about.entity_ref.clone(),
            route: stated.route.clone(),
            endpoint: stated.endpoint.clone(),
            reason: stated.reason.map(Reason::as_str),
            code: stated.code.clone(),
            attempts: stated.attempts,
            status: stated.status,
            time: Some(candidate.time()),
        }
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    *counts.entry(name.to_owned()).or_default() += 1;
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
