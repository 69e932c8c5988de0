//! Which resource of commercetools a message is about. What else it holds is not looked at: the resource is fetched anew.

use connector::handler::{Context, HandlerError};
use serde_json::Value;

use crate::problem::unmappable;

/// The id of the resource, which is of this type (`order`, `product`); also a message without its payload tells it.
///
/// # Errors
/// `E_MAPPING` where the message has none, or is about another type.
pub(crate) fn resource_id(context: &Context<'_>, of_type: &str) -> Result<String, HandlerError> {
    let payload: Value = serde_json::from_str(context.message.payload.get()).unwrap_or_default();
    let text = |pointer| payload.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    if text("/resource/typeId").is_some_and(|told| told != of_type) {
        return Err(unmappable(format!("resource.typeId of the message is not {of_type}")));
    }
    text("/resource/id").map(str::to_owned).ok_or_else(|| unmappable("resource.id of the message is missing"))
}
