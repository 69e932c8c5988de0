//! Other systems' requests: signed by others, damaged, replayed, and what is read of them.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connector::message::{Message, group_of_source_event};
use connector::source::{Content, ProofError, Request, Source, SourceEvent, SourceEventError};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize, Clone, Debug)]
struct Vector {
    maker: String,
    document: String,
    headers: std::collections::BTreeMap<String, String>,
    body: String,
    now: i64,
}

impl Vector {
    fn source(&self) -> Source {
        Source::parse("shop", &self.document).unwrap_or_else(|error| panic!("{}: {error}", self.document))
    }

    fn body(&self) -> Vec<u8> {
        STANDARD.decode(&self.body).unwrap()
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.now).unwrap()
    }

    fn prove(&self, body: &[u8], headers: &HeaderMap) -> Result<(), ProofError> {
        self.source().prove(Request { headers, body }, self.now()).map(drop)
    }

    /// The header that holds the signature, where there is one.
    fn signature(&self) -> Option<(&str, &str)> {
        let is = |name: &str| name.ends_with("signature") || name.contains("hmac") || name.contains("mac");
        let mut headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        headers.find(|(name, _)| is(name) || name.contains("hub-signature"))
    }
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("vectors/sources.json")).unwrap()
}

fn headers<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> HeaderMap {
    let pair = |(name, value): (&str, &str)| {
        (HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap())
    };
    pairs.into_iter().map(pair).collect()
}

fn of(vector: &Vector) -> HeaderMap {
    headers(vector.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

fn source(document: &str) -> Source {
    Source::parse("shop", document).unwrap_or_else(|error| panic!("{document}: {error}"))
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// What a source that asks for no proof reads of a request.
fn read<T>(
    keys: &str,
    headers: &HeaderMap,
    body: &str,
    check: impl FnOnce(Result<Content<'_>, SourceEventError>) -> T,
) -> T {
    let source = source(&format!("auth: none-i-know-what-this-means\n{keys}"));
    let request = Request { headers, body: body.as_bytes() };
    check(source.prove(request, Timestamp::UNIX_EPOCH).unwrap().content())
}

/// The same of a preset's document, which is spelled out without its proof.
fn read_by_preset<T>(
    preset: &str,
    headers: &HeaderMap,
    body: &str,
    check: impl FnOnce(SourceEvent<'_>) -> T,
) -> T {
    let presets: Value = serde_saphyr::from_str(connector::source::PRESETS).unwrap();
    let mut document = presets[preset].clone();
    document["auth"] = json!(connector::source::NOTHING);
    let source = source(&document.to_string());
    let proven = source.prove(Request { headers, body: body.as_bytes() }, Timestamp::UNIX_EPOCH).unwrap();
    match proven.content().unwrap() {
        Content::Event(event) => check(event),
        Content::Ping => panic!("{body} is a ping"),
    }
}

#[test]
fn requests_signed_by_others_are_proven() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 33);
    for vector in vectors {
        assert_eq!(
            vector.prove(&vector.body(), &of(&vector)),
            Ok(()),
            "{} {}",
            vector.maker,
            vector.document
        );
    }
}

#[test]
fn a_request_without_its_proof_is_refused() {
    for vector in vectors() {
        let proven = vector.prove(&vector.body(), &HeaderMap::new());
        assert!(matches!(proven, Err(ProofError::Missing { .. })), "{}: {proven:?}", vector.document);
    }
}

#[test]
fn a_proof_of_one_source_is_none_of_another() {
    let vectors = vectors();
    for vector in &vectors {
        for other in vectors.iter().filter(|other| other.document != vector.document) {
            // The same secret, header and algorithm in another spelling are the same proof.
            if other.prove(&vector.body(), &of(vector)).is_ok() {
                assert_eq!(other.headers, vector.headers, "{} {}", other.document, vector.document);
            }
        }
    }
}

#[test]
fn a_damaged_header_never_panics_and_never_proves() {
    for vector in vectors().into_iter().filter(|vector| vector.signature().is_some()) {
        let (name, value) = vector.signature().unwrap();
        let cut = value.get(..value.len() - 1).unwrap();
        for damaged in ["", " ", ",", "=", "v1,", "t=1", "sha256=", "\u{e4}", cut, &value.replace('=', "")] {
            let mut headers = of(&vector);
            headers.insert(
                HeaderName::try_from(name).unwrap(),
                HeaderValue::from_bytes(damaged.as_bytes()).unwrap(),
            );
            if damaged != value {
                assert!(vector.prove(&vector.body(), &headers).is_err(), "{damaged:?} {}", vector.document);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn flip_any_bit_of_a_signed_body_and_it_is_refused(which in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>()) {
        let signed: Vec<_> = vectors().into_iter().filter(|vector| vector.signature().is_some()).collect();
        let vector = which.get(&signed);
        let mut body = vector.body();
        let bit = bit.index(body.len() * 8);
        body[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(vector.prove(&body, &of(vector)), Err(ProofError::Wrong));
    }

    #[test]
    fn flip_any_bit_of_a_mac_and_it_is_refused(bit in 0..256_usize) {
        let mut tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"hush"), b"{}").as_ref().to_vec();
        tag[bit / 8] ^= 1 << (bit % 8);
        let source = source("{ preset: shopify, secrets: [hush] }");
        let headers = headers([("x-shopify-hmac-sha256", STANDARD.encode(&tag).as_str())]);
        let proven = source.prove(Request { headers: &headers, body: b"{}" }, Timestamp::UNIX_EPOCH).map(drop);
        prop_assert_eq!(proven, Err(ProofError::Wrong));
    }

    #[test]
    fn whoever_knows_one_of_the_secrets_is_heard(secrets in prop::collection::vec("[!-~]{1,40}", 1..4), which in any::<prop::sample::Index>(), body in prop::collection::vec(any::<u8>(), 0..200)) {
        let source = source(&json!({ "preset": "shopify", "secrets": secrets }).to_string());
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, which.get(&secrets).as_bytes()), &body);
        let headers = headers([("x-shopify-hmac-sha256", STANDARD.encode(tag).as_str())]);
        let proven = source.prove(Request { headers: &headers, body: &body }, Timestamp::UNIX_EPOCH).is_ok();
        prop_assert!(proven);
    }

    #[test]
    fn no_request_makes_a_panic(which in any::<prop::sample::Index>(), value in "[ -~]{0,60}", body in prop::collection::vec(any::<u8>(), 0..60)) {
        let signed: Vec<_> = vectors().into_iter().filter(|vector| vector.signature().is_some()).collect();
        let vector = which.get(&signed);
        let (name, _) = vector.signature().unwrap();
        let mut headers = of(vector);
        headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_str(&value).unwrap());
        prop_assert!(vector.prove(&body, &headers).is_err());
    }
}

#[test]
fn a_line_break_behind_a_pasted_secret_is_no_part_of_it_and_a_space_in_quotes_is() {
    let of =
        |secret: &str| hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), b"{}").as_ref());
    let basic = format!("Basic {}", STANDARD.encode("me:hush"));
    for (document, name, value) in [
        ("preset: fynd\nsecrets:\n  - |\n    hush\n", "x-fp-signature", of("hush")),
        ("{ preset: fynd, secrets: [\"hush\\r\\n\"] }", "x-fp-signature", of("hush")),
        ("{ preset: fynd, secrets: [\" hush \"] }", "x-fp-signature", of(" hush ")),
        ("{ auth: { type: basic, username: me, secrets: [\"hush\\n\"] }, name: x }", "authorization", basic),
        (
            "{ auth: { type: bearer, secrets: [\"hush\\n\"] }, name: x }",
            "authorization",
            "Bearer hush".to_owned(),
        ),
    ] {
        let headers = headers([(name, value.as_str())]);
        let source = source(document);
        let proven =
            source.prove(Request { headers: &headers, body: b"{}" }, Timestamp::UNIX_EPOCH).map(drop);
        assert_eq!(proven, Ok(()), "{document:?}");
    }
}

#[test]
fn a_timestamp_has_to_be_near_in_both_directions() {
    let timed = vectors().into_iter().filter(|vector| {
        ["stripe", "standard-webhooks", "timestamp"].iter().any(|kind| vector.document.contains(kind))
    });
    let mut seen = 0;
    for vector in timed {
        for (seconds, near) in
            [(0, true), (300, true), (-300, true), (301, false), (-301, false), (i64::MAX / 4, false)]
        {
            let Ok(now) = vector.now().checked_add(SignedDuration::from_secs(seconds)) else { continue };
            let (headers, body) = (of(&vector), vector.body());
            let source = vector.source();
            let proven = source.prove(Request { headers: &headers, body: &body }, now).map(drop);
            let expected = if near { Ok(()) } else { Err(ProofError::Untimely { seconds }) };
            assert_eq!(proven, expected, "{seconds} {}", vector.document);
        }
        seen += 1;
    }
    assert_eq!(seen, 7);
}

#[test]
fn a_timestamp_that_is_none_is_refused() {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"hush");
    let source = source("{ preset: stripe, secrets: [hush] }");
    for time in ["", "x", "1e3", "-", "99999999999999999999", "9223372036854775807"] {
        let signature = hex(hmac::sign(&key, format!("{time}.{{}}").as_bytes()).as_ref());
        let headers = headers([("stripe-signature", format!("t={time},v1={signature}").as_str())]);
        let proven =
            source.prove(Request { headers: &headers, body: b"{}" }, Timestamp::UNIX_EPOCH).map(drop);
        assert_eq!(proven, Err(ProofError::NoTimestamp), "{time:?}");
    }
    let vector = vectors().into_iter().find(|vector| vector.maker.starts_with("stripe")).unwrap();
    let twice = format!("t=1,{}", vector.headers["stripe-signature"]);
    let proven = vector.prove(&vector.body(), &headers([("stripe-signature", twice.as_str())]));
    assert_eq!(proven, Err(ProofError::NoTimestamp), "which of the two is meant?");
}

#[test]
fn no_debug_shows_a_secret() {
    for vector in vectors() {
        let (source, headers) = (vector.source(), of(&vector));
        let body = vector.body();
        let proven = source.prove(Request { headers: &headers, body: &body }, vector.now()).unwrap();
        assert!(!format!("{source:?} {:?}", proven.source()).contains("hush"), "{source:?}");
        let shown = format!("{proven:?} {:?}", proven.request());
        for value in vector.headers.values() {
            assert!(!shown.contains(value.as_str()), "a header may be the secret itself: {shown}");
        }
    }
}

#[test]
fn a_body_has_to_be_an_object_or_an_array() {
    let none = HeaderMap::new();
    for body in ["", "5", "\"x\"", "null", "{", "{} {}", "\u{feff}{}"] {
        read("name: constant", &none, body, |read| {
            assert!(matches!(read, Err(SourceEventError::NotJson(_))), "{body}: {read:?}");
        });
    }
    for body in ["[]", " {} ", "[{\"a\":1}]"] {
        read("name: constant", &none, body, |read| assert!(matches!(read, Ok(Content::Event(_))), "{body}"));
    }
}

#[test]
fn a_missing_name_tells_where_it_was_looked_for() {
    read("name: [/type, \"header:x-type\"]", &HeaderMap::new(), "{}", |read| {
        insta::assert_snapshot!(read.unwrap_err(), @"there is no non-empty text or number at /type or header:x-type, where the event's name is looked for");
    });
}

#[test]
fn the_first_id_that_is_there_counts_and_without_any_the_body_is_known_by_its_bytes() {
    let keys = "name: constant\nid: [/a/id, \"header:x-id\"]";
    let id = |headers: &HeaderMap, body: &str| {
        read(keys, headers, body, |read| match read.unwrap() {
            Content::Event(event) => event.id,
            Content::Ping => panic!("no ping"),
        })
    };
    let (none, sent) = (HeaderMap::new(), headers([("x-id", "h")]));
    assert_eq!(id(&sent, r#"{"a":{"id":12345678901234567890123}}"#), "12345678901234567890123");
    assert_eq!(id(&sent, r#"{"a":{"id":""}}"#), "h");
    assert_eq!(id(&none, "{}"), "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    assert_ne!(id(&none, "{}"), id(&none, "{} "));
}

#[test]
fn order_is_kept_by_entity_and_an_event_without_one_waits_for_nobody() {
    let group = |keys: &str, body: &str| {
        read(&format!("name: constant\nid: /id\n{keys}"), &HeaderMap::new(), body, |read| {
            match read.unwrap() {
                Content::Event(event) => group_of_source_event(&event),
                Content::Ping => panic!("no ping"),
            }
        })
    };
    let body = r#"{"id":"1","order":{"number":"A/7","n":7},"kind":"order","shop":"north"}"#;
    assert_eq!(group("entity: /order/n", body), "shop//7");
    assert_eq!(group("entity: { type: order, ref: /order/n }\naccount: /shop", body), "shop/north/7");
    assert_eq!(group("entity: { type: /kind, ref: [/x, /order/n] }", body), "shop//7");
    assert!(group("entity: /order/number", body).starts_with("sha256:"), "a slash would part it otherwise");
    for nothing in ["", "entity: /x", "entity: { type: /x, ref: /order/n }"] {
        assert_eq!(group(nothing, body), "shop/1", "{nothing}");
    }
}

#[test]
fn a_message_carries_what_it_is_about_and_its_payload_as_it_came() {
    let body = r#" {"id":1.50,"order":{"n":7},"accountId":"ACME","entityRef":"other"} "#;
    let keys = "name: paid\nid: /id\nentity: { type: order, ref: /order/n }";
    read(keys, &HeaderMap::new(), body, |read| {
        let Content::Event(event) = read.unwrap() else { panic!("no ping") };
        let message = Message::from_source(&event, Timestamp::UNIX_EPOCH).unwrap();
        let outgoing = message.outgoing(group_of_source_event(&event), None).unwrap();
        insta::assert_snapshot!(outgoing.body, @r#"{"version":1,"id":"1.50","name":"paid","source":"shop","receivedAt":"1970-01-01T00:00:00Z","payload":{"id":1.50,"order":{"n":7},"accountId":"ACME","entityRef":"other"},"about":{"entityType":"order","entityRef":"7"}}"#);
        assert_eq!(outgoing.deduplication, "shop/1.50");
        let read = Message::parse(&outgoing.body).unwrap();
        assert_eq!((read.about(), read.for_route("r").about()), (message.about(), message.about()));
        assert_eq!(
            read.about().account_id,
            None,
            "a field of the payload is no account unless the document says so"
        );
    });
}

#[test]
fn a_ping_is_known_and_may_lack_a_proof_only_where_the_document_says_so() {
    let (none, body) = (HeaderMap::new(), br#"{"event":{"name":"ping"}}"#);
    let takes = |document: &str, headers: &HeaderMap, body: &[u8]| {
        let source = source(document);
        let request = Request { headers, body };
        let error = source.prove(request, Timestamp::UNIX_EPOCH).map(drop).unwrap_err();
        source.takes_unproven_ping(&request, &error)
    };
    let fynd = "{ preset: fynd, secrets: [hush] }";
    assert!(takes(fynd, &none, body));
    assert!(!takes(fynd, &headers([("x-fp-signature", "00")]), body), "a wrong proof is refused");
    assert!(!takes(fynd, &headers([("x-fp-signature", "")]), body), "and so is an empty one");
    assert!(!takes(fynd, &none, br#"{"event":{"name":"order"}}"#));
    assert!(!takes(fynd, &none, b"ping"));
    assert!(!takes("{ preset: github, secrets: [hush] }", &headers([("x-github-event", "ping")]), body));
    let standard = "{ preset: standard-webhooks, secrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD], ping: { at: /event/name, equals: ping, unsigned: true } }";
    assert!(takes(standard, &none, body));
    let signature = ("webhook-signature", "v1,AAAA");
    for lonely in [vec![signature], vec![signature, ("webhook-id", "msg_1")]] {
        assert!(!takes(standard, &headers(lonely.clone()), body), "a signature without the rest: {lonely:?}");
    }
    read(
        "name: constant\nping: { at: /event/name, equals: ping }",
        &none,
        r#"{"event":{"name":"ping"}}"#,
        |read| {
            assert_eq!(read.unwrap(), Content::Ping);
        },
    );
}

#[test]
fn every_preset_reads_what_its_system_sends() {
    let told = |preset: &str, sent: &[(&str, &str)], body: &Value| {
        read_by_preset(preset, &headers(sent.iter().copied()), &body.to_string(), |event| {
            let about = event.about.clone();
            let about =
                [about.account_id, about.entity_type, about.entity_ref].map(Option::unwrap_or_default);
            format!("{} | {} | {}", event.name, event.id, about.join(" "))
        })
    };
    let event =
        json!({"category": "application", "name": "shipment", "type": "update", "version": "1", "id": "e1"});
    let fynd = json!({"company_id": 1, "event": event, "payload": {"shipment": {"shipment_id": "S1", "order_id": "FY1"}}});
    insta::assert_snapshot!(told("fynd", &[("x-fp-event-id", "h")], &fynd), @"application/shipment/update/v1 | e1 | 1 shipment S1");
    let github = [("x-github-delivery", "d1"), ("x-github-event", "pull_request")];
    let repository = json!({"action": "opened", "repository": {"full_name": "example/shop"}});
    insta::assert_snapshot!(told("github", &github, &repository), @"pull_request/opened | d1 |  repository example/shop");
    insta::assert_snapshot!(told("github", &github, &json!({})), @"pull_request | d1 |");
    let shopify = [
        ("x-shopify-topic", "orders/paid"),
        ("x-shopify-webhook-id", "w1"),
        ("x-shopify-event-id", "e1"),
        ("x-shopify-shop-domain", "north.example"),
    ];
    insta::assert_snapshot!(told("shopify", &shopify, &json!({"id": 820_982_911_946_154_508_u64})), @"orders/paid | w1 | north.example orders/paid 820982911946154508");
    let stripe = json!({"id": "evt_1", "type": "charge.succeeded", "data": {"object": {"id": "ch_1", "object": "charge"}}});
    insta::assert_snapshot!(told("stripe", &[], &stripe), @"charge.succeeded | evt_1 |  charge ch_1");
    insta::assert_snapshot!(told("standard-webhooks", &[("webhook-id", "msg_1")], &json!({"type": "paid"})), @"paid | msg_1 |");
    let fluent = json!({"id": "f1", "name": "OrderStatusChange", "accountId": "ACME", "entityType": "FULFILMENT", "entityRef": "F1", "rootEntityType": "ORDER", "rootEntityRef": "O1"});
    insta::assert_snapshot!(told("fluent", &[], &fluent), @"OrderStatusChange | f1 | ACME ORDER O1");
}

#[test]
fn a_preset_is_overridden_key_by_key() {
    let source =
        source("{ preset: fynd, secrets: [hush], name: constant, maxBytes: 10, answer: { status: 202 } }");
    assert_eq!((source.max_bytes(), source.answer().unwrap().status), (10, 202));
    let body = br#"{"event":{"id":"e1"}}"#;
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"hush"), body);
    let signature = hex(tag.as_ref()).to_uppercase();
    let headers = headers([("x-fp-signature", signature.as_str())]);
    let proven = source.prove(Request { headers: &headers, body }, Timestamp::UNIX_EPOCH).unwrap();
    let Content::Event(event) = proven.content().unwrap() else { panic!("no ping") };
    assert_eq!((event.name.as_str(), event.id.as_str()), ("constant", "e1"));
}

#[test]
fn fluent_as_a_preset_takes_what_the_receiver_takes_of_fluent() {
    let key = testkit::signing::DEVELOPMENT_PUBLIC_KEY;
    let source = source(&json!({ "preset": "fluent", "keys": [key] }).to_string());
    let body = br#"{"id":"f1","name":"n"}"#;
    let headers = headers([("fluent-signature", testkit::signing::sign_sha512(body).as_str())]);
    assert!(source.prove(Request { headers: &headers, body }, Timestamp::UNIX_EPOCH).is_ok());
    assert!(source.prove(Request { headers: &headers, body: b"{}" }, Timestamp::UNIX_EPOCH).is_err());
}

#[test]
fn the_sources_that_the_readme_shows_take_what_it_says() {
    let told = |name: &str, sent: &[(&str, &str)], body: &str| {
        let (_, behind) =
            include_str!("../../../README.md").split_once(&format!("# sources/{name}\n")).unwrap();
        let source = Source::parse(name, behind.split_once("```").unwrap().0).unwrap();
        let now = Timestamp::from_second(1_795_163_400).unwrap();
        let headers = headers(sent.iter().copied());
        let proven = source.prove(Request { headers: &headers, body: body.as_bytes() }, now).unwrap();
        let Content::Event(event) = proven.content().unwrap() else { panic!("no ping") };
        format!("{} {} {}", event.name, event.id, group_of_source_event(&event))
    };
    let by = |secret: &str, content: &str| {
        hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), content.as_bytes()).as_ref())
    };
    let body = r#"{"event":{"id":"p1","kind":"scanned","reference":"F_1"}}"#;
    let signature = format!("v1={}", by("the-secret", &format!("1795163400.{body}")));
    let sent = [("x-parcel-signature", signature.as_str()), ("x-parcel-time", "1795163400")];
    insta::assert_snapshot!(told("parcel", &sent, body), @"parcel.scanned p1 parcel//F_1");
    let body = r#"{"repository":{"full_name":"example"},"ref":"main"}"#;
    let signature = format!("sha256={}", by("It's a Secret to Everybody", body));
    let sent = [
        ("x-hub-signature-256", signature.as_str()),
        ("x-github-event", "push"),
        ("x-github-delivery", "d1"),
    ];
    insta::assert_snapshot!(told("github", &sent, body), @"push d1 github//example:main");
    let body = r#"{"company_id":1,"event":{"category":"application","name":"order","type":"placed","version":"1","id":"e1"},"payload":{"order":{"id":"FY1"}}}"#;
    let signature = by("the-previous-one", body);
    insta::assert_snapshot!(told("fynd", &[("x-fp-signature", signature.as_str())], body), @"application/order/placed/v1 e1 fynd/1/FY1");
}
