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
    /// No such source or path.
    Source = "E_SOURCE",
    /// The message would not fit the queue.
    TooLarge = "E_TOO_LARGE",
    /// The queue did not confirm.
    Queue = "E_QUEUE",
    /// The configuration has never been readable.
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
    /// A handler panicked.
    Panic = "E_PANIC",
    /// Too little time is left in the invocation to start the work.
    Deadline = "E_DEADLINE",
    /// The receiver did not answer within the timeout.
    Timeout = "E_TIMEOUT",
    /// No connection to the receiver.
    Connect = "E_CONNECT",
    /// The receiver's answer is not HTTP, or the connection broke before its head was read.
    Response = "E_RESPONSE",
    /// The request could not be built or sent as asked.
    Request = "E_REQUEST",
    /// The receiver answered with another status than 2xx.
    Status = "E_STATUS",
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
        insta::assert_snapshot!(codes.join(" "), @"E_PAYLOAD E_SIGNATURE E_ACCOUNT E_SOURCE E_TOO_LARGE E_QUEUE E_CONFIG E_MESSAGE E_VERSION E_UNROUTED E_HANDLER E_ENDPOINT E_PANIC E_DEADLINE E_TIMEOUT E_CONNECT E_RESPONSE E_REQUEST E_STATUS");
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
