//! What a message in the undelivered queue says of itself: the message attributes, written by the router, read by replay.

use jiff::Timestamp;

use crate::disposition::Reason;
use crate::failure::Code;

/// The message attributes of a parked message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// `reason`: why it waits.
    pub reason: Reason,
    /// `code`: what happened.
    pub code: Code,
    /// `route`: by which it was to go, where there is one.
    pub route: Option<String>,
    /// `endpoint`: where it was to go, where there is one.
    pub endpoint: Option<String>,
    /// `attempts`: how often it was tried, the last time included.
    pub attempts: u32,
    /// `status`: the receiver's last HTTP status, where it answered.
    pub status: Option<u16>,
    /// `time`: when it was parked.
    pub time: Timestamp,
}

impl Parked {
    /// As SQS message attributes of type String.
    #[must_use]
    pub fn attributes(&self) -> Vec<(&'static str, String)> {
        let mut attributes = vec![
            ("reason", self.reason.as_str().to_owned()),
            ("code", self.code.as_str().to_owned()),
            ("attempts", self.attempts.to_string()),
            ("time", format!("{:.3}", self.time)),
        ];
        attributes.extend(self.route.clone().map(|route| ("route", route)));
        attributes.extend(self.endpoint.clone().map(|endpoint| ("endpoint", endpoint)));
        attributes.extend(self.status.map(|status| ("status", status.to_string())));
        attributes
    }
}
