//! Other systems' webhooks.

use connector::message::Message;
use connector::signature::Md5Policy;
use serde_json::json;

use crate::support::{World, sample, to_source};

#[tokio::test]
async fn what_a_source_sends_is_queued_under_its_name_and_entity() {
    let queued = async |name: &str| {
        let world = World::new(Md5Policy::Refuse);
        let (status, body, _) = world.invoke(&sample(name)).await;
        assert_eq!((status, &body["status"]), (200, &json!("queued")), "{name}");
        let sent = world.queue.sent().remove(0);
        let message = Message::parse(&sent.body).unwrap();
        assert_eq!(body["id"], message.id);
        assert_eq!(world.console.types(), ["inbound.accepted"]);
        format!("{} {} {} {}", message.source, message.name, sent.group, sent.deduplication)
    };
    insta::assert_snapshot!(queued("external-200-fynd-order-placed").await, @"fynd application/order/placed/v1 fynd/1/FY4001 fynd/6f5e4d3c-0000-4000-8000-000000004001");
    insta::assert_snapshot!(queued("external-200-fynd-without-event-id").await, @"fynd application/shipment/update/v1 fynd/1/FY4003 fynd/sha256:00032cb1b5c93a6c6c1f7d766dbb80c7653f9a53b6fe0f31c0bfdd7b29373a1e");
    insta::assert_snapshot!(queued("external-200-github-pull-request").await, @"github pull_request/opened sha256:d7a6b2df824ba4bafa075b811afae99d63929caa629a0d7a92c733fe57f4cd02 github/5f0c9c1e-8d4e-4b6e-9d5f-000000004007");
    insta::assert_snapshot!(queued("external-200-github-push").await, @"github push sha256:d7a6b2df824ba4bafa075b811afae99d63929caa629a0d7a92c733fe57f4cd02 github/5f0c9c1e-8d4e-4b6e-9d5f-000000004008");
}

#[tokio::test]
async fn the_payload_of_a_source_travels_with_every_digit() {
    let world = World::new(Md5Policy::Refuse);
    world.invoke(&sample("external-200-fynd-base64-body")).await;
    let message = Message::parse(&world.queue.sent().remove(0).body).unwrap();
    assert!(message.payload.get().contains(r#""total":1499.500,"long":12345678901234567890123"#));
    assert_eq!(message.about().entity_ref.as_deref(), Some("FY4004"));
}

#[tokio::test]
async fn a_ping_is_answered_and_said_in_the_log() {
    for name in ["fynd-ping-unsigned", "fynd-ping-signed", "github-ping"] {
        let world = World::new(Md5Policy::Refuse);
        let (status, body, _) = world.invoke(&sample(&format!("external-200-{name}"))).await;
        assert_eq!((status, body), (200, json!({"status": "ping"})), "{name}");
        assert_eq!(world.console.types(), ["inbound.dropped"]);
        let source = name.split('-').next().unwrap();
        assert_eq!(world.console.entries()[0]["message.source"], source);
    }
}

#[tokio::test]
async fn a_refusal_of_a_source_says_nothing_of_its_reason_and_the_log_no_secret() {
    let mut answers = Vec::new();
    for name in ["altered-body", "missing-signature", "malformed-signature", "ping-forged"] {
        let world = World::new(Md5Policy::Refuse);
        answers.push(world.invoke(&sample(&format!("external-401-fynd-{name}"))).await.1);
        let logged = world.console.entries().pop().unwrap();
        assert_eq!((&logged["type"], &logged["message.source"]), (&json!("inbound.refused"), &json!("fynd")));
        assert!(!logged["error"].as_str().unwrap().is_empty());
        let signature = sample(&format!("external-401-fynd-{name}"))["headers"]["x-fp-signature"].clone();
        let hidden = ["development-secret", signature.as_str().unwrap_or("development-secret")];
        assert!(hidden.iter().all(|hidden| !logged.to_string().contains(hidden)), "{logged}");
    }
    let world = World::new(Md5Policy::Refuse);
    answers.push(world.invoke(&sample("webhook-401-forged")).await.1);
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn a_broken_document_is_503_told_once_and_harms_no_other() {
    let world = World::with_source("shop", "preset: fynd\nsecret: [hunter2]");
    for _ in 0..3 {
        let (status, body, headers) = world.invoke(&to_source("shop", json!({}), "{}")).await;
        assert_eq!((status, &body["code"], &headers["retry-after"]), (503, &json!("E_CONFIG"), &json!("5")));
    }
    let entries = world.console.entries();
    let told: Vec<_> = entries.iter().filter(|entry| entry["type"] == "configuration.problem").collect();
    assert_eq!((told.len(), &told[0]["parameter"]), (1, &json!("sources/shop")));
    assert!(!format!("{entries:?}").contains("hunter2"));
    assert_eq!(world.invoke(&sample("external-200-fynd-order-placed")).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn configuration_that_was_never_readable_is_503_for_sources_too() {
    let world = World::new(Md5Policy::Refuse);
    world.configuration.set_unreadable(true);
    let (status, body, _) = world.invoke(&sample("external-200-fynd-order-placed")).await;
    assert_eq!((status, &body["code"]), (503, &json!("E_CONFIG")));
}

#[tokio::test]
async fn keys_and_sources_are_read_only_by_the_webhooks_that_need_them() {
    let world = World::new(Md5Policy::Refuse);
    world.invoke(&sample("external-200-fynd-order-placed")).await;
    assert_eq!(
        (world.configuration.reads(), world.console.types()),
        (1, vec!["inbound.accepted".to_owned()])
    );
    world.invoke(&sample("webhook-200-fluent-signature")).await;
    assert_eq!(world.configuration.reads(), 2);
}

#[tokio::test]
async fn a_source_is_answered_as_its_document_says() {
    let shop = "{ auth: none-i-know-what-this-means, name: /type, answer: ";
    let answered = async |answer: &str| {
        let world = World::with_source("shop", &format!("{shop}{answer} }}"));
        let response = world.invoke_raw(&to_source("shop", json!({}), r#"{"type":"paid"}"#)).await;
        assert_eq!(world.queue.sent().len(), 1);
        format!("{} {} {}", response["statusCode"], response["headers"]["content-type"], response["body"])
    };
    insta::assert_snapshot!(answered("{ body: OK }").await, @r#"200 "text/plain; charset=utf-8" "OK""#);
    insta::assert_snapshot!(answered("{ status: 202, body: { received: true } }").await, @r#"202 "application/json" "{\"received\":true}""#);
    insta::assert_snapshot!(answered("{ status: 204 }").await, @r#"204 null """#);
    insta::assert_snapshot!(answered("{ status: 201 }").await, @r#"201 "application/json" "{\"id\":\"sha256:c86ea47436d5119fffcf2d38c2c21d76d48f3fc54bda70c856b69f4a9e046160\",\"status\":\"queued\"}""#);
}

#[tokio::test]
async fn a_missing_name_is_told_and_so_is_a_body_that_is_none() {
    let world = World::with_source("shop", "{ auth: none-i-know-what-this-means, name: /type }");
    let refused = async |body: &str| {
        let (status, answer, _) = world.invoke(&to_source("shop", json!({}), body)).await;
        format!("{status} {} {}", answer["code"], answer["message"])
    };
    insta::assert_snapshot!(refused("{}").await, @r#"400 "E_PAYLOAD" "there is no non-empty text or number at /type, where the event's name is looked for""#);
    insta::assert_snapshot!(refused("no").await, @r#"400 "E_PAYLOAD" "the body is not a JSON object or array""#);
}

#[tokio::test]
async fn a_body_is_told_whether_the_queue_or_its_source_is_too_small_for_it() {
    let world = World::new(Md5Policy::Refuse);
    let (_, answer, _) = world.invoke(&sample("external-413-larger-than-its-source-may-send")).await;
    insta::assert_snapshot!(answer["message"], @r#""the body is larger than its source may send""#);
    insta::assert_snapshot!(world.console.entries()[0]["error"], @r#""the body is larger than the 4096 bytes that its source may send""#);
    let (_, answer, _) = world.invoke(&to_source("partner", json!({}), &"x".repeat(1_048_577))).await;
    insta::assert_snapshot!(answer["message"], @r#""the event is larger than the queue takes""#);
}

#[tokio::test]
async fn an_event_that_sqs_does_not_confirm_is_kept_whole() {
    let world = World::new(Md5Policy::Refuse);
    world.queue.fail_next([true]);
    assert_eq!(world.invoke(&sample("external-200-fynd-order-placed")).await.0, 503);
    let entry = world.event_log.entries().remove(0);
    assert_eq!((&entry["type"], &entry["message.source"]), (&json!("inbound.unqueued"), &json!("fynd")));
    assert_eq!(entry["entity.ref"], "FY4001");
}

#[tokio::test]
async fn only_a_post_to_one_name_is_a_source() {
    let world = World::new(Md5Policy::Refuse);
    for name in ["", "fynd/", "fynd/more", "FYND", "%66ynd", "..%2Ffynd"] {
        let (status, body, _) = world.invoke(&to_source(name, json!({}), "{}")).await;
        assert_eq!((status, &body["code"]), (404, &json!("E_SOURCE")), "{name}");
    }
    let mut event = sample("external-200-fynd-order-placed");
    event["requestContext"]["http"]["method"] = json!("GET");
    assert_eq!(world.invoke(&event).await.0, 404);
}
