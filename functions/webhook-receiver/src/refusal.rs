//! Why a request is refused: a fixed text for the caller, the details for the log.

use connector::event::EventError;
use connector::failure::{Code, chain};
use connector::message::MessageError;
use connector::ports::{ConfigurationError, QueueError};
use connector::signature::SignatureError;
use connector::source::{ProofError, SourceEventError};

/// Seconds that a 503 asks its caller to wait.
pub const RETRY_AFTER_SECONDS: u32 = 5;

/// A request that is not queued.
#[derive(Debug)]
pub enum Refusal {
    /// No such path, method or source.
    Source,
    /// The body alone is larger than the queue takes.
    BodyTooLarge {
        /// The most, in bytes.
        limit: usize,
    },
    /// The body is larger than its source may send.
    MoreThanItsSource {
        /// The document's `maxBytes`.
        limit: usize,
    },
    /// The configuration has never been readable.
    Config(ConfigurationError),
    /// The source's document is broken, and no good copy of it is known; the log said why when it was read.
    BrokenSource(String),
    /// Not proven to be Fluent's.
    Signature(SignatureError),
    /// Not proven to be the source's.
    Proof(ProofError),
    /// Genuine, but not an event of Fluent.
    Payload(EventError),
    /// Genuine, but not an event of its source.
    Event(SourceEventError),
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
            Self::BodyTooLarge { .. }
            | Self::MoreThanItsSource { .. }
            | Self::Message(MessageError::TooLarge { .. }) => Code::TooLarge,
            Self::Config(_) | Self::BrokenSource(_) => Code::Config,
            Self::Signature(_) | Self::Proof(_) => Code::Signature,
            Self::Payload(_)
            | Self::Event(_)
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
            Self::BodyTooLarge { .. }
            | Self::MoreThanItsSource { .. }
            | Self::Message(MessageError::TooLarge { .. }) => 413,
            Self::Config(_) | Self::BrokenSource(_) | Self::Queue(_) => 503,
            Self::Signature(_) | Self::Proof(_) => 401,
            Self::Payload(_) | Self::Event(_) | Self::Message(_) => 400,
            Self::Account(_) => 403,
        }
    }

    /// The text for the caller: one for each code, save that a missing field is named.
    #[must_use]
    pub fn public_text(&self) -> String {
        match self {
            Self::Source => "there is nothing at this path".to_owned(),
            Self::BodyTooLarge { .. } | Self::Message(MessageError::TooLarge { .. }) => {
                "the event is larger than the queue takes".to_owned()
            }
            Self::MoreThanItsSource { .. } => "the body is larger than its source may send".to_owned(),
            Self::Config(_) | Self::BrokenSource(_) => {
                "the configuration cannot be read, try again later".to_owned()
            }
            Self::Signature(_) | Self::Proof(_) => "the signature is missing, malformed or wrong".to_owned(),
            Self::Payload(EventError::Field { field }) => {
                format!("field {field} must be a non-empty string or a number")
            }
            Self::Payload(EventError::NotJson(_)) | Self::Message(_) => {
                "the body is not a JSON object".to_owned()
            }
            Self::Event(SourceEventError::NotJson(_)) => "the body is not a JSON object or array".to_owned(),
            Self::Event(error @ SourceEventError::NoName { .. }) => error.to_string(),
            Self::Account(_) => "this deployment does not serve the account".to_owned(),
            Self::Queue(_) => "the event could not be queued, try again later".to_owned(),
        }
    }

    /// The details for the log: the whole chain of causes.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Source => "no such path, method or source".to_owned(),
            Self::BodyTooLarge { limit } => format!("the body alone is larger than {limit} bytes"),
            Self::MoreThanItsSource { limit } => {
                format!("the body is larger than the {limit} bytes that its source may send")
            }
            Self::Config(error) => chain(error),
            Self::BrokenSource(name) => {
                format!("the document sources/{name} is broken: see configuration.problem")
            }
            Self::Signature(error) => chain(error),
            Self::Proof(error) => chain(error),
            Self::Payload(error) => chain(error),
            Self::Event(error) => chain(error),
            Self::Account(account) => format!("account {account:?} is not among FluentAccounts"),
            Self::Message(error) => chain(error),
            Self::Queue(error) => chain(error),
        }
    }
}
