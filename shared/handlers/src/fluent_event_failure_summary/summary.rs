//! What failed, counted in groups: a bounded number of them, each of bounded texts, as the summary travels from step to step
//! in a message of the event queue.
//!
//! Where an event holds its error is not documented. It is looked for in its attributes, by the names that the props tell,
//! else by names that sound like errors.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::fluent_changes::told;

/// Most groups; what comes behind them is counted as others.
pub(super) const MOST_GROUPS: usize = 50;
/// Most ids of a group.
const MOST_EXAMPLES: usize = 3;
/// Most groups in a note.
const MOST_NOTED: usize = 5;
/// Characters of an event's name.
const NAME: usize = 100;
/// Characters of the type of its entity.
const TYPE: usize = 50;
/// Characters of the kind of its error.
const ERROR: usize = 120;
/// Characters of its id.
const ID: usize = 64;
/// Parts of names of attributes that hold errors.
const SOUNDS_LIKE_AN_ERROR: [&str; 3] = ["exception", "error", "message"];

/// What failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Summary {
    /// How many events.
    pub(super) total: u64,
    /// The kinds that were met first.
    pub(super) groups: Vec<Group>,
    /// How many events of other kinds.
    pub(super) others: u64,
}

/// Events that failed alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Group {
    /// The event's name.
    name: String,
    /// The type of its entity.
    entity_type: String,
    /// The kind of its error: the first line, `#` in place of the words that differ from one to the next.
    error: String,
    /// How many.
    count: u64,
    /// Ids of the first of them.
    examples: Vec<String>,
}

/// As much of an event as counts.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failed {
    id: Option<Box<RawValue>>,
    #[serde(default)]
    name: Value,
    #[serde(default)]
    category: Value,
    #[serde(default)]
    context: Value,
    #[serde(default)]
    attributes: Value,
}

impl Summary {
    /// Counts an event; one that cannot be read is of a kind of its own.
    pub(super) fn add(&mut self, event: &RawValue, error_attributes: &[String]) {
        self.total = self.total.saturating_add(1);
        let failed: Option<Failed> = serde_json::from_str(event.get()).ok();
        let failed = failed.as_ref();
        let text = |value: Option<&Value>, most| bounded(value.and_then(Value::as_str).unwrap_or("?"), most);
        let name = text(failed.map(|failed| &failed.name), NAME);
        let entity_type = text(failed.and_then(|failed| failed.context.get("entityType")), TYPE);
        let error = failed.map_or_else(|| "?".to_owned(), |failed| failed.error(error_attributes));
        let id = failed.and_then(|failed| told(failed.id.as_deref())).map(|id| bounded(&id, ID));
        let is_it = |group: &&mut Group| {
            (&group.name, &group.entity_type, &group.error) == (&name, &entity_type, &error)
        };
        if let Some(group) = self.groups.iter_mut().find(is_it) {
            group.count = group.count.saturating_add(1);
            group.examples.extend(id.filter(|_| group.examples.len() < MOST_EXAMPLES));
        } else if self.groups.len() < MOST_GROUPS {
            self.groups.push(Group { name, entity_type, error, count: 1, examples: Vec::from_iter(id) });
        } else {
            self.others = self.others.saturating_add(1);
        }
    }

    /// The groups, those of most events first.
    pub(super) fn largest_first(&self) -> Vec<&Group> {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        groups
    }

    /// One line for people.
    pub(super) fn note(&self) -> String {
        let groups = self.largest_first();
        let mut note = format!("{} events failed", self.total);
        for (at, group) in groups.iter().take(MOST_NOTED).enumerate() {
            let mark = if at == 0 { ':' } else { ';' };
            let Group { name, entity_type, error, count, .. } = group;
            let _ = write!(note, "{mark} {count} {name} of {entity_type} ({error})");
        }
        let told: u64 = groups.iter().take(MOST_NOTED).map(|group| group.count).sum();
        if let Some(rest) = self.total.checked_sub(told).filter(|rest| *rest > 0) {
            let _ = write!(note, "; and {rest} more");
        }
        note
    }
}

impl Failed {
    /// The kind of its error: of the first of these attributes that says something, else of the first that sounds like one,
    /// else the event's category.
    fn error(&self, named: &[String]) -> String {
        let attributes = attributes(&self.attributes);
        let by_name = named.iter().find_map(|wanted| attributes.iter().find(|(name, _)| name == wanted));
        let sounds = |name: &str| SOUNDS_LIKE_AN_ERROR.iter().any(|part| name.to_lowercase().contains(part));
        let found = by_name.or_else(|| attributes.iter().find(|(name, _)| sounds(name)));
        let text = found.map(|(_, text)| *text).or_else(|| self.category.as_str()).unwrap_or("?");
        kind(text)
    }
}

/// Attributes that hold a text, as a list of `{name, value}` or as a mapping; of a value with a `message` that.
fn attributes(attributes: &Value) -> Vec<(&str, &str)> {
    let pairs: Vec<(&str, &Value)> = match attributes {
        Value::Array(list) => list
            .iter()
            .filter_map(|attribute| Some((attribute.get("name")?.as_str()?, attribute.get("value")?)))
            .collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.as_str(), value)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    pairs.into_iter().filter_map(|(name, value)| Some((name, text_of(value)?))).collect()
}

fn text_of(value: &Value) -> Option<&str> {
    let text = value.as_str().or_else(|| value.get("message")?.as_str())?;
    (!text.trim().is_empty()).then_some(text)
}

/// The first line, without what differs from one error to the next, and without what may be about a person: a word with a
/// digit or an `@` is `#`.
fn kind(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("?");
    let differs = |word: &str| word.contains(|c: char| c.is_numeric() || c == '@');
    let words = line.split_whitespace().map(|word| if differs(word) { "#" } else { word });
    bounded(&words.take(ERROR).collect::<Vec<_>>().join(" "), ERROR)
}

/// At most so many characters, none of which JSON writes as more than itself and a backslash.
fn bounded(text: &str, most: usize) -> String {
    let plain = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let text: String = plain.take(most).collect();
    if text.is_empty() { "?".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::to_raw_value;
    use serde_json::{Value, json};

    use super::{MOST_GROUPS, Summary, kind};

    fn added(summary: &mut Summary, event: &Value) {
        summary.add(&to_raw_value(event).unwrap(), &["cause".to_owned()]);
    }

    fn failed(attributes: &Value) -> Value {
        json!({"id": "e", "name": "Book", "category": "exception", "context": {"entityType": "ORDER"},
            "attributes": attributes})
    }

    fn error_of(attributes: &Value) -> String {
        let mut summary = Summary::default();
        added(&mut summary, &failed(attributes));
        summary.groups.remove(0).error
    }

    #[test]
    fn an_error_is_found_where_its_name_says_so_and_else_where_it_sounds_like_one() {
        let list =
            json!([{"name": "a", "value": "x"}, {"name": "lastException", "value": {"message": "It broke"}}]);
        assert_eq!(error_of(&list), "It broke");
        assert_eq!(error_of(&json!({"a": "x", "errorMessage": "It broke"})), "It broke");
        assert_eq!(error_of(&json!({"cause": "Rain", "error": "It broke"})), "Rain");
        for none in [json!(null), json!({}), json!({"error": " "}), json!([1, "x", {}]), json!("error")] {
            assert_eq!(error_of(&none), "exception");
        }
    }

    #[test]
    fn errors_that_differ_in_ids_and_addresses_are_of_one_kind() {
        assert_eq!(kind("\nNo order HD_12 of a@shop.example: 404\n at com.example"), "No order # of # #");
        assert_eq!(kind(" "), "?");
    }

    #[test]
    fn what_cannot_be_read_is_counted_all_the_same() {
        let mut summary = Summary::default();
        for event in [json!(1), json!({}), json!({"id": 18_446_744_073_709_551_615_u64, "name": 1})] {
            added(&mut summary, &event);
        }
        assert_eq!(summary.total, 3);
        assert_eq!(summary.groups.len(), 1);
        assert_eq!(summary.groups[0].examples, ["18446744073709551615"]);
    }

    #[test]
    fn a_note_tells_the_largest_groups_first() {
        let mut summary = Summary::default();
        for (name, count) in [("A", 1), ("B", 3), ("C", 2), ("D", 1), ("E", 1), ("F", 1)] {
            for _ in 0..count {
                added(&mut summary, &json!({"name": name, "context": {"entityType": "ORDER"}}));
            }
        }
        insta::assert_snapshot!(summary.note(), @"9 events failed: 3 B of ORDER (?); 2 C of ORDER (?); 1 A of ORDER (?); 1 D of ORDER (?); 1 E of ORDER (?); and 1 more");
        assert_eq!(Summary::default().note(), "0 events failed");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn every_event_is_counted_and_the_summary_stays_small(
            kinds in proptest::collection::vec((0..70_usize, proptest::sample::select(&["\"", "\\", "\u{1}", "\u{ffff}", "📦", "a "][..])), 0..200),
        ) {
            let mut summary = Summary::default();
            for (kind, text) in &kinds {
                let (name, text) = ("k".repeat(*kind), text.repeat(300));
                let event = json!({"id": text, "name": name + &text, "context": {"entityType": text}, "attributes": {"error": text}});
                added(&mut summary, &event);
            }
            let counted: u64 = summary.groups.iter().map(|group| group.count).sum();
            prop_assert_eq!(counted + summary.others, summary.total);
            prop_assert_eq!(summary.total, u64::try_from(kinds.len()).unwrap());
            prop_assert!(summary.groups.len() <= MOST_GROUPS);
            prop_assert!(summary.groups.iter().all(|group| group.examples.len() <= 3));
            prop_assert!(serde_json::to_string(&summary).unwrap().len() < 128 * 1024);
        }
    }
}
