//! The HTTP clients, one for each reach, and the only way to a request of theirs: by the policy.
//!
//! Compiled-in roots: reading the machine's trust store would cost INIT tens of milliseconds.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use reqwest::{Client, RequestBuilder};
use rustls::{ClientConfig, RootCertStore};
use url::{Host, Url};

use crate::blocked::Blocked;
use crate::policy::{AddressPolicy, Reach};
use crate::resolver::{Lookup, Resolver, SystemLookup};

/// Longest time for name resolution, TCP and TLS together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a connection is kept for the next delivery: a bit less than the 5 s after which Node's servers close it
/// (`server.keepAliveTimeout`), since the sandbox may be frozen in between and learn of the end too late.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// Connections kept for one receiver. A request whose kept connection turns out to be closed goes to the next kept one,
/// and so on: with one there is one repetition, on a fresh connection.
const IDLE_CONNECTIONS: usize = 1;
/// What receivers see as `User-Agent`.
const USER_AGENT: &str = concat!("fluent-connect/", env!("CARGO_PKG_VERSION"));

/// The client could not be built: a fault of the build, not of the configuration.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The TLS library refused its own protocol versions.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// The HTTP library refused the settings.
    #[error("the HTTP client cannot be set up")]
    Client(#[source] reqwest::Error),
}

/// What the clients take from outside.
pub(crate) struct Surroundings {
    /// Where names are looked up.
    pub(crate) lookup: Arc<dyn Lookup>,
    /// Whose certificates are trusted.
    pub(crate) roots: RootCertStore,
}

impl Default for Surroundings {
    fn default() -> Self {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Self { lookup: Arc::new(SystemLookup), roots }
    }
}

/// Two clients with one TLS configuration: a resolver sees the name alone, so each client resolves for one reach.
#[derive(Debug, Clone)]
pub(crate) struct GuardedClient {
    policy: Arc<AddressPolicy>,
    global: Client,
    allowed_networks: Client,
}

impl GuardedClient {
    pub(crate) fn new(policy: AddressPolicy, surroundings: Surroundings) -> Result<Self, BuildError> {
        let policy = Arc::new(policy);
        let tls = tls(surroundings.roots)?;
        let client = |reach| {
            let (policy, lookup) = (Arc::clone(&policy), Arc::clone(&surroundings.lookup));
            build(tls.clone(), Resolver { policy, reach, lookup })
        };
        let (global, allowed_networks) = (client(Reach::Global)?, client(Reach::AllowedNetworks)?);
        Ok(Self { policy, global, allowed_networks })
    }

    /// A request that the policy lets out as far as its URL tells; the addresses of a name are checked on connecting.
    pub(crate) fn request(&self, method: Method, url: &Url) -> Result<RequestBuilder, Blocked> {
        let reach = self.policy.reach(url);
        if self.policy.forbids_all(reach) {
            return Err(plain(url));
        }
        if let Some(address) = literal(url) {
            self.policy.check(reach, address).map_err(|rule| Blocked::Literal { address, rule })?;
        }
        let client = match reach {
            Reach::Global => &self.global,
            Reach::AllowedNetworks => &self.allowed_networks,
        };
        Ok(client.request(method, url.clone()))
    }
}

/// An address in the place of a name: the HTTP library connects to it without asking the resolver. The `url` crate has
/// already read every spelling of it (decimal, octal, short, full-width, …).
fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(name) if is_loopback_by_name(name) => Some(Ipv4Addr::LOCALHOST.into()),
        Host::Domain(_) => None,
    }
}

/// `localhost` and all below it are loopback, whatever a resolver makes of them (RFC 6761, 6.3).
fn is_loopback_by_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

fn plain(url: &Url) -> Blocked {
    Blocked::Plain {
        scheme: url.scheme().to_owned(),
        host: url.host_str().unwrap_or_default().to_owned(),
        port: url.port_or_known_default().unwrap_or_default(),
    }
}

/// `retry::never` rules out repetitions by reqwest, whose default is for HTTP/2 and HTTP/3 alone. Below it, hyper-util's
/// `retry_canceled_requests` is on by default and reqwest leaves it so: a request of which nothing was written, because its
/// kept connection was found closed, is written on another. One that was written is never repeated, although the receiver
/// may not have read it.
#[expect(clippy::disallowed_methods, reason = "the one place where clients are built")]
fn build(tls: ClientConfig, resolver: Resolver) -> Result<Client, BuildError> {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(resolver)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .http1_only()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .user_agent(USER_AGENT)
        .build()
        .map_err(BuildError::Client)
}

fn tls(roots: RootCertStore) -> Result<ClientConfig, BuildError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(versions.map_err(BuildError::Tls)?.with_root_certificates(roots).with_no_client_auth())
}
