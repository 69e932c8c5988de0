//! How what Fluent tells is read. What a mapping cannot do without is named where it is missing, as `E_MAPPING`: somebody mends
//! the data or the route and has the message replayed.
//!
//! Does not know what is made of it.

use connector::handler::HandlerError;
use serde_json::Value;

use crate::problem::unmappable;

/// A text or number at this JSON pointer, as text; none where there is none, or an empty one.
pub(crate) fn text(value: &Value, pointer: &str) -> Option<String> {
    match value.pointer(pointer)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The same, where nothing can be done without it. `what` names whose it is.
pub(crate) fn required(value: &Value, pointer: &str, what: &str) -> Result<String, HandlerError> {
    text(value, pointer).ok_or_else(|| {
        unmappable(format!("{what} has no {}", pointer.trim_start_matches('/').replace('/', ".")))
    })
}

/// A whole number at this JSON pointer, also where it is written as `5.0` or as text.
pub(crate) fn whole(value: &Value, pointer: &str, what: &str) -> Result<i64, HandlerError> {
    let text = required(value, pointer, what)?;
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
    match whole.trim().parse() {
        Ok(number) if fraction.bytes().all(|digit| digit == b'0') => Ok(number),
        _ => Err(unmappable(format!(
            "{what}'s {} is no whole number of 64 bits",
            pointer.trim_start_matches('/')
        ))),
    }
}

/// The field of this name; null where there is none.
pub(crate) fn field<'v>(value: &'v Value, name: &str) -> &'v Value {
    const NULL: &Value = &Value::Null;
    value.get(name).unwrap_or(NULL)
}

/// The nodes of a Relay connection.
pub(crate) fn nodes(connection: &Value) -> impl Iterator<Item = &Value> {
    let edges = connection.pointer("/edges").and_then(Value::as_array);
    edges.into_iter().flatten().map(|edge| field(edge, "node")).filter(|node| !node.is_null())
}

/// Whether a Relay connection goes on.
pub(crate) fn has_more(connection: &Value) -> bool {
    connection.pointer("/pageInfo/hasNextPage") == Some(&Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{text, whole};

    #[test]
    fn whole_numbers_are_exact_and_nothing_else_is_one() {
        let read = |value| whole(&json!({ "n": value }), "/n", "it").ok();
        assert_eq!(read(json!(i64::MAX)), Some(i64::MAX));
        assert_eq!((read(json!("7")), read(json!(5.0)), read(json!(-3))), (Some(7), Some(5), Some(-3)));
        for none in
            [json!(u64::MAX), json!(1.5), json!("x"), json!(null), json!(true), json!(1e30), json!([])]
        {
            assert_eq!(read(none.clone()), None, "{none}");
        }
    }

    #[test]
    fn blank_is_absent_and_numbers_are_texts() {
        let value = json!({"a": " ", "b": 1, "c": {"d": "x"}});
        assert_eq!(
            (text(&value, "/a"), text(&value, "/b"), text(&value, "/c/d")),
            (None, Some("1".into()), Some("x".into()))
        );
    }
}
