#![doc = include_str!("../README.md")]

mod arguments;
mod backlog;
mod check;
mod commands;
mod diagnosis;
mod difference;
mod document;
mod entrance;
mod examination;
mod finding;
mod folder;
mod follow;
mod function;
mod fynd;
mod line;
mod load;
mod metric;
mod place;
mod reach;
mod rehearsal;
mod screen;
mod session;
mod signing;
mod stack;
mod store;

use anyhow::Context as _;
use connector::failure::chain;
use connector::ports::Clock;

pub use arguments::Arguments;

use crate::arguments::Command;
use crate::screen::{Broken, Screen};

/// How a command ended that could do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All is well: exit code 0.
    Fine,
    /// Something is wrong with what was looked at: exit code 1.
    Wrong,
}

impl Verdict {
    /// Wrong where `wrong`.
    fn wrong_if(wrong: bool) -> Self {
        if wrong { Self::Wrong } else { Self::Fine }
    }
}

/// What stands in the environment under a name.
pub type Environment = fn(&str) -> Option<String>;

/// Runs the command that was asked for.
///
/// # Errors
/// What keeps it from its work, to be shown to people: exit code 2.
pub fn start(arguments: Arguments, clock: Clock, environment: Environment) -> anyhow::Result<Verdict> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result =
        runtime.context("no runtime for network calls")?.block_on(run(arguments, clock, environment));
    match result {
        Err(error) if error.is::<Broken>() => Ok(Verdict::Fine), // whoever read our output has had enough
        result => result,
    }
}

/// Writes an error to stderr, with its causes.
pub fn tell(error: &anyhow::Error) {
    let style = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Red.into()));
    let text = chain(error.as_ref());
    let lines: Vec<_> = text.lines().map(screen::printable).collect();
    anstream::eprintln!("{style}error:{style:#} {}", lines.join("\n"));
}

async fn run(arguments: Arguments, clock: Clock, environment: Environment) -> anyhow::Result<Verdict> {
    let shared = arguments.shared;
    let mut screen = Screen::new(shared.json);
    match arguments.command {
        Command::Keygen(asked) => commands::keygen::run(&asked, &mut screen),
        Command::Sign(asked) => commands::sign::run(&asked, &shared, &clock, &mut screen).await,
        Command::Check(asked) => commands::check::run(&asked, &shared, &mut screen).await,
        Command::Routes(asked) => commands::routes::run(&asked, &shared, &mut screen).await,
        Command::Render(asked) => commands::render::run(&asked, &shared, &clock, &mut screen).await,
        Command::Send(asked) => commands::send::run(&asked, &shared, clock, &mut screen).await,
        Command::Tail(asked) => commands::tail::run(&asked, &shared, &clock, &mut screen).await,
        Command::Replay(asked) => commands::replay::run(&asked, &shared, &clock, &mut screen).await,
        Command::Jobs(asked) => commands::jobs::run(&asked, &shared, &mut screen).await,
        Command::Apply(asked) => commands::apply::run(&asked, &shared, &mut screen).await,
        Command::Doctor(asked) => commands::doctor::run(&asked, &shared, &clock, &mut screen).await,
        Command::Subscription(asked) => {
            commands::subscription::run(&asked, &shared, &clock, &mut screen).await
        }
        Command::Fynd(asked) => commands::fynd::run(&asked, &shared, clock, environment, &mut screen).await,
        Command::Completions(asked) => commands::completions::run(&asked, &mut screen),
    }
}
