//! The webhook receiver: verify, queue, then 200.
//!
//! [`receive`] decides and knows no HTTP library; [`http`] is the border to Lambda; [`settings`] is the environment.

pub mod http;
pub mod receive;
pub mod refusal;
pub mod settings;
