//! A run through the event log: genuine webhooks that never reached the queue, put on it from their `inbound.unqueued`
//! entries.
//!
//! An entry stays where it is, so that what a run has sent is known by its own `message.replayed` entries alone.

use std::collections::HashSet;
use std::fmt::Write as _;

use connector::event_log::{Component, Entry, EventType, Span, Subject};
use connector::message::{About, Message, Outgoing};
use connector::ports::EventLogError;
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::pace::Pace;
use crate::replay::{Invocation, Records, Replay, TO_END};
use crate::report::{Line, Report};
use crate::request::Request;

/// `reason` of what is replayed from the event log.
const REASON: &str = "unqueued";
/// Most messages of a send: as many as fit one call.
const MAX_ENTRIES: usize = 10;

/// A webhook that never reached the queue, as its entry tells it.
struct Unqueued {
    key: Key,
    name: Option<String>,
    body: String,
    group: String,
    trace: Option<String>,
    time: Option<Timestamp>,
    message: Option<Message>,
    about: About,
}

/// Source and id of a message.
type Key = (String, String);

/// A run through the event log.
pub(crate) struct UnqueuedRun<'a> {
    replay: &'a Replay,
    request: &'a Request,
    records: Records<'a>,
    pace: Pace,
    /// What was sent, by this run or an earlier one.
    done: HashSet<Key>,
    /// Groups of which a message failed: those behind it wait for the next run.
    blocked: HashSet<String>,
    /// Of different groups.
    pending: Vec<Unqueued>,
    report: Report,
}

/// Why a run ended before the last entry.
enum Stop {
    Limit,
    Time,
}

impl<'a> UnqueuedRun<'a> {
    pub(crate) fn new(replay: &'a Replay, request: &'a Request, invocation: &'a Invocation) -> Self {
        Self {
            replay,
            request,
            records: Records::new(replay, invocation),
            pace: Pace::new(replay.clock.clone(), request.rate_per_second),
            done: HashSet::new(),
            blocked: HashSet::new(),
            pending: Vec::new(),
            report: Report { dry_run: request.dry_run, ..Report::default() },
        }
    }

    pub(crate) async fn run(mut self, from: Timestamp, to: Timestamp) -> Result<Report, EventLogError> {
        self.read_done(from).await?;
        let span = Span { component: Component::WebhookReceiver, from, to };
        let mut next = None;
        let stop = loop {
            let page = match self.replay.reader.page(&span, next.as_deref()).await {
                Ok(page) => page,
                Err(error) if self.report == self.blank() => return Err(error),
                Err(error) => {
                    self.report.fails(&connector::failure::chain(&error));
                    break None;
                }
            };
            if let Some(stop) = self.entries(&page.lines).await {
                break Some(stop);
            }
            next = page.next;
            if next.is_none() {
                break None;
            }
        };
        Ok(match stop {
            Some(Stop::Limit) => self.report.ended("the limit is reached", true),
            Some(Stop::Time) => self.report.ended("the function's time is nearly over", true),
            None if self.report.failed > 0 => self.report.ended("not all could be read or sent", true),
            None => self.report.ended("all entries were seen", false),
        })
    }

    fn blank(&self) -> Report {
        Report { dry_run: self.request.dry_run, ..Report::default() }
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

    /// Works off a page; what stops the run.
    async fn entries(&mut self, lines: &[String]) -> Option<Stop> {
        for line in lines {
            let Some(unqueued) = Unqueued::read(line) else { continue };
            if !self.request.filter.is_for(unqueued.message.as_ref(), &unqueued.about) {
                self.report.left += 1;
                continue;
            }
            if self.is_full() || self.pending.iter().any(|pending| pending.group == unqueued.group) {
                self.send().await;
            }
            if let Some(stop) = self.due() {
                self.send().await;
                return Some(stop);
            }
            self.take(unqueued);
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

    fn take(&mut self, unqueued: Unqueued) {
        if self.blocked.contains(&unqueued.group) {
            self.report.left += 1;
        } else if self.done.contains(&unqueued.key) {
            self.report.already_replayed += 1;
        } else if self.request.dry_run {
            self.report.matches(Line::from(&unqueued));
            self.done.insert(unqueued.key);
        } else {
            self.report.matches(Line::from(&unqueued));
            self.pending.push(unqueued);
        }
    }

    async fn send(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        self.pace.wait_for(pending.len()).await;
        let outgoing: Vec<_> = pending.iter().map(Unqueued::outgoing).collect();
        let results = self.replay.event_queue.send_all(&outgoing).await;
        for (unqueued, result) in pending.into_iter().zip(results) {
            let (now, request) = (self.records.now(), self.records.request_id());
            match result {
                Ok(()) => {
                    self.report.moved += 1;
                    self.records.moved(unqueued.entry(EventType::MessageReplayed, now, request));
                    self.done.insert(unqueued.key);
                }
                Err(error) => {
                    let text = self.records.failed(&error, |kind| unqueued.entry(kind, now, request));
                    self.report.fails(&text);
                    self.blocked.insert(unqueued.group);
                }
            }
        }
        self.records.store().await;
    }
}

impl Unqueued {
    /// Reads a line of the event log; `None` for an entry of another kind.
    fn read(line: &str) -> Option<Self> {
        let mut entry: Value = serde_json::from_str(line).ok()?;
        if entry.get("type")?.as_str()? != EventType::InboundUnqueued.as_str() {
            return None;
        }
        let key = (text(&mut entry, "message.source")?, text(&mut entry, "message.id")?);
        let body = text(&mut entry, "message.body")?;
        let message = Message::parse(&body).ok();
        Some(Self {
            key,
            name: text(&mut entry, "message.name"),
            group: text(&mut entry, "message.group")?,
            trace: text(&mut entry, "trace.id").map(|root| format!("Root={root}")),
            time: text(&mut entry, "time").and_then(|time| time.parse().ok()),
            about: message.as_ref().map(Message::about).unwrap_or_default(),
            message,
            body,
        })
    }

    fn outgoing(&self) -> Outgoing {
        Outgoing {
            body: self.body.clone(),
            group: self.group.clone(),
            deduplication: deduplication(&self.key),
            trace: self.trace.clone(),
            attributes: Vec::new(),
        }
    }

    fn entry(&self, kind: EventType, time: Timestamp, request: &str) -> Entry {
        let entry = Entry::new(kind, time);
        let (source, id) = (self.key.0.as_str(), self.key.1.as_str());
        let subject = Subject {
            message: self.message.as_ref(),
            about: Some(&self.about),
            trace: self.trace.as_deref(),
            request: Some(request),
            ..Subject::default()
        };
        let entry = entry.subject(&subject).field("reason", REASON);
        match &self.message {
            Some(message) if (message.source.as_str(), message.id.as_str()) == (source, id) => entry,
            _ => entry.field("message.source", source).field("message.id", id),
        }
    }
}

impl From<&Unqueued> for Line {
    fn from(unqueued: &Unqueued) -> Self {
        Self {
            id: Some(unqueued.key.1.clone()),
            name: unqueued.name.clone(),
            entity_ref: unqueued.about.entity_ref.clone(),
            reason: Some(REASON),
            time: unqueued.time,
            ..Self::default()
        }
    }
}

/// Source and id of what an earlier run has sent.
fn replayed(line: &str) -> Option<Key> {
    let mut entry: Value = serde_json::from_str(line).ok()?;
    let is = |key: &str, value: &str| entry.get(key).and_then(Value::as_str) == Some(value);
    if !is("type", EventType::MessageReplayed.as_str()) || !is("reason", REASON) {
        return None;
    }
    Some((text(&mut entry, "message.source")?, text(&mut entry, "message.id")?))
}

fn text(entry: &mut Value, key: &str) -> Option<String> {
    match entry.get_mut(key)?.take() {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// The same for each replay of a message, and none that the webhook was sent with. At most 128 characters.
fn deduplication((source, id): &Key) -> String {
    let mut hash = Sha256::new();
    for part in [source, id] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().fold("unqueued/".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
