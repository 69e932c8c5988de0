//! The HTTP clients: one for public receivers, and one for networks that are allowed besides, where there are any.
//!
//! They differ in their resolver alone, which sees a name but neither scheme nor port. Compiled-in roots: reading the
//! machine's trust store would cost INIT tens of milliseconds.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Url};
use rustls::{ClientConfig, RootCertStore};

use crate::policy::{AddressPolicy, Forbidden, Reach};
use crate::resolver::{GuardedResolver, Lookup};

/// Longest time for name resolution, TCP and TLS together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection is kept this long for the next delivery: less than the 5 s after which Node.js, the shortest of the
/// common servers, closes it. One that was closed all the same before it took a request is replaced by the client.
const KEEP_ALIVE: Duration = Duration::from_secs(4);
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

/// The clients and the policy that they were built with.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    policy: AddressPolicy,
    public: Client,
    allowed: Client,
}

/// A URL that must not be requested, whatever its name resolves to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// Its host is an address, or loopback by name.
    #[error("address {0}")]
    Address(Forbidden),
    /// Its scheme or port.
    #[error(
        "http and ports other than 443 are for networks in DangerouslyAllowNetworks alone, and there are none"
    )]
    Reach,
}

impl Clients {
    pub(crate) fn build(
        policy: AddressPolicy,
        roots: RootCertStore,
        lookup: &Lookup,
    ) -> Result<Self, BuildError> {
        let tls = tls(roots)?;
        let client = |reach| {
            let resolver = GuardedResolver { policy: policy.clone(), reach, lookup: Arc::clone(lookup) };
            build(tls.clone(), resolver)
        };
        let (public, allowed) = (client(Reach::Public)?, client(Reach::AllowedNetworks)?);
        Ok(Self { policy, public, allowed })
    }

    /// The client for a URL. A host that is an address is checked here: no resolver is asked for it.
    pub(crate) fn for_url(&self, url: &Url) -> Result<&Client, Refused> {
        let reach = Reach::of(url);
        let address = match url.host() {
            Some(url::Host::Ipv4(address)) => Some(address.into()),
            Some(url::Host::Ipv6(address)) => Some(address.into()),
            Some(url::Host::Domain(name)) if is_localhost(name) => Some(Ipv4Addr::LOCALHOST.into()),
            Some(url::Host::Domain(_)) | None => None,
        };
        match address {
            Some(address) => self.policy.check(address, reach).map_err(Refused::Address)?,
            None if !self.policy.reaches(reach) => return Err(Refused::Reach),
            None => {}
        }
        Ok(match reach {
            Reach::Public => &self.public,
            Reach::AllowedNetworks => &self.allowed,
        })
    }
}

/// Loopback by name, whatever a resolver makes of it (RFC 6761, 6.3).
fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

#[expect(clippy::disallowed_methods, reason = "the one place that makes clients")]
fn build(tls: ClientConfig, resolver: GuardedResolver) -> Result<Client, BuildError> {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(Arc::new(resolver))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .http1_only()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(KEEP_ALIVE)
        .user_agent(USER_AGENT)
        .build()
        .map_err(BuildError::Client)
}

/// The compiled-in roots.
pub(crate) fn public_roots() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

fn tls(roots: RootCertStore) -> Result<ClientConfig, BuildError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(versions.map_err(BuildError::Tls)?.with_root_certificates(roots).with_no_client_auth())
}
