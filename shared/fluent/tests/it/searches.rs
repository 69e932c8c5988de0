//! What is searched for in Fluent's log of events, and what answers are worth.

use connector::call::CALL_ANSWER_BYTES;
use connector::failure::Code;
use connector::handler::HandlerError;
use fluent::{Client, EventPage, EventSearch};

use crate::support::{World, response};

fn filters() -> Vec<(String, String)> {
    [("eventStatus", "FAILED"), ("context.entityRef", "a b&c")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

async fn searched(world: &World, count: u16) -> Result<EventPage, HandlerError> {
    let (filters, from) = (filters(), "2026-11-20T08:00:00Z".parse().ok());
    let to = "2026-11-20T09:00:00.123456Z".parse().unwrap();
    let search = EventSearch { filters: &filters, from, to, start: 200, count };
    world.with_client(async |client: Client<'_>| client.events(search).await).await
}

#[tokio::test]
async fn a_search_says_all_that_it_was_told_and_keeps_every_digit() {
    let world = World::default();
    let body = r#"{"start": 200, "count": 1, "hasMore": true, "results": [{"id": 18446744073709551616}]}"#;
    world.fluent.answer([Ok(response(200, body))]);
    let page = searched(&world, 100).await.unwrap();
    assert_eq!(
        (page.events[0].get(), page.has_more, page.count),
        (r#"{"id": 18446744073709551616}"#, true, 100)
    );
    let request = &world.fluent.requests()[1];
    assert_eq!(
        (request.method.as_str(), request.url.as_url().as_str()),
        (
            "GET",
            "https://acme.example/api/v4.1/event?eventStatus=FAILED&context.entityRef=a%20b%26c&from=2026-11-20T08%3A00%3A00.000Z&to=2026-11-20T09%3A00%3A00.123Z&start=200&count=100"
        )
    );
}

#[tokio::test]
async fn where_an_answer_does_not_say_a_full_page_may_have_more_behind_it() {
    let world = World::default();
    world.fluent.answer(
        [r#"{"results": [1, 2]}"#, r#"{"results": [1]}"#, r#"{"results": [], "hasMore": true}"#]
            .map(|body| Ok(response(200, body))),
    );
    for expected in [true, false, false] {
        assert_eq!(searched(&world, 2).await.unwrap().has_more, expected);
    }
}

#[tokio::test]
async fn a_page_that_is_too_long_is_asked_for_in_parts() {
    let world = World::default();
    let long = || Ok(response(200, "x".repeat(CALL_ANSWER_BYTES)));
    world.fluent.answer([long(), long(), Ok(response(200, r#"{"results": [1], "hasMore": true}"#))]);
    assert_eq!(searched(&world, 7).await.unwrap().count, 1);
    world.fluent.answer([long()]);
    let Err(HandlerError::Misconfigured { code: Code::Answer, reason }) = searched(&world, 1).await else {
        panic!("it cannot be read")
    };
    assert_eq!(reason, "one event exceeds 2 MiB");
}

#[tokio::test]
async fn an_answer_of_another_kind_is_none() {
    let world = World::default();
    for body in ["<html>", "{}", r#"{"results": {}}"#, "[1]"] {
        world.fluent.answer([Ok(response(200, body))]);
        let Err(HandlerError::Delivery(failure)) = searched(&world, 5).await else {
            panic!("{body} is no page")
        };
        assert_eq!(failure.code, Code::Answer);
    }
}
