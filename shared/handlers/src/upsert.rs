//! What the handlers have in common that bring a resource of commercetools into Fluent: which resource it is, what the
//! route's props say, and how its values become Fluent's attributes.
//!
//! Each fetches the resource anew, so a message that comes late or again pushes what the resource is now. Fluent cannot be
//! told to refuse an older version, so no version is compared: the messages of one resource come one after another.

use commercetools::{LocalizedString, Money};
use connector::document::{Document, DocumentError};
use connector::failure::Code;
use connector::handler::{Context, HandlerError};
use serde_json::{Value, json};

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

/// The id of the resource that the message is about.
pub(crate) fn resource_id(context: &Context<'_>) -> Result<String, HandlerError> {
    let payload: Value = serde_json::from_str(context.message.payload.get()).unwrap_or_default();
    match payload.pointer("/resource/id") {
        Some(Value::String(id)) if !id.is_empty() => Ok(id.clone()),
        _ => Err(unmappable("the notification names no resource.id")),
    }
}

/// The route's props, of which these are known.
pub(crate) fn props(context: &Context<'_>, known: &[&str]) -> Result<Document, HandlerError> {
    Document::of_value(context.props().clone().into(), known).map_err(|error| misread(&error))
}

/// The error of props that cannot be used.
pub(crate) fn misread(error: &DocumentError) -> HandlerError {
    HandlerError::Misconfigured { code: Code::Route, reason: format!("the route's props: {error}") }
}

/// The error of a resource that cannot be mapped. Ids and names of fields may be told, values not.
pub(crate) fn unmappable(reason: impl Into<String>) -> HandlerError {
    HandlerError::Misconfigured { code: Code::Mapping, reason: reason.into() }
}

/// A text that holds something, without spaces around it.
pub(crate) fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// At most so many characters of a text.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let text: String = text.trim().chars().take(most).collect();
    text.trim_end().to_owned()
}

/// An attribute as Fluent has it.
pub(crate) fn attribute(name: &str, kind: &str, value: impl Into<Value>) -> Value {
    json!({"name": name, "type": kind, "value": value.into()})
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
        let type_name = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(name, _)| *name);
        match self.kind.of(value, languages) {
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(value) => Ok(Some(attribute(&self.name, type_name, value))),
            None => Err(unmappable(format!("attribute {:?} is not of type {type_name}", self.from))),
        }
    }
}

impl Kind {
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
