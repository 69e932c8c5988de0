//! The message router: each record of a batch ends in exactly one disposition, and harms no neighbour.
//!
//! [`batch`] keeps groups in order, [`decide`] finds a record's disposition, [`dispatch`] makes a message one for each of
//! its routes, [`settle`] carries the disposition out;
//! [`record`] is the border to Lambda's SQS event, [`settings`] is the environment.

pub mod batch;
pub mod decide;
pub mod dispatch;
pub mod record;
pub mod router;
pub mod settings;
pub mod settle;
