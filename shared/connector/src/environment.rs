//! A function's settings out of its environment: tells absent from malformed, and names the variable.
//!
//! Reads no environment itself: `main.rs` passes the look-up in.

use std::collections::BTreeSet;
use std::time::Duration;

/// Why a function cannot start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// The variable is not set, or empty.
    #[error("environment variable {name} is not set")]
    Absent {
        /// Its name.
        name: &'static str,
    },
    /// The variable's value is not what it should be.
    #[error("environment variable {name} must be {expected}")]
    Malformed {
        /// Its name.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

/// A look-up of environment variables.
#[derive(Clone, Copy)]
pub struct Environment<'a>(&'a dyn Fn(&str) -> Option<String>);

impl<'a> Environment<'a> {
    /// Over this look-up.
    #[must_use]
    pub fn new(look_up: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self(look_up)
    }

    /// A non-empty text.
    ///
    /// # Errors
    /// [`EnvironmentError::Absent`].
    pub fn text(&self, name: &'static str) -> Result<String, EnvironmentError> {
        (self.0)(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
            .ok_or(EnvironmentError::Absent { name })
    }

    /// Whole seconds, from 1 to a day.
    ///
    /// # Errors
    /// [`EnvironmentError`] by cause.
    pub fn seconds(&self, name: &'static str) -> Result<Duration, EnvironmentError> {
        match self.text(name)?.parse() {
            Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
            _ => Err(EnvironmentError::Malformed { name, expected: "whole seconds from 1 to 86400" }),
        }
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// [`EnvironmentError`] by cause.
    pub fn switch(&self, name: &'static str) -> Result<bool, EnvironmentError> {
        self.text(name)?.parse().map_err(|_| EnvironmentError::Malformed { name, expected: "true or false" })
    }

    /// A path such as `/fluent-connect/shop`, without a slash at its end.
    ///
    /// # Errors
    /// [`EnvironmentError`] by cause.
    pub fn path(&self, name: &'static str) -> Result<String, EnvironmentError> {
        let path = self.text(name)?;
        if path.starts_with('/') && !path.ends_with('/') {
            Ok(path)
        } else {
            Err(EnvironmentError::Malformed {
                name,
                expected: "a path that starts with a slash and does not end with one",
            })
        }
    }

    /// An absolute URL.
    ///
    /// # Errors
    /// [`EnvironmentError`] by cause.
    pub fn url(&self, name: &'static str) -> Result<String, EnvironmentError> {
        let text = self.text(name)?;
        match url::Url::parse(&text) {
            Ok(_) => Ok(text),
            Err(_) => Err(EnvironmentError::Malformed { name, expected: "an absolute URL" }),
        }
    }

    /// An absolute URL, or nothing.
    ///
    /// # Errors
    /// [`EnvironmentError::Malformed`].
    pub fn optional_url(&self, name: &'static str) -> Result<Option<String>, EnvironmentError> {
        match self.url(name) {
            Err(EnvironmentError::Absent { .. }) => Ok(None),
            result => result.map(Some),
        }
    }

    /// A text that may be empty, as `parse` reads it.
    ///
    /// # Errors
    /// [`EnvironmentError::Malformed`] where `parse` does not.
    pub fn parsed<T, E>(
        &self,
        name: &'static str,
        expected: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<T, EnvironmentError> {
        let text = (self.0)(name).unwrap_or_default();
        parse(&text).map_err(|_| EnvironmentError::Malformed { name, expected })
    }

    /// A comma-separated list with at least one item and no empty one.
    ///
    /// # Errors
    /// [`EnvironmentError`] by cause.
    pub fn list(&self, name: &'static str) -> Result<BTreeSet<String>, EnvironmentError> {
        let items: BTreeSet<_> = self.text(name)?.split(',').map(|item| item.trim().to_owned()).collect();
        if items.contains("") {
            return Err(EnvironmentError::Malformed {
                name,
                expected: "a comma-separated list without empty items",
            });
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::{Environment, EnvironmentError};

    #[test]
    fn absent_and_malformed_are_told_apart_and_named() {
        let look_up = |name: &str| match name {
            "EMPTY" => Some("  ".to_owned()),
            "WORD" => Some("maybe".to_owned()),
            "LIST" => Some("ACME, OTHER".to_owned()),
            "GAP" => Some("ACME,,OTHER".to_owned()),
            _ => None,
        };
        let environment = Environment::new(&look_up);
        assert_eq!(environment.text("EMPTY"), Err(EnvironmentError::Absent { name: "EMPTY" }));
        assert_eq!(environment.switch("NONE"), Err(EnvironmentError::Absent { name: "NONE" }));
        for error in [
            environment.switch("WORD").unwrap_err(),
            environment.seconds("WORD").unwrap_err(),
            environment.path("WORD").unwrap_err(),
            environment.url("WORD").unwrap_err(),
        ] {
            assert!(matches!(error, EnvironmentError::Malformed { name: "WORD", .. }), "{error}");
        }
        let number = |text: &str| if text.is_empty() { Ok(0) } else { text.parse::<u8>() };
        assert_eq!(environment.parsed("NONE", "a number", number), Ok(0));
        let malformed = EnvironmentError::Malformed { name: "WORD", expected: "a number" };
        assert_eq!(environment.parsed("WORD", "a number", number), Err(malformed));
        assert_eq!(environment.optional_url("NONE"), Ok(None));
        assert!(environment.optional_url("WORD").is_err());
        assert_eq!(environment.list("LIST").unwrap().len(), 2);
        assert!(matches!(environment.list("GAP"), Err(EnvironmentError::Malformed { name: "GAP", .. })));
    }
}
