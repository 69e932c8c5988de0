//! A check and how it ended.

use serde::Serialize;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Ok,
    Warn,
    Fail,
}

/// A check and its end.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    pub(crate) state: State,
    pub(crate) what: String,
    pub(crate) found: String,
    pub(crate) todo: String,
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

impl Check {
    pub(crate) fn ok(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self { state: State::Ok, what: what.into(), found: found.into(), todo: String::new() }
    }

    pub(crate) fn warn(what: impl Into<String>, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { state: State::Warn, what: what.into(), found: found.into(), todo: todo.into() }
    }

    pub(crate) fn fail(what: impl Into<String>, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { state: State::Fail, what: what.into(), found: found.into(), todo: todo.into() }
    }

    /// A check that could not be made.
    pub(crate) fn unmade(what: impl Into<String>, error: &anyhow::Error) -> Self {
        Self::fail(what, format!("{error:#}"), "see whether the credentials allow to look")
    }
}
