//! From the HTTP library's errors to our codes. The URL is taken out: its query may hold a secret.

use connector::delivery::TransportFailure;
use connector::failure::{Code, chain};

pub(crate) fn of(error: reqwest::Error) -> TransportFailure {
    let code = match () {
        () if error.is_timeout() => Code::Timeout,
        () if error.is_connect() => Code::Connect,
        () if error.is_builder() => Code::Request,
        () => Code::Response,
    };
    TransportFailure { code, detail: chain(&error.without_url()) }
}

pub(crate) fn timeout() -> TransportFailure {
    TransportFailure { code: Code::Timeout, detail: "the receiver did not answer in time".to_owned() }
}

pub(crate) fn header(name: &str) -> TransportFailure {
    TransportFailure { code: Code::Request, detail: format!("the value of header {name} cannot be sent") }
}
