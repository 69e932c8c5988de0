//! A message that commercetools has stored: the way back to what a notification was too small for.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::common::Reference;

/// A stored message about a change.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Id, UUID.
    pub id: String,
    /// Grows with each change of it.
    pub version: i64,
    /// Its place among the messages of its resource.
    pub sequence_number: i64,
    /// What changed.
    pub resource: Reference,
    /// The resource's version after the change.
    pub resource_version: i64,
    /// Such as `OrderCreated`.
    #[serde(rename = "type")]
    pub kind: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// The fields that its type adds.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}
