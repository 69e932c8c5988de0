//! Fluent's webhooks, and what no webhook is.

use connector::message::Message;
use connector::parameter::Section;
use connector::signature::Md5Policy;
use serde_json::{Value, json};

use crate::support::{World, events, refused_types, sample, signed};

#[tokio::test]
async fn every_sample_webhook_is_answered_as_its_name_says() {
    let mut seen = 0;
    for entry in std::fs::read_dir(events()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let rest = name.strip_prefix("webhook-").or_else(|| name.strip_prefix("external-"));
        let Some(rest) = rest else { continue };
        let md5 = if name.contains("md5-allowed") { Md5Policy::AllowAlone } else { Md5Policy::Refuse };
        let world = World::new(md5);
        let (status, body, headers) = world.invoke(&sample(name.trim_end_matches(".json"))).await;
        assert_eq!(
            Some(status),
            rest.split('-').next().and_then(|status| status.parse().ok()),
            "{name} {body}"
        );
        assert_eq!(headers["content-type"], "application/json");
        let queued = status == 200 && !name.contains("ping");
        assert_eq!(world.queue.sent().len(), usize::from(queued), "{name}");
        let code = match status {
            200 => Value::Null,
            400 => json!("E_PAYLOAD"),
            401 => json!("E_SIGNATURE"),
            403 => json!("E_ACCOUNT"),
            404 => json!("E_SOURCE"),
            413 => json!("E_TOO_LARGE"),
            _ => panic!("{name}: no code is expected for {status}"),
        };
        assert_eq!(body["code"], code, "{name}");
        assert_eq!(refused_types(&world).len(), usize::from(status != 200), "{name}");
        seen += 1;
    }
    assert!(seen >= 42, "{seen} sample webhooks");
}

#[tokio::test]
async fn an_accepted_webhook_is_queued_with_its_ids_and_trace() {
    let world = World::new(Md5Policy::Refuse);
    let (_, body, _) = world.invoke(&sample("webhook-200-both-signatures")).await;
    let id = "5f0c9c1e-8d4e-4b6e-9d5f-000000001001";
    assert_eq!(body, json!({"id": id, "status": "queued"}));
    let sent = world.queue.sent().remove(0);
    assert_eq!(sent.group, "fluent/ACME/ORDER/HD_1001");
    assert_eq!(sent.deduplication, format!("fluent/{id}"));
    assert_eq!(sent.trace.as_deref(), Some("Root=1-2-3;Sampled=1"));
    let message = Message::parse(&sent.body).unwrap();
    assert_eq!((message.id.as_str(), message.name.as_str()), (id, "OrderStatusChange"));
    let raw = sample("webhook-200-both-signatures");
    assert_eq!(message.payload.get(), raw["body"].as_str().unwrap());
    let accepted =
        world.console.entries().into_iter().find(|entry| entry["type"] == "inbound.accepted").unwrap();
    assert_eq!((&accepted["message.id"], &accepted["trace.id"]), (&json!(id), &json!("1-2-3")));
    assert!(world.event_log.entries().is_empty(), "no CloudWatch call on the request path");
}

#[tokio::test]
async fn the_trace_of_a_request_names_its_message() {
    let mut world = World::new(Md5Policy::Refuse);
    world.trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    world.queue.fail_next([false, true]);
    for status in [200, 503] {
        assert_eq!(world.invoke(&sample("webhook-200-both-signatures")).await.0, status);
    }
    let documents = world.tracer.documents();
    assert_eq!(documents.len(), 2);
    for document in &documents {
        assert_eq!(document["name"], "queue event");
        assert_eq!(document["trace_id"], "1-5759e988-bd862e3fe1be46a994272793");
        assert_eq!(document["parent_id"], "53995c3f42cd8ad8");
        let annotations = json!({
            "message_id": "5f0c9c1e-8d4e-4b6e-9d5f-000000001001",
            "message_name": "OrderStatusChange",
            "entity_ref": "HD_1001",
        });
        assert_eq!(document["annotations"], annotations);
    }
    assert_eq!((&documents[0]["fault"], &documents[1]["fault"]), (&Value::Null, &json!(true)));
    world.trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0";
    world.invoke(&sample("webhook-200-both-signatures")).await;
    assert_eq!(world.tracer.documents().len(), 2, "X-Ray keeps no such trace");
}

#[tokio::test]
async fn a_signature_refusal_says_nothing_of_its_reason() {
    let mut answers = Vec::new();
    for name in ["forged", "altered-body", "missing-signature", "malformed-signature", "duplicate-signature"]
    {
        let world = World::new(Md5Policy::Refuse);
        answers.push(world.invoke(&sample(&format!("webhook-401-{name}"))).await.1);
        let logged = world.console.entries().pop().unwrap();
        assert!(!logged["error"].as_str().unwrap().is_empty());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0]["requestId"], "request-1");
}

#[tokio::test]
async fn a_missing_field_is_named() {
    let world = World::new(Md5Policy::Refuse);
    let (_, body, _) = world.invoke(&sample("webhook-400-missing-field")).await;
    assert!(body["message"].as_str().unwrap().contains("entityRef"), "{body}");
}

#[tokio::test]
async fn header_names_are_looked_up_without_case_and_duplicates_are_refused() {
    let mut event = sample("webhook-200-fluent-signature");
    let signature = event["headers"]["fluent-signature"].take();
    event["headers"].as_object_mut().unwrap().remove("fluent-signature");
    event["headers"]["Fluent-Signature"] = signature;
    let world = World::new(Md5Policy::Refuse);
    assert_eq!(world.invoke(&event).await.0, 200);
}

#[tokio::test]
async fn a_body_that_the_queue_does_not_take_is_413_and_never_503() {
    let world = World::new(Md5Policy::Refuse);
    for filler in [1_048_576, 1_046_000] {
        let event = json!({
            "id": "e", "name": "n", "accountId": "ACME", "retailerId": "1", "entityId": "1", "entityRef": "r",
            "entityType": "ORDER", "attributes": {"x": "x".repeat(filler)},
        });
        let (status, body, _) = world.invoke(&signed(&event.to_string())).await;
        assert_eq!((status, &body["code"]), (413, &json!("E_TOO_LARGE")), "{filler}");
    }
    assert!(world.queue.sent().is_empty());
}

#[tokio::test]
async fn a_queue_that_does_not_confirm_is_503_and_the_whole_message_is_kept() {
    let world = World::new(Md5Policy::Refuse);
    world.queue.fail_next([true]);
    let (status, body, headers) = world.invoke(&sample("webhook-200-fluent-signature")).await;
    assert_eq!((status, &body["code"], &headers["retry-after"]), (503, &json!("E_QUEUE"), &json!("5")));
    let entry = world.event_log.entries().remove(0);
    assert_eq!((&entry["type"], world.event_log.flushed()), (&json!("inbound.unqueued"), 1));
    let message = Message::parse(entry["message.body"].as_str().unwrap()).unwrap();
    assert_eq!(message.id, entry["message.id"]);
}

#[tokio::test]
async fn without_any_key_every_request_is_refused_and_an_error_is_logged() {
    let world = World::new(Md5Policy::Refuse);
    world.configuration.remove(Section::Keys, "development");
    world.configuration.remove(Section::Keys, "broken");
    assert_eq!(world.invoke(&sample("webhook-200-fluent-signature")).await.0, 401);
    let errors: Vec<_> = world.console.entries().iter().map(|entry| entry["error"].to_string()).collect();
    assert!(errors.iter().any(|error| error.contains("no usable public key")), "{errors:?}");
    assert!(world.event_log.entries().is_empty(), "nobody uses Fluent's path here");
}

#[tokio::test]
async fn another_path_or_method_is_404() {
    for (path, method) in
        [("/api/v1/fluent-connect/other", "POST"), ("/api/v1/fluent-connect/webhook", "GET")]
    {
        let mut event = sample("webhook-200-fluent-signature");
        event["rawPath"] = json!(path);
        event["requestContext"]["http"]["path"] = json!(path);
        event["requestContext"]["http"]["method"] = json!(method);
        let world = World::new(Md5Policy::Refuse);
        let (status, body, _) = world.invoke(&event).await;
        assert_eq!((status, &body["code"]), (404, &json!("E_SOURCE")), "{method} {path}");
    }
}
