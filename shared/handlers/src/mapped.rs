//! What a mapping reads: the event, and what Fluent tells about its entity. What it cannot do without is named where it is
//! missing, as `E_MAPPING`: somebody mends the data or the route and has the message replayed.
//!
//! Does not know what is made of it.

use connector::failure::Code;
use connector::handler::{Context, HandlerError};
use serde_json::{Value, json};

use crate::prepared;

/// Lengths of a key in commercetools (API reference, `key`).
const KEY_LENGTHS: std::ops::RangeInclusive<usize> = 2..=256;

/// A resource that cannot be mapped: parked until somebody has mended it.
pub(crate) fn unmapped(reason: impl Into<String>) -> HandlerError {
    HandlerError::Misconfigured { code: Code::Mapping, reason: reason.into() }
}

/// The event as Fluent sent it.
pub(crate) fn event(context: &Context<'_>) -> Result<Value, HandlerError> {
    serde_json::from_str(context.message.payload.get())
        .map_err(|error| unmapped(format!("the event is not JSON: {error}")))
}

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
        unmapped(format!("{what} has no {}", pointer.trim_start_matches('/').replace('/', ".")))
    })
}

/// A whole number at this JSON pointer, also where it is written as `5.0` or as text.
pub(crate) fn whole(value: &Value, pointer: &str, what: &str) -> Result<i64, HandlerError> {
    let text = required(value, pointer, what)?;
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
    match whole.trim().parse() {
        Ok(number) if fraction.bytes().all(|digit| digit == b'0') => Ok(number),
        _ => Err(unmapped(format!(
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

/// What the query's field `name` finds for this id: asked by `props.query` where the route has one, which then has to
/// answer in the same shape.
pub(crate) async fn fetched(
    context: &Context<'_>,
    query: &str,
    name: &str,
    id: &str,
    after: Option<&str>,
) -> Result<Value, HandlerError> {
    let query = match context.props().get("query") {
        None | Some(Value::Null) => query,
        Some(Value::String(query)) => query,
        Some(_) => return Err(unmapped("props.query must be text")),
    };
    let mut variables = json!({"id": id});
    if let Some(after) = after {
        variables = json!({"id": id, "after": after});
    }
    let mut data = prepared::account(context)?.graphql(query, &variables).await?;
    match data.get_mut(name).map(Value::take).unwrap_or_default() {
        Value::Null => Err(unmapped(format!("Fluent knows no {name} {id}"))),
        found => Ok(found),
    }
}

/// A reference of Fluent's as a key in commercetools, where keys are letters, digits, hyphens and underscores: any other
/// byte becomes an underscore and two hexadecimal digits.
pub(crate) fn key_of(reference: &str) -> Result<String, HandlerError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let written = |byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("_{byte:02X}") };
    let key: String = reference.bytes().map(written).collect();
    if KEY_LENGTHS.contains(&key.len()) {
        return Ok(key);
    }
    Err(unmapped(format!(
        "reference {reference:?} makes no key in commercetools: it would have {} characters, and 2 to 256 are allowed",
        key.len()
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{key_of, text, whole};

    #[test]
    fn a_reference_becomes_a_key_and_two_become_two() {
        for (reference, key) in [("HD_1-1", "HD_1-1"), ("a/b", "a_2Fb"), ("a b", "a_20b"), ("ü", "_C3_BC")] {
            assert_eq!(key_of(reference).unwrap(), key);
        }
        for none in ["", "a", &"a".repeat(257)] {
            assert!(key_of(none).is_err(), "{none}");
        }
    }

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
