//! How far a job has come, as `{prefix}/jobs/{route}` keeps it. People may read and change it.

use jiff::Timestamp;
use serde::Serialize;

use crate::document::{Document, DocumentError};
use crate::job::work::Window;

/// Every key of what is kept of a job.
pub const KEYS: [&str; 3] = ["lastEndDate", "startedAt", "run"];
const RUN_KEYS: [&str; 4] = ["id", "step", "from", "to"];

/// How far a job has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The end of the last window that was worked through; the next run begins there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_end_date: Option<Timestamp>,
    /// When the last run began, ended or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// The run that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
}

/// A run that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// The step that is taken next, from 1.
    pub step: u32,
    /// The time that it is about.
    #[serde(flatten)]
    pub window: Window,
}

/// What is kept of a job is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("jobs/{job} cannot be read")]
pub struct StateError {
    /// The job's route.
    job: String,
    #[source]
    cause: DocumentError,
}

impl State {
    /// Reads what is kept of this job; nothing where nothing is.
    ///
    /// # Errors
    /// [`StateError`] names what is wrong.
    pub fn parse(job: &str, text: Option<&str>) -> Result<Self, StateError> {
        let Some(text) = text else { return Ok(Self::default()) };
        let read = || {
            let mut document = Document::parse(text, &KEYS)?;
            Ok(Self {
                last_end_date: time(&mut document, "lastEndDate")?,
                started_at: time(&mut document, "startedAt")?,
                run: document.section("run", &RUN_KEYS)?.map(run).transpose()?,
            })
        };
        read().map_err(|cause| StateError { job: job.to_owned(), cause })
    }

    /// The text that is kept.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

fn run(mut document: Document) -> Result<Run, DocumentError> {
    let id = document.required_text("id")?;
    let step = document.required_id("step")?;
    let step = step.parse().map_err(|_| document.unusable("step", "must be a whole number from 1"))?;
    let to = time(&mut document, "to")?.ok_or_else(|| document.missing("to"))?;
    Ok(Run { id, step, window: Window { from: time(&mut document, "from")?, to } })
}

fn time(document: &mut Document, key: &str) -> Result<Option<Timestamp>, DocumentError> {
    let Some(text) = document.text(key)? else { return Ok(None) };
    let wrong = |_| document.unusable(key, "must be a time such as 2026-11-20T08:30:00Z");
    text.trim().parse().map(Some).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::State;

    #[test]
    fn what_is_kept_is_read_back() {
        let text = r#"{
  "lastEndDate": "2026-11-20T08:30:00Z",
  "startedAt": "2026-11-20T09:30:00Z",
  "run": {
    "id": "inventory-sync/2026-11-20T09:30:00Z",
    "step": 7,
    "from": "2026-11-20T08:28:00Z",
    "to": "2026-11-20T09:30:00Z"
  }
}"#;
        assert_eq!(State::parse("inventory-sync", Some(text)).unwrap().text(), text);
        assert_eq!(State::parse("inventory-sync", None).unwrap(), State::default());
    }

    #[test]
    fn a_time_written_by_hand_is_enough_and_a_wrong_one_is_told() {
        let by_hand = State::parse("x", Some("lastEndDate: 2026-11-20T08:30:00+01:00")).unwrap();
        assert_eq!(by_hand.last_end_date, "2026-11-20T07:30:00Z".parse().ok());
        let wrong = State::parse("inventory-sync", Some("lastEndDate: yesterday")).unwrap_err();
        insta::assert_snapshot!(crate::failure::chain(&wrong), @r#"jobs/inventory-sync cannot be read: "lastEndDate" must be a time such as 2026-11-20T08:30:00Z"#);
    }
}
