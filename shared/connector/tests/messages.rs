//! Events and messages: required fields, the envelope's round trip, SQS's ids.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use connector::event::{EventError, FluentEvent};
use connector::keys::PublicKey;
use connector::message::{
    MAX_MESSAGE_BYTES, Message, MessageError, RESERVED_BYTES, group_of, group_of_notification,
};
use connector::notification::Notification;
use connector::signature::{Md5Policy, SignatureHeaders, Verifier};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Runs `check` on the event of a body that is signed first: there is no other way to an event.
fn with_event<T>(body: &str, check: impl FnOnce(Result<FluentEvent<'_>, EventError>) -> T) -> T {
    let keys = [Arc::new(PublicKey::parse(testkit::signing::DEVELOPMENT_PUBLIC_KEY).unwrap())];
    let signature = testkit::signing::sign_sha512(body.as_bytes());
    let headers = SignatureHeaders { fluent: vec![signature.as_bytes()], flex: vec![] };
    let verified = Verifier::new(&keys, Md5Policy::Refuse).verify(body.as_bytes(), &headers).unwrap();
    check(FluentEvent::from_verified(&verified))
}

fn event() -> Value {
    json!({
        "id": "e1", "name": "OrderStatusChange", "accountId": "ACME", "retailerId": "1",
        "entityId": "123", "entityRef": "0_123", "entityType": "ORDER",
    })
}

fn message(body: &str) -> Message {
    with_event(body, |event| Message::from_fluent(&event.unwrap(), Timestamp::UNIX_EPOCH).unwrap())
}

fn group(changes: &Value) -> String {
    let mut event = event();
    event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    with_event(&event.to_string(), |event| group_of(&event.unwrap()))
}

#[test]
fn a_required_field_has_to_be_a_non_empty_string_or_a_number() {
    for field in ["id", "name", "accountId", "retailerId", "entityId", "entityRef", "entityType"] {
        for bad in [Value::Null, json!(""), json!(true), json!({}), json!(["x"])] {
            let mut event = event();
            event[field] = bad;
            with_event(&event.to_string(), |event| {
                assert!(
                    matches!(event, Err(EventError::Field { field: named }) if named == field),
                    "{event:?}"
                );
            });
        }
        let mut event = event();
        event[field] = json!(42);
        with_event(&event.to_string(), |event| assert!(event.is_ok()));
        let mut absent = self::event();
        absent.as_object_mut().unwrap().remove(field);
        with_event(&absent.to_string(), |event| assert!(matches!(event, Err(EventError::Field { .. }))));
    }
}

#[test]
fn what_is_not_one_json_object_is_not_an_event() {
    let array = Value::Array(event().as_object().unwrap().values().cloned().collect()).to_string();
    let twice = event().to_string().replacen('{', "{\"accountId\":\"OTHER\",", 1);
    for body in ["", "null", "\"text\"", "{", "{}{}", "\u{feff}{}", &array, &twice] {
        with_event(body, |event| assert!(matches!(event, Err(EventError::NotJson(_))), "{body} {event:?}"));
    }
}

#[test]
fn the_payload_keeps_every_byte_but_those_that_sqs_refuses() {
    let body = event().to_string().replacen(
        '{',
        "{ \"n\": 12345678901234567890.100, \"t\": \"a\u{fffe}\u{ffff}\u{1f4e6}\",\n",
        1,
    );
    let message = message(&body);
    let expected = body.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff");
    assert_eq!(message.payload.get(), body);
    let out = message.outgoing("g".to_owned(), None).unwrap();
    assert!(!out.body.contains(['\u{fffe}', '\u{ffff}']));
    assert_eq!(Message::parse(&out.body).unwrap().payload.get(), expected);
    let (given, kept): (Value, Value) =
        (serde_json::from_str(&body).unwrap(), serde_json::from_str(&expected).unwrap());
    assert_eq!(given, kept);
}

#[test]
fn no_field_carries_what_sqs_refuses() {
    let mut event = event();
    event["id"] = json!("e\u{ffff}");
    event["name"] = json!("n\u{fffe}");
    let out = message(&event.to_string()).outgoing("g".to_owned(), None).unwrap();
    assert!(!out.body.contains(['\u{fffe}', '\u{ffff}']));
    assert_eq!(Message::parse(&out.body).unwrap().id, "e\u{ffff}");
}

#[test]
fn a_number_keeps_its_digits_in_the_event_log() {
    let mut event = event();
    event["entityRef"] = json!(0);
    let body = event
        .to_string()
        .replace("\"entityRef\":0", "\"entityRef\":123456789012345678901234567890,\"x\":1e999");
    let about = message(&body).about();
    assert_eq!(about.entity_ref.as_deref(), Some("123456789012345678901234567890"));
    assert_eq!(about.account_id.as_deref(), Some("ACME"));
}

#[test]
fn what_belongs_to_an_order_names_it_and_the_order_itself_does_not() {
    let root_of = |root: &str| {
        let mut event = event();
        event["entityRef"] = json!("HD_1-1");
        event["rootEntityRef"] = json!(root);
        message(&event.to_string()).about().root_ref
    };
    assert_eq!(root_of("HD_1").as_deref(), Some("HD_1"));
    assert_eq!(root_of("HD_1-1"), None);
}

#[test]
fn the_group_is_the_root_entity_or_the_entity() {
    assert_eq!(group(&json!({})), "fluent/ACME/ORDER/0_123");
    assert_eq!(
        group(&json!({"rootEntityType": "ORDER", "rootEntityRef": "R", "entityType": "FULFILMENT"})),
        "fluent/ACME/ORDER/R"
    );
    assert_eq!(group(&json!({"rootEntityType": "ORDER"})), "fluent/ACME/ORDER/0_123");
}

#[test]
fn ids_outside_the_limits_of_sqs_are_hashed_and_stay_apart() {
    let long = "x".repeat(200);
    let hashed = [
        group(&json!({"entityRef": "a b"})),
        group(&json!({"entityRef": "ä"})),
        group(&json!({"entityRef": long})),
        group(&json!({"entityRef": format!("{long}y")})),
        group(&json!({"entityType": "A", "entityRef": "B/C"})),
        group(&json!({"entityType": "A/B", "entityRef": "C"})),
    ];
    for (n, id) in hashed.iter().enumerate() {
        assert!(id.starts_with("sha256:") && id.len() == 71, "{id}");
        assert!(!hashed[..n].contains(id), "{id}");
    }
}

#[test]
fn a_message_larger_than_the_queue_takes_is_refused() {
    let mut large = event();
    large["attributes"] = json!({"x": "x".repeat(MAX_MESSAGE_BYTES)});
    let result = message(&large.to_string()).outgoing("g".to_owned(), None);
    assert!(matches!(result, Err(MessageError::TooLarge { .. })));
}

#[test]
fn the_largest_message_that_is_received_can_be_split() {
    let sized = |filler: usize| {
        let mut event = event();
        event["attributes"] = json!({"x": "x".repeat(filler)});
        message(&event.to_string())
    };
    let overhead = sized(0).outgoing("g".to_owned(), None).unwrap().body.len();
    let largest = MAX_MESSAGE_BYTES - RESERVED_BYTES - overhead;
    assert!(sized(largest + 1).outgoing("g".to_owned(), None).is_err());
    let received = sized(largest);
    assert!(received.outgoing("g".to_owned(), None).is_ok());
    assert!(received.for_route(&"r".repeat(1_011)).outgoing("g".to_owned(), None).is_ok());
}

#[test]
fn what_is_not_a_message_is_refused_by_cause() {
    let good: Value =
        serde_json::from_str(&message(&event().to_string()).outgoing("g".into(), None).unwrap().body)
            .unwrap();
    let changed = |key: &str, value: Value| {
        let mut changed = good.clone();
        changed[key] = value;
        Message::parse(&changed.to_string())
    };
    assert!(matches!(Message::parse("{"), Err(MessageError::Malformed(_))));
    assert!(matches!(Message::parse("[]"), Err(MessageError::Malformed(_))));
    assert!(matches!(changed("version", json!(2)), Err(MessageError::Version { version: 2 })));
    assert!(matches!(changed("version", json!("1")), Err(MessageError::Field { name: "version", .. })));
    for field in ["id", "name", "source"] {
        assert!(
            matches!(changed(field, json!("")), Err(MessageError::Empty { field: named }) if named == field)
        );
        assert!(matches!(changed(field, json!(1)), Err(MessageError::Field { name, .. }) if name == field));
    }
    assert!(matches!(
        changed("receivedAt", json!("yesterday")),
        Err(MessageError::Field { name: "receivedAt", .. })
    ));
}

proptest! {
    #[test]
    fn the_envelope_keeps_unknown_fields(
        id in "\\PC{1,40}", name in "\\PC{1,40}", route in prop::option::of("[a-z-]{1,20}"),
        unknown in prop::collection::btree_map("x[a-z]{1,8}", any::<i64>(), 0..5), number in "[0-9]{1,40}",
    ) {
        let mut envelope = json!({
            "version": 1, "id": id, "name": name, "source": "fluent", "receivedAt": "2026-11-20T08:30:00Z", "payload": 0,
        });
        let fields = envelope.as_object_mut().unwrap();
        fields.extend(unknown.iter().map(|(key, value)| (key.clone(), json!(value))));
        fields.extend(route.map(|route| ("route".to_owned(), json!(route))));
        let text = envelope.to_string().replace("\"payload\":0", &format!("\"payload\":{{\"n\":1{number}.5}}"));
        let written = Message::parse(&text).unwrap().outgoing("g".to_owned(), None).unwrap();
        prop_assert!(written.body.contains(&format!("{{\"n\":1{number}.5}}")), "{}", written.body);
        let (given, kept): (Value, Value) = (serde_json::from_str(&text).unwrap(), serde_json::from_str(&written.body).unwrap());
        prop_assert_eq!(given, kept);
        prop_assert!(written.deduplication.len() <= 128 && written.deduplication.bytes().all(|byte| byte.is_ascii_graphic()));
    }

    #[test]
    fn no_body_makes_the_reader_panic(body in "\\PC{0,100}") {
        let _ = Message::parse(&body);
    }
}

fn notified(body: &str) -> (Message, String) {
    let notification = Notification::read(body).unwrap();
    let name = notification.plain_name();
    let message = Message::from_commercetools(&notification, name, Timestamp::UNIX_EPOCH).unwrap();
    let group = group_of_notification(&notification, &message);
    (message, group)
}

#[test]
fn a_commercetools_message_says_what_it_is_about_and_what_it_waits_for() {
    let body = r#"{"notificationType":"Message","projectKey":"shop","sequenceNumber":2,"type":"OrderCreated",
        "resource":{"typeId":"order","id":"o-1"},"resourceUserProvidedIdentifiers":{"orderNumber":"HD_1"}}"#;
    let (message, group) = notified(body);
    let sent = message.outgoing(group, None).unwrap();
    assert_eq!(
        (sent.group.as_str(), sent.deduplication.as_str()),
        ("commercetools/shop/order/o-1", "commercetools/o-1.2")
    );
    let read = Message::parse(&sent.body).unwrap();
    assert_eq!(
        (read.name.as_str(), read.source.as_str()),
        ("commercetools.order.OrderCreated", "commercetools")
    );
    assert_eq!(read.payload.get(), body);
    let about = read.about();
    assert_eq!(
        (about.entity_type.as_deref(), about.entity_ref.as_deref(), about.account_id.as_deref()),
        (Some("order"), Some("HD_1"), Some("shop"))
    );
    let unnamed = notified(&body.replace("orderNumber", "slug")).0.about();
    assert_eq!(unnamed.entity_ref.as_deref(), Some("o-1"), "the resource's id where it has no name");
}

#[test]
fn a_notification_that_says_little_is_known_again_by_its_bytes() {
    let (message, group) = notified(r#"{"notificationType":"ResourceArchived"}"#);
    let (again, _) = notified(r#"{"notificationType":"ResourceArchived"}"#);
    let (other, other_group) = notified(r#"{"notificationType":"ResourceArchived" }"#);
    assert!(message.id.starts_with("sha256:"), "{}", message.id);
    assert_eq!(message.id, again.id);
    assert_ne!((message.id, group), (other.id, other_group), "it waits for nobody");
}
