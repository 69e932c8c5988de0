//! What is wrong with a parameter, and where.

use serde::Serialize;

use crate::screen::{Cell, Screen, Tone};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Something will not work.
    Error,
    /// Something may not be meant.
    Warning,
    /// Worth knowing.
    Note,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    /// `area/name`, an area, or the whole configuration.
    pub(crate) parameter: String,
    /// In its document, from 1, where it is known.
    pub(crate) line: Option<usize>,
    pub(crate) problem: String,
}

impl Level {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Self::Error => Tone::Bad,
            Self::Warning => Tone::Doubtful,
            Self::Note => Tone::Faint,
        }
    }
}

impl Finding {
    pub(crate) fn new(level: Level, parameter: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { level, parameter: parameter.into(), line: None, problem: problem.into() }
    }

    pub(crate) fn error(parameter: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::new(Level::Error, parameter, problem)
    }

    pub(crate) fn warning(parameter: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::new(Level::Warning, parameter, problem)
    }

    pub(crate) fn note(parameter: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::new(Level::Note, parameter, problem)
    }

    pub(crate) fn at(self, line: Option<usize>) -> Self {
        Self { line, ..self }
    }
}

/// How many findings have this level.
pub(crate) fn count(findings: &[Finding], level: Level) -> usize {
    findings.iter().filter(|finding| finding.level == level).count()
}

/// Writes findings as a table, the worst first.
pub(crate) fn show(findings: &[Finding], screen: &mut Screen) -> anyhow::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    let row = |finding: &Finding| {
        vec![
            Cell::new(finding.level.as_str(), finding.level.tone()),
            Cell::plain(&finding.parameter),
            Cell::plain(finding.line.map(|line| line.to_string()).unwrap_or_default()),
            Cell::plain(&finding.problem),
        ]
    };
    screen.table(&["", "PARAMETER", "LINE", "PROBLEM"], findings.iter().map(row).collect())
}

/// `1 error`, `2 errors`.
pub(crate) fn counted(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}
