//! Why a request is refused: a fixed text for the caller, the details for the log.

use connector::event::EventError;
use connector::failure::{Code, chain};
use connector::message::MessageError;
use connector::ports::{ConfigurationError, QueueError};
use connector::signature::SignatureError;

/// Seconds that a 503 asks its caller to wait.
pub const RETRY_AFTER_SECONDS: u32 = 5;

/// A request that is not queued.
#[derive(Debug)]
pub enum Refusal {
    /// No such path or method.
    Source,
    /// The body alone is larger than the queue takes.
    BodyTooLarge,
    /// The keys have never been readable.
    Config(ConfigurationError),
    /// Not proven to be Fluent's.
    Signature(SignatureError),
    /// Genuine, but not an event.
    Payload(EventError),
    /// Genuine, but of an account that this deployment does not serve.
    Account(String),
    /// Genuine, but its message does not fit the queue, or cannot be written.
    Message(MessageError),
    /// The queue did not confirm it.
    Queue(QueueError),
}

impl Refusal {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Source => Code::Source,
            Self::BodyTooLarge | Self::Message(MessageError::TooLarge { .. }) => Code::TooLarge,
            Self::Config(_) => Code::Config,
            Self::Signature(_) => Code::Signature,
            Self::Payload(_)
            | Self::Message(
                MessageError::Malformed(_)
                | MessageError::Field { .. }
                | MessageError::Version { .. }
                | MessageError::Empty { .. },
            ) => Code::Payload,
            Self::Account(_) => Code::Account,
            Self::Queue(_) => Code::Queue,
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Source => 404,
            Self::BodyTooLarge | Self::Message(MessageError::TooLarge { .. }) => 413,
            Self::Config(_) | Self::Queue(_) => 503,
            Self::Signature(_) => 401,
            Self::Payload(_) | Self::Message(_) => 400,
            Self::Account(_) => 403,
        }
    }

    /// The text for the caller: one for each code, save that a missing field is named.
    #[must_use]
    pub fn public_text(&self) -> String {
        match self {
            Self::Source => "there is nothing at this path".to_owned(),
            Self::BodyTooLarge | Self::Message(MessageError::TooLarge { .. }) => {
                "the event is larger than the queue takes".to_owned()
            }
            Self::Config(_) => "the configuration cannot be read, try again later".to_owned(),
            Self::Signature(_) => "the signature is missing, malformed or wrong".to_owned(),
            Self::Payload(EventError::Field { field }) => {
                format!("field {field} must be a non-empty string or a number")
            }
            Self::Payload(EventError::NotJson(_)) | Self::Message(_) => {
                "the body is not a JSON object".to_owned()
            }
            Self::Account(_) => "this deployment does not serve the account".to_owned(),
            Self::Queue(_) => "the event could not be queued, try again later".to_owned(),
        }
    }

    /// The details for the log: the whole chain of causes.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Source => "no such path or method".to_owned(),
            Self::BodyTooLarge => "the body alone is larger than an SQS message".to_owned(),
            Self::Config(error) => chain(error),
            Self::Signature(error) => chain(error),
            Self::Payload(error) => chain(error),
            Self::Account(account) => format!("account {account:?} is not among FluentAccounts"),
            Self::Message(error) => chain(error),
            Self::Queue(error) => chain(error),
        }
    }
}
