//! The guard around the sockets: what is refused connects to nothing, and what is checked is what is connected to.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use connector::failure::Code;
use outbound::{HttpTransport, Lookup};
use rustls::RootCertStore;

use crate::support::{
    Names, answer, attempt, beside, get, is_untouched, listener, local, policy, request, resolving,
};

#[tokio::test]
async fn loopback_by_http_is_blocked_without_a_connection() {
    let (listener, port) = listener().await;
    let transport = HttpTransport::new(policy("")).unwrap();
    for url in [
        format!("http://127.0.0.1:{port}/?token=hunter2"),
        format!("http://localhost:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://2130706433:{port}/"),
    ] {
        let outcome = get(&transport, &url).await;
        assert_eq!(outcome.code(), Code::BlockedAddress, "{url}");
        assert!(!outcome.entry.to_string().contains("hunter2"), "{}", outcome.entry);
    }
    assert!(is_untouched(&listener).await);
}

#[tokio::test]
async fn a_forbidden_literal_is_blocked_in_every_spelling() {
    let transport = HttpTransport::new(policy("127.0.0.0/8")).unwrap();
    for (url, detail) in [
        ("https://10.0.0.1/a?b=c", "address 10.0.0.1 is private (RFC 1918)"),
        ("https://0xa9fea9fe/", "address 169.254.169.254 is the instance metadata service"),
        ("https://[::1]/", "address ::1 is loopback (RFC 4291)"),
        (
            "http://8.8.8.8/",
            "address 8.8.8.8 is in no allowed network, and only https on port 443 goes elsewhere",
        ),
    ] {
        let outcome = get(&transport, url).await;
        assert_eq!((outcome.code(), outcome.error()), (Code::BlockedAddress, detail));
        assert_eq!(outcome.entry["outcome"], "undelivered", "it is refused for good");
    }
}

#[tokio::test]
async fn http_to_a_public_name_is_blocked_without_resolving() {
    let names = Names::answering(&["93.184.216.34"]);
    let transport = resolving("", &names);
    for (url, shown) in [
        ("http://shop.example/orders?token=hunter2", "http://shop.example:80"),
        ("https://shop.example:8443/", "https://shop.example:8443"),
        ("http://shop.example:443/", "http://shop.example:443"),
    ] {
        let outcome = get(&transport, url).await;
        assert_eq!(outcome.code(), Code::BlockedAddress);
        assert_eq!(outcome.error(), format!("{shown} is not https on port 443, and no network is allowed"));
    }
    assert!(names.asked().is_empty());
}

#[tokio::test]
async fn a_name_with_a_private_address_is_blocked_and_says_so() {
    let transport = resolving("", &Names::answering(&["10.0.0.1"]));
    let outcome = get(&transport, "https://shop.example/orders?token=hunter2").await;
    assert_eq!(outcome.code(), Code::BlockedAddress);
    assert_eq!(outcome.error(), "address 10.0.0.1 of shop.example is private (RFC 1918)");
    assert!(!outcome.entry.to_string().contains("hunter2"));
}

#[tokio::test]
async fn a_private_answer_among_public_ones_blocks_all() {
    for answers in ["93.184.216.34 10.0.0.1", "10.0.0.1 93.184.216.34", "2606:4700::1111 ::ffff:10.0.0.1"] {
        let outcome = get(&resolving("", &Names::answering(&[answers])), "https://shop.example/").await;
        assert_eq!(outcome.code(), Code::BlockedAddress, "{answers}");
    }
}

#[tokio::test]
async fn a_forbidden_answer_among_allowed_ones_connects_to_none() {
    let (listener, port) = listener().await;
    let names = Names::answering(&["127.0.0.1 10.0.0.1"]);
    let outcome = get(&resolving("127.0.0.0/8", &names), &format!("http://shop.example:{port}/")).await;
    assert_eq!(outcome.code(), Code::BlockedAddress);
    assert!(is_untouched(&listener).await);
}

#[tokio::test]
async fn a_name_that_changes_its_address_is_judged_at_every_connection_once() {
    let (listener, port) = listener().await;
    let names = Names::answering(&["127.0.0.1", "10.0.0.1"]);
    let transport = resolving("127.0.0.0/8", &names);
    let url = format!("http://shop.example:{port}/");
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        answer(&mut stream).await;
    };
    beside(server, async {
        assert_eq!(get(&transport, &url).await.result.unwrap().status, 200);
        assert_eq!(names.asked(), ["shop.example"], "one look-up, whose answer was connected to");
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(get(&transport, &url).await.code(), Code::BlockedAddress);
        assert_eq!(names.asked().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn names_of_this_host_are_judged_without_resolving_them() {
    for name in ["localhost", "localhost.", "shop.localhost", "LOCALHOST"] {
        let names = Names::answering(&["93.184.215.14"]);
        let outcome = get(&resolving("", &names), &format!("https://{name}/")).await;
        assert_eq!((outcome.code(), names.asked().len()), (Code::BlockedAddress, 0), "{name}");
    }
}

#[tokio::test]
async fn this_host_is_reached_by_name_where_it_is_allowed() {
    let (listener, port) = listener().await;
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        answer(&mut stream).await;
    };
    let url = format!("http://localhost:{port}/");
    let outcome = beside(server, async { get(&local(), &url).await }).await;
    assert_eq!(outcome.result.unwrap().status, 200);
}

#[tokio::test]
async fn a_name_without_an_address_is_a_dns_failure() {
    for names in [Names::answering(&[""]), Names::answering(&[])] {
        let outcome = get(&resolving("", &names), "https://shop.example/?token=hunter2").await;
        assert_eq!(outcome.code(), Code::Dns);
        assert!(!outcome.entry.to_string().contains("hunter2"));
    }
    assert_eq!(get(&local(), "https://nothing.invalid/").await.code(), Code::Dns);
}

/// A name server that never answers.
struct Silence;

#[async_trait]
impl Lookup for Silence {
    async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_hangs_is_a_timeout_after_three_seconds() {
    let transport = HttpTransport::within(policy(""), Arc::new(Silence), RootCertStore::empty()).unwrap();
    let mut request = request("https://shop.example/");
    request.timeout = Duration::from_secs(10);
    let outcome = attempt(&transport, request).await;
    assert_eq!(outcome.code(), Code::Timeout);
    let waited = outcome.entry["duration_ms"].as_u64().unwrap();
    assert!((3_000..3_100).contains(&waited), "{waited} ms");
}
