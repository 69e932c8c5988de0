//! Orders, fulfilments and consignments of Fluent: what commercetools is told of them, and what it is not.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod shop;

use connector::handler::HandlerError;
use serde_json::{Value, json};
use shop::{Tried, event, found, refused, shipped, tried};

/// An order in commercetools with these fields besides those that every order has.
fn order(version: i64, more: Value) -> (u16, Value) {
    let price =
        json!({"type": "centPrecision", "currencyCode": "EUR", "centAmount": 4250, "fractionDigits": 2});
    let line = |id: &str, sku: &str| {
        json!({"id": id, "productId": "p", "name": {"en": "Hat"}, "variant": {"id": 1, "sku": sku}, "quantity": 9,
            "price": {"value": price}, "totalPrice": price})
    };
    let mut order = json!({"id": "o-1", "version": version, "createdAt": "2026-11-20T08:00:00.000Z",
        "lastModifiedAt": "2026-11-20T08:00:00.000Z", "orderState": "Open", "totalPrice": price,
        "shippingMode": "Single", "lineItems": [line("l-1", "HAT-M"), line("l-2", "HAT-L")]});
    let Value::Object(more) = more else { panic!("{more} is no object") };
    order.as_object_mut().unwrap().extend(more);
    (200, order)
}

fn statuses() -> Value {
    json!({"statuses": {
        "RECEIVED": "Open",
        "BOOKED": "Confirmed",
        "ALLOCATED": "Confirmed",
        "SHIPPED": {"orderState": "Complete", "shipmentState": "Shipped", "paymentState": "Paid", "state": "s-9",
            "fields": {"fluentStatus": "SHIPPED"}},
    }})
}

async fn order_status(status: &str, answers: &[(u16, Value)]) -> Tried {
    let event = event("ORDER", "HD_o-1", json!({ "entityStatus": status }));
    tried("commercetools-order-status", &statuses(), &event, answers).await
}

#[tokio::test]
async fn several_statuses_become_one_state_of_the_order_that_the_reference_names() {
    for status in ["BOOKED", "ALLOCATED"] {
        let tried = order_status(status, &[order(7, json!({})), order(8, json!({}))]).await;
        assert_eq!(tried.result, Ok(()));
        assert_eq!(
            tried.calls(),
            [
                "GET /orders/o-1",
                r#"POST /orders/o-1 {"version":7,"actions":[{"action":"changeOrderState","orderState":"Confirmed"}]}"#,
            ]
        );
        assert_eq!(tried.asked(), Vec::<Value>::new());
    }
}

#[tokio::test]
async fn a_status_may_change_every_state_and_custom_fields_but_only_those_that_differ() {
    let actions = |tried: &Tried| tried.written()[0]["actions"].clone();
    let all = order_status("SHIPPED", &[order(7, json!({})), order(8, json!({}))]).await;
    assert_eq!(
        actions(&all),
        json!([
            {"action": "changeOrderState", "orderState": "Complete"},
            {"action": "changeShipmentState", "shipmentState": "Shipped"},
            {"action": "changePaymentState", "paymentState": "Paid"},
            {"action": "transitionState", "state": {"typeId": "state", "id": "s-9"}},
            {"action": "setCustomField", "name": "fluentStatus", "value": "SHIPPED"},
        ])
    );
    let done = json!({"orderState": "Complete", "paymentState": "Paid", "state": {"typeId": "state", "id": "s-9"},
        "custom": {"fields": {"fluentStatus": "SHIPPED"}}});
    let one = order_status("SHIPPED", &[order(7, done.clone()), order(8, json!({}))]).await;
    assert_eq!(actions(&one), json!([{"action": "changeShipmentState", "shipmentState": "Shipped"}]));
    let mut all_done = done;
    all_done["shipmentState"] = "Shipped".into();
    let again = order_status("SHIPPED", &[order(8, all_done)]).await;
    assert_eq!((&again.result, again.calls()), (&Ok(()), vec!["GET /orders/o-1".to_owned()]));
}

#[tokio::test]
async fn a_change_is_applied_again_to_what_others_made_of_the_order() {
    let conflict = refused(409, "ConcurrentModification");
    let answers = [order(7, json!({})), conflict.clone(), order(9, json!({})), order(10, json!({}))];
    let applied = order_status("BOOKED", &answers).await;
    assert_eq!(applied.result, Ok(()));
    let versions: Vec<_> = applied.written().iter().map(|body| body["version"].clone()).collect();
    assert_eq!(versions, [7, 9]);
    let meanwhile = [order(7, json!({})), conflict, order(9, json!({"orderState": "Confirmed"}))];
    let done_by_others = order_status("BOOKED", &meanwhile).await;
    assert_eq!((&done_by_others.result, done_by_others.written().len()), (&Ok(()), 1));
}

#[tokio::test]
async fn a_status_outside_the_map_is_nothing_to_do_and_a_note_says_so() {
    let unmapped = order_status("UNHEARD_OF", &[]).await;
    assert_eq!((&unmapped.result, unmapped.calls()), (&Ok(()), Vec::new()));
    assert_eq!(unmapped.notes(), ["nothing to do: props.statuses does not have status UNHEARD_OF"]);
}

#[tokio::test]
async fn an_order_is_found_by_its_id_then_by_its_number() {
    let missing = || refused(404, "ResourceNotFound");
    let by_number = [missing(), order(7, json!({})), order(7, json!({})), order(8, json!({}))];
    let tried = order_status("BOOKED", &by_number).await;
    assert_eq!(tried.result, Ok(()));
    let calls = tried.calls();
    assert_eq!(calls[..3], ["GET /orders/o-1", "GET /orders/order-number=HD_o-1", "GET /orders/o-1"]);
    let missed = order_status("BOOKED", &[missing(), missing()]).await;
    assert_eq!(missed.problem(), "project shop has no order of reference HD_o-1");
}

#[tokio::test]
async fn an_order_that_was_made_elsewhere_is_left_alone_and_prefixes_may_be_chosen() {
    let status = json!({ "entityStatus": "BOOKED" });
    let of = |prefix: Option<Value>| {
        let mut props = statuses();
        props.as_object_mut().unwrap().extend(prefix.map(|prefix| ("refPrefix".to_owned(), prefix)));
        props
    };
    let name = "commercetools-order-status";
    let missing = || refused(404, "ResourceNotFound");
    let pos = tried(name, &of(None), &event("ORDER", "POS-1", status.clone()), &[missing()]).await;
    assert_eq!((&pos.result, pos.calls()), (&Ok(()), vec!["GET /orders/order-number=POS-1".to_owned()]));
    assert_eq!(pos.notes(), ["nothing to do: project shop has no order of number POS-1"]);
    for (prefix, reference, first) in [
        (json!("CT-"), "CT-o-1", "GET /orders/o-1"),
        (json!(""), "o-1", "GET /orders/o-1"),
        (json!(null), "HD_o-1", "GET /orders/order-number=HD_o-1"),
    ] {
        let answers = vec![order(7, json!({"orderState": "Confirmed"})); 2];
        let found =
            tried(name, &of(Some(prefix)), &event("ORDER", reference, status.clone()), &answers).await;
        assert_eq!((&found.result, found.calls()[0].as_str()), (&Ok(()), first));
    }
}

#[tokio::test]
async fn what_the_event_lacks_is_asked_of_fluent() {
    let answers = [
        found("orderById", json!({"ref": "HD_o-1", "status": "BOOKED"})),
        order(7, json!({})),
        order(8, json!({})),
    ];
    let asked =
        tried("commercetools-order-status", &statuses(), &event("ORDER", "", json!({})), &answers).await;
    assert_eq!(
        (&asked.result, asked.asked(), asked.written().len()),
        (&Ok(()), vec![json!({"id": "77"})], 1)
    );
    let unknown = [found("orderById", Value::Null)];
    let unknown =
        tried("commercetools-order-status", &statuses(), &event("ORDER", "", json!({})), &unknown).await;
    assert_eq!(unknown.problem(), "Fluent knows no orderById 77");
    let poor = [found("orderById", json!({"ref": "HD_o-1"}))];
    let poor = tried("commercetools-order-status", &statuses(), &event("ORDER", "", json!({})), &poor).await;
    assert_eq!(poor.problem(), "the order has no status");
}

#[tokio::test]
async fn props_and_events_that_say_nothing_usable_are_named() {
    let status = json!({ "entityStatus": "BOOKED" });
    for (props, problem) in [
        (json!({}), r#""statuses" is missing: it says what each status becomes"#),
        (
            json!({"statuses": {"BOOKED": "Confirm"}}),
            r#""statuses.BOOKED" must be one of Open, Confirmed, Complete, Cancelled; did you mean "Confirmed"?"#,
        ),
        (
            json!({"statuses": {"BOOKED": {"shipment": "Ready"}}}),
            r#"unknown key "statuses.BOOKED.shipment"; known are orderState, shipmentState, paymentState, state, fields"#,
        ),
        (
            json!({"statuses": {"BOOKED": "Confirmed", "SHIPPED": {"paymentState": "Payed"}}}),
            r#""statuses.SHIPPED.paymentState" must be one of BalanceDue, Failed, Pending, CreditOwed, Paid"#,
        ),
        (
            json!({"statuses": {"BOOKED": "Confirmed"}, "refPrefix": 7}),
            r#""refPrefix" must be text: put it in quotes"#,
        ),
    ] {
        let wrong =
            tried("commercetools-order-status", &props, &event("ORDER", "HD_o-1", status.clone()), &[]).await;
        assert_eq!(wrong.wrong_props(), problem);
    }
    for (handler, problem) in [
        ("commercetools-order-status", "the event is not of entity type ORDER"),
        ("commercetools-fulfilment-status", "the event is not of entity type FULFILMENT"),
        ("commercetools-consignment-status", "the event is not of entity type CONSIGNMENT"),
    ] {
        let props = json!({"statuses": {"BOOKED": {}}});
        let wrong = tried(handler, &props, &event("WAVE", "w", status.clone()), &[]).await;
        assert_eq!(wrong.problem(), problem);
    }
    let mut unidentified = event("FULFILMENT", "f", json!({}));
    unidentified.as_object_mut().unwrap().remove("entityId");
    let props = json!({"statuses": {"BOOKED": {}}});
    let wrong = tried("commercetools-fulfilment-status", &props, &unidentified, &[]).await;
    assert_eq!(wrong.problem(), "the event has no entityId");
}

#[tokio::test]
async fn a_fulfilment_sets_the_shipment_state_or_a_custom_field_of_its_order() {
    let props =
        json!({"statuses": {"SHIPPED": "Shipped", "PICK_PACK": {"fields": {"warehouse": "packing"}}}});
    let root =
        |status: &str| json!({"entityStatus": status, "rootEntityType": "ORDER", "rootEntityRef": "HD_o-1"});
    for (status, action) in [
        ("SHIPPED", json!({"action": "changeShipmentState", "shipmentState": "Shipped"})),
        ("PICK_PACK", json!({"action": "setCustomField", "name": "warehouse", "value": "packing"})),
    ] {
        let event = event("FULFILMENT", "HD_o-1-1", root(status));
        let answers = [order(7, json!({})), order(8, json!({}))];
        let tried = tried("commercetools-fulfilment-status", &props, &event, &answers).await;
        assert_eq!((&tried.result, &tried.written()[0]["actions"]), (&Ok(()), &json!([action])));
    }
    let rootless = event("FULFILMENT", "HD_o-1-1", json!({"entityStatus": "SHIPPED"}));
    let fulfilment = json!({"ref": "HD_o-1-1", "status": "SHIPPED", "order": {"ref": "HD_o-1"}});
    let answers = [found("fulfilmentById", fulfilment), order(7, json!({"shipmentState": "Shipped"}))];
    let tried = tried("commercetools-fulfilment-status", &props, &rootless, &answers).await;
    assert_eq!((&tried.result, tried.calls()), (&Ok(()), vec!["GET /orders/o-1".to_owned()]));
}

/// An article of a consignment, with its items: barcode and quantity.
fn article(reference: &str, items: &[(&str, Value)]) -> Value {
    let items: Vec<_> = items
        .iter()
        .map(|(barcode, quantity)| json!({"node": {"barcode": barcode, "quantity": quantity}}))
        .collect();
    json!({"cursor": format!("after {reference}"), "node": {"article": {"ref": reference, "items": {"edges": items},
        "fulfilments": {"edges": [{"node": {"order": {"ref": "HD_o-1"}}}]}}}})
}

fn consignment(articles: &[Value], more: bool) -> (u16, Value) {
    found(
        "consignmentById",
        json!({"ref": "C/1", "status": "BOOKED", "trackingLabel": "T-1", "carrier": {"name": "Example Parcel"},
            "consignmentArticles": {"edges": articles, "pageInfo": {"hasNextPage": more}}}),
    )
}

fn two_parcels() -> (u16, Value) {
    consignment(
        &[
            article("A-1", &[("HAT-M", json!(1)), ("HAT-L", json!(2))]),
            article("A-2", &[("HAT-M", json!(3))]),
        ],
        false,
    )
}

async fn consigned(props: Value, answers: &[(u16, Value)]) -> Tried {
    let mut all = json!({"statuses": {"BOOKED": {}, "DELIVERED": "Delivered"}});
    let Value::Object(props) = props else { panic!("{props} is no object") };
    all.as_object_mut().unwrap().extend(props);
    let event = event("CONSIGNMENT", "C/1", json!({"entityStatus": "BOOKED"}));
    tried("commercetools-consignment-status", &all, &event, answers).await
}

/// The delivery of [`two_parcels`] in commercetools, with these parcels: key and tracking number.
fn delivered(parcels: &[(&str, &str)]) -> Value {
    let parcel = |(key, tracking): &(&str, &str)| {
        json!({"id": format!("id of {key}"), "key": key, "items": [],
            "trackingData": {"trackingId": tracking, "carrier": "Example Parcel", "isReturn": false}})
    };
    let parcels: Vec<_> = parcels.iter().map(parcel).collect();
    let price = json!({"type": "centPrecision", "currencyCode": "EUR", "centAmount": 0, "fractionDigits": 2});
    json!({"shippingInfo": {"shippingMethodName": "Standard", "price": price,
        "deliveries": [{"id": "d-1", "key": "C_2F1", "items": [], "parcels": parcels}]}})
}

#[tokio::test]
async fn a_consignment_becomes_a_delivery_with_a_parcel_for_each_article() {
    let tried = consigned(json!({}), &[two_parcels(), order(7, json!({})), order(8, json!({}))]).await;
    assert_eq!(tried.result, Ok(()));
    assert_eq!(tried.asked(), [json!({"id": "77"})]);
    let tracking = json!({"trackingId": "T-1", "carrier": "Example Parcel"});
    assert_eq!(
        tried.written(),
        [json!({"version": 7, "actions": [{"action": "addDelivery", "deliveryKey": "C_2F1",
        "items": [{"id": "l-1", "quantity": 4}, {"id": "l-2", "quantity": 2}],
        "parcels": [
            {"key": "A-1", "trackingData": tracking, "items": [{"id": "l-1", "quantity": 1}, {"id": "l-2", "quantity": 2}]},
            {"key": "A-2", "trackingData": tracking, "items": [{"id": "l-1", "quantity": 3}]},
        ]}]})]
    );
}

#[tokio::test]
async fn what_is_delivered_already_is_not_added_again() {
    let both = delivered(&[("A-1", "T-1"), ("A-2", "T-1")]);
    let again = consigned(json!({}), &[two_parcels(), order(8, both)]).await;
    assert_eq!((&again.result, again.written()), (&Ok(()), Vec::new()));
    let one = delivered(&[("A-1", "T-1")]);
    let added = consigned(json!({}), &[two_parcels(), order(8, one), order(9, json!({}))]).await;
    assert_eq!(
        added.written()[0]["actions"],
        json!([{"action": "addParcelToDelivery", "deliveryId": "d-1", "parcelKey": "A-2",
            "trackingData": {"trackingId": "T-1", "carrier": "Example Parcel"}, "items": [{"id": "l-1", "quantity": 3}]}])
    );
    let old = delivered(&[("A-1", "T-0"), ("A-2", "T-1")]);
    let tracked = consigned(json!({}), &[two_parcels(), order(8, old), order(9, json!({}))]).await;
    assert_eq!(
        tracked.written()[0]["actions"],
        json!([{"action": "setParcelTrackingData", "parcelId": "id of A-1",
            "trackingData": {"trackingId": "T-1", "carrier": "Example Parcel", "isReturn": false}}])
    );
}

#[tokio::test]
async fn a_delivery_survives_a_conflict_and_is_not_doubled_by_it() {
    let conflict = refused(409, "ConcurrentModification");
    let both = delivered(&[("A-1", "T-1"), ("A-2", "T-1")]);
    let tried = consigned(json!({}), &[two_parcels(), order(7, json!({})), conflict, order(9, both)]).await;
    assert_eq!((&tried.result, tried.written().len()), (&Ok(()), 1));
}

#[tokio::test]
async fn a_consignment_of_many_parcels_is_read_page_by_page() {
    let first = consignment(&[article("A-1", &[("HAT-M", json!(1))])], true);
    let second = consignment(&[article("A-2", &[]), article("A-2", &[])], false);
    let tried = consigned(json!({}), &[first, second, order(7, json!({})), order(8, json!({}))]).await;
    assert_eq!(tried.result, Ok(()));
    assert_eq!(tried.asked(), [json!({"id": "77"}), json!({"id": "77", "after": "after A-1"})]);
    let parcels = tried.written()[0]["actions"][0]["parcels"].clone();
    let keys: Vec<_> = parcels.as_array().unwrap().iter().map(|parcel| parcel["key"].clone()).collect();
    assert_eq!(keys, ["A-1", "A-2"]);
    let endless = vec![consignment(&[article("A-1", &[])], true); 20];
    assert_eq!(consigned(json!({}), &endless).await.problem(), "consignment 77 has more than 200 articles");
}

#[tokio::test]
async fn items_may_be_left_out_and_else_have_to_be_in_the_order() {
    for (items, problem) in [
        (&[("SCARF", json!(1))][..], "order o-1 has no line item of SKU SCARF"),
        (&[("", json!(1))], "an article's item has no barcode: set props.items to false"),
        (&[("HAT-M", json!(null))], "an article's item has no quantity"),
        (&[("HAT-M", json!(u64::MAX))], "an article's item's quantity is no whole number of 64 bits"),
    ] {
        let parcel = consignment(&[article("A-1", items)], false);
        let wrong = consigned(json!({}), &[parcel.clone(), order(7, json!({}))]).await;
        assert_eq!(wrong.problem(), problem);
        let without =
            consigned(json!({"items": false}), &[parcel, order(7, json!({})), order(8, json!({}))]).await;
        assert_eq!(without.written()[0]["actions"][0]["parcels"][0]["items"], json!([]));
    }
    let keyless = consignment(&[article("A", &[])], false);
    let wrong = consigned(json!({}), &[keyless, order(7, json!({}))]).await;
    assert!(wrong.problem().starts_with(r#"reference "A" makes no key in commercetools"#));
}

#[tokio::test]
async fn a_consignment_may_set_a_state_too_and_one_outside_the_map_is_left_alone() {
    let unmapped = consigned(json!({"statuses": {"SHIPPED": {}}}), &[]).await;
    assert_eq!((&unmapped.result, unmapped.asked().len(), unmapped.notes().len()), (&Ok(()), 0, 1));
    let both = delivered(&[("A-1", "T-1"), ("A-2", "T-1")]);
    let answers = [two_parcels(), order(8, both), order(9, json!({}))];
    let delivered = consigned(json!({"statuses": {"BOOKED": "Shipped"}}), &answers).await;
    assert_eq!(
        delivered.written()[0]["actions"],
        json!([{"action": "changeShipmentState", "shipmentState": "Shipped"}])
    );
}

#[tokio::test]
async fn an_order_that_goes_several_ways_needs_to_be_told_which() {
    let price = json!({"type": "centPrecision", "currencyCode": "EUR", "centAmount": 0, "fractionDigits": 2});
    let way = |key: &str| {
        json!({"shippingKey": key, "shippingAddress": {"country": "DE"},
            "shippingInfo": {"shippingMethodName": "Standard", "price": price}})
    };
    let ways = |keys: &[&str]| {
        let ways: Vec<_> = keys.iter().map(|key| way(key)).collect();
        order(7, json!({"shippingMode": "Multiple", "shipping": ways}))
    };
    let unclear = consigned(json!({}), &[two_parcels(), ways(&["home", "store"])]).await;
    assert_eq!(unclear.problem(), "order o-1 goes several ways, and props.shippingKey does not say which");
    for (props, keys, told) in
        [(json!({}), &["home"][..], "home"), (json!({"shippingKey": "store"}), &["home", "store"], "store")]
    {
        let tried = consigned(props, &[two_parcels(), ways(keys), order(8, json!({}))]).await;
        assert_eq!(tried.written()[0]["actions"][0]["shippingKey"], told);
    }
}

#[tokio::test]
async fn an_api_that_fails_brings_the_message_back() {
    let busy = order_status("BOOKED", &[(503, json!({"statusCode": 503}))]).await;
    assert!(matches!(busy.result, Err(HandlerError::Delivery { .. })), "{:?}", busy.result);
    assert!(busy.written().is_empty() && busy.notes().is_empty());
}

#[tokio::test]
async fn the_shipped_routes_of_orders_work_on_their_samples() {
    let changed = [order(7, json!({})), order(8, json!({}))];
    let delivered = [two_parcels(), order(7, json!({})), order(8, json!({}))];
    for (route, answers, actions) in [
        ("commercetools-order-status", &changed[..], &["changeOrderState"][..]),
        ("commercetools-fulfilment-status", &changed, &["changeShipmentState"]),
        ("commercetools-consignment-status", &delivered, &["addDelivery", "changeShipmentState"]),
    ] {
        let tried = shipped(route, answers).await;
        assert_eq!(tried.result, Ok(()), "{route}");
        let written = tried.written()[0]["actions"].clone();
        let names: Vec<_> =
            written.as_array().unwrap().iter().map(|action| action["action"].clone()).collect();
        assert_eq!(names, actions, "{route}");
    }
}
