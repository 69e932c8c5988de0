//! What somebody asks of a run: the function's input.
//!
//! Without `"dryRun": false` nothing is moved. Errors name the key and what belongs there.

use connector::disposition::Reason;
use connector::document::{Document, DocumentError};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::filter::Filter;

/// Every key of the input.
const KEYS: &[&str] =
    &["endpoint", "route", "name", "entityRef", "reason", "from", "to", "dryRun", "limit", "ratePerSecond"];
/// Most messages that a run moves, unless asked otherwise.
const DEFAULT_LIMIT: u64 = 1_000;
/// More than a run of 15 minutes moves.
const MAX_LIMIT: u64 = 1_000_000;
/// Messages a second, unless asked otherwise.
const DEFAULT_RATE: u64 = 50;
/// About what one run can send.
const MAX_RATE: u64 = 1_000;

/// A run as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Where its messages come from.
    pub origin: Origin,
    /// Which of them.
    pub filter: Filter,
    /// Only look; the default.
    pub dry_run: bool,
    /// Most messages to move, 1 to 1,000,000; 1,000 by default.
    pub limit: u64,
    /// Most messages to move in a second, 1 to 1,000; 50 by default.
    pub rate_per_second: u64,
}

/// Where the messages of a run come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The undelivered queue.
    Undelivered,
    /// The entries of the event log that keep webhooks which never reached a queue.
    Kept {
        /// Which of them.
        how: Kept,
        /// From when.
        from: Timestamp,
        /// Until when.
        to: Timestamp,
    },
}

/// How a webhook was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Genuine, as the message that SQS did not take.
    Unqueued,
    /// As the request that nobody could verify.
    Unverified,
}

impl Kept {
    /// Both ways.
    pub const ALL: [Self; 2] = [Self::Unqueued, Self::Unverified];

    /// The word of `reason`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unqueued => "unqueued",
            Self::Unverified => "unverified",
        }
    }
}

/// The words of `reason`.
#[derive(Clone, Copy)]
enum Word {
    Parked(Reason),
    Kept(Kept),
}

impl Request {
    /// Reads the function's input; `now` is the end of a time that has none.
    ///
    /// # Errors
    /// [`DocumentError`] names the key.
    pub fn parse(input: &Value, now: Timestamp) -> Result<Self, DocumentError> {
        let text = if input.is_null() { json!({}).to_string() } else { input.to_string() };
        let mut document = Document::parse(&text, KEYS)?;
        let word = document.word("reason", &words())?;
        let filter = Filter {
            endpoint: document.text("endpoint")?,
            route: document.text("route")?,
            name: document.text("name")?,
            entity_ref: document.text("entityRef")?,
            reason: match word {
                Some(Word::Parked(reason)) => Some(reason),
                Some(Word::Kept(_)) | None => None,
            },
            from: time(&mut document, "from")?,
            to: time(&mut document, "to")?,
        };
        if let (Some(from), Some(to)) = (filter.from, filter.to)
            && from > to
        {
            return Err(document.unusable("from", "must not be later than \"to\""));
        }
        Ok(Self {
            origin: match word {
                Some(Word::Kept(how)) => kept(how, &document, &filter, now)?,
                Some(Word::Parked(_)) | None => Origin::Undelivered,
            },
            filter,
            dry_run: document.switch("dryRun")?.unwrap_or(true),
            limit: number(&mut document, "limit", MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT),
            rate_per_second: number(&mut document, "ratePerSecond", MAX_RATE)?.unwrap_or(DEFAULT_RATE),
        })
    }
}

fn words() -> Vec<(&'static str, Word)> {
    let parked = Reason::ALL.into_iter().map(|reason| (reason.as_str(), Word::Parked(reason)));
    let kept = Kept::ALL.into_iter().map(|how| (how.as_str(), Word::Kept(how)));
    parked.chain(kept).collect()
}

fn kept(how: Kept, document: &Document, filter: &Filter, now: Timestamp) -> Result<Origin, DocumentError> {
    let word = how.as_str();
    for (key, value) in [("endpoint", &filter.endpoint), ("route", &filter.route)] {
        if value.is_some() {
            let problem =
                format!("cannot be used with \"reason\": \"{word}\": such messages have not been routed yet");
            return Err(document.unusable(key, problem));
        }
    }
    let problem =
        format!("must be given with \"reason\": \"{word}\": the time from which to read the event log");
    let from = filter.from.ok_or_else(|| document.unusable("from", problem))?;
    Ok(Origin::Kept { how, from, to: filter.to.unwrap_or(now) })
}

fn time(document: &mut Document, key: &str) -> Result<Option<Timestamp>, DocumentError> {
    let Some(value) = document.value(key) else { return Ok(None) };
    let read = value.as_str().and_then(|text| text.parse().ok());
    let problem = "must be a time as RFC 3339 writes it, such as \"2026-11-20T00:00:00Z\"";
    read.map(Some).ok_or_else(|| document.unusable(key, problem))
}

fn number(document: &mut Document, key: &str, max: u64) -> Result<Option<u64>, DocumentError> {
    let Some(value) = document.value(key) else { return Ok(None) };
    let read = value.as_u64().filter(|number| (1..=max).contains(number));
    read.map(Some).ok_or_else(|| document.unusable(key, format!("must be a whole number from 1 to {max}")))
}

#[cfg(test)]
mod tests {
    use connector::disposition::Reason;
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::{Kept, Origin, Request};
    use crate::filter::Filter;

    fn now() -> Timestamp {
        "2026-11-20T08:30:00Z".parse().unwrap()
    }

    fn refused(input: &Value) -> String {
        Request::parse(input, now()).unwrap_err().to_string()
    }

    #[test]
    fn without_any_input_everything_is_looked_at_and_nothing_moved() {
        for input in [json!({}), json!(null), json!({"endpoint": null, "dryRun": null, "limit": null})] {
            let request = Request::parse(&input, now()).unwrap();
            let expected = Request {
                origin: Origin::Undelivered,
                filter: Filter::default(),
                dry_run: true,
                limit: 1_000,
                rate_per_second: 50,
            };
            assert_eq!(request, expected, "{input}");
        }
    }

    #[test]
    fn every_key_is_read() {
        let input = json!({
            "endpoint": "storefront", "route": "status", "name": "OrderStatusChange", "entityRef": "HD_1", "reason": "paused",
            "from": "2026-11-20T00:00:00Z", "to": "2026-11-20T01:00:00+01:00", "dryRun": false, "limit": 7, "ratePerSecond": 1
        });
        let request = Request::parse(&input, now()).unwrap();
        let filter = Filter {
            endpoint: Some("storefront".to_owned()),
            route: Some("status".to_owned()),
            name: Some("OrderStatusChange".to_owned()),
            entity_ref: Some("HD_1".to_owned()),
            reason: Some(Reason::Paused),
            from: Some("2026-11-20T00:00:00Z".parse().unwrap()),
            to: Some("2026-11-20T00:00:00Z".parse().unwrap()),
        };
        assert_eq!(request.filter, filter);
        assert_eq!((request.dry_run, request.limit, request.rate_per_second), (false, 7, 1));
        let input = json!({"reason": "unqueued", "from": "2026-11-20T00:00:00Z"});
        let origin = Request::parse(&input, now()).unwrap().origin;
        let from = "2026-11-20T00:00:00Z".parse().unwrap();
        assert_eq!(origin, Origin::Kept { how: Kept::Unqueued, from, to: now() });
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        insta::assert_snapshot!(refused(&json!({"endpiont": "x"})), @r#"unknown key "endpiont"; did you mean "endpoint"?"#);
        insta::assert_snapshot!(refused(&json!({"dryrun": false})), @r#"unknown key "dryrun"; did you mean "dryRun"?"#);
        insta::assert_snapshot!(refused(&json!({"zzz": 1})), @r#"unknown key "zzz"; known are endpoint, route, name, entityRef, reason, from, to, dryRun, limit, ratePerSecond"#);
        insta::assert_snapshot!(refused(&json!({"endpoint": 5})), @r#""endpoint" must be text: put it in quotes"#);
        insta::assert_snapshot!(refused(&json!({"name": ""})), @r#""name" must be a text that is not empty"#);
        insta::assert_snapshot!(refused(&json!({"dryRun": "false"})), @r#""dryRun" must be true or false"#);
        insta::assert_snapshot!(refused(&json!({"limit": 0})), @r#""limit" must be a whole number from 1 to 1000000"#);
        insta::assert_snapshot!(refused(&json!({"ratePerSecond": 1.5})), @r#""ratePerSecond" must be a whole number from 1 to 1000"#);
        insta::assert_snapshot!(refused(&json!({"reason": "tired"})), @r#""reason" must be one of refused, exhausted, paused, unrouted, misconfigured, unqueued, unverified"#);
        insta::assert_snapshot!(refused(&json!({"from": "yesterday"})), @r#""from" must be a time as RFC 3339 writes it, such as "2026-11-20T00:00:00Z""#);
        insta::assert_snapshot!(refused(&json!({"from": "2026-11-21T00:00:00Z", "to": "2026-11-20T00:00:00Z"})), @r#""from" must not be later than "to""#);
        insta::assert_snapshot!(refused(&json!({"reason": "unqueued"})), @r#""from" must be given with "reason": "unqueued": the time from which to read the event log"#);
        insta::assert_snapshot!(refused(&json!({"reason": "unqueued", "from": "2026-11-20T00:00:00Z", "endpoint": "x"})), @r#""endpoint" cannot be used with "reason": "unqueued": such messages have not been routed yet"#);
        insta::assert_snapshot!(refused(&json!({"reason": "unverified"})), @r#""from" must be given with "reason": "unverified": the time from which to read the event log"#);
        insta::assert_snapshot!(refused(&json!([])), @"the document must be a mapping of keys to values, such as endpoint: …; write one a line");
    }
}
