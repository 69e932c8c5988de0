//! The shipped handlers: what they send, to whom, and what becomes of answers.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use connector::delivery::Response;
use connector::failure::Code;
use connector::handler::HandlerError;
use connector::job::{Asker, Beginning, Start};
use connector::message::Message;
use connector::parameter::Section;
use serde_json::{Value, json};
use testkit::workbench::{Workbench, on_route};

const ACCOUNT: &str = "{ baseUrl: https://acme.api.example, username: u, password: hunter2-p, clientId: c, clientSecret: hunter2-s, retailerId: 1 }";
const SHOP: &str = "https://shop.example/orders/{{ event.entityRef }}";

fn bench(route: &str) -> Workbench {
    Workbench::with(&[
        (Section::Accounts, "ACME", ACCOUNT),
        (Section::Endpoints, "shop", SHOP),
        (Section::Routes, "r", route),
    ])
}

fn event() -> Value {
    json!({"id": "m1", "name": "Shipped", "accountId": "ACME", "retailerId": "2", "entityType": "ORDER",
        "entityId": 9_007_199_254_740_993_u64, "entityRef": "HD 1", "rootEntityType": "ORDER", "rootEntityRef": "HD 1"})
}

impl Tried {
    /// The JSON of request number `index`.
    fn body(&self, index: usize) -> Value {
        serde_json::from_slice(&self.bench.transport.requests()[index].body).unwrap()
    }

    fn url(&self, index: usize) -> String {
        self.bench.transport.requests()[index].url.as_url().to_string()
    }
}

/// A bench after a message was handled.
struct Tried {
    bench: Workbench,
    result: Result<(), HandlerError>,
}

async fn handled(bench: Workbench, message: &Message) -> Tried {
    let result = bench.handle(&handlers::registry().build().unwrap(), message).await;
    Tried { bench, result }
}

async fn tried(route: &str, answers: &[(u16, Value)]) -> Tried {
    let bench = bench(route);
    bench.answers(answers);
    handled(bench, &on_route("r", "Shipped", &event())).await
}

fn token() -> (u16, Value) {
    (200, json!({"access_token": "hunter2-t", "expires_in": 3600}))
}

#[tokio::test]
async fn without_a_payload_the_event_goes_as_it_came() {
    let tried = tried("message: Shipped\nendpoint: shop", &[]).await;
    assert_eq!(tried.result, Ok(()));
    assert_eq!(tried.url(0), "https://shop.example/orders/HD%201");
    assert_eq!(tried.body(0), event());
    assert!(tried.bench.event_queue.sent().is_empty());
}

#[tokio::test]
async fn a_payload_is_made_of_the_event_and_of_what_fluent_tells() {
    let route = r#"
message: Shipped
endpoint: shop
fetch:
  query: "query($id: ID!) { orderById(id: $id) { ref customer { primaryEmail } } }"
  variables: { id: "{{ event.entityId }}", first: 5 }
payload: |
  {"order": {{ event.entityRef }}, "email": {{ data.orderById.customer.primaryEmail }}, "tenant": {{ props.tenant }}}
props: { tenant: acme }
"#;
    let data =
        json!({"data": {"orderById": {"ref": "HD 1", "customer": {"primaryEmail": "\"a\"@shop.example"}}}});
    let tried = tried(route, &[token(), (200, data)]).await;
    assert_eq!(tried.result, Ok(()));
    assert_eq!(tried.url(1), "https://acme.api.example/graphql");
    assert_eq!(tried.body(1)["variables"], json!({"id": 9_007_199_254_740_993_u64, "first": 5}));
    assert_eq!(tried.body(2), json!({"order": "HD 1", "email": "\"a\"@shop.example", "tenant": "acme"}));
    assert!(!format!("{:?}", tried.bench.log.entries()).contains("hunter2"));
}

#[tokio::test]
async fn nothing_is_sent_where_what_was_fetched_does_not_call_for_it() {
    let query = r#"query: "query($id: ID!) { orderById(id: $id) { vip } }""#;
    let fetch = format!(
        "fetch: {{ {query}, variables: {{ id: '{{{{ event.entityId }}}}' }}, when: data.orderById.vip }}"
    );
    for (handler, props) in
        [("webhook", "{}"), ("fluent-event", "{}"), ("fluent-graphql", "{ query: 'mutation { a }' }")]
    {
        let event = r#"{"name": "Told", "entityType": "ORDER", "entityRef": "HD 1"}"#;
        let route = format!(
            "message: Shipped\nendpoint: shop\nhandler: {handler}\npayload: '{event}'\nprops: {props}\n{fetch}"
        );
        let answer = |vip: bool| (200, json!({"data": {"orderById": {"vip": vip}}}));
        let sent = tried(&route, &[token(), answer(true), (200, json!({"data": {}}))]).await;
        assert_eq!((&sent.result, sent.bench.transport.requests().len()), (&Ok(()), 3), "{handler}");
        let silent = tried(&route, &[token(), answer(false)]).await;
        assert_eq!((&silent.result, silent.bench.transport.requests().len()), (&Ok(()), 2), "{handler}");
        assert!(silent.bench.log.types().contains(&"message.note".to_owned()), "{handler}");
        let unclear = tried(&route, &[token(), (200, json!({"data": {"orderById": {}}}))]).await;
        let Err(HandlerError::Misconfigured { code: Code::Template, reason }) = unclear.result else {
            unreachable!("{handler} fails")
        };
        assert_eq!(reason, "fetch.when of routes/r: line 1: `data.orderById.vip` is undefined");
    }
}

#[tokio::test]
async fn no_digit_is_lost_on_the_way_through_fluent() {
    let route = "message: Shipped\nendpoint: shop\nfetch:\n  query: '{ me { n } }'\n  variables: { n: 12345678901234567890123 }\npayload: '[${ data.n }, ${ data.d }]'";
    let bench = bench(route);
    let data = r#"{"data":{"n":170141183460469231731687303715884105727,"d":12345678901234567.89}}"#;
    let response = |body: &str| Ok(Response { status: 200, retry_after: None, body: body.into() });
    bench.transport.answer_with([response(r#"{"access_token":"t","expires_in":60}"#), response(data)]);
    let fetched = handled(bench, &on_route("r", "Shipped", &event())).await;
    assert_eq!(fetched.result, Ok(()));
    let sent = fetched.bench.transport.requests()[2].body.clone();
    assert_eq!(sent, br#"[170141183460469231731687303715884105727, "12345678901234567.89"]"#);
}

#[tokio::test]
async fn what_a_template_cannot_make_is_misconfigured_and_nothing_is_sent() {
    for (line, reason) in [
        (
            "payload: '{{ event.entityref }}'",
            "payload of routes/r: line 1: `event.entityref` is undefined; did you mean `event.entityRef`?",
        ),
        (
            "payload: '{% if true %}{\"a\": \"{{ event.entityRef }}\"}{% endif %}'",
            "payload of routes/r: what it makes is not JSON",
        ),
    ] {
        let tried = tried(&format!("message: Shipped\nendpoint: shop\n{line}"), &[]).await;
        let Err(HandlerError::Misconfigured { code: Code::Template, reason: told }) = tried.result else {
            unreachable!("{line} fails")
        };
        assert!(told.starts_with(reason), "{told}");
        assert!(tried.bench.transport.requests().is_empty());
    }
}

#[tokio::test]
async fn xml_goes_out_as_xml() {
    let route = "message: Shipped\nendpoint: shop\ncontentType: application/xml\npayload: <order>{{ event.entityRef ~ '&' }}</order>";
    let tried = tried(route, &[]).await;
    let request = &tried.bench.transport.requests()[0];
    assert_eq!(request.body, b"<order>HD 1&amp;</order>");
    assert_eq!(request.headers["content-type"], "application/xml");
}

const RESPONDING: &str = r#"
message: Shipped
endpoint: shop
respond:
  when: response.label is defined
  name: CarrierBooked
  attributes: { labelUrl: "{{ response.label.url }}", parcels: "{{ response.parcels }}", by: "carrier {{ props.carrier }}" }
props: { carrier: fast }
"#;

#[tokio::test]
async fn an_answer_becomes_an_event_in_a_message_of_its_own() {
    let answer = json!({"label": {"url": "https://labels.example/1"}, "parcels": 2});
    let delivered = tried(RESPONDING, &[(201, answer)]).await;
    assert_eq!(delivered.result, Ok(()));
    let [passed_on] = &delivered.bench.event_queue.sent()[..] else {
        unreachable!("one message is passed on")
    };
    assert_eq!(
        (passed_on.group.as_str(), passed_on.deduplication.as_str()),
        ("group#answer", "fluent/m1/r/answer")
    );
    let message = Message::parse(&passed_on.body).unwrap();
    let bench = bench(RESPONDING);
    bench.answers(&[token(), (200, json!({"id": "e1"}))]);
    let answered = handled(bench, &message).await;
    assert_eq!(answered.result, Ok(()));
    assert_eq!(answered.url(1), "https://acme.api.example/api/v4.1/event/async");
    assert_eq!(
        answered.body(1),
        json!({"name": "CarrierBooked", "retailerId": "2", "entityType": "ORDER", "entityId": "9007199254740993",
            "entityRef": "HD 1", "rootEntityType": "ORDER", "rootEntityRef": "HD 1",
            "attributes": {"labelUrl": "https://labels.example/1", "parcels": 2, "by": "carrier fast"}})
    );
    assert_eq!(answered.bench.transport.requests().len(), 2, "nothing is delivered again");
}

#[tokio::test]
async fn an_answer_that_is_not_wanted_or_no_json_ends_where_it_should() {
    let message = on_route("r", "Shipped", &event());
    let answer = |body: &str| {
        let response = connector::delivery::Response { status: 200, retry_after: None, body: body.into() };
        message.answered(&response).unwrap()
    };
    let unwanted = handled(bench(RESPONDING), &answer("{}")).await;
    assert_eq!((unwanted.result, unwanted.bench.transport.requests().len()), (Ok(()), 0));
    let text = handled(bench(RESPONDING), &answer("<label/>")).await;
    assert_eq!(text.result, Ok(()), "a text has no label");
    let eager = RESPONDING.replace("when: response.label is defined", "when: \"true\"");
    let failed = handled(bench(&eager), &answer("null")).await;
    assert!(matches!(failed.result, Err(HandlerError::Misconfigured { code: Code::Template, .. })));
}

#[tokio::test]
async fn an_answer_that_the_queue_refuses_brings_the_message_back() {
    let bench = bench(RESPONDING);
    bench.event_queue.fail_next([true]);
    let refused = handled(bench, &on_route("r", "Shipped", &event())).await;
    assert!(matches!(refused.result, Err(HandlerError::Unconfirmed { code: Code::Queue, .. })));
}

#[tokio::test]
async fn an_event_is_sent_to_fluent_as_the_payload_says() {
    let route = r#"
message: "*"
handler: fluent-event
payload: |
  {"name": "ShipmentMoved", "entityType": "FULFILMENT", "entityRef": {{ event.entityRef }}, "attributes": {"at": {{ message.receivedAt }}}}
props: { account: ACME }
"#;
    let sent = tried(route, &[token(), (200, json!({}))]).await;
    assert_eq!(sent.result, Ok(()));
    assert_eq!(
        sent.body(1),
        json!({"name": "ShipmentMoved", "entityType": "FULFILMENT", "entityRef": "HD 1", "retailerId": "1",
            "attributes": {"at": "2026-11-20T08:30:00.000Z"}})
    );
    for (payload, problem) in [
        ("{}", "payload of routes/r: the event: key \"name\" is missing"),
        ("{\"nme\": 1}", "payload of routes/r: the event: unknown key \"nme\"; did you mean \"name\"?"),
        (
            "{\"name\": \"a\", \"entityType\": \"ORDER\"}",
            "payload of routes/r: the event: key \"entityRef\" is missing",
        ),
    ] {
        let wrong = tried(&format!("message: '*'\nhandler: fluent-event\npayload: '{payload}'"), &[]).await;
        let Err(HandlerError::Misconfigured { reason, .. }) = wrong.result else {
            unreachable!("{payload} fails")
        };
        assert_eq!(reason, problem);
    }
    let none = tried("message: '*'\nhandler: fluent-event", &[]).await;
    assert!(matches!(none.result, Err(HandlerError::Misconfigured { code: Code::Template, .. })));
}

#[tokio::test]
async fn a_mutation_runs_with_the_variables_of_the_payload() {
    let route = r#"
message: "*"
handler: fluent-graphql
payload: '{"input": {"id": {{ event.entityId }}, "status": "SHIPPED"}}'
props: { query: "mutation($input: UpdateOrderInput!) { updateOrder(input: $input) { id } }" }
"#;
    let run = tried(route, &[token(), (200, json!({"data": {"updateOrder": {"id": "1"}}}))]).await;
    assert_eq!(run.result, Ok(()));
    assert_eq!(run.body(1)["variables"]["input"]["id"], 9_007_199_254_740_993_u64);
    assert!(run.body(1)["query"].as_str().unwrap().starts_with("mutation"));
}

#[tokio::test]
async fn a_key_of_props_that_a_codeless_handler_reads_has_to_be_usable() {
    let event = "payload: '{\"name\": \"a\", \"entityType\": \"ORDER\", \"entityRef\": \"1\"}'";
    for (handler, problem) in [
        ("fluent-graphql".to_owned(), r#"key "query" is missing"#),
        ("fluent-graphql\nprops: { query: 7 }".to_owned(), r#""query" must be text: put it in quotes"#),
        (format!("fluent-event\n{event}\nprops: {{ sync: 'yes' }}"), r#""sync" must be true or false"#),
        (
            format!("fluent-event\n{event}\nprops: {{ account: 1 }}"),
            r#""account" must be text: put it in quotes"#,
        ),
    ] {
        let wrong = tried(&format!("message: '*'\nhandler: {handler}"), &[]).await;
        let reason = format!("the route's props: {problem}");
        assert_eq!(wrong.result, Err(HandlerError::Misconfigured { code: Code::Route, reason }));
    }
}

#[tokio::test]
async fn a_payload_that_is_no_order_is_parked_before_anybody_is_asked() {
    for (payload, problem) in [
        ("", "the route has no payload, and handler fluent-order needs one: the order"),
        ("payload: '[]'", "the payload is no order: it is no mapping"),
        (r#"payload: '{"ref": null}'"#, r#"the payload is no order: "ref" is missing"#),
        (r#"payload: '{"ref": 7}'"#, r#"the payload is no order: "customer" is missing"#),
        (r#"payload: '{"ref": 7, "customer": {}}'"#, r#"the payload is no order: "username" is missing"#),
        (
            r#"payload: '{"ref": 7, "customer": {"username": "a"}, "items": []}'"#,
            r#"the payload is no order: "items" holds nothing"#,
        ),
    ] {
        let wrong = tried(&format!("message: '*'\nhandler: fluent-order\n{payload}"), &[]).await;
        let reason = problem.to_owned();
        assert_eq!(wrong.result, Err(HandlerError::Misconfigured { code: Code::Template, reason }));
        assert_eq!(wrong.bench.transport.requests().len(), 0);
    }
}

#[tokio::test]
async fn silence_can_be_meant() {
    let ignored = tried("message: '*'\nhandler: ignore", &[]).await;
    assert_eq!((ignored.result, ignored.bench.transport.requests().len()), (Ok(()), 0));
}

#[tokio::test]
async fn a_paused_endpoint_is_not_fetched_for() {
    let bench = Workbench::with(&[
        (Section::Endpoints, "shop", "{ url: 'https://shop.example', paused: true }"),
        (Section::Routes, "r", "message: Shipped\nendpoint: shop\nfetch: { query: '{ me { id } }' }"),
    ]);
    let held = handled(bench, &on_route("r", "Shipped", &event())).await;
    assert_eq!(held.result, Err(HandlerError::Paused { endpoint: "shop".to_owned() }));
    assert!(held.bench.transport.requests().is_empty());
}

#[tokio::test]
async fn a_route_that_the_clock_starts_asks_the_account_that_its_props_name() {
    let fetch = "fetch: { query: '{ orders { total } }' }\npayload: '{\"open\": ${ data.orders.total }}'";
    let bench =
        bench(&format!("schedule: {{ every: 24h }}\nendpoint: shop\nprops: {{ account: ACME }}\n{fetch}"));
    bench.answers(&[token(), (200, json!({"data": {"orders": {"total": 7}}})), (200, json!({}))]);
    let start = Start {
        route: "r".to_owned(),
        id: "r/2026-11-20T08:30:00Z".to_owned(),
        requested_at: bench.clock.port()(),
        asker: Asker::Schedule,
        beginning: Beginning::LastEnd,
    };
    let tried = handled(bench, &Message::parse(&start.outgoing(None).unwrap().body).unwrap()).await;
    assert_eq!((tried.result.clone(), tried.body(2)), (Ok(()), json!({"open": 7})));
}
