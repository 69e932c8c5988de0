//! The pieces that an input of Fluent is made of.

use commercetools::Decimal;
use serde_json::{Map, Value, json};

/// An object of the fields that there are.
pub(super) fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    let there = fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    there.filter(|(_, value)| !value.is_null()).collect()
}

/// A text that is not blank.
pub(super) fn text(text: Option<&String>) -> Option<Value> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty()).map(Value::from)
}

/// Those of the texts that are there, with spaces between them.
pub(super) fn joined(texts: &[Option<&String>]) -> Option<Value> {
    let there: Vec<_> =
        texts.iter().flatten().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    (!there.is_empty()).then(|| there.join(" ").into())
}

/// An amount as Fluent's `Float`: the last thing that is done with it.
pub(super) fn float(amount: Option<Decimal>) -> Option<Value> {
    amount.map(Decimal::to_float)
}

/// An attribute. Its type is that of its value.
pub(super) fn attribute(name: &str, value: &Value) -> Value {
    let kind = match value {
        Value::String(_) => "STRING",
        Value::Bool(_) => "BOOLEAN",
        Value::Number(number) if number.is_f64() => "FLOAT",
        Value::Number(_) => "INTEGER",
        Value::Null | Value::Array(_) | Value::Object(_) => "JSON",
    };
    json!({ "name": name, "type": kind, "value": value })
}
