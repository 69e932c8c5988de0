//! What handlers have in common that bring a resource of commercetools into Fluent.
//!
//! Each fetches the resource anew, so a message that comes late or again pushes what the resource is now. Fluent cannot be
//! told to refuse an older version, so no version is compared: the messages of one resource come one after another.

pub(crate) mod address;
pub(crate) mod attributes;
pub(crate) mod catalogue;
pub(crate) mod input;
pub(crate) mod new_order;
pub(crate) mod notification;
