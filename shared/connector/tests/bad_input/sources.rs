//! Sources: presets, proofs, places.

use connector::cache::Snapshot as _;
use connector::configuration::Sources;
use connector::parameter::Section;

use crate::{parameter, source, source_by, source_with};

#[test]
fn whole_documents() {
    insta::assert_snapshot!(source(""), @"the document is empty: it needs keys and values, such as preset: …");
    insta::assert_snapshot!(source("hunter2"), @"the document must be a mapping of keys to values, such as preset: …; write one a line");
    insta::assert_snapshot!(source("- preset: fynd"), @"the document must be a mapping of keys to values, such as preset: …; take out the - at its beginning");
    insta::assert_snapshot!(source("preset: fynd"), @r#"key "secrets" is missing"#);
    insta::assert_snapshot!(source("preset: fynd\nsecrets: []"), @r#""secrets" (line 2) must hold at least one"#);
    insta::assert_snapshot!(source("preset: fynd\nsecrets: hunter2"), @r#""secrets" (line 2) must be a list of texts, such as [a, b]"#);
    insta::assert_snapshot!(source("preset: fynd\nsecret: hunter2"), @r#"unknown key "secret" (line 2); did you mean "secrets"?"#);
    insta::assert_snapshot!(source("preset: fynd\nsecrets: [hunter2, '']"), @r#""secrets" (line 2) must be a text that is not empty"#);
    insta::assert_snapshot!(source("preset: fynd\nsecrets: [12345]"), @r#""secrets" (line 2) must be text: put it in quotes"#);
    insta::assert_snapshot!(source("preset: fynd\nkeys: [hunter2]"), @r#""keys" (line 2) does not belong to preset fynd, which takes secrets"#);
    insta::assert_snapshot!(source("preset: find\nsecrets: [hunter2]"), @r#""preset" (line 1) must be one of fluent, fynd, github, shopify, standard-webhooks, stripe; did you mean "fynd"?"#);
    insta::assert_snapshot!(source("preset: hunter2\nsecrets: [hunter2]"), @r#""preset" (line 1) must be one of fluent, fynd, github, shopify, standard-webhooks, stripe"#);
    insta::assert_snapshot!(source("preset: fynd\nsecrets: [hunter2]\nauth: { type: hmac }"), @r#""auth" (line 3) stands beside preset fynd, which says it already: take one of the two out"#);
    insta::assert_snapshot!(source("preset: fynd\nsecrets: [hunter2]\nauth: none-i-know-what-this-means"), @r#""auth" (line 3) stands beside preset fynd, which says it already: take one of the two out"#);
    insta::assert_snapshot!(source("preset: standard-webhooks\nsecrets: [hunter2]"), @r#""secrets" (line 2) holds one, number 1, that is not whsec_ and the base64 of 24 to 64 random bytes"#);
    insta::assert_snapshot!(source("preset: standard-webhooks\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD, whsec_hunter2]"), @r#""secrets" (line 2) holds one, number 2, that is not whsec_ and the base64 of 24 to 64 random bytes"#);
    insta::assert_snapshot!(source("preset: standard-webhooks\nkeys: [whpk_hunter2]"), @r#""keys" (line 2) holds one, number 1, that is not whpk_ and the base64 of an ed25519 public key of 32 bytes"#);
    insta::assert_snapshot!(source("preset: standard-webhooks"), @r#"key "secrets" is missing"#);
    insta::assert_snapshot!(source("preset: fluent\nsecrets: [hunter2]"), @r#""secrets" (line 2) does not belong to preset fluent, which takes keys"#);
    insta::assert_snapshot!(source("preset: fluent"), @r#"key "keys" is missing"#);
    insta::assert_snapshot!(source("preset: fluent\nkeys: [hunter2]"), @r#""keys" (line 2) holds one, number 1, that is no RSA public key of 1024 to 8192 bits in X.509 form, PEM (BEGIN PUBLIC KEY) or bare base64"#);
    insta::assert_snapshot!(source("preset: stripe\nsecrets: [hunter2]\ntolerance: 1h"), @r#"unknown key "tolerance" (line 3); known are preset, auth, secrets, keys, name, id, entity, account, ping, maxBytes, answer"#);
    insta::assert_snapshot!(source("name: /type"), @"the document says nothing of how requests prove themselves: give a preset, or auth: { type: … }");
    insta::assert_snapshot!(source("name: /type\nsecrets: [hunter2]"), @"the document (line 1) says nothing of how requests prove themselves: give a preset, or auth: { type: … }");
    insta::assert_snapshot!(source("auth: { type: bearer, secrets: [hunter2] }"), @r#"key "name" is missing"#);
    insta::assert_snapshot!(source("names:\n  order.OrderCreated: x"), @r#"unknown key "names" (line 1); did you mean "name"?"#);
}

#[test]
fn proofs() {
    insta::assert_snapshot!(source_by("none"), @r#""auth" (line 2) is no proof; a source that anybody may send to has auth: none-i-know-what-this-means"#);
    insta::assert_snapshot!(source_by("None-I-know-what-this-means"), @r#""auth" (line 2) is no proof; a source that anybody may send to has auth: none-i-know-what-this-means"#);
    insta::assert_snapshot!(source_by("hunter2"), @r#""auth" (line 2) must be a mapping of keys to values; known are type, algorithm, header, encoding, form, prefix, signed, timestamp, tolerance, username, secrets, keys"#);
    insta::assert_snapshot!(source_by("[{ type: bearer, secrets: [hunter2] }, { type: basic }]"), @r#""auth" (line 2) must be a mapping of keys to values; known are type, algorithm, header, encoding, form, prefix, signed, timestamp, tolerance, username, secrets, keys"#);
    insta::assert_snapshot!(source_by("{ secrets: [hunter2] }"), @r#"key "auth.type" is missing"#);
    insta::assert_snapshot!(source_by("{ type: none }"), @r#""auth.type" (line 2) is no proof; a source that anybody may send to has auth: none-i-know-what-this-means"#);
    insta::assert_snapshot!(source_by("{ type: hmc, secrets: [hunter2] }"), @r#""auth.type" (line 2) must be one of hmac, standard-webhooks, rsa, ecdsa, basic, bearer, api-key; did you mean "hmac"?"#);
    insta::assert_snapshot!(source_by("{ type: oauth2, secrets: [hunter2] }"), @r#""auth.type" (line 2) must be one of hmac, standard-webhooks, rsa, ecdsa, basic, bearer, api-key"#);
    insta::assert_snapshot!(source_by("{ type: bearer }"), @r#"key "auth.secrets" is missing"#);
    insta::assert_snapshot!(source_by("{ type: bearer, token: hunter2 }"), @r#"unknown key "auth.token" (line 2); did you mean "secrets"?"#);
    insta::assert_snapshot!(source_by("{ type: bearer, secrets: [hunter2] }\nsecrets: [hunter2]"), @r#""secrets" (line 3) stands outside of auth, where it belongs: auth: { type: …, secrets: [ … ] }"#);
    insta::assert_snapshot!(source_by("{ type: bearer, header: x-key, secrets: [hunter2] }"), @r#""auth.header" (line 2) does not belong to this type, which takes secrets"#);
    insta::assert_snapshot!(source_by("{ type: basic, secrets: [hunter2] }"), @r#"key "auth.username" is missing"#);
    insta::assert_snapshot!(source_by("{ type: basic, username: a, password: hunter2 }"), @r#"unknown key "auth.password" (line 2); did you mean "secrets"?"#);
    insta::assert_snapshot!(source_by("{ type: basic, username: 'a:b', secrets: [hunter2] }"), @r#""auth.username" (line 2) must not hold a colon (RFC 7617)"#);
    insta::assert_snapshot!(source_by("{ type: bearer, secrets: [a, hünter2] }"), @r#""auth.secrets" (line 2) holds one, number 2, that no header can hold: it has a sign outside of ASCII, or a line break"#);
    insta::assert_snapshot!(source_by("{ type: api-key, header: x-key, secrets: [\"hunter2\\nhunter2\"] }"), @r#""auth.secrets" (line 2) holds one, number 1, that no header can hold: it has a sign outside of ASCII, or a line break"#);
    insta::assert_snapshot!(source_by("{ type: api-key, secrets: [hunter2] }"), @r#"key "auth.header" is missing"#);
    insta::assert_snapshot!(source_by("{ type: api-key, header: 'x key', secrets: [hunter2] }"), @r#""auth.header" (line 2) is no header's name: letters, digits and hyphens"#);
    insta::assert_snapshot!(source_by("{ type: api-key, header: x-key, value: hunter2 }"), @r#"unknown key "auth.value" (line 2); did you mean "secrets"?"#);
    insta::assert_snapshot!(source_by("{ type: hmac, secrets: [hunter2] }"), @r#"key "auth.header" is missing"#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac }"), @r#"key "auth.secrets" is missing"#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac, algorithm: md5, secrets: [hunter2] }"), @r#""auth.algorithm" (line 2) must be one of sha256, sha512, sha1"#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac, algorithm: SHA256, secrets: [hunter2] }"), @r#""auth.algorithm" (line 2) must be one of sha256, sha512, sha1; did you mean "sha256"?"#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac, encoding: base32, secrets: [hunter2] }"), @r#""auth.encoding" (line 2) must be one of hex, base64; did you mean "base64"?"#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac, prefix: 'v1,', secrets: [hunter2] }"), @r#""auth.prefix" (line 2) holds a comma or a space, which part one signature from the next"#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac, tolerance: 5m, secrets: [hunter2] }"), @r#""auth.tolerance" (line 2) tells of a timestamp, and none is signed: write signed: timestamp.body, or take it out"#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac, timestamp: 'header:x-time', secrets: [hunter2] }"), @r#""auth.timestamp" (line 2) tells of a timestamp, and none is signed: write signed: timestamp.body, or take it out"#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac, signed: timestamp.body, secrets: [hunter2] }"), @r#"key "auth.timestamp" is missing"#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac, signed: timestamp.body, timestamp: x-time, secrets: [hunter2] }"), @r#""auth.timestamp" (line 2) must be header:<name>, or field:<name> for a part of the header that holds the signatures"#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac, signed: timestamp.body, timestamp: 'field:', secrets: [hunter2] }"), @r#""auth.timestamp" (line 2) must be header:<name>, or field:<name> for a part of the header that holds the signatures"#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac, signed: timestamp.body, timestamp: 'field:t', tolerance: 0s, secrets: [hunter2] }"), @r#""auth.tolerance" (line 2) must be from 1s to 24h"#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac, signed: timestamp.body, timestamp: 'field:t', tolerance: 25h, secrets: [hunter2] }"), @r#""auth.tolerance" (line 2) must be from 1s to 24h"#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac, signed: timestamp.body, timestamp: 'field:t', tolerance: 300, secrets: [hunter2] }"), @r#""auth.tolerance" (line 2) must be a whole number with its unit, such as 500ms, 10s, 5m or 2h"#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac, signed: '{timestamp}', timestamp: 'field:t', secrets: [hunter2] }"), @r#""auth.signed" (line 2) must be body, timestamp.body, or a text with {timestamp} and {body} once each, such as "v0:{timestamp}:{body}""#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac, signed: '{body}{body}', secrets: [hunter2] }"), @r#""auth.signed" (line 2) must be body, timestamp.body, or a text with {timestamp} and {body} once each, such as "v0:{timestamp}:{body}""#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac, signed: 'v0:{body}', secrets: [hunter2] }"), @r#""auth.signed" (line 2) must be body, timestamp.body, or a text with {timestamp} and {body} once each, such as "v0:{timestamp}:{body}""#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac, signed: '{bdy}', secrets: [hunter2] }"), @r#""auth.signed" (line 2) holds braces around something else than {timestamp} and {body}"#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac, signed: '{body', secrets: [hunter2] }"), @r#""auth.signed" (line 2) holds a brace that is not closed"#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac, separator: '.', secrets: [hunter2] }"), @r#"unknown key "auth.separator" (line 2); known are type, algorithm, header, encoding, prefix, signed, timestamp, tolerance, secrets"#);
    insta::assert_snapshot!(source_by("{ type: hmac, header: x-mac, keys: [hunter2] }"), @r#"key "auth.secrets" is missing"#);
    insta::assert_snapshot!(source_by("{ type: rsa, header: x-signature, secrets: [hunter2] }"), @r#"key "auth.keys" is missing"#);
    insta::assert_snapshot!(source_by("{ type: rsa, header: x-signature, keys: [hunter2] }"), @r#""auth.keys" (line 2) holds one, number 1, that is no RSA public key of 1024 to 8192 bits in X.509 form, PEM (BEGIN PUBLIC KEY) or bare base64"#);
    insta::assert_snapshot!(source_by("{ type: rsa, header: x-signature, algorithm: sha1, keys: [hunter2] }"), @r#""auth.algorithm" (line 2) must be one of sha256, sha512; did you mean "sha512"?"#);
    insta::assert_snapshot!(source_by("{ type: ecdsa, header: x-signature, keys: [hunter2] }"), @r#""auth.keys" (line 2) holds one, number 1, that is no P-256 or P-384 public key in X.509 form, PEM (BEGIN PUBLIC KEY) or bare base64"#);
    insta::assert_snapshot!(source_by("{ type: ecdsa, header: x-signature, form: raw, keys: [hunter2] }"), @r#""auth.form" (line 2) must be one of asn1, fixed"#);
    insta::assert_snapshot!(source_by("{ type: ecdsa, header: x-signature, form: fixed, algorithm: sha512, keys: [hunter2] }"), @r#""auth.form" (line 2) is not known with sha512: P-256 has one with sha256, P-384 with sha384"#);
    insta::assert_snapshot!(source_by("{ type: rsa, header: x-signature, form: fixed, keys: [hunter2] }"), @r#""auth.keys" (line 2) holds one, number 1, that is no RSA public key of 1024 to 8192 bits in X.509 form, PEM (BEGIN PUBLIC KEY) or bare base64"#);
    insta::assert_snapshot!(source_by("{ type: standard-webhooks }"), @r#"key "auth.secrets" is missing"#);
    insta::assert_snapshot!(source_by("{ type: standard-webhooks, header: x-signature, secrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD] }"), @r#""auth.header" (line 2) does not belong to this type, which takes tolerance, secrets, keys"#);
}

#[test]
fn places() {
    insta::assert_snapshot!(source_with("name: ''"), @r#""name" (line 3) must be a text that is not empty"#);
    insta::assert_snapshot!(source_with("name: 5"), @r#""name" (line 3) must be text: put it in quotes"#);
    insta::assert_snapshot!(source_with("name: []"), @r#""name" (line 3) must hold at least one place"#);
    insta::assert_snapshot!(source_with("name: $.event.name"), @r#""name" (line 3) begins with $, which is no JSON pointer: write /delivery/id for $.delivery.id"#);
    insta::assert_snapshot!(source_with("name: \"{{/event/name}}\""), @r#""name" (line 3) holds double braces, which Parameter Store refuses: write one, as in "{/event/name}""#);
    insta::assert_snapshot!(source_with("name: '{event.name}'"), @r#""name" (line 3) holds braces around what is no place: write {/pointer} or {header:name}"#);
    insta::assert_snapshot!(source_with("name: '{/event/name'"), @r#""name" (line 3) holds a brace that is not closed"#);
    insta::assert_snapshot!(source_with("name: '/event/name}'"), @r#""name" (line 3) holds braces, but not around the whole of each place: write "{/a}/{/b}""#);
    insta::assert_snapshot!(source_with("name: /event/{name}"), @r#""name" (line 3) holds braces, but not around the whole of each place: write "{/a}/{/b}""#);
    insta::assert_snapshot!(source_with("name: 'header:'"), @r#""name" (line 3) has no header's name behind header:"#);
    insta::assert_snapshot!(source_with("name: 'header:x name'"), @r#""name" (line 3) has no header's name behind header:"#);
    insta::assert_snapshot!(source_with("id: event.id"), @r#""id" (line 3) holds what is the same in every event: give a JSON pointer such as /delivery/id, or header:<name>"#);
    insta::assert_snapshot!(source_with("id: [/event/id, constant]"), @r#""id" (line 3) holds what is the same in every event: give a JSON pointer such as /delivery/id, or header:<name>"#);
    insta::assert_snapshot!(source_with("id: { at: /event/id }"), @r#""id" (line 3) must be text, not a mapping: put what begins with { in quotes, or behind | on lines of its own, indented"#);
    insta::assert_snapshot!(source_with("entity: order"), @r#""entity" (line 3) holds what is the same in every event: give a JSON pointer such as /delivery/id, or header:<name>"#);
    insta::assert_snapshot!(source_with("entity: { type: order }"), @r#"key "entity.ref" is missing"#);
    insta::assert_snapshot!(source_with("entity: { type: order, ref: constant }"), @r#""entity.ref" (line 3) holds what is the same in every event: give a JSON pointer such as /delivery/id, or header:<name>"#);
    insta::assert_snapshot!(source_with("entity: { type: order, reference: /order/id }"), @r#"unknown key "entity.reference" (line 3); known are type, ref"#);
    insta::assert_snapshot!(source_with("entity: []"), @r#""entity" (line 3) must hold at least one place"#);
    insta::assert_snapshot!(source_with("id: 'header:X-Fp-Signature'"), @r#""id" (line 3) takes what stands in x-fp-signature: that is the proof, which no log may show"#);
    insta::assert_snapshot!(source_with("name: '{/type} {header:x-fp-signature}'"), @r#""name" (line 3) takes what stands in x-fp-signature: that is the proof, which no log may show"#);
    insta::assert_snapshot!(source_with("entity: { type: order, ref: [/id, 'header:x-fp-signature'] }"), @r#""entity" (line 3) takes what stands in x-fp-signature: that is the proof, which no log may show"#);
    insta::assert_snapshot!(source_with("account: ''"), @r#""account" (line 3) must be a text that is not empty"#);
}

#[test]
fn the_rest() {
    insta::assert_snapshot!(source_with("ping: ping"), @r#""ping" (line 3) must be a mapping of keys to values; known are at, equals, unsigned"#);
    insta::assert_snapshot!(source_with("ping: { at: /event/name }"), @r#"key "ping.equals" is missing"#);
    insta::assert_snapshot!(source_with("ping: { at: ping, equals: ping }"), @r#""ping.at" (line 3) must be a JSON pointer such as /event/name, or header:<name>"#);
    insta::assert_snapshot!(source_with("ping: { at: /event/name, equals: ping, unsigned: maybe }"), @r#""ping.unsigned" (line 3) must be true or false"#);
    insta::assert_snapshot!(source_with("ping: { at: /event/name, is: ping }"), @r#"unknown key "ping.is" (line 3); known are at, equals, unsigned"#);
    insta::assert_snapshot!(source_with("maxBytes: 0"), @r#""maxBytes" (line 3) must be a whole number from 1 to 1044480"#);
    insta::assert_snapshot!(source_with("maxBytes: 2000000"), @r#""maxBytes" (line 3) must be a whole number from 1 to 1044480"#);
    insta::assert_snapshot!(source_with("maxBytes: 1MB"), @r#""maxBytes" (line 3) must be a whole number from 1 to 1044480"#);
    insta::assert_snapshot!(source_with("maxBytes: 1.5"), @r#""maxBytes" (line 3) must be a whole number from 1 to 1044480"#);
    insta::assert_snapshot!(source_with("maxbytes: 5"), @r#"unknown key "maxbytes" (line 3); did you mean "maxBytes"?"#);
    insta::assert_snapshot!(source_with("answer: 200"), @r#""answer" (line 3) must be a mapping of keys to values; known are status, body"#);
    insta::assert_snapshot!(source_with("answer: { status: 302 }"), @r#""answer.status" (line 3) must be a number from 200 to 299: the event is queued"#);
    insta::assert_snapshot!(source_with("answer: { status: 500 }"), @r#""answer.status" (line 3) must be a number from 200 to 299: the event is queued"#);
    insta::assert_snapshot!(source_with("answer: { status: ok }"), @r#""answer.status" (line 3) must be a number from 200 to 299: the event is queued"#);
    insta::assert_snapshot!(source_with("answer: { status: 204, body: ok }"), @r#""answer.body" (line 3) is never sent with status 204: take one of the two out"#);
    insta::assert_snapshot!(source_with("answer: { code: 200 }"), @r#"unknown key "answer.code" (line 3); known are status, body"#);
    insta::assert_snapshot!(source_with("when: true"), @r#"unknown key "when" (line 3); known are preset, auth, secrets, keys, name, id, entity, account, ping, maxBytes, answer"#);
    insta::assert_snapshot!(source_with("enabled: false"), @r#"unknown key "enabled" (line 3); known are preset, auth, secrets, keys, name, id, entity, account, ping, maxBytes, answer"#);
}

#[test]
fn names_that_mean_something_else() {
    let good = "{ preset: fynd, secrets: [hunter2] }";
    let parameters = ["fluent", "commercetools"].map(|name| parameter(Section::Sources, name, good));
    let (sources, problems) = Sources::build(&parameters, None);
    let [problem] = &problems[..] else { unreachable!("commercetools is no such source: {problems:?}") };
    assert_eq!(problem.parameter, "sources/fluent");
    insta::assert_snapshot!(problem.reason, @"its name is taken: fluent is the source of Fluent's own webhooks, and fluent-connect of the connector's messages; choose another");
    let (_, problems) = Sources::build(&[parameter(Section::Sources, "north/shop", good)], None);
    insta::assert_snapshot!(problems[0].reason, @"its name holds a slash, and no webhook's path ends in such a name: choose another");
    assert!(
        ["fluent", "commercetools"].iter().all(|name| sources.source(name).is_none()),
        "nothing is there"
    );
}
