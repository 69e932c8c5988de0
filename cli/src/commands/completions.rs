//! `completions`: the script that lets a shell complete this tool's arguments.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::Verdict;
use crate::arguments::Arguments;
use crate::screen::Screen;

#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(asked: &Asked, screen: &mut Screen) -> anyhow::Result<Verdict> {
    let mut script = Vec::new();
    clap_complete::generate(asked.shell, &mut Arguments::command(), "connector", &mut script);
    let script = String::from_utf8_lossy(&script);
    if screen.is_json() {
        let shell = asked.shell.to_string();
        screen.json(&serde_json::json!({ "shell": shell, "script": script }))?;
    } else {
        screen.raw(&script)?;
    }
    Ok(Verdict::Fine)
}
