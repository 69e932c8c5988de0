//! What templates can see: the event, and what else there is to know. Every digit of its numbers is kept.

use std::fmt;

use minijinja::Value;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Map;
use serde_json::value::RawValue;

use crate::message::Message;

/// Digits that a float keeps for sure (IEEE 754 binary64).
const FLOAT_DIGITS: usize = 15;

/// Levels of objects and arrays that are read, as many as `serde_json` itself reads. Each takes its part of the stack, and
/// a stack that overflows ends the whole function: what others send must not reach that far.
const DEEPEST: usize = 128;

/// The variables of a template.
#[derive(Debug, Clone, Default)]
pub struct Scope(Vec<(&'static str, Value)>);

impl Scope {
    /// What every template sees of a message, but for the `props` of its route: see
    /// [`MESSAGE_VARIABLES`](super::MESSAGE_VARIABLES).
    #[must_use]
    pub fn of(message: &Message) -> Self {
        let about = [
            ("id", message.id.clone()),
            ("name", message.name.clone()),
            ("source", message.source.clone()),
            ("receivedAt", format!("{:.3}", message.received_at)),
        ];
        Self::default()
            .with("event", value_of(&message.payload, DEEPEST).unwrap_or_default())
            .with("message", Value::from_pairs(about))
    }

    /// The scope with the `props` of a route.
    #[must_use]
    pub fn with_props(self, props: &Map<String, serde_json::Value>) -> Self {
        let props = Value::deserialize(serde_json::Value::Object(props.clone())).unwrap_or_default();
        self.with("props", props)
    }

    /// The scope with one more variable, read from JSON.
    ///
    /// # Errors
    /// Where it is not JSON, or is nested more than 128 levels deep.
    pub fn with_json(self, name: &'static str, json: &str) -> Result<Self, serde_json::Error> {
        let raw: &RawValue = serde_json::from_str(json)?;
        Ok(self.with(name, value_of(raw, DEEPEST)?))
    }

    /// The scope with one more variable; it takes the place of one of its name.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: Value) -> Self {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value));
        self
    }

    pub(super) fn value(&self) -> Value {
        Value::from_pairs(self.0.iter().cloned())
    }

    /// The keys of what stands at a path of names and dots; none where it is no mapping.
    pub(super) fn keys(&self, path: &str) -> Vec<String> {
        let at = path.split('.').try_fold(self.value(), |value, name| value.get_attr(name));
        let keys = at.ok().filter(|value| value.kind() == minijinja::value::ValueKind::Map);
        let keys = keys.and_then(|value| value.try_iter().ok()).into_iter().flatten();
        keys.map(|key| key.to_string()).collect()
    }
}

/// Integers are exact up to 128 bits; a number that no float keeps becomes a text. `levels` are left to go down.
fn value_of(raw: &RawValue, levels: usize) -> Result<Value, serde_json::Error> {
    let json = raw.get();
    let inside = |raw: &RawValue| match levels.checked_sub(1) {
        Some(levels) => value_of(raw, levels),
        None => Err(Error::custom(format!("nested more than {DEEPEST} levels deep"))),
    };
    match json.as_bytes().first() {
        Some(b'{') => {
            let Fields(fields) = serde_json::from_str(json)?;
            let pairs = fields.into_iter().map(|(name, raw)| Ok((name, inside(raw)?)));
            Ok(Value::from_pairs(pairs.collect::<Result<Vec<_>, serde_json::Error>>()?))
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(json)?;
            items.into_iter().map(inside).collect()
        }
        Some(b'"') => serde_json::from_str::<String>(json).map(Value::from),
        Some(b't' | b'f') => serde_json::from_str::<bool>(json).map(Value::from),
        Some(b'n') | None => Ok(Value::from(())),
        Some(_) => Ok(number(json)),
    }
}

fn number(json: &str) -> Value {
    if let Ok(integer) = json.parse::<i128>() {
        return Value::from(integer);
    }
    let digits = json.split(['e', 'E']).next().unwrap_or_default().bytes().filter(u8::is_ascii_digit).count();
    match json.parse::<f64>() {
        Ok(float) if digits <= FLOAT_DIGITS && float.is_finite() => Value::from(float),
        _ => Value::from(json),
    }
}

/// An object's fields in their order.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor).map(Fields)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            fields.push(entry);
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::template::{Format, Scope, Template};

    fn json(event: &str) -> String {
        let scope = Scope::default().with_json("event", event).unwrap();
        Template::parse("{{ event }}", Format::Json, &["event"]).unwrap().render(&scope).unwrap()
    }

    #[test]
    fn what_is_nested_too_deep_is_an_error_and_no_overflow_of_the_stack() {
        let nested =
            |levels: usize| format!("{}1{}", r#"[{"a":"#.repeat(levels / 2), "}]".repeat(levels / 2));
        assert_eq!(json(&nested(128)), nested(128));
        for levels in [130, 1_000, 100_000] {
            assert!(Scope::default().with_json("event", &nested(levels)).is_err(), "{levels}");
        }
    }

    #[test]
    fn an_event_comes_out_as_it_went_in() {
        for event in [
            r#"{"b":1,"a":[true,false,null,"x\"\n\u0000ü"],"c":{}}"#,
            "9007199254740993",
            "-9223372036854775808",
            "18446744073709551615",
            "170141183460469231731687303715884105727",
            "19.99",
            "0.1",
            "[]",
        ] {
            assert_eq!(json(event), event);
        }
    }

    #[test]
    fn a_number_that_no_float_keeps_is_a_text() {
        assert_eq!(json("0.12345678901234567890"), r#""0.12345678901234567890""#);
        assert_eq!(json("1e999"), r#""1e999""#);
    }

    proptest! {
        #[test]
        fn any_json_survives(text in ".{0,40}", integer in any::<i128>(), float in -1e15..1e15_f64) {
            let float = format!("{float:.2}");
            let value = serde_json::json!({"t": text, "k": {text.clone(): 1}});
            let event = format!(r#"{{"v":{value},"i":{integer}}}"#);
            prop_assert_eq!(json(&event), event);
            let back: f64 = json(&float).trim_matches('"').parse().unwrap();
            prop_assert!((back - float.parse::<f64>().unwrap()).abs() < f64::EPSILON);
        }
    }
}
