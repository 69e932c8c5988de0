//! From the HTTP library's errors to our codes. The URL is taken out: its query may hold a secret.

use connector::delivery::TransportFailure;
use connector::failure::chain;
use connector::outcome::NoAnswer;

pub(crate) fn of(error: reqwest::Error) -> TransportFailure {
    let cause = match () {
        () if error.is_timeout() => NoAnswer::Timeout,
        () if error.is_connect() => NoAnswer::Connect,
        () if error.is_builder() => NoAnswer::Request,
        () => NoAnswer::Response,
    };
    TransportFailure { cause, detail: chain(&error.without_url()) }
}

pub(crate) fn timeout() -> TransportFailure {
    TransportFailure { cause: NoAnswer::Timeout, detail: "the receiver did not answer in time".to_owned() }
}
