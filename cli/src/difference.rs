//! What writing a folder would change in Parameter Store, shown without any secret.

use std::collections::{BTreeMap, BTreeSet};

use connector::document::name_of;
use serde::Serialize;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::document::{Area, Document, Origin, STANDARD_BYTES};

/// What becomes of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Fate {
    Added,
    Changed,
    Removed,
    /// Only in the store, and left there.
    Kept,
    Same,
}

/// A parameter and what becomes of it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Change {
    pub(crate) parameter: String,
    pub(crate) fate: Fate,
    /// Whether it is encrypted in the store.
    pub(crate) secure: bool,
    /// Whether it is written as an Advanced parameter.
    pub(crate) advanced: bool,
    /// Stored as String, and has to be deleted before it can be encrypted.
    pub(crate) type_changes: bool,
    /// The keys whose values differ: all that is told of a document that may hold secrets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) keys: Vec<String>,
    /// The lines that differ, each after `+` or `-`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) lines: Vec<String>,
}

impl Change {
    /// Whether anything is done.
    pub(crate) fn is_work(&self) -> bool {
        matches!(self.fate, Fate::Added | Fate::Changed | Fate::Removed)
    }
}

/// Compares a folder with the store, by parameter. What is only in the store is removed where its area is to be pruned.
pub(crate) fn between(folder: &[Document], store: &[Document], pruned: &BTreeSet<Area>) -> Vec<Change> {
    let mut stored: BTreeMap<String, &Document> =
        store.iter().map(|document| (document.path(), document)).collect();
    let mut changes: Vec<_> =
        folder.iter().map(|document| written(document, stored.remove(&document.path()))).collect();
    changes.extend(stored.into_values().map(|document| left_over(document, pruned.contains(&document.area))));
    changes
}

fn written(new: &Document, old: Option<&Document>) -> Change {
    let stored_secure = old.is_some_and(is_secure);
    let secure = new.holds_secrets() || stored_secure; // what is encrypted stays so
    let type_changes = old.is_some() && secure && !stored_secure;
    let same = old.is_some_and(|old| old.value.expose().trim_end() == new.value.expose()) && !type_changes;
    let fate = match (old, same) {
        (None, _) => Fate::Added,
        (Some(_), true) => Fate::Same,
        (Some(_), false) => Fate::Changed,
    };
    let before = old.map_or("", |old| old.value.expose());
    let masked = secure || old.is_some_and(Document::holds_secrets);
    let (keys, lines) = match fate {
        Fate::Same => (Vec::new(), Vec::new()),
        _ if masked => (changed_keys(before, new.value.expose()), Vec::new()),
        _ => (Vec::new(), changed_lines(before, new.value.expose())),
    };
    let advanced = new.value.expose().len() > STANDARD_BYTES;
    Change { parameter: new.path(), fate, secure, advanced, type_changes, keys, lines }
}

fn left_over(old: &Document, prune: bool) -> Change {
    let fate = if prune { Fate::Removed } else { Fate::Kept };
    Change {
        parameter: old.path(),
        fate,
        secure: is_secure(old),
        advanced: false,
        type_changes: false,
        keys: Vec::new(),
        lines: Vec::new(),
    }
}

fn is_secure(document: &Document) -> bool {
    matches!(document.origin, Origin::Store { secure: true, .. })
}

/// The dotted keys of two documents whose values differ. What is no mapping has none: all of it differs.
fn changed_keys(before: &str, after: &str) -> Vec<String> {
    let (before, after) = (flat(before), flat(after));
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).cloned().collect()
}

fn flat(text: &str) -> BTreeMap<String, Value> {
    let mut leaves = BTreeMap::new();
    if let Ok(Value::Object(fields)) = serde_saphyr::from_str(text) {
        collect("", Value::Object(fields), &mut leaves);
    } else if !text.is_empty() {
        leaves.insert("the whole value".to_owned(), Value::from(text));
    }
    leaves
}

fn collect(path: &str, value: Value, leaves: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                // As much as can be a name: what follows may be a value that stands too close.
                let key = name_of(&key);
                let below = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                collect(&below, value, leaves);
            }
        }
        leaf => {
            leaves.insert(path.to_owned(), leaf);
        }
    }
}

fn changed_lines(before: &str, after: &str) -> Vec<String> {
    let diff = TextDiff::from_lines(before.trim_end(), after.trim_end());
    let told = diff.iter_all_changes().filter_map(|change| {
        let sign = match change.tag() {
            ChangeTag::Insert => '+',
            ChangeTag::Delete => '-',
            ChangeTag::Equal => return None,
        };
        Some(format!("{sign} {}", change.value().trim_end()))
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use connector::secret::Secret;

    use super::{Fate, between};
    use crate::document::{Area, Document, Origin};

    fn document(area: Area, text: &str, secure: Option<bool>) -> Document {
        let origin = match secure {
            Some(secure) => Origin::Store { secure, version: 1 },
            None => Origin::File("x".into()),
        };
        Document { area, name: "x".to_owned(), value: Secret::new(text), origin }
    }

    #[test]
    fn a_document_with_secrets_shows_its_changed_keys_alone() {
        let old =
            document(Area::Accounts, "username: u\npassword: hunter1\nnested: { a: hunter2 }", Some(true));
        let new = document(
            Area::Accounts,
            "username: u\npassword: hunter3\nnested: { b: hunter4 }\ntoken:hunter5: x",
            None,
        );
        let change = between(&[new], &[old], &BTreeSet::new()).remove(0);
        assert_eq!(change.keys, ["nested.a", "nested.b", "password", "token"]);
        assert!(!format!("{change:?}").contains("hunter"), "{change:?}");
    }

    #[test]
    fn a_secret_is_not_shown_where_one_side_alone_holds_it() {
        let old = document(Area::Endpoints, "https://shop.example/?key=hunter2", Some(false));
        let new = document(Area::Endpoints, "https://shop.example/", None);
        let change = between(&[new], &[old], &BTreeSet::new()).remove(0);
        assert_eq!((change.fate, change.lines.len(), change.secure), (Fate::Changed, 0, false));
        assert_eq!(change.keys, ["the whole value"]);
    }

    #[test]
    fn what_was_stored_in_the_clear_and_holds_secrets_changes_its_type() {
        let text = "url: https://shop.example\nauth: { type: bearer, token: hunter2 }";
        let change = between(
            &[document(Area::Endpoints, text, None)],
            &[document(Area::Endpoints, text, Some(false))],
            &BTreeSet::new(),
        )
        .remove(0);
        assert_eq!((change.fate, change.secure, change.type_changes), (Fate::Changed, true, true));
    }

    #[test]
    fn what_is_encrypted_stays_so_and_an_end_of_line_is_no_change() {
        let change = between(
            &[document(Area::Keys, "abc", None)],
            &[document(Area::Keys, "abc\n", Some(true))],
            &BTreeSet::new(),
        )
        .remove(0);
        assert_eq!((change.fate, change.secure), (Fate::Same, true));
    }

    #[test]
    fn only_pruning_removes_and_only_in_its_area() {
        let old = document(Area::Routes, "message: a", Some(false));
        let fate =
            |pruned| between(&[], std::slice::from_ref(&old), &BTreeSet::from([pruned])).remove(0).fate;
        assert_eq!([fate(Area::Keys), fate(Area::Routes)], [Fate::Kept, Fate::Removed]);
    }

    #[test]
    fn a_route_shows_its_changed_lines() {
        let old = document(Area::Routes, "message: a\nendpoint: b\n", Some(false));
        let new = document(Area::Routes, "message: a\nendpoint: c", None);
        assert_eq!(
            between(&[new], &[old], &BTreeSet::new()).remove(0).lines,
            ["- endpoint: b", "+ endpoint: c"]
        );
    }
}
