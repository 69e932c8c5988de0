//! A search in Fluent's log of events, page by page.
//!
//! The parameters are documented ("Using the Event API"): `from`, `to`, `start`, `count`, `eventStatus`, `eventType` and
//! others. Of the answer `start`, `count`, `hasMore` and `results` are seen in public types, and not documented; what an
//! event holds is left to the caller.

use connector::call::CALL_ANSWER_BYTES;
use connector::delivery::{Response, Unusable};
use connector::failure::Code;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What is searched for.
#[derive(Debug, Clone, Copy)]
pub struct EventSearch<'a> {
    /// Parameters of Fluent's Event API and their values, such as `eventStatus` and `FAILED`.
    pub filters: &'a [(String, String)],
    /// Only events from this time on; `None`: Fluent gives those of the past 30 days.
    pub from: Option<Timestamp>,
    /// Only events up to this time.
    pub to: Timestamp,
    /// How many of them were given already.
    pub start: u64,
    /// Most events of a page, from 1. Where a page would exceed the 2 MiB that are read of an answer, shorter ones are
    /// asked for.
    pub count: u16,
}

/// Some of what was found.
#[derive(Debug, Clone)]
pub struct EventPage {
    /// The events as they came.
    pub events: Vec<Box<RawValue>>,
    /// Whether there are more behind them.
    pub has_more: bool,
    /// Most events of a page that could be read.
    pub count: u16,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    results: Vec<Box<RawValue>>,
    has_more: Option<bool>,
}

impl EventSearch<'_> {
    /// The query of the URL.
    pub(crate) fn query(&self) -> Vec<(&str, String)> {
        let filters = self.filters.iter().map(|(name, value)| (name.as_str(), value.clone()));
        let from = self.from.map(|from| ("from", format!("{from:.3}")));
        let page = [
            ("to", format!("{:.3}", self.to)),
            ("start", self.start.to_string()),
            ("count", self.count.to_string()),
        ];
        filters.chain(from).chain(page).collect()
    }

    /// The page that an answer holds; `None` where there was more of it than is read.
    pub(crate) fn page(&self, response: &Response) -> Result<Option<EventPage>, Unusable> {
        if response.body.len() >= CALL_ANSWER_BYTES {
            return Ok(None);
        }
        let Answer { results, has_more } = read(response)?;
        let is_full = results.len() >= usize::from(self.count);
        let has_more = has_more.unwrap_or(is_full) && !results.is_empty();
        Ok(Some(EventPage { events: results, has_more, count: self.count }))
    }
}

/// Whether an answer holds a page, or more than is read.
pub(crate) fn judge(response: &Response) -> Result<(), Unusable> {
    if response.body.len() >= CALL_ANSWER_BYTES { Ok(()) } else { read(response).map(drop) }
}

fn read(response: &Response) -> Result<Answer, Unusable> {
    serde_json::from_slice(&response.body).map_err(|error| {
        let detail = format!("the answer is no page of events: {error}");
        if error.is_data() {
            Unusable::lasting(Code::Answer, detail)
        } else {
            Unusable::passing(Code::Answer, detail)
        }
    })
}
