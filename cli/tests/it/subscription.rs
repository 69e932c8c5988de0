//! `subscription ping`, to a receiver on loopback.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use serde_json::Value;
use tempfile::TempDir;

use crate::{folder, run};

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// A request as the receiver got it: its headers, by lines in lower case, and its body.
struct Got {
    headers: Vec<String>,
    body: Vec<u8>,
}

/// Answers one request with this status.
fn receiver(status: &'static str) -> (String, JoinHandle<Got>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks?key=hunter2", listener.local_addr().unwrap());
    (url, std::thread::spawn(move || answered(listener.accept().unwrap().0, status)))
}

fn answered(stream: TcpStream, status: &str) -> Got {
    let mut reader = BufReader::new(stream);
    let lines = reader.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty());
    let headers: Vec<_> = lines.map(|line| line.to_lowercase()).collect();
    let length = headers.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
    Got { headers, body }
}

fn subscribed(url: &str, more: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("subscriptions")).unwrap();
    let document =
        format!("topics: fluent/*\nurl: {url}\nsecrets: [{SECRET}]\nheaders: {{ x-key: hunter2 }}\n{more}\n");
    fs::write(folder.path().join("subscriptions/bi.yaml"), document).unwrap();
    folder
}

fn ping(folder: &TempDir, more: &[&str]) -> crate::Ran {
    let folder = folder.path().to_str().unwrap();
    run(&[&["subscription", "ping", "bi", folder][..], more].concat())
}

#[test]
fn a_test_event_goes_as_real_ones_do_though_the_subscription_is_paused() {
    let (url, receiver) = receiver("200 OK");
    let folder = subscribed(&url, "paused: true\nformat: cloudevents-binary");
    let ran = ping(&folder, &["--allow-networks", "127.0.0.0/8"]);
    let got = receiver.join().unwrap();
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    for header in [
        "ce-type: fluent-connect.ping",
        "ce-source: /fluent-connect/fluent-connect",
        "webhook-topic: fluent-connect/ping",
        "webhook-subscription: bi",
        "x-key: hunter2",
    ] {
        assert!(got.headers.iter().any(|line| line == header), "{header}: {:?}", got.headers);
    }
    assert!(got.headers.iter().any(|line| line.starts_with("webhook-signature: v1,")));
    assert_eq!(serde_json::from_slice::<Value>(&got.body).unwrap()["name"], "ping");
    assert!(ran.out.contains("webhook-signature: ***") && ran.out.contains("delivered: answered 200, in"));
    assert!(
        !ran.out.contains("hunter2") && !ran.out.contains("whsec_") && !ran.out.contains("v1,"),
        "{}",
        ran.out
    );
}

#[test]
fn what_the_receiver_refuses_is_wrong_and_told_to_scripts() {
    let (url, receiver) = receiver("401 Unauthorized");
    let ran = ping(&subscribed(&url, ""), &["--allow-networks", "127.0.0.0/8", "--json"]);
    receiver.join().unwrap();
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(ran.code, 1);
    assert_eq!(
        (&told["delivered"], &told["status"], &told["code"]),
        (&false.into(), &401.into(), &"E_REJECTED".into())
    );
    assert!(!ran.out.contains("hunter2"));
}

#[test]
fn a_receiver_that_may_not_be_reached_is_not() {
    let ran = ping(&subscribed("https://127.0.0.1/hooks", ""), &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("not delivered: code E_BLOCKED_ADDRESS"), "{}", ran.out);
}

#[test]
fn a_subscription_that_cannot_be_pinged_says_why() {
    for (arguments, says) in [
        (["acme-bo", "good"], "there is no subscription subscriptions/acme-bo; did you mean \"acme-bi\"?"),
        (["no-secret", "bad"], "subscriptions/no-secret is broken: unknown key \"secret\" (line 3)"),
    ] {
        let ran = run(&["subscription", "ping", arguments[0], &folder(arguments[1])]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        assert!(ran.err.contains(says), "{}", ran.err);
    }
}
