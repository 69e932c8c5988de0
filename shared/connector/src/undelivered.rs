//! A message in the undelivered queue, and what it says of itself: the message attributes, written by the router, read
//! by replay.

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

    /// Reads message attributes back. An attribute that is missing or cannot be read is left out and hides no other.
    #[must_use]
    pub fn of<'a>(attributes: impl IntoIterator<Item = (&'a str, &'a str)>) -> Stated {
        let mut stated = Stated::default();
        for (name, value) in attributes {
            match name {
                "reason" => stated.reason = Reason::ALL.into_iter().find(|reason| reason.as_str() == value),
                "code" => stated.code = Some(value.to_owned()),
                "route" => stated.route = Some(value.to_owned()),
                "endpoint" => stated.endpoint = Some(value.to_owned()),
                "attempts" => stated.attempts = value.parse().ok(),
                "status" => stated.status = value.parse().ok(),
                "time" => stated.time = value.parse().ok(),
                _ => {}
            }
        }
        stated
    }
}

/// What the attributes of a parked message state, as far as they can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stated {
    /// `reason`.
    pub reason: Option<Reason>,
    /// `code`, which may be one of a later version.
    pub code: Option<String>,
    /// `route`.
    pub route: Option<String>,
    /// `endpoint`.
    pub endpoint: Option<String>,
    /// `attempts`.
    pub attempts: Option<u32>,
    /// `status`.
    pub status: Option<u16>,
    /// `time`.
    pub time: Option<Timestamp>,
}

/// A message as it was received from the undelivered queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// SQS's id of it: another one each time that it is parked.
    pub id: String,
    /// What deletes it, or makes it visible again.
    pub receipt: String,
    /// The envelope, or whatever else was parked.
    pub body: String,
    /// `MessageGroupId`.
    pub group: String,
    /// `MessageDeduplicationId` with which it was sent.
    pub deduplication: String,
    /// When it was sent, by SQS's clock.
    pub sent: Timestamp,
    /// X-Ray's trace header.
    pub trace: Option<String>,
    /// Its message attributes.
    pub attributes: Vec<Attribute>,
}

/// A message attribute of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// SQS's data type of it, such as `String` or `Number`.
    pub kind: String,
    /// Its value.
    pub value: AttributeValue,
}

/// The value of a message attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// Text, or a number as it is written.
    Text(String),
    /// Anything else.
    Bytes(Vec<u8>),
}

/// A copy for the end of the undelivered queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside<'a> {
    /// What it is a copy of: all but the deduplication id is kept.
    pub message: &'a Received,
    /// `MessageDeduplicationId` of the copy.
    pub deduplication: String,
}

impl Received {
    /// What its attributes state.
    #[must_use]
    pub fn stated(&self) -> Stated {
        Parked::of(self.attributes.iter().filter_map(|attribute| match &attribute.value {
            AttributeValue::Text(value) => Some((attribute.name.as_str(), value.as_str())),
            AttributeValue::Bytes(_) => None,
        }))
    }
}

impl Attribute {
    /// An attribute of type String.
    #[must_use]
    pub fn text(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), kind: "String".to_owned(), value: AttributeValue::Text(value.into()) }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Parked, Stated};
    use crate::disposition::Reason;
    use crate::failure::Code;

    #[test]
    fn what_was_written_is_read_back() {
        let parked = Parked {
            reason: Reason::Exhausted,
            code: Code::Server,
            route: Some("status".to_owned()),
            endpoint: Some("storefront".to_owned()),
            attempts: 7,
            status: Some(503),
            time: Timestamp::from_millisecond(1_795_000_000_123).unwrap(),
        };
        let attributes = parked.attributes();
        let stated = Parked::of(attributes.iter().map(|(name, value)| (*name, value.as_str())));
        let expected = Stated {
            reason: Some(parked.reason),
            code: Some("E_SERVER".to_owned()),
            route: parked.route,
            endpoint: parked.endpoint,
            attempts: Some(7),
            status: Some(503),
            time: Some(parked.time),
        };
        assert_eq!(stated, expected);
    }

    #[test]
    fn what_cannot_be_read_hides_nothing_else() {
        let stated = Parked::of([
            ("reason", "bewitched"),
            ("attempts", "many"),
            ("status", "70000"),
            ("time", "yesterday"),
            ("spell", "x"),
            ("endpoint", "storefront"),
        ]);
        assert_eq!(stated, Stated { endpoint: Some("storefront".to_owned()), ..Stated::default() });
        assert_eq!(Parked::of([]), Stated::default());
    }
}
