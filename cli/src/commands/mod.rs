//! One file a command: what it takes, what it does, what it prints.

use anyhow::Context as _;
use connector::handler::Handlers;

pub(crate) mod apply;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod fynd;
pub(crate) mod jobs;
pub(crate) mod keygen;
pub(crate) mod render;
pub(crate) mod replay;
pub(crate) mod routes;
pub(crate) mod send;
pub(crate) mod sign;
pub(crate) mod subscription;
pub(crate) mod tail;

/// The handlers of this build.
pub(crate) fn handlers() -> anyhow::Result<Handlers> {
    handlers::registry().build().context("the handlers of this build conflict")
}
