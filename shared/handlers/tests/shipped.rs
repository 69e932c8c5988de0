//! The shipped routes, each switched on by a parameter: what they send of a sample event, and what becomes of the answer.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use connector::cache::Snapshot as _;
use connector::configuration::RoutingTable;
use connector::failure::Code;
use connector::handler::HandlerError;
use connector::message::Message;
use connector::parameter::{Parameter, Section};
use connector::secret::Secret;
use connector::shipped;
use serde_json::{Value, json};
use testkit::shipped::{answer, fluent, sample, to_endpoints};
use testkit::workbench::{Workbench, on_route};

const ACCOUNT: &str = "{ baseUrl: https://acme.api.example, username: u, password: p, clientId: c, clientSecret: s, retailerId: 1 }";
const ENDPOINTS: [&str; 6] = ["storefront", "mail", "sms", "wms", "carrier", "erp"];
/// Those that ask Fluent.
const FETCHING: [&str; 8] = [
    "carrier-booking",
    "carrier-label",
    "carrier-manifest",
    "erp-sales-order",
    "order-ready-email",
    "order-ready-sms",
    "wms-fulfilment-request",
    "wms-fulfilment-request-xml",
];
/// What breaks texts that are put into JSON, XML or templates without care; no spaces, dots, hyphens and round brackets,
/// which are taken out of telephone numbers.
const HOSTILE: &str = "\"'\\\n\t<b>&amp;]]>{{7*7}}{%\u{2028}ü📦";
const HOSTILE_IN_XML: &str = "&quot;&#x27;\\\n\t&lt;b&gt;&amp;amp;]]&gt;{{7*7}}{%\u{2028}ü📦";

fn bench(route: &str, parameter: &str) -> Workbench {
    let mut parameters =
        vec![(Section::Accounts, "ACME", ACCOUNT.to_owned()), (Section::Routes, route, parameter.to_owned())];
    for name in ENDPOINTS {
        parameters.push((Section::Endpoints, name, format!("https://{name}.example/in")));
    }
    let parameters: Vec<_> =
        parameters.iter().map(|(section, name, value)| (*section, *name, value.as_str())).collect();
    Workbench::with(&parameters)
}

/// What one message led to.
struct Tried {
    bench: Workbench,
    result: Result<(), HandlerError>,
}

impl Tried {
    /// The delivery; none where nothing was sent to an endpoint.
    fn delivery(&self) -> Option<connector::delivery::OutboundRequest> {
        let is_delivery =
            |url: &str| ENDPOINTS.iter().any(|name| url.contains(&format!("//{name}.example/")));
        self.bench.transport.requests().into_iter().find(|request| is_delivery(request.url.as_url().as_str()))
    }

    fn text(&self) -> String {
        assert_eq!(self.result, Ok(()));
        String::from_utf8(self.delivery().unwrap().body).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }

    /// The reason for which it is parked until somebody mends it.
    fn problem(self) -> String {
        match self.result {
            Err(HandlerError::Misconfigured { code: Code::Template, reason }) => reason,
            other => panic!("{other:?} is not misconfigured"),
        }
    }
}

async fn handled(route: &str, message: &Message, answers: &[(u16, Value)]) -> Tried {
    let bench = bench(route, "enabled: true");
    bench.answers(answers);
    let result = bench.handle(&handlers::registry().build().unwrap(), message).await;
    Tried { bench, result }
}

fn token() -> (u16, Value) {
    (200, json!({"access_token": "t", "expires_in": 3600}))
}

/// Sends the route's sample, with these entities in Fluent and this answer of the receiver.
async fn sent(route: &str, entities: &Value, answered: Value) -> Tried {
    let fetch = shipped::route(route).unwrap().unwrap().fetch;
    let mut answers = vec![(200, answered)];
    if let Some(fetch) = fetch {
        answers.splice(0..0, [token(), (200, answer(&fetch.query, entities))]);
    }
    handled(route, &sample(route), &answers).await
}

async fn body(route: &str, entities: &Value) -> String {
    sent(route, entities, json!({})).await.text()
}

/// Request and, where the route responds, the event: for a snapshot.
async fn exchange(route: &str, answered: Value) -> String {
    let sent = sent(route, &fluent(), answered).await;
    let request = sent.delivery().unwrap();
    let content_type = request.headers["content-type"].to_str().unwrap();
    let text = sent.text();
    let body = if content_type == "application/json" { pretty(&sent.json()) } else { text };
    let mut told = format!("{} {}\n{content_type}\n{body}", request.method, request.url.as_url());
    for message in sent.bench.event_queue.sent() {
        let message = Message::parse(&message.body).unwrap();
        let passed_on = handled(route, &message, &[token(), (200, json!({"id": "e1"}))]).await;
        assert_eq!(passed_on.result, Ok(()));
        let requests = passed_on.bench.transport.requests();
        let event: Value = serde_json::from_slice(&requests[1].body).unwrap();
        told = format!("{told}\n{}\n{}", requests[1].url.as_url(), pretty(&event));
    }
    told
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

fn routes_for(parameter: Option<(&str, &str)>, message: &Message) -> Vec<String> {
    let parameters: Vec<_> = parameter
        .map(|(name, text)| Parameter {
            section: Section::Routes,
            name: name.to_owned(),
            value: Secret::new(text),
            version: 1,
        })
        .into_iter()
        .collect();
    let (table, problems) = RoutingTable::build(&parameters, None);
    assert!(problems.is_empty(), "{problems:?}");
    table.routes_for(message).map(|(name, _)| name.to_owned()).collect()
}

/// A value with each of its texts and numbers changed; keys that hold references are told.
fn mapped(value: &Value, key: &str, change: &dyn Fn(&str, &Value) -> Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| mapped(item, key, change)).collect(),
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| (key.clone(), mapped(value, key, change));
            Value::Object(fields.iter().map(field).collect())
        }
        leaf => change(key, leaf),
    }
}

/// The body's structure: its keys, without what is in lists and attributes.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| {
                (key.clone(), if key == "attributes" { Value::Null } else { shape(value) })
            };
            Value::Object(fields.iter().map(field).collect())
        }
        _ => Value::Null,
    }
}

/// Whether each tag of an XML document is closed by its own.
fn is_well_formed(xml: &str) -> bool {
    let mut open = Vec::new();
    for tag in xml.split('<').skip(1).filter(|tag| !tag.starts_with('?')) {
        let Some((tag, text)) = tag.split_once('>') else { return false };
        let raw = text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "");
        if raw.replace("&quot;", "").replace("&#x27;", "").replace("&#x2f;", "").contains('&') {
            return false;
        }
        match tag.strip_prefix('/') {
            Some(name) if open.pop() != Some(name) => return false,
            Some(_) => {}
            None => open.push(tag.split(' ').next().unwrap_or_default()),
        }
    }
    open.is_empty() && xml.starts_with("<?xml ")
}

fn is_xml(route: &str) -> bool {
    route.ends_with("-xml")
}

#[test]
fn every_route_is_off_until_its_parameter_switches_it_on() {
    for name in to_endpoints() {
        let sample = sample(name);
        assert_eq!(routes_for(None, &sample), Vec::<String>::new(), "{name}");
        assert_eq!(routes_for(Some((name, "enabled: false")), &sample), Vec::<String>::new(), "{name}");
        assert_eq!(routes_for(Some((name, "endpoint: other")), &sample), [name], "it is meant");
        assert_eq!(routes_for(Some((name, "enabled: true")), &sample), [name]);
        let mine = "message: Mine\nwhen: null\nendpoint: mine";
        assert_eq!(routes_for(Some((name, mine)), &sample), Vec::<String>::new(), "{name}");
        let payload = serde_json::from_str(sample.payload.get()).unwrap();
        assert_eq!(routes_for(Some((name, mine)), &on_route(name, "Mine", &payload)), [name]);
    }
}

#[test]
fn every_route_names_an_endpoint_that_the_tests_know_and_bounds_its_lists() {
    let mut fetching = Vec::new();
    for name in to_endpoints() {
        let route = shipped::route(name).unwrap().unwrap();
        let writes_itself = route.handler.starts_with("commercetools-");
        assert!(writes_itself || ENDPOINTS.contains(&route.endpoint.as_deref().unwrap()), "{name}");
        let Some(fetch) = route.fetch else { continue };
        fetching.push(name);
        let lists = fetch.query.matches("edges {").count();
        assert_eq!(fetch.query.matches("(first: 100) {").count(), lists, "{name}");
    }
    assert_eq!(fetching, FETCHING);
}

#[tokio::test]
async fn a_status_is_told_in_the_storefronts_words() {
    insta::assert_snapshot!(exchange("order-status-to-storefront", json!({})).await);
}

#[tokio::test]
async fn a_customer_is_mailed() {
    insta::assert_snapshot!(exchange("order-ready-email", json!({})).await);
}

#[tokio::test]
async fn a_customer_is_texted() {
    insta::assert_snapshot!(exchange("order-ready-sms", json!({})).await);
}

#[tokio::test]
async fn a_warehouse_is_asked_in_json() {
    insta::assert_snapshot!(exchange("wms-fulfilment-request", json!({})).await);
}

#[tokio::test]
async fn a_warehouse_is_asked_in_xml() {
    let told = exchange("wms-fulfilment-request-xml", json!({})).await;
    assert!(is_well_formed(told.splitn(3, '\n').nth(2).unwrap()), "{told}");
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn a_carrier_is_booked_and_its_numbers_reach_fluent() {
    let answered = json!({"bookingNumber": "B 1", "trackingNumber": "T\"1", "trackingUrl": "https://carrier.example/t/1", "labelUrl": "https://carrier.example/l/1.pdf", "price": 4.2});
    insta::assert_snapshot!(exchange("carrier-booking", answered).await);
}

#[tokio::test]
async fn a_label_is_asked_for_and_its_url_reaches_fluent() {
    insta::assert_snapshot!(
        exchange("carrier-label", json!({"labelUrl": "https://carrier.example/l/1.pdf"})).await
    );
}

#[tokio::test]
async fn a_consignment_is_manifested_and_the_number_reaches_fluent() {
    let answered = json!({"manifestNumber": 18_446_744_073_709_551_615_u64, "manifestUrl": null});
    insta::assert_snapshot!(exchange("carrier-manifest", answered).await);
}

#[tokio::test]
async fn an_erp_gets_the_whole_order_and_its_number_reaches_fluent() {
    insta::assert_snapshot!(exchange("erp-sales-order", json!({"orderNumber": "SO-1"})).await);
}

#[tokio::test]
async fn what_fluent_leaves_out_or_has_as_null_parks_nothing() {
    let needed = ["ref", "id", "quantity", "requestedQuantity", "primaryEmail", "primaryPhone"];
    let nulls = mapped(&fluent(), "", &|key, leaf| {
        if needed.contains(&key) { leaf.clone() } else { Value::Null }
    });
    for route in FETCHING {
        let (full, poor) = (body(route, &fluent()).await, body(route, &nulls).await);
        if is_xml(route) {
            assert!(is_well_formed(&poor) && poor.contains("<street></street>"), "{poor}");
            continue;
        }
        let (full, poor) = (serde_json::from_str(&full).unwrap(), serde_json::from_str(&poor).unwrap());
        assert_eq!(shape(&full), shape(&poor), "{route}");
    }
}

#[tokio::test]
async fn whole_entities_that_are_null_park_nothing() {
    for (route, gone) in [
        ("wms-fulfilment-request", &["attributes", "fromAddress", "toAddress", "items"][..]),
        ("wms-fulfilment-request-xml", &["attributes", "fromAddress", "toAddress", "items"]),
        ("carrier-booking", &["fromAddress", "toAddress", "articles"]),
        ("carrier-label", &["carrier", "consignmentArticles", "trackingLabel", "consignmentReference"]),
        ("carrier-manifest", &["carrier", "consignmentArticles"]),
        ("erp-sales-order", &["attributes", "customer", "fulfilmentChoice", "items", "totalPrice"]),
        ("order-ready-email", &["fulfilmentChoice", "fulfilments"]),
        ("order-ready-sms", &["fulfilmentChoice", "fulfilments"]),
    ] {
        let mut entities = fluent();
        for entity in ["orderById", "fulfilmentById", "consignmentById"] {
            for name in gone {
                entities[entity][*name] = Value::Null;
            }
        }
        entities["fulfilmentById"]["order"]["customer"] = Value::Null;
        let poor = body(route, &entities).await;
        if is_xml(route) {
            assert!(is_well_formed(&poor), "{poor}");
            continue;
        }
        let (full, poor) = (body(route, &fluent()).await, serde_json::from_str(&poor).unwrap());
        assert_eq!(shape(&serde_json::from_str(&full).unwrap()), shape(&poor), "{route}");
    }
}

#[tokio::test]
async fn no_text_of_fluents_breaks_a_payload() {
    let hostile = mapped(&fluent(), "", &|key, leaf| match leaf {
        Value::String(text) if !matches!(key, "createdOn" | "eta") => format!("{text}{HOSTILE}").into(),
        leaf => leaf.clone(),
    });
    for route in FETCHING {
        let (plain, hostile) = (body(route, &fluent()).await, body(route, &hostile).await);
        if is_xml(route) {
            assert!(hostile.contains(HOSTILE_IN_XML) && is_well_formed(&hostile), "{hostile}");
            assert_eq!(hostile.replace(HOSTILE_IN_XML, ""), plain);
            continue;
        }
        let hostile: Value = serde_json::from_str(&hostile).unwrap();
        let in_json = serde_json::to_string(HOSTILE).unwrap();
        let in_json = in_json.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
        let told = hostile.to_string();
        assert!(told.contains(in_json), "{route}: {told}");
        let cleaned: Value = serde_json::from_str(&told.replace(in_json, "")).unwrap();
        assert_eq!(cleaned, serde_json::from_str::<Value>(&plain).unwrap(), "{route}");
    }
}

#[tokio::test]
async fn no_text_of_an_event_breaks_a_payload() {
    let route = "order-status-to-storefront";
    let mut event: Value = serde_json::from_str(sample(route).payload.get()).unwrap();
    event["entityRef"] = HOSTILE.into();
    event["attributes"] = json!({ HOSTILE: [HOSTILE, null, 9_007_199_254_740_993_u64] });
    event.as_object_mut().unwrap().remove("rootEntityRef");
    let sent = handled(route, &on_route(route, "FulfilmentStatusChange", &event), &[]).await.json();
    assert_eq!((&sent["order"], &sent["entity"]["ref"]), (&HOSTILE.into(), &HOSTILE.into()));
    assert_eq!(sent["attributes"], event["attributes"]);
    for none in [json!(null), json!({})] {
        event["attributes"] = none;
        let sent = handled(route, &on_route(route, "FulfilmentStatusChange", &event), &[]).await.json();
        assert_eq!(sent["attributes"], json!({}));
    }
}

#[tokio::test]
async fn lists_may_be_empty_or_full_and_say_when_there_is_more() {
    for (route, entity, list, told, more) in [
        ("wms-fulfilment-request", "fulfilmentById", "items", "items", "moreItems"),
        ("carrier-booking", "fulfilmentById", "articles", "parcels", "moreParcels"),
        ("carrier-label", "consignmentById", "consignmentArticles", "parcels", "moreParcels"),
        ("carrier-manifest", "consignmentById", "consignmentArticles", "parcels", "moreParcels"),
        ("erp-sales-order", "orderById", "items", "lines", "moreLines"),
    ] {
        for count in [0, 1, 100] {
            let mut entities = fluent();
            let first = entities[entity][list]["edges"][0].clone();
            entities[entity][list] =
                json!({"edges": vec![first; count], "pageInfo": {"hasNextPage": count == 100}});
            let sent: Value = serde_json::from_str(&body(route, &entities).await).unwrap();
            assert_eq!(sent[told].as_array().unwrap().len(), count, "{route}");
            assert_eq!(sent[more], json!(count == 100), "{route}");
        }
    }
}

#[tokio::test]
async fn an_xml_list_may_be_empty_or_full_and_says_when_there_is_more() {
    for count in [0, 1, 100] {
        let mut entities = fluent();
        let first = entities["fulfilmentById"]["items"]["edges"][0].clone();
        entities["fulfilmentById"]["items"] =
            json!({"edges": vec![first; count], "pageInfo": {"hasNextPage": count == 100}});
        let xml = body("wms-fulfilment-request-xml", &entities).await;
        assert_eq!(xml.matches("<item>").count(), count);
        assert!(is_well_formed(&xml) && xml.contains(&format!("more-items=\"{}\"", count == 100)), "{xml}");
    }
}

#[tokio::test]
async fn numbers_keep_their_digits_and_amounts_have_two_decimals() {
    let mut entities = fluent();
    let line = &mut entities["orderById"]["items"]["edges"][0]["node"];
    line["quantity"] = json!(9_007_199_254_740_993_u64);
    line["price"] = json!(0.1 + 0.2);
    line["paidPrice"] = json!(9_007_199_254_740_993_u64);
    line["taxPrice"] = json!(-0.5);
    line["totalPrice"] = json!(1e20);
    line["totalTaxPrice"] = json!(0);
    let sent: Value = serde_json::from_str(&body("erp-sales-order", &entities).await).unwrap();
    let line = &sent["lines"][0];
    assert_eq!(line["quantity"], json!(9_007_199_254_740_993_u64));
    let amounts: Vec<_> =
        ["price", "paidPrice", "tax", "total", "totalTax"].map(|key| line[key].clone()).into();
    assert_eq!(amounts, ["0.30", "9007199254740993.00", "-0.50", "100000000000000000000.00", "0.00"]);
}

#[tokio::test]
async fn what_fluent_does_not_find_is_parked_and_nothing_is_sent() {
    for route in FETCHING {
        let sent = sent(route, &json!({}), json!({})).await;
        assert!(sent.delivery().is_none(), "{route}");
        let problem = sent.problem();
        assert!(problem.contains("is undefined"), "{route}: {problem}");
    }
}

#[tokio::test]
async fn a_customer_who_cannot_be_reached_is_left_alone() {
    for (route, key) in [("order-ready-email", "primaryEmail"), ("order-ready-sms", "primaryPhone")] {
        for unreachable in
            [json!(null), json!({}), json!({ key: null }), json!({ key: "" }), json!({ key: " " })]
        {
            let mut entities = fluent();
            entities["orderById"]["customer"] = unreachable.clone();
            let sent = sent(route, &entities, json!({})).await;
            assert_eq!(sent.result, Ok(()), "{route} {unreachable}");
            assert!(sent.delivery().is_none(), "{route} {unreachable}");
        }
    }
}

#[tokio::test]
async fn the_order_of_an_entity_below_it_is_asked_for() {
    for (root, id) in [(json!("77"), "77"), (json!(null), "88")] {
        let mut event: Value = serde_json::from_str(sample("erp-sales-order").payload.get()).unwrap();
        event["rootEntityId"] = root;
        event["entityId"] = json!("88");
        let message = on_route("erp-sales-order", "SalesOrderRequested", &event);
        let asked = handled("erp-sales-order", &message, &[token()]).await;
        let asked: Value = serde_json::from_slice(&asked.bench.transport.requests()[1].body).unwrap();
        assert_eq!(asked["variables"], json!({ "id": id }));
    }
}

#[tokio::test]
async fn an_answer_without_its_number_is_parked() {
    for (route, key) in [
        ("carrier-booking", "bookingNumber"),
        ("carrier-label", "labelUrl"),
        ("carrier-manifest", "manifestNumber"),
        ("erp-sales-order", "orderNumber"),
    ] {
        for answered in [json!({}), json!("accepted")] {
            let sent = sent(route, &fluent(), answered).await;
            assert_eq!(sent.result, Ok(()), "{route}: the delivery stands");
            let message = Message::parse(&sent.bench.event_queue.sent()[0].body).unwrap();
            let problem = handled(route, &message, &[]).await.problem();
            let expected = format!("respond of routes/{route}: line 1: `response.{key}` is undefined");
            assert_eq!(problem, expected);
        }
    }
}

#[test]
fn only_mapped_statuses_are_wanted() {
    let route = "order-status-to-storefront";
    let wanted = |entity: Value, status: Option<Value>| {
        let mut event = json!({"id": "m1", "entityType": entity, "entityId": "1", "entityRef": "HD_1"});
        if let Some(status) = status {
            event["entityStatus"] = status;
        }
        let message = on_route(route, "OrderStatusChange", &event);
        routes_for(Some((route, "enabled: true")), &message) == [route]
    };
    let statuses = shipped::route(route).unwrap().unwrap().props["statuses"].clone();
    for (entity, statuses) in statuses.as_object().unwrap() {
        for (status, told) in statuses.as_object().unwrap() {
            assert!(told.is_string(), "{entity} {status}: YAML may read a word as something else");
            assert!(wanted(json!(entity), Some(json!(status))), "{entity} {status}");
        }
    }
    assert!(!wanted(json!("ORDER"), Some(json!("UNHEARD_OF"))));
    assert!(!wanted(json!("ORDER"), Some(json!("IN_TRANSIT"))), "of a consignment only");
    assert!(!wanted(json!("ORDER"), Some(json!(null))));
    assert!(!wanted(json!("ORDER"), None));
    assert!(!wanted(json!("ARTICLE"), Some(json!("SHIPPED"))));
}

#[tokio::test]
async fn several_statuses_may_be_called_the_same() {
    let route = "order-status-to-storefront";
    for status in ["SHIPPED", "FULFILLED"] {
        let event = json!({"id": "m1", "entityType": "ORDER", "entityId": 1, "entityRef": "HD_1", "entityStatus": status});
        let sent = handled(route, &on_route(route, "OrderStatusChange", &event), &[]).await.json();
        assert_eq!((&sent["status"], &sent["fluentStatus"]), (&json!("shipped"), &json!(status)));
        assert_eq!((&sent["order"], &sent["entity"]["id"]), (&json!("HD_1"), &json!(1)));
    }
}
