//! Names as routes and subscriptions write them: patterns in which `*` stands for any run of characters.
//!
//! Which name a notification of commercetools has is decided elsewhere: [`message_names`](crate::message_names).

use serde_json::Value;

/// A name or a list of names; `*` stands for any run of characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamePatterns(Vec<String>);

impl NamePatterns {
    /// The names of a document, as they are written.
    pub(crate) fn new(patterns: Vec<String>) -> Self {
        Self(patterns)
    }

    /// The names of a document that is broken, be it only because they stand in one text with commas between them.
    pub(crate) fn of_broken(names: &Value) -> Option<Self> {
        let texts = match names {
            Value::String(text) => vec![text.as_str()],
            Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
        };
        let names = texts.into_iter().flat_map(|text| text.split(',')).map(str::trim).map(str::to_owned);
        Some(Self(names.collect()))
    }

    /// The names as they are written.
    #[must_use]
    pub fn patterns(&self) -> &[String] {
        &self.0
    }

    /// Whether one of the names stands for `name`.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| matches(pattern, name))
    }
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

    use super::matches;

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
}
