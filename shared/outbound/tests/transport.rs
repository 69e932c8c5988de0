//! The transport against real sockets that behave badly.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::future::Future;
use std::time::Duration;

use connector::delivery::{DeliveryFailure, OutboundRequest, Response, Shown, Tried};
use connector::endpoint_url::EndpointUrl;
use connector::event_log::Subject;
use connector::failure::Code;
use connector::ports::Transport as _;
use connector::redaction::Redaction;
use connector::retry::Schedule;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use outbound::policy::{AddressPolicy, Networks};
use outbound::{BODY_CAP_BYTES, HttpTransport};
use serde_json::Value;
use testkit::fakes::{FakeLog, ManualClock};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What one attempt came to: the opened attempt, and its record.
type Outcome = (Result<Response, DeliveryFailure>, Value);

fn request(url: &str) -> OutboundRequest {
    OutboundRequest {
        method: Method::POST,
        url: EndpointUrl::parse(url).unwrap(),
        headers: HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]),
        body: b"{\"a\":1}".to_vec(),
        timeout: Duration::from_millis(700),
        answer: Shown::Without(Redaction::default()),
    }
}

/// A transport that may reach this machine.
fn local() -> HttpTransport {
    HttpTransport::new(AddressPolicy::new(Networks::parse("127.0.0.0/8, ::1").unwrap())).unwrap()
}

async fn attempt(transport: &HttpTransport, request: OutboundRequest) -> Outcome {
    let log = FakeLog::default();
    let attempt = transport.send(request).await;
    let tried = Tried {
        subject: &Subject::default(),
        number: 1,
        schedule: &Schedule::default(),
        chance: 0.5,
        token_may_be_outdated: false,
    };
    let result = attempt.conclude(&tried, &log, &ManualClock::default().port());
    let entry = log.entries().remove(0);
    (result, entry)
}

/// One POST to a server that treats its first connection as `serve` says.
async fn against<F: Future<Output = ()>>(serve: impl FnOnce(TcpStream, String) -> F) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/orders?token=hunter2", listener.local_addr().unwrap());
    let transport = local();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = read_request(&mut stream).await;
        serve(stream, head).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        outcome = attempt(&transport, request(&url)) => outcome,
        () = server => unreachable!(),
    }
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"{\"a\":1}") {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the request broke off");
        text.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8(text).unwrap()
}

async fn answering(text: &'static str) -> Outcome {
    against(|mut stream, _| async move { stream.write_all(text.as_bytes()).await.unwrap() }).await
}

fn code(outcome: &Outcome) -> Code {
    outcome.0.as_ref().unwrap_err().code
}

#[tokio::test]
async fn a_2xx_answer_is_delivered_and_recorded() {
    let (result, entry) = answering("HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\nok").await;
    assert_eq!(result.unwrap(), Response { status: 202, retry_after: None, body: b"ok".to_vec() });
    assert_eq!((&entry["outcome"], &entry["response.body"]), (&"delivered".into(), &"ok".into()));
    assert!(!entry.to_string().contains("hunter2"));
}

#[tokio::test]
async fn the_receiver_sees_the_exact_body_and_who_sends_it() {
    let (seen, head) = tokio::sync::oneshot::channel();
    let (result, _) = against(|mut stream, head| async move {
        seen.send(head).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    })
    .await;
    result.unwrap();
    let head = head.await.unwrap();
    assert!(head.starts_with("POST /orders?token=hunter2 HTTP/1.1\r\n"), "{head}");
    assert!(
        head.contains("content-type: application/json\r\n") && head.contains("user-agent: fluent-connect/")
    );
    assert!(head.ends_with("\r\n\r\n{\"a\":1}"), "{head}");
}

#[tokio::test]
async fn another_status_is_a_failure_with_its_status_and_what_it_asks_for() {
    for (text, status, code) in [
        ("HTTP/1.1 503 No\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n", 503, Code::Server),
        ("HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n", 404, Code::Rejected),
    ] {
        let (result, entry) = answering(text).await;
        let failure = result.unwrap_err();
        assert_eq!((failure.code, failure.status), (code, Some(status)));
        assert_eq!(entry["response.status"], status);
        assert_eq!(entry["retry_after_s"], if status == 503 { 7.into() } else { Value::Null });
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let trap = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let answer = format!(
        "HTTP/1.1 302 Found\r\nlocation: http://{}/\r\ncontent-length: 0\r\n\r\n",
        trap.local_addr().unwrap()
    );
    let (result, _) =
        against(|mut stream, _| async move { stream.write_all(answer.as_bytes()).await.unwrap() }).await;
    assert_eq!(result.unwrap_err().status, Some(302));
    let followed = tokio::time::timeout(Duration::from_millis(50), trap.accept()).await;
    assert!(followed.is_err(), "the redirect was followed");
}

#[tokio::test]
async fn a_receiver_that_hangs_is_a_timeout() {
    let outcome = against(|stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    assert_eq!(code(&outcome), Code::Timeout);
}

#[tokio::test]
async fn a_2xx_whose_body_drags_on_is_delivered() {
    let (result, _) = against(|mut stream, _| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await.unwrap();
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let response = result.unwrap();
    assert_eq!(response.status, 200);
    assert!(!response.body.is_empty() && response.body.len() < 100_000);
}

#[tokio::test]
async fn a_2xx_whose_body_breaks_off_is_delivered() {
    let (result, _) = against(|mut stream, _| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
        drop(stream);
    })
    .await;
    assert_eq!(result.unwrap(), Response { status: 200, retry_after: None, body: b"half".to_vec() });
}

#[tokio::test]
async fn a_huge_body_is_read_to_the_cap() {
    let (result, entry) = against(|mut stream, _| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n").await.unwrap();
        while stream.write_all(&vec![b'x'; 65_536]).await.is_ok() {}
    })
    .await;
    assert_eq!(result.unwrap().body.len(), BODY_CAP_BYTES);
    assert_eq!(entry["response.body"].as_str().unwrap().len(), connector::delivery::LOGGED_BODY_BYTES);
}

#[tokio::test]
async fn what_is_not_http_is_a_broken_response() {
    assert_eq!(code(&answering("SSH-2.0-OpenSSH_9.2\r\n\r\n").await), Code::Response);
    assert_eq!(code(&against(|stream, _| async move { drop(stream) }).await), Code::Response);
}

#[tokio::test]
async fn no_connection_is_a_failure_by_its_cause_and_shows_no_query() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}/?token=hunter2", listener.local_addr().unwrap());
    drop(listener);
    for (url, cause) in [
        (closed.as_str(), Code::Connect),
        ("http://[::1]:1/?token=hunter2", Code::Connect),
        ("http://nothing.invalid/?token=hunter2", Code::Dns),
        ("https://nothing.invalid/?token=hunter2", Code::Dns),
    ] {
        let outcome = attempt(&local(), request(url)).await;
        assert_eq!(code(&outcome), cause, "{url} {}", outcome.1);
        assert!(!outcome.1.to_string().contains("hunter2"), "{}", outcome.1);
    }
}

#[tokio::test]
async fn nothing_connects_to_an_address_that_is_not_allowed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let strict = HttpTransport::new(AddressPolicy::default()).unwrap();
    let private = HttpTransport::new(AddressPolicy::new(Networks::parse("10.0.0.0/8").unwrap())).unwrap();
    for scheme in ["http", "https"] {
        for host in [
            "127.0.0.1",
            "2130706433",
            "localhost",
            "localhost.",
            "a.localhost",
            "[::ffff:127.0.0.1]",
            "0x7f.1",
        ] {
            for transport in [&strict, &private] {
                let outcome =
                    attempt(transport, request(&format!("{scheme}://{host}:{port}/?token=hunter2"))).await;
                assert_eq!(code(&outcome), Code::BlockedAddress, "{host} {}", outcome.1);
                assert_eq!(outcome.1["outcome"], "undelivered");
                assert!(!outcome.1.to_string().contains("hunter2"), "{}", outcome.1);
            }
        }
    }
    for host in ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]", "[fd00:ec2::254]"] {
        let outcome = attempt(&strict, request(&format!("https://{host}/"))).await;
        assert_eq!(code(&outcome), Code::BlockedAddress, "{host} {}", outcome.1);
    }
    let connected = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(connected.is_err(), "nobody connected");
}

#[tokio::test]
async fn a_receiver_without_tls_is_a_tls_failure() {
    let garbage = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    for answer in [garbage, ""] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        let transport = local();
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut hello = [0; 4096];
            assert!(stream.read(&mut hello).await.unwrap() > 0);
            stream.write_all(answer.as_bytes()).await.unwrap();
            drop(stream);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            outcome = attempt(&transport, request(&url)) => assert_eq!(code(&outcome), Code::Tls, "{}", outcome.1),
            () = server => unreachable!(),
        }
    }
}

#[tokio::test]
async fn a_connection_is_used_again_and_a_closed_one_is_replaced() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let transport = local();
    let server = async {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            for _ in 0..2 {
                read_request(&mut stream).await;
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            }
        }
        std::future::pending::<()>().await;
    };
    let client = async {
        for _ in 0..4 {
            assert_eq!(attempt(&transport, request(&url)).await.0.unwrap().status, 200);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = client => {}
        () = server => {}
    }
}
