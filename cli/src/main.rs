//! Reads the arguments, the clock and the environment, runs one command, ends with its exit code.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use cli::{Arguments, Verdict};
use jiff::Timestamp;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match cli::start(arguments, Arc::new(now), environment) {
        Ok(Verdict::Fine) => ExitCode::SUCCESS,
        Ok(Verdict::Wrong) => ExitCode::from(1),
        Err(error) => {
            cli::tell(&error);
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the clock is read here and passed down")]
fn now() -> Timestamp {
    Timestamp::now()
}

#[expect(clippy::disallowed_methods, reason = "the environment is read here and passed down")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
