//! An event log in memory, to be read back.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use connector::event_log::{Component, Span};
use connector::ports::{EventLogError, EventLogReader, LogPage};
use jiff::Timestamp;

/// Entries a page: few, so that tests turn pages.
const PAGE: usize = 3;

/// Entries by component and time.
#[derive(Default)]
pub struct FakeEventLogReader {
    entries: Mutex<Vec<(Component, Timestamp, String)>>,
    unreadable: Mutex<bool>,
}

impl FakeEventLogReader {
    /// Writes an entry.
    pub fn put(&self, component: Component, time: Timestamp, line: impl Into<String>) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push((component, time, line.into()));
    }

    /// Whether it cannot be read from now on.
    pub fn set_unreadable(&self, unreadable: bool) {
        *self.unreadable.lock().unwrap_or_else(PoisonError::into_inner) = unreadable;
    }
}

#[async_trait]
impl EventLogReader for FakeEventLogReader {
    async fn page(&self, span: &Span, next: Option<&str>) -> Result<LogPage, EventLogError> {
        if *self.unreadable.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(EventLogError("the fake event log was told to fail".into()));
        }
        let skip = next.map_or(0, |next| next.parse().expect("a token that was given"));
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |(component, time, _): &&(Component, Timestamp, String)| {
            *component == span.component && (span.from..=span.to).contains(time)
        };
        let lines: Vec<_> = entries.iter().filter(wanted).map(|(_, _, line)| line.clone()).collect();
        let next = (lines.len() > skip + PAGE).then(|| (skip + PAGE).to_string());
        Ok(LogPage { lines: lines.into_iter().skip(skip).take(PAGE).collect(), next })
    }
}
