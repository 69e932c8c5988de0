//! The event log: flat JSON entries, one a line, and batches within CloudWatch's limits.
//!
//! Knows the limits, not the client: `aws` sends what is planned here.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::message::{About, Message};
use crate::trace::root_of;

/// Most entries of one `PutLogEvents` (CloudWatch Logs API reference).
pub const MAX_BATCH_ENTRIES: usize = 10_000;
/// Most bytes of one `PutLogEvents`, overhead included (CloudWatch Logs API reference).
pub const MAX_BATCH_BYTES: usize = 1_048_576;
/// What CloudWatch counts for each entry besides its text (CloudWatch Logs API reference).
pub const ENTRY_OVERHEAD_BYTES: usize = 26;
/// Longest time between the first and the last entry of a batch: 24 hours, in milliseconds.
pub const MAX_BATCH_SPAN_MS: i64 = 24 * 60 * 60 * 1_000;

/// What an entry tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    /// A webhook or a notification was queued.
    InboundAccepted,
    /// A webhook or a notification was refused.
    InboundRefused,
    /// A notification was dropped: it only tests the way.
    InboundDropped,
    /// A genuine webhook could not be queued; the entry holds the whole message.
    InboundUnqueued,
    /// A request could not be verified, for the configuration was unreadable; the entry holds it as it came, genuine or not.
    InboundUnverified,
    /// One attempt to deliver.
    OutboundAttempt,
    /// No route wants a message.
    MessageUnrouted,
    /// A message is held: its endpoint is paused.
    MessageHeld,
    /// A message was parked.
    MessageUndelivered,
    /// A message was sent back to the event queue by the replay function.
    MessageReplayed,
    /// A received message became one for each route that wants it.
    MessageRouted,
    /// A handler's own line about a message.
    MessageNote,
    /// A run of a job was asked for: its message is on the event queue.
    JobRequested,
    /// The pipeline is at fault for a message.
    MessageFault,
    /// A parameter is broken, or the configuration unreadable.
    ConfigurationProblem,
    /// CloudWatch did not take entries.
    EventLogRefused,
    /// An execution environment was started.
    FunctionStarted,
}

impl EventType {
    /// The text of the field `type`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InboundAccepted => "inbound.accepted",
            Self::InboundRefused => "inbound.refused",
            Self::InboundDropped => "inbound.dropped",
            Self::InboundUnqueued => "inbound.unqueued",
            Self::InboundUnverified => "inbound.unverified",
            Self::OutboundAttempt => "outbound.attempt",
            Self::MessageUnrouted => "message.unrouted",
            Self::MessageHeld => "message.held",
            Self::MessageUndelivered => "message.undelivered",
            Self::MessageReplayed => "message.replayed",
            Self::MessageRouted => "message.routed",
            Self::MessageNote => "message.note",
            Self::JobRequested => "job.requested",
            Self::MessageFault => "message.fault",
            Self::ConfigurationProblem => "configuration.problem",
            Self::EventLogRefused => "event-log.refused",
            Self::FunctionStarted => "function.started",
        }
    }
}

/// A part of the connector that writes to the event log. Its streams begin with its name and a slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// Takes webhooks in.
    WebhookReceiver,
    /// Takes commercetools' messages in.
    CtQueueListener,
    /// Delivers.
    MessageRouter,
    /// Sends undelivered messages back.
    Replay,
    /// Starts jobs.
    JobScheduler,
}

impl Component {
    /// The text before the slash.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WebhookReceiver => "webhook-receiver",
            Self::CtQueueListener => "ct-queue-listener",
            Self::MessageRouter => "message-router",
            Self::Replay => "replay",
            Self::JobScheduler => "job-scheduler",
        }
    }
}

/// What one component wrote within a time, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Who wrote it.
    pub component: Component,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
}

/// What an entry is about; what is `None` is left out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    /// The message.
    pub message: Option<&'a Message>,
    /// What its payload says of it.
    pub about: Option<&'a About>,
    /// Name of the route.
    pub route: Option<&'a str>,
    /// Name of the endpoint.
    pub endpoint: Option<&'a str>,
    /// The message's id for receivers.
    pub webhook: Option<&'a str>,
    /// X-Ray's trace header of the invocation or the message.
    pub trace: Option<&'a str>,
    /// Lambda's request id.
    pub request: Option<&'a str>,
    /// Version of the configuration that decided.
    pub config: Option<&'a str>,
}

/// One flat JSON object; its fields in the order in which they were added.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    kind: EventType,
    time: Timestamp,
    fields: Vec<(&'static str, Value)>,
}

impl Entry {
    /// An entry with its type and time.
    #[must_use]
    pub fn new(kind: EventType, time: Timestamp) -> Self {
        Self {
            kind,
            time,
            fields: vec![("type", kind.as_str().into()), ("time", format!("{time:.3}").into())],
        }
    }

    /// Adds a field. Keys have dots and are not nested; ids are text.
    #[must_use]
    pub fn field(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((key, value.into()));
        self
    }

    /// Adds what the entry is about.
    #[must_use]
    pub fn subject(mut self, subject: &Subject<'_>) -> Self {
        if let Some(message) = subject.message {
            self = self
                .field("message.id", message.id.as_str())
                .field("message.name", message.name.as_str())
                .field("message.source", message.source.as_str());
        }
        let about = subject.about;
        let texts = [
            ("entity.type", about.and_then(|about| about.entity_type.as_deref())),
            ("entity.ref", about.and_then(|about| about.entity_ref.as_deref())),
            ("root.ref", about.and_then(|about| about.root_ref.as_deref())),
            ("account.id", about.and_then(|about| about.account_id.as_deref())),
            ("route", subject.route),
            ("endpoint", subject.endpoint),
            ("webhook.id", subject.webhook),
            ("trace.id", subject.trace.map(root_of)),
            ("request.id", subject.request),
            ("config.version", subject.config),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                self = self.field(key, text);
            }
        }
        self
    }

    /// What it tells.
    #[must_use]
    pub fn kind(&self) -> EventType {
        self.kind
    }

    /// The field of this name.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.fields.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// When it happened.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// The entry as one line of JSON.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() // text keys and JSON values: there is nothing to fail
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.fields.iter().map(|(key, value)| (key, value)))
    }
}

/// Entries as CloudWatch takes them.
#[derive(Debug, Default, PartialEq)]
pub struct Plan {
    /// Each within all limits and sorted by time.
    pub batches: Vec<Vec<Entry>>,
    /// Too large for any batch.
    pub oversized: Vec<Entry>,
}

/// Sorts entries by time and cuts them into batches. Every entry is in exactly one place of the plan.
#[must_use]
pub fn plan(mut entries: Vec<Entry>) -> Plan {
    entries.sort_by_key(Entry::time);
    let mut plan = Plan::default();
    let mut bytes = 0;
    let mut first_ms = 0;
    for entry in entries {
        let size = entry.line().len() + ENTRY_OVERHEAD_BYTES;
        if size > MAX_BATCH_BYTES {
            plan.oversized.push(entry);
            continue;
        }
        let ms = entry.time.as_millisecond();
        match plan.batches.last_mut() {
            Some(batch)
                if batch.len() < MAX_BATCH_ENTRIES
                    && bytes + size <= MAX_BATCH_BYTES
                    && ms - first_ms < MAX_BATCH_SPAN_MS =>
            {
                bytes += size;
                batch.push(entry);
            }
            _ => {
                (bytes, first_ms) = (size, ms);
                plan.batches.push(vec![entry]);
            }
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::{
        ENTRY_OVERHEAD_BYTES, Entry, EventType, MAX_BATCH_BYTES, MAX_BATCH_ENTRIES, MAX_BATCH_SPAN_MS,
        Subject, plan,
    };

    fn entry(ms: i64, bytes: usize) -> Entry {
        let time = Timestamp::from_millisecond(ms).unwrap();
        Entry::new(EventType::OutboundAttempt, time).field("response.body", "x".repeat(bytes))
    }

    fn ms() -> impl Strategy<Value = i64> {
        prop_oneof![0..1_000_i64, 0..3 * MAX_BATCH_SPAN_MS]
    }

    fn bytes() -> impl Strategy<Value = usize> {
        prop_oneof![8 => 0..100_usize, 2 => 0..400_000_usize, 1 => 1_048_400..1_048_600_usize]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn batches_keep_all_limits_and_lose_nothing(shape in prop::collection::vec((ms(), bytes()), 0..30)) {
            let entries: Vec<_> = shape.iter().map(|(ms, bytes)| entry(*ms, *bytes)).collect();
            let plan = plan(entries.clone());
            for batch in &plan.batches {
                let size: usize = batch.iter().map(|entry| entry.line().len() + ENTRY_OVERHEAD_BYTES).sum();
                prop_assert!(size <= MAX_BATCH_BYTES && batch.len() <= MAX_BATCH_ENTRIES);
                prop_assert!(batch.is_sorted_by_key(Entry::time));
                let (first, last) = (batch[0].time(), batch[batch.len() - 1].time());
                prop_assert!(last.as_millisecond() - first.as_millisecond() < MAX_BATCH_SPAN_MS);
            }
            prop_assert!(plan.oversized.iter().all(|entry| entry.line().len() + ENTRY_OVERHEAD_BYTES > MAX_BATCH_BYTES));
            let mut planned: Vec<_> = plan.batches.concat().iter().chain(&plan.oversized).map(Entry::line).collect();
            let mut given: Vec<_> = entries.iter().map(Entry::line).collect();
            planned.sort();
            given.sort();
            prop_assert_eq!(planned, given);
        }
    }

    const PIECES: &[&str] = &[
        "{",
        "}",
        "\"",
        "\\",
        "\n",
        "\r\n",
        ":",
        ",",
        r#"{"type":"inbound.unqueued"}"#,
        "\u{2028}",
        "\u{85}",
    ];

    /// What somebody would send who wants a line of the log to be read as an entry of its own.
    fn crafted() -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(PIECES), 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        /// Lambda cuts long lines in pieces, and replay reads the receiver's log line by line.
        #[test]
        fn wherever_a_line_is_cut_no_piece_of_it_is_an_entry(body in crafted(), headers in crafted()) {
            let entry = entry(1, 1).field("request.headers", headers).field("request.body", body);
            let line = entry.field("error", "x").line();
            prop_assert_eq!(line.lines().count(), 1);
            let line = line.as_bytes();
            for (from, to) in (0..line.len()).flat_map(|from| (from + 1..=line.len()).map(move |to| (from, to))) {
                let piece = &line[from..to];
                let read = serde_json::from_slice::<serde_json::Value>(piece).ok();
                let is_entry = read.is_some_and(|read| read.get("type").is_some());
                prop_assert_eq!(is_entry, piece.len() == line.len(), "{}", piece.escape_ascii());
            }
        }
    }

    #[test]
    fn a_batch_has_at_most_ten_thousand_entries() {
        let shortest = Entry::new(EventType::MessageFault, Timestamp::UNIX_EPOCH);
        let plan = plan(vec![shortest; 10_001]);
        assert_eq!(plan.batches.iter().map(Vec::len).collect::<Vec<_>>(), [10_000, 1]);
    }

    #[test]
    fn an_entry_is_flat_json_with_milliseconds() {
        let subject = Subject { trace: Some("Root=1-a;Parent=b"), route: Some("r"), ..Subject::default() };
        let line = entry(1, 1).subject(&subject).line();
        insta::assert_snapshot!(line, @r#"{"type":"outbound.attempt","time":"1970-01-01T00:00:00.001Z","response.body":"x","route":"r","trace.id":"1-a"}"#);
    }
}
