//! One request, one attempt.

use async_trait::async_trait;
use connector::delivery::{Attempt, OutboundRequest, Response, TransportFailure};
use connector::ports::Transport;
use reqwest::header::RETRY_AFTER;
use rustls::RootCertStore;
use tokio::time::{Instant, timeout_at};

use crate::client::{self, BuildError, Clients};
use crate::failure;
use crate::policy::AddressPolicy;
use crate::resolver::{self, Lookup};

/// Most bytes of an answer's body that are read: 64 KiB.
pub const BODY_CAP_BYTES: usize = 65_536;

/// The transport over clients that check every address.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    clients: Clients,
}

impl HttpTransport {
    /// Builds the clients: once, in INIT.
    ///
    /// # Errors
    /// [`BuildError`], a fault of the build.
    pub fn new(policy: AddressPolicy) -> Result<Self, BuildError> {
        Self::with(policy, client::public_roots(), &resolver::system())
    }

    pub(crate) fn with(
        policy: AddressPolicy,
        roots: RootCertStore,
        lookup: &Lookup,
    ) -> Result<Self, BuildError> {
        Ok(Self { clients: Clients::build(policy, roots, lookup)? })
    }

    async fn exchange(
        &self,
        request: &OutboundRequest,
        deadline: Instant,
    ) -> Result<Response, TransportFailure> {
        let url = request.url.as_url();
        let client = self.clients.for_url(url).map_err(|refused| failure::refused(&refused))?;
        let sending = client
            .request(request.method.clone(), url.clone())
            .headers(request.headers.clone())
            .body(request.body.clone())
            .send();
        let answer =
            timeout_at(deadline, sending).await.map_err(|_| failure::timeout())?.map_err(failure::of)?;
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        Ok(Response {
            status: answer.status().as_u16(),
            retry_after: retry_after.map(str::to_owned),
            body: read_capped(answer, deadline).await,
        })
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: OutboundRequest) -> Attempt {
        let start = Instant::now();
        let result = self.exchange(&request, start + request.timeout).await;
        Attempt::new(request, start.elapsed(), result)
    }
}

/// What arrives of the body until the cap, the deadline, or its end, be it a broken one.
async fn read_capped(mut answer: reqwest::Response, deadline: Instant) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < BODY_CAP_BYTES {
        match timeout_at(deadline, answer.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                let room = BODY_CAP_BYTES - body.len();
                body.extend(chunk.iter().take(room));
            }
            Ok(Ok(None) | Err(_)) | Err(_) => break,
        }
    }
    body
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use connector::delivery::{Attempt, OutboundRequest, Shown, Tried};
    use connector::endpoint_url::EndpointUrl;
    use connector::event_log::Subject;
    use connector::failure::Code;
    use connector::ports::Transport as _;
    use connector::retry::Schedule;
    use http::{HeaderMap, Method};
    use rustls::pki_types::PrivateKeyDer;
    use rustls::{RootCertStore, ServerConfig};
    use testkit::fakes::{FakeLog, ManualClock};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::HttpTransport;
    use crate::client::public_roots;
    use crate::policy::{AddressPolicy, Networks};
    use crate::resolver::Lookup;

    /// A lookup that gives one answer after the other, and how often it was asked.
    fn answering(answers: &'static [&'static [&'static str]]) -> (Lookup, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let lookup: Lookup = Arc::new(move |_name| {
            let answer = answers[count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1)];
            let found = answer.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect();
            Box::pin(std::future::ready(Ok(found)))
        });
        (lookup, asked)
    }

    /// Answers that hold a forbidden address.
    const MIXED: [&[&[&str]]; 3] = [
        &[&["93.184.215.14", "10.0.0.1"]],
        &[&["169.254.169.254"]],
        &[&["2606:4700::1111", "::ffff:127.0.0.1"]],
    ];

    fn loopback() -> AddressPolicy {
        AddressPolicy::new(Networks::parse("127.0.0.0/8").unwrap())
    }

    /// The code of one attempt; `None` where it was delivered.
    async fn code(transport: &HttpTransport, url: &str) -> Option<Code> {
        let request = OutboundRequest {
            method: Method::POST,
            url: EndpointUrl::parse(url).unwrap(),
            headers: HeaderMap::new(),
            body: b"{}".to_vec(),
            timeout: Duration::from_secs(5),
            answer: Shown::Nothing,
        };
        let attempt: Attempt = transport.send(request).await;
        let tried = Tried {
            subject: &Subject::default(),
            number: 1,
            schedule: &Schedule::default(),
            chance: 0.5,
            token_may_be_outdated: false,
        };
        let clock = ManualClock::default().port();
        attempt.conclude(&tried, &FakeLog::default(), &clock).err().map(|failure| failure.code)
    }

    #[tokio::test]
    async fn a_forbidden_answer_among_public_ones_blocks_all() {
        for answers in MIXED {
            let (lookup, _) = answering(answers);
            let transport = HttpTransport::with(AddressPolicy::default(), public_roots(), &lookup).unwrap();
            assert_eq!(code(&transport, "https://shop.example/").await, Some(Code::BlockedAddress));
        }
        let (lookup, _) = answering(&[&[]]);
        let transport = HttpTransport::with(AddressPolicy::default(), public_roots(), &lookup).unwrap();
        assert_eq!(code(&transport, "https://shop.example/").await, Some(Code::Dns));
    }

    #[tokio::test]
    async fn http_to_a_public_name_is_blocked_without_resolving_it() {
        let (lookup, asked) = answering(&[&["93.184.215.14"]]);
        let transport = HttpTransport::with(AddressPolicy::default(), public_roots(), &lookup).unwrap();
        for url in ["http://shop.example/", "https://shop.example:8443/"] {
            assert_eq!(code(&transport, url).await, Some(Code::BlockedAddress));
        }
        assert_eq!(asked.load(Ordering::SeqCst), 0);
        let transport = HttpTransport::with(loopback(), public_roots(), &lookup).unwrap();
        assert_eq!(code(&transport, "http://shop.example/").await, Some(Code::BlockedAddress));
    }

    #[tokio::test]
    async fn a_name_that_changes_its_answer_between_check_and_connect_is_resolved_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://shop.example:{}/", listener.local_addr().unwrap().port());
        let (lookup, asked) = answering(&[&["127.0.0.1"], &["10.0.0.1"]]);
        let transport = HttpTransport::with(loopback(), public_roots(), &lookup).unwrap();
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await.unwrap();
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .await
                .unwrap();
        };
        let (code_of_first, ()) = tokio::join!(code(&transport, &url), server);
        assert_eq!((code_of_first, asked.load(Ordering::SeqCst)), (None, 1));
        assert_eq!(
            code(&transport, &url).await,
            Some(Code::BlockedAddress),
            "the new connection is checked anew"
        );
    }

    #[tokio::test]
    async fn a_certificate_counts_only_where_it_is_trusted_and_names_the_host() {
        let issued = rcgen::generate_simple_self_signed(vec!["shop.example".to_owned()]).unwrap();
        let mut trusting = RootCertStore::empty();
        trusting.add(issued.cert.der().clone()).unwrap();
        for (roots, host, expected) in [
            (trusting.clone(), "shop.example", None),
            (trusting, "other.example", Some(Code::Tls)),
            (public_roots(), "shop.example", Some(Code::Tls)),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("https://{host}:{}/", listener.local_addr().unwrap().port());
            let key = PrivateKeyDer::try_from(issued.signing_key.serialize_der()).unwrap();
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let server =
                ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
            let server =
                server.with_no_client_auth().with_single_cert(vec![issued.cert.der().clone()], key).unwrap();
            let acceptor = TlsAcceptor::from(Arc::new(server));
            let serving = async {
                let (stream, _) = listener.accept().await.unwrap();
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let _ = stream.read(&mut [0; 4096]).await;
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                    let _ = stream.write_all(answer).await;
                    let _ = stream.flush().await;
                }
            };
            let (lookup, _) = answering(&[&["127.0.0.1"]]);
            let transport = HttpTransport::with(loopback(), roots, &lookup).unwrap();
            let (code, ()) = tokio::join!(code(&transport, &url), serving);
            assert_eq!(code, expected, "{host}");
        }
    }

    #[tokio::test]
    async fn a_kept_connection_that_its_peer_closed_is_replaced_and_the_request_sent_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let transport = HttpTransport::with(loopback(), public_roots(), &answering(&[&[]]).0).unwrap();
        let requests = AtomicUsize::new(0);
        let server = async {
            for _ in 0..3 {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0; 4096]).await.unwrap();
                requests.fetch_add(1, Ordering::SeqCst);
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                drop(stream); // without having said so: connection was to be kept
            }
        };
        let client = async {
            for _ in 0..3 {
                assert_eq!(code(&transport, &url).await, None);
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        };
        tokio::join!(server, client);
        assert_eq!(requests.load(Ordering::SeqCst), 3);
    }
}
