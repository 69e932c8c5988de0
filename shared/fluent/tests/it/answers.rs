//! What answers to queries come to.

use std::time::Duration;

use connector::call::CALL_ANSWER_BYTES;
use connector::delivery::{DeliveryFailure, LOGGED_ERROR_BYTES, Next};
use connector::disposition::Reason;
use connector::failure::Code;
use connector::handler::HandlerError;
use connector::outcome::NoAnswer;
use fluent::Client;
use serde_json::{Value, json};

use crate::support::{World, response};

const RETRY: Next = Next::Retry { after: Duration::from_secs(5) };
const REFUSED: Next = Next::Undelivered { reason: Reason::Refused };

async fn failed(world: &World) -> DeliveryFailure {
    let Err(HandlerError::Delivery(failure)) = world.query().await else { panic!("the query fails") };
    failure
}

#[tokio::test]
async fn a_query_is_posted_with_its_variables_and_gives_its_data() {
    let world = World::default();
    world
        .fluent
        .answer([Ok(response(200, r#"{"data": {"orderById": {"ref": "HD_1", "id": 9007199254740993}}}"#))]);
    let query = "query ($id: ID!) { orderById(id: $id) { ref id } }";
    let data = world
        .with_client(async |client: Client<'_>| client.graphql(query, &json!({"id": u64::MAX})).await)
        .await
        .unwrap();
    assert_eq!(data, json!({"orderById": {"ref": "HD_1", "id": 9_007_199_254_740_993_u64}}));
    let request = &world.fluent.requests()[1];
    assert_eq!(
        (request.method.as_str(), request.url.as_url().as_str()),
        ("POST", "https://acme.example/graphql")
    );
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(
        String::from_utf8(request.body.clone()).unwrap(),
        r#"{"query":"query ($id: ID!) { orderById(id: $id) { ref id } }","variables":{"id":18446744073709551615}}"#
    );
    let entry = &world.log.entries()[1];
    assert_eq!((&entry["outcome"], &entry["type"]), (&json!("answered"), &json!("outbound.attempt")));
    assert_eq!((&entry["account.id"], &entry["message.id"]), (&json!("ACME"), &json!("m1")));
    assert_eq!(entry.get("endpoint"), None, "a call goes to no endpoint");
}

#[tokio::test]
async fn an_answer_with_errors_is_a_failure_and_its_errors_are_on_record() {
    for (code, next, outcome) in [("C0120E", REFUSED, "undelivered"), ("S0001E", RETRY, "retry")] {
        let world = World::default();
        let error = json!({"message": "it failed", "path": ["orderById", 0], "extensions": {"code": code}});
        world.fluent.answer([Ok(response(200, json!({"data": {"a": 1}, "errors": [error]}).to_string()))]);
        let failure = failed(&world).await;
        assert_eq!((failure.code, failure.status, failure.next), (Code::Graphql, Some(200), next), "{code}");
        let entry = &world.log.entries()[1];
        assert_eq!((&entry["outcome"], &entry["code"]), (&json!(outcome), &json!("E_GRAPHQL")));
        assert_eq!(entry["error"], "orderById.0: it failed");
    }
}

#[tokio::test]
async fn errors_are_recorded_up_to_a_bound() {
    let world = World::default();
    let error = json!({"message": "ü".repeat(10_000), "path": ["a"]});
    world.fluent.answer([Ok(response(200, json!({"errors": vec![error; 100]}).to_string()))]);
    failed(&world).await;
    let told = world.log.entries()[1]["error"].as_str().unwrap().len();
    assert!((LOGGED_ERROR_BYTES - 4..=LOGGED_ERROR_BYTES).contains(&told), "{told}");
}

#[tokio::test]
async fn an_answer_that_is_none_is_a_retry() {
    for body in
        ["", "<html>maintenance</html>", r#"{"data":null,"errors":[]}"#, r#"{"data": {"a": "#, "[]", "null"]
    {
        let world = World::default();
        world.fluent.answer([Ok(response(200, body))]);
        let failure = failed(&world).await;
        assert_eq!((failure.code, failure.next), (Code::Answer, RETRY), "{body}");
        assert_eq!(world.outcomes()[1], json!(["retry", "E_ANSWER"]));
        assert_ne!(world.log.entries()[1]["error"], Value::Null);
    }
}

#[tokio::test]
async fn a_long_answer_is_read_whole_and_a_huge_one_refused() {
    let world = World::default();
    let body = |length: usize| format!(r#"{{"data": {{"a": "{}"}}}}"#, "x".repeat(length));
    world.fluent.answer([Ok(response(200, body(1 << 20)))]);
    assert_eq!(world.query().await.unwrap()["a"].as_str().unwrap().len(), 1 << 20);
    assert_eq!(world.fluent.requests()[1].answer_bytes, CALL_ANSWER_BYTES);
    assert_eq!(world.log.entries()[1]["response.body"].as_str().unwrap().len(), 2_048);
    let cut: Vec<u8> = body(3 << 20).bytes().take(CALL_ANSWER_BYTES).collect();
    world.fluent.answer([Ok(response(200, cut))]);
    let failure = failed(&world).await;
    assert_eq!((failure.code, failure.next), (Code::Answer, REFUSED));
    assert_eq!(world.log.entries()[2]["error"], "the answer exceeds 2 MiB: ask for less, or page");
}

#[tokio::test]
async fn other_statuses_and_silence_are_what_they_are_for_deliveries() {
    for (answer, code, next) in [
        (Ok(response(429, "")), Code::Busy, RETRY),
        (Ok(response(503, "")), Code::Server, RETRY),
        (Ok(response(413, "")), Code::Rejected, REFUSED),
        (Ok(response(403, "")), Code::Rejected, REFUSED),
        (Ok(response(302, "")), Code::Redirect, REFUSED),
        (Err(NoAnswer::Timeout), Code::Timeout, RETRY),
        (Err(NoAnswer::BlockedAddress), Code::BlockedAddress, REFUSED),
    ] {
        let world = World::default();
        world.query().await.unwrap();
        world.fluent.answer([answer]);
        let failure = failed(&world).await;
        assert_eq!((failure.code, failure.next), (code, next));
    }
}

#[tokio::test]
async fn a_failed_call_is_tried_again_on_the_schedule_of_the_routes_endpoint_or_the_default_one() {
    let unavailable = || [Ok(response(503, ""))];
    let world = World {
        endpoint: Some("{ url: 'https://shop.example', retry: { delays: [7s] } }"),
        ..World::default()
    };
    world.fluent.answer(unavailable());
    assert_eq!(failed(&world).await.next, Next::Retry { after: Duration::from_secs(7) });
    let world = World { attempt: 2, ..world };
    world.fluent.answer(unavailable());
    assert_eq!(failed(&world).await.next, Next::Undelivered { reason: Reason::Exhausted });
    let world = World { endpoint: None, ..world };
    world.fluent.answer(unavailable());
    assert_eq!(failed(&world).await.next, Next::Retry { after: Duration::from_mins(5) });
}
