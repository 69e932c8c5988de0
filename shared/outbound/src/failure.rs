//! From the HTTP library's errors to our causes, by their types. The URL is taken out: its query may hold a secret.

use std::error::Error;
use std::io;

use connector::delivery::TransportFailure;
use connector::failure::chain;
use connector::outcome::NoAnswer;

use crate::client::Refused;
use crate::resolver::{Blocked, Unresolved};

pub(crate) fn of(error: reqwest::Error) -> TransportFailure {
    let error = error.without_url();
    let cause = match () {
        () if holds::<Blocked>(&error) => NoAnswer::BlockedAddress,
        () if error.is_timeout() => NoAnswer::Timeout,
        () if holds::<Unresolved>(&error) => NoAnswer::Dns,
        () if holds::<rustls::Error>(&error) || (error.is_connect() && breaks_off(&error)) => NoAnswer::Tls,
        () if error.is_connect() => NoAnswer::Connect,
        () if error.is_builder() => NoAnswer::Request,
        () => NoAnswer::Response,
    };
    TransportFailure { cause, detail: chain(&error) }
}

pub(crate) fn timeout() -> TransportFailure {
    TransportFailure { cause: NoAnswer::Timeout, detail: "the receiver did not answer in time".to_owned() }
}

pub(crate) fn refused(refused: &Refused) -> TransportFailure {
    TransportFailure { cause: NoAnswer::BlockedAddress, detail: refused.to_string() }
}

/// Whether an error of this type is among the causes, also inside an [`io::Error`], which hides what it wraps.
fn holds<T: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    any(error, &|cause| cause.is::<T>())
}

/// Whether a connection ended while it was being made: TCP alone does not end so, a TLS handshake does.
fn breaks_off(error: &(dyn Error + 'static)) -> bool {
    any(error, &|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof)
    })
}

fn any(error: &(dyn Error + 'static), is: &dyn Fn(&(dyn Error + 'static)) -> bool) -> bool {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    is(error)
        || wrapped.is_some_and(|wrapped| any(wrapped, is))
        || error.source().is_some_and(|cause| any(cause, is))
}
