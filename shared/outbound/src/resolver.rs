//! Names to addresses, once and checked: what passes here is what is connected to, with no second look-up in between.
//!
//! Knows neither scheme nor port: the client that it serves is made for one [`Reach`].

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use connector::ports::Cause;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::blocked::Blocked;
use crate::policy::{AddressPolicy, Reach};

/// The source of a name's addresses.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// All addresses of this name.
    ///
    /// # Errors
    /// Where the name cannot be resolved.
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// A name that resolves to nothing.
#[derive(Debug, thiserror::Error)]
#[error("the name has no address")]
struct NoAddress;

/// The resolver of one client.
#[derive(Clone)]
pub(crate) struct Resolver {
    pub(crate) policy: Arc<AddressPolicy>,
    pub(crate) reach: Reach,
    pub(crate) lookup: Arc<dyn Lookup>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let addresses = resolver.checked(name.as_str()).await?;
            let port_of_the_url = 0;
            let sockets = addresses.into_iter().map(move |address| SocketAddr::new(address, port_of_the_url));
            Ok(Box::new(sockets) as Addrs)
        })
    }
}

impl Resolver {
    /// All addresses of the name, or an error if one of them is forbidden: a name that mixes them is not to be trusted.
    async fn checked(&self, name: &str) -> Result<Vec<IpAddr>, Cause> {
        let addresses = self.lookup.addresses(name).await?;
        for address in &addresses {
            self.policy.check(self.reach, *address).map_err(|rule| Blocked::Answer {
                host: name.to_owned(),
                address: *address,
                rule,
            })?;
        }
        if addresses.is_empty() { Err(NoAddress.into()) } else { Ok(addresses) }
    }
}
