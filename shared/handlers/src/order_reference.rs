//! What an order of commercetools is called in Fluent: a prefix, and its id or number behind it. Both directions read the
//! prefix here, so that what one makes the other finds.

use connector::document::{Document, DocumentError};
use serde_json::Value;

/// What stands before the order's id or number where `props.refPrefix` says nothing.
pub(crate) const PREFIX: &str = "HD_";
/// The key of `props`.
pub(crate) const KEY: &str = "refPrefix";

/// What `props.refPrefix` says; an empty text is no prefix.
pub(crate) fn prefix(props: &mut Document) -> Result<Option<String>, DocumentError> {
    match props.value(KEY) {
        None => Ok(None),
        Some(Value::String(text)) if text.is_empty() || !text.trim().is_empty() => Ok(Some(text)),
        Some(_) => Err(props.unusable(KEY, "must be text: put it in quotes")),
    }
}
