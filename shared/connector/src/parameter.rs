//! A parameter as the store gives it: its name below the prefix, its value, its version.

use std::fmt;

use crate::secret::Secret;

/// A part of the configuration: the first path segment below the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Fluent's public keys.
    Keys,
    /// Where deliveries go.
    Endpoints,
    /// Which message goes where.
    Routes,
    /// Access to the accounts' Fluent API.
    Accounts,
    /// Access to projects of commercetools.
    Commercetools,
    /// What is particular to a system that sends.
    Sources,
    /// What other systems are told of: a route and an endpoint in one.
    Subscriptions,
}

impl Section {
    /// The path segment.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Endpoints => "endpoints",
            Self::Routes => "routes",
            Self::Accounts => "accounts",
            Self::Commercetools => "commercetools",
            Self::Sources => "sources",
            Self::Subscriptions => "subscriptions",
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One parameter of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The section it stands in.
    pub section: Section,
    /// Its name below the section.
    pub name: String,
    /// Its decrypted value.
    pub value: Secret,
    /// The store's version of it: grows with each change.
    pub version: i64,
}

impl Parameter {
    /// Whether it is the one of this section and name.
    #[must_use]
    pub fn is(&self, section: Section, name: &str) -> bool {
        self.section == section && self.name == name
    }
}

/// A parameter that cannot be used, and why; the others are not touched by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `section/name`.
    pub parameter: String,
    /// What is wrong with it, without its value.
    pub reason: String,
    /// Whether the last good copy of it goes on serving.
    pub last_good_kept: bool,
}
