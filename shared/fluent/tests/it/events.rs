//! What events look like on their way to Fluent, and what comes back.

use connector::endpoint::LONGEST_TIMEOUT;
use connector::failure::Code;
use connector::handler::HandlerError;
use fluent::{Client, EVENT_TIMEOUT, Event, EventAnswer, Key, QUERY_TIMEOUT};
use serde_json::json;

use crate::support::{World, response};

fn booked() -> Event {
    Event::new("Booked", "FULFILMENT", Key::Id("12".to_owned()))
}

async fn sent(world: &World, event: Event) -> Result<EventAnswer, HandlerError> {
    world.with_client(async |client: Client<'_>| client.event(&event).await).await
}

fn body(world: &World) -> String {
    String::from_utf8(world.fluent.requests().last().unwrap().body.clone()).unwrap()
}

#[tokio::test]
async fn an_event_has_the_accounts_retailer_and_no_field_that_nobody_set() {
    let world = World::default();
    sent(&world, booked()).await.unwrap();
    assert_eq!(
        body(&world),
        r#"{"name":"Booked","entityType":"FULFILMENT","entityId":"12","retailerId":"7","attributes":{}}"#
    );
    assert_eq!(world.fluent.sent()[1], "acme.example/api/v4.1/event/async");
    assert_eq!(world.outcomes()[1], json!(["answered", null]));
}

#[tokio::test]
async fn an_event_says_all_that_it_was_told() {
    let world = World::default();
    let event = Event::new("Booked", "FULFILMENT", Key::Ref("F_1".to_owned()))
        .retailer("8")
        .subtype("HD")
        .root("ORDER", Key::Id("3".to_owned()))
        .attribute("label", "replaced")
        .attribute("label", "https://label.example/\"1\"")
        .attribute("parcels", json!([{"weight": i64::MIN}]));
    sent(&world, event).await.unwrap();
    assert_eq!(
        body(&world),
        r#"{"name":"Booked","entityType":"FULFILMENT","entityRef":"F_1","retailerId":"8","entitySubtype":"HD","rootEntityType":"ORDER","rootEntityId":"3","attributes":{"label":"https://label.example/\"1\"","parcels":[{"weight":-9223372036854775808}]}}"#
    );
    let event = booked().root("ORDER", Key::Ref("HD_1".to_owned()));
    sent(&world, event).await.unwrap();
    assert!(body(&world).contains(r#""rootEntityRef":"HD_1""#));
}

#[tokio::test]
async fn a_synchronous_event_tells_how_it_ended() {
    let world = World::default();
    world
        .fluent
        .answer([Ok(response(200, r#"{"eventId": "e1", "entityId": 12, "eventStatus": "COMPLETE"}"#))]);
    let event = booked();
    let answer = world.with_client(async |client: Client<'_>| client.event_sync(&event).await).await.unwrap();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(answer, EventAnswer { id: text("e1"), entity_id: text("12"), status: text("COMPLETE") });
    assert_eq!(world.fluent.sent()[1], "acme.example/api/v4.1/event/sync");
}

#[tokio::test]
async fn an_event_that_was_accepted_is_so_whatever_the_answer_says() {
    for (answer, id) in [
        (r#"{"id": "e1"}"#, Some("e1")),
        (r#"{"eventId": 18446744073709551615}"#, Some("18446744073709551615")),
        ("", None),
        ("accepted", None),
        ("{}", None),
        (r#"{"id": null, "eventId": ""}"#, None),
        ("[1]", None),
    ] {
        let world = World::default();
        world.fluent.answer([Ok(response(202, answer))]);
        assert_eq!(sent(&world, booked()).await.unwrap().id.as_deref(), id, "{answer}");
    }
}

#[tokio::test]
async fn an_event_that_met_a_page_for_people_is_tried_again() {
    let world = World::default();
    world.fluent.answer([Ok(response(200, "\r\n <!doctype html><title>Maintenance</title>"))]);
    let Err(HandlerError::Delivery(failure)) = sent(&world, booked()).await else {
        panic!("it has not arrived")
    };
    assert_eq!(failure.code, Code::Answer);
    assert_eq!(world.outcomes()[1], json!(["retry", "E_ANSWER"]));
}

#[test]
fn every_call_fits_an_invocation_of_the_router() {
    assert!(QUERY_TIMEOUT <= LONGEST_TIMEOUT && EVENT_TIMEOUT <= LONGEST_TIMEOUT);
    assert_eq!((QUERY_TIMEOUT.as_secs(), EVENT_TIMEOUT.as_secs()), (10, 15), "as the README says");
}
