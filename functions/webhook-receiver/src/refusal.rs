//! Why a request is refused: a fixed text for the caller, the details for the log.

use connector::event::EventError;
use connector::failure::{Code, chain};
use connector::message::{MAX_MESSAGE_BYTES, MessageError};
use connector::ports::{ConfigurationError, QueueError};
use connector::source::SourceEventError;
use connector::webhook::Rejection;

/// Seconds that a 503 asks its caller to wait.
pub const RETRY_AFTER_SECONDS: u32 = 5;

/// A request that is not queued.
#[derive(Debug)]
pub enum Refusal {
    /// No such path or method.
    Path,
    /// The body alone is larger than the queue takes.
    BodyTooLarge,
    /// The configuration has never been readable.
    Config(ConfigurationError),
    /// It becomes no message.
    Rejected(Rejection),
    /// The queue did not confirm it.
    Queue(QueueError),
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl Refusal {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Path => Code::Source,
            Self::BodyTooLarge => Code::TooLarge,
            Self::Config(_) => Code::Config,
            Self::Rejected(rejection) => rejection.code(),
            Self::Queue(_) => Code::Queue,
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Path => 404,
            Self::BodyTooLarge => 413,
            Self::Config(_) | Self::Queue(_) => 503,
            Self::Rejected(rejection) => status_of(rejection),
        }
    }

    /// The text for the caller: one for each code, save that a missing field is named.
    #[must_use]
    pub fn public_text(&self) -> String {
        match self {
            Self::Path => NOTHING_HERE.to_owned(),
            Self::BodyTooLarge => TOO_LARGE.to_owned(),
            Self::Config(_) => UNREADABLE.to_owned(),
            Self::Rejected(rejection) => text_of(rejection),
            Self::Queue(_) => "the event could not be queued, try again later".to_owned(),
        }
    }

    /// The details for the log: the whole chain of causes.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Path => "there is no such path, or it takes another method".to_owned(),
            Self::BodyTooLarge => format!("the body alone is larger than {MAX_MESSAGE_BYTES} bytes"),
            Self::Config(error) => chain(error),
            Self::Rejected(rejection) => chain(rejection),
            Self::Queue(error) => chain(error),
        }
    }
}

const NOTHING_HERE: &str = "there is nothing at this path";
const TOO_LARGE: &str = "the event is larger than the queue takes";
const UNREADABLE: &str = "the configuration cannot be read, try again later";

fn status_of(rejection: &Rejection) -> u16 {
    match rejection {
        Rejection::Source => 404,
        Rejection::MoreThanItsSource { .. } | Rejection::Message(MessageError::TooLarge { .. }) => 413,
        Rejection::BrokenSource(_) | Rejection::BrokenKeys => 503,
        Rejection::Signature(_) | Rejection::Proof(_) | Rejection::NotKept(_) => 401,
        Rejection::Payload(_) | Rejection::Event(_) | Rejection::Message(_) => 400,
        Rejection::Account(_) => 403,
    }
}

fn text_of(rejection: &Rejection) -> String {
    let fixed = match rejection {
        Rejection::Payload(EventError::Field { field }) => {
            return format!("field {field} must be a non-empty string or a number");
        }
        Rejection::Event(error @ SourceEventError::NoName { .. }) => return error.to_string(),
        Rejection::Source => NOTHING_HERE,
        Rejection::Message(MessageError::TooLarge { .. }) => TOO_LARGE,
        Rejection::MoreThanItsSource { .. } => "the body is larger than its source may send",
        Rejection::BrokenSource(_) | Rejection::BrokenKeys => UNREADABLE,
        Rejection::Signature(_) | Rejection::Proof(_) | Rejection::NotKept(_) => {
            "the signature is missing, malformed or wrong"
        }
        Rejection::Payload(EventError::NotJson(_)) | Rejection::Message(_) => "the body is not a JSON object",
        Rejection::Event(SourceEventError::NotJson(_)) => "the body is not a JSON object or array",
        Rejection::Account(_) => "this deployment does not serve the account",
    };
    fixed.to_owned()
}
