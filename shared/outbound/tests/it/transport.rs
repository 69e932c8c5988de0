//! The transport against receivers that behave badly.

use std::future::Future;
use std::time::Duration;

use connector::call::CALL_ANSWER_BYTES;
use connector::delivery::{ANSWER_BYTES, OutboundRequest, Response};
use connector::failure::Code;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::{
    OK, Outcome, attempt, beside, get, is_untouched, listener, local, read_request, request,
};

/// One POST to a server that treats its first connection as `serve` says.
async fn against<F: Future<Output = ()>>(serve: impl FnOnce(TcpStream, String) -> F) -> Outcome {
    let (listener, port) = listener().await;
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = read_request(&mut stream).await;
        serve(stream, head).await;
    };
    let url = format!("http://127.0.0.1:{port}/orders?token=hunter2");
    beside(server, async { get(&local(), &url).await }).await
}

async fn answering(text: &'static str) -> Outcome {
    against(|mut stream, _| async move { stream.write_all(text.as_bytes()).await.unwrap() }).await
}

#[tokio::test]
async fn a_2xx_answer_is_delivered_and_recorded() {
    let Outcome { result, entry } = answering("HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\nok").await;
    assert_eq!(result.unwrap(), Response { status: 202, retry_after: None, body: b"ok".to_vec() });
    assert_eq!((&entry["outcome"], &entry["response.body"]), (&"delivered".into(), &"ok".into()));
    assert!(!entry.to_string().contains("hunter2"));
}

#[tokio::test]
async fn the_receiver_sees_the_exact_body_and_who_sends_it() {
    let (seen, head) = tokio::sync::oneshot::channel();
    let outcome = against(|mut stream, head| async move {
        seen.send(head).unwrap();
        stream.write_all(OK).await.unwrap();
    })
    .await;
    outcome.result.unwrap();
    let head = head.await.unwrap();
    assert!(head.starts_with("POST /orders?token=hunter2 HTTP/1.1\r\n"), "{head}");
    assert!(
        head.contains("content-type: application/json\r\n") && head.contains("user-agent: fluent-connect/")
    );
    assert!(head.ends_with("\r\n\r\n{\"a\":1}"), "{head}");
}

#[tokio::test]
async fn another_status_is_a_failure_with_its_code() {
    for (status, code, outcome) in [
        (503, Code::Server, "retry"),
        (429, Code::Busy, "retry"),
        (404, Code::Rejected, "undelivered"),
        (410, Code::Gone, "undelivered"),
        (302, Code::Redirect, "undelivered"),
    ] {
        let answer = format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n");
        let seen =
            against(|mut stream, _| async move { stream.write_all(answer.as_bytes()).await.unwrap() }).await;
        assert_eq!((seen.code(), &seen.entry["outcome"]), (code, &outcome.into()), "{status}");
        assert_eq!(seen.entry["response.status"], status);
    }
}

#[tokio::test]
async fn what_the_receiver_asks_for_in_retry_after_is_heard() {
    let outcome = answering("HTTP/1.1 503 No\r\nretry-after: 120\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(outcome.entry["retry_after_s"], 120);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (trap, port) = listener().await;
    let answer =
        format!("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{port}/\r\ncontent-length: 0\r\n\r\n");
    let outcome =
        against(|mut stream, _| async move { stream.write_all(answer.as_bytes()).await.unwrap() }).await;
    assert_eq!(outcome.result.unwrap_err().status, Some(302));
    assert!(is_untouched(&trap).await, "the redirect was followed");
}

#[tokio::test]
async fn a_receiver_that_hangs_is_a_timeout() {
    let outcome = against(|stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    assert_eq!(outcome.code(), Code::Timeout);
}

#[tokio::test]
async fn a_2xx_whose_body_drags_on_is_delivered() {
    let Outcome { result, .. } = against(|mut stream, _| async move {
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
    let Outcome { result, .. } = against(|mut stream, _| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
        drop(stream);
    })
    .await;
    assert_eq!(result.unwrap(), Response { status: 200, retry_after: None, body: b"half".to_vec() });
}

#[tokio::test]
async fn a_huge_body_is_read_to_the_cap() {
    let Outcome { result, entry } = against(|mut stream, _| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n").await.unwrap();
        while stream.write_all(&vec![b'x'; 65_536]).await.is_ok() {}
    })
    .await;
    assert_eq!(result.unwrap().body.len(), ANSWER_BYTES);
    assert_eq!(entry["response.body"].as_str().unwrap().len(), connector::delivery::LOGGED_BODY_BYTES);
}

#[tokio::test]
async fn a_request_that_allows_more_of_an_answer_gets_more() {
    let (listener, port) = listener().await;
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n").await.unwrap();
        while stream.write_all(&vec![b'x'; 65_536]).await.is_ok() {}
    };
    let request = request(&format!("http://127.0.0.1:{port}/"));
    let timeout = Duration::from_secs(10);
    let request = OutboundRequest { answer_bytes: CALL_ANSWER_BYTES, timeout, ..request };
    let Outcome { result, .. } = beside(server, async { attempt(&local(), request).await }).await;
    assert_eq!(result.unwrap().body.len(), CALL_ANSWER_BYTES);
}

#[tokio::test]
async fn what_is_not_http_is_a_broken_response() {
    assert_eq!(answering("SSH-2.0-OpenSSH_9.2\r\n\r\n").await.code(), Code::Response);
    assert_eq!(against(|stream, _| async move { drop(stream) }).await.code(), Code::Response);
}

#[tokio::test]
async fn no_connection_is_a_connect_failure_and_shows_no_query() {
    let (listener, port) = listener().await;
    drop(listener);
    for url in [format!("http://127.0.0.1:{port}/?token=hunter2"), "http://[::1]:1/?token=hunter2".to_owned()]
    {
        let outcome = get(&local(), &url).await;
        assert_eq!(outcome.code(), Code::Connect, "{url}");
        assert!(!outcome.entry.to_string().contains("hunter2"), "{}", outcome.entry);
    }
}

#[tokio::test]
async fn a_url_that_cannot_be_sent_is_a_fault_of_the_request_and_is_not_shown() {
    let long = "hunter2".repeat(10_000);
    let outcome = get(&local(), &format!("http://127.0.0.1:1/?token={long}")).await;
    assert_eq!(outcome.code(), Code::Request);
    assert!(!outcome.entry.to_string().contains("hunter2"));
}
