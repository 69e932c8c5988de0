//! Stock and locations that have changed in Fluent, and what is handed over of them.

use std::collections::BTreeSet;
use std::time::Duration;

use connector::delivery::OutboundRequest;
use connector::handler::HandlerError;
use connector::job::Beginning;
use connector::parameter::Section;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::run::{Running, problem};

const INVENTORY: &str = "commercetools-inventory-sync";
const LOCATION: &str = "commercetools-location-sync";
const EARLY: &str = "2026-11-01T00:00:00.000Z";
const ON: &[(Section, &str, &str)] = &[
    (Section::Routes, "commercetools-inventory-upsert", "enabled: true"),
    (Section::Routes, "commercetools-location-upsert", "enabled: true"),
];

/// Entities of Fluent: id, reference, time of the last update.
type Entities = Vec<(Value, String, &'static str)>;

fn entities(count: usize) -> Entities {
    (0..count).map(|id| (json!(id.to_string()), format!("REF {id}"), EARLY)).collect()
}

/// What Fluent answers to a query of this list; a cursor is a number behind a letter.
fn answer(field: &str, entities: &Entities, request: &OutboundRequest) -> Value {
    assert_eq!(request.url.as_url().path(), "/graphql");
    let asked: Value = serde_json::from_slice(&request.body).unwrap();
    assert!(asked["query"].as_str().unwrap().contains(&format!("{field}(")), "{asked}");
    let variables = &asked["variables"];
    let updated = &variables["updatedOn"];
    let is_in = |time: &str| {
        updated["from"].as_str().is_none_or(|from| from <= time) && time <= updated["to"].as_str().unwrap()
    };
    let found = entities.iter().enumerate().filter(|(_, (.., time))| is_in(time));
    let first = usize::try_from(variables["first"].as_u64().unwrap()).unwrap();
    let after = variables["after"].as_str().map(|cursor| cursor.strip_prefix('c').unwrap().parse().unwrap());
    let mut found = found.filter(|(at, _)| after.is_none_or(|after: usize| *at > after));
    let edges: Vec<_> = found
        .by_ref()
        .take(first)
        .map(|(at, (id, reference, _))| json!({"cursor": format!("c{at}"), "node": {"id": id, "ref": reference}}))
        .collect();
    let list = json!({"edges": edges, "pageInfo": {"hasNextPage": found.next().is_some()}});
    let data: Value = [(field, list), ("me", json!({"id": 1}))].into_iter().collect();
    json!({ "data": data })
}

fn running(job: &'static str, props: &Value, field: &'static str, entities: Entities) -> Running {
    let running = Running::new(job, &json!({"props": props}), ON);
    running.answered_by(move |request| answer(field, &entities, request));
    running
}

fn stock(props: &Value, entities: Entities) -> Running {
    let mut all = json!({"catalogue": "ATS"});
    all.as_object_mut().unwrap().extend(props.as_object().unwrap().clone());
    running(INVENTORY, &all, "virtualPositions", entities)
}

fn refs(running: &Running) -> Vec<String> {
    running.payloads().iter().map(|event| event["entityRef"].as_str().unwrap().to_owned()).collect()
}

fn variables(running: &Running) -> Vec<Value> {
    let bodies = running.asked().into_iter();
    bodies
        .map(|request| serde_json::from_slice::<Value>(&request.body).unwrap()["variables"].take())
        .collect()
}

#[tokio::test]
async fn a_run_hands_over_every_position_page_by_page() {
    let mut running = stock(&json!({"pageSize": 2}), entities(5));
    running.run(Beginning::LastEnd).await.unwrap();
    assert_eq!(refs(&running), ["REF 0", "REF 1", "REF 2", "REF 3", "REF 4"]);
    let first = &running.messages()[0];
    assert_eq!(
        (first.source.as_str(), first.name.as_str(), first.route.as_deref()),
        ("fluent-connect", "InventoryUpsert", Some("commercetools-inventory-upsert"))
    );
    assert_eq!(
        running.payloads()[0],
        json!({"id": "commercetools-inventory-sync/1/VIRTUAL_POSITION/0", "name": "InventoryUpsert", "accountId": "ACME",
            "retailerId": "1", "entityType": "VIRTUAL_POSITION", "entityId": "0", "entityRef": "REF 0"})
    );
    let to = json!({"to": "2026-11-20T08:30:01.000Z"});
    let page = |after: Value| json!({"catalogue": "ATS", "updatedOn": to, "first": 2, "after": after});
    assert_eq!(variables(&running), [page(json!(null)), page(json!("c1")), page(json!("c3"))]);
    assert_eq!(running.notes(), ["5 done in 3 steps, from the beginning to 2026-11-20T08:30:01Z"]);
}

#[tokio::test]
async fn a_later_run_is_about_what_was_updated_since() {
    let mut all = entities(3);
    all[1].2 = "2026-11-20T08:40:00.000Z";
    all[2].2 = "2026-11-20T10:00:00.000Z";
    let mut running = running(LOCATION, &json!({}), "locations", all);
    running.run(Beginning::LastEnd).await.unwrap();
    running.bench.clock.advance(Duration::from_mins(15));
    running.run(Beginning::LastEnd).await.unwrap();
    assert_eq!(refs(&running), ["REF 0", "REF 1"]);
    let window = json!({"from": "2026-11-20T08:28:01.000Z", "to": "2026-11-20T08:45:03.000Z"});
    assert_eq!(variables(&running)[1]["updatedOn"], window);
    let event = &running.payloads()[1];
    assert_eq!((&event["entityType"], &event["name"]), (&json!("LOCATION"), &json!("LocationUpsert")));
}

#[tokio::test]
async fn what_is_handed_over_works_on_its_route() {
    let mut running = running(LOCATION, &json!({}), "locations", entities(1));
    running.run(Beginning::LastEnd).await.unwrap();
    let token = (200, json!({"access_token": "hunter2-t", "expires_in": 3600}));
    let channel = json!({"id": "ch-1", "version": 1, "key": "REF_200", "roles": ["InventorySupply"]});
    running.bench.answers(&[
        (200, json!({"data": {"locationById": {"ref": "REF 0"}}})),
        token,
        (200, channel),
    ]);
    let item = running.messages().remove(0);
    running.bench.handle(&handlers::registry().build().unwrap(), &item).await.unwrap();
    let last = running.asked().pop().unwrap();
    assert_eq!(last.url.as_url().as_str(), "https://api.example/shop/channels/key=REF_200");
}

#[tokio::test]
async fn the_shipped_queries_ask_for_what_there_is() {
    for (job, props, found) in [
        (INVENTORY, json!({"catalogue": "ATS"}), vec!["SKU-1:STORES", "SKU-2:STORES"]),
        (
            INVENTORY,
            json!({"catalogue": "DEFAULT:1", "positions": "inventory"}),
            vec!["SKU-1:STORE_1:DEFAULT"],
        ),
        (LOCATION, json!({}), vec!["STORE_1", "WH_1"]),
    ] {
        let mut running = Running::new(job, &json!({ "props": props }), ON);
        running.answered_by(|request| {
            let asked: Value = serde_json::from_slice(&request.body).unwrap();
            testkit::shipped::answer(asked["query"].as_str().unwrap(), &testkit::shipped::fluent())
        });
        running.run(Beginning::LastEnd).await.unwrap();
        assert_eq!(refs(&running), found);
    }
}

#[tokio::test]
async fn inventory_positions_may_be_meant_and_another_route() {
    let props = json!({"catalogue": "DEFAULT:1", "positions": "inventory", "route": "stock", "retailer": 7});
    let others = [(Section::Routes, "stock", "message: Stock\nhandler: ignore")];
    let mut running = Running::new(INVENTORY, &json!({ "props": props }), &others);
    running.answered_by(|request| answer("inventoryPositions", &entities(1), request));
    running.run(Beginning::LastEnd).await.unwrap();
    let event = &running.payloads()[0];
    assert_eq!((&event["entityType"], &event["retailerId"]), (&json!("INVENTORY_POSITION"), &json!("7")));
    assert_eq!(running.messages()[0].route.as_deref(), Some("stock"));
}

#[tokio::test]
async fn ids_keep_every_digit() {
    let ids = ["18446744073709551616", "9007199254740993", "340282366920938463463374607431768211456"];
    let body = |id: &str| {
        format!(
            r#"{{"data":{{"locations":{{"edges":[{{"cursor":"c","node":{{"id":{id},"ref":{id}}}}}]}}}}}}"#
        )
    };
    for id in ids {
        let mut running = Running::new(LOCATION, &json!({}), ON);
        let token = json!({"access_token": "t", "expires_in": 3600}).to_string();
        let answer = |body: String| {
            Ok(connector::delivery::Response { status: 200, retry_after: None, body: body.into_bytes() })
        };
        running.bench.transport.answer_with([answer(token), answer(body(id))]);
        running.run(Beginning::LastEnd).await.unwrap();
        let event = &running.payloads()[0];
        assert_eq!((&event["entityId"], &event["entityRef"]), (&json!(id), &json!(id)));
    }
}

#[tokio::test]
async fn a_page_that_was_not_handed_over_whole_is_handed_over_again_under_the_same_ids() {
    let mut running = stock(&json!({}), entities(3));
    running.start(Beginning::LastEnd);
    running.handle().await.unwrap();
    running.bench.event_queue.fail_next([false, true, false]);
    assert!(matches!(running.handle().await.unwrap_err(), HandlerError::Unconfirmed { .. }));
    assert_eq!(refs(&running), ["REF 0", "REF 2"]);
    running.handle().await.unwrap();
    assert_eq!(refs(&running), ["REF 0", "REF 2", "REF 1"], "those that SQS had are dropped by it");
}

#[tokio::test]
async fn where_nothing_has_changed_nothing_is_handed_over() {
    let mut running = stock(&json!({}), Vec::new());
    running.run(Beginning::LastEnd).await.unwrap();
    assert_eq!((running.items.len(), running.asked().len(), running.state().run), (0, 1, None));
}

#[tokio::test]
async fn what_is_missing_is_told_before_anything_is_asked() {
    let told = async |route: Value, others: &[(Section, &str, &str)]| {
        let mut running = Running::new(INVENTORY, &json!({ "props": route }), others);
        let problem = problem(running.run(Beginning::LastEnd).await);
        assert_eq!((running.items.len(), running.bench.transport.requests().len()), (0, 0));
        problem
    };
    let given = json!({"catalogue": "ATS"});
    insta::assert_snapshot!(told(given.clone(), &[]).await, @"routes/commercetools-inventory-upsert does not exist, or is a shipped one that no parameter switches on");
    let off = [(Section::Routes, "commercetools-inventory-upsert", "enabled: false")];
    insta::assert_snapshot!(told(given.clone(), &off).await, @"routes/commercetools-inventory-upsert is disabled: a parameter of its name with `enabled: true` switches it on");
    let itself = json!({"catalogue": "ATS", "route": INVENTORY});
    insta::assert_snapshot!(told(itself, ON).await, @"routes/commercetools-inventory-sync has a schedule: what is handed over goes to a route that messages start");
    insta::assert_snapshot!(told(json!({}), ON).await, @r#"the route's props: key "catalogue" is missing"#);
    insta::assert_snapshot!(told(json!({"catalogue": "ATS", "positions": "physical"}), ON).await, @r#"the route's props: "positions" must be one of virtual, inventory"#);
    insta::assert_snapshot!(told(json!({"catalogue": "ATS", "pageSize": 0}), ON).await, @r#"the route's props: "pageSize" must be a whole number from 1 to 500"#);
    insta::assert_snapshot!(told(json!({"catalogue": "ATS", "account": "OTHER"}), ON).await, @"there is no usable account accounts/OTHER");
    let account = "{ baseUrl: https://acme.api.example, username: u, password: p, clientId: c, clientSecret: s, retailerId: 1 }";
    let two = [ON, &[(Section::Accounts, "ACME", account), (Section::Accounts, "BETA", account)]].concat();
    insta::assert_snapshot!(told(given, &two).await, @"there is more than one account below accounts/: props.account has to say which is meant");
}

#[tokio::test]
async fn a_query_may_be_another_one() {
    let query = "query ($first: Int!, $after: String) { virtualPositions(groupRef: \"A\", first: $first) { edges { cursor node { id ref } } } }";
    let mut running =
        running(INVENTORY, &json!({"query": query, "pageSize": 2}), "virtualPositions", entities(3));
    running.run(Beginning::LastEnd).await.unwrap();
    let asked: Value = serde_json::from_slice(&running.asked()[0].body).unwrap();
    assert_eq!((refs(&running).len(), asked["query"].as_str()), (3, Some(query)));
    assert_eq!(asked["variables"].get("catalogue"), None);
}

#[tokio::test]
async fn an_answer_that_cannot_be_gone_on_from_is_told() {
    let edge = json!({"cursor": "c1", "node": {"id": "1", "ref": "A"}});
    let told = async |list: Value| {
        let mut running = Running::new(LOCATION, &json!({}), ON);
        running.answered_by(move |_| json!({"data": {"locations": list}}));
        problem(running.run(Beginning::LastEnd).await)
    };
    let more = json!({"hasNextPage": true});
    insta::assert_snapshot!(told(json!(null)).await, @"locations of Fluent's answer: there is none; props.query may ask otherwise");
    insta::assert_snapshot!(told(json!({"edges": [{"cursor": "c", "node": {"ref": "A"}}]})).await, @"locations of Fluent's answer: one of them has no id; props.query may ask otherwise");
    insta::assert_snapshot!(told(json!({"edges": [{"cursor": "c", "node": {"id": "1", "ref": " "}}]})).await, @"locations of Fluent's answer: one of them has no ref; props.query may ask otherwise");
    insta::assert_snapshot!(told(json!({"edges": [{"node": {"id": "1", "ref": "A"}}], "pageInfo": more})).await, @"locations of Fluent's answer: there is more, and no cursor to go on from; props.query may ask otherwise");
    insta::assert_snapshot!(told(json!({"edges": [], "pageInfo": more})).await, @"locations of Fluent's answer: there is more, and no cursor to go on from; props.query may ask otherwise");
    insta::assert_snapshot!(told(json!({"edges": [edge], "pageInfo": more})).await, @"locations of Fluent's answer: there is more, and the cursor stands still; props.query may ask otherwise");
    insta::assert_snapshot!(told(json!({"nodes": []})).await, @"locations of Fluent's answer: missing field `edges` at line 1 column 12; props.query may ask otherwise");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_the_page_size_each_thing_is_handed_over_once(
        count in 0..60_usize,
        size in 1..70_u16,
        failing in proptest::collection::vec(proptest::bool::weighted(0.2), 0..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut running = stock(&json!({"pageSize": size}), entities(count));
            running.start(Beginning::LastEnd);
            running.bench.event_queue.fail_next(failing);
            while running.handle().await.is_err() {}
            for _ in 0..1_000 {
                if running.state().run.is_none() {
                    break;
                }
                let _ = running.handle().await;
            }
            assert_eq!(running.state().run, None, "it ends");
            let found: BTreeSet<_> = refs(&running).into_iter().collect();
            assert_eq!((found.len(), running.items.len()), (count, count));
            let cursors: Vec<_> = variables(&running).iter().map(|asked| asked["after"].clone()).collect();
            let distinct: BTreeSet<_> = cursors.iter().map(Value::to_string).collect();
            assert_eq!(distinct.len(), count.div_ceil(usize::from(size)).max(1), "it goes on with each page");
        });
    }
}
