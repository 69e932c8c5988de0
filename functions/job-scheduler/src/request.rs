//! What the function is asked: a tick of the clock, or what somebody writes in the console.
//!
//! Without any input it only looks. Errors name the key and what belongs there.

use connector::document::{Document, DocumentError};
use connector::job::Beginning;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Every key of what people write.
const KEYS: &[&str] = &["run", "from"];
/// The word of `from` for all that there ever was.
const BEGINNING: &str = "beginning";
/// `detail-type` of EventBridge's scheduled events (EventBridge user guide, "Creating a rule that runs on a schedule").
const SCHEDULED: &str = "Scheduled Event";

/// What the function is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// To start what is due.
    Tick {
        /// The minute, to its first second.
        minute: Timestamp,
    },
    /// To start one job now.
    Run {
        /// Its route.
        job: String,
        /// Where the run is to begin.
        beginning: Beginning,
    },
    /// To tell what jobs there are; the default.
    List,
}

impl Request {
    /// Reads the function's input; no run begins later than `now`.
    ///
    /// # Errors
    /// [`DocumentError`] names the key.
    pub fn parse(input: &Value, now: Timestamp) -> Result<Self, DocumentError> {
        if input.get("detail-type").and_then(Value::as_str) == Some(SCHEDULED) {
            return tick(input);
        }
        let text = if input.is_null() { json!({}).to_string() } else { input.to_string() };
        let mut document = Document::parse(&text, KEYS)?;
        let beginning = beginning(&mut document, now)?;
        match document.text("run")? {
            Some(job) => Ok(Self::Run { job, beginning: beginning.unwrap_or_default() }),
            None if beginning.is_some() => {
                Err(document.unusable("from", "must stand beside \"run\", which names the job"))
            }
            None => Ok(Self::List),
        }
    }
}

fn tick(event: &Value) -> Result<Request, DocumentError> {
    let mut document = Document::parse(&json!({ "time": event.get("time") }).to_string(), &["time"])?;
    let time = time(&mut document, "time")?.ok_or_else(|| document.missing("time"))?;
    if time == Timestamp::UNIX_EPOCH {
        let problem = "is that of the console's sample event, when all jobs would be due at once: to start one write {\"run\": \"<job>\"}";
        return Err(document.unusable("time", problem));
    }
    let second = time.as_second();
    let minute = Timestamp::from_second(second - second.rem_euclid(60));
    let minute = minute.map_err(|_| document.unusable("time", "is before all time"))?;
    Ok(Request::Tick { minute })
}

fn beginning(document: &mut Document, now: Timestamp) -> Result<Option<Beginning>, DocumentError> {
    let problem =
        format!("must be {BEGINNING:?}, or a time as RFC 3339 writes it, such as \"2026-11-20T00:00:00Z\"");
    let Some(value) = document.value("from") else { return Ok(None) };
    let Some(text) = value.as_str() else { return Err(document.unusable("from", problem)) };
    if text == BEGINNING {
        return Ok(Some(Beginning::Everything));
    }
    let time: Timestamp = text.parse().map_err(|_| document.unusable("from", problem))?;
    if time > now {
        return Err(document.unusable("from", format!("must not be later than now, {now:.0}")));
    }
    Ok(Some(Beginning::Since(time)))
}

fn time(document: &mut Document, key: &str) -> Result<Option<Timestamp>, DocumentError> {
    let Some(text) = document.text(key)? else { return Ok(None) };
    let problem = "must be a time as RFC 3339 writes it, such as \"2026-11-20T08:30:00Z\"";
    text.parse().map(Some).map_err(|_| document.unusable(key, problem))
}

#[cfg(test)]
mod tests {
    use connector::job::Beginning;
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::Request;

    fn parse(input: &Value) -> Result<Request, String> {
        Request::parse(input, at("2026-11-20T08:30:00Z")).map_err(|error| error.to_string())
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn run(beginning: Beginning) -> Request {
        Request::Run { job: "stock".to_owned(), beginning }
    }

    #[test]
    fn without_any_input_it_only_looks() {
        for input in [json!({}), json!(null), json!({"run": null, "from": null})] {
            assert_eq!(parse(&input), Ok(Request::List), "{input}");
        }
    }

    #[test]
    fn a_tick_is_its_minute_whatever_its_second() {
        let tick = json!({"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "time": "2026-11-20T08:30:59Z", "detail": {}});
        assert_eq!(parse(&tick), Ok(Request::Tick { minute: at("2026-11-20T08:30:00Z") }));
        let tick = json!({"detail-type": "Scheduled Event"});
        insta::assert_snapshot!(parse(&tick).unwrap_err(), @r#"key "time" is missing"#);
    }

    #[test]
    fn the_consoles_sample_of_a_tick_starts_nothing() {
        let sample = json!({"id": "cdc73f9d-aea9-11e3-9d5a-835b769c0d9c", "detail-type": "Scheduled Event", "time": "1970-01-01T00:00:00Z", "detail": {}});
        insta::assert_snapshot!(parse(&sample).unwrap_err(), @r#""time" is that of the console's sample event, when all jobs would be due at once: to start one write {"run": "<job>"}"#);
    }

    #[test]
    fn a_tick_whose_time_is_none_is_refused() {
        let times =
            [json!(null), json!(5), json!("now"), json!(""), json!(["2026-11-20T08:30:00Z"]), json!({})];
        for time in times.into_iter().chain([json!("-009999-01-02T01:59:59Z")]) {
            assert!(parse(&json!({"detail-type": "Scheduled Event", "time": time})).is_err(), "{time}");
        }
    }

    #[test]
    fn a_run_begins_where_it_is_told_to() {
        assert_eq!(parse(&json!({"run": "stock"})), Ok(run(Beginning::LastEnd)));
        assert_eq!(parse(&json!({"run": "stock", "from": "beginning"})), Ok(run(Beginning::Everything)));
        let since = Ok(run(Beginning::Since(at("2026-11-19T23:00:00Z"))));
        assert_eq!(parse(&json!({"run": "stock", "from": "2026-11-20T00:00:00+01:00"})), since);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        let refused = |input: Value| parse(&input).unwrap_err();
        insta::assert_snapshot!(refused(json!({"rum": "stock"})), @r#"unknown key "rum"; did you mean "run"?"#);
        insta::assert_snapshot!(refused(json!({"run": "stock", "since": "beginning"})), @r#"unknown key "since"; known are run, from"#);
        insta::assert_snapshot!(refused(json!({"run": 5})), @r#""run" must be text: put it in quotes"#);
        insta::assert_snapshot!(refused(json!({"run": ""})), @r#""run" must be a text that is not empty"#);
        insta::assert_snapshot!(refused(json!({"run": "stock", "from": "yesterday"})), @r#""from" must be "beginning", or a time as RFC 3339 writes it, such as "2026-11-20T00:00:00Z""#);
        insta::assert_snapshot!(refused(json!({"run": "stock", "from": 0})), @r#""from" must be "beginning", or a time as RFC 3339 writes it, such as "2026-11-20T00:00:00Z""#);
        insta::assert_snapshot!(refused(json!({"run": "stock", "from": "2026-11-21T00:00:00Z"})), @r#""from" must not be later than now, 2026-11-20T08:30:00Z"#);
        insta::assert_snapshot!(refused(json!({"from": "beginning"})), @r#""from" must stand beside "run", which names the job"#);
        insta::assert_snapshot!(refused(json!(["stock"])), @"the document must be a mapping of keys to values, such as run: …; write one a line");
    }
}
