//! A route: which messages go to which handler and endpoint, as `{prefix}/routes/{name}` says.

use serde::Deserialize;

use crate::message::Message;

/// The handler of a route that names none: POSTs the event to the route's endpoint.
pub const DEFAULT_HANDLER: &str = "webhook";

/// A route document.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    /// Only messages of this source; absent: of any.
    #[serde(default)]
    pub source: Option<String>,
    /// Which messages it wants.
    pub message: MessageNames,
    /// Name of the handler; `webhook` by default.
    #[serde(default = "default_handler")]
    pub handler: String,
    /// Name of the endpoint that the handler delivers to.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// A disabled route wants nothing; true by default.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// For the handler; empty by default.
    #[serde(default)]
    pub props: serde_json::Map<String, serde_json::Value>,
}

/// A name or a list of names; `*` stands for any run of characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageNames(Vec<String>);

/// Why a text is not a route.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    /// Not YAML, or not a route's keys and values: the text of the parser, with line and column.
    #[error("{0}")]
    Document(String),
    /// A name is empty or holds a control character.
    #[error("{key} must be a name: it is empty or holds a control character")]
    Name {
        /// The key that holds it.
        key: &'static str,
    },
}

impl Route {
    /// Reads a route document: YAML, so JSON too.
    ///
    /// # Errors
    /// [`RouteError`] with the parser's line and column.
    pub fn parse(text: &str) -> Result<Self, RouteError> {
        // Without the snippet: the error goes into a log, and the document's other lines do not belong there.
        let route: Self = serde_saphyr::from_str(text)
            .map_err(|error| RouteError::Document(error.without_snippet().to_string()))?;
        for (key, name) in [("handler", Some(&route.handler)), ("endpoint", route.endpoint.as_ref())] {
            if name.is_some_and(|name| name.is_empty() || name.chars().any(char::is_control)) {
                return Err(RouteError::Name { key });
            }
        }
        Ok(route)
    }

    /// Whether the route is enabled and wants this message.
    #[must_use]
    pub fn wants(&self, message: &Message) -> bool {
        self.enabled
            && self.source.as_ref().is_none_or(|source| *source == message.source)
            && self.message.contains(&message.name)
    }
}

impl MessageNames {
    /// Whether one of the names stands for `name`.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| matches(pattern, name))
    }
}

impl<'de> Deserialize<'de> for MessageNames {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamesVisitor)
    }
}

/// By hand rather than `#[serde(untagged)]`, whose errors do not say what was wrong.
struct NamesVisitor;

impl<'de> serde::de::Visitor<'de> for NamesVisitor {
    type Value = MessageNames;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a message name or a list of message names")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<MessageNames, E> {
        non_empty(vec![name.to_owned()])
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut names: A) -> Result<MessageNames, A::Error> {
        let mut all = Vec::new();
        while let Some(name) = names.next_element::<String>()? {
            all.push(name);
        }
        non_empty(all)
    }
}

fn non_empty<E: serde::de::Error>(names: Vec<String>) -> Result<MessageNames, E> {
    if names.is_empty() || names.iter().any(String::is_empty) {
        return Err(E::custom("a message name is empty: write the event's name, or `*` for every message"));
    }
    Ok(MessageNames(names))
}

fn default_handler() -> String {
    DEFAULT_HANDLER.to_owned()
}

fn enabled() -> bool {
    true
}

/// Whether `pattern`, in which `*` stands for any run of characters, is `name`.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((prefix, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut remaining) = name.strip_prefix(prefix) else {
        return false;
    };
    let Some((middle, suffix)) = rest.rsplit_once('*') else {
        return remaining.ends_with(rest);
    };
    for part in middle.split('*') {
        match remaining.split_once(part) {
            Some((_, after)) => remaining = after,
            None => return false,
        }
    }
    remaining.ends_with(suffix)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Route, matches};

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, name) in [
            ("*", "x"),
            ("*", ""),
            ("Order*", "OrderX"),
            ("*Change", "OrderChange"),
            ("a*b*c", "a-b-c"),
            ("a**c", "ac"),
            ("Order", "Order"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("Order", "OrderX"),
            ("Order*", "order"),
            ("a*b*c", "a-c"),
            ("ab*ba", "aba"),
            ("a*b*b", "ab"),
            ("", "x"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    fn slow(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((b'*', rest)) => (0..=name.len()).any(|skipped| slow(rest, &name[skipped..])),
            Some((first, rest)) => name.first() == Some(first) && slow(rest, &name[1..]),
        }
    }

    proptest! {
        #[test]
        fn matching_agrees_with_the_definition(pattern in "[ab*]{0,8}", name in "[ab]{0,10}") {
            prop_assert_eq!(matches(&pattern, &name), slow(pattern.as_bytes(), name.as_bytes()));
        }
    }

    #[test]
    fn a_route_needs_only_a_message() {
        let route = Route::parse("message: OrderStatusChange\nendpoint: storefront").unwrap();
        assert_eq!((route.handler.as_str(), route.enabled), ("webhook", true));
        assert!(
            Route::parse(r#"{"message": ["a", "b*"], "props": {"x": [1]}}"#).unwrap().message.contains("bc")
        );
    }

    #[test]
    fn a_broken_route_says_where_and_what() {
        let unknown = Route::parse("message: a\nendpont: b").unwrap_err().to_string();
        assert!(
            unknown.contains("endpont") && unknown.contains("endpoint") && unknown.contains("line 2"),
            "{unknown}"
        );
        for text in [
            "",
            "message: []",
            "message: ''",
            "endpoint: a",
            "- a",
            "message: {a: b}",
            "message: [a",
            "message: *",
            "message: a\nendpoint: ''",
            "message: a\nhandler: \"\\x01\"",
            "message: a\nmessage: b",
        ] {
            assert!(Route::parse(text).is_err(), "{text}");
        }
    }
}
