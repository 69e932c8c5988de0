//! Fluent's event as a webhook carries it: which fields must be there, and what they say.
//!
//! Unknown fields are kept by keeping the body itself; nothing is re-serialised.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::signature::Verified;

/// Why a genuine body is not an event.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The body is not one JSON object in UTF-8, or names a field twice.
    #[error("the body is not a JSON object")]
    NotJson(#[source] serde_json::Error),
    /// A required field is absent, or neither a non-empty string nor a number.
    #[error("field {field:?} must be a non-empty string or a number")]
    Field {
        /// Name of the field in the body.
        field: &'static str,
    },
}

/// A verified Fluent event: the fields that the connector works with, and the body as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FluentEvent<'a> {
    /// Identity of the event: the only replay defence.
    pub id: String,
    /// Name by which routes choose it.
    pub name: String,
    /// The Fluent account it belongs to.
    pub account: String,
    /// The retailer within the account.
    pub retailer: String,
    /// What it is about.
    pub entity: Entity,
    /// The entity whose order of events matters: the root entity where there is one.
    pub root: Entity,
    /// The body, byte for byte.
    pub raw: &'a str,
}

/// An entity's type and reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Such as `ORDER`; an open set.
    pub kind: String,
    /// The reference that people know.
    pub reference: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    account_id: Option<&'a RawValue>,
    #[serde(borrow)]
    retailer_id: Option<&'a RawValue>,
    #[serde(borrow)]
    entity_id: Option<&'a RawValue>,
    #[serde(borrow)]
    entity_ref: Option<&'a RawValue>,
    #[serde(borrow)]
    entity_type: Option<&'a RawValue>,
    #[serde(borrow)]
    root_entity_type: Option<&'a RawValue>,
    #[serde(borrow)]
    root_entity_ref: Option<&'a RawValue>,
}

impl<'a> FluentEvent<'a> {
    /// Reads the required fields of a verified body.
    ///
    /// # Errors
    /// [`EventError`] names the field that is missing or of the wrong kind.
    pub fn from_verified(verified: &Verified<'a>) -> Result<Self, EventError> {
        let fields: Fields<'a> = object(utf8(verified.body())?).map_err(EventError::NotJson)?;
        required("entityId", fields.entity_id)?;
        let entity = Entity {
            kind: required("entityType", fields.entity_type)?,
            reference: required("entityRef", fields.entity_ref)?,
        };
        let root = match (text(fields.root_entity_type), text(fields.root_entity_ref)) {
            (Some(kind), Some(reference)) => Entity { kind, reference },
            _ => entity.clone(),
        };
        Ok(Self {
            id: required("id", fields.id)?,
            name: required("name", fields.name)?,
            account: required("accountId", fields.account_id)?,
            retailer: required("retailerId", fields.retailer_id)?,
            entity,
            root,
            raw: utf8(verified.body())?,
        })
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.reference)
    }
}

/// Reads a JSON object. Without the look at the first character serde would take an array for the struct, field by field.
pub(crate) fn object<'a, T: Deserialize<'a>>(json: &'a str) -> serde_json::Result<T> {
    if json.trim_start().starts_with('{') {
        serde_json::from_str(json)
    } else {
        Err(serde::de::Error::custom("not a JSON object"))
    }
}

fn utf8(body: &[u8]) -> Result<&str, EventError> {
    std::str::from_utf8(body).map_err(|error| EventError::NotJson(serde::de::Error::custom(error)))
}

fn required(field: &'static str, value: Option<&RawValue>) -> Result<String, EventError> {
    text(value).ok_or(EventError::Field { field })
}

/// A non-empty string, or a number as it is written.
pub(crate) fn text(value: Option<&RawValue>) -> Option<String> {
    let raw = value?.get();
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str::<Cow<'_, str>>(raw)
            .ok()
            .map(Cow::into_owned)
            .filter(|text| !text.is_empty()),
        b'-' | b'0'..=b'9' => Some(raw.to_owned()),
        _ => None,
    }
}
