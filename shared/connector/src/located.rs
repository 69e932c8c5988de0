//! YAML with the line of each key: what serde alone does not give.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

/// A value as YAML has it.
enum Node {
    Leaf(Value),
    List(Vec<Node>),
    Mapping(Vec<(Spanned<String>, Node)>),
}

/// The line of each key, from 1, by its path: the keys that hold it and its own, joined by dots.
pub(crate) type Lines = BTreeMap<String, u64>;

/// Reads YAML as JSON's kinds of values, with the line of each key.
pub(crate) fn read(text: &str) -> Result<(Value, Lines), serde_saphyr::Error> {
    // YAML 1.2: yes, no, on and off are texts, so that a country NO stays one.
    let options = serde_saphyr::options! { strict_booleans: true };
    let node: Node = serde_saphyr::from_str_with_options(text, options)?;
    let mut lines = Lines::new();
    let value = node.into_value("", &mut lines);
    Ok((value, lines))
}

/// The first key whose value was taken for an anchor or a tag, and so came to nothing.
pub(crate) fn swallowed(value: &Value, lines: &Lines, text: &str) -> Option<(String, u64)> {
    let is_swallowed = |path: &str, line: u64| {
        let key = path.rsplit('.').next().unwrap_or(path);
        let written = text.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
        let (_, after) = written.split_once(key)?;
        let after = after.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')?;
        after.trim_start().starts_with(['&', '!']).then_some(())
    };
    let nulls = lines.iter().filter(|(path, _)| at(value, path).is_some_and(Value::is_null));
    let mut nulls = nulls.filter(|(path, line)| is_swallowed(path, **line).is_some());
    nulls.next().map(|(path, line)| (path.clone(), *line))
}

fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, key| value.get(key))
}

impl Node {
    fn into_value(self, path: &str, lines: &mut Lines) -> Value {
        match self {
            Self::Leaf(value) => value,
            Self::List(items) => items.into_iter().map(|item| item.into_value(path, lines)).collect(),
            Self::Mapping(entries) => {
                let entry = |(key, node): (Spanned<String>, Self)| {
                    let path =
                        if path.is_empty() { key.value.clone() } else { format!("{path}.{}", key.value) };
                    let value = node.into_value(&path, lines);
                    lines.insert(path, key.referenced.line());
                    (key.value, value)
                };
                Value::Object(entries.into_iter().map(entry).collect::<Map<_, _>>())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Leaf(Value::Null))
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Node::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut all = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            all.push(entry);
        }
        Ok(Node::Mapping(all))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read;

    #[test]
    fn every_key_has_its_line() {
        let (value, lines) =
            read("a: 1\nb:\n  c: [x, {d: ~}]\n  e: |\n    f: 5\ng: {h: true, i: 1.5}\n").unwrap();
        assert_eq!(
            value,
            json!({"a": 1, "b": {"c": ["x", {"d": null}], "e": "f: 5\n"}, "g": {"h": true, "i": 1.5}})
        );
        let lines: Vec<_> = lines.iter().map(|(path, line)| (path.as_str(), *line)).collect();
        assert_eq!(
            lines,
            [("a", 1), ("b", 2), ("b.c", 3), ("b.c.d", 3), ("b.e", 4), ("g", 6), ("g.h", 6), ("g.i", 6)]
        );
    }
}
