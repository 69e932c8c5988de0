//! `tail`: the event log, one line an entry.

use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use clap::Args;
use connector::ports::Clock;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::Verdict;
use crate::arguments::Shared;
use crate::follow::{Event, Follower};
use crate::screen::{Screen, Tone, printable};
use crate::session::{Session, refused};
use crate::stack::Stack;

/// How long to wait before the next look.
const PAUSE: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(crate) struct Asked {
    #[command(flatten)]
    log: Log,
    /// Goes on until Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// From when: a time ago such as 90s, 15m or 2h, or RFC 3339
    #[arg(long, default_value = "15m")]
    since: String,
    #[command(flatten)]
    wanted: Wanted,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Log {
    /// Name of a deployed stack
    #[arg(long)]
    stack: Option<String>,
    /// Name of the log group
    #[arg(long)]
    log_group: Option<String>,
}

/// Which entries; all that are given must match.
#[derive(Debug, Default, Args)]
struct Wanted {
    /// Only of this route
    #[arg(long)]
    route: Option<String>,
    /// Only to this endpoint
    #[arg(long)]
    endpoint: Option<String>,
    /// Only of messages with this name
    #[arg(long)]
    name: Option<String>,
    /// Only of the entity with this reference, and of what belongs to it
    #[arg(long)]
    entity: Option<String>,
    /// Only of this type, such as outbound.attempt
    #[arg(long = "type")]
    kind: Option<String>,
    /// Only of the message with this id
    #[arg(long)]
    message_id: Option<String>,
}

pub(crate) async fn run(
    asked: &Asked,
    shared: &Shared,
    clock: &Clock,
    screen: &mut Screen,
) -> anyhow::Result<Verdict> {
    let from = since(&asked.since, clock())?;
    let session = Session::open(shared).await?;
    let group = match (&asked.log.log_group, &asked.log.stack) {
        (Some(group), _) => group.clone(),
        (None, stack) => Stack::find(&session, stack.as_deref().unwrap_or_default())
            .await?
            .output("EventLogGroup")?
            .to_owned(),
    };
    let client = session.logs();
    let mut follower = Follower::new(from.as_millisecond());
    loop {
        let events = look(&client, &group, follower.from()).await?;
        for event in follower.fresh(events) {
            show(&event.line, &asked.wanted, screen)?;
        }
        if !asked.follow {
            return Ok(Verdict::Fine);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn since(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let ago: Option<SignedDuration> = text.parse().ok();
    let ago = ago.filter(|ago| !ago.is_negative()).and_then(|ago| now.checked_sub(ago).ok());
    ago.with_context(|| format!("--since {text:?} is neither a time ago such as 90s, 15m or 2h nor RFC 3339"))
}

/// All events from this time on. Without a filter pattern: those of a time are few, and not every AWS knows patterns.
async fn look(client: &Client, group: &str, from: i64) -> anyhow::Result<Vec<Event>> {
    let call = client.filter_log_events().log_group_name(group).start_time(from);
    let mut pages = call.into_paginator().send();
    let mut events = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| refused(&format!("the log group {group} cannot be read"), &error))?;
        events.extend(page.events.unwrap_or_default().into_iter().map(event));
    }
    Ok(events)
}

fn event(read: FilteredLogEvent) -> Event {
    let (time, line) = (read.timestamp.unwrap_or_default(), read.message.unwrap_or_default());
    let id = read.event_id.unwrap_or_else(|| format!("{time} {line}"));
    Event { id, time, line }
}

fn show(line: &str, wanted: &Wanted, screen: &mut Screen) -> anyhow::Result<()> {
    let line = line.trim_end();
    let Ok(Value::Object(entry)) = serde_json::from_str(line) else {
        let unfiltered = wanted.pairs().all(|(_, value)| value.is_none()) && !screen.is_json();
        return if unfiltered { screen.line(&printable(line)) } else { Ok(()) };
    };
    let entry = Value::Object(entry);
    if !wanted.chooses(&entry) {
        return Ok(());
    }
    if screen.is_json() { screen.line(line) } else { screen.line(&readable(&entry)) }
}

impl Wanted {
    /// What is wanted, each with the fields of which one has to be it.
    fn pairs(&self) -> impl Iterator<Item = (&'static [&'static str], Option<&str>)> {
        let pairs: [(&[&str], _); 6] = [
            (&["route"], self.route.as_deref()),
            (&["endpoint"], self.endpoint.as_deref()),
            (&["message.name"], self.name.as_deref()),
            (&["entity.ref", "root.ref"], self.entity.as_deref()),
            (&["type"], self.kind.as_deref()),
            (&["message.id"], self.message_id.as_deref()),
        ];
        pairs.into_iter()
    }

    fn chooses(&self, entry: &Value) -> bool {
        let is = |field: &&str, wanted| entry.get(*field).and_then(Value::as_str) == Some(wanted);
        self.pairs()
            .all(|(fields, wanted)| wanted.is_none_or(|wanted| fields.iter().any(|field| is(field, wanted))))
    }
}

/// An entry as one line: when, what, how it ended, about whom, whereto, and why not.
fn readable(entry: &Value) -> String {
    let text = |field: &str| entry.get(field).map(shown).filter(|text| !text.is_empty());
    let mut parts =
        vec![text("time").unwrap_or_default(), format!("{:<19}", text("type").unwrap_or_default())];
    parts.push(ending(entry));
    // A webhook that nobody could verify has no name yet: whose it claims to be is all that is known of it.
    parts.extend(
        text("message.name").or_else(|| text("message.source").map(|source| format!("from {source}"))),
    );
    parts.extend(text("entity.ref").map(|reference| match text("entity.type") {
        Some(kind) => format!("{kind}/{reference}"),
        None => reference,
    }));
    parts.extend(match (text("route"), text("endpoint")) {
        (Some(route), Some(endpoint)) => Some(format!("{route}→{endpoint}")),
        (Some(one), None) => Some(one),
        (None, one) => one.map(|endpoint| format!("→{endpoint}")),
    });
    parts.extend(text("attempt").map(|attempt| format!("attempt {attempt}")));
    parts.extend(text("response.status"));
    parts.extend(text("duration_ms").map(|ms| format!("{ms} ms")));
    parts.extend(text("retry_after_s").map(|seconds| format!("again in {seconds} s")));
    parts.extend(text("error").map(|error| Tone::Faint.paint(&error)));
    parts.retain(|part| !part.is_empty());
    parts.join("  ")
}

fn ending(entry: &Value) -> String {
    let field = |name: &str| entry.get(name).map(shown);
    let outcome = field("outcome").or_else(|| field("reason"));
    let words: Vec<_> = outcome.clone().into_iter().chain(field("code")).collect();
    let tone = match outcome.as_deref() {
        Some("delivered" | "answered") => Tone::Good,
        Some("retry" | "paused") => Tone::Doubtful,
        None if words.is_empty() => Tone::Plain,
        Some(_) | None => Tone::Bad,
    };
    tone.paint(&words.join(" "))
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => printable(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::{Wanted, readable, since};

    #[test]
    fn an_attempt_is_one_line() {
        let entry = json!({
            "type": "outbound.attempt", "time": "2026-11-20T08:30:00.000Z", "message.name": "OrderStatusChange",
            "entity.type": "ORDER", "entity.ref": "HD_1\u{1b}[2J", "route": "status", "endpoint": "storefront", "attempt": 2,
            "response.status": 503, "duration_ms": 12, "outcome": "retry", "code": "E_SERVER", "retry_after_s": 5
        });
        let line = anstream::adapter::strip_str(&readable(&entry)).to_string();
        insta::assert_snapshot!(line, @r"2026-11-20T08:30:00.000Z  outbound.attempt     retry E_SERVER  OrderStatusChange  ORDER/HD_1\u{1b}[2J  status→storefront  attempt 2  503  12 ms  again in 5 s");
    }

    #[test]
    fn a_webhook_without_a_name_tells_its_source() {
        let entry = json!({"type": "inbound.unverified", "time": "2026-11-20T08:30:00.000Z", "message.source": "fynd"});
        insta::assert_snapshot!(readable(&entry), @"2026-11-20T08:30:00.000Z  inbound.unverified   from fynd");
    }

    #[test]
    fn an_entity_is_chosen_with_all_that_belongs_to_it() {
        let wanted = Wanted { entity: Some("HD_1".to_owned()), ..Wanted::default() };
        assert!(wanted.chooses(&json!({"entity.ref": "HD_1"})));
        assert!(wanted.chooses(&json!({"entity.ref": "HD_1-1", "root.ref": "HD_1"})));
        assert!(!wanted.chooses(&json!({"entity.ref": "HD_2", "route": "HD_1"})));
    }

    #[test]
    fn since_is_a_time_or_a_time_ago() {
        let now: Timestamp = "2026-11-20T08:30:00Z".parse().unwrap();
        for (text, time) in [
            ("15m", "2026-11-20T08:15:00Z"),
            ("2h", "2026-11-20T06:30:00Z"),
            ("2026-11-19T00:00:00Z", "2026-11-19T00:00:00Z"),
        ] {
            assert_eq!(since(text, now).unwrap(), time.parse().unwrap());
        }
        assert!(since("yesterday", now).is_err() && since("-5m", now).is_err());
    }
}
