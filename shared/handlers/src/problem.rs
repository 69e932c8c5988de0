//! The reasons for which a mapping parks its message until somebody has mended something: the data, or the route.

use connector::document::DocumentError;
use connector::failure::Code;
use connector::handler::HandlerError;

/// The error of a resource that cannot be mapped, `E_MAPPING`: mend the data, and replay. Names of fields, ids and
/// references may be told, what a customer typed not.
pub(crate) fn unmappable(reason: impl Into<String>) -> HandlerError {
    HandlerError::Misconfigured { code: Code::Mapping, reason: reason.into() }
}

/// The error of a route's `props` that cannot be used, `E_ROUTE`: mend the route, and replay.
pub(crate) fn unusable_props(error: &DocumentError) -> HandlerError {
    HandlerError::Misconfigured { code: Code::Route, reason: format!("the route's props: {error}") }
}

/// The error of a route without the payload that its handler makes this of, `E_TEMPLATE`.
pub(crate) fn no_payload(handler: &str, what: &str) -> HandlerError {
    HandlerError::Misconfigured {
        code: Code::Template,
        reason: format!("the route has no payload, and handler {handler} needs one: {what}"),
    }
}
