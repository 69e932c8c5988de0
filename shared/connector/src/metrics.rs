//! Metrics: each is a view of an entry, which carries it to CloudWatch in the embedded metric format. What the metrics
//! count can so be read entry by entry, and no call is made for them.
//!
//! Dimensions are few: the stack, and beside it a name of the configuration's (endpoint, route, source) or a code: what
//! comes in bounds none of them.

use serde_json::{Value, json};

use crate::event_log::{Entry, EventType};
use crate::failure::Code;

/// The namespace in CloudWatch.
pub const NAMESPACE: &str = "FluentConnect";
/// The dimension that every metric has: the stack's name.
pub const STACK: &str = "stack";

/// The field that tells CloudWatch which fields are metrics.
const METADATA: &str = "_aws";

/// What a metric's numbers are (CloudWatch, `StandardUnit`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Thousandths of a second.
    Milliseconds,
    /// Seconds.
    Seconds,
}

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name in CloudWatch, and of the entry's field that holds its number.
    pub name: &'static str,
    /// The unit of its numbers.
    pub unit: Unit,
    /// What it tells.
    pub meaning: &'static str,
    /// The fields that it is told apart by, each alone; beside them it is always there for the whole stack.
    pub by: &'static [&'static str],
    /// The entries that carry it.
    kind: EventType,
    number: Number,
}

/// What an entry counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    /// One.
    One,
    /// One, where it has this code.
    Coded(Code),
    /// One, where it is an attempt for an endpoint with this outcome: a delivery, or the call for its token that failed
    /// before one.
    Ended(&'static str),
    /// One, where it is a call of an API that failed.
    FailedCall,
    /// What this field says.
    Field(&'static str),
    /// What this field says, where it is an attempt of a delivery.
    OfDelivery(&'static str),
    /// What this field says, where it is a call of an API.
    OfCall(&'static str),
}

/// Every metric.
pub const ALL: &[Metric] = &[
    count("Accepted", EventType::InboundAccepted, &["source"], "webhooks and notifications that were queued"),
    count("Refused", EventType::InboundRefused, &["code"], "webhooks and notifications that were refused"),
    count(
        "Dropped",
        EventType::InboundDropped,
        &[],
        "pings and test notifications, which end where they came in",
    ),
    // Not by inbound.unqueued: with the whole message it may be larger than CloudWatch takes metrics out of (256 KB).
    Metric {
        name: "Unqueued",
        unit: Unit::Count,
        meaning: "webhooks that SQS did not take: replay reason `unqueued`",
        by: &[],
        kind: EventType::InboundRefused,
        number: Number::Coded(Code::Queue),
    },
    Metric {
        name: "Unverified",
        unit: Unit::Count,
        meaning: "webhooks that could not be verified, for the configuration was unreadable: replay reason `unverified`",
        by: &[],
        kind: EventType::InboundRefused,
        number: Number::Coded(Code::Config),
    },
    field(
        "Routed",
        EventType::MessageRouted,
        "copies",
        Unit::Count,
        "messages for one route each that were made of received ones",
    ),
    field(
        "QueueDelay",
        EventType::MessageRouted,
        "queue_delay_ms",
        Unit::Milliseconds,
        "from a message's receipt to its first handling",
    ),
    attempts("Delivered", Number::Ended("delivered"), Unit::Count, "deliveries that the receiver took"),
    attempts(
        "Retried",
        Number::Ended("retry"),
        Unit::Count,
        "attempts that failed, or whose token call did, and are made again",
    ),
    attempts(
        "Failed",
        Number::Ended("undelivered"),
        Unit::Count,
        "attempts that failed for good, or whose token call did",
    ),
    attempts(
        "AttemptDuration",
        Number::OfDelivery("duration_ms"),
        Unit::Milliseconds,
        "one request to an endpoint, answered or not",
    ),
    attempts(
        "DeliveryDelay",
        Number::OfDelivery("delivery_delay_ms"),
        Unit::Milliseconds,
        "from a message's receipt to its delivery, with all that it waited for",
    ),
    calls(
        "CallDuration",
        Number::OfCall("duration_ms"),
        Unit::Milliseconds,
        "one call of an API: Fluent's, commercetools', a token's",
    ),
    Metric {
        by: &["route"],
        ..calls("FailedCalls", Number::FailedCall, Unit::Count, "calls of an API that failed")
    },
    count(
        "Unrouted",
        EventType::MessageUnrouted,
        &[],
        "messages that no route wants, or whose route is gone",
    ),
    count("Held", EventType::MessageHeld, &["endpoint"], "messages that wait for a paused endpoint"),
    count(
        "Undelivered",
        EventType::MessageUndelivered,
        &["endpoint", "code"],
        "messages that were parked: mend the cause, replay them",
    ),
    count("Replayed", EventType::MessageReplayed, &[], "messages that the replay function sent back"),
    count(
        "Faults",
        EventType::MessageFault,
        &["code"],
        "faults of the pipeline itself, tried again or dead-lettered",
    ),
    count(
        "ConfigurationProblems",
        EventType::ConfigurationProblem,
        &[],
        "broken parameters, and reads of the configuration that failed",
    ),
    field(
        "ConfigurationAge",
        EventType::ConfigurationProblem,
        "age_s",
        Unit::Seconds,
        "age of the configuration in use, each time that it cannot be read anew",
    ),
    field(
        "EventLogRefusals",
        EventType::EventLogRefused,
        "entries",
        Unit::Count,
        "entries that CloudWatch did not take; they stand in the function's own log",
    ),
    count(
        "ColdStarts",
        EventType::FunctionStarted,
        &["function"],
        "execution environments that were started",
    ),
];

const fn count(
    name: &'static str,
    kind: EventType,
    by: &'static [&'static str],
    meaning: &'static str,
) -> Metric {
    Metric { name, unit: Unit::Count, meaning, by, kind, number: Number::One }
}

const fn field(
    name: &'static str,
    kind: EventType,
    key: &'static str,
    unit: Unit,
    meaning: &'static str,
) -> Metric {
    Metric { name, unit, meaning, by: &[], kind, number: Number::Field(key) }
}

const fn attempts(name: &'static str, number: Number, unit: Unit, meaning: &'static str) -> Metric {
    Metric { name, unit, meaning, by: &["endpoint"], kind: EventType::OutboundAttempt, number }
}

const fn calls(name: &'static str, number: Number, unit: Unit, meaning: &'static str) -> Metric {
    Metric { name, unit, meaning, by: &[], kind: EventType::OutboundAttempt, number }
}

impl Unit {
    /// CloudWatch's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
            Self::Seconds => "Seconds",
        }
    }
}

impl Number {
    fn of(self, entry: &Entry) -> Option<Value> {
        let says = |key: &str, word: &str| entry.get(key).is_some_and(|told| told == word);
        let (is_call, ended) = (says("purpose", "call"), |outcome: &str| says("outcome", outcome));
        let has_endpoint = entry.get("endpoint").is_some();
        let one = |holds: bool| holds.then(|| Value::from(1));
        match self {
            Self::One => one(true),
            Self::Coded(code) => one(says("code", code.as_str())),
            Self::Ended(outcome) => one(has_endpoint && ended(outcome)),
            Self::FailedCall => one(is_call && !ended("answered")),
            Self::Field(key) => entry.get(key).cloned(),
            Self::OfDelivery(key) => entry.get(key).filter(|_| !is_call).cloned(),
            Self::OfCall(key) => entry.get(key).filter(|_| is_call).cloned(),
        }
    }
}

/// The entry with the metrics that it carries (CloudWatch embedded metric format specification); one that has them already,
/// or carries none, as it is.
#[must_use]
pub fn measured(entry: Entry, stack: &str) -> Entry {
    let of_kind = ALL.iter().filter(|metric| metric.kind == entry.kind());
    let carried: Vec<_> = of_kind.filter_map(|metric| Some((metric, metric.number.of(&entry)?))).collect();
    if carried.is_empty() || entry.get(METADATA).is_some() {
        return entry;
    }
    let directives = directives(carried.iter().map(|(metric, _)| *metric), &entry);
    let metadata = json!({ "Timestamp": entry.time().as_millisecond(), "CloudWatchMetrics": directives });
    let source = entry.get("message.source").cloned();
    let entry = source.into_iter().fold(entry, |entry, source| entry.field("source", source));
    let entry = carried.into_iter().fold(entry, |entry, (metric, number)| entry.field(metric.name, number));
    entry.field(STACK, stack).field(METADATA, metadata)
}

/// One directive for all metrics that have the same dimensions.
fn directives<'a>(metrics: impl Iterator<Item = &'a Metric>, entry: &Entry) -> Vec<Value> {
    let mut together: Vec<(Vec<Vec<&str>>, Vec<Value>)> = Vec::new();
    for metric in metrics {
        let (sets, told) = (metric.dimension_sets(entry), metric.definition());
        match together.iter_mut().find(|(others, _)| *others == sets) {
            Some((_, metrics)) => metrics.push(told),
            None => together.push((sets, vec![told])),
        }
    }
    let directive =
        |(sets, metrics)| json!({ "Namespace": NAMESPACE, "Dimensions": sets, "Metrics": metrics });
    together.into_iter().map(directive).collect()
}

impl Metric {
    /// For the whole stack, and by each dimension that the entry has.
    fn dimension_sets(&self, entry: &Entry) -> Vec<Vec<&'static str>> {
        let by = self.by.iter().filter(|key| entry.get(field_of(key)).is_some());
        std::iter::once(vec![STACK]).chain(by.map(|key| vec![STACK, *key])).collect()
    }

    fn definition(&self) -> Value {
        json!({ "Name": self.name, "Unit": self.unit.as_str() })
    }
}

/// The field behind a dimension.
fn field_of(key: &str) -> &str {
    if key == "source" { "message.source" } else { key }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::Timestamp;
    use serde_json::Value;

    use super::{ALL, measured};
    use crate::event_log::{Entry, EventType, Subject};
    use crate::message::Message;

    const MESSAGE: &str = r#"{"version":1,"id":"1","name":"N","source":"fluent","receivedAt":"2026-11-20T08:30:00Z","payload":{}}"#;

    fn entry(kind: EventType) -> Entry {
        Entry::new(kind, Timestamp::from_millisecond(1_700_000_000_123).unwrap())
    }

    fn names(entry: Entry) -> Vec<String> {
        let value: Value = serde_json::from_str(&measured(entry, "acme").line()).unwrap();
        let directives = value.pointer("/_aws/CloudWatchMetrics").unwrap().as_array().unwrap();
        let metrics = directives.iter().flat_map(|directive| directive["Metrics"].as_array().unwrap());
        metrics.map(|metric| metric["Name"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn an_entry_carries_its_metrics_once() {
        let refused = entry(EventType::InboundRefused).field("code", "E_SIGNATURE");
        let once = measured(refused, "acme");
        insta::assert_snapshot!(once.line(), @r#"{"type":"inbound.refused","time":"2023-11-14T22:13:20.123Z","code":"E_SIGNATURE","Refused":1,"stack":"acme","_aws":{"Timestamp":1700000000123,"CloudWatchMetrics":[{"Namespace":"FluentConnect","Dimensions":[["stack"],["stack","code"]],"Metrics":[{"Name":"Refused","Unit":"Count"}]}]}}"#);
        assert_eq!(measured(once.clone(), "acme"), once);
    }

    #[test]
    fn a_webhook_that_sqs_did_not_take_counts_by_the_entry_that_does_not_hold_it() {
        let refused = |code| entry(EventType::InboundRefused).field("code", code);
        assert_eq!(names(refused("E_QUEUE")), ["Refused", "Unqueued"]);
        assert_eq!(names(refused("E_CONFIG")), ["Refused", "Unverified"]);
        assert_eq!(names(refused("E_SIGNATURE")), ["Refused"]);
        let whole = entry(EventType::InboundUnqueued).field("message.body", "{}");
        assert_eq!(measured(whole.clone(), "acme"), whole);
    }

    #[test]
    fn a_dimension_that_an_entry_lacks_is_left_out() {
        let fault = measured(entry(EventType::MessageUndelivered).field("code", "E_GONE"), "acme").line();
        assert!(fault.contains(r#""Dimensions":[["stack"],["stack","code"]]"#), "{fault}");
    }

    #[test]
    fn deliveries_and_calls_are_told_apart() {
        let attempt =
            |outcome| entry(EventType::OutboundAttempt).field("duration_ms", 7).field("outcome", outcome);
        let call = |outcome| attempt(outcome).field("purpose", "call");
        assert_eq!(names(call("answered")), ["CallDuration"]);
        assert_eq!(names(call("retry")), ["CallDuration", "FailedCalls"]);
        let delivery = |outcome| attempt(outcome).field("purpose", "delivery").field("endpoint", "shop");
        let delivered = delivery("delivered").field("delivery_delay_ms", 9);
        assert_eq!(names(delivered), ["Delivered", "AttemptDuration", "DeliveryDelay"]);
        let unsent = entry(EventType::OutboundAttempt).field("outcome", "retry").field("endpoint", "shop");
        assert_eq!(names(unsent), ["Retried"]);
        let token = |outcome| call(outcome).field("endpoint", "shop");
        assert_eq!(names(token("answered")), ["CallDuration"], "no request to the endpoint");
        assert_eq!(names(token("retry")), ["Retried", "CallDuration", "FailedCalls"]);
    }

    #[test]
    fn a_note_carries_none_and_stays_as_it_is() {
        let note = entry(EventType::MessageNote).field("note", "x");
        assert_eq!(measured(note.clone(), "acme"), note);
    }

    #[test]
    fn every_metric_is_a_number_and_every_dimension_a_text_of_the_same_entry() {
        let message = Message::parse(MESSAGE).unwrap();
        let subject =
            Subject { message: Some(&message), endpoint: Some("subscriptions/bi"), ..Subject::default() };
        for metric in ALL {
            for purpose in ["delivery", "call"] {
                let entry =
                    entry(metric.kind).subject(&subject).field("purpose", purpose).field("outcome", "retry");
                let entry =
                    entry.field("code", "E_QUEUE").field("function", "replay").field("duration_ms", 1);
                let numbers = ["copies", "queue_delay_ms", "delivery_delay_ms", "age_s", "entries"];
                let line =
                    measured(numbers.into_iter().fold(entry, |entry, key| entry.field(key, 1)), "acme")
                        .line();
                let value: Value = serde_json::from_str(&line).unwrap();
                assert_eq!(value.to_string().len(), line.len(), "a key stands twice: {line}");
                for directive in value["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
                    let names = directive["Metrics"].as_array().unwrap().iter().map(|metric| &metric["Name"]);
                    assert!(
                        names.into_iter().all(|name| value[name.as_str().unwrap()].is_number()),
                        "{line}"
                    );
                    let mut keys = directive["Dimensions"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .flat_map(|set| set.as_array().unwrap());
                    assert!(keys.all(|key| value[key.as_str().unwrap()].is_string()), "{line}");
                }
            }
        }
    }

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
