//! What the SDK clients are made of. No network call is made here: credentials are read at the first request.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, HttpClientError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Longest time to connect to an AWS service.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest time of one try.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest time of an operation with all its tries.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);
/// Tries of an operation, the first included.
const MAX_ATTEMPTS: u32 = 4;

/// What every client is made of; `endpoint` replaces AWS's own endpoints, for a local AWS.
///
/// # Errors
/// Where the compiled-in root certificates are refused: a fault of the build.
pub async fn sdk_config(endpoint: Option<&str>) -> Result<SdkConfig, HttpClientError> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(TlsContext::builder().with_trust_store(roots()).build()?)
        .build_https();
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS));
    let loader = match endpoint {
        Some(endpoint) => loader.endpoint_url(endpoint),
        None => loader,
    };
    Ok(loader.load().await)
}

/// The compiled-in roots as one PEM text: reading the machine's trust store would cost INIT more.
fn roots() -> TrustStore {
    let mut pem = String::new();
    for der in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        STANDARD.encode_string(der, &mut pem);
        pem.push_str("\n-----END CERTIFICATE-----\n");
    }
    TrustStore::empty().with_pem_certificate(pem)
}
