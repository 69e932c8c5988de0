//! A document of the configuration, wherever it stands: in a folder or in Parameter Store.

use std::fmt;
use std::path::PathBuf;

use connector::authentication::Authentication;
use connector::endpoint::Endpoint;
use connector::keys::PublicKey;
use connector::parameter::{Parameter, Section};
use connector::secret::Secret;
use connector::shipped;
use http::header::CONTENT_TYPE;

/// Most bytes of a standard parameter's value; larger ones are Advanced, which AWS charges for (Parameter Store quotas).
pub(crate) const STANDARD_BYTES: usize = 4_096;
/// Most bytes of any parameter's value (Parameter Store quotas).
pub(crate) const MAX_BYTES: usize = 8_192;

/// A part of the configuration: a folder, and the path below the prefix. What is named by others stands before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Area {
    Keys,
    Accounts,
    Commercetools,
    Sources,
    Endpoints,
    Routes,
    Subscriptions,
}

/// Where a document was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This file.
    File(PathBuf),
    /// Parameter Store: encrypted or not, and the store's version of it.
    Store { secure: bool, version: i64 },
}

/// A document and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) area: Area,
    pub(crate) name: String,
    pub(crate) value: Secret,
    pub(crate) origin: Origin,
}

impl Area {
    pub(crate) const ALL: [Self; 7] = [
        Self::Keys,
        Self::Endpoints,
        Self::Routes,
        Self::Subscriptions,
        Self::Sources,
        Self::Accounts,
        Self::Commercetools,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Endpoints => "endpoints",
            Self::Routes => "routes",
            Self::Subscriptions => "subscriptions",
            Self::Sources => "sources",
            Self::Accounts => "accounts",
            Self::Commercetools => "commercetools",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|area| area.as_str() == name)
    }

    /// What the functions call it.
    fn section(self) -> Section {
        match self {
            Self::Keys => Section::Keys,
            Self::Endpoints => Section::Endpoints,
            Self::Routes => Section::Routes,
            Self::Subscriptions => Section::Subscriptions,
            Self::Accounts => Section::Accounts,
            Self::Commercetools => Section::Commercetools,
            Self::Sources => Section::Sources,
        }
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Document {
    /// Its name below the prefix.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.area, self.name)
    }

    /// The document as the functions read it.
    pub(crate) fn parameter(&self) -> Parameter {
        let version = match self.origin {
            Origin::File(_) => 0,
            Origin::Store { version, .. } => version,
        };
        let (name, value) = (self.name.clone(), self.value.clone());
        Parameter { section: self.area.section(), name, value, version }
    }

    /// Whether it holds secrets, or may: what cannot be read is taken for it, such as a private key among the public ones.
    pub(crate) fn holds_secrets(&self) -> bool {
        match self.area {
            Area::Keys => PublicKey::parse(self.value.expose()).is_err(),
            Area::Routes => shipped::changed(&self.name, self.value.expose()).is_err(),
            Area::Sources | Area::Accounts | Area::Commercetools | Area::Subscriptions => true,
            Area::Endpoints => Endpoint::parse(self.value.expose()).map_or(true, |endpoint| {
                endpoint.authentication != Authentication::None
                    || endpoint.headers.iter().any(|(name, _)| *name != CONTENT_TYPE)
                    || endpoint.url.has_query()
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use connector::secret::Secret;

    use super::{Area, Document, Origin};

    fn holds_secrets(area: Area, text: &str) -> bool {
        let origin = Origin::Store { secure: false, version: 1 };
        Document { area, name: "x".to_owned(), value: Secret::new(text), origin }.holds_secrets()
    }

    #[test]
    fn whatever_may_be_a_secret_is_taken_for_one() {
        for text in [
            "url: https://shop.example\nauth: { type: bearer, token: t }",
            "url: https://shop.example\nheaders: { x-key: t }",
            "https://shop.example/?key=t",
            "url: https://shop.example\nauht: { token: t }",
        ] {
            assert!(holds_secrets(Area::Endpoints, text), "{text}");
        }
        assert!(holds_secrets(Area::Accounts, "") && holds_secrets(Area::Sources, ""));
        assert!(!holds_secrets(Area::Endpoints, "https://shop.example"));
        assert!(!holds_secrets(
            Area::Endpoints,
            "url: https://shop.example\nheaders: { content-type: text/plain }"
        ));
        assert!(
            holds_secrets(Area::Keys, "-----BEGIN PRIVATE KEY-----")
                && holds_secrets(Area::Routes, "token:t")
        );
        assert!(!holds_secrets(Area::Keys, testkit::signing::DEVELOPMENT_PUBLIC_KEY));
        assert!(!holds_secrets(Area::Routes, "message: a"));
    }
}
