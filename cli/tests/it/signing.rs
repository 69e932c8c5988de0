//! `keygen`, `sign` and `send`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};
use std::thread;

use connector::keys::PublicKey;
use connector::signature::{Md5Policy, SignatureHeaders, Verifier};
use serde_json::Value;

use crate::{development_key, run};

fn verifies(key: &str, body: &[u8], signature: &str) -> bool {
    let keys = [Arc::new(PublicKey::parse(key).unwrap())];
    let headers = SignatureHeaders { fluent: vec![signature.as_bytes()], flex: Vec::new() };
    Verifier::new(&keys, Md5Policy::Refuse).verify(body, &headers).is_ok()
}

#[test]
fn a_made_key_signs_what_the_connector_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    assert_eq!(run(&["keygen", &at("dev")]).code, 0);
    let mode = std::fs::metadata(at("dev.private.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = run(&["keygen", &at("dev")]);
    assert!(again.code == 2 && again.err.contains("is already there"), "{}", again.err);
    std::fs::write(at("event.json"), "{\r\n \"id\": 'it''s'}").unwrap();
    let header = run(&["sign", &at("event.json"), "--key", &at("dev.private.pem")]).out;
    let signature = header.trim_end().strip_prefix("fluent-signature: ").unwrap();
    let public = std::fs::read_to_string(at("dev.public.txt")).unwrap();
    assert!(verifies(&public, &std::fs::read(at("event.json")).unwrap(), signature));
    let json = run(&[
        "sign",
        &at("event.json"),
        "--key",
        &at("dev.private.pem"),
        "--json",
        "--curl",
        "http://127.0.0.1/",
    ]);
    let answer: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(answer["value"], signature);
    assert!(answer["curl"].as_str().unwrap().contains("--data-binary"));
}

#[test]
fn a_key_that_is_none_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    std::fs::write(&path, "-----BEGIN PRIVATE KEY-----\nMARKED\n-----END PRIVATE KEY-----").unwrap();
    let ran = run(&["sign", &development_key(), "--key", path.to_str().unwrap()]);
    assert!(ran.code == 2 && !ran.err.contains("MARKED"), "{}", ran.err);
}

/// Answers as it is told, and keeps the ids of what the development key has signed.
fn receiver(statuses: Vec<u16>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/webhook", listener.local_addr().unwrap().port());
    let ids = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&ids);
    thread::spawn(move || {
        for (stream, status) in listener.incoming().flatten().zip(statuses.into_iter().cycle()) {
            let mut reader = BufReader::new(&stream);
            let (mut length, mut signature, mut line) = (0, String::new(), String::new());
            while reader.read_line(&mut line).unwrap() > 2 {
                let (name, value) = line.trim().split_once(": ").unwrap_or_default();
                match name {
                    "content-length" => length = value.parse().unwrap(),
                    "fluent-signature" => value.clone_into(&mut signature),
                    _ => {}
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            if verifies(testkit::signing::DEVELOPMENT_PUBLIC_KEY, &body, &signature) {
                let event: Value = serde_json::from_slice(&body).unwrap();
                kept.lock().unwrap().push(event["id"].as_str().unwrap().to_owned());
            }
            let answer = format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}");
            (&stream).write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, ids)
}

fn event() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), r#"{"id": "a", "amount": 1.10}"#).unwrap();
    file
}

#[test]
fn many_are_sent_signed_each_with_an_id_of_its_own() {
    let ((url, ids), file) = (receiver(vec![200]), event());
    let key = development_key();
    let ran = run(&[
        "send",
        file.path().to_str().unwrap(),
        "--url",
        &url,
        "--key",
        &key,
        "--count",
        "20",
        "--json",
    ]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (ran.code, &report["sent"], &report["results"][0]["count"]),
        (0, &20.into(), &20.into()),
        "{}",
        ran.err
    );
    let mut ids = ids.lock().unwrap().clone();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), ids[0].as_str()), (20, "a"));
}

#[test]
fn one_that_is_not_answered_200_is_something_wrong() {
    let ((url, _), file) = (receiver(vec![200, 503]), event());
    let ran = run(&[
        "send",
        file.path().to_str().unwrap(),
        "--url",
        &url,
        "--key",
        &development_key(),
        "--count",
        "4",
    ]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("503     2") && ran.out.contains("4 sent in"), "{}", ran.out);
}

#[test]
fn nothing_is_sent_to_another_machine_unless_it_is_meant() {
    let file = event();
    for url in ["https://shop.example/", "http://10.0.0.1/", "http://localhost.shop.example/"] {
        let ran = run(&["send", file.path().to_str().unwrap(), "--url", url, "--key", &development_key()]);
        assert!(ran.code == 2 && ran.err.contains("--allow-remote"), "{}", ran.err);
    }
}
