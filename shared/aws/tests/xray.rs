//! The daemon's adapter over real sockets, on loopback.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use aws::xray::{XrayDaemon, daemon_address};
use connector::event_log::{Entry, EventType};
use connector::subsegment::{QUEUED, Tracing};
use serde_json::{Value, json};
use testkit::fakes::ManualClock;

/// A daemon that waits for a datagram at most so long.
fn daemon(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket
}

fn tell(address: SocketAddr, times: usize) {
    let clock = ManualClock::default().port();
    let tracing = Tracing::new(Arc::new(XrayDaemon::at(address).unwrap()), clock.clone(), Arc::new(|| 0.5));
    let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    for _ in 0..times {
        let entry = Entry::new(EventType::InboundAccepted, clock()).field("message.id", "m1");
        tracing.step(header, QUEUED).unwrap().end(&entry);
    }
}

#[test]
fn the_daemon_gets_its_header_and_the_document_in_one_datagram() {
    for local in ["127.0.0.1:0", "[::1]:0"] {
        let daemon = daemon(local);
        tell(daemon.local_addr().unwrap(), 2);
        for _ in 0..2 {
            let mut datagram = [0; 8_192];
            let length = daemon.recv(&mut datagram).unwrap();
            let text = std::str::from_utf8(datagram.get(..length).unwrap()).unwrap();
            let (header, document) = text.split_once('\n').unwrap();
            assert_eq!(header, r#"{"format":"json","version":1}"#);
            let document: Value = serde_json::from_str(document).unwrap();
            assert_eq!(document["annotations"], json!({"message_id": "m1"}));
        }
    }
}

#[test]
fn nobody_is_held_up_where_nobody_listens_and_who_listens_again_misses_nothing() {
    let gone = daemon("127.0.0.1:0");
    let address = gone.local_addr().unwrap();
    drop(gone);
    tell(address, 1_000);
    let back = daemon(&address.to_string());
    tell(address, 1);
    assert!(back.recv(&mut [0; 8_192]).is_ok());
}

#[test]
fn a_daemon_that_reads_nothing_costs_subsegments_alone() {
    let deaf = daemon("127.0.0.1:0");
    tell(deaf.local_addr().unwrap(), 10_000); // far more than a socket keeps
}

#[test]
fn an_address_is_read_as_lambda_and_the_sdks_write_it() {
    for (value, address) in [
        ("169.254.79.129:2000", Some("169.254.79.129:2000")),
        ("[::1]:2000", Some("[::1]:2000")),
        ("tcp:127.0.0.1:2000 udp:127.0.0.2:2001", Some("127.0.0.2:2001")),
        ("udp:127.0.0.2:2001 tcp:127.0.0.1:2000", Some("127.0.0.2:2001")),
        ("xray-daemon:2000", None),
        ("169.254.79.129", None),
        ("", None),
    ] {
        assert_eq!(daemon_address(value), address.map(|text| text.parse().unwrap()), "{value}");
    }
}
