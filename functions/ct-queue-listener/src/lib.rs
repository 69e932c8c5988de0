//! The ct-queue listener: commercetools' notifications become messages on the event queue, each in exactly one place.
//!
//! [`end`] decides where a record goes and sends nothing, [`listen`] carries a batch out; [`record`] is the border to
//! Lambda's SQS event, [`settings`] is the environment.

pub mod end;
pub mod listen;
pub mod record;
pub mod settings;
