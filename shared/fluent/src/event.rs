//! An event for Fluent, and what Fluent answers to it.

use connector::delivery::{Response, Unusable};
use connector::document::{Document, DocumentError};
use connector::failure::Code;
use connector::route::EVENT_FIELDS;
use serde_json::{Map, Value};

/// Why JSON is no event.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not JSON.
    #[error("the event is not JSON")]
    Json(#[from] serde_json::Error),
    /// A field is missing, unknown or of the wrong kind.
    #[error("the event: {0}")]
    Field(#[from] DocumentError),
}

/// How an entity is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// By Fluent's id.
    Id(String),
    /// By the reference that people know.
    Ref(String),
}

/// An event for Fluent's workflows.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// As in the request's body.
    fields: Map<String, Value>,
    attributes: Map<String, Value>,
}

/// What Fluent answered to an event. All of it may be missing: Fluent documents the answer of synchronous events alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventAnswer {
    /// The event's id.
    pub id: Option<String>,
    /// The id of the entity that it was for.
    pub entity_id: Option<String>,
    /// Such as `COMPLETE`, of a synchronous event.
    pub status: Option<String>,
}

impl Event {
    /// An event of this name, for the entity of this type and key.
    #[must_use]
    pub fn new(name: impl Into<String>, entity_type: impl Into<String>, key: Key) -> Self {
        Self { fields: Map::new(), attributes: Map::new() }
            .with("name", name)
            .with("entityType", entity_type)
            .keyed("entity", key)
    }

    /// Of another retailer than the account's.
    #[must_use]
    pub fn retailer(self, id: impl Into<String>) -> Self {
        self.with("retailerId", id)
    }

    /// The entity's subtype, such as `HD`.
    #[must_use]
    pub fn subtype(self, subtype: impl Into<String>) -> Self {
        self.with("entitySubtype", subtype)
    }

    /// The entity at the top, such as the order of a fulfilment.
    #[must_use]
    pub fn root(self, entity_type: impl Into<String>, key: Key) -> Self {
        self.with("rootEntityType", entity_type).keyed("rootEntity", key)
    }

    /// Adds an attribute; a second one of a name takes the place of the first.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.attributes.insert(name.into(), value.into());
        self
    }

    /// An event of its JSON: the fields of Fluent's Event API, names and references as texts or numbers.
    ///
    /// # Errors
    /// [`EventError`] names the field.
    pub fn read(json: &[u8]) -> Result<Self, EventError> {
        let value: Value = serde_json::from_slice(json)?;
        let mut document = Document::of_value(value, &EVENT_FIELDS)?;
        let mut fields = Map::new();
        for key in EVENT_FIELDS.into_iter().filter(|key| *key != "attributes") {
            fields.extend(document.id(key)?.map(|text| (key.to_owned(), text.into())));
        }
        for key in ["name", "entityType"] {
            if !fields.contains_key(key) {
                return Err(document.missing(key).into());
            }
        }
        if !fields.contains_key("entityId") && !fields.contains_key("entityRef") {
            return Err(document.missing("entityRef").into());
        }
        Ok(Self { fields, attributes: document.mapping("attributes")?.unwrap_or_default() })
    }

    /// The request's body.
    pub(crate) fn body(&self, retailer: &str) -> Value {
        let mut body = self.fields.clone();
        body.entry("retailerId").or_insert_with(|| retailer.into());
        body.insert("attributes".to_owned(), self.attributes.clone().into());
        body.into()
    }

    fn with(mut self, key: &str, text: impl Into<String>) -> Self {
        self.fields.insert(key.to_owned(), text.into().into());
        self
    }

    fn keyed(self, prefix: &str, key: Key) -> Self {
        match key {
            Key::Id(id) => self.with(&format!("{prefix}Id"), id),
            Key::Ref(reference) => self.with(&format!("{prefix}Ref"), reference),
        }
    }
}

impl EventAnswer {
    /// Reads as much of an answer as can be read.
    pub(crate) fn of(body: &[u8]) -> Self {
        let answer: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |key: &str| match answer.get(key)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        Self {
            id: text("eventId").or_else(|| text("id")),
            entity_id: text("entityId"),
            status: text("eventStatus"),
        }
    }
}

/// Any 2xx but a page for people, which comes from something in between: the event has not arrived.
pub(crate) fn judge(response: &Response) -> Result<(), Unusable> {
    match response.body.trim_ascii_start().first() {
        Some(b'<') => Err(Unusable::passing(Code::Answer, "the answer is a page for people, not Fluent's")),
        _ => Ok(()),
    }
}
