//! `fynd`: what Fynd has topics of, and the subscription that the routes need.

mod subscribe;
mod topics;

use clap::{Args, Subcommand};
use connector::ports::Clock;

use crate::arguments::Shared;
use crate::screen::Screen;
use crate::{Environment, Verdict, fynd};

#[derive(Debug, Args)]
pub(crate) struct Asked {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Lists the topics that can be subscribed to, by the names that routes give as `message`
    Topics(topics::Asked),
    /// Compares the registered subscriber with what the enabled routes want; changes it only when told to
    Subscribe(Box<subscribe::Asked>),
}

/// Where Fynd's API is.
#[derive(Debug, Args)]
struct Cluster {
    /// Fynd's API
    #[arg(long, value_name = "URL", default_value = fynd::CLUSTER)]
    cluster: String,
}

pub(crate) async fn run(
    asked: &Asked,
    shared: &Shared,
    clock: Clock,
    environment: Environment,
    screen: &mut Screen,
) -> anyhow::Result<Verdict> {
    match &asked.what {
        What::Topics(asked) => topics::run(asked, clock, screen).await,
        What::Subscribe(asked) => subscribe::run(asked, shared, clock, environment, screen).await,
    }
}
