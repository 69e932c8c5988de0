//! Attributes of Fluent's entities: what each is made of, and of which type it is.

use commercetools::{LocalizedString, Money};
use connector::document::{Document, DocumentError};
use connector::handler::HandlerError;
use serde_json::{Value, json};

use crate::problem::unmappable;

/// What a value is in Fluent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    String,
    Integer,
    Float,
    Boolean,
    Json,
}

const KINDS: [(&str, Kind); 5] = [
    ("STRING", Kind::String),
    ("INTEGER", Kind::Integer),
    ("FLOAT", Kind::Float),
    ("BOOLEAN", Kind::Boolean),
    ("JSON", Kind::Json),
];

/// One entry of `props.attributes`: what it is called in commercetools, and its name and type in Fluent.
#[derive(Debug, Clone)]
pub(crate) struct Mapping {
    pub(crate) from: String,
    name: String,
    kind: Kind,
}

/// An attribute as Fluent has it. Its type is that of its value.
pub(crate) fn attribute(name: &str, value: impl Into<Value>) -> Value {
    let value = value.into();
    typed(name, Kind::of_value(&value), &value)
}

fn typed(name: &str, kind: Kind, value: &Value) -> Value {
    json!({ "name": name, "type": kind.name(), "value": value })
}

/// The list `props.attributes`; `None` where the route says nothing of it.
pub(crate) fn mappings(props: &mut Document) -> Result<Option<Vec<Mapping>>, DocumentError> {
    let entries = match props.value("attributes") {
        None => return Ok(None),
        Some(Value::Array(entries)) => entries,
        Some(_) => {
            return Err(props.unusable("attributes", "must be a list, each entry like {from, name, type}"));
        }
    };
    let read = |(index, entry)| {
        let wrong =
            |error| props.unusable("attributes", format!("cannot be used: entry {}: {error}", index + 1));
        Mapping::read(entry).map_err(wrong)
    };
    entries.into_iter().enumerate().map(read).collect::<Result<_, _>>().map(Some)
}

impl Mapping {
    /// A text that is taken over under another name.
    pub(crate) fn text(from: &str, name: &str) -> Self {
        Self { from: from.to_owned(), name: name.to_owned(), kind: Kind::String }
    }

    fn read(value: Value) -> Result<Self, DocumentError> {
        let mut entry = Document::of_value(value, &["from", "name", "type"])?;
        let from = entry.required_text("from")?;
        let name = entry.text("name")?.unwrap_or_else(|| from.clone());
        Ok(Self { from, name, kind: entry.word("type", &KINDS)?.unwrap_or(Kind::String) })
    }

    /// The attribute in Fluent; none where there is no value.
    ///
    /// # Errors
    /// `E_MAPPING` where the value is of another kind.
    pub(crate) fn apply(
        &self,
        value: Option<&Value>,
        languages: &[&str],
    ) -> Result<Option<Value>, HandlerError> {
        let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
        match self.kind.of(value, languages) {
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(value) => Ok(Some(typed(&self.name, self.kind, &value))),
            None => Err(unmappable(format!("attribute {:?} is not of type {}", self.from, self.kind.name()))),
        }
    }
}

impl Kind {
    fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| *name)
    }

    /// What this value is without being told.
    fn of_value(value: &Value) -> Self {
        match value {
            Value::String(_) => Self::String,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_f64() => Self::Float,
            Value::Number(_) => Self::Integer,
            Value::Null | Value::Array(_) | Value::Object(_) => Self::Json,
        }
    }

    /// The value as one of this kind.
    fn of(self, value: &Value, languages: &[&str]) -> Option<Value> {
        match (self, value) {
            (Self::Json, any) => Some(any.clone()),
            (Self::String, any) => text(any, languages).map(Value::String),
            (Self::Boolean, Value::Bool(_)) | (Self::Float, Value::Number(_)) => Some(value.clone()),
            (Self::Integer, Value::Number(number)) => {
                (number.is_i64() || number.is_u64()).then(|| value.clone())
            }
            (Self::Float, Value::Object(_)) => Some(money(value)?.amount().to_float()),
            _ => None,
        }
    }
}

/// What commercetools' kinds of attributes are as a text (API reference, `AttributeType`): an enum its key, money its exact
/// amount, a reference its id, a localized text the one in the first of these languages; a set is none.
fn text(value: &Value, languages: &[&str]) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Object(fields) if fields.contains_key("label") => {
            Some(fields.get("key")?.as_str()?.to_owned())
        }
        Value::Object(fields) if fields.contains_key("typeId") => {
            Some(fields.get("id")?.as_str()?.to_owned())
        }
        Value::Object(_) => money(value).map(|money| money.amount().to_string()).or_else(|| {
            let texts: LocalizedString = serde_json::from_value(value.clone()).ok()?;
            Some(texts.text(languages).unwrap_or_default().to_owned())
        }),
        Value::Null | Value::Array(_) => None,
    }
}

fn money(value: &Value) -> Option<Money> {
    serde_json::from_value(value.clone()).ok()
}
