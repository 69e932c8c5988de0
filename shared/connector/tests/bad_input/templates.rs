//! Templates and conditions.

use crate::{route_with, usable};
use connector::parameter::Section;

fn payload(text: &str) -> String {
    route_with(&format!("payload: |\n  {}", text.replace('\n', "\n  ")))
}

fn when(text: &str) -> String {
    route_with(&format!("when: |\n  {text}"))
}

#[test]
fn payloads() {
    insta::assert_snapshot!(payload("{{ event.entityRef"), @r#""payload" (line 3) is no template: line 1: unexpected end of input, expected end of variable block; close {{ with }}"#);
    insta::assert_snapshot!(payload("{{event.entityRef}"), @r#""payload" (line 3) is no template: line 1: unexpected `}`, expected end of variable block; close {{ with }}"#);
    insta::assert_snapshot!(payload("{\"a\": 1,\n \"b\": {{ event.entityRef }, \"c\": 2}"), @r#""payload" (line 3) is no template: line 2: unexpected `}`, expected end of variable block; close {{ with }}"#);
    insta::assert_snapshot!(payload("{{ event->x }}"), @r#""payload" (line 3) is no template: line 1: unexpected `>`; a field stands behind a dot, as in event.entityRef"#);
    insta::assert_snapshot!(payload("{{ $.event.x }}"), @r#""payload" (line 3) is no template: line 1: unexpected character; a field is written event.entityRef, without $"#);
    insta::assert_snapshot!(payload("{\"a\": $.event.entityRef}"), @r#""payload" (line 3) is no template: line 1: a field of an event is written ${ event.entityRef }: other marks are sent as they stand"#);
    insta::assert_snapshot!(payload("{\"a\": \"$.event.entityRef\"}"), @r#""payload" (line 3) is no template: line 1: a field of an event is written ${ event.entityRef }: other marks are sent as they stand"#);
    insta::assert_snapshot!(payload("{\"a\": \"${event.entityRef}\"}"), @r#""payload" (line 3) is no template: line 1: a value stands between quotes and prints its own: write ${ x } without them, and join texts inside of it: ${ "a-" ~ x }"#);
    insta::assert_snapshot!(payload("{\"a\": {event.entityRef}}"), @r#""payload" (line 3) is no template: line 1: a field of an event is written ${ event.entityRef }: other marks are sent as they stand"#);
    insta::assert_snapshot!(payload("{{ evnt.x }}"), @r#""payload" (line 3) is no template: line 1: there is no variable "evnt"; did you mean "event"?"#);
    insta::assert_snapshot!(payload("{{ entityRef }}"), @r#""payload" (line 3) is no template: line 1: there is no variable "entityRef"; known are event, message, props; a field of the event is written event.entityRef, a text in quotes"#);
    insta::assert_snapshot!(payload("{{ payload.entityRef }}"), @r#""payload" (line 3) is no template: line 1: there is no variable "payload"; known are event, message, props; a field of the event is written event.entityRef, a text in quotes"#);
    insta::assert_snapshot!(payload("{{ data.orderById.ref }}"), @r#""payload" (line 3) is no template: line 1: there is no variable "data"; known are event, message, props; data is there where the route has fetch, in its payload"#);
    insta::assert_snapshot!(payload("{{ response.label }}"), @r#""payload" (line 3) is no template: line 1: there is no variable "response"; known are event, message, props; response is there in respond alone"#);
    insta::assert_snapshot!(payload("{{ event.x | defualt('') }}"), @r#""payload" (line 3) is no template: line 1: there is no filter "defualt"; did you mean "default"?"#);
    insta::assert_snapshot!(payload("{{ event.x | toJson }}"), @r#""payload" (line 3) is no template: line 1: there is no filter "toJson"; did you mean "tojson"?"#);
    insta::assert_snapshot!(payload("{{ event.x | json }}"), @r#""payload" (line 3) is no template: line 1: there is no filter "json"; did you mean "tojson"?"#);
    insta::assert_snapshot!(payload("{{ event.x | date_format('%d') }}"), @r#""payload" (line 3) is no template: line 1: there is no filter "date_format"; the README lists those there are"#);
    insta::assert_snapshot!(payload("{{ event.x is empty }}"), @r#""payload" (line 3) is no template: line 1: there is no test "empty"; there are defined, none, string, number, sequence, mapping, startingwith and others"#);
    insta::assert_snapshot!(payload("{{ event.x is null }}"), @r#""payload" (line 3) is no template: line 1: there is no test "null"; there are defined, none, string, number, sequence, mapping, startingwith and others"#);
    insta::assert_snapshot!(payload("{{ event.x ?? 'a' }}"), @r#""payload" (line 3) is no template: line 1: unexpected character; write x | default("…")"#);
    insta::assert_snapshot!(payload("{{ event.x ? 'a' : 'b' }}"), @r#""payload" (line 3) is no template: line 1: unexpected character; write a if condition else b"#);
    insta::assert_snapshot!(payload("{{ event.x || 'a' }}"), @r#""payload" (line 3) is no template: line 1: unexpected `|`, expected identifier; write and, or, not, in"#);
    insta::assert_snapshot!(payload("{{ event?.x }}"), @r#""payload" (line 3) is no template: line 1: unexpected character; a field stands behind a dot, as in event.entityRef"#);
    insta::assert_snapshot!(payload("{{ event.attributes.Tracking-Number }}"), @r#""payload" (line 3) is no template: line 1: there is no variable "Number"; known are event, message, props; a name with a hyphen is written in brackets: event.attributes["…-Number"]"#);
    insta::assert_snapshot!(payload("{{ event.attributes.2nd }}"), @r#""payload" (line 3) is no template: line 1: unexpected identifier, expected end of variable block"#);
    insta::assert_snapshot!(payload("{{ “a” }}"), @r#""payload" (line 3) is no template: line 1: unexpected character; write " or ' for typographic quotes"#);
    insta::assert_snapshot!(payload("{{ 'a }}"), @r#""payload" (line 3) is no template: line 1: unexpected end of string"#);
    insta::assert_snapshot!(payload("{{ }}"), @r#""payload" (line 3) is no template: line 1: unexpected end of variable block"#);
    insta::assert_snapshot!(payload("{{ now() }}"), @r#""payload" (line 3) is no template: line 1: there is no variable "now"; known are event, message, props; a field of the event is written event.entityRef, a text in quotes"#);
    insta::assert_snapshot!(payload("[{% for x in event.items %}{{ x }}"), @r#""payload" (line 3) is no template: line 1: unexpected end of input, expected end of block"#);
    insta::assert_snapshot!(payload("[{% for x in event.items %}{{ x }}{% end %}]"), @r#""payload" (line 3) is no template: line 1: unknown statement end; there are {% for x in y %} … {% endfor %} and {% if x %} … {% else %} … {% endif %}"#);
    insta::assert_snapshot!(payload("[{% foreach x in event.items %}{% endforeach %}]"), @r#""payload" (line 3) is no template: line 1: unknown statement foreach; there are {% for x in y %} … {% endfor %} and {% if x %} … {% else %} … {% endif %}"#);
    insta::assert_snapshot!(payload("{% if event.vip %}1{% else if event.x %}2{% endif %}"), @r#""payload" (line 3) is no template: line 1: unexpected identifier, expected end of block; write elif"#);
    insta::assert_snapshot!(payload("{% if event.vip = 1 %}1{% endif %}"), @r#""payload" (line 3) is no template: line 1: unexpected `=`, expected end of block; compare with =="#);
    insta::assert_snapshot!(payload("{% include 'other' %}"), @r#""payload" (line 3) is no template: line 1: a template stands alone: it cannot take in another"#);
    insta::assert_snapshot!(payload("{{#if event.vip}}1{{/if}}"), @r#""payload" (line 3) is no template: line 1: unexpected character; write {% if x %} … {% endif %} and {% for x in y %} … {% endfor %}"#);
    insta::assert_snapshot!(payload("{\"a\": \"{{ event.entityRef }}\"}"), @r#""payload" (line 3) is no template: line 1: a value stands between quotes and prints its own: write ${ x } without them, and join texts inside of it: ${ "a-" ~ x }"#);
    insta::assert_snapshot!(payload("{\n \"a\": \"x-{{ event.entityRef }}-y\"\n}"), @r#""payload" (line 3) is no template: line 2: a value stands between quotes and prints its own: write ${ x } without them, and join texts inside of it: ${ "a-" ~ x }"#);
    insta::assert_snapshot!(payload("{'a': {{ event.entityRef }}}"), @r#""payload" (line 3) is no template: line 1: what it makes cannot be JSON: key must be a string (names and texts in ", a comma between two, none behind the last, no comments)"#);
    insta::assert_snapshot!(payload("{a: {{ event.entityRef }}}"), @r#""payload" (line 3) is no template: line 1: what it makes cannot be JSON: key must be a string (names and texts in ", a comma between two, none behind the last, no comments)"#);
    insta::assert_snapshot!(payload("{\"a\": {{ event.entityRef }}\n \"b\": 1}"), @r#""payload" (line 3) is no template: line 2: what it makes cannot be JSON: expected `,` or `}` (names and texts in ", a comma between two, none behind the last, no comments)"#);
    insta::assert_snapshot!(payload("{\"a\": {{ event.entityRef }},\n}"), @r#""payload" (line 3) is no template: line 2: what it makes cannot be JSON: key must be a string (names and texts in ", a comma between two, none behind the last, no comments)"#);
    insta::assert_snapshot!(payload("{\"a\": {{ event.entityRef }}"), @r#""payload" (line 3) is no template: line 1: what it makes cannot be JSON: EOF while parsing an object (names and texts in ", a comma between two, none behind the last, no comments)"#);
    insta::assert_snapshot!(payload("{\"a\": {{ event.entityRef }}}}"), @r#""payload" (line 3) is no template: line 1: what it makes cannot be JSON: trailing characters (names and texts in ", a comma between two, none behind the last, no comments)"#);
    insta::assert_snapshot!(payload("{\"a\": 1 // why\n}"), @r#""payload" (line 3) is no template: line 1: what it makes cannot be JSON: expected `,` or `}` (names and texts in ", a comma between two, none behind the last, no comments)"#);
    insta::assert_snapshot!(payload("<order>{{ event.entityRef }}</order>"), @r#""payload" (line 3) is no template: line 1: what it makes cannot be JSON: expected value; where it is none, say so by contentType, such as application/xml or text/plain"#);
    insta::assert_snapshot!(payload("order={{ event.entityRef }}"), @r#""payload" (line 3) is no template: line 1: what it makes cannot be JSON: expected value; where it is none, say so by contentType, such as application/xml or text/plain"#);
}

#[test]
fn conditions() {
    insta::assert_snapshot!(when("event.status = \"x\""), @r#""when" (line 3) is no template: line 1: unexpected input after expression; compare with =="#);
    insta::assert_snapshot!(when("event.status === \"x\""), @r#""when" (line 3) is no template: line 1: unexpected `=`; compare with == or !="#);
    insta::assert_snapshot!(when("event.status !== \"x\""), @r#""when" (line 3) is no template: line 1: unexpected `=`; compare with == or !="#);
    insta::assert_snapshot!(when("event.a && event.b"), @r#""when" (line 3) is no template: line 1: unexpected character; write and, or, not, in"#);
    insta::assert_snapshot!(when("event.a || event.b"), @r#""when" (line 3) is no template: line 1: unexpected `|`, expected identifier; write and, or, not, in"#);
    insta::assert_snapshot!(when("!event.a"), @r#""when" (line 3) is no template: line 1: unexpected character; write and, or, not, in"#);
    insta::assert_snapshot!(when("event.status <> 'x'"), @r#""when" (line 3) is no template: line 1: unexpected `>`; compare with == or !="#);
    insta::assert_snapshot!(when("event.status IN ['a']"), @r#""when" (line 3) is no template: line 1: unexpected input after expression; write and, or, not, in"#);
    insta::assert_snapshot!(when("event.a AND event.b"), @r#""when" (line 3) is no template: line 1: unexpected input after expression; write and, or, not, in"#);
    insta::assert_snapshot!(when("event.status.equals('x')x"), @r#""when" (line 3) is no template: line 1: unexpected input after expression"#);
    insta::assert_snapshot!(when("{{ event.vip }}"), @r#""when" (line 3) is no template: line 1: a condition is an expression alone, without ${ }, {% %} and if"#);
    insta::assert_snapshot!(when("{% if event.vip %}true{% endif %}"), @r#""when" (line 3) is no template: line 1: a condition is an expression alone, without ${ }, {% %} and if"#);
    insta::assert_snapshot!(when("if event.vip"), @r#""when" (line 3) is no template: line 1: a condition is an expression alone, without ${ }, {% %} and if"#);
    insta::assert_snapshot!(when("status == 'SHIPPED'"), @r#""when" (line 3) is no template: line 1: there is no variable "status"; known are event, message, props; a field of the event is written event.entityRef, a text in quotes"#);
    insta::assert_snapshot!(when("event.status == SHIPPED"), @r#""when" (line 3) is no template: line 1: there is no variable "SHIPPED"; known are event, message, props; a field of the event is written event.entityRef, a text in quotes"#);
    insta::assert_snapshot!(when("event.status = ‘x’"), @r#""when" (line 3) is no template: line 1: unexpected input after expression; write " or ' for typographic quotes"#);
    insta::assert_snapshot!(when("(event.a"), @r#""when" (line 3) is no template: line 1: unexpected end of input, expected `)`"#);
    insta::assert_snapshot!(when("event.a and"), @r#""when" (line 3) is no template: line 1: unexpected end of input, expected expression"#);
    insta::assert_snapshot!(when("event.status ~= /x/"), @r#""when" (line 3) is no template: line 1: unexpected `=`; compare with =="#);
    insta::assert_snapshot!(when("data.x"), @r#""when" (line 3) is no template: line 1: there is no variable "data"; known are event, message, props; data is there where the route has fetch, in its payload"#);
    insta::assert_snapshot!(when("event.name is startsWith('a')"), @r#""when" (line 3) is no template: line 1: there is no test "startsWith"; did you mean "startingwith"?"#);
}

#[test]
fn templates_in_other_places() {
    insta::assert_snapshot!(route_with("fetch:\n  query: '{ me }'\n  variables:\n    id: '{{ event.entityId'"), @r#""fetch.variables.id" (line 6) is no template: line 1: unexpected end of input, expected end of variable block; close {{ with }}"#);
    insta::assert_snapshot!(route_with("fetch:\n  query: '{ me }'\n  variables:\n    id: ['{{ evnt.entityId }}']"), @r#""fetch.variables.id" (line 6) is no template: line 1: there is no variable "evnt"; did you mean "event"?"#);
    insta::assert_snapshot!(route_with("fetch:\n  query: '{ me }'\n  variables:\n    id: '${ event.entityId'"), @r#""fetch.variables.id" (line 6) is no template: line 1: ${ has no }"#);
    insta::assert_snapshot!(route_with("fetch:\n  query: '{ me }'\n  variables:\n    id: $.event.entityId"), @r#""fetch.variables.id" (line 6) is no template: line 1: a field of an event is written ${ event.entityRef }: other marks are sent as they stand"#);
    insta::assert_snapshot!(route_with("respond:\n  name: '{{ event.x }'"), @r#""respond.name" (line 4) is no template: line 1: unexpected `}`, expected end of variable block; close {{ with }}"#);
    insta::assert_snapshot!(route_with("respond:\n  name: A\n  attributes:\n    x: '{{ data.x }}'"), @r#""respond.attributes.x" (line 6) is no template: line 1: there is no variable "data"; known are event, message, props, response; data is there where the route has fetch, in its payload"#);
    insta::assert_snapshot!(route_with("respond:\n  when: response.x = 1\n  name: A"), @r#""respond.when" (line 4) is no template: line 1: unexpected input after expression; compare with =="#);
    insta::assert_snapshot!(route_with("contentType: application/xml\npayload: <a>{{ event.x }</a>"), @r#""payload" (line 4) is no template: line 1: unexpected `}`, expected end of variable block; close {{ with }}"#);
}

#[test]
fn what_looks_wrong_and_is_right() {
    for lines in [
        "payload: |\n  {\"price\": {{ \"$\" ~ event.price }}, \"note\": \"costs $5 {really}\"}",
        "payload: |\n  {\"label\": \"{{ event.entityRef | safe }}\"}",
        "payload: |\n  [{% for item in event.items %}{{ item }}{% if not loop.last %},{% endif %}{% endfor %}]",
        "payload: '{{ event }}'",
        "payload: ${ event }",
        "payload: |\n  {\"a\": ${ event.a | default({\"b\": 1}) }, \"c\": ${event.c}}",
        "fetch:\n  query: '{ me }'\n  variables:\n    id: ${event.entityId}",
        "payload: |\n  {{ event.entityRef }}",
        "contentType: text/plain\npayload: '\"{{ event.entityRef }}\" and {a}'",
        "when: event.status != 'x' and not event.vip",
    ] {
        usable(Section::Routes, &format!("message: A\nendpoint: good\n{lines}"));
    }
}
