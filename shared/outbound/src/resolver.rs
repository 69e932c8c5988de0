//! Resolves a name once, checks every answer, and hands exactly the checked addresses to the connector.
//!
//! So nothing is resolved again between check and connect, and one forbidden answer among good ones refuses all: a name
//! that points inside is not a receiver.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::policy::{AddressPolicy, Forbidden, Reach};

/// How a name becomes addresses.
pub(crate) type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// Of the operating system. The port is not used.
pub(crate) fn system() -> Lookup {
    Arc::new(|name| Box::pin(async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.collect()) }))
}

/// Resolves under a policy.
pub(crate) struct GuardedResolver {
    pub(crate) policy: AddressPolicy,
    pub(crate) reach: Reach,
    pub(crate) lookup: Lookup,
}

/// A name does not resolve.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unresolved {
    /// The resolver says so.
    #[error("{name} does not resolve")]
    Failed { name: String, source: io::Error },
    /// It has no address.
    #[error("{name} has no address")]
    NoAddress { name: String },
}

/// A name resolves to an address that must not be reached.
#[derive(Debug, thiserror::Error)]
#[error("{name} resolves to an address that is refused: {forbidden}")]
pub(crate) struct Blocked {
    name: String,
    forbidden: Forbidden,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, reach) = (self.policy.clone(), self.reach);
        let name = name.as_str().to_owned();
        let looking = (self.lookup)(name.clone());
        Box::pin(async move {
            let found = looking.await.map_err(|source| Unresolved::Failed { name: name.clone(), source })?;
            if found.is_empty() {
                return Err(Unresolved::NoAddress { name }.into());
            }
            for address in &found {
                let verdict = policy.check(address.ip(), reach);
                verdict.map_err(|forbidden| Blocked { name: name.clone(), forbidden })?;
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
