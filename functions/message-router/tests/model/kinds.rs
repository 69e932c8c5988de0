//! What records there are.

use crate::support::{envelope, routed};

/// What a record is, and so where it has to end when nothing fails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Deliver,
    Panic,
    Unrouted,
    RouteGone,
    Misconfigured,
    UnknownHandler,
    Paused,
    Malformed,
    UnknownVersion,
    EmptyId,
    Dispatch,
    DispatchToTwo,
}

pub(crate) const KINDS: [Kind; 12] = [
    Kind::Deliver,
    Kind::Panic,
    Kind::Unrouted,
    Kind::RouteGone,
    Kind::Misconfigured,
    Kind::UnknownHandler,
    Kind::Paused,
    Kind::Malformed,
    Kind::UnknownVersion,
    Kind::EmptyId,
    Kind::Dispatch,
    Kind::DispatchToTwo,
];

pub(crate) fn body(kind: Kind, id: &str) -> String {
    match kind {
        Kind::Deliver => routed(id, "deliver"),
        Kind::Panic => routed(id, "panic"),
        Kind::Unrouted => envelope(id, "Unheard"),
        Kind::RouteGone => routed(id, "gone"),
        Kind::Misconfigured => routed(id, "nowhere"),
        Kind::UnknownHandler => routed(id, "nobody"),
        Kind::Paused => routed(id, "held"),
        Kind::Malformed => "{".to_owned(),
        Kind::UnknownVersion => routed(id, "deliver").replace("\"version\":1", "\"version\":99"),
        Kind::EmptyId => envelope("", "Deliver"),
        Kind::Dispatch => envelope(id, "Deliver"),
        Kind::DispatchToTwo => envelope(id, "Both"),
    }
}
