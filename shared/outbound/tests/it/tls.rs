//! TLS: what is trusted, and that its failures are told apart from those of the connection.

use std::sync::Arc;
use std::time::Duration;

use connector::failure::Code;
use outbound::HttpTransport;
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::TlsAcceptor;

use crate::support::{Names, Outcome, answer, beside, get, listener, local, policy};

fn certificate() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(vec!["shop.example".to_owned()]).unwrap()
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn roots(certificate: &CertifiedKey<KeyPair>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.cert.der().clone()).unwrap();
    roots
}

/// A server with this certificate that asks its clients for none.
fn acceptor(certificate: &CertifiedKey<KeyPair>) -> TlsAcceptor {
    acceptor_of(certificate, WebPkiClientVerifier::no_client_auth())
}

fn acceptor_of(certificate: &CertifiedKey<KeyPair>, clients: Arc<dyn ClientCertVerifier>) -> TlsAcceptor {
    let key = PrivateKeyDer::Pkcs8(certificate.signing_key.serialize_der().into());
    let server = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let server = server.unwrap().with_client_cert_verifier(clients);
    let server = server.with_single_cert(vec![certificate.cert.der().clone()], key).unwrap();
    TlsAcceptor::from(Arc::new(server))
}

/// A transport to the loopback that trusts this certificate alone.
fn trusting(certificate: &CertifiedKey<KeyPair>) -> HttpTransport {
    let names = Names::answering(&["127.0.0.1"]);
    HttpTransport::within(policy("127.0.0.0/8"), names, roots(certificate)).unwrap()
}

/// One POST by TLS to a server that accepts it like this.
async fn against(acceptor: TlsAcceptor, transport: &HttpTransport, host: &str) -> Outcome {
    let (listener, port) = listener().await;
    let server = Box::pin(async {
        let (stream, _) = listener.accept().await.unwrap();
        if let Ok(mut stream) = acceptor.accept(stream).await {
            answer(&mut stream).await;
        }
    });
    beside(server, get(transport, &format!("https://{host}:{port}/?token=hunter2"))).await
}

/// One POST by TLS to a server that says this instead and closes.
async fn against_text(text: &'static [u8]) -> Outcome {
    let (listener, port) = listener().await;
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(text).await.unwrap();
    };
    beside(server, async { get(&local(), &format!("https://127.0.0.1:{port}/")).await }).await
}

#[tokio::test]
async fn a_trusted_certificate_is_delivered_to() {
    let certificate = certificate();
    let outcome = against(acceptor(&certificate), &trusting(&certificate), "shop.example").await;
    assert_eq!(outcome.result.unwrap().status, 200);
}

#[tokio::test]
async fn an_untrusted_certificate_is_a_tls_failure() {
    let outcome = against(acceptor(&certificate()), &trusting(&certificate()), "shop.example").await;
    assert_eq!(outcome.code(), Code::Tls);
    assert!(!outcome.entry.to_string().contains("hunter2"));
    assert_eq!(against(acceptor(&certificate()), &local(), "127.0.0.1").await.code(), Code::Tls);
}

#[tokio::test]
async fn a_certificate_of_another_name_is_a_tls_failure() {
    let certificate = certificate();
    let outcome = against(acceptor(&certificate), &trusting(&certificate), "other.example").await;
    assert_eq!(outcome.code(), Code::Tls);
}

#[tokio::test]
async fn a_server_that_demands_a_certificate_of_ours_is_a_tls_failure() {
    let certificate = certificate();
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(&certificate)), provider());
    let acceptor = acceptor_of(&certificate, clients.build().unwrap());
    let outcome = against(acceptor, &trusting(&certificate), "shop.example").await;
    assert_eq!(outcome.code(), Code::Tls, "also when TLS 1.3 tells it after the handshake");
}

#[tokio::test]
async fn plain_http_where_tls_is_expected_is_a_tls_failure() {
    assert_eq!(against_text(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.code(), Code::Tls);
}

#[tokio::test]
async fn a_handshake_that_breaks_off_is_a_tls_failure() {
    assert_eq!(against_text(b"").await.code(), Code::Tls);
    assert_eq!(against_text(b"\x16\x03\x03").await.code(), Code::Tls);
}

#[tokio::test]
async fn a_refused_connection_is_no_tls_failure() {
    let (listener, port) = listener().await;
    drop(listener);
    let outcome = get(&local(), &format!("https://127.0.0.1:{port}/")).await;
    assert_eq!(outcome.code(), Code::Connect);
}

#[tokio::test]
async fn a_handshake_that_hangs_is_a_timeout() {
    let (listener, port) = listener().await;
    let server = async {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::time::sleep(Duration::from_mins(1)).await;
        drop(stream);
    };
    let outcome = beside(server, async { get(&local(), &format!("https://127.0.0.1:{port}/")).await }).await;
    assert_eq!(outcome.code(), Code::Timeout);
}
