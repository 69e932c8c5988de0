//! What a webhook costs before any network call: verify, parse and build, route look-up, log batching.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::fmt::Write as _;
use std::sync::Arc;

use connector::cache::Snapshot as _;
use connector::configuration::RoutingTable;
use connector::event::FluentEvent;
use connector::event_log::{Entry, EventType, plan};
use connector::keys::PublicKey;
use connector::message::{Message, group_of};
use connector::parameter::{Parameter, Section};
use connector::route::Route;
use connector::secret::Secret;
use connector::signature::{Md5Policy, SignatureHeaders, Verified, Verifier};
use divan::{Bencher, black_box};
use jiff::Timestamp;

fn main() {
    divan::main();
}

/// An event of about 1.5 kB, as Fluent sends them.
fn body() -> String {
    let attributes = (0..40).fold(String::new(), |mut text, n| {
        let _ = write!(text, r#""attribute{n}": "value of attribute {n}","#);
        text
    });
    format!(
        r#"{{"id": "e1", "name": "OrderStatusChange", "accountId": "ACME", "retailerId": "1", "entityId": "1",
        "entityRef": "HD_1", "entityType": "ORDER", "attributes": {{{attributes} "last": 1}}}}"#
    )
}

fn keys() -> Vec<Arc<PublicKey>> {
    vec![Arc::new(PublicKey::parse(testkit::signing::DEVELOPMENT_PUBLIC_KEY).unwrap())]
}

fn verified<'a>(keys: &[Arc<PublicKey>], body: &'a str, headers: &SignatureHeaders<'_>) -> Verified<'a> {
    Verifier::new(keys, Md5Policy::AllowAlone).verify(body.as_bytes(), headers).unwrap()
}

#[divan::bench]
fn verify_sha512_with_rsa_1024(bencher: Bencher<'_, '_>) {
    let (keys, body) = (keys(), body());
    let signature = testkit::signing::sign_sha512(body.as_bytes());
    let headers = SignatureHeaders { fluent: vec![signature.as_bytes()], flex: vec![] };
    bencher.bench(|| verified(&keys, black_box(&body), &headers).body().len());
}

#[divan::bench]
fn verify_md5_with_rsa_1024(bencher: Bencher<'_, '_>) {
    let (keys, body) = (keys(), body());
    let signature = testkit::signing::sign_md5(body.as_bytes());
    let headers = SignatureHeaders { fluent: vec![], flex: vec![signature.as_bytes()] };
    bencher.bench(|| verified(&keys, black_box(&body), &headers).body().len());
}

#[divan::bench]
fn parse_and_build_message(bencher: Bencher<'_, '_>) {
    let (keys, body) = (keys(), body());
    let signature = testkit::signing::sign_sha512(body.as_bytes());
    let headers = SignatureHeaders { fluent: vec![signature.as_bytes()], flex: vec![] };
    let verified = verified(&keys, &body, &headers);
    bencher.bench(|| {
        let event = FluentEvent::from_verified(black_box(&verified)).unwrap();
        let message = Message::from_fluent(&event, Timestamp::UNIX_EPOCH).unwrap();
        message.outgoing(group_of(&event), None).unwrap()
    });
}

#[divan::bench(args = [10, 100, 1_000])]
fn route_look_up(bencher: Bencher<'_, '_>, routes: usize) {
    let parameters: Vec<_> = (0..routes)
        .map(|n| Parameter {
            section: Section::Routes,
            name: format!("route-{n}"),
            value: Secret::new(format!("message: [Name{n}, '*.{n}.*']\nendpoint: shop")),
            version: 1,
        })
        .collect();
    let (table, _) = RoutingTable::build(&parameters, None);
    let text = r#"{"version": 1, "id": "e1", "name": "Name7", "source": "fluent", "receivedAt": "2026-11-20T08:30:00Z", "payload": {}}"#;
    let message = Message::parse(text).unwrap();
    bencher.bench(|| table.routes_for(black_box(&message)).count());
}

const TEMPLATED: &str = r#"
message: OrderStatusChange
when: event.entityStatus in ["SHIPPED", "DELIVERED"]
endpoint: shop
payload: |
  {"order": {{ event.entityRef }}, "status": {{ event.entityStatus | lower }},
   "lines": [{% for line in event.attributes.lines %}{"sku": {{ line.sku }}, "price": {{ line.cents | money }}}{{ "," | safe if not loop.last }}{% endfor %}]}
"#;

/// What each execution environment does at its first message, and after a change.
#[divan::bench(args = [1, 10, 100])]
fn read_routes_with_templates(bencher: Bencher<'_, '_>, routes: usize) {
    let parameters: Vec<_> = (0..routes)
        .map(|n| Parameter {
            section: Section::Routes,
            name: format!("route-{n}"),
            value: Secret::new(TEMPLATED),
            version: 1,
        })
        .collect();
    bencher.bench(|| RoutingTable::build(black_box(&parameters), None).1.len());
}

#[divan::bench(args = [1, 100])]
fn render_a_payload(bencher: Bencher<'_, '_>, lines: usize) {
    let lines = vec![r#"{"sku":"A-1","cents":1999}"#; lines].join(",");
    let event =
        format!(r#"{{"entityRef":"HD_1","entityStatus":"SHIPPED","attributes":{{"lines":[{lines}]}}}}"#);
    let text = format!(
        r#"{{"version": 1, "id": "e1", "name": "OrderStatusChange", "source": "fluent", "receivedAt": "2026-11-20T08:30:00Z", "payload": {event}}}"#
    );
    let (message, route) = (Message::parse(&text).unwrap(), Route::parse(TEMPLATED).unwrap());
    bencher.bench(|| route.payload.as_ref().unwrap().render(&route.scope(black_box(&message))).unwrap());
}

#[divan::bench(args = [1, 100, 10_000])]
fn log_batching(bencher: Bencher<'_, '_>, entries: usize) {
    let entry =
        Entry::new(EventType::OutboundAttempt, Timestamp::UNIX_EPOCH).field("response.body", "x".repeat(500));
    bencher.with_inputs(|| vec![entry.clone(); entries]).bench_values(plan);
}
