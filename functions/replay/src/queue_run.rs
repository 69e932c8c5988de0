//! A run through the undelivered queue.
//!
//! Each receive is worked off in rounds of one message a group, so that of a group nothing is sent before what stands
//! ahead of it is confirmed. An original is deleted only after its copy is confirmed.

use std::collections::BTreeMap;
use std::time::Duration;

use connector::event_log::{Entry, EventType};
use connector::message::Outgoing;
use connector::ports::QueueError;
use connector::undelivered::SetAside;

use crate::candidate::Candidate;
use crate::filter::Match;
use crate::lanes::{Lane, Room, Scope, Standing, Step, lanes};
use crate::pace::Pace;
use crate::replay::{Invocation, Records, Replay, ReplayError, TO_END, TO_TAKE};
use crate::report::{Line, Report};
use crate::request::Request;

/// How often a message is deleted or released, the first time included.
const TRIES: usize = 3;
/// Receives without a message that say that there is none.
const EMPTY_RECEIVES: usize = 2;
/// Longest time that a received message is hidden: no function runs longer.
const LONGEST_HIDDEN: Duration = Duration::from_mins(15);

/// A run through the undelivered queue.
pub(crate) struct QueueRun<'a> {
    replay: &'a Replay,
    request: &'a Request,
    records: Records<'a>,
    scope: Scope<'a>,
    pace: Pace,
    /// Groups that are no longer untouched.
    standings: BTreeMap<String, Standing>,
    /// Receipts of what was left.
    kept: Vec<String>,
    /// Receipts of what was sent but not deleted.
    undeleted: Vec<String>,
    receives: u64,
    report: Report,
}

/// Messages to send at once, of different groups.
#[derive(Default)]
struct Round {
    takes: Vec<Candidate>,
    asides: Vec<Candidate>,
}

/// Why a run ended.
enum Stop {
    End,
    Limit,
    Time,
    InFlight,
    Unreadable(QueueError),
}

impl<'a> QueueRun<'a> {
    pub(crate) fn new(replay: &'a Replay, request: &'a Request, invocation: &'a Invocation) -> Self {
        let records = Records::new(replay, invocation);
        let copies = format!("aside/{}/", invocation.request_id);
        Self {
            scope: Scope { filter: &request.filter, start: records.now(), copies },
            replay,
            request,
            records,
            pace: Pace::new(replay.clock.clone(), request.rate_per_second),
            standings: BTreeMap::new(),
            kept: Vec::new(),
            undeleted: Vec::new(),
            receives: 0,
            report: Report { dry_run: request.dry_run, ..Report::default() },
        }
    }

    pub(crate) async fn run(mut self) -> Result<Report, ReplayError> {
        let stop = self.work().await;
        if let Stop::Unreadable(error) = stop {
            if self.receives == 1 {
                return Err(error.into());
            }
            let (now, request) = (self.records.now(), self.records.request_id());
            let text = self.records.failed(&error, |kind| Entry::new(kind, now).field("request.id", request));
            self.report.fails(&text);
            return Ok(self.wind_up("the undelivered queue could not be read", true).await);
        }
        let (text, more) = match stop {
            Stop::End if self.room(0) == Room::Finish => ("the limit is reached", true),
            Stop::End if !self.undeleted.is_empty() => {
                ("a message could not be deleted, so that no more of its group was seen", true)
            }
            Stop::End => ("all messages were seen", false),
            Stop::Limit => ("the limit is reached", true),
            Stop::Time => ("the function's time is nearly over", true),
            Stop::InFlight => ("as many messages are in flight as SQS allows", true),
            Stop::Unreadable(_) => ("the undelivered queue could not be read", true),
        };
        Ok(self.wind_up(text, more).await)
    }

    async fn work(&mut self) -> Stop {
        let mut empty = 0;
        loop {
            if let Some(stop) = self.due() {
                return stop;
            }
            match self.receive().await {
                Err(QueueError::InFlight(_)) => return Stop::InFlight,
                Err(error) => return Stop::Unreadable(error),
                Ok(candidates) if candidates.is_empty() => {
                    empty += 1;
                    if empty == EMPTY_RECEIVES {
                        return Stop::End;
                    }
                }
                Ok(candidates) => {
                    empty = 0;
                    if self.request.dry_run {
                        self.look_at(candidates);
                    } else {
                        self.work_off(candidates).await;
                    }
                }
            }
            self.records.store().await;
        }
    }

    /// Whether the run has to end: not while a group is half set aside, unless no time is left.
    fn due(&self) -> Option<Stop> {
        let half = |standing: &Standing| matches!(standing, Standing::Open | Standing::Finishing);
        let half = self.standings.values().any(half);
        match self.room(0) {
            Room::None => Some(Stop::Time),
            Room::Finish if half => None,
            Room::Finish if self.records.left() <= TO_TAKE => Some(Stop::Time),
            Room::Finish => Some(Stop::Limit),
            Room::Take => None,
        }
    }

    /// What there is room for while so many are about to be taken.
    fn room(&self, about_to: usize) -> Room {
        let left = self.records.left();
        let taken = if self.request.dry_run { self.report.matched } else { self.report.moved };
        let taken = taken.saturating_add(u64::try_from(about_to).unwrap_or(u64::MAX));
        if left <= TO_END {
            Room::None
        } else if left <= TO_TAKE || taken >= self.request.limit {
            Room::Finish
        } else {
            Room::Take
        }
    }

    async fn receive(&mut self) -> Result<Vec<Candidate>, QueueError> {
        self.receives += 1;
        let attempt = format!("{}/{}", self.records.request_id(), self.receives);
        let hidden_for = Duration::try_from(self.records.left()).unwrap_or_default().min(LONGEST_HIDDEN);
        let received = self.replay.undelivered_queue.receive(&attempt, hidden_for).await?;
        Ok(received.into_iter().map(Candidate::of).collect())
    }

    fn look_at(&mut self, candidates: Vec<Candidate>) {
        for candidate in candidates {
            let old = candidate.received.sent <= self.scope.start;
            if old && self.room(0) == Room::Take && self.scope.filter.matches(&candidate) == Match::Yes {
                self.report.matches(Line::from(&candidate));
            } else {
                self.report.left += 1;
            }
            self.kept.push(candidate.received.receipt);
        }
    }

    async fn work_off(&mut self, candidates: Vec<Candidate>) {
        let mut lanes = lanes(candidates, &self.scope);
        for lane in &mut lanes {
            lane.standing = self.standings.get(&lane.group).copied().unwrap_or_default();
        }
        while let Some(round) = self.round(&mut lanes) {
            let failed = self.take(round.takes).await;
            put_back(&mut lanes, Step::Take, failed);
            let failed = self.set_aside(round.asides).await;
            put_back(&mut lanes, Step::SetAside, failed);
        }
        let touched = lanes.into_iter().filter(|lane| lane.standing != Standing::Untouched);
        self.standings.extend(touched.map(|lane| (lane.group, lane.standing)));
    }

    /// The next message of each group that is to be sent; `None` where there is no more.
    fn round(&mut self, lanes: &mut [Lane]) -> Option<Round> {
        let mut round = Round::default();
        for lane in lanes {
            while let Some((step, candidate)) = lane.next(&self.scope, self.room(round.takes.len())) {
                match step {
                    Step::Take => round.takes.push(candidate),
                    Step::SetAside => round.asides.push(candidate),
                    Step::Leave => {
                        let copy = self.scope.is_copy(&candidate); // counted when its original was set aside
                        self.report.left += u64::from(!copy);
                        self.kept.push(candidate.received.receipt);
                        continue;
                    }
                }
                break;
            }
        }
        (!round.takes.is_empty() || !round.asides.is_empty()).then_some(round)
    }

    /// Sends messages of different groups to the event queue; those that failed.
    async fn take(&mut self, candidates: Vec<Candidate>) -> Vec<Candidate> {
        let mut failed = Vec::new();
        let mut candidates = candidates.into_iter().peekable();
        while candidates.peek().is_some() {
            let burst: Vec<_> = candidates.by_ref().take(self.pace.burst()).collect();
            self.pace.wait_for(burst.len()).await;
            let outgoing: Vec<Outgoing> = burst.iter().map(Candidate::outgoing).collect();
            let results = self.replay.event_queue.send_all(&outgoing).await;
            let mut moved = Vec::new();
            for (candidate, result) in burst.into_iter().zip(results) {
                self.report.matches(Line::from(&candidate));
                match result {
                    Ok(()) => {
                        self.report.moved += 1;
                        let request = self.records.request_id();
                        let entry = candidate.entry(EventType::MessageReplayed, self.records.now(), request);
                        self.records.moved(entry);
                        moved.push(candidate.received.receipt);
                    }
                    Err(error) => {
                        self.fails(&error, &candidate);
                        failed.push(candidate);
                    }
                }
            }
            self.delete(moved).await;
        }
        failed
    }

    /// Copies messages of different groups to the end of the undelivered queue; those that failed.
    async fn set_aside(&mut self, mut candidates: Vec<Candidate>) -> Vec<Candidate> {
        if candidates.is_empty() {
            return Vec::new();
        }
        candidates.iter_mut().for_each(Candidate::keep_time);
        let copy = |candidate: &'_ Candidate| format!("{}{}", self.scope.copies, candidate.received.id);
        let ids: Vec<_> = candidates.iter().map(copy).collect();
        let copies: Vec<_> = candidates
            .iter()
            .zip(ids)
            .map(|(candidate, deduplication)| SetAside { message: &candidate.received, deduplication })
            .collect();
        let results = self.replay.undelivered_queue.set_aside(&copies).await;
        let (mut originals, mut failed) = (Vec::new(), Vec::new());
        for (candidate, result) in candidates.into_iter().zip(results) {
            match result {
                Ok(()) => {
                    self.report.set_aside += 1;
                    originals.push(candidate.received.receipt);
                }
                Err(error) => {
                    self.fails(&error, &candidate);
                    failed.push(candidate);
                }
            }
        }
        self.delete(originals).await;
        failed
    }

    fn fails(&mut self, error: &QueueError, candidate: &Candidate) {
        let (now, request) = (self.records.now(), self.records.request_id());
        let text = self.records.failed(error, |kind| candidate.entry(kind, now, request));
        self.report.fails(&text);
    }

    async fn delete(&mut self, receipts: Vec<String>) {
        let left = self.delete_trying(receipts, TRIES).await;
        self.undeleted.extend(left);
    }

    /// Deletes originals; the receipts of those that are still there.
    async fn delete_trying(&self, mut receipts: Vec<String>, tries: usize) -> Vec<String> {
        for _ in 0..tries {
            if receipts.is_empty() {
                break;
            }
            let asked: Vec<_> = receipts.iter().map(String::as_str).collect();
            let results = self.replay.undelivered_queue.delete(&asked).await;
            let mut results = results.into_iter();
            receipts.retain(|_| !matches!(results.next(), Some(Ok(()))));
        }
        receipts
    }

    /// Makes all that was left visible again; how many are not.
    async fn release(&mut self) -> usize {
        let mut kept = std::mem::take(&mut self.kept);
        for _ in 0..TRIES {
            if kept.is_empty() {
                break;
            }
            let asked: Vec<_> = kept.iter().map(String::as_str).collect();
            let mut results = self.replay.undelivered_queue.release(&asked).await.into_iter();
            kept.retain(|_| !matches!(results.next(), Some(Ok(()))));
        }
        kept.len()
    }

    /// Gives back what was left, and makes the report.
    async fn wind_up(mut self, stopped: &str, more: bool) -> Report {
        let undeleted = std::mem::take(&mut self.undeleted);
        let undeleted = self.delete_trying(undeleted, 1).await;
        self.report.sent_but_not_removed = u64::try_from(undeleted.len()).unwrap_or(u64::MAX);
        if self.request.dry_run {
            self.report.unseen = self.replay.undelivered_queue.waiting().await.ok();
        }
        let hidden = self.release().await;
        let mut report = self.report.ended(stopped, more);
        if let Some(unseen @ 1..) = report.unseen {
            let text = format!(
                "; about {unseen} more stand behind the first ten of their group, where only a run that moves gets"
            );
            report.next.push_str(&text);
        }
        if hidden > 0 {
            let text = format!("; {hidden} messages that were left come back within 15 minutes");
            report.next.push_str(&text);
        }
        report
    }
}

fn put_back(lanes: &mut [Lane], step: Step, failed: Vec<Candidate>) {
    for candidate in failed {
        if let Some(lane) = lanes.iter_mut().find(|lane| lane.group == candidate.received.group) {
            lane.failed(step, candidate);
        }
    }
}
