//! What is not YAML, or other YAML than was meant.

use connector::parameter::Section;

use crate::{endpoint, endpoint_with, route, route_with, usable};

#[test]
fn what_is_forgiven() {
    let route = "message: OrderStatusChange\nendpoint: good\n";
    for (section, case) in [
        (Section::Routes, route.replace('\n', "\r\n")),
        (Section::Routes, format!("\u{feff}{route}")),
        (Section::Routes, format!("---\n{route}")),
        (Section::Routes, format!("# shop\n\n{}", route.replace('\n', "   \n"))),
        (Section::Routes, r#"{"message": "OrderStatusChange", "endpoint": "good",}"#.to_owned()),
        (Section::Routes, r#"{"message": "OrderStatusChange", "endpoint": "good"} # why"#.to_owned()),
        (Section::Routes, format!("{route}payload: |\n  {{{{ event }}}}\n")),
        (Section::Routes, format!("{route}payload: '{{{{ event }}}}'\n")),
        (Section::Endpoints, "  https://shop.example/orders \r\n".to_owned()),
        (Section::Endpoints, "\u{feff}https://shop.example/orders".to_owned()),
        (Section::Endpoints, "\u{feff}url: https://shop.example/orders\r\n".to_owned()),
        (Section::Endpoints, r#"{"url": "https://shop.example/orders"}"#.to_owned()),
    ] {
        usable(section, &case);
    }
}

#[test]
fn indentation_and_colons() {
    insta::assert_snapshot!(route("message: A\n\tendpoint: good"), @r#"cannot be read as YAML (line 1, column 10): "endpoint": indent with spaces: a tab stands there"#);
    insta::assert_snapshot!(route("message: A\nfetch:\n\tquery: '{ me }'"), @"cannot be read as YAML (line 3, column 2): indent with spaces: a tab stands there");
    insta::assert_snapshot!(route("message: A\n  endpoint: good"), @"cannot be read as YAML (line 2, column 11): this line is indented otherwise than the one before: begin them one below the other, unless that one ends in a colon");
    insta::assert_snapshot!(route("message: A\n endpoint: good"), @"cannot be read as YAML (line 2, column 10): this line is indented otherwise than the one before: begin them one below the other, unless that one ends in a colon");
    insta::assert_snapshot!(route("  message: A\nendpoint: good"), @"cannot be read as YAML (line 2, column 1): this line is indented otherwise than the one before: begin them one below the other, unless that one ends in a colon");
    insta::assert_snapshot!(route("message: A\nfetch:\nquery: '{ me }'"), @r#"unknown key "query" (line 3); known are description, source, message, schedule, when, handler, endpoint, fetch, payload, contentType, respond, enabled, props"#);
    insta::assert_snapshot!(route("message:A\nendpoint: good"), @r#"cannot be read as YAML (line 2, column 9): "message": put a space behind the key's colon"#);
    insta::assert_snapshot!(route("message:A\nendpoint:good"), @"the document must be a mapping of keys to values, such as message: …; put a colon and a space behind each key");
    insta::assert_snapshot!(route("message A\nendpoint good"), @"the document must be a mapping of keys to values, such as message: …; put a colon and a space behind each key");
    insta::assert_snapshot!(route("message = A\nendpoint = good"), @"the document must be a mapping of keys to values, such as message: …; put a colon and a space behind each key");
    insta::assert_snapshot!(route("message: A\nendpoint: good\nendpoint: other"), @"cannot be read as YAML (line 3, column 1): a key stands there twice");
    insta::assert_snapshot!(route("- message: A\n  endpoint: good"), @"the document must be a mapping of keys to values, such as message: …; take out the - at its beginning");
    insta::assert_snapshot!(route(r"message: A\nendpoint: good"), @r#"cannot be read as YAML (line 1, column 21): "message": \n is no line break here: make real ones"#);
    insta::assert_snapshot!(route("message: A\n---\nmessage: B"), @"cannot be read as YAML (line 3, column 1): one document alone: take out the line ---");
    insta::assert_snapshot!(route_with("description: ready: steady"), @r#"cannot be read as YAML (line 3, column 19): "description": put a value that holds a colon and a space in quotes"#);
    insta::assert_snapshot!(route_with("props:\n  - a\n  b: c"), @"cannot be read as YAML (line 5, column 3): check the indentation of this line and the one before, and that quotes and brackets are closed");
    insta::assert_snapshot!(endpoint_with("auth:\n  type: bearer\n token: hunter2"), @"cannot be read as YAML (line 4, column 2): this line is indented otherwise than the one before: begin them one below the other, unless that one ends in a colon");
    insta::assert_snapshot!(endpoint_with("auth:\n  type: bearer\n  token:hunter2"), @"cannot be read as YAML (line 4, column 3): put a space behind the key's colon");
    insta::assert_snapshot!(endpoint_with("auth: { type: bearer, token:hunter2 }"), @r#""auth" (line 2) holds a key without a value, not shown here: put a space after its colon, or take it out"#);
    insta::assert_snapshot!(endpoint("url:https://shop.example/hunter2\nmethod: POST"), @r#"cannot be read as YAML (line 2, column 7): "url": put a space behind the key's colon"#);
}

#[test]
fn values_that_need_quotes() {
    insta::assert_snapshot!(route("message: *\nendpoint: good"), @r#"cannot be read as YAML (line 1, column 10): "message": put a value that begins with * in quotes"#);
    insta::assert_snapshot!(route("message: *Change\nendpoint: good"), @r#"cannot be read as YAML (line 1, column 10): "message": put a value that begins with * in quotes"#);
    insta::assert_snapshot!(route("message: [*Change, Order*]\nendpoint: good"), @r#"cannot be read as YAML (line 1, column 11): "message": put a value that begins with * in quotes"#);
    insta::assert_snapshot!(route("message: @all\nendpoint: good"), @r#"cannot be read as YAML (line 1, column 10): "message": put a value that begins with one of & ! % @ ` in quotes"#);
    insta::assert_snapshot!(route("message: %\nendpoint: good"), @r#"cannot be read as YAML (line 1, column 10): "message": put a value that begins with one of & ! % @ ` in quotes"#);
    insta::assert_snapshot!(route("message: `A`\nendpoint: good"), @r#"cannot be read as YAML (line 1, column 10): "message": put a value that begins with one of & ! % @ ` in quotes"#);
    insta::assert_snapshot!(route("message: A\nendpoint: &good"), @r#""endpoint" (line 2) is lost: YAML takes what begins with & or ! for a mark of its own; put it in quotes"#);
    insta::assert_snapshot!(route("message: !A\nendpoint: good"), @r#""message" (line 1) is lost: YAML takes what begins with & or ! for a mark of its own; put it in quotes"#);
    insta::assert_snapshot!(route_with("when: !event.vip"), @r#""when" (line 3) is lost: YAML takes what begins with & or ! for a mark of its own; put it in quotes"#);
    insta::assert_snapshot!(route_with("payload: {{ event }}"), @r#"cannot be read as YAML (line 3, column 11): "payload": a value with a template stands in quotes, or behind | on lines of its own, indented"#);
    insta::assert_snapshot!(route_with("payload: {{ event.entityRef }}-x"), @r#"cannot be read as YAML (line 3, column 11): "payload": a value with a template stands in quotes, or behind | on lines of its own, indented"#);
    insta::assert_snapshot!(route_with(r#"payload: {"order": {{ event.entityRef }}}"#), @r#"cannot be read as YAML (line 3, column 21): "payload": a value with a template stands in quotes, or behind | on lines of its own, indented"#);
    insta::assert_snapshot!(route_with(r#"payload: {"order": "a"}"#), @r#""payload" (line 3) must be text, not a mapping: put what begins with { in quotes, or behind | on lines of its own, indented"#);
    insta::assert_snapshot!(route_with("payload:\n  {\"order\": {{ event.entityRef }}}"), @"cannot be read as YAML (line 4, column 14): a value with a template stands in quotes, or behind | on lines of its own, indented");
    insta::assert_snapshot!(route_with("payload: {% if true %}1{% endif %}"), @r#"cannot be read as YAML (line 3, column 11): "payload": a value with a template stands in quotes, or behind | on lines of its own, indented"#);
    insta::assert_snapshot!(route_with("when: {{ event.vip }}"), @r#"cannot be read as YAML (line 3, column 8): "when": a value with a template stands in quotes, or behind | on lines of its own, indented"#);
    insta::assert_snapshot!(route_with("fetch:\n  query: '{ me }'\n  variables:\n    id: {{ event.entityId }}"), @"cannot be read as YAML (line 6, column 10): a value with a template stands in quotes, or behind | on lines of its own, indented");
    insta::assert_snapshot!(route_with("respond:\n  name: A\n  attributes: { url: {{ response.url }} }"), @"cannot be read as YAML (line 5, column 23): a value with a template stands in quotes, or behind | on lines of its own, indented");
    insta::assert_snapshot!(route_with("fetch:\n  query: {\n    me { id }\n  }"), @"cannot be read as YAML (line 5, column 8): a GraphQL query stands in quotes, or behind | on lines of its own, indented");
    insta::assert_snapshot!(endpoint_with("headers:\n  x-ref: {{ event.entityRef }}"), @"cannot be read as YAML (line 3, column 11): a value with a template stands in quotes, or behind | on lines of its own, indented");
    insta::assert_snapshot!(endpoint_with("headers:\n  x-key: @hunter2"), @"cannot be read as YAML (line 3, column 10): put a value that begins with one of & ! % @ ` in quotes");
    insta::assert_snapshot!(endpoint_with("headers:\n  x-key: %hunter2"), @"cannot be read as YAML (line 3, column 10): put a value that begins with one of & ! % @ ` in quotes");
    insta::assert_snapshot!(endpoint_with("auth: { type: bearer, token: hunter2: }"), @r#"cannot be read as YAML (line 2, column 37): "auth": put a value that holds a colon and a space in quotes"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: bearer, token: *hunter2 }"), @r#"cannot be read as YAML (line 2, column 30): "auth": put a value that begins with * in quotes"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: bearer, token: [hunter2 }"), @r#"cannot be read as YAML (line 2, column 30): "auth": a quote or a bracket is not closed, or one too many: put a value that holds one in quotes"#);
}

#[test]
fn quotes_and_brackets() {
    insta::assert_snapshot!(route("message: \"A\nendpoint: good"), @r#"cannot be read as YAML (line 2, column 1): "message": a quote or a bracket is not closed, or one too many: put a value that holds one in quotes"#);
    insta::assert_snapshot!(route("message: [A, B\nendpoint: good"), @r#"cannot be read as YAML (line 2, column 9): "message": a quote or a bracket is not closed, or one too many: put a value that holds one in quotes"#);
    insta::assert_snapshot!(route("message: A]\nendpoint: 'good"), @r#"cannot be read as YAML (line 2, column 11): "endpoint": a quote or a bracket is not closed, or one too many: put a value that holds one in quotes"#);
    insta::assert_snapshot!(route("message: A\nendpoint: “good”"), @r#""endpoint" (line 2) must be a name: letters, digits and . - _ /"#);
    insta::assert_snapshot!(route("{“message”: “A”}"), @"the document holds a key that is not shown here: it begins with a sign that no key begins with, such as a typographic quote or //; known are description, source, message, schedule, when, handler, endpoint, fetch, payload, contentType, respond, enabled, props");
    insta::assert_snapshot!(route("{'message': 'A', 'endpoint': 'good'"), @r#"cannot be read as YAML (line 1, column 1): "message": a quote or a bracket is not closed, or one too many: put a value that holds one in quotes"#);
    insta::assert_snapshot!(route("{\"message\": \"A\"\n \"endpoint\": \"good\"}"), @r#"cannot be read as YAML (line 2, column 2): in JSON a comma stands between two entries, and texts stand in ""#);
    insta::assert_snapshot!(route("{\"message\": \"A\", // why\n \"endpoint\": \"good\"}"), @"the document holds a key that is not shown here: it begins with a sign that no key begins with, such as a typographic quote or //; known are description, source, message, schedule, when, handler, endpoint, fetch, payload, contentType, respond, enabled, props");
    insta::assert_snapshot!(route("{\"message\": \"A\", /* why */\n \"endpoint\": \"good\"}"), @"the document holds a key that is not shown here: it begins with a sign that no key begins with, such as a typographic quote or //; known are description, source, message, schedule, when, handler, endpoint, fetch, payload, contentType, respond, enabled, props");
    insta::assert_snapshot!(route("\"{\\\"message\\\": \\\"A\\\"}\""), @"the document must be a mapping of keys to values, such as message: …; take out the quotes around the whole");
    insta::assert_snapshot!(route("when: 'it's'\nmessage: A"), @r#"cannot be read as YAML (line 1, column 11): "when": a quote or a bracket is not closed, or one too many: put a value that holds one in quotes"#);
    insta::assert_snapshot!(route("message: \"A\\d\"\nendpoint: good"), @r#"cannot be read as YAML (line 1, column 10): "message": between double quotes \ begins an escape: use single quotes, or write \\"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: bearer, token: \"hunter2 }"), @r#"cannot be read as YAML (line 2, column 30): "auth": a quote or a bracket is not closed, or one too many: put a value that holds one in quotes"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: basic, username: a, password: hunter2\"x, }}"), @r#"cannot be read as YAML (line 2, column 57): "auth": a quote or a bracket is not closed, or one too many: put a value that holds one in quotes"#);
    insta::assert_snapshot!(endpoint_with("auth: { type: bearer, token: \"hunter2\\d\" }"), @r#"cannot be read as YAML (line 2, column 30): "auth": between double quotes \ begins an escape: use single quotes, or write \\"#);
    insta::assert_snapshot!(route(""), @"the document is empty: it needs keys and values, such as message: …");
    insta::assert_snapshot!(route("   \n"), @"the document is empty: it needs keys and values, such as message: …");
    insta::assert_snapshot!(route("# message: A"), @"the document is empty: it needs keys and values, such as message: …");
    insta::assert_snapshot!(route("null"), @"the document must be a mapping of keys to values, such as message: …; write one a line");
    insta::assert_snapshot!(route("storefront"), @"the document must be a mapping of keys to values, such as message: …; write one a line");
    insta::assert_snapshot!(route("https://shop.example/orders"), @"the document must be a mapping of keys to values, such as message: …; a URL alone is no such document");
}
