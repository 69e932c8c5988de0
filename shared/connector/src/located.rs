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
    let node: Node = serde_saphyr::from_str(text)?;
    let mut lines = Lines::new();
    let value = node.into_value("", &mut lines);
    Ok((value, lines))
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
