//! The one HTTP client. Compiled-in roots: reading the machine's trust store would cost INIT tens of milliseconds.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use rustls::{ClientConfig, RootCertStore};

/// Longest time for name resolution, TCP and TLS together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
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

#[expect(clippy::disallowed_methods, reason = "the one client of the project")]
pub(crate) fn build() -> Result<Client, BuildError> {
    Client::builder()
        .tls_backend_preconfigured(tls()?)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .http1_only()
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(USER_AGENT)
        .build()
        .map_err(BuildError::Client)
}

fn tls() -> Result<ClientConfig, BuildError> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(versions.map_err(BuildError::Tls)?.with_root_certificates(roots).with_no_client_auth())
}
