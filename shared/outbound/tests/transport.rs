//! The transport against real sockets that behave badly.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::future::Future;
use std::time::Duration;

use connector::delivery::{DeliveryFailure, OutboundRequest, Response};
use connector::endpoint::EndpointUrl;
use connector::event_log::Subject;
use connector::failure::Code;
use connector::ports::Transport as _;
use outbound::{BODY_CAP_BYTES, HttpTransport};
use serde_json::Value;
use testkit::fakes::{FakeLog, ManualClock};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What one attempt came to: the opened attempt, and its record.
type Outcome = (Result<Response, DeliveryFailure>, Value);

fn request(url: &str) -> OutboundRequest {
    OutboundRequest {
        url: EndpointUrl::parse(url).unwrap(),
        headers: vec![("content-type", "application/json".to_owned())],
        body: b"{\"a\":1}".to_vec(),
        timeout: Duration::from_millis(700),
    }
}

async fn attempt(transport: &HttpTransport, request: OutboundRequest) -> Outcome {
    let log = FakeLog::default();
    let attempt = transport.send(request).await;
    let result = attempt.conclude(1, &Subject::default(), &log, &ManualClock::default().port());
    let entry = log.entries().remove(0);
    (result, entry)
}

/// One POST to a server that treats its first connection as `serve` says.
async fn against<F: Future<Output = ()>>(serve: impl FnOnce(TcpStream, String) -> F) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/orders?token=hunter2", listener.local_addr().unwrap());
    let transport = HttpTransport::new().unwrap();
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
    assert_eq!(result.unwrap(), Response { status: 202, body: b"ok".to_vec() });
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
async fn another_status_is_a_failure_with_its_status() {
    for (text, status) in [
        ("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", 503),
        ("HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n", 404),
    ] {
        let (result, entry) = answering(text).await;
        assert_eq!(result.unwrap_err(), DeliveryFailure { code: Code::Status, status: Some(status) });
        assert_eq!((&entry["outcome"], &entry["response.status"]), (&"retry".into(), &status.into()));
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
    assert_eq!(result.unwrap(), Response { status: 200, body: b"half".to_vec() });
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
async fn no_connection_is_a_connect_failure_and_shows_no_query() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}/?token=hunter2", listener.local_addr().unwrap());
    drop(listener);
    let transport = HttpTransport::new().unwrap();
    for url in [closed.as_str(), "http://nothing.invalid/?token=hunter2", "http://[::1]:1/?token=hunter2"] {
        let outcome = attempt(&transport, request(url)).await;
        assert_eq!(code(&outcome), Code::Connect, "{url}");
        assert!(!outcome.1.to_string().contains("hunter2"), "{}", outcome.1);
    }
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_fails_without_showing_it() {
    let mut bad = request("http://127.0.0.1:1/");
    bad.headers.push(("x-tenant", "hunter2\r\n".to_owned()));
    let outcome = attempt(&HttpTransport::new().unwrap(), bad).await;
    assert_eq!(code(&outcome), Code::Request);
    assert!(!outcome.1.to_string().contains("hunter2"));
}

#[tokio::test]
async fn a_connection_is_used_again_and_a_closed_one_is_replaced() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let transport = HttpTransport::new().unwrap();
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
