//! All categories and products of a project of commercetools, and what is handed over of them.

use std::collections::BTreeSet;
use std::time::Duration;

use connector::delivery::OutboundRequest;
use connector::handler::HandlerError;
use connector::job::Beginning;
use connector::parameter::Section;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::run::{Running, parameter, problem};

const JOB: &str = "commercetools-product-catalogue-sync";
const EARLY: &str = "2026-11-01T00:00:00.000Z";

/// A category of an id with so many above it.
fn category(id: usize, depth: usize, modified: &str) -> Value {
    let above: Vec<_> =
        (0..depth).map(|at| json!({"typeId": "category", "id": format!("above-{at}")})).collect();
    let mut category = json!({"id": format!("c-{id:04}"), "version": 3, "key": format!("cat-{id}"), "name": {"en": "A"},
        "slug": {"en": "a"}, "lastModifiedAt": modified, "ancestors": above});
    if let Some(parent) = above.last() {
        category["parent"] = parent.clone();
    }
    category
}

fn product(id: usize, modified: &str) -> Value {
    json!({"id": format!("p-{id:04}"), "version": i64::MAX, "lastModifiedAt": modified, "published": true})
}

/// A project of commercetools, as far as it lists categories and products.
#[derive(Clone, Default)]
struct Shop {
    categories: Vec<Value>,
    products: Vec<Value>,
}

impl Shop {
    fn answer(&self, request: &OutboundRequest) -> Value {
        let path = request.url.as_url().path();
        let all = match path {
            "/shop/categories" => &self.categories,
            "/shop/product-projections" => &self.products,
            other => panic!("{other} is not asked for"),
        };
        assert_eq!(parameter(request, "staged"), None, "published products alone");
        let predicate = parameter(request, "where").unwrap();
        let limit: usize = parameter(request, "limit").unwrap().parse().unwrap();
        let mut found: Vec<_> = all.iter().filter(|resource| holds(&predicate, resource)).cloned().collect();
        found.sort_by_key(|resource| resource["id"].as_str().unwrap().to_owned());
        found.truncate(limit);
        json!({"limit": limit, "results": found})
    }
}

/// The predicates of the job.
fn holds(predicate: &str, resource: &Value) -> bool {
    let predicate = predicate.replace(['(', ')'], "");
    predicate.split(" and ").all(|part| match part.splitn(3, ' ').collect::<Vec<_>>()[..] {
        ["parent", "is", rest] => (rest == "defined") == resource.get("parent").is_some(),
        [field, ">", value] => resource[field].as_str().unwrap() > value.trim_matches('"'),
        [field, "<=", value] => resource[field].as_str().unwrap() <= value.trim_matches('"'),
        _ => panic!("{part} is no predicate of the job"),
    })
}

fn running(shop: &Shop, props: &Value) -> Running {
    let running = Running::new(JOB, &json!({"props": props}), &[]);
    let shop = shop.clone();
    running.answered_by(move |request| shop.answer(request));
    running
}

fn ids(running: &Running) -> Vec<String> {
    let payloads = running.payloads().into_iter();
    payloads.map(|payload| payload["resource"]["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_run_hands_over_all_categories_parents_first_and_then_all_products() {
    let categories =
        vec![category(1, 2, EARLY), category(2, 0, EARLY), category(3, 1, EARLY), category(4, 0, EARLY)];
    let shop = Shop { categories, products: vec![product(1, EARLY), product(2, EARLY)] };
    let mut running = running(&shop, &json!({}));
    running.run(Beginning::LastEnd).await.unwrap();
    assert_eq!(ids(&running), ["c-0002", "c-0004", "c-0003", "c-0001", "p-0001", "p-0002"]);
    let routes: BTreeSet<_> =
        running.messages().iter().map(|item| (item.name.clone(), item.route.clone())).collect();
    let of = |name: &str, route: &str| (name.to_owned(), Some(route.to_owned()));
    assert_eq!(
        routes.into_iter().collect::<Vec<_>>(),
        [
            of("commercetools.connect.category.upsert", "commercetools-category-upsert"),
            of("commercetools.connect.product.upsert", "commercetools-product-upsert"),
        ]
    );
    assert_eq!(
        running.payloads()[0],
        json!({"notificationType": "ResourceUpdated", "projectKey": "shop", "resource": {"typeId": "category", "id": "c-0002"},
            "resourceUserProvidedIdentifiers": {"key": "cat-2"}, "version": 3, "modifiedAt": EARLY})
    );
    let body = &running.items[4].body;
    assert!(body.contains("\"version\":9223372036854775807"), "every digit: {body}");
    assert_eq!(running.notes(), ["6 done in 3 steps, from the beginning to 2026-11-20T08:30:01Z"]);
    assert_eq!(running.state().run, None);
}

#[tokio::test]
async fn what_is_handed_over_works_on_its_routes() {
    let shop = Shop { categories: vec![category(1, 0, EARLY)], products: vec![product(1, EARLY)] };
    let mut running = running(&shop, &json!({}));
    running.run(Beginning::LastEnd).await.unwrap();
    let handlers = handlers::registry().build().unwrap();
    let [category_item, product_item] = &running.messages()[..] else { panic!("there are two") };
    let before = running.bench.transport.requests().len();
    running.bench.answers(&[
        (200, shop.categories[0].clone()),
        (200, json!({"access_token": "hunter2-t", "expires_in": 3600})),
        (200, json!({"id": "e1"})),
        (404, json!({"statusCode": 404, "message": "gone", "errors": [{"code": "ResourceNotFound", "message": "gone"}]})),
    ]);
    running.bench.handle(&handlers, category_item).await.unwrap();
    running.bench.handle(&handlers, product_item).await.unwrap();
    let requests = running.bench.transport.requests();
    let urls: Vec<_> =
        requests[before..].iter().map(|request| request.url.as_url().as_str().to_owned()).collect();
    assert_eq!(
        urls,
        [
            "https://api.example/shop/categories/c-0001",
            "https://acme.api.example/oauth/token",
            "https://acme.api.example/api/v4.1/event/async",
            "https://api.example/shop/product-projections/p-0001?staged=false",
        ]
    );
}

#[tokio::test]
async fn a_later_run_is_about_what_has_changed_since() {
    let changed = "2026-11-20T08:35:00.000Z";
    let shop = Shop {
        categories: vec![category(1, 0, EARLY), category(2, 1, changed)],
        products: vec![product(1, EARLY), product(2, changed), product(3, "2026-11-20T09:00:00.000Z")],
    };
    let mut running = running(&shop, &json!({}));
    running.run(Beginning::LastEnd).await.unwrap();
    assert_eq!(ids(&running), ["c-0001", "p-0001"]);
    running.bench.clock.advance(Duration::from_mins(15));
    running.run(Beginning::LastEnd).await.unwrap();
    assert_eq!(ids(&running)[2..], ["c-0002", "p-0002"]);
    let last = running.asked().last().unwrap().clone();
    assert_eq!(
        parameter(&last, "where").unwrap(),
        r#"lastModifiedAt > "2026-11-20T08:28:01.000Z" and lastModifiedAt <= "2026-11-20T08:45:05.000Z""#
    );
}

#[tokio::test]
async fn a_page_that_was_not_handed_over_whole_is_handed_over_again_under_the_same_ids() {
    let shop = Shop { categories: (1..=3).map(|id| category(id, 0, EARLY)).collect(), products: Vec::new() };
    let mut running = running(&shop, &json!({}));
    running.start(Beginning::LastEnd);
    running.handle().await.unwrap();
    running.bench.event_queue.fail_next([false, true, false]);
    let error = running.handle().await.unwrap_err();
    assert!(matches!(error, HandlerError::Unconfirmed { .. }), "{error:?}");
    assert_eq!(ids(&running), ["c-0001", "c-0003"]);
    running.handle().await.unwrap();
    assert_eq!(ids(&running), ["c-0001", "c-0003", "c-0002"], "those that SQS had are dropped by it");
}

#[tokio::test]
async fn an_empty_project_is_no_failure() {
    let mut running = running(&Shop::default(), &json!({}));
    running.run(Beginning::LastEnd).await.unwrap();
    assert_eq!((running.items.len(), running.asked().len(), running.handled), (0, 3, 4));
}

#[tokio::test]
async fn a_kind_may_be_left_out() {
    let shop = Shop { categories: vec![category(1, 0, EARLY)], products: vec![product(1, EARLY)] };
    for (props, expected) in
        [(json!({"categoryRoute": null}), "p-0001"), (json!({"productRoute": null}), "c-0001")]
    {
        let mut running = running(&shop, &props);
        running.run(Beginning::LastEnd).await.unwrap();
        assert_eq!(ids(&running), [expected]);
    }
    let none = json!({"categoryRoute": null, "productRoute": null});
    insta::assert_snapshot!(problem(running(&shop, &none).run(Beginning::LastEnd).await), @"props.categoryRoute and props.productRoute are both null: there is nothing to hand over");
}

#[tokio::test]
async fn nothing_is_asked_or_handed_over_where_a_route_is_off() {
    let shop = Shop { categories: vec![category(1, 0, EARLY)], products: Vec::new() };
    let off = [(Section::Routes, "commercetools-product-upsert", "enabled: false")];
    let mut running = Running::new(JOB, &json!({}), &off);
    running.answered_by(move |request| shop.answer(request));
    insta::assert_snapshot!(problem(running.run(Beginning::LastEnd).await), @"routes/commercetools-product-upsert is disabled: a parameter of its name with `enabled: true` switches it on");
    assert_eq!((running.items.len(), running.bench.transport.requests().len()), (0, 0));
    let mut elsewhere = self::running(&Shop::default(), &json!({"categoryRoute": "mine"}));
    insta::assert_snapshot!(problem(elsewhere.run(Beginning::LastEnd).await), @"routes/mine does not exist, or is a shipped one that no parameter switches on");
}

#[tokio::test]
async fn the_project_has_to_be_known() {
    let project = "{ authUrl: https://auth.example, apiUrl: https://api.example, clientId: c, clientSecret: s, accountId: ACME, retailerId: 1 }";
    let two = [(Section::Commercetools, "shop", project), (Section::Commercetools, "outlet", project)];
    insta::assert_snapshot!(problem(Running::new(JOB, &json!({}), &two).run(Beginning::LastEnd).await), @"there is more than one project below commercetools/: props.project has to say which is meant");
    let mut named = Running::new(JOB, &json!({"props": {"project": "shop"}}), &two);
    named.answered_by(|request| Shop::default().answer(request));
    named.run(Beginning::LastEnd).await.unwrap();
    let wrong = async |props: Value| problem(running(&Shop::default(), &props).run(Beginning::LastEnd).await);
    insta::assert_snapshot!(wrong(json!({"project": "other"})).await, @"there is no usable project commercetools/other");
    insta::assert_snapshot!(wrong(json!({"pageSize": 501})).await, @r#"the route's props: "pageSize" must be a whole number from 1 to 500"#);
    insta::assert_snapshot!(wrong(json!({"projects": "shop"})).await, @r#"the route's props: unknown key "projects"; did you mean "project"?"#);
}

#[tokio::test]
async fn pages_that_are_too_long_are_asked_for_in_parts_and_grow_again() {
    let mut shop = Shop { categories: Vec::new(), products: (0..40).map(|id| product(id, EARLY)).collect() };
    for fat in &mut shop.products[10..14] {
        fat["description"] = json!({"en": "x".repeat(700_000)});
    }
    let mut running = running(&shop, &json!({"pageSize": 16, "categoryRoute": null}));
    running.run(Beginning::LastEnd).await.unwrap();
    let expected: Vec<_> = (0..40).map(|id| format!("p-{id:04}")).collect();
    assert_eq!(ids(&running), expected);
    let limits: Vec<_> = running.asked().iter().map(|request| parameter(request, "limit").unwrap()).collect();
    insta::assert_snapshot!(limits.join(" "), @"16 8 16 8 4 8 16 16");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_the_page_size_each_thing_is_handed_over_once(
        depths in proptest::collection::vec(0..4_usize, 0..40),
        products in 0..40_usize,
        size in 1..50_u16,
        failing in proptest::collection::vec(proptest::bool::weighted(0.2), 0..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let categories: Vec<_> = depths.iter().enumerate().map(|(id, depth)| category(id, *depth, EARLY)).collect();
            let shop = Shop { categories, products: (0..products).map(|id| product(id, EARLY)).collect() };
            let mut running = running(&shop, &json!({"pageSize": size}));
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
            let found: BTreeSet<_> = ids(&running).into_iter().collect();
            let all = shop.categories.iter().chain(&shop.products);
            let all: BTreeSet<_> = all.map(|thing| thing["id"].as_str().unwrap().to_owned()).collect();
            assert_eq!(found.len(), running.items.len());
            assert_eq!(found, all);
        });
    }
}
