//! What can be written on the command line.

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    apply, check, completions, doctor, fynd, jobs, keygen, render, replay, routes, send, sign, subscription,
    tail,
};

const EXIT_CODES: &str = "Exit codes:
  0  fine
  1  found something wrong: a broken parameter, a webhook not answered 200, a failed check
  2  could not do its work: wrong usage, an unreadable file, AWS not reachable

AWS credentials and region come from where the AWS CLI takes them; AWS_ENDPOINT_URL and NO_COLOR are honoured.";

/// Tools for Fluent Connect on AWS Lambda.
#[derive(Debug, Parser)]
#[command(name = "connector", version, after_help = EXIT_CODES, propagate_version = true)]
pub struct Arguments {
    /// What every command takes.
    #[command(flatten)]
    pub(crate) shared: Shared,
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Shared {
    /// Prints JSON for scripts
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Profile of the AWS configuration files
    #[arg(long, global = true)]
    pub(crate) profile: Option<String>,
    /// AWS region
    #[arg(long, global = true)]
    pub(crate) region: Option<String>,
    /// Replaces AWS's own endpoints, for a local AWS
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a development key pair
    Keygen(keygen::Asked),
    /// Signs a file as Fluent signs a webhook, or as an external system does
    Sign(sign::Asked),
    /// Posts signed webhooks of Fluent or of an external system, one or many; to this machine unless told otherwise
    Send(send::Asked),
    /// Tells all that is wrong with a configuration, in a folder or deployed
    Check(check::Asked),
    /// Lists routes, and why one is inactive
    Routes(routes::Asked),
    /// Shows the exact requests that routes make of an event, secrets masked; nothing is sent
    Render(render::Asked),
    /// Tries a subscription: sends its receiver a signed test event
    Subscription(subscription::Asked),
    /// Shows the event log
    Tail(tail::Asked),
    /// Shows the undelivered messages, or sends them back to the event queue
    Replay(replay::Asked),
    /// Lists the jobs and how far each has come, or starts one
    Jobs(jobs::Asked),
    /// Writes a folder to Parameter Store; shows what would change unless told to write
    Apply(apply::Asked),
    /// Looks a deployed stack over, and says what to do
    Doctor(doctor::Asked),
    /// Webhooks of Fynd: what can be subscribed to, and the subscription that the routes need
    Fynd(fynd::Asked),
    /// Prints a completion script for a shell
    Completions(completions::Asked),
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::Arguments;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_example_of_the_documentation_is_understood() {
        let runbook = include_str!("../../shared/docs/runbook.md");
        let pages = [include_str!("../README.md"), include_str!("../../README.md"), runbook];
        let lines = pages.into_iter().flat_map(str::lines);
        let within = runbook.split('`'); // its tables have commands within a line
        let examples: Vec<_> = lines.chain(within).filter(|text| text.starts_with("connector ")).collect();
        let commands = Arguments::command().get_subcommands().count();
        assert!(examples.len() > commands, "{} examples", examples.len());
        for example in examples {
            let words = example.split(" #").next().unwrap().split_whitespace();
            Arguments::try_parse_from(words).unwrap_or_else(|error| panic!("{example}: {error}"));
        }
    }
}
