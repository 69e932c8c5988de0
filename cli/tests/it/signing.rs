//! `keygen`, `sign` and `send`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};
use std::thread;

use connector::keys::PublicKey;
use connector::signature::{Md5Policy, SignatureHeaders, Verifier};
use connector::source::{Request, Source};
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;
use serde_json::Value;

use crate::aws::FakeAws;
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
    assert_eq!(answer["headers"]["fluent-signature"], signature);
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

/// What `sign` prints for a document of a source.
fn signed(document: &str, body: &str, more: &[&str]) -> (Source, HeaderMap, crate::Ran) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("shop.yaml"), document).unwrap();
    std::fs::write(at("event.json"), body).unwrap();
    let (event, file) = (at("event.json"), at("shop.yaml"));
    let ran = run(&[&["sign", &event, "--source", "shop", "--document", &file][..], more].concat());
    let pairs = ran.out.lines().filter_map(|line| line.split_once(": "));
    let headers = pairs.map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()));
    let headers = headers.collect();
    (Source::parse("shop", document).unwrap(), headers, ran)
}

#[expect(
    clippy::disallowed_methods,
    reason = "timestamped signatures are compared with the clock of the binary"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

#[test]
fn the_printed_headers_are_what_the_source_takes() {
    let body = r#"{"id":"evt_1","type":"paid"}"#;
    for document in [
        "{ preset: fynd, secrets: [MARKED] }",
        "{ preset: github, secrets: [MARKED] }",
        "{ preset: shopify, secrets: [MARKED] }",
        "{ preset: stripe, secrets: [MARKED] }",
        "{ preset: standard-webhooks, secrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD] }",
    ] {
        let (source, headers, ran) = signed(document, body, &["--header", "X-Shop: a: b"]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{document}");
        assert!(
            source.prove(Request { headers: &headers, body: body.as_bytes() }, now()).is_ok(),
            "{document}"
        );
        assert_eq!(headers["x-shop"], "a: b");
        assert!(!ran.out.contains("MARKED") && !ran.out.contains("whsec_"), "{}", ran.out);
    }
}

#[test]
fn a_source_with_public_keys_is_signed_for_by_their_private_half_alone() {
    let public = testkit::signing::DEVELOPMENT_PUBLIC_KEY.replace('\n', "\n      ");
    let document = format!("preset: fluent\nkeys:\n  - |\n      {public}");
    let (source, headers, ran) = signed(&document, "{}", &["--key", &development_key()]);
    assert_eq!(ran.err, "");
    assert!(source.prove(Request { headers: &headers, body: b"{}" }, now()).is_ok());
    let (_, _, none) = signed(&document, "{}", &[]);
    assert!(none.code == 2 && none.err.contains("give the private key of one of them"), "{}", none.err);
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other").to_str().unwrap().to_owned();
    assert_eq!(run(&["keygen", &other]).code, 0);
    let (_, _, wrong) = signed(&document, "{}", &["--key", &format!("{other}.private.pem")]);
    assert!(
        wrong.code == 2 && wrong.err.contains("private half of none of the public keys"),
        "{}",
        wrong.err
    );
}

#[test]
fn a_header_that_is_the_secret_is_never_printed() {
    for auth in [
        "{ type: bearer, secrets: [MARKED] }",
        "{ type: basic, username: me, secrets: [MARKED] }",
        "{ type: api-key, header: x-key, secrets: [MARKED] }",
    ] {
        for more in [&[][..], &["--json"], &["--curl", "http://127.0.0.1/"]] {
            let (_, _, ran) = signed(&format!("auth: {auth}\nname: x"), "{}", more);
            assert!(ran.code == 2 && ran.out.is_empty() && ran.err.contains("connector send"), "{}", ran.err);
            let encoded = "bWU6TUFSS0VE"; // me:MARKED
            assert!(!ran.err.contains("MARKED") && !ran.err.contains(encoded), "{}", ran.err);
        }
    }
}

#[test]
fn a_source_that_cannot_be_signed_for_says_why_and_shows_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(at("sources")).unwrap();
    std::fs::write(at("sources/shop.yaml"), "{ preset: github, secrets: [MARKED] }").unwrap();
    std::fs::write(at("sources/open.yaml"), "{ auth: none-i-know-what-this-means, name: x }").unwrap();
    std::fs::write(at("sources/broken.yaml"), "{ preset: github, secret: [MARKED] }").unwrap();
    std::fs::write(at("event.json"), "{}").unwrap();
    let (event, config, key) = (at("event.json"), at(""), development_key());
    for (arguments, says) in [
        (&["--source", "shop"][..], "<--document <PATH>|--stack <STACK>|--prefix <PREFIX>>"),
        (
            &["--source", "shp", "--document", &config],
            "there is no source sources/shp; did you mean \"shop\"?",
        ),
        (&["--source", "broken", "--document", &config], "sources/broken is broken: unknown key \"secret\""),
        (&["--source", "shop", "--document", &config, "--key", &key], "it takes no private key"),
        (&["--source", "open", "--document", &config], "asks for no proof"),
        (&["--source", "fluent", "--document", &config], "signed by --key alone, without --source"),
        (&["--source", "commercetools", "--document", &config], "come through the ct-queue"),
        (
            &["--source", "shop", "--document", "/nonexistent"],
            "the source's document /nonexistent cannot be read",
        ),
        (&["--document", &config, "--key", &key], "--source <NAME>"),
        (&["--source", "shop", "--document", &config, "--header", "push"], "write it as NAME: VALUE"),
        (&[], "--key <FILE>"),
    ] {
        let ran = run(&[&["sign", &event][..], arguments].concat());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.err.contains(says) && !ran.err.contains("MARKED"), "{arguments:?}: {}", ran.err);
    }
}

/// Answers 200 and, as a careless receiver does, repeats every header; what came.
fn echoing() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/x/shop", listener.local_addr().unwrap().port());
    let got = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&got);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(&stream);
            let lines = reader.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty());
            let head = lines.collect::<Vec<_>>().join("\n").to_lowercase();
            kept.lock().unwrap().push(head.clone());
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            reader.read_exact(&mut vec![0; length.parse().unwrap()]).unwrap();
            let secret = head.lines().find(|line| line.starts_with("authorization")).unwrap_or_default();
            let secret = secret.replace("marked-secret", "MARKED-secret");
            let answer = format!(
                "HTTP/1.1 200 x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{secret}",
                secret.len()
            );
            (&stream).write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, got)
}

#[test]
fn a_secret_that_is_sent_as_it_is_does_not_come_back_in_the_report() {
    let ((url, got), file) = (echoing(), event());
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("shop.yaml").to_str().unwrap().to_owned();
    std::fs::write(&document, "auth: { type: bearer, secrets: [MARKED-secret] }\nname: x").unwrap();
    let event = file.path().to_str().unwrap();
    for more in [&[][..], &["--json"]] {
        let send = ["send", event, "--url", &url, "--source", "shop", "--document", &document];
        let ran = run(&[&send[..], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(!ran.out.contains("MARKED") && !ran.err.contains("MARKED"), "{}", ran.out);
        assert!(got.lock().unwrap().pop().unwrap().contains("authorization: bearer marked-secret"));
    }
}

#[test]
fn a_document_in_parameter_store_is_read_there_and_repeated_webhooks_get_ids_in_their_header() {
    let aws = FakeAws::with(&[("/p/sources/shop", "SecureString", "{ preset: github, secrets: [MARKED] }")]);
    let ((url, got), file) = (echoing(), event());
    let send = ["send", file.path().to_str().unwrap(), "--url", &url, "--source", "shop", "--prefix", "/p"];
    let ran = aws.run(&[&send[..], &["--count", "3", "--header", "x-github-event: push"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let got = got.lock().unwrap();
    assert!(
        got.iter().all(
            |head| head.contains("x-github-event: push") && head.contains("x-hub-signature-256: sha256=")
        )
    );
    assert_eq!(
        got.iter().filter(|head| head.contains("x-github-delivery: ")).count(),
        2,
        "the first as it is"
    );
}
