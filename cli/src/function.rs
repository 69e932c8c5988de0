//! A function of a deployed stack that people invoke: how the command line names it, and what it answers.

use anyhow::Context as _;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::error::ProvideErrorMetadata as _;
use aws_sdk_lambda::primitives::Blob;
use clap::Args;
use serde_json::Value;

use crate::screen::printable;
use crate::session::{Session, refused};
use crate::stack::Stack;

/// Which function is meant.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Function {
    /// Name of a deployed stack
    #[arg(long)]
    stack: Option<String>,
    /// Name of the function itself
    #[arg(long)]
    function: Option<String>,
}

impl Function {
    /// Its name; `output` is that of the stack which tells it.
    pub(crate) async fn name(&self, session: &Session, output: &str) -> anyhow::Result<String> {
        if let Some(function) = &self.function {
            return Ok(function.clone());
        }
        let stack = Stack::find(session, self.stack.as_deref().unwrap_or_default()).await?;
        stack.output(output).map(str::to_owned)
    }
}

/// Invokes a function; `look` says how to find out what it did where its answer was lost.
pub(crate) async fn invoke(
    client: &Client,
    function: &str,
    input: &Value,
    look: &str,
) -> anyhow::Result<Value> {
    let call = client.invoke().function_name(function).payload(Blob::new(input.to_string()));
    let answer = call.send().await.map_err(|error| {
        if error.code().is_some() {
            return refused(&format!("the function {function} was not invoked"), &error);
        }
        let what = format!(
            "the function {function} was not invoked, or its answer was lost: {look} before you go on"
        );
        refused(&what, &error)
    })?;
    let payload = answer.payload().map(Blob::as_ref).unwrap_or_default();
    let report: Value =
        serde_json::from_slice(payload).with_context(|| format!("{function} answered no JSON"))?;
    if answer.function_error().is_some() {
        let message = report.get("errorMessage").and_then(Value::as_str).unwrap_or("without a message");
        anyhow::bail!("{function} refused or failed: {}", printable(message));
    }
    Ok(report)
}
