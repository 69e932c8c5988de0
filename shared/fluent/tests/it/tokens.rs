//! How tokens are had, kept, replaced, and hidden.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use connector::delivery::{DeliveryFailure, Next};
use connector::disposition::Reason;
use connector::failure::Code;
use connector::handler::{Context, HandlerError};
use connector::outcome::NoAnswer;
use fluent::{Event, FluentContext as _, Key};
use jiff::SignedDuration;
use serde_json::json;

use crate::support::{MARK, World, response};

fn failure<T: std::fmt::Debug>(result: Result<T, HandlerError>) -> DeliveryFailure {
    let Err(HandlerError::Delivery(failure)) = result else { panic!("the call fails: {result:?}") };
    failure
}

#[tokio::test]
async fn a_token_is_had_by_the_password_grant_and_kept_until_a_minute_before_it_ends() {
    let world = World::default();
    world.query().await.unwrap();
    world.clock.advance(Duration::from_secs(59 * 60 - 1));
    world.query().await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    world.query().await.unwrap();
    let (token, graphql) = ("acme.example/oauth/token", "acme.example/graphql");
    assert_eq!(world.fluent.sent(), [token, graphql, graphql, token, graphql]);
    let request = &world.fluent.requests()[0];
    assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(
        String::from_utf8(request.body.clone()).unwrap(),
        "grant_type=password&username=api&password=hunter2-p-ACME&client_id=ACME&client_secret=hunter2-c-ACME&scope=api"
    );
    let entry = &world.log.entries()[0];
    assert_eq!((&entry["outcome"], &entry["attempt"]), (&json!("answered"), &json!(1)));
    assert!(entry.get("response.body").is_none(), "a token call's answer is never shown");
}

#[tokio::test]
async fn two_accounts_do_not_share_a_token() {
    let world = World::default();
    let query = async |context: &Context<'_>| {
        context.fluent()?.graphql("{ a }", &json!({})).await?;
        context.fluent_of("OTHER")?.graphql("{ a }", &json!({})).await
    };
    world.handle(query).await.unwrap();
    let requests = world.fluent.requests();
    let sent: Vec<_> = [1, 3].map(|at: usize| requests[at].headers["authorization"].clone()).to_vec();
    assert_eq!(sent, ["Bearer hunter2-token-1", "Bearer hunter2-token-2"]);
    assert_eq!(world.fluent.sent()[2], "other.example/oauth/token");
}

#[tokio::test]
async fn many_that_wait_for_a_token_cause_one_call() {
    let world = World::default();
    let all = futures_util::future::join_all((0..20).map(|_| world.query())).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(world.fluent.token_calls(), 1);
}

#[tokio::test]
async fn many_whose_token_ended_early_share_one_new_token_and_all_succeed() {
    let world = World::default();
    world.query().await.unwrap();
    world.fluent.end_all_tokens();
    let all = futures_util::future::join_all((0..20).map(|_| world.query())).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(world.fluent.token_calls(), 2);
    let repeated = world.outcomes().iter().filter(|outcome| **outcome == json!(["retry", "E_TOKEN"])).count();
    assert_eq!(repeated, 20, "each attempt is on record");
    let entries = world.log.entries();
    let refused = entries.iter().find(|entry| entry["response.status"] == 401).unwrap();
    assert_eq!(refused["retry_after_s"], 0, "the call is made again at once");
}

#[tokio::test]
async fn many_that_wait_for_a_new_token_in_vain_share_one_failure() {
    let world = World::default();
    world.query().await.unwrap();
    world.fluent.end_all_tokens();
    world.fluent.answer_for_token([Ok(response(503, "")), Ok(response(503, ""))]);
    let all = futures_util::future::join_all((0..20).map(|_| world.query())).await;
    assert!(all.iter().all(Result::is_err));
    assert_eq!(world.fluent.token_calls(), 2, "the first, and one for all");
    let failure = failure(all.into_iter().next().unwrap());
    assert_eq!((failure.code, failure.status), (Code::Token, Some(503)));
    assert_eq!(failure.next, Next::Retry { after: Duration::from_secs(5) });
}

#[tokio::test]
async fn a_new_token_that_is_not_accepted_is_refused_for_good() {
    let world = World::default();
    let token = response(200, r#"{"access_token": "hunter2-unknown", "expires_in": 3600}"#);
    world.fluent.answer_for_token([Ok(token.clone()), Ok(token)]);
    let failure = failure(world.query().await);
    assert_eq!((failure.code, failure.status), (Code::Rejected, Some(401)));
    assert_eq!(failure.next, Next::Undelivered { reason: Reason::Refused });
    assert_eq!(world.fluent.sent().len(), 2, "it is not asked for again");
    world.query().await.unwrap_err();
    assert_eq!(world.fluent.token_calls(), 2, "nor kept");
}

#[tokio::test]
async fn a_token_that_its_server_refuses_is_misconfigured_and_one_that_it_cannot_give_now_a_retry() {
    for (answer, next) in [
        (Ok(response(400, "hunter2")), Next::Undelivered { reason: Reason::Misconfigured }),
        (Ok(response(401, "hunter2")), Next::Undelivered { reason: Reason::Misconfigured }),
        (Ok(response(503, "hunter2")), Next::Retry { after: Duration::from_secs(5) }),
        (Ok(response(200, "<html>hunter2")), Next::Retry { after: Duration::from_secs(5) }),
        (Err(NoAnswer::Timeout), Next::Retry { after: Duration::from_secs(5) }),
    ] {
        let world = World::default();
        world.fluent.answer_for_token([answer]);
        let failure = failure(world.query().await);
        assert_eq!((failure.code, failure.next), (Code::Token, next));
        assert_eq!(world.fluent.sent().len(), 1, "nothing is asked without a token");
        assert!(!format!("{:?}", world.log.entries()).contains(MARK));
    }
}

#[tokio::test]
async fn an_account_that_is_not_configured_is_misconfigured_and_named() {
    for account in ["NOBODY", ""] {
        let world = World { account, ..World::default() };
        let error = world.query().await.unwrap_err();
        let HandlerError::Misconfigured { code, reason } = error else { panic!("{error}") };
        assert_eq!(code, Code::Access);
        assert!(reason.contains(if account.is_empty() { "names no account" } else { "accounts/NOBODY" }));
        assert!(world.fluent.sent().is_empty());
    }
}

#[tokio::test]
async fn nothing_is_sent_that_could_not_end_in_time() {
    let world = World { time_left: SignedDuration::from_secs(16), ..World::default() };
    assert_eq!(world.query().await, Err(HandlerError::Deadline));
    assert!(world.fluent.sent().is_empty() && world.log.entries().is_empty());
    let world = World { time_left: SignedDuration::from_secs(17), ..World::default() };
    world.query().await.unwrap();
}

#[tokio::test]
async fn no_secret_is_shown_whatever_fluent_echoes() {
    let world = World::default();
    let event = Event::new("Booked", "ORDER", Key::Ref("HD_1".to_owned()));
    let echo = "hunter2-p-ACME hunter2-c-ACME hunter2-token-1 Bearer hunter2-token-1";
    let in_errors =
        json!({"errors": [{"message": echo, "path": ["hunter2-p-ACME"], "extensions": {"x": echo}}]});
    let escaped = in_errors.to_string().replace('h', "\\u0068");
    world.fluent.answer([
        Ok(response(403, echo)),
        Ok(response(500, echo)),
        Ok(response(200, in_errors.to_string())),
        Ok(response(200, escaped)),
        Ok(response(200, format!("<html>{echo}"))),
    ]);
    let mut told = String::new();
    for _ in 0..4 {
        write!(told, "{:?}", world.query().await.unwrap_err()).unwrap();
    }
    let sent = world.with_client(async |client: fluent::Client<'_>| client.event(&event).await).await;
    write!(told, "{sent:?}").unwrap();
    world.fluent.end_all_tokens();
    world.query().await.unwrap();
    write!(told, "{:?}", world.log.entries()).unwrap();
    assert!(!told.contains(MARK), "{told}");
    let errors = world.log.entries()[3]["error"].as_str().unwrap().to_owned();
    assert_eq!(errors, "***: *** *** *** Bearer ***");
    for request in world.fluent.requests() {
        assert!(!format!("{:?}", request.headers).contains(MARK), "nor by Debug");
    }
}

#[tokio::test]
async fn no_part_of_a_secret_is_left_where_the_record_of_errors_is_cut_off() {
    let world = World::default();
    for length in 1_000..1_030 {
        let message = format!("{}hunter2-p-ACME", "x".repeat(length));
        world.fluent.answer([Ok(response(200, json!({"errors": [{"message": message}]}).to_string()))]);
        world.query().await.unwrap_err();
    }
    for entry in world.log.entries().iter().skip(1) {
        let told = entry["error"].as_str().unwrap();
        assert!(told.len() <= 1_024 && !told.contains("hunt"), "{told}");
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_half_way_is_on_record() {
    let mut world = World::default();
    world.query().await.unwrap();
    world.sender.transport = Arc::new(testkit::fakes::HangingTransport);
    let given_up = tokio::time::timeout(Duration::from_millis(1), world.query()).await;
    assert!(given_up.is_err());
    assert_eq!(world.outcomes()[2], json!(["unknown", "E_CANCELLED"]));
}

#[tokio::test]
async fn a_fluent_that_hangs_is_left_alone_for_a_while() {
    let world = World::default();
    world.query().await.unwrap();
    world.fluent.answer([Err(NoAnswer::Timeout), Err(NoAnswer::Timeout)]);
    assert_eq!(failure(world.query().await).code, Code::Timeout);
    assert_eq!(failure(world.query().await).code, Code::Timeout);
    assert_eq!(failure(world.query().await).code, Code::Unresponsive);
    assert_eq!(world.fluent.sent().len(), 4, "nothing was sent");
}
