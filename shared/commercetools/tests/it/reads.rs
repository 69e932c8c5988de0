//! Reads and queries.

use std::collections::BTreeSet;
use std::time::Duration;

use commercetools::{Client, InventoryEntry, Order, Pages, Projection, Query};
use connector::call::CALL_ANSWER_BYTES;
use connector::delivery::Next;
use connector::disposition::Reason;
use connector::failure::Code;
use connector::handler::HandlerError;
use connector::outcome::NoAnswer;
use proptest::prelude::*;
use serde_json::json;

use crate::fixtures::{bare_order, channel, entry, full_order};
use crate::support::{World, failure, refusal, response};

const RETRY: Next = Next::Retry { after: Duration::from_secs(5) };
const REFUSED: Next = Next::Undelivered { reason: Reason::Refused };

async fn order(world: &World, id: &str) -> Result<Option<Order>, HandlerError> {
    world.with_client(async |client: Client<'_>| client.order(id).await).await
}

#[tokio::test]
async fn a_resource_is_read_by_its_id_and_is_on_record() {
    let world = World::default();
    world.api.answer([response(200, full_order().to_string())]);
    let order = order(&world, "o-1").await.unwrap().unwrap();
    assert_eq!((order.id.as_str(), order.version), ("o-1", 7));
    assert_eq!(world.api.sent(), ["GET /shop/orders/o-1"]);
    let request = &world.api.requests()[1];
    assert_eq!((request.body.len(), request.headers.contains_key("content-type")), (0, false));
    let recorded = &world.log.entries()[1];
    assert_eq!((&recorded["outcome"], &recorded["request.method"]), (&json!("answered"), &json!("GET")));
    assert_eq!(recorded["request.url"], "https://api.example/shop/orders/o-1");
}

#[tokio::test]
async fn every_read_has_its_path() {
    let world = World::default();
    world.api.answer((0..9).map(|_| refusal(404, "ResourceNotFound")));
    world
        .with_client(async |client: Client<'_>| {
            assert!(client.order_by_number("A/1 ?").await?.is_none());
            assert!(client.customer("c-1").await?.is_none());
            assert!(client.category("k-1").await?.is_none());
            assert!(client.product_projection("p-1", Projection::Current).await?.is_none());
            assert!(client.product_projection("p-1", Projection::Staged).await?.is_none());
            assert!(client.inventory_entry("i-1").await?.is_none());
            assert!(client.channel_by_key("berlin").await?.is_none());
            assert!(client.message("m-1").await?.is_none());
            Ok(())
        })
        .await
        .unwrap();
    let expected = [
        "GET /shop/orders/order-number=A%2F1%20%3F",
        "GET /shop/customers/c-1",
        "GET /shop/categories/k-1",
        "GET /shop/product-projections/p-1?staged=false",
        "GET /shop/product-projections/p-1?staged=true",
        "GET /shop/inventory/i-1",
        "GET /shop/channels/key=berlin",
        "GET /shop/messages/m-1",
    ];
    assert_eq!(world.api.sent(), expected);
    assert!(world.outcomes().iter().all(|outcome| outcome[0] == "answered"));
    assert_eq!(
        world.log.entries()[4]["request.url"],
        "https://api.example/shop/product-projections/p-1?staged=***"
    );
}

#[tokio::test]
async fn what_does_not_exist_is_none_and_no_failure() {
    let world = World::default();
    world.api.answer([refusal(404, "ResourceNotFound")]);
    assert_eq!(order(&world, "o-2").await, Ok(None));
    assert_eq!(world.outcomes(), [json!(["answered", null, "ResourceNotFound: told: ResourceNotFound"])]);
    for id in ["", "..", "."] {
        assert_eq!(order(&world, id).await, Ok(None));
    }
    assert_eq!(world.api.sent().len(), 1, "nothing is asked about nothing");
}

#[tokio::test]
async fn a_404_that_is_not_commercetools_own_is_a_failure() {
    for body in ["<html>not here</html>", r#"{"errors": [{"code": "ProjectNotFound"}]}"#, "{}", ""] {
        let world = World::default();
        world.api.answer([response(404, body)]);
        let failure = failure(order(&world, "o-1").await);
        assert_eq!((failure.code, failure.next), (Code::Rejected, REFUSED), "{body}");
    }
}

#[tokio::test]
async fn errors_are_on_record_by_code_and_message() {
    let world = World::default();
    world.api.answer([refusal(403, "insufficient_scope")]);
    assert_eq!(failure(order(&world, "o-1").await).code, Code::Rejected);
    let told = "insufficient_scope: told: insufficient_scope";
    assert_eq!(world.outcomes(), [json!(["undelivered", "E_REJECTED", told])]);
}

#[tokio::test]
async fn a_commercetools_that_is_busy_or_fails_is_asked_again_later() {
    for (answer, code) in [
        (Ok(refusal(429, "OverCapacity")), Code::Busy),
        (Ok(refusal(502, "BadGateway")), Code::Server),
        (Ok(refusal(503, "PendingOperation")), Code::Server),
        (Ok(response(500, "<html>")), Code::Server),
        (Err(NoAnswer::Timeout), Code::Timeout),
    ] {
        let world = World::default();
        world.api.answer_with([answer]);
        let failure = failure(order(&world, "o-1").await);
        assert_eq!((failure.code, failure.next), (code, RETRY));
    }
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let world = World::default();
    let busy = refusal(429, "OverCapacity");
    world.api.answer([connector::delivery::Response { retry_after: Some("90".to_owned()), ..busy }]);
    let failure = failure(order(&world, "o-1").await);
    assert_eq!(failure.next, Next::Retry { after: Duration::from_secs(90) });
    assert_eq!(world.log.entries()[1]["retry_after_s"], 90);
}

#[tokio::test]
async fn an_answer_that_is_none_is_a_retry_and_one_of_another_kind_refused() {
    let cut: Vec<u8> = full_order().to_string().into_bytes().into_iter().take(300).collect();
    for (body, next) in [
        (b"".to_vec(), RETRY),
        (b"<html>maintenance</html>".to_vec(), RETRY),
        (cut, RETRY),
        (b"{}".to_vec(), REFUSED),
        (b"[]".to_vec(), REFUSED),
        (b"null".to_vec(), REFUSED),
        (br#"{"id": 1}"#.to_vec(), REFUSED),
        (vec![b' '; CALL_ANSWER_BYTES], REFUSED),
    ] {
        let world = World::default();
        world.api.answer([response(200, body)]);
        let failure = failure(order(&world, "o-1").await);
        assert_eq!((failure.code, failure.next), (Code::Answer, next));
        assert!(world.outcomes()[0][2].as_str().unwrap().starts_with("the answer"));
    }
}

#[tokio::test]
async fn stock_is_found_by_sku_and_channel() {
    let world = World::default();
    let page = json!({"limit": 1, "offset": 0, "count": 1, "results": [entry("i-1", 1, 5)]});
    world.api.answer([response(200, page.to_string()), response(200, r#"{"limit": 1, "results": []}"#)]);
    world
        .with_client(async |client: Client<'_>| {
            let found = client.inventory_entry_of("HAT\"M", Some("ch-1")).await?.unwrap();
            assert_eq!((found.id.as_str(), found.quantity_on_stock), ("i-1", 5));
            assert_eq!(client.inventory_entry_of("HAT", None).await?, None);
            Ok(())
        })
        .await
        .unwrap();
    let predicates: Vec<_> = world.api.requests()[1..]
        .iter()
        .map(|request| {
            request.url.as_url().query_pairs().find(|(name, _)| name == "where").unwrap().1.into_owned()
        })
        .collect();
    assert_eq!(
        predicates,
        [
            r#"sku = "HAT\"M" and supplyChannel(id = "ch-1")"#,
            r#"sku = "HAT" and supplyChannel is not defined"#
        ]
    );
}

#[tokio::test]
async fn a_channel_is_read_by_its_key_and_nothing_by_none() {
    let world = World::default();
    world.api.answer([response(200, channel(3).to_string())]);
    world
        .with_client(async |client: Client<'_>| {
            assert_eq!(client.channel_by_key("berlin").await?.unwrap().version, 3);
            assert!(
                client.channel_by_key("").await?.is_none() && client.order_by_number("").await?.is_none()
            );
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(world.api.sent().len(), 1);
}

fn ids(page: &[InventoryEntry]) -> impl Iterator<Item = String> {
    page.iter().map(|entry| entry.id.clone())
}

#[tokio::test]
async fn a_query_ends_where_there_is_no_more() {
    for (stored, calls) in [(0, 1), (3, 1), (4, 2), (8, 3), (9, 3)] {
        let world = World::default();
        (0..stored).for_each(|n| world.api.store(&format!("i-{n}"), entry(&format!("i-{n}"), 1, n)));
        let found = world
            .with_client(async |client: Client<'_>| {
                let mut pages: Pages<'_, InventoryEntry> = client.pages(Query::all().limit(4));
                let mut found = Vec::new();
                while let Some(page) = pages.next().await? {
                    assert!(!page.is_empty());
                    found.extend(ids(&page));
                }
                assert!(pages.next().await?.is_none(), "the end stays the end");
                Ok(found)
            })
            .await
            .unwrap();
        assert_eq!(found.len(), usize::try_from(stored).unwrap());
        assert_eq!(world.api.sent().len(), calls, "{stored}");
    }
}

#[tokio::test]
async fn another_invocation_goes_on_where_one_ended() {
    let world = World::default();
    (0..5).for_each(|n| world.api.store(&format!("i-{n}"), entry(&format!("i-{n}"), 1, n)));
    let query = || Query::filtered("sku = \"HAT-M\"").limit(2).staged();
    let last = world
        .with_client(async |client: Client<'_>| {
            let mut pages: Pages<'_, InventoryEntry> = client.pages(query());
            pages.next().await?;
            Ok(pages.last_id().unwrap().to_owned())
        })
        .await
        .unwrap();
    let found = world
        .with_client(async |client: Client<'_>| {
            client.pages::<InventoryEntry>(query().after(last)).next().await
        })
        .await;
    assert_eq!(ids(&found.unwrap().unwrap()).collect::<Vec<_>>(), ["i-2", "i-3"]);
    assert_eq!(
        world.api.sent()[1],
        "GET /shop/inventory?sort=id%20asc&limit=2&withTotal=false&where=%28sku%20%3D%20%22HAT-M%22%29%20and%20id%20%3E%20%22i-1%22&staged=true"
    );
}

#[tokio::test]
async fn a_page_that_is_too_long_is_asked_for_in_shorter_ones() {
    let world = World::default();
    for id in ["o-1", "o-2", "o-3", "o-4", "o-5"] {
        let mut order = bare_order(id);
        order["custom"] = json!({"fields": {"note": "x".repeat(600_000)}});
        world.api.store(id, order);
    }
    let found = world
        .with_client(async |client: Client<'_>| {
            let mut pages: Pages<'_, Order> = client.pages(Query::all());
            let mut found = Vec::new();
            while let Some(page) = pages.next().await? {
                found.extend(page.into_iter().map(|order| order.id));
            }
            Ok(found)
        })
        .await;
    assert_eq!(found.unwrap(), ["o-1", "o-2", "o-3", "o-4", "o-5"]);
    let mut order = bare_order("o-0");
    order["custom"] = json!({"fields": {"note": "x".repeat(3_000_000)}});
    world.api.store("o-0", order);
    let error = world
        .with_client(async |client: Client<'_>| client.pages::<Order>(Query::all()).next().await)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "misconfigured: one of orders exceeds 2 MiB");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_query_loses_and_repeats_nothing_while_others_create_and_delete(
        stored in prop::collection::btree_set(0..200_u16, 0..40),
        changes in prop::collection::vec((any::<bool>(), 0..200_u16), 0..20),
        limit in 1..8_u16,
    ) {
        let world = World::default();
        let name = |n: u16| format!("i-{n:03}");
        for n in &stored {
            world.api.store(&name(*n), entry(&name(*n), 1, 1));
        }
        let touched: BTreeSet<_> = changes.iter().map(|(_, n)| name(*n)).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let found = runtime.block_on(world.with_client(async |client: Client<'_>| {
            let mut pages: Pages<'_, InventoryEntry> = client.pages(Query::all().limit(limit));
            let (mut found, mut changes) = (Vec::new(), changes.iter());
            while let Some(page) = pages.next().await? {
                found.extend(ids(&page));
                match changes.next() {
                    Some((true, n)) => world.api.store(&name(*n), entry(&name(*n), 1, 1)),
                    Some((false, n)) => world.api.delete(&name(*n)),
                    None => {}
                }
            }
            Ok(found)
        })).unwrap();
        let all: BTreeSet<_> = found.iter().cloned().collect();
        prop_assert_eq!(all.len(), found.len(), "repeats nothing");
        let expected: BTreeSet<_> = stored.iter().map(|n| name(*n)).filter(|id| !touched.contains(id)).collect();
        prop_assert!(expected.is_subset(&all), "loses nothing");
    }
}
