//! From a request to the message that it becomes: who has to prove it, and what it then says.
//!
//! One piece of code for a webhook that comes in and for one that was kept unverified ([`crate::unverified`]): there is
//! no other way from a body to the event queue. Knows no HTTP answers and no queue.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use crate::configuration::{FoundSource, KeyRing, Sources};
use crate::environment::{Environment, EnvironmentError};
use crate::event::{EventError, FluentEvent};
use crate::failure::Code;
use crate::message::{Message, MessageError, group_of, group_of_source_event};
use crate::signature::{
    FLEX_SIGNATURE, FLUENT_SIGNATURE, Md5Policy, SignatureError, SignatureHeaders, Verifier,
};
use crate::source::{Content, ProofError, Reply, Request, Source, SourceEventError};

/// What the deployment takes of Fluent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The accounts whose webhooks it takes.
    pub accounts: BTreeSet<String>,
    /// Whether a lone MD5 signature counts.
    pub md5: Md5Policy,
}

impl Served {
    /// Reads `FLUENT_ACCOUNTS` and `ALLOW_MD5_SIGNATURE`. Here, so that what is replayed unverified has to be just what a
    /// webhook has to be that comes in.
    ///
    /// # Errors
    /// [`EnvironmentError`] names the variable.
    pub fn read(environment: Environment<'_>) -> Result<Self, EnvironmentError> {
        let accounts = environment.list("FLUENT_ACCOUNTS")?;
        let md5 = if environment.switch("ALLOW_MD5_SIGNATURE")? {
            Md5Policy::AllowAlone
        } else {
            Md5Policy::Refuse
        };
        Ok(Self { accounts, md5 })
    }
}

/// What a genuine request is.
#[derive(Debug)]
pub enum Webhook {
    /// Its sender tries the way: nothing is queued.
    Ping {
        /// What its source's document wants it answered.
        reply: Option<Reply>,
    },
    /// A message for the event queue.
    Event {
        /// The message; boxed, for it is much larger than a ping.
        message: Box<Message>,
        /// Its group on the event queue.
        group: String,
        /// What its source's document wants it answered.
        reply: Option<Reply>,
    },
}

/// Why a request becomes no message.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// There is no source of this name.
    #[error("there is no source of this name")]
    Source,
    /// The source's document is broken, and no good copy of it is known; the log said why when it was read.
    #[error("the document sources/{0} is broken: see configuration.problem")]
    BrokenSource(String),
    /// Keys of Fluent are configured, and none can be used; the log said why when they were read.
    #[error("no document under keys/ can be used: see configuration.problem")]
    BrokenKeys,
    /// Kept without a header that its source's document asks for: what it is cannot be told any more.
    #[error(
        "its source's document looks into the header {0}, which came and was not kept: its sender has to send it again"
    )]
    NotKept(HeaderName),
    /// The body is larger than its source may send.
    #[error("the body is larger than the {limit} bytes that its source may send")]
    MoreThanItsSource {
        /// The document's `maxBytes`.
        limit: usize,
    },
    /// Not proven to be Fluent's.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Not proven to be the source's.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// Genuine, but not an event of Fluent.
    #[error(transparent)]
    Payload(#[from] EventError),
    /// Genuine, but not an event of its source.
    #[error(transparent)]
    Event(#[from] SourceEventError),
    /// Genuine, but of an account that this deployment does not serve.
    #[error("account {0:?} is not among FluentAccounts")]
    Account(String),
    /// Genuine, but its message does not fit the queue, or cannot be written.
    #[error(transparent)]
    Message(#[from] MessageError),
}

impl Rejection {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Source => Code::Source,
            Self::BrokenSource(_) | Self::BrokenKeys => Code::Config,
            Self::MoreThanItsSource { .. } => Code::TooLarge,
            Self::Signature(_) | Self::Proof(_) | Self::NotKept(_) => Code::Signature,
            Self::Payload(_) | Self::Event(_) => Code::Payload,
            Self::Account(_) => Code::Account,
            Self::Message(error) => error.refusal(),
        }
    }
}

/// What a request to Fluent's path is.
///
/// # Errors
/// [`Rejection`] by cause.
pub fn of_fluent(
    request: Request<'_>,
    keys: &KeyRing,
    served: &Served,
    received_at: Timestamp,
) -> Result<Webhook, Rejection> {
    let by_keys = Verifier::new(keys.keys(), served.md5);
    let verified = match by_keys.verify(request.body, &signatures(request.headers)) {
        Err(SignatureError::NoKey) if keys.is_broken() => return Err(Rejection::BrokenKeys),
        verified => verified?,
    };
    let event = FluentEvent::from_verified(&verified)?;
    if !served.accounts.contains(&event.account) {
        return Err(Rejection::Account(event.account));
    }
    let message = Message::from_fluent(&event, received_at)?;
    Ok(Webhook::Event { message: Box::new(message), group: group_of(&event), reply: None })
}

/// What a request to the path of the source of this name is. `received_at` is the time that a signed timestamp is
/// held against.
///
/// # Errors
/// [`Rejection`] by cause.
pub fn of_source(
    request: Request<'_>,
    name: &str,
    sources: &Sources,
    received_at: Timestamp,
) -> Result<Webhook, Rejection> {
    let source = match sources.source(name) {
        Some(FoundSource::Usable(source)) => source,
        Some(FoundSource::Broken) => return Err(Rejection::BrokenSource(name.to_owned())),
        None => return Err(Rejection::Source),
    };
    if request.body.len() > source.max_bytes() {
        return Err(Rejection::MoreThanItsSource { limit: source.max_bytes() });
    }
    sent_by(source, request, received_at)
}

fn sent_by(source: &Source, request: Request<'_>, received_at: Timestamp) -> Result<Webhook, Rejection> {
    let reply = source.answer().cloned();
    let proven = match source.prove(request, received_at) {
        Ok(proven) => proven,
        Err(error) if source.takes_unproven_ping(&request, &error) => return Ok(Webhook::Ping { reply }),
        Err(error) => return Err(error.into()),
    };
    match proven.content()? {
        Content::Ping => Ok(Webhook::Ping { reply }),
        Content::Event(event) => {
            let message = Box::new(Message::from_source(&event, received_at)?);
            Ok(Webhook::Event { message, group: group_of_source_event(&event), reply })
        }
    }
}

fn signatures(headers: &HeaderMap) -> SignatureHeaders<'_> {
    let values = |name| headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    SignatureHeaders { fluent: values(FLUENT_SIGNATURE), flex: values(FLEX_SIGNATURE) }
}
