//! Requests, names and servers for the tests.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use connector::delivery::{ANSWER_BYTES, DeliveryFailure, OutboundRequest, Purpose, Response, Shown, Tried};
use connector::endpoint_url::EndpointUrl;
use connector::event_log::Subject;
use connector::failure::Code;
use connector::ports::Transport as _;
use connector::redaction::Redaction;
use connector::retry::Schedule;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use outbound::{AddressPolicy, HttpTransport, Lookup, Networks};
use rustls::RootCertStore;
use serde_json::Value;
use testkit::fakes::{FakeLog, ManualClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What every request of the tests carries.
pub(crate) const BODY: &[u8] = b"{\"a\":1}";
/// An answer without a body.
pub(crate) const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// What one attempt came to: the opened attempt, and its record.
pub(crate) struct Outcome {
    pub(crate) result: Result<Response, DeliveryFailure>,
    pub(crate) entry: Value,
}

impl Outcome {
    pub(crate) fn code(&self) -> Code {
        self.result.as_ref().unwrap_err().code
    }

    pub(crate) fn error(&self) -> &str {
        self.entry["error"].as_str().unwrap()
    }
}

pub(crate) fn policy(networks: &str) -> AddressPolicy {
    AddressPolicy::new(Networks::parse(networks).unwrap())
}

/// A transport that may reach the loopback.
pub(crate) fn local() -> HttpTransport {
    HttpTransport::new(policy("127.0.0.0/8, ::1")).unwrap()
}

/// A transport that resolves names by `names`.
pub(crate) fn resolving(networks: &str, names: &Arc<Names>) -> HttpTransport {
    HttpTransport::within(policy(networks), names.clone(), RootCertStore::empty()).unwrap()
}

pub(crate) fn request(url: &str) -> OutboundRequest {
    OutboundRequest {
        method: Method::POST,
        url: EndpointUrl::parse(url).unwrap(),
        headers: HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]),
        body: BODY.to_vec(),
        timeout: Duration::from_millis(700),
        answer_bytes: ANSWER_BYTES,
        answer: Shown::Without(Redaction::default()),
    }
}

pub(crate) async fn attempt(transport: &HttpTransport, request: OutboundRequest) -> Outcome {
    let (log, subject, schedule) = (FakeLog::default(), Subject::default(), Schedule::default());
    let tried = Tried {
        subject: &subject,
        number: 1,
        schedule: &schedule,
        chance: 0.5,
        purpose: Purpose::Delivery { token_may_be_outdated: false },
    };
    let attempt = transport.send(request).await;
    let result = attempt.conclude(&tried, &log, &ManualClock::default().port());
    Outcome { result, entry: log.entries().remove(0) }
}

pub(crate) async fn get(transport: &HttpTransport, url: &str) -> Outcome {
    attempt(transport, request(url)).await
}

/// Runs the client against a server that only ends with it.
pub(crate) async fn beside<T>(server: impl Future<Output = ()>, client: impl Future<Output = T>) -> T {
    let server = async {
        server.await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        outcome = client => outcome,
        () = server => unreachable!(),
    }
}

/// A listener on the loopback, and its port.
pub(crate) async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Whether nobody has connected.
pub(crate) async fn is_untouched(listener: &TcpListener) -> bool {
    tokio::time::timeout(Duration::from_millis(50), listener.accept()).await.is_err()
}

/// The whole request as text.
pub(crate) async fn read_request(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut text = Vec::new();
    while !text.ends_with(BODY) {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the request broke off");
        text.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8(text).unwrap()
}

/// Answers one request.
pub(crate) async fn answer(stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin)) {
    read_request(stream).await;
    stream.write_all(OK).await.unwrap();
    stream.flush().await.unwrap();
}

/// Names with scripted answers, the last of which stays.
#[derive(Default)]
pub(crate) struct Names {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    /// One answer after the other, each with its addresses separated by blanks.
    pub(crate) fn answering(answers: &[&str]) -> Arc<Self> {
        let addresses = |answer: &&str| answer.split_whitespace().map(|a| a.parse().unwrap()).collect();
        Arc::new(Self { answers: Mutex::new(answers.iter().map(addresses).collect()), ..Self::default() })
    }

    /// The names that were looked up.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Lookup for Names {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(name.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let last = answers.front().cloned();
        let next = if answers.len() > 1 { answers.pop_front() } else { last };
        next.ok_or_else(|| io::Error::other("no such name"))
    }
}
