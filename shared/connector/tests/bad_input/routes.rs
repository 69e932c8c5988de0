//! Routes: keys, kinds, names.

use crate::{route, route_with};

#[test]
fn keys_in_another_spelling() {
    insta::assert_snapshot!(route("Message: A\nendpoint: good"), @r#"unknown key "Message" (line 1); did you mean "message"?"#);
    insta::assert_snapshot!(route("messages: [A]\nendpoint: good"), @r#"unknown key "messages" (line 1); did you mean "message"?"#);
    insta::assert_snapshot!(route("event: A\nendpoint: good"), @r#"unknown key "event" (line 1); did you mean "message"?"#);
    insta::assert_snapshot!(route("message: A\nendpoints: good"), @r#"unknown key "endpoints" (line 2); did you mean "endpoint"?"#);
    insta::assert_snapshot!(route("message: A\nurl: https://shop.example/hunter2"), @r#"unknown key "url" (line 2); did you mean "endpoint"?"#);
    insta::assert_snapshot!(route("endpoint: good"), @r#"key "message" is missing"#);
    insta::assert_snapshot!(route("message:\nendpoint: good"), @r#"key "message" is missing"#);
    insta::assert_snapshot!(route_with("content-type: application/xml"), @r#"unknown key "content-type" (line 3); did you mean "contentType"?"#);
    insta::assert_snapshot!(route_with("content_type: application/xml"), @r#"unknown key "content_type" (line 3); did you mean "contentType"?"#);
    insta::assert_snapshot!(route_with("contenttype: application/xml"), @r#"unknown key "contenttype" (line 3); did you mean "contentType"?"#);
    insta::assert_snapshot!(route_with("Content Type: application/xml"), @r#"unknown key "Content" (line 3); what follows it is not shown here: put a space after the key's colon"#);
    insta::assert_snapshot!(route_with("condition: event.vip"), @r#"unknown key "condition" (line 3); did you mean "when"?"#);
    insta::assert_snapshot!(route_with("if: event.vip"), @r#"unknown key "if" (line 3); did you mean "when"?"#);
    insta::assert_snapshot!(route_with("template: '{}'"), @r#"unknown key "template" (line 3); did you mean "payload"?"#);
    insta::assert_snapshot!(route_with("body: '{}'"), @r#"unknown key "body" (line 3); did you mean "payload"?"#);
    insta::assert_snapshot!(route_with("disabled: true"), @r#"unknown key "disabled" (line 3); did you mean "enabled"?"#);
    insta::assert_snapshot!(route_with("enable: true"), @r#"unknown key "enable" (line 3); did you mean "enabled"?"#);
    insta::assert_snapshot!(route_with("headers: { x-a: hunter2 }"), @r#"unknown key "headers" (line 3); known are description, source, message, schedule, when, handler, endpoint, fetch, payload, contentType, respond, enabled, props"#);
    insta::assert_snapshot!(route_with("prop: { a: b }"), @r#"unknown key "prop" (line 3); did you mean "props"?"#);
    insta::assert_snapshot!(route_with("priority: 5"), @r#"unknown key "priority" (line 3); known are description, source, message, schedule, when, handler, endpoint, fetch, payload, contentType, respond, enabled, props"#);
    insta::assert_snapshot!(route_with("fetch:\n  querry: '{ me }'"), @r#"unknown key "fetch.querry" (line 4); did you mean "query"?"#);
    insta::assert_snapshot!(route_with("fetch:\n  query: '{ me }'\n  variable: { a: b }"), @r#"unknown key "fetch.variable" (line 5); did you mean "variables"?"#);
    insta::assert_snapshot!(route_with("respond:\n  name: A\n  entity_ref: b"), @r#"unknown key "respond.entity_ref" (line 5); did you mean "entityRef"?"#);
    insta::assert_snapshot!(route_with("respond:\n  event: A"), @r#"unknown key "respond.event" (line 4); did you mean "name"?"#);
    insta::assert_snapshot!(route_with("'': x"), @"the document (line 3) holds a key that is not shown here: it begins with a sign that no key begins with, such as a typographic quote or //; known are description, source, message, schedule, when, handler, endpoint, fetch, payload, contentType, respond, enabled, props");
}

#[test]
fn values_of_another_kind() {
    insta::assert_snapshot!(route("message: 5\nendpoint: good"), @r#""message" (line 1) must be text: put it in quotes"#);
    insta::assert_snapshot!(route("message: []\nendpoint: good"), @r#""message" (line 1) must hold at least one name, or "*" for every message"#);
    insta::assert_snapshot!(route("message: ''\nendpoint: good"), @r#""message" (line 1) must be a text that is not empty"#);
    insta::assert_snapshot!(route("message: [A, 5]\nendpoint: good"), @r#""message" (line 1) must be text: put it in quotes"#);
    insta::assert_snapshot!(route("message: { name: A }\nendpoint: good"), @r#""message" (line 1) must be text, not a mapping: put what begins with { in quotes, or behind | on lines of its own, indented"#);
    insta::assert_snapshot!(route("message: A\nendpoint: [a, b]"), @r#""endpoint" (line 2) must be one text, not a list"#);
    insta::assert_snapshot!(route("message: A\nendpoint: 12"), @r#""endpoint" (line 2) must be text: put it in quotes"#);
    insta::assert_snapshot!(route("message: A\nendpoint: { url: 'https://shop.example/hunter2' }"), @r#""endpoint" (line 2) must be text, not a mapping: put what begins with { in quotes, or behind | on lines of its own, indented"#);
    insta::assert_snapshot!(route("message: A\nendpoint: https://shop.example/orders?key=hunter2"), @r#""endpoint" (line 2) must be a name, not a URL: put the URL into a parameter endpoints/{name}, and its name here"#);
    insta::assert_snapshot!(route("message: A\nendpoint: store front"), @r#""endpoint" (line 2) must be a name: letters, digits and . - _ /"#);
    insta::assert_snapshot!(route("message: A\nendpoint: endpoints/storefront"), @r#""endpoint" (line 2) must be the name alone, without the path before it"#);
    insta::assert_snapshot!(route("message: A\nendpoint: /fluent-connect/acme/endpoints/storefront"), @r#""endpoint" (line 2) must be the name alone, without the path before it"#);
    insta::assert_snapshot!(route("message: Order Status Change,Shipped\nendpoint: good"), @r#""message" (line 1) holds a comma: write several names as a list, [A, B]"#);
    insta::assert_snapshot!(route(&format!("message: A\nendpoint: {}", "x".repeat(2_000))), @r#""endpoint" (line 2) must be a name: letters, digits and . - _ /"#);
    insta::assert_snapshot!(route_with("handler: my handler"), @r#""handler" (line 3) must be a name: letters, digits and . - _ /"#);
    insta::assert_snapshot!(route_with("handler: 5"), @r#""handler" (line 3) must be text: put it in quotes"#);
    insta::assert_snapshot!(route_with("source: [fluent, fynd]"), @r#""source" (line 3) must be one text, not a list"#);
    insta::assert_snapshot!(route_with("enabled: \"false\""), @r#""enabled" (line 3) must be true or false"#);
    insta::assert_snapshot!(route_with("enabled: yes"), @r#""enabled" (line 3) must be true or false"#);
    insta::assert_snapshot!(route_with("enabled: off"), @r#""enabled" (line 3) must be true or false"#);
    insta::assert_snapshot!(route_with("enabled: y"), @r#""enabled" (line 3) must be true or false"#);
    insta::assert_snapshot!(route_with("enabled: 1"), @r#""enabled" (line 3) must be true or false"#);
    insta::assert_snapshot!(route_with("when: true"), @r#""when" (line 3) must be text: put it in quotes"#);
    insta::assert_snapshot!(route_with("when: [a, b]"), @r#""when" (line 3) must be one text, not a list"#);
    insta::assert_snapshot!(route_with("props: [a]"), @r#""props" (line 3) must be a mapping of names to values"#);
    insta::assert_snapshot!(route_with("props: fast"), @r#""props" (line 3) must be a mapping of names to values"#);
    insta::assert_snapshot!(route_with("contentType: json"), @r#""contentType" (line 3) must be a media type such as application/xml"#);
    insta::assert_snapshot!(route_with("fetch: '{ me }'"), @r#""fetch" (line 3) must be a mapping of keys to values; known are query, variables, when"#);
    insta::assert_snapshot!(route_with("fetch: {}"), @r#"key "fetch.query" is missing"#);
    insta::assert_snapshot!(route_with("fetch: { variables: { id: 1 } }"), @r#"key "fetch.query" is missing"#);
    insta::assert_snapshot!(route_with("fetch:\n  query: '{ me }'\n  variables: [1]"), @r#""fetch.variables" (line 5) must be a mapping of names to values"#);
    insta::assert_snapshot!(route_with("fetch:\n  query: '{ me }'\n  variables: id"), @r#""fetch.variables" (line 5) must be a mapping of names to values"#);
    insta::assert_snapshot!(route_with("fetch:\n  query: 'query { orderById(id: \"{{ event.entityId }}\") { ref } }'"), @r#""fetch.query" (line 4) is no template: declare a variable in it, as in query($id: ID!), and give it in fetch.variables"#);
    insta::assert_snapshot!(route_with("respond: CarrierBooked"), @r#""respond" (line 3) must be a mapping of keys to values; known are when, name, retailerId, entityType, entityId, entityRef, entitySubtype, rootEntityType, rootEntityId, rootEntityRef, attributes"#);
    insta::assert_snapshot!(route_with("respond:\n  attributes: { a: b }"), @r#"key "respond.name" is missing"#);
    insta::assert_snapshot!(route_with("respond:\n  name: 5"), @r#""respond.name" (line 4) must be text: put it in quotes"#);
    insta::assert_snapshot!(route_with("respond:\n  name: A\n  attributes: [a]"), @r#""respond.attributes" (line 5) must be a mapping of names to values"#);
}

#[test]
fn schedules() {
    insta::assert_snapshot!(route("handler: x\nschedule: 15m"), @r#""schedule" (line 2) must be like { every: 15m }, or manual"#);
    insta::assert_snapshot!(route("handler: x\nschedule: { every: 15 }"), @r#""schedule.every" (line 2) must be a whole number with its unit, such as 500ms, 10s, 5m or 2h"#);
    insta::assert_snapshot!(route("handler: x\nschedule: { every: 90s }"), @r#""schedule.every" (line 2) must be whole minutes, from 1m to 744h"#);
    insta::assert_snapshot!(route("handler: x\nschedule: { every: 0m }"), @r#""schedule.every" (line 2) must be whole minutes, from 1m to 744h"#);
    insta::assert_snapshot!(route("handler: x\nschedule: { every: 1000h }"), @r#""schedule.every" (line 2) must be whole minutes, from 1m to 744h"#);
    insta::assert_snapshot!(route("handler: x\nschedule: { offset: 5m }"), @r#"key "schedule.every" is missing"#);
    insta::assert_snapshot!(route("handler: x\nschedule: { every: 5m, offset: 5m }"), @r#""schedule.offset" (line 2) must be whole minutes, and shorter than `every`"#);
    insta::assert_snapshot!(route("handler: x\nschedule: { every: 5m, offset: 90s }"), @r#""schedule.offset" (line 2) must be whole minutes, and shorter than `every`"#);
    insta::assert_snapshot!(route("handler: x\nschedule: { every: 5m, at: '03:00' }"), @r#"unknown key "schedule.at" (line 2); known are every, offset"#);
    insta::assert_snapshot!(route("handler: x\nschedule: { cron: '0 3 * * *' }"), @r#"unknown key "schedule.cron" (line 2); known are every, offset"#);
    insta::assert_snapshot!(route("handler: x\nschedule: Manual"), @r#""schedule" (line 2) must be like { every: 15m }, or manual"#);
    insta::assert_snapshot!(route("handler: x\nschedule: { every: 5m }\nmessage: A"), @r#""message" (line 3) stands beside schedule: the clock starts the route, or messages do"#);
    insta::assert_snapshot!(route("handler: x\nschedule: manual\nsource: fluent"), @r#""source" (line 3) stands beside schedule: the clock starts the route, or messages do"#);
    insta::assert_snapshot!(route("schedule: manual\nendpoint: good\nfetch: { query: '{ me }' }"), @r#""fetch" (line 3) stands beside schedule, and a start is of no account: name one as props.account, or take it out where the handler is a job"#);
    insta::assert_snapshot!(route("schedule: { every: 5m }\nendpoint: good\nprops: { account: null }\nrespond:\n  name: Told"), @r#""respond" (line 4) stands beside schedule, and a start is of no account: name one as props.account, or take it out where the handler is a job"#);
    insta::assert_snapshot!(route("schedule: manual\nwhen: event.id == 1"), @r#""when" (line 2) stands beside schedule: the clock starts the route, or messages do"#);
}
