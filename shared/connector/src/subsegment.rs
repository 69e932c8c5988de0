//! What the functions tell X-Ray of a message, besides the segments that Lambda makes: each call to a receiver or an API
//! as a subsegment of the message's trace.
//!
//! A document of X-Ray (developer guide, "AWS X-Ray segment documents"), sent by itself. It says no more than the event
//! log's entry of the same call, from which its annotations are taken: what is struck out there is struck out here.

use std::fmt;
use std::sync::Arc;

use http::Method;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::endpoint_url::EndpointUrl;
use crate::event_log::{Entry, EventType};
use crate::ports::{Chance, Clock, Tracer};
use crate::trace::{SpanId, TraceHeader, TraceId};

/// The step in which a received event is put on the event queue.
pub const QUEUED: &str = "queue event";

/// Most characters of a text ("values are strings up to 250 characters"): so no document comes near X-Ray's 64 KB.
const LONGEST_TEXT: usize = 250;
/// Most characters of a name.
const LONGEST_NAME: usize = 200;
/// Fields of an entry, and the annotations that they become: X-Ray finds traces by them, and allows no dots.
const ANNOTATIONS: [(&str, &str); 8] = [
    ("message.id", "message_id"),
    ("message.name", "message_name"),
    ("entity.ref", "entity_ref"),
    ("route", "route"),
    ("endpoint", "endpoint"),
    ("attempt", "attempt"),
    ("outcome", "outcome"),
    ("code", "code"),
];

/// Where subsegments are made, and where they go.
#[derive(Clone)]
pub struct Tracing {
    tracer: Arc<dyn Tracer>,
    clock: Clock,
    chance: Chance,
}

/// A subsegment that has begun. Its id may be told to others before it ends; without an end it is never sent.
#[must_use = "a subsegment is sent when it ends"]
pub struct Begun {
    tracing: Tracing,
    trace: TraceId,
    parent: SpanId,
    id: SpanId,
    at: Timestamp,
    what: What,
}

/// What takes the time of a subsegment.
#[derive(Debug)]
enum What {
    /// A part of our own work.
    Step(&'static str),
    /// A call to somebody else.
    Call { host: String, request: Request },
}

/// A finished subsegment.
#[derive(Debug, Serialize)]
pub struct Subsegment {
    name: String,
    id: String,
    trace_id: String,
    parent_id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    start_time: f64,
    end_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<Http>,
    #[serde(flatten)]
    marks: Marks,
    annotations: Map<String, Value>,
}

#[derive(Debug, Serialize)]
struct Http {
    request: Request,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Answer>,
}

#[derive(Debug, Serialize)]
struct Request {
    method: String,
    url: String,
}

#[derive(Debug, Serialize)]
struct Answer {
    status: u64,
}

/// How X-Ray colours it. Absent is false.
#[derive(Debug, Default, Serialize)]
struct Marks {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    error: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    throttle: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    fault: bool,
}

impl Tracing {
    /// To this tracer.
    pub fn new(tracer: Arc<dyn Tracer>, clock: Clock, chance: Chance) -> Self {
        Self { tracer, clock, chance }
    }

    /// A call begins; `None` where X-Ray does not keep the trace, or the header names no parent.
    ///
    /// Of the URL only its host and path are told.
    #[must_use]
    pub fn call(&self, header: TraceHeader, method: &Method, url: &EndpointUrl) -> Option<Begun> {
        self.begin(header, || What::Call {
            host: bounded(url.host(), LONGEST_NAME),
            request: Request {
                method: bounded(method.as_str(), LONGEST_TEXT),
                url: bounded(&url.without_query(), LONGEST_TEXT),
            },
        })
    }

    /// A step of our own work begins, for a message with this header as it came; `None` as with [`call`](Self::call), and
    /// where it is no header of X-Ray's.
    #[must_use]
    pub fn step(&self, header: &str, name: &'static str) -> Option<Begun> {
        self.begin(TraceHeader::parse(header)?, || What::Step(name))
    }

    fn begin(&self, header: TraceHeader, what: impl FnOnce() -> What) -> Option<Begun> {
        let TraceHeader { trace, parent: Some(parent), sampled: true } = header else { return None };
        let (id, at) = (SpanId::drawn(&self.chance), (self.clock)());
        Some(Begun { tracing: self.clone(), trace, parent, id, at, what: what() })
    }
}

impl Begun {
    /// By what others continue the trace below it.
    #[must_use]
    pub fn id(&self) -> SpanId {
        self.id
    }

    /// It ends now, as this entry tells, and is sent.
    pub fn end(self, entry: &Entry) {
        let seconds = |time: Timestamp| time.as_duration().as_secs_f64();
        let end = (self.tracing.clock)().max(self.at); // a clock may be set back
        let status = entry.get("response.status").and_then(Value::as_u64);
        let marks = self.what.marks(entry, status);
        let (name, namespace, http) = match self.what {
            What::Step(name) => (name.to_owned(), None, None),
            What::Call { host, request } => {
                let response = status.map(|status| Answer { status });
                (host, Some("remote"), Some(Http { request, response }))
            }
        };
        self.tracing.tracer.send(&Subsegment {
            name,
            id: self.id.to_string(),
            trace_id: self.trace.to_string(),
            parent_id: self.parent.to_string(),
            kind: "subsegment",
            start_time: seconds(self.at),
            end_time: seconds(end),
            namespace,
            http,
            marks,
            annotations: annotations(entry),
        });
    }
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("id", &self.id).field("what", &self.what).finish_non_exhaustive()
    }
}

impl What {
    /// A call by its status: 4xx error, 429 throttle, 5xx fault. No answer is a fault as well, and an answer of another
    /// status that was of no use an error: what failed is never green.
    fn marks(&self, entry: &Entry, status: Option<u64>) -> Marks {
        let succeeded =
            matches!(entry.get("outcome").and_then(Value::as_str), Some("delivered" | "answered"));
        match (self, status) {
            (Self::Step(_), _) => {
                Marks { fault: entry.kind() != EventType::InboundAccepted, ..Marks::default() }
            }
            (Self::Call { .. }, None | Some(500..)) => Marks { fault: true, ..Marks::default() },
            (Self::Call { .. }, Some(429)) => Marks { error: true, throttle: true, ..Marks::default() },
            (Self::Call { .. }, Some(400..)) => Marks { error: true, ..Marks::default() },
            (Self::Call { .. }, Some(_)) => Marks { error: !succeeded, ..Marks::default() },
        }
    }
}

impl Subsegment {
    /// The document: JSON.
    #[must_use]
    pub fn document(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() // text keys and JSON values: there is nothing to fail
    }
}

fn annotations(entry: &Entry) -> Map<String, Value> {
    let annotation = |(field, name): (&str, &str)| {
        let value = match entry.get(field)? {
            Value::String(text) => bounded(text, LONGEST_TEXT).into(),
            number => number.clone(),
        };
        Some((name.to_owned(), value))
    };
    ANNOTATIONS.into_iter().filter_map(annotation).collect()
}

fn bounded(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}
