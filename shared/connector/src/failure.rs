//! The stable codes of everything that an operator or a caller sees fail.

use std::error::Error;
use std::fmt::{self, Write as _};

macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $variant:ident = $text:literal,)+) => {
        /// A stable code. One test freezes the list.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $meaning])+ $variant,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The text that logs and answers carry.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

codes! {
    /// The body is not a JSON object, or a required field is missing.
    Payload = "E_PAYLOAD",
    /// No, a malformed, or a wrong signature.
    Signature = "E_SIGNATURE",
    /// A genuine webhook of an account that this deployment does not serve.
    Account = "E_ACCOUNT",
    /// No such path, or no such source.
    Source = "E_SOURCE",
    /// The message would not fit the queue.
    TooLarge = "E_TOO_LARGE",
    /// The queue did not confirm.
    Queue = "E_QUEUE",
    /// The configuration has never been readable, or a source's document is broken.
    Config = "E_CONFIG",
    /// A message on the event queue is not a message.
    Message = "E_MESSAGE",
    /// A message of another version of the connector.
    Version = "E_VERSION",
    /// No route wants the message.
    Unrouted = "E_UNROUTED",
    /// A route names a handler that is not registered.
    Handler = "E_HANDLER",
    /// A route names no endpoint, or one that is missing or broken.
    Endpoint = "E_ENDPOINT",
    /// A route's document is broken, and no good copy of it is known.
    Route = "E_ROUTE",
    /// A template or condition made nothing of the event.
    Template = "E_TEMPLATE",
    /// A handler panicked.
    Panic = "E_PANIC",
    /// Too little time is left in the invocation to start the work.
    Deadline = "E_DEADLINE",
    /// The receiver did not answer within the timeout.
    Timeout = "E_TIMEOUT",
    /// The receiver's name does not resolve.
    Dns = "E_DNS",
    /// No TCP connection to the receiver.
    Connect = "E_CONNECT",
    /// No TLS session with the receiver: its certificate, its protocol version, or a connection that broke off.
    Tls = "E_TLS",
    /// The receiver's scheme, port or address is not one that may be sent to.
    BlockedAddress = "E_BLOCKED_ADDRESS",
    /// The receiver's answer is not HTTP, or the connection broke before its head was read.
    Response = "E_RESPONSE",
    /// The request could not be built or sent as asked.
    Request = "E_REQUEST",
    /// The receiver asked to come back later: 408, 425 or 429.
    Busy = "E_BUSY",
    /// The receiver failed: 5xx.
    Server = "E_SERVER",
    /// The receiver answered with a redirect, which is never followed: 3xx.
    Redirect = "E_REDIRECT",
    /// The receiver is gone for good: 410.
    Gone = "E_GONE",
    /// The receiver refused the request: any other status.
    Rejected = "E_REJECTED",
    /// The access token could not be had, or was not accepted.
    Token = "E_TOKEN",
    /// The access to the API of an account or project that a message needs is not configured, or its document is broken.
    Access = "E_ACCESS",
    /// A GraphQL answer holds errors.
    Graphql = "E_GRAPHQL",
    /// A 2xx answer of an API cannot be worked with.
    Answer = "E_ANSWER",
    /// A resource of an API changed each time that it was to be changed.
    Conflict = "E_CONFLICT",
    /// A resource of one system cannot be made one of the other: a field is missing, or holds what the other does not take.
    Mapping = "E_MAPPING",
    /// The endpoint is paused.
    Paused = "E_PAUSED",
    /// The endpoint did not answer others just now, so that nothing was sent.
    Unresponsive = "E_UNRESPONSIVE",
    /// The attempt was given up half-way: the receiver may have got it.
    Cancelled = "E_CANCELLED",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error with all its causes in one line, outermost first; a cause that only repeats its effect is left out.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let told = error.to_string();
        if !text.ends_with(&told) {
            let _ = write!(text, ": {told}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Code, chain};

    #[test]
    fn the_codes_are_frozen() {
        let codes: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        insta::assert_snapshot!(codes.join(" "), @"E_PAYLOAD E_SIGNATURE E_ACCOUNT E_SOURCE E_TOO_LARGE E_QUEUE E_CONFIG E_MESSAGE E_VERSION E_UNROUTED E_HANDLER E_ENDPOINT E_ROUTE E_TEMPLATE E_PANIC E_DEADLINE E_TIMEOUT E_DNS E_CONNECT E_TLS E_BLOCKED_ADDRESS E_RESPONSE E_REQUEST E_BUSY E_SERVER E_REDIRECT E_GONE E_REJECTED E_TOKEN E_ACCESS E_GRAPHQL E_ANSWER E_CONFLICT E_MAPPING E_PAUSED E_UNRESPONSIVE E_CANCELLED");
    }

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Link(&'static str, #[source] Option<Box<Link>>);

    #[test]
    fn a_chain_tells_every_cause_once() {
        let cause = Link("connection refused", Some(Box::new(Link("connection refused", None))));
        let error = Link("no connection", Some(Box::new(cause)));
        assert_eq!(chain(&error), "no connection: connection refused");
    }
}
