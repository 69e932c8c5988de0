//! What is wrong with a document, and where. No variant holds a value: it may be a secret.

use std::fmt;

/// Where in a document something is wrong: the key, with the keys that hold it, and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Empty for the whole document.
    pub(super) path: String,
    /// From 1; `None` where the document has one line only.
    pub(super) line: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str("the document")?;
        } else {
            write!(f, "{:?}", self.path)?;
        }
        self.line.map_or(Ok(()), |line| write!(f, " (line {line})"))
    }
}

/// Why a text is not the document that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not YAML.
    #[error("cannot be read as YAML{place}: {hint}")]
    Yaml {
        /// ` (line 2, column 5)`, where it is known.
        place: String,
        /// What is wrong, without any value.
        hint: String,
    },
    /// Not a mapping.
    #[error("{at} {hint}")]
    NotAMapping {
        /// The key that holds it, or the whole.
        at: Place,
        /// What belongs there.
        hint: String,
    },
    /// A key that begins with a sign that no key begins with: it may be a value.
    #[error(
        "{at} holds a key that is not shown here: it begins with a sign that no key begins with, such as a typographic quote or //; known are {known}"
    )]
    NoKey {
        /// The key that holds it, or the whole.
        at: Place,
        /// The known ones.
        known: String,
    },
    /// YAML's own marks swallowed the value.
    #[error("{key} is lost: YAML takes what begins with & or ! for a mark of its own; put it in quotes")]
    Swallowed {
        /// The key.
        key: Place,
    },
    /// A key that means nothing.
    #[error("unknown key {key}{suggestion}")]
    UnknownKey {
        /// The key.
        key: Place,
        /// The nearest known key, or all of them.
        suggestion: String,
    },
    /// A key that means nothing and has no value: it may be a value that lost its key.
    #[error("{at} holds a key without a value, not shown here: put a space after its colon, or take it out")]
    NoValue {
        /// The key that holds it, or the whole.
        at: Place,
    },
    /// A key that must be there is not.
    #[error("key {key:?} is missing")]
    Missing {
        /// With the keys that hold it.
        key: String,
    },
    /// A value of the wrong kind.
    #[error("{key} must be {expected}")]
    Expected {
        /// The key.
        key: Place,
        /// What belongs there.
        expected: &'static str,
    },
    /// A value of the right kind that will not do.
    #[error("{key} {problem}")]
    Unusable {
        /// The key.
        key: Place,
        /// What is wrong with it.
        problem: String,
    },
}
