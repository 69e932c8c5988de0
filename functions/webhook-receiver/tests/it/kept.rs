//! Requests that nobody can verify: which are kept, and how.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connector::event_log::MAX_BATCH_BYTES;
use connector::message::{MAX_MESSAGE_BYTES, Message};
use connector::parameter::Section;
use connector::signature::Md5Policy;
use connector::unverified::{PROOFS, Unverified};
use connector::webhook::Webhook;
use proptest::prelude::*;
use serde_json::{Value, json};
use webhook_receiver::receive::FLUENT_PATH;

use crate::support::{World, sample, to_source};

#[tokio::test(start_paused = true)]
async fn a_configuration_that_was_never_readable_is_503_and_the_request_is_kept() {
    let world = World::new(Md5Policy::Refuse);
    world.configuration.set_unreadable(true);
    let event = sample("webhook-200-fluent-signature");
    let (status, body, headers) = world.invoke(&event).await;
    assert_eq!((status, &body["code"], &headers["retry-after"]), (503, &json!("E_CONFIG"), &json!("5")));
    assert!(world.configuration.reads() > 12, "it was asked again while there was time");
    let entry = world.event_log.entries().remove(0);
    assert_eq!((&entry["type"], world.event_log.flushed()), (&json!("inbound.unverified"), 1));
    assert_eq!((&entry["verified"], &entry["message.source"]), (&json!(false), &json!("fluent")));
    assert_eq!(entry["request.body"], event["body"]);
    let signature = event["headers"]["fluent-signature"].as_str().unwrap();
    assert_eq!(entry["request.headers"], format!("fluent-signature: {signature}\n"));
    assert_eq!(world.console.entries().pop().unwrap()["kept"], true);
    world.invoke(&event).await;
    assert_eq!(world.event_log.entries().len(), 2, "each is kept");
}

#[tokio::test(start_paused = true)]
async fn a_read_that_fails_at_first_refuses_nothing_and_is_no_later_receipt() {
    let world = World::new(Md5Policy::Refuse);
    let came = (world.clock.port())();
    world.configuration.set_unreadable(true);
    let mends = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        world.clock.advance(Duration::from_secs(3));
        world.configuration.set_unreadable(false);
    };
    let event = sample("webhook-200-fluent-signature");
    let (answer, ()) = tokio::join!(world.invoke(&event), mends);
    assert_eq!((answer.0, world.queue.sent().len(), world.event_log.entries().len()), (200, 1, 0));
    assert_eq!(Message::parse(&world.queue.sent()[0].body).unwrap().received_at, came);
}

#[tokio::test(start_paused = true)]
async fn what_was_kept_is_what_came_and_genuine_when_it_is_verified_then() {
    let names = ["webhook-200-both-signatures", "webhook-200-base64-body", "external-200-fynd-base64-body"];
    let others = ["external-200-github-push", "external-200-fynd-without-event-id"];
    for name in names.into_iter().chain(others) {
        let world = World::new(Md5Policy::Refuse);
        world.invoke(&sample(name)).await;
        let fresh = world.queue.sent().remove(0);
        let world = World::new(Md5Policy::Refuse);
        world.configuration.set_unreadable(true);
        world.invoke(&sample(name)).await;
        let line = world.event_log.entries().remove(0).to_string();
        let kept = Unverified::read(&line).unwrap();
        world.configuration.set_unreadable(false);
        let world = World::new(Md5Policy::Refuse);
        let (keys, sources) =
            (world.receiver.keys.get().await.unwrap(), world.receiver.sources.get().await.unwrap());
        let verified = kept.verified(&keys, &sources, &world.receiver.served).unwrap();
        let Webhook::Event { message, group, .. } = verified else { panic!("{name} is an event") };
        assert_eq!(message.outgoing(group, fresh.trace.clone()).unwrap(), fresh, "{name}");
    }
}

/// Names of headers that are or may be secrets.
const SECRET: [&str; 9] = [
    "Authorization",
    "authorization",
    "Proxy-Authorization",
    "Cookie",
    "Set-Cookie",
    "X-Api-Key",
    "api-key",
    "x-amz-security-token",
    "x-shop-token",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_value_of_a_header_that_may_be_a_secret_stands_in_any_log(
        secrets in prop::collection::btree_map(prop::sample::select(&SECRET[..]), "hunter2-[a-zA-Z0-9]{8}", 1..6),
        proof in prop::option::of(prop::sample::select(&PROOFS[..])),
        source in prop::option::of(prop::sample::select(vec!["fynd", "shop", "nobody", "fluent"])),
        broken in any::<bool>(),
        body in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut headers = json!(secrets);
        if let Some(proof) = proof {
            headers[proof] = json!("v1,c2lnbmF0dXJl");
        }
        let mut event = to_source(source.unwrap_or("fynd"), headers, "");
        if source.is_none() {
            for place in ["/rawPath", "/requestContext/http/path"] {
                *event.pointer_mut(place).unwrap() = json!(FLUENT_PATH);
            }
        }
        event["body"] = json!(STANDARD.encode(&body));
        event["isBase64Encoded"] = json!(true);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let world = World::with_source("shop", "preset: fynd\nsecret: [oops]");
        world.configuration.set_unreadable(!broken);
        let (status, answer, _) = runtime.block_on(world.invoke(&event));
        let logged = format!("{:?} {:?}", world.console.entries(), world.event_log.entries());
        prop_assert!(!logged.contains("hunter2"), "{logged}");
        let refused = world.console.entries().pop().unwrap();
        let kept = answer["code"] == "E_CONFIG" && proof.is_some() && source != Some("fluent");
        prop_assert_eq!(world.event_log.entries().len(), usize::from(kept), "{} {}", status, refused);
        if answer["code"] == "E_CONFIG" {
            prop_assert_eq!(&refused["kept"], &json!(kept));
        } else {
            prop_assert_eq!(&refused["kept"], &Value::Null);
        }
    }
}

#[tokio::test]
async fn a_body_that_is_no_text_is_kept_byte_for_byte() {
    let world = World::with_source("shop", "preset: fynd\nsecret: [oops]");
    let mut event = to_source("shop", json!({"x-fp-signature": "00", "authorization": "Bearer hunter2"}), "");
    event["body"] = json!(STANDARD.encode([0xff, 0x00, 0x7b]));
    event["isBase64Encoded"] = json!(true);
    assert_eq!(world.invoke(&event).await.0, 503);
    let entry = world.event_log.entries().remove(0);
    assert_eq!((&entry["request.body.base64"], &entry["request.body"]), (&json!("/wB7"), &Value::Null));
    assert_eq!(entry["request.headers"], "x-fp-signature: 00\n");
}

#[tokio::test]
async fn what_could_never_be_proven_is_not_kept_and_that_is_said() {
    let world = World::with_source("shop", "auth: { type: bearr, secrets: [hunter2] }\nname: /type");
    let event = to_source("shop", json!({"authorization": "Bearer hunter2"}), "{}");
    assert_eq!(world.invoke(&event).await.1["code"], "E_CONFIG");
    assert!(world.event_log.entries().is_empty());
    assert_eq!(world.console.entries().pop().unwrap()["kept"], false);
}

#[tokio::test]
async fn the_largest_body_is_kept_though_its_entry_may_be_too_large_for_the_event_log() {
    let world = World::with_source("shop", "preset: fynd\nsecret: [oops]");
    let body = "x".repeat(MAX_MESSAGE_BYTES);
    assert_eq!(world.invoke(&to_source("shop", json!({"x-fp-signature": "00"}), &body)).await.0, 503);
    let entry = world.event_log.entries().remove(0);
    assert!(entry.to_string().len() > MAX_BATCH_BYTES, "the adapter prints it into the receiver's own log");
    assert_eq!(entry["request.body"], body);
}

#[tokio::test]
async fn no_entry_is_much_longer_than_its_body_whatever_that_holds() {
    for body in ["\u{1}".repeat(750_000), "\"".repeat(750_000), "\\n".repeat(375_000)] {
        let world = World::with_source("shop", "preset: fynd\nsecret: [oops]");
        assert_eq!(world.invoke(&to_source("shop", json!({"x-fp-signature": "00"}), &body)).await.0, 503);
        let entry = world.event_log.entries().remove(0);
        assert!(entry.to_string().len() < MAX_BATCH_BYTES, "the event log takes it");
        let kept = STANDARD.decode(entry["request.body.base64"].as_str().unwrap()).unwrap();
        assert_eq!(kept, body.as_bytes());
    }
}

#[tokio::test]
async fn where_all_keys_are_broken_a_signed_request_is_503_and_kept() {
    let world = World::new(Md5Policy::Refuse);
    world.configuration.remove(Section::Keys, "development");
    let mut event = sample("webhook-200-fluent-signature");
    let (status, body, _) = world.invoke(&event).await;
    assert_eq!((status, &body["code"]), (503, &json!("E_CONFIG")));
    assert_eq!(world.console.entries()[0]["parameter"], "keys/broken");
    assert_eq!(world.event_log.types(), ["inbound.unverified"]);
    event["headers"] = json!({});
    assert_eq!(world.invoke(&event).await.0, 401, "what bears no signature needs no key to be refused");
}
