//! Connections kept between deliveries, and what becomes of those that the receiver closed meanwhile.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use connector::failure::Code;

use crate::support::{BODY, OK, answer, beside, get, listener, local, read_request};

#[tokio::test]
async fn a_connection_is_used_again_and_a_closed_one_is_replaced() {
    let (listener, port) = listener().await;
    let url = format!("http://127.0.0.1:{port}/");
    let transport = local();
    let server = async {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            for _ in 0..2 {
                answer(&mut stream).await;
            }
        }
    };
    beside(server, async {
        for _ in 0..4 {
            assert_eq!(get(&transport, &url).await.result.unwrap().status, 200);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_the_receiver_is_about_to_close_is_not_used_again() {
    let (listener, port) = listener().await;
    let url = format!("http://127.0.0.1:{port}/");
    let transport = local();
    let server = async {
        let (mut first, _) = listener.accept().await.unwrap();
        answer(&mut first).await;
        let (mut second, _) = listener.accept().await.unwrap();
        answer(&mut second).await;
        drop(first);
    };
    beside(server, async {
        assert_eq!(get(&transport, &url).await.result.unwrap().status, 200);
        tokio::time::sleep(Duration::from_millis(4_200)).await;
        assert_eq!(get(&transport, &url).await.result.unwrap().status, 200);
    })
    .await;
}

/// Reads one request, blocking.
fn read_blocking(stream: &mut TcpStream) {
    let mut text = Vec::new();
    while !text.ends_with(BODY) {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "the request broke off");
        text.extend_from_slice(&buffer[..read]);
    }
}

/// The sandbox is frozen while the receiver closes: the runtime stands still, so that it cannot see the end coming.
#[tokio::test]
async fn a_connection_closed_while_the_sandbox_was_frozen_costs_no_delivery() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (closed, wait_for_close) = mpsc::channel();
    let server = thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        read_blocking(&mut first);
        first.write_all(OK).unwrap();
        thread::sleep(Duration::from_millis(50));
        first.shutdown(Shutdown::Both).unwrap();
        drop(first);
        closed.send(()).unwrap();
        let (mut second, _) = listener.accept().unwrap();
        read_blocking(&mut second);
        second.write_all(OK).unwrap();
        thread::sleep(Duration::from_millis(100));
        listener.set_nonblocking(true).unwrap();
        let rest = second.set_nonblocking(true).and_then(|()| second.read(&mut [0; 1]));
        listener.accept().is_err() && !matches!(rest, Ok(1))
    });
    let transport = local();
    assert_eq!(get(&transport, &url).await.result.unwrap().status, 200);
    wait_for_close.recv().unwrap();
    assert_eq!(get(&transport, &url).await.result.unwrap().status, 200);
    assert!(server.join().unwrap(), "the server saw a third request");
}

#[tokio::test]
async fn a_request_that_was_written_is_not_sent_twice() {
    let (listener, port) = listener().await;
    let url = format!("http://127.0.0.1:{port}/");
    let transport = local();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        answer(&mut stream).await;
        read_request(&mut stream).await;
        drop(stream);
        listener.accept().await.unwrap();
        unreachable!("it was sent again");
    };
    beside(server, async {
        assert_eq!(get(&transport, &url).await.result.unwrap().status, 200);
        assert_eq!(get(&transport, &url).await.code(), Code::Response);
        tokio::time::sleep(Duration::from_millis(50)).await;
    })
    .await;
}
