//! Tokens, projects, time, and what is shown of secrets.

use std::fmt::Write as _;
use std::time::Duration;

use commercetools::{CommercetoolsContext as _, MAX_REAPPLIED, PAGE_TIMEOUT, READ_TIMEOUT, WRITE_TIMEOUT};
use connector::endpoint::LONGEST_TIMEOUT;
use connector::failure::Code;
use connector::handler::{Context, HandlerError};
use futures_util::future::join_all;
use jiff::SignedDuration;
use serde_json::json;

use crate::fixtures::bare_order;
use crate::support::{MARK, World, refusal, response};

const README: &str = include_str!("../../README.md");

async fn read(world: &World) -> Result<(), HandlerError> {
    world.with_client(async |client: commercetools::Client<'_>| client.order("o-1").await.map(drop)).await
}

fn found() -> connector::delivery::Response {
    response(200, bare_order("o-1").to_string())
}

#[tokio::test]
async fn a_token_is_had_by_client_credentials_and_kept_for_its_project() {
    let mut world = World::default();
    world.api.answer((0..5).map(|_| found()));
    read(&world).await.unwrap();
    read(&world).await.unwrap();
    assert_eq!(world.api.token_calls(), 1);
    let request = &world.api.requests()[0];
    assert_eq!(request.url.as_url().as_str(), "https://auth.example/oauth/token");
    assert!(request.headers["authorization"].to_str().unwrap().starts_with("Basic "));
    assert_eq!(
        String::from_utf8(request.body.clone()).unwrap(),
        "grant_type=client_credentials&scope=manage_orders%3Ashop+manage_products%3Ashop+view_customers%3Ashop+view_messages%3Ashop"
    );
    assert_eq!(world.log.entries()[0].get("response.body"), None, "a token is never on record");
    world.project = "other";
    read(&world).await.unwrap();
    assert_eq!(world.api.token_calls(), 2);
    world.clock.advance(Duration::from_mins(48 * 60 - 1));
    read(&world).await.unwrap();
    assert_eq!(world.api.token_calls(), 3, "it is not used in its last minute");
}

#[tokio::test]
async fn many_whose_token_ended_early_share_one_new_token_and_all_succeed() {
    let world = World::default();
    world.api.answer((0..11).map(|_| found()));
    read(&world).await.unwrap();
    world.api.end_all_tokens();
    let all = join_all((0..10).map(|_| read(&world))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(world.api.token_calls(), 2);
}

#[tokio::test]
async fn a_project_that_is_not_configured_is_misconfigured_and_named() {
    let world = World { project: "nowhere", ..World::default() };
    let Err(HandlerError::Misconfigured { code, reason }) = read(&world).await else { panic!("it is not") };
    assert_eq!((code, reason.as_str()), (Code::Access, "there is no usable project commercetools/nowhere"));
    assert!(world.api.requests().is_empty());
}

#[tokio::test]
async fn the_project_of_a_fluent_event_is_that_of_its_account_and_retailer() {
    for (payload, expected) in [
        (json!({"accountId": "ACME", "retailerId": "1"}), Ok("shop")),
        (json!({"accountId": "ACME", "retailerId": 2}), Ok("other")),
        (json!({"accountId": "THIRD"}), Ok("third")),
        (json!({"accountId": "THIRD", "retailerId": ""}), Ok("third")),
        (json!({"accountId": "ACME"}), Err("several projects below commercetools/ belong to account ACME")),
        (json!({"accountId": "ACME", "retailerId": "3"}), Err("no usable project")),
        (json!({"accountId": "NOBODY"}), Err("no usable project")),
        (json!({}), Err("the message names no account")),
    ] {
        let world = World { payload, ..World::default() };
        let found = world.handle(async |context: &Context<'_>| {
            context.commercetools_of_account().map(|client| client.project().key().to_owned())
        });
        match (found.await, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(HandlerError::Misconfigured { code: Code::Access, reason }), Err(expected)) => {
                assert!(reason.starts_with(expected), "{reason}");
            }
            (found, expected) => panic!("{found:?}, not {expected:?}"),
        }
    }
}

#[tokio::test]
async fn nothing_is_sent_that_could_not_end_in_time() {
    let seconds = |seconds| SignedDuration::from_secs(seconds);
    let world = World { time_left: seconds(11), ..World::default() };
    assert_eq!(read(&world).await, Err(HandlerError::Deadline));
    assert!(world.api.requests().is_empty());
    let world = World { time_left: seconds(12), ..World::default() };
    world.api.answer([found()]);
    read(&world).await.unwrap();
}

#[tokio::test]
async fn no_secret_is_shown_whatever_commercetools_echoes() {
    let world = World::default();
    let echo = "hunter2-shop hunter2-token-1 Bearer hunter2-token-1";
    let errors = json!({"errors": [{"code": "hunter2-shop", "message": echo}]}).to_string();
    world.api.answer([
        response(403, echo),
        response(400, errors.clone()),
        response(409, errors.clone()),
        response(503, errors.replace('h', "\\u0068")),
        response(200, json!({"id": {"x": echo}}).to_string()),
        response(200, json!({"id": echo}).to_string()),
        refusal(404, "hunter2-token-1"),
    ]);
    let mut told = String::new();
    for _ in 0..7 {
        write!(told, "{:?}", read(&world).await.unwrap_err()).unwrap();
    }
    write!(told, "{:?}", world.log.entries()).unwrap();
    assert!(!told.contains(MARK), "{told}");
    assert_eq!(world.outcomes()[1][2], "***: *** *** Bearer ***");
    for request in world.api.requests() {
        assert!(!format!("{:?}", request.headers).contains(MARK), "nor by Debug");
    }
}

#[test]
fn every_call_fits_an_invocation_of_the_router_and_the_readme_says_how_often() {
    assert!([READ_TIMEOUT, PAGE_TIMEOUT, WRITE_TIMEOUT].iter().all(|timeout| *timeout <= LONGEST_TIMEOUT));
    assert_eq!(MAX_REAPPLIED, 3);
    assert!(README.contains("at most three times, then `E_CONFLICT`"));
}
