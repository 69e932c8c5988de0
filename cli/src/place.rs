//! Where a configuration stands: a folder, a deployed stack, or a prefix of Parameter Store.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::Shared;
use crate::folder::{self, Reading};
use crate::session::Session;
use crate::stack::Stack;
use crate::store::Store;

/// One of the three.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Place {
    /// Folder with keys/, endpoints/, routes/, …; a file's name without its ending is the parameter's name
    folder: Option<PathBuf>,
    /// Name of a deployed stack
    #[arg(long)]
    stack: Option<String>,
    /// Path in Parameter Store, such as /fluent-connect/fluent-connect
    #[arg(long)]
    prefix: Option<String>,
}

/// Where parameters are stored: one of the two.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Target {
    /// Name of a deployed stack
    #[arg(long)]
    stack: Option<String>,
    /// Path in Parameter Store, such as /fluent-connect/fluent-connect
    #[arg(long)]
    prefix: Option<String>,
}

impl Place {
    /// The name of the stack, where it is one.
    pub(crate) fn stack(&self) -> Option<&str> {
        self.stack.as_deref()
    }

    /// Reads the configuration that stands there.
    pub(crate) async fn read(&self, shared: &Shared) -> anyhow::Result<Reading> {
        match &self.folder {
            Some(folder) => folder::read(folder),
            None => store(self.stack.as_deref(), self.prefix.as_deref(), shared).await?.read().await,
        }
    }
}

impl Place {
    /// The networks besides public ones that its deliveries may reach: those of a deployed stack, else none.
    pub(crate) async fn allowed_networks(&self, shared: &Shared) -> anyhow::Result<String> {
        let Some(stack) = &self.stack else { return Ok(String::new()) };
        let stack = Stack::find(&Session::open(shared).await?, stack).await?;
        Ok(stack.parameters.get("DangerouslyAllowNetworks").cloned().unwrap_or_default())
    }
}

impl Target {
    pub(crate) async fn store(&self, shared: &Shared) -> anyhow::Result<Store> {
        store(self.stack.as_deref(), self.prefix.as_deref(), shared).await
    }
}

/// The parameters of a stack, or below a prefix.
pub(crate) async fn store(
    stack: Option<&str>,
    prefix: Option<&str>,
    shared: &Shared,
) -> anyhow::Result<Store> {
    let session = Session::open(shared).await?;
    let prefix = match (prefix, stack) {
        (Some(prefix), _) => prefix.to_owned(),
        (None, stack) => {
            Stack::find(&session, stack.unwrap_or_default()).await?.output("ConfigPrefix")?.to_owned()
        }
    };
    Store::new(session.parameters(), &prefix)
}
