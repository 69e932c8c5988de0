//! What has failed in Fluent, counted page by page, and whom it is told.

use std::time::Duration;

use connector::delivery::OutboundRequest;
use connector::handler::HandlerError;
use connector::job::Beginning;
use connector::parameter::Section;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::run::{Running, parameter, problem};

const JOB: &str = "fluent-event-failure-summary";
const DESK: &[(Section, &str, &str)] = &[(Section::Endpoints, "desk", "https://desk.example/failures")];

fn failed(id: usize, name: &str, error: &str) -> Value {
    json!({"id": format!("e-{id}"), "name": name, "type": "ORCHESTRATION", "eventStatus": "FAILED",
        "context": {"entityType": "ORDER", "entityId": id.to_string()}, "generatedOn": "2026-11-20T08:00:00.000Z",
        "attributes": [{"name": "exception", "value": error, "type": "STRING"}]})
}

/// What Fluent answers where these events have failed.
fn answer(events: &[Value], request: &OutboundRequest) -> Value {
    if request.url.as_url().host_str() == Some("desk.example") {
        return json!({});
    }
    assert_eq!((request.method.as_str(), request.url.as_url().path()), ("GET", "/api/v4.1/event"));
    assert_eq!(parameter(request, "eventStatus").as_deref(), Some("FAILED"));
    let number = |name: &str| parameter(request, name).unwrap().parse::<usize>().unwrap();
    let (start, count) = (number("start"), number("count"));
    let results: Vec<_> = events.iter().skip(start).take(count).cloned().collect();
    json!({"start": start, "count": count, "hasMore": start + results.len() < events.len(), "results": results})
}

fn running(route: &Value, events: Vec<Value>) -> Running {
    let running = Running::new(JOB, route, DESK);
    running.answered_by(move |request| answer(&events, request));
    running
}

fn delivered(running: &Running) -> Vec<String> {
    let requests = running.bench.transport.requests().into_iter();
    let to_desk = requests.filter(|request| request.url.as_url().host_str() == Some("desk.example"));
    to_desk.map(|request| String::from_utf8(request.body).unwrap()).collect()
}

fn events() -> Vec<Value> {
    let mut events: Vec<_> =
        (0..5).map(|id| failed(id, "Book", &format!("No carrier for HD_{id}"))).collect();
    events.push(failed(5, "Pack", "No stock"));
    events
}

#[tokio::test]
async fn what_failed_is_counted_and_told() {
    let route = json!({"endpoint": "desk", "props": {"pageSize": 2, "filters": {"eventType": "ORCHESTRATION"}, "retailer": 1}});
    let mut running = running(&route, events());
    running.run(Beginning::LastEnd).await.unwrap();
    let told: Value = serde_json::from_str(&delivered(&running)[0]).unwrap();
    assert_eq!(
        told,
        json!({"account": "ACME", "from": null, "to": "2026-11-20T08:30:01Z", "total": 6, "others": 0, "groups": [
            {"name": "Book", "entityType": "ORDER", "error": "No carrier for #", "count": 5, "examples": ["e-0", "e-1", "e-2"]},
            {"name": "Pack", "entityType": "ORDER", "error": "No stock", "count": 1, "examples": ["e-5"]},
        ]})
    );
    assert_eq!((delivered(&running).len(), running.asked().len(), running.items.len()), (1, 4, 0));
    insta::assert_snapshot!(running.asked()[0].url.as_url(), @"https://acme.api.example/api/v4.1/event?eventType=ORCHESTRATION&eventStatus=FAILED&retailerId=1&to=2026-11-20T08%3A30%3A01.000Z&start=0&count=2");
    insta::assert_snapshot!(running.notes().join("\n"), @r#"
    account ACME: 6 events failed: 5 Book of ORDER (No carrier for #); 1 Pack of ORDER (No stock)
    6 done in 4 steps, from the beginning to 2026-11-20T08:30:01Z
    "#);
}

#[tokio::test]
async fn a_later_run_is_about_the_time_since() {
    let mut running = running(&json!({}), events());
    running.run(Beginning::LastEnd).await.unwrap();
    running.bench.clock.advance(Duration::from_hours(1));
    running.run(Beginning::LastEnd).await.unwrap();
    let last = running.asked().pop().unwrap();
    let window = ["from", "to"].map(|name| parameter(&last, name).unwrap());
    assert_eq!(window, ["2026-11-20T08:28:01.000Z", "2026-11-20T09:30:03.000Z"]);
    assert_eq!((running.notes().len(), delivered(&running).len()), (4, 0), "the event log alone is told");
}

#[tokio::test]
async fn a_route_may_make_something_else_of_it() {
    let payload = r#"{"text": ${ data.total ~ " failed: " ~ data.groups[0].name }, "of": ${ data.account }}"#;
    let mut running = running(&json!({"endpoint": "desk", "payload": payload}), events());
    running.run(Beginning::LastEnd).await.unwrap();
    assert_eq!(delivered(&running), [r#"{"text": "6 failed: Book", "of": "ACME"}"#]);
}

#[tokio::test]
async fn where_nothing_failed_nothing_is_told_unless_always() {
    let mut quiet = running(&json!({"endpoint": "desk"}), Vec::new());
    quiet.run(Beginning::LastEnd).await.unwrap();
    assert_eq!((delivered(&quiet).len(), quiet.notes().len()), (0, 1));
    let mut always = running(&json!({"endpoint": "desk", "props": {"always": true}}), Vec::new());
    always.run(Beginning::LastEnd).await.unwrap();
    let told: Value = serde_json::from_str(&delivered(&always)[0]).unwrap();
    assert_eq!((&told["total"], &told["groups"]), (&json!(0), &json!([])));
    assert_eq!(always.notes()[0], "account ACME: 0 events failed");
}

#[tokio::test]
async fn a_delivery_that_fails_is_repeated_alone() {
    let mut running = running(&json!({"endpoint": "desk"}), events());
    running.start(Beginning::LastEnd);
    running.handle().await.unwrap();
    running.handle().await.unwrap();
    let asked = running.asked().len();
    running.bench.answers(&[(503, json!({}))]);
    assert!(matches!(running.handle().await.unwrap_err(), HandlerError::Delivery(_)));
    running.handle().await.unwrap();
    let urls = running.asked().split_off(asked);
    assert!(urls.iter().all(|request| request.url.as_url().host_str() == Some("desk.example")));
    let ids: Vec<_> = urls.iter().map(|request| request.headers["webhook-id"].clone()).collect();
    assert_eq!((urls.len(), &ids[0]), (2, &ids[1]));
    assert_eq!((running.state().run, running.notes().len()), (None, 2));
}

#[tokio::test]
async fn a_page_that_fails_is_counted_once() {
    let mut running = running(&json!({"props": {"pageSize": 4}}), events());
    running.start(Beginning::LastEnd);
    running.handle().await.unwrap();
    running.bench.event_queue.fail_next([true]);
    assert!(matches!(running.handle().await.unwrap_err(), HandlerError::Unconfirmed { .. }));
    running.handle().await.unwrap();
    running.handle().await.unwrap();
    assert!(running.notes()[0].starts_with("account ACME: 6 events failed"), "{:?}", running.notes());
}

#[tokio::test]
async fn what_is_missing_is_told_before_anything_is_asked() {
    let told = async |route: Value, others: &[(Section, &str, &str)]| {
        let mut running = Running::new(JOB, &route, others);
        let result = running.run(Beginning::LastEnd).await;
        assert_eq!(running.bench.transport.requests().len(), 0);
        result
    };
    insta::assert_snapshot!(problem(told(json!({"endpoint": "desk"}), &[]).await), @"there is no usable endpoint endpoints/desk");
    insta::assert_snapshot!(problem(told(json!({"props": {"filters": {"from": "x"}}}), &[]).await), @r#"the route's props: "filters.from" is given by the job itself"#);
    insta::assert_snapshot!(problem(told(json!({"props": {"filter": {}}}), &[]).await), @r#"the route's props: unknown key "filter"; did you mean "filters"?"#);
    let paused = [(Section::Endpoints, "desk", "{ url: 'https://desk.example/', paused: true }")];
    let held = told(json!({"endpoint": "desk"}), &paused).await;
    assert_eq!(held, Err(HandlerError::Paused { endpoint: "desk".to_owned() }));
}

#[tokio::test]
async fn an_answer_of_another_shape_is_told() {
    let mut running = Running::new(JOB, &json!({}), &[]);
    running.answered_by(|_| json!({"events": []}));
    let HandlerError::Delivery(failure) = running.run(Beginning::LastEnd).await.unwrap_err() else {
        panic!("it is an answer")
    };
    assert_eq!(failure.code, connector::failure::Code::Answer);
}

#[tokio::test]
async fn pages_that_are_too_long_are_asked_for_in_parts_and_grow_again() {
    let mut all: Vec<_> = (0..30).map(|id| failed(id, "Book", "x")).collect();
    for fat in &mut all[8..12] {
        fat["trail"] = "x".repeat(700_000).into();
    }
    let mut running = running(&json!({"props": {"pageSize": 16}}), all);
    running.run(Beginning::LastEnd).await.unwrap();
    let asked: Vec<_> = running.asked().iter().map(|request| parameter(request, "count").unwrap()).collect();
    insta::assert_snapshot!(asked.join(" "), @"16 8 16 8 4 2 4 8 16");
    assert!(running.notes()[0].starts_with("account ACME: 30 events failed"), "{:?}", running.notes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn whatever_the_page_size_every_event_is_counted_once_and_messages_stay_small(
        kinds in proptest::collection::vec(0..80_usize, 0..100),
        size in 1..110_u16,
        failing in proptest::collection::vec(proptest::bool::weighted(0.2), 0..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let long = "\\\"\u{1}📦".repeat(300);
            let event = |(id, kind): (usize, &usize)| failed(id, &format!("{}{long}", "k".repeat(*kind + 1)), &long);
            let all: Vec<_> = kinds.iter().enumerate().map(event).collect();
            let mut running = running(&json!({"endpoint": "desk", "props": {"pageSize": size}}), all);
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
            let told = delivered(&running);
            assert_eq!(told.len(), usize::from(!kinds.is_empty()));
            for told in told {
                let told: Value = serde_json::from_str(&told).unwrap();
                assert_eq!(told["total"], json!(kinds.len()));
                let groups = told["groups"].as_array().unwrap();
                let counted: u64 = groups.iter().map(|group| group["count"].as_u64().unwrap()).sum();
                assert_eq!(counted + told["others"].as_u64().unwrap(), told["total"].as_u64().unwrap());
            }
            let sent = running.bench.event_queue.sent();
            assert!(sent.iter().all(|outgoing| outgoing.body.len() < 150 * 1024));
        });
    }
}
