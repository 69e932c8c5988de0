//! The pieces that an input of Fluent is made of: fields that are there, texts that hold something, exact amounts.

use commercetools::Decimal;
use serde_json::{Map, Value};

/// An object of the fields that there are.
pub(crate) fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    let there = fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    there.filter(|(_, value)| !value.is_null()).collect()
}

/// A text that holds something, without spaces around it.
pub(crate) fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// The same, as a value.
pub(crate) fn text(text: Option<&String>) -> Option<Value> {
    filled(text.map(String::as_str)).map(Value::from)
}

/// Those of the texts that hold something, with spaces between them.
pub(crate) fn joined(texts: &[&Option<String>]) -> Option<Value> {
    let there: Vec<_> = texts.iter().filter_map(|text| filled(text.as_deref())).collect();
    (!there.is_empty()).then(|| there.join(" ").into())
}

/// At most so many characters of a text.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let text: String = text.trim().chars().take(most).collect();
    text.trim_end().to_owned()
}

/// An amount as Fluent's `Float`: the last thing that is done with it.
pub(crate) fn float(amount: Option<Decimal>) -> Option<Value> {
    amount.map(Decimal::to_float)
}
