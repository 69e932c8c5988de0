//! What handlers have in common that tell commercetools of something in Fluent. Each asks Fluent for what the event does not
//! say, and commercetools for how things stand, and writes what differs: an event that comes late or again does no harm.

pub(crate) mod entity;
pub(crate) mod key;
pub(crate) mod placed_order;
pub(crate) mod reading;
pub(crate) mod statuses;
