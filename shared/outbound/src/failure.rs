//! From the HTTP library's errors to our causes: by type, never by text. The URL is taken out: its query may hold a secret.

use std::error::Error;
use std::io;
use std::iter::successors;

use connector::delivery::TransportFailure;
use connector::failure::chain;
use connector::outcome::NoAnswer;

use crate::blocked::Blocked;

pub(crate) fn of(error: reqwest::Error) -> TransportFailure {
    let error = error.without_url();
    match causes(&error).find_map(|cause| cause.downcast_ref::<Blocked>()) {
        Some(blocked) => of_blocked(blocked),
        None => TransportFailure { cause: cause(&error), detail: chain(&error) },
    }
}

pub(crate) fn of_blocked(blocked: &Blocked) -> TransportFailure {
    TransportFailure { cause: NoAnswer::BlockedAddress, detail: blocked.to_string() }
}

pub(crate) fn timeout() -> TransportFailure {
    TransportFailure { cause: NoAnswer::Timeout, detail: "the receiver did not answer in time".to_owned() }
}

/// `is_timeout` and `is_dns` speak of connecting as well, `is_connect` of all that is left of it.
fn cause(error: &reqwest::Error) -> NoAnswer {
    match () {
        () if error.is_builder() => NoAnswer::Request,
        () if error.is_timeout() => NoAnswer::Timeout,
        () if error.is_dns() => NoAnswer::Dns,
        () if is_tls(error) => NoAnswer::Tls,
        () if error.is_connect() => NoAnswer::Connect,
        () => NoAnswer::Response,
    }
}

/// The TLS library's own error anywhere, or a connection that broke off in the handshake: hyper-rustls wraps what ended a
/// handshake into one more I/O error, and nothing else on the way to a connection does.
fn is_tls(error: &reqwest::Error) -> bool {
    causes(error).any(<dyn Error>::is::<rustls::Error>) || (error.is_connect() && causes(error).any(wraps_io))
}

fn wraps_io(error: &(dyn Error + 'static)) -> bool {
    error.is::<io::Error>() && cause_of(error).is_some_and(<dyn Error>::is::<io::Error>)
}

/// An error and its causes.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |error| cause_of(*error))
}

/// The next cause, which may be held by an I/O error: its `source` passes over the error that it wraps.
fn cause_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}
