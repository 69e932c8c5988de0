//! The binary as people run it: its output, its exit codes, its files, against a fake AWS on loopback.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod apply;
mod aws;
mod configuration;
mod fynd;
mod log;
mod render;
mod signing;
mod subscription;
mod usage;

use std::path::PathBuf;
use std::process::Output;

use assert_cmd::Command;

/// The binary with nothing of this machine's AWS environment.
fn connector(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("connector").unwrap();
    command.args(arguments);
    for name in [
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_SESSION_TOKEN",
        "CLICOLOR_FORCE",
        "FYND_CLIENT_ID",
        "FYND_CLIENT_SECRET",
    ] {
        command.env_remove(name);
    }
    command.env("AWS_CONFIG_FILE", "/nonexistent").env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// What it wrote and how it ended.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn run(arguments: &[&str]) -> Ran {
    connector(arguments).output().unwrap().into()
}

fn folder(name: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/folders").join(name).to_str().unwrap().to_owned()
}

fn development_key() -> String {
    let key =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/testkit/keys/development.private.pem");
    key.to_str().unwrap().to_owned()
}
