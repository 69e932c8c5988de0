//! `replay`: invokes the replay function and shows its report. It only looks unless told to move messages.

use clap::Args;
use connector::ports::Clock;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::Verdict;
use crate::arguments::Shared;
use crate::function::{Function, invoke};
use crate::screen::{Cell, Screen, Tone};
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Asked {
    #[command(flatten)]
    function: Function,
    /// Only messages that were to go to this endpoint
    #[arg(long)]
    endpoint: Option<String>,
    /// Only messages of this route
    #[arg(long)]
    route: Option<String>,
    /// Only messages with this name
    #[arg(long)]
    name: Option<String>,
    /// Only of the entity with this reference
    #[arg(long)]
    entity_ref: Option<String>,
    /// Only for this reason: refused, exhausted, paused, unrouted, misconfigured; or unqueued, unverified
    #[arg(long)]
    reason: Option<String>,
    /// Only parked from this time on (RFC 3339)
    #[arg(long)]
    from: Option<String>,
    /// Only parked until this time (RFC 3339)
    #[arg(long)]
    to: Option<String>,
    /// Most messages of a run
    #[arg(long)]
    limit: Option<u64>,
    /// Most messages a second
    #[arg(long)]
    rate_per_second: Option<u64>,
    /// Moves the messages; without it the run only looks
    #[arg(long)]
    run: bool,
    /// Invokes again until all is done
    #[arg(long, requires = "run")]
    again: bool,
}

pub(crate) async fn run(
    asked: &Asked,
    shared: &Shared,
    clock: &Clock,
    screen: &mut Screen,
) -> anyhow::Result<Verdict> {
    let session = Session::open(shared).await?;
    let function = asked.function.name(&session, "ReplayFunctionName").await?;
    let (client, input) = (session.invoker(), asked.input(clock()));
    let mut reports = Vec::new();
    loop {
        let report = invoke(&client, &function, &input, "look with a dry run").await?;
        anyhow::ensure!(
            report.get("finished").is_some(),
            "{function} answered no report: is it the replay function?"
        );
        if !screen.is_json() {
            show(&report, screen)?;
        }
        let go_on =
            asked.again && !is_finished(&report) && count(&report, "moved") + count(&report, "setAside") > 0;
        reports.push(report);
        if !go_on {
            break;
        }
    }
    if screen.is_json() {
        screen.json(&json!({ "runs": reports }))?;
    }
    Ok(Verdict::wrong_if(reports.last().is_some_and(is_wrong)))
}

impl Asked {
    /// With `--again` only what was parked before now, unless told otherwise: what is parked anew because its cause is not
    /// mended would be replayed for ever.
    fn input(&self, now: Timestamp) -> Value {
        let to = self.to.clone().or_else(|| self.again.then(|| now.to_string()));
        let texts = [
            ("endpoint", &self.endpoint),
            ("route", &self.route),
            ("name", &self.name),
            ("entityRef", &self.entity_ref),
            ("reason", &self.reason),
            ("from", &self.from),
            ("to", &to),
        ];
        let texts = texts.into_iter().filter_map(|(key, text)| Some((key, text.clone()?.into())));
        let numbers = [("limit", self.limit), ("ratePerSecond", self.rate_per_second)];
        let numbers = numbers.into_iter().filter_map(|(key, number)| Some((key, number?.into())));
        let input = texts.chain(numbers).chain([("dryRun", (!self.run).into())]);
        Value::Object(input.map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
    }
}

fn count(report: &Value, key: &str) -> u64 {
    report.get(key).and_then(Value::as_u64).unwrap_or_default()
}

fn is_finished(report: &Value) -> bool {
    report.get("finished") == Some(&Value::Bool(true))
}

/// A dry run may see a part alone; a run that moves is wrong until it is finished.
fn is_wrong(report: &Value) -> bool {
    let dry = report.get("dryRun") == Some(&Value::Bool(true));
    count(report, "failed") + count(report, "sentButNotRemoved") > 0 || (!dry && !is_finished(report))
}

fn show(report: &Value, screen: &mut Screen) -> anyhow::Result<()> {
    let text = |key: &str| report.get(key).map(word).filter(|text| !text.is_empty());
    let messages = report.get("messages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if !messages.is_empty() {
        let keys = ["time", "reason", "code", "name", "entityRef", "route", "endpoint", "attempts", "status"];
        let head = ["PARKED", "REASON", "CODE", "NAME", "ENTITY", "ROUTE", "ENDPOINT", "ATTEMPTS", "STATUS"];
        let row = |message: &Value| {
            keys.iter().map(|key| Cell::plain(message.get(key).map(word).unwrap_or_default())).collect()
        };
        screen.table(&head, messages.iter().map(row).collect())?;
        screen.line("")?;
    }
    let counted = [
        "matched",
        "moved",
        "left",
        "setAside",
        "failed",
        "sentButNotRemoved",
        "alreadyReplayed",
        "refused",
        "refusals",
        "unseen",
        "byReason",
        "byEndpoint",
        "stopped",
        "error",
        "next",
    ];
    let rows = counted.iter().filter_map(|key| {
        let value = text(key)?;
        let bad = matches!(*key, "failed" | "sentButNotRemoved" | "error") && value != "0";
        Some(vec![Cell::plain(key), Cell::new(value, if bad { Tone::Bad } else { Tone::Plain })])
    });
    let head = if report.get("dryRun") == Some(&Value::Bool(true)) { "DRY RUN" } else { "RUN" };
    screen.table(&[head, ""], rows.collect())
}

/// A value as a word: `paused 3, refused 1` for a mapping.
fn word(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| format!("{name} {}", word(value)))
            .collect::<Vec<_>>()
            .join(", "),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use jiff::Timestamp;
    use serde_json::json;

    use super::Asked;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        asked: Asked,
    }

    #[test]
    fn again_ends_before_what_it_has_replayed_itself_comes_back() {
        let now: Timestamp = "2026-11-20T08:30:00Z".parse().unwrap();
        let to = |line: &str| {
            let words = ["replay", "--stack", "x"].into_iter().chain(line.split_whitespace());
            Line::try_parse_from(words).unwrap().asked.input(now)["to"].clone()
        };
        assert_eq!(to("--run --again"), json!("2026-11-20T08:30:00Z"));
        assert_eq!(to("--run --again --to 2026-11-19T00:00:00Z"), json!("2026-11-19T00:00:00Z"));
        assert_eq!((to("--run"), to("")), (json!(null), json!(null)));
    }
}
