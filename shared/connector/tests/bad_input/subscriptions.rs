//! Subscriptions: keys, topics, receivers, what is sent.

use crate::{subscription, subscription_with};

#[test]
fn keys_that_are_missing_or_unknown() {
    insta::assert_snapshot!(subscription(""), @"the document is empty: it needs keys and values, such as topics: …");
    insta::assert_snapshot!(subscription("https://bi.example/hunter2"), @"the document must be a mapping of keys to values, such as topics: …; a URL alone is no such document");
    insta::assert_snapshot!(subscription("url: https://bi.example\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]"), @r#"key "topics" is missing"#);
    insta::assert_snapshot!(subscription("topics: fluent/*\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]"), @r#"key "url" is missing"#);
    insta::assert_snapshot!(subscription("topics: fluent/*\nurl: https://bi.example"), @r#"key "secrets" is missing"#);
    insta::assert_snapshot!(subscription_with("topic: fluent/*"), @r#"unknown key "topic" (line 4); did you mean "topics"?"#);
    insta::assert_snapshot!(subscription_with("message: OrderX"), @r#"unknown key "message" (line 4); did you mean "topics"?"#);
    insta::assert_snapshot!(subscription_with("when: event.vip"), @r#"unknown key "when" (line 4); did you mean "filter"?"#);
    insta::assert_snapshot!(subscription_with("secret: whsec_hunter2"), @r#"unknown key "secret" (line 4); did you mean "secrets"?"#);
    insta::assert_snapshot!(subscription_with("auth: { type: none }"), @r#"unknown key "auth" (line 4); did you mean "secrets"?"#);
    insta::assert_snapshot!(subscription_with("method: PUT"), @r#"unknown key "method" (line 4); known are description, topics, filter, url, secrets, format, payload, headers, timeout, retry, ordering, paused, active"#);
    insta::assert_snapshot!(subscription_with("enabled: true"), @r#"unknown key "enabled" (line 4); did you mean "active"?"#);
    insta::assert_snapshot!(subscription_with("pause: true"), @r#"unknown key "pause" (line 4); did you mean "paused"?"#);
    insta::assert_snapshot!(subscription_with("actve: true"), @r#"unknown key "actve" (line 4); did you mean "active"?"#);
    insta::assert_snapshot!(subscription_with("filters: event.vip"), @r#"unknown key "filters" (line 4); did you mean "filter"?"#);
    insta::assert_snapshot!(subscription_with("contentType: text/plain"), @r#"unknown key "contentType" (line 4); known are description, topics, filter, url, secrets, format, payload, headers, timeout, retry, ordering, paused, active"#);
    insta::assert_snapshot!(subscription_with("retry: { delay: [5s] }"), @r#"unknown key "retry.delay" (line 4); did you mean "delays"?"#);
    insta::assert_snapshot!(subscription_with("zzz: hunter2"), @r#"unknown key "zzz" (line 4); known are description, topics, filter, url, secrets, format, payload, headers, timeout, retry, ordering, paused, active"#);
}

#[test]
fn topics() {
    insta::assert_snapshot!(subscription("topics: []\nurl: https://bi.example\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]"), @r#""topics" (line 1) must hold at least one topic, or "*" for every message"#);
    insta::assert_snapshot!(subscription("topics: 5\nurl: https://bi.example\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]"), @r#""topics" (line 1) must be text: put it in quotes"#);
    insta::assert_snapshot!(subscription("topics: [fluent/*, 5]\nurl: https://bi.example\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]"), @r#""topics" (line 1) must be text: put it in quotes"#);
    insta::assert_snapshot!(subscription("topics: OrderStatusChange\nurl: https://bi.example\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]"), @r#""topics" (line 1) holds one, number 1, that is not a source and a name, such as fluent/Order*, or "*" for every message"#);
    insta::assert_snapshot!(subscription("topics: [fluent/*, OrderStatusChange]\nurl: https://bi.example\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]"), @r#""topics" (line 1) holds one, number 2, that is not a source and a name, such as fluent/Order*, or "*" for every message"#);
    insta::assert_snapshot!(subscription("topics: fluent/A, fluent/B\nurl: https://bi.example\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]"), @r#""topics" (line 1) holds a comma: write several topics as a list, [a/b, c/d]"#);
    insta::assert_snapshot!(subscription("topics: /OrderX\nurl: https://bi.example\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]"), @r#""topics" (line 1) holds one, number 1, that is not a source and a name, such as fluent/Order*, or "*" for every message"#);
    insta::assert_snapshot!(subscription("topics: fluent/\nurl: https://bi.example\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]"), @r#""topics" (line 1) holds one, number 1, that is not a source and a name, such as fluent/Order*, or "*" for every message"#);
    insta::assert_snapshot!(subscription("topics: { fluent: OrderX }\nurl: https://bi.example\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]"), @r#""topics" (line 1) must be text, not a mapping: put what begins with { in quotes, or behind | on lines of its own, indented"#);
    insta::assert_snapshot!(subscription("topics: */OrderX\nurl: https://bi.example\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]"), @r#"cannot be read as YAML (line 1, column 9): "topics": put a value that begins with * in quotes"#);
    insta::assert_snapshot!(subscription("topics: *\nurl: https://bi.example\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]"), @r#"cannot be read as YAML (line 1, column 9): "topics": put a value that begins with * in quotes"#);
}

#[test]
fn receivers_and_proofs() {
    insta::assert_snapshot!(subscription("topics: fluent/*\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]\nurl: bi.example/hunter2"), @r#""url" (line 3) is not an absolute URL such as https://shop.example/orders"#);
    insta::assert_snapshot!(subscription("topics: fluent/*\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]\nurl: ftp://bi.example"), @r#""url" (line 3) must begin with https:// (or http://, to an allowed network)"#);
    insta::assert_snapshot!(subscription("topics: fluent/*\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]\nurl: https://a:hunter2@bi.example"), @r#""url" (line 3) holds a user or password: take them out of the URL, they have keys of their own"#);
    insta::assert_snapshot!(subscription("topics: fluent/*\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]\nurl: \"https://bi.example/${ event.entityRef }\""), @r#""url" (line 3) must be the same for every message: it is no template here"#);
    insta::assert_snapshot!(subscription("topics: fluent/*\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]\nurl: \"https://bi.example/{{ event.entityRef }}\""), @r#""url" (line 3) must be the same for every message: it is no template here"#);
    insta::assert_snapshot!(subscription("topics: fluent/*\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]\nurl: https://bi.example/#hunter2"), @r#""url" (line 3) has a #fragment, which is never sent: take it out"#);
    insta::assert_snapshot!(subscription("topics: fluent/*\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD]\nurl: [https://a.example, https://b.example]"), @r#""url" (line 3) must be one text, not a list"#);
    insta::assert_snapshot!(subscription("topics: fluent/*\nurl: https://bi.example\nsecrets: []"), @r#""secrets" (line 3) must hold at least one secret"#);
    insta::assert_snapshot!(subscription("topics: fluent/*\nurl: https://bi.example\nsecrets: whsec_hunter2"), @r#""secrets" (line 3) must be a list of texts, such as [a, b]"#);
    insta::assert_snapshot!(subscription("topics: fluent/*\nurl: https://bi.example\nsecrets: [hunter2]"), @r#""secrets" (line 3) holds one, number 1, that is not whsec_ and the base64 of 24 to 64 random bytes"#);
    insta::assert_snapshot!(subscription("topics: fluent/*\nurl: https://bi.example\nsecrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD, hunter2]"), @r#""secrets" (line 3) holds one, number 2, that is not whsec_ and the base64 of 24 to 64 random bytes"#);
    insta::assert_snapshot!(subscription("topics: fluent/*\nurl: https://bi.example\nsecrets: { current: whsec_hunter2 }"), @r#""secrets" (line 3) must be a list of texts, such as [a, b]"#);
    insta::assert_snapshot!(subscription("topics: fluent/*\nurl: https://bi.example\nsecrets: [whsec_YWJj]"), @r#""secrets" (line 3) holds one, number 1, that is not whsec_ and the base64 of 24 to 64 random bytes"#);
    insta::assert_snapshot!(subscription_with("headers: { webhook-id: hunter2 }"), @r#""headers.webhook-id" (line 4) must not set webhook-id: the connector does"#);
    insta::assert_snapshot!(subscription_with("headers: { webhook-topic: hunter2 }"), @r#""headers" (line 4) must not set webhook-topic: the subscription's format does"#);
    insta::assert_snapshot!(subscription_with("headers: { Content-Type: text/hunter2 }"), @r#""headers" (line 4) must not set content-type: the subscription's format does"#);
    insta::assert_snapshot!(subscription_with("headers: { ce-type: hunter2 }"), @r#""headers" (line 4) must not set ce-type: the subscription's format does"#);
    insta::assert_snapshot!(subscription_with("headers: { host: hunter2 }"), @r#""headers.host" (line 4) must not set host: the connector does"#);
    insta::assert_snapshot!(subscription_with("timeout: 20s"), @r#""timeout" (line 4) must be from 100ms to 15s"#);
    insta::assert_snapshot!(subscription_with("ordering: fifo"), @r#""ordering" (line 4) must be one of entity, none"#);
    insta::assert_snapshot!(subscription_with("paused: maybe"), @r#""paused" (line 4) must be true or false"#);
    insta::assert_snapshot!(subscription_with("active: yes"), @r#""active" (line 4) must be true or false"#);
}

#[test]
fn what_is_sent() {
    insta::assert_snapshot!(subscription_with("format: cloudevents"), @r#""format" (line 4) must be one of standard-webhooks, cloudevents-structured, cloudevents-binary"#);
    insta::assert_snapshot!(subscription_with("format: standard-webhook"), @r#""format" (line 4) must be one of standard-webhooks, cloudevents-structured, cloudevents-binary; did you mean "standard-webhooks"?"#);
    insta::assert_snapshot!(subscription_with("format: json"), @r#""format" (line 4) must be one of standard-webhooks, cloudevents-structured, cloudevents-binary"#);
    insta::assert_snapshot!(subscription_with("payload: lite"), @r#""payload" (line 4) must be one of full, light"#);
    insta::assert_snapshot!(subscription_with("payload: \"{}\""), @r#""payload" (line 4) must be one of full, light"#);
    insta::assert_snapshot!(subscription_with("payload: { a: b }"), @r#""payload" (line 4) must be text, not a mapping: put what begins with { in quotes, or behind | on lines of its own, indented"#);
    insta::assert_snapshot!(subscription_with("filter: event.vip ="), @r#""filter" (line 4) is no template: line 1: unexpected input after expression; compare with =="#);
    insta::assert_snapshot!(subscription_with("filter: \"${ event.vip }\""), @r#""filter" (line 4) is no template: line 1: a condition is an expression alone, without ${ }, {% %} and if"#);
    insta::assert_snapshot!(subscription_with("filter: evnt.vip"), @r#""filter" (line 4) is no template: line 1: there is no variable "evnt"; did you mean "event"?"#);
    insta::assert_snapshot!(subscription_with("filter: props.vip"), @r#""filter" (line 4) is no template: line 1: there is no variable "props"; known are event, message; a field of the event is written event.entityRef, a text in quotes"#);
    insta::assert_snapshot!(subscription_with("filter: [a]"), @r#""filter" (line 4) must be one text, not a list"#);
}
