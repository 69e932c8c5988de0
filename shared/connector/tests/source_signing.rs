//! What is signed in the place of a source's system is what the source takes: for every preset and every kind of proof.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use aws_lc_rs::encoding::{AsBigEndian as _, AsDer as _, PublicKeyX509Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connector::source::{Content, PrivateKey, Request, SigningError, Source, kinds, presets};
use http::HeaderMap;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

const WHSEC: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const RSA: &str = include_str!("vectors/rsa-1024.private.pem");

/// A document, and the private key of its public ones where it has any.
struct Signed {
    document: Value,
    key: Option<String>,
}

fn source(document: &Value) -> Source {
    Source::parse("shop", &document.to_string()).unwrap_or_else(|error| panic!("{document}: {error}"))
}

fn rsa_public() -> String {
    use rsa::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
    let key = rsa::RsaPrivateKey::from_pkcs8_pem(RSA).unwrap().to_public_key();
    STANDARD.encode(key.to_public_key_der().unwrap())
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

/// The private and the public half.
fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm) -> (String, String) {
    let pair = EcdsaKeyPair::generate(algorithm).unwrap();
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    (pem("PRIVATE KEY", pair.to_pkcs8v1().unwrap().as_ref()), STANDARD.encode(public.as_ref()))
}

fn ed25519() -> (Ed25519KeyPair, String) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let public = format!("whpk_{}", STANDARD.encode(pair.public_key().as_ref()));
    (pair, public)
}

/// Every kind of proof, in every way that its document may spell it.
fn all() -> Vec<Signed> {
    let all = [of_presets(), fixed(), in_a_header(), by_ed25519()];
    all.into_iter().flatten().collect()
}

fn of_presets() -> Vec<Signed> {
    let signed = |preset| match preset {
        "fluent" => Signed {
            document: json!({ "preset": preset, "keys": [rsa_public()] }),
            key: Some(RSA.to_owned()),
        },
        _ => Signed { document: json!({ "preset": preset, "secrets": [WHSEC, WHSEC] }), key: None },
    };
    presets().map(signed).collect()
}

fn fixed() -> Vec<Signed> {
    let auths = [
        json!({ "type": "basic", "username": "me", "secrets": ["hush", "other"] }),
        json!({ "type": "bearer", "secrets": ["hush"] }),
        json!({ "type": "api-key", "header": "x-api-key", "secrets": ["hush"] }),
        json!("none-i-know-what-this-means"),
    ];
    auths.map(|auth| Signed { document: spelled(&auth), key: None }).into()
}

/// HMAC, RSA and ECDSA: alone, with a timestamp in a header of its own, and with one beside the signature.
fn in_a_header() -> Vec<Signed> {
    let curves = [
        ("sha256", ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING)),
        ("sha384", ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING)),
    ];
    let ways = [
        json!({ "header": "x-sig" }),
        json!({ "header": "x-sig", "prefix": "v0=", "encoding": "hex", "signed": "timestamp.body", "timestamp": "header:x-time" }),
        json!({ "header": "x-sig", "prefix": "s=", "encoding": "base64", "signed": "v0:{timestamp}:{body}", "timestamp": "field:t" }),
    ];
    let mut all = Vec::new();
    for way in &ways {
        let mut add = |kind: Value, key: Option<&str>| {
            let parts = [kind, way.clone()];
            let keys = parts.iter().flat_map(|part| part.as_object().unwrap().clone());
            all.push(Signed { document: spelled(&keys.collect()), key: key.map(str::to_owned) });
        };
        for algorithm in ["sha256", "sha512", "sha1"] {
            add(json!({ "type": "hmac", "algorithm": algorithm, "secrets": ["hush"] }), None);
        }
        for algorithm in ["sha256", "sha512"] {
            add(json!({ "type": "rsa", "algorithm": algorithm, "keys": [rsa_public()] }), Some(RSA));
        }
        for (algorithm, (private, public)) in &curves {
            for form in ["asn1", "fixed"] {
                let kind = json!({ "type": "ecdsa", "algorithm": algorithm, "form": form, "keys": [public] });
                add(kind, Some(private));
            }
        }
    }
    all
}

fn by_ed25519() -> Vec<Signed> {
    let (pair, public) = ed25519();
    let seed = pair.seed().unwrap();
    let seed = seed.as_be_bytes().unwrap();
    let whole = [seed.as_ref(), pair.public_key().as_ref()].concat();
    let keys = [
        format!("whsk_{}", STANDARD.encode(seed.as_ref())),
        format!("whsk_{}", STANDARD.encode(whole)),
        pem("PRIVATE KEY", pair.to_pkcs8v1().unwrap().as_ref()),
    ];
    let document = spelled(&json!({ "type": "standard-webhooks", "keys": [public] }));
    keys.map(|key| Signed { document: document.clone(), key: Some(key) }).into()
}

fn spelled(auth: &Value) -> Value {
    json!({ "auth": auth, "name": "constant" })
}

impl Signed {
    fn check(&self, body: &[u8], now: Timestamp) -> Result<(), String> {
        let source = source(&self.document);
        let key = self.key.as_deref().map(|key| PrivateKey::parse(key).unwrap());
        let mut headers = HeaderMap::new();
        source.sign(&mut headers, body, key.as_ref(), now).map_err(|error| error.to_string())?;
        let proven = source.prove(Request { headers: &headers, body }, now);
        proven.map(drop).map_err(|error| format!("{error}: {} {headers:?}", self.document))
    }
}

#[test]
fn every_preset_and_every_kind_is_among_what_is_tried() {
    let documents: Vec<_> = all().into_iter().map(|signed| signed.document).collect();
    for preset in presets() {
        assert!(documents.iter().any(|document| document["preset"] == preset), "{preset}");
    }
    for kind in kinds() {
        assert!(documents.iter().any(|document| document["auth"]["type"] == kind), "{kind}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn what_is_signed_is_taken(body in prop::collection::vec(any::<u8>(), 0..300), seconds in 1_i64..4_000_000_000) {
        let now = Timestamp::from_second(seconds).unwrap();
        for signed in all() {
            prop_assert_eq!(signed.check(&body, now), Ok(()));
        }
    }
}

#[test]
fn standard_webhooks_are_signed_by_each_secret_and_by_the_private_key() {
    let (pair, public) = ed25519();
    let auth = json!({ "type": "standard-webhooks", "secrets": [WHSEC, WHSEC], "keys": [public] });
    let source = source(&json!({ "auth": auth, "name": "/type", "id": "header:webhook-id" }));
    let key = PrivateKey::parse(&pem("PRIVATE KEY", pair.to_pkcs8v1().unwrap().as_ref())).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", "msg_1".parse().unwrap());
    source.sign(&mut headers, b"{}", Some(&key), Timestamp::UNIX_EPOCH).unwrap();
    let signatures: Vec<_> = headers["webhook-signature"].to_str().unwrap().split(' ').collect();
    let versions: Vec<_> = signatures.iter().map(|signature| signature.split_once(',').unwrap().0).collect();
    assert_eq!(versions, ["v1", "v1", "v1a"]);
    assert!(headers["webhook-id"] == "msg_1" && headers["webhook-timestamp"] == "0");
}

#[test]
fn a_header_that_is_the_secret_is_marked_and_a_signature_is_not() {
    for (auth, sensitive) in [
        (json!({ "type": "bearer", "secrets": ["hush"] }), true),
        (json!({ "type": "hmac", "header": "x-sig", "secrets": ["hush"] }), false),
    ] {
        let mut headers = HeaderMap::new();
        let source = source(&json!({ "auth": auth, "name": "constant" }));
        source.sign(&mut headers, b"{}", None, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(headers.values().all(http::HeaderValue::is_sensitive), sensitive, "{auth}");
        assert!(!format!("{source:?}{headers:?}").contains("hush"), "{auth}");
    }
}

#[test]
fn a_key_that_is_missing_needless_or_of_another_kind_is_told() {
    let sign = |document: Value, key: Option<&str>| {
        let key = key.map(|key| PrivateKey::parse(key).unwrap());
        source(&document).sign(&mut HeaderMap::new(), b"{}", key.as_ref(), Timestamp::UNIX_EPOCH).unwrap_err()
    };
    let (p256, public) = ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING);
    let fluent = || json!({ "preset": "fluent", "keys": [rsa_public()] });
    assert_eq!(sign(fluent(), None), SigningError::NoKey);
    assert!(matches!(sign(fluent(), Some(&p256)), SigningError::OtherKey { wanted: "RSA" }));
    let ecdsa = json!({ "type": "ecdsa", "header": "x", "keys": [public], "algorithm": "sha512" });
    let ecdsa = sign(json!({ "auth": ecdsa, "name": "x" }), Some(&p256));
    assert!(matches!(ecdsa, SigningError::OtherKey { .. }), "P-256 signs with sha256 alone: {ecdsa}");
    for preset in ["fynd", "standard-webhooks"] {
        let document = json!({ "preset": preset, "secrets": [WHSEC] });
        assert_eq!(sign(document, Some(RSA)), SigningError::NeedlessKey);
    }
}

#[test]
fn what_is_no_private_key_is_refused_and_not_shown() {
    for text in [
        "",
        "hush",
        "whsk_aHVzaA==",
        "whsk_hush",
        "-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----",
        &rsa_public(),
    ] {
        let error = PrivateKey::parse(text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
    }
    assert_eq!(format!("{:?}", PrivateKey::parse(RSA).unwrap()), "PrivateKey(RSA [REDACTED])");
}

#[test]
fn another_id_is_written_where_the_document_says_that_the_id_stands() {
    let renewed = |document: Value, headers: &mut HeaderMap, body: &str| {
        String::from_utf8(source(&document).renewed(headers, body.as_bytes().to_vec(), "r-1")).unwrap()
    };
    let none = &mut HeaderMap::new();
    let fynd = || json!({ "preset": "fynd", "secrets": ["s"] });
    let body = r#"{"event":{"name":"x","id":7},"n":1.10}"#;
    assert_eq!(renewed(fynd(), none, body), r#"{"event":{"id":"7-r-1","name":"x"},"n":1.10}"#);
    assert!(none.is_empty());
    let mut headers = HeaderMap::new();
    assert_eq!(renewed(fynd(), &mut headers, "{}"), "{}");
    assert_eq!(headers["x-fp-event-id"], "r-1", "the body has none");
    headers.insert("x-github-delivery", "d".parse().unwrap());
    renewed(json!({ "preset": "github", "secrets": ["s"] }), &mut headers, "{}");
    assert_eq!(headers["x-github-delivery"], "d-r-1");
    let listed = json!({ "auth": "none-i-know-what-this-means", "name": "x", "id": "of {/items/1/id}" });
    assert_eq!(renewed(listed, none, r#"{"items":[1,{"id":"a"}]}"#), r#"{"items":[1,{"id":"a-r-1"}]}"#);
    let nowhere = json!({ "auth": "none-i-know-what-this-means", "name": "x" });
    assert_eq!(renewed(nowhere, none, r#"{ "id": 1 }"#), r#"{ "id": 1 }"#, "known by its bytes");
}

#[test]
fn a_new_id_makes_another_event_of_the_same_name() {
    let source = source(&json!({ "preset": "stripe", "secrets": ["s"] }));
    let body = br#"{"id":"evt_1","type":"paid"}"#.to_vec();
    let id = |body: &[u8]| {
        let mut headers = HeaderMap::new();
        source.sign(&mut headers, body, None, Timestamp::UNIX_EPOCH).unwrap();
        let proven = source.prove(Request { headers: &headers, body }, Timestamp::UNIX_EPOCH).unwrap();
        match proven.content().unwrap() {
            Content::Event(event) => (event.id, event.name),
            Content::Ping => panic!("no ping"),
        }
    };
    let other = source.renewed(&mut HeaderMap::new(), body.clone(), "2");
    let named = |id: &str| (id.to_owned(), "paid".to_owned());
    assert_eq!((id(&body), id(&other)), (named("evt_1"), named("evt_1-2")));
}
