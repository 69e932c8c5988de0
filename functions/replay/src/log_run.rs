//! A run through the logs: webhooks that never reached the queue, put on it from the entries that keep them.
//!
//! They stand in the event log, and in the receiver's own log where the event log did not take them. An entry stays where
//! it is, so that what a run has sent is known by its own `message.replayed` entries alone.

use std::collections::HashSet;

use connector::event_log::{Component, EventType, Span};
use connector::failure::chain;
use connector::ports::{EventLogError, EventLogReader};
use jiff::Timestamp;

use crate::kept::{KeptMessage, Key, Reader, Reading, replayed};
use crate::pace::Pace;
use crate::replay::{Invocation, Records, Replay, ReplayError, TO_END};
use crate::report::{Line, Report};
use crate::request::{Kept, Request};

/// Most messages of a send: as many as fit one call.
const MAX_ENTRIES: usize = 10;
/// What to do where a run's time does not suffice to read up to the first that it is for.
const NARROWER: &str = "so much stands in the logs that nothing to send was come upon in time: invoke again for a shorter time, by \"from\" and \"to\"";

/// A run through the logs.
pub(crate) struct LogRun<'a> {
    replay: &'a Replay,
    request: &'a Request,
    how: Kept,
    records: Records<'a>,
    pace: Pace,
    /// What was sent, by this run or an earlier one.
    done: HashSet<Key>,
    /// Groups of which a message failed: those behind it wait for the next run.
    blocked: HashSet<String>,
    /// Of different groups.
    pending: Vec<KeptMessage>,
    report: Report,
}

/// Why a run ended before the last entry.
enum Stop {
    Limit,
    Time,
}

impl<'a> LogRun<'a> {
    pub(crate) fn new(
        replay: &'a Replay,
        request: &'a Request,
        invocation: &'a Invocation,
        how: Kept,
    ) -> Self {
        Self {
            replay,
            request,
            how,
            records: Records::new(replay, invocation),
            pace: Pace::new(replay.clock.clone(), request.rate_per_second),
            done: HashSet::new(),
            blocked: HashSet::new(),
            pending: Vec::new(),
            report: Report { dry_run: request.dry_run, ..Report::default() },
        }
    }

    pub(crate) async fn run(mut self, from: Timestamp, to: Timestamp) -> Result<Report, ReplayError> {
        let reader = self.reader().await?;
        self.read_done(from).await?;
        let span = Span { component: Component::WebhookReceiver, from, to };
        let mut stop = None;
        for log in [&self.replay.reader, &self.replay.receiver_log] {
            stop = match self.log(log.as_ref(), &span, &reader).await {
                Ok(stop) => stop,
                Err(error) if self.report == self.blank() => return Err(error.into()),
                Err(error) => {
                    self.report.fails(&chain(&error));
                    None
                }
            };
            if stop.is_some() {
                break;
            }
        }
        Ok(match stop {
            Some(Stop::Limit) => self.report.ended("the limit is reached", true),
            Some(Stop::Time) => self.out_of_time(),
            None if self.report.failed > 0 => {
                self.report.ended("not all could be read, verified or sent", true)
            }
            None => self.report.ended("all entries were seen", false),
        })
    }

    fn blank(&self) -> Report {
        Report { dry_run: self.request.dry_run, ..Report::default() }
    }

    /// A run that found nothing new to send would find nothing the next time either: it reads the same entries first.
    fn out_of_time(self) -> Report {
        let found_none = self.report.matched == 0;
        let report = self.report.ended("the function's time is nearly over", true);
        if found_none { Report { next: NARROWER.to_owned(), ..report } } else { report }
    }

    async fn reader(&self) -> Result<Reader<'a>, ReplayError> {
        let replay = self.replay;
        Ok(match self.how {
            Kept::Unqueued => Reader::Unqueued,
            Kept::Unverified => Reader::Unverified {
                keys: replay.keys.get().await?,
                sources: replay.sources.get().await?,
                served: &replay.served,
            },
        })
    }

    /// Learns what earlier runs have sent. An entry is replayed after it was written, so that `from` bounds both.
    async fn read_done(&mut self, from: Timestamp) -> Result<(), EventLogError> {
        let span = Span { component: Component::Replay, from, to: self.records.now() };
        let mut next = None;
        loop {
            let page = self.replay.reader.page(&span, next.as_deref()).await?;
            self.done.extend(page.lines.iter().filter_map(|line| replayed(line)));
            next = page.next;
            if next.is_none() {
                return Ok(());
            }
        }
    }

    /// Works off a log; what stops the run.
    async fn log(
        &mut self,
        log: &dyn EventLogReader,
        span: &Span,
        reader: &Reader<'_>,
    ) -> Result<Option<Stop>, EventLogError> {
        let mut next = None;
        loop {
            let page = log.page(span, next.as_deref()).await?;
            if let Some(stop) = self.entries(&page.lines, reader).await {
                return Ok(Some(stop));
            }
            next = page.next;
            if next.is_none() {
                return Ok(None);
            }
            if self.records.left() <= TO_END {
                return Ok(Some(Stop::Time));
            }
        }
    }

    /// Works off a page; what stops the run.
    async fn entries(&mut self, lines: &[String], reader: &Reader<'_>) -> Option<Stop> {
        for line in lines {
            let kept = match reader.read(line) {
                None => continue,
                Some(Reading::Refused(reason)) => {
                    self.report.refuses(&reason);
                    continue;
                }
                Some(Reading::Unverifiable(reason)) => {
                    self.report.fails(&reason);
                    continue;
                }
                Some(Reading::Message(kept))
                    if self.request.filter.is_for(kept.message.as_ref(), &kept.about) =>
                {
                    *kept
                }
                Some(Reading::Ping | Reading::Message(_)) => {
                    self.report.left += 1;
                    continue;
                }
            };
            if self.is_full() || self.pending.iter().any(|pending| pending.group() == kept.group()) {
                self.send().await;
            }
            if let Some(stop) = self.due() {
                self.send().await;
                return Some(stop);
            }
            self.take(kept);
        }
        self.send().await;
        None
    }

    fn is_full(&self) -> bool {
        self.pending.len() >= MAX_ENTRIES.min(self.pace.burst())
    }

    fn due(&self) -> Option<Stop> {
        let taken = if self.request.dry_run { self.report.matched } else { self.report.moved };
        if self.records.left() <= TO_END {
            return Some(Stop::Time);
        }
        let pending = u64::try_from(self.pending.len()).unwrap_or(u64::MAX);
        (taken.saturating_add(pending) >= self.request.limit).then_some(Stop::Limit)
    }

    fn take(&mut self, kept: KeptMessage) {
        if self.blocked.contains(kept.group()) {
            self.report.left += 1;
        } else if self.done.contains(&kept.key) {
            self.report.already_replayed += 1;
        } else if self.request.dry_run {
            self.report.matches(Line::from(&kept));
            self.done.insert(kept.key);
        } else {
            self.report.matches(Line::from(&kept));
            self.pending.push(kept);
        }
    }

    async fn send(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        self.pace.wait_for(pending.len()).await;
        let outgoing: Vec<_> = pending.iter().map(|kept| kept.outgoing.clone()).collect();
        let results = self.replay.event_queue.send_all(&outgoing).await;
        for (kept, result) in pending.into_iter().zip(results) {
            let (now, request) = (self.records.now(), self.records.request_id());
            match result {
                Ok(()) => {
                    self.report.moved += 1;
                    self.records.moved(kept.entry(EventType::MessageReplayed, now, request));
                    self.done.insert(kept.key);
                }
                Err(error) => {
                    let text = self.records.failed(&error, |kind| kept.entry(kind, now, request));
                    self.report.fails(&text);
                    self.blocked.insert(kept.outgoing.group);
                }
            }
        }
        self.records.store().await;
    }
}
