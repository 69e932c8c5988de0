//! `render`: what a route makes of an event.

use crate::{folder, run};

fn event(name: &str) -> String {
    folder("").trim_end_matches("folders/").to_owned() + "events/" + name
}

/// The output without what changes from run to run.
fn rendered(arguments: &[&str]) -> (i32, String) {
    let (event, folder) = (event("shipped.json"), folder("render"));
    let all = [&["render", &event, &folder], arguments].concat();
    let ran = run(&all);
    let steady: Vec<_> = ran.out.lines().filter(|line| !line.contains("webhook-timestamp")).collect();
    (ran.code, steady.join("\n") + &ran.err)
}

#[test]
fn the_exact_requests_are_shown_and_no_secret() {
    let (data, answer) = (event("data.json"), event("answer.json"));
    let (code, out) = rendered(&["--data", &data, "--answer", &answer]);
    assert!(code == 0 && !out.contains("MARKED"), "{out}");
    insta::assert_snapshot!(out, @r#"
    # book
    POST https://fluent.example/graphql
    content-type: application/json
    accept: application/json
    authorization: ***

    {"query":"query($id: ID!) { fulfilmentById(id: $id) { ref } }","variables":{"id":"12"}}

    POST https://carrier.example/shipments/F%201?key=***
    x-tenant: ***
    content-type: application/json
    webhook-id: msg_179760b2d6cef402c7eebfd780e1e09c
    authorization: ***

    {"ref": "F_1", "to": null}

    POST https://fluent.example/api/v4.1/event/async
    content-type: application/json
    accept: application/json
    authorization: ***

    {"name":"CarrierBooked","entityType":"FULFILMENT","entityId":"12","entityRef":"F 1","retailerId":"1","attributes":{"number":42}}
    "#);
}

#[test]
fn a_subscription_shows_what_its_receiver_would_get() {
    let (code, out) = rendered(&["--route", "subscriptions/bi"]);
    assert!(code == 0 && !out.contains("MARKED") && !out.contains("whsec_"), "{out}");
    for line in [
        "POST https://bi.example/hooks",
        "content-type: application/json",
        "webhook-topic: fluent/",
        "webhook-subscription: bi",
        "webhook-signature: ***",
        "ce-source: /fluent-connect/fluent",
    ] {
        assert!(out.lines().any(|shown| shown.starts_with(line)), "{line}: {out}");
    }
}

#[test]
fn what_is_missing_is_told() {
    let (code, out) = rendered(&[]);
    assert_eq!(code, 1);
    insta::assert_snapshot!(out, @"
    # book
    the route fetches: say --data with what the query is answered
    ");
    let answer = event("answer.json");
    let (code, out) = rendered(&["--data", &answer]);
    assert_eq!(code, 1);
    assert!(out.contains("payload of routes/book: line 1: `data.fulfilmentById` is undefined"), "{out}");
    assert_eq!(rendered(&["--route", "nope"]).0, 2);
    let missing = run(&["render", "/nonexistent.json", &folder("render")]);
    assert_eq!(missing.code, 2);
    insta::assert_snapshot!(missing.err, @"error: /nonexistent.json cannot be read: No such file or directory (os error 2)");
    let unwanted = run(&["render", &answer, &folder("render")]);
    insta::assert_snapshot!(unwanted.err, @r#"error: the event has no "id""#);
}

#[test]
fn an_event_without_a_payload_goes_byte_for_byte() {
    let folder_of = tempfile::tempdir().unwrap();
    let path = |name: &str| folder_of.path().join(name).to_str().unwrap().to_owned();
    for (name, text) in
        [("endpoints/shop", "https://shop.example"), ("routes/all", "message: \"*\"\nendpoint: shop")]
    {
        std::fs::create_dir(path(name.split('/').next().unwrap())).unwrap();
        std::fs::write(path(name), text).unwrap();
    }
    let event = r#"{"id": 7, "name": "A",  "n": 12345678901234567890123.450, "k": {"$serde_json::private::RawValue": "{}"}}"#;
    std::fs::write(path("event.json"), event).unwrap();
    let ran = run(&["render", &path("event.json"), &path("")]);
    assert!(ran.code == 0 && ran.out.contains(event), "{}{}", ran.out, ran.err);
}

#[test]
fn a_route_with_a_schedule_is_for_no_event() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("routes")).unwrap();
    std::fs::write(folder.path().join("routes/nightly"), "handler: ignore\nschedule: manual\n").unwrap();
    let ran = run(&["render", &event("shipped.json"), folder.path().to_str().unwrap(), "--route", "nightly"]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.out, @"
    # nightly
    no event is for it: it has a schedule, and `connector jobs run nightly` starts it
    ");
}
