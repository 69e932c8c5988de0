//! Endpoints: URLs, times, headers, authentication.

use crate::{endpoint, endpoint_with};

#[test]
fn urls() {
    insta::assert_snapshot!(endpoint(""), @"the endpoint is empty: give a URL such as https://shop.example/orders");
    insta::assert_snapshot!(endpoint("shop.example/hunter2"), @"the endpoint is not an absolute URL such as https://shop.example/orders");
    insta::assert_snapshot!(endpoint("shop.example:8443/hunter2"), @"the endpoint must begin with https:// (or http://, to an allowed network)");
    insta::assert_snapshot!(endpoint("localhost:8080"), @"the endpoint must begin with https:// (or http://, to an allowed network)");
    insta::assert_snapshot!(endpoint("//shop.example/orders"), @"the endpoint is not an absolute URL such as https://shop.example/orders");
    insta::assert_snapshot!(endpoint("/orders"), @"the endpoint is not an absolute URL such as https://shop.example/orders");
    insta::assert_snapshot!(endpoint("ftp://shop.example"), @"the endpoint must begin with https:// (or http://, to an allowed network)");
    insta::assert_snapshot!(endpoint("htps://shop.example"), @"the endpoint must begin with https:// (or http://, to an allowed network)");
    insta::assert_snapshot!(endpoint("https:shop.example/orders"), @"the endpoint must have two slashes and a host behind its scheme, as in https://shop.example/orders");
    insta::assert_snapshot!(endpoint("https:/shop.example/orders"), @"the endpoint must have two slashes and a host behind its scheme, as in https://shop.example/orders");
    insta::assert_snapshot!(endpoint("https://"), @"the endpoint is not an absolute URL such as https://shop.example/orders");
    insta::assert_snapshot!(endpoint("https:///orders"), @"the endpoint must have two slashes and a host behind its scheme, as in https://shop.example/orders");
    insta::assert_snapshot!(endpoint("https:// shop.example/orders"), @"the endpoint holds a space or a line break, which no URL holds: give one URL such as https://shop.example/orders, without anything around it");
    insta::assert_snapshot!(endpoint("https://shop example/orders"), @"the endpoint holds a space or a line break, which no URL holds: give one URL such as https://shop.example/orders, without anything around it");
    insta::assert_snapshot!(endpoint("https://shop.example/my orders"), @"the endpoint holds a space or a line break, which no URL holds: give one URL such as https://shop.example/orders, without anything around it");
    insta::assert_snapshot!(endpoint("https://shop.example:port/orders"), @"the endpoint is not an absolute URL such as https://shop.example/orders");
    insta::assert_snapshot!(endpoint("https://shop.example:99999/orders"), @"the endpoint is not an absolute URL such as https://shop.example/orders");
    insta::assert_snapshot!(endpoint("https://a:hunter2@shop.example"), @"the endpoint holds a user or password: take them out of the URL, they have keys of their own");
    insta::assert_snapshot!(endpoint("https://shop.example/orders#hunter2"), @"the endpoint has a #fragment, which is never sent: take it out");
    insta::assert_snapshot!(endpoint("[shop](https://shop.example/hunter2)"), @"the endpoint holds brackets around it, which no URL holds: give one URL such as https://shop.example/orders, without anything around it");
    insta::assert_snapshot!(endpoint("<https://shop.example/hunter2>"), @"the endpoint holds < or >, which no URL holds: give one URL such as https://shop.example/orders, without anything around it");
    insta::assert_snapshot!(endpoint("“https://shop.example/hunter2”"), @"the endpoint holds a quote, which no URL holds: give one URL such as https://shop.example/orders, without anything around it");
    insta::assert_snapshot!(endpoint("\"https://shop.example/orders\""), @"the endpoint holds a quote, which no URL holds: give one URL such as https://shop.example/orders, without anything around it");
    insta::assert_snapshot!(endpoint("'https://shop.example/orders'"), @"the endpoint holds a quote, which no URL holds: give one URL such as https://shop.example/orders, without anything around it");
    insta::assert_snapshot!(endpoint("https://shop.example/a, https://shop.example/b"), @"the endpoint holds a space or a line break, which no URL holds: give one URL such as https://shop.example/orders, without anything around it");
    insta::assert_snapshot!(endpoint("https://shop.example/a https://shop.example/b"), @"the endpoint holds a space or a line break, which no URL holds: give one URL such as https://shop.example/orders, without anything around it");
    insta::assert_snapshot!(endpoint("https://shop.example/a\nhttps://shop.example/b"), @"the document must be a mapping of keys to values, such as url: …; a URL alone is no such document");
    insta::assert_snapshot!(endpoint("https://{{ event.host }}/hunter2"), @"the endpoint may hold templates only behind its host, as in https://shop.example/orders/${ event.entityRef }");
    insta::assert_snapshot!(endpoint("https://shop.example{{ event.path }}"), @"the endpoint may hold templates only behind its host, as in https://shop.example/orders/${ event.entityRef }");
    insta::assert_snapshot!(endpoint("https://shop.example/{{ event.entityRef }"), @"the endpoint is no template: line 1: unexpected `}`, expected end of variable block; close {{ with }}");
    insta::assert_snapshot!(endpoint("https://shop.example/{{ order.ref }}"), @"the endpoint is no template: line 1: it holds a name that no template knows, not shown here; the variables are event, message, props");
    insta::assert_snapshot!(endpoint("https://shop.example/{{ event.entityRef | urlencod }}"), @r#"the endpoint is no template: line 1: there is no filter "urlencod"; did you mean "urlencode"?"#);
    insta::assert_snapshot!(endpoint("https://shop.example/{event.entityRef}"), @"the endpoint holds a brace: a template is written ${ event.entityRef }, and stands in url and headers alone");
    insta::assert_snapshot!(endpoint("https://shop.example/{{ hunter2 }}"), @"the endpoint is no template: line 1: it holds a name that no template knows, not shown here; the variables are event, message, props");
    insta::assert_snapshot!(endpoint("url: https://shop.example/{{ event.entityRef }}?key=#hunter2\nmethod: POST"), @r#""url" (line 1) has a #fragment, which is never sent: take it out"#);
    insta::assert_snapshot!(endpoint("url: https://\nmethod: POST"), @r#""url" (line 1) is not an absolute URL such as https://shop.example/orders"#);
    insta::assert_snapshot!(endpoint("url:\nmethod: POST"), @r#"key "url" is missing"#);
    insta::assert_snapshot!(endpoint("url: 5\nmethod: POST"), @r#""url" (line 1) must be text: put it in quotes"#);
    insta::assert_snapshot!(endpoint("url: [https://shop.example]\nmethod: POST"), @r#""url" (line 1) must be one text, not a list"#);
    insta::assert_snapshot!(endpoint("https://shop.example/orders\nmethod: PUT"), @"cannot be read as YAML (line 2, column 7): a document begins with keys: write url: before the URL");
    insta::assert_snapshot!(endpoint("URL: https://shop.example/orders"), @r#"unknown key "URL"; did you mean "url"?"#);
    insta::assert_snapshot!(endpoint("uri: https://shop.example/orders"), @r#"unknown key "uri"; did you mean "url"?"#);
    insta::assert_snapshot!(endpoint("endpoint: https://shop.example/orders"), @r#"unknown key "endpoint"; did you mean "url"?"#);
}

#[test]
fn times_and_switches() {
    insta::assert_snapshot!(endpoint_with("timeout: 10"), @r#""timeout" (line 2) must be a whole number with its unit, such as 500ms, 10s, 5m or 2h"#);
    insta::assert_snapshot!(endpoint_with("timeout: 10 s"), @r#""timeout" (line 2) must be a whole number with its unit, such as 500ms, 10s, 5m or 2h"#);
    insta::assert_snapshot!(endpoint_with("timeout: 10sec"), @r#""timeout" (line 2) must be a whole number with its unit, such as 500ms, 10s, 5m or 2h"#);
    insta::assert_snapshot!(endpoint_with("timeout: PT10S"), @r#""timeout" (line 2) must be a whole number with its unit, such as 500ms, 10s, 5m or 2h"#);
    insta::assert_snapshot!(endpoint_with("timeout: -5s"), @r#""timeout" (line 2) must be a whole number with its unit, such as 500ms, 10s, 5m or 2h"#);
    insta::assert_snapshot!(endpoint_with("timeout: 1.5s"), @r#""timeout" (line 2) must be a whole number with its unit, such as 500ms, 10s, 5m or 2h"#);
    insta::assert_snapshot!(endpoint_with("timeout: 1m"), @r#""timeout" (line 2) must be from 100ms to 15s"#);
    insta::assert_snapshot!(endpoint_with("timeout: 10ms"), @r#""timeout" (line 2) must be from 100ms to 15s"#);
    insta::assert_snapshot!(endpoint_with("timeout: 0s"), @r#""timeout" (line 2) must be from 100ms to 15s"#);
    insta::assert_snapshot!(endpoint_with("timeout: ''"), @r#""timeout" (line 2) must be a whole number with its unit, such as 500ms, 10s, 5m or 2h"#);
    insta::assert_snapshot!(endpoint_with("timeout: 10,5s"), @r#""timeout" (line 2) must be a whole number with its unit, such as 500ms, 10s, 5m or 2h"#);
    insta::assert_snapshot!(endpoint_with("timeOut: 10s"), @r#"unknown key "timeOut" (line 2); did you mean "timeout"?"#);
    insta::assert_snapshot!(endpoint_with("timeoutMs: 1000"), @r#"unknown key "timeoutMs" (line 2); did you mean "timeout"?"#);
    insta::assert_snapshot!(endpoint_with("retry: 3"), @r#""retry" (line 2) must be a mapping of keys to values; known are delays"#);
    insta::assert_snapshot!(endpoint_with("retries: 3"), @r#"unknown key "retries" (line 2); did you mean "retry"?"#);
    insta::assert_snapshot!(endpoint_with("retry: [5s, 5m]"), @r#""retry" (line 2) must be a mapping of keys to values; known are delays"#);
    insta::assert_snapshot!(endpoint_with("retry: { delays: 5s }"), @r#""retry.delays" (line 2) must be a list of times such as [5s, 5m]"#);
    insta::assert_snapshot!(endpoint_with("retry: { delays: 5s, 5m }"), @r#""retry" (line 2) holds a key without a value, not shown here: put a space after its colon, or take it out"#);
    insta::assert_snapshot!(endpoint_with("retry: { delays: [5, 10] }"), @r#""retry.delays" (line 2) must be a whole number with its unit, such as 500ms, 10s, 5m or 2h"#);
    insta::assert_snapshot!(endpoint_with("retry: { delays: [5s, 1d] }"), @r#""retry.delays" (line 2) must be a whole number with its unit, such as 500ms, 10s, 5m or 2h"#);
    insta::assert_snapshot!(endpoint_with("retry: { delays: [24h] }"), @r#""retry.delays" (line 2) has a delay over 11h, the longest that SQS can wait for sure"#);
    insta::assert_snapshot!(endpoint_with(&format!("retry: {{ delays: [{}] }}", ["1s"; 21].join(", "))), @r#""retry.delays" (line 2) has 21 delays; at most 20 are allowed"#);
    insta::assert_snapshot!(endpoint_with("retry: { attempts: 3 }"), @r#"unknown key "retry.attempts" (line 2); did you mean "delays"?"#);
    insta::assert_snapshot!(endpoint_with("paused: yes"), @r#""paused" (line 2) must be true or false"#);
    insta::assert_snapshot!(endpoint_with("paused: 'true'"), @r#""paused" (line 2) must be true or false"#);
    insta::assert_snapshot!(endpoint_with("pause: true"), @r#"unknown key "pause" (line 2); did you mean "paused"?"#);
    insta::assert_snapshot!(endpoint_with("enabled: false"), @r#"unknown key "enabled" (line 2); did you mean "paused"?"#);
    insta::assert_snapshot!(endpoint_with("ordering: Entity"), @r#""ordering" (line 2) must be one of entity, none; did you mean "entity"?"#);
    insta::assert_snapshot!(endpoint_with("ordering: false"), @r#""ordering" (line 2) must be text: put it in quotes"#);
    insta::assert_snapshot!(endpoint_with("ordering: enttiy"), @r#""ordering" (line 2) must be one of entity, none; did you mean "entity"?"#);
    insta::assert_snapshot!(endpoint_with("method: post"), @r#""method" (line 2) must be one of POST, PUT, PATCH, DELETE; did you mean "POST"?"#);
    insta::assert_snapshot!(endpoint_with("method: GET"), @r#""method" (line 2) must be one of POST, PUT, PATCH, DELETE"#);
    insta::assert_snapshot!(endpoint_with("method: [POST]"), @r#""method" (line 2) must be one text, not a list"#);
    insta::assert_snapshot!(endpoint_with("method: hunter2"), @r#""method" (line 2) must be one of POST, PUT, PATCH, DELETE"#);
}

#[test]
fn headers() {
    insta::assert_snapshot!(endpoint_with("header: { x-a: hunter2 }"), @r#"unknown key "header" (line 2); did you mean "headers"?"#);
    insta::assert_snapshot!(endpoint_with("headers: hunter2"), @r#""headers" (line 2) must be a mapping of names to texts, with a space behind each colon"#);
    insta::assert_snapshot!(endpoint_with("headers: 'x-key: hunter2'"), @r#""headers" (line 2) must be a mapping of names to texts, with a space behind each colon"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  - x-key: hunter2"), @r#""headers" (line 2) must be a mapping of names to texts, with a space behind each colon"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  x-count: 5"), @r#""headers.x-count" (line 3) must be text: put it in quotes"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  x-on: true"), @r#""headers.x-on" (line 3) must be text: put it in quotes"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  x-key: [hunter2]"), @r#""headers.x-key" (line 3) must be one text, not a list"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  x-key: ''"), @r#""headers.x-key" (line 3) must be a text that is not empty"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  x-key:hunter2"), @r#""headers" (line 2) must be a mapping of names to texts, with a space behind each colon"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  x-key:"), @r#""headers" (line 2) holds a key without a value, not shown here: put a space after its colon, or take it out"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  x key: hunter2"), @r#""headers.x" (line 3) is no header's name: letters, digits and hyphens"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  x-key: |\n    hunter2\n    hunter2"), @r#""headers.x-key" (line 3) holds a character that no header can carry"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  x-key: “hunter2”\u{1}"), @r#"cannot be read as YAML (line 3, column 10): typographic quotes are none here: write " or '"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  Host: shop.example"), @r#""headers.Host" (line 3) must not set host: the connector does"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  Content-Length: '5'"), @r#""headers.Content-Length" (line 3) must not set content-length: the connector does"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  X-A: a\n  x-a: b"), @r#""headers.x-a" (line 4) stands there twice: header names are the same in any case"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  x-ref: '{{ event.entityRef'"), @r#""headers.x-ref" (line 3) is no template: line 1: unexpected end of input, expected end of variable block; close {{ with }}"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  x-ref: '{{ evnt.entityRef }}'"), @r#""headers.x-ref" (line 3) is no template: line 1: there is no variable "evnt"; did you mean "event"?"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  x-key: '{{ hunter2 }}'"), @r#""headers.x-key" (line 3) is no template: line 1: it holds a name that no template knows, not shown here; the variables are event, message, props"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  x-key: '{{ hunter2-x y }}'"), @r#""headers.x-key" (line 3) is no template: line 1: unexpected identifier, expected end of variable block"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  x-key: '{% hunter2 %}'"), @r#""headers.x-key" (line 3) is no template: line 1: it holds a name that no template knows, not shown here; the variables are event, message, props"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  x-key: '{{ event | hunter2 }}'"), @r#""headers.x-key" (line 3) is no template: line 1: it holds a name that no template knows, not shown here; the variables are event, message, props"#);
    insta::assert_snapshot!(endpoint_with("headers:\n  x-key: '{{hunter2(}}'"), @r#""headers.x-key" (line 3) is no template: line 1: unexpected `}`"#);
    insta::assert_snapshot!(endpoint_with("headers: { authorization: hunter2 }\nauth: { type: bearer, token: hunter2 }"), @r#""headers.authorization" (line 2) is set by auth as well: take one of them out"#);
}

#[test]
fn authentication() {
    insta::assert_snapshot!(endpoint_with("auth: hunter2"), @r#""auth" (line 2) must be a mapping of keys to values; known are type, token, username, password, header, value, tokenUrl, clientId, clientSecret, scope, secrets"#);
    insta::assert_snapshot!(endpoint_with("auth: none"), @r#""auth" (line 2) must be a mapping of keys to values; known are type, token, username, password, header, value, tokenUrl, clientId, clientSecret, scope, secrets"#);
    insta::assert_snapshot!(endpoint_with("auth: [hunter2]"), @r#""auth" (line 2) must be a mapping of keys to values; known are type, token, username, password, header, value, tokenUrl, clientId, clientSecret, scope, secrets"#);
    insta::assert_snapshot!(endpoint_with("authentication: { type: bearer, token: hunter2 }"), @r#"unknown key "authentication" (line 2); did you mean "auth"?"#);
    insta::assert_snapshot!(endpoint_with("auth: { bearer: hunter2 }"), @r#"unknown key "auth.bearer" (line 2); did you mean "type"?"#);
    insta::assert_snapshot!(endpoint_with("auth: { token: hunter2 }"), @r#"key "auth.type" is missing"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: Bearer, token: hunter2 }"), @r#""auth.type" (line 2) must be one of none, bearer, basic, api-key, oauth2, standard-webhooks; did you mean "bearer"?"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: apikey, header: x-key, value: hunter2 }"), @r#""auth.type" (line 2) must be one of none, bearer, basic, api-key, oauth2, standard-webhooks; did you mean "api-key"?"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: apiKey, header: x-key, value: hunter2 }"), @r#""auth.type" (line 2) must be one of none, bearer, basic, api-key, oauth2, standard-webhooks; did you mean "api-key"?"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: oauth, clientId: a, clientSecret: hunter2 }"), @r#""auth.type" (line 2) must be one of none, bearer, basic, api-key, oauth2, standard-webhooks; did you mean "oauth2"?"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: hunter2 }"), @r#""auth.type" (line 2) must be one of none, bearer, basic, api-key, oauth2, standard-webhooks"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: 5 }"), @r#""auth.type" (line 2) must be text: put it in quotes"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: bearer }"), @r#"key "auth.token" is missing"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: bearer, token: 5 }"), @r#""auth.token" (line 2) must be text: put it in quotes"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: bearer, token: [hunter2] }"), @r#""auth.token" (line 2) must be one text, not a list"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: bearer, token: '' }"), @r#""auth.token" (line 2) must be a text that is not empty"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: bearer, token: \"hunter2\\n\" }"), @r#""auth.token" (line 2) holds a character that no header can carry"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: bearer, secret: hunter2 }"), @r#"unknown key "auth.secret" (line 2); did you mean "token"?"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: bearer, token: hunter2, password: hunter2 }"), @r#""auth.password" (line 2) does not belong to this type, which takes token"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: basic, user: a, password: hunter2 }"), @r#"unknown key "auth.user" (line 2); did you mean "username"?"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: basic, username: a }"), @r#"key "auth.password" is missing"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: basic, username: 'a:hunter2', password: hunter2 }"), @r#""auth.username" (line 2) must not hold a colon (RFC 7617)"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: api-key, key: hunter2 }"), @r#"unknown key "auth.key" (line 2); did you mean "value"?"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: api-key, value: hunter2 }"), @r#"key "auth.header" is missing"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: api-key, header: x key, value: hunter2 }"), @r#""auth.header" (line 2) is no header's name: letters, digits and hyphens"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: api-key, header: host, value: hunter2 }"), @r#""auth.header" (line 2) must not set host: the connector does"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: oauth2, tokenUrl: id.example/hunter2, clientId: a, clientSecret: hunter2 }"), @r#""auth.tokenUrl" (line 2) is not an absolute URL such as https://shop.example/orders"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: oauth2, tokenURL: 'https://id.example', clientId: a, clientSecret: hunter2 }"), @r#"unknown key "auth.tokenURL" (line 2); did you mean "tokenUrl"?"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: oauth2, token_url: 'https://id.example', client_id: a, client_secret: hunter2 }"), @r#"unknown key "auth.token_url" (line 2); did you mean "tokenUrl"?"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: oauth2, tokenUrl: 'https://id.example/{{ event.id }}', clientId: a, clientSecret: hunter2 }"), @r#""auth.tokenUrl" (line 2) holds a brace: a template is written ${ event.entityRef }, and stands in url and headers alone"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: oauth2, tokenUrl: 'https://id.example', clientId: a, clientSecret: hunter2, scope: [a, b] }"), @r#""auth.scope" (line 2) must be one text, not a list"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: standard-webhooks, secret: whsec_hunter2 }"), @r#"unknown key "auth.secret" (line 2); did you mean "secrets"?"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: standard-webhooks, secrets: whsec_hunter2 }"), @r#""auth.secrets" (line 2) must be a list of texts, such as [a, b]"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: standard-webhooks, secrets: [] }"), @r#""auth.secrets" (line 2) must hold at least one secret"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: standard-webhooks, secrets: [hunter2VsBQIhrscChlQIMV+b5sSYspob7oD] }"), @r#""auth.secrets" (line 2) holds one, number 1, that is not whsec_ and the base64 of 24 to 64 random bytes"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: standard-webhooks, secrets: [whsec_hunter2-not-base64] }"), @r#""auth.secrets" (line 2) holds one, number 1, that is not whsec_ and the base64 of 24 to 64 random bytes"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: standard-webhooks, secrets: [whsec_hunter2=] }"), @r#""auth.secrets" (line 2) holds one, number 1, that is not whsec_ and the base64 of 24 to 64 random bytes"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: standard-webhooks, secrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD, whsec_aHVudGVyMg==] }"), @r#""auth.secrets" (line 2) holds one, number 2, that is not whsec_ and the base64 of 24 to 64 random bytes"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: standard-webhooks, secrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD, 5] }"), @r#""auth.secrets" (line 2) must be text: put it in quotes"#);
}
