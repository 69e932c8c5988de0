//! Positions and locations of Fluent: what becomes of stock and channels in commercetools.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod shop;

use connector::failure::Code;
use connector::handler::HandlerError;
use serde_json::{Value, json};
use shop::{Tried, event, found, refused, shipped, tried};

fn position(quantity: Value) -> (u16, Value) {
    let mut position = json!({"ref": "HAT-M:STORES", "productRef": "HAT-M", "groupRef": "STORES"});
    position["quantity"] = quantity;
    found("virtualPositionById", position)
}

fn channel() -> (u16, Value) {
    (200, json!({"id": "ch-1", "version": 1, "key": "STORES", "roles": ["InventorySupply"]}))
}

fn entry(version: i64, quantity: i64) -> Value {
    json!({"id": "i-1", "version": version, "sku": "HAT-M", "supplyChannel": {"typeId": "channel", "id": "ch-1"},
        "quantityOnStock": quantity, "availableQuantity": quantity})
}

fn page(entries: &[Value]) -> (u16, Value) {
    (200, json!({"limit": 1, "results": entries}))
}

async fn stocked(props: Value, answers: &[(u16, Value)]) -> Tried {
    let event = event("VIRTUAL_POSITION", "HAT-M:STORES", json!({}));
    tried("commercetools-inventory-upsert", &props, &event, answers).await
}

#[tokio::test]
async fn stock_is_set_to_what_the_position_says() {
    let answers =
        [position(json!(12)), channel(), page(&[entry(3, 5)]), (200, entry(3, 5)), (200, entry(4, 12))];
    let tried = stocked(json!({}), &answers).await;
    assert_eq!((&tried.result, tried.asked()), (&Ok(()), vec![json!({"id": "77"})]));
    assert_eq!(
        tried.calls(),
        [
            "GET /channels/key=STORES",
            "GET /inventory?sort=id%20asc&limit=1&withTotal=false&where=sku%20%3D%20%22HAT-M%22%20and%20supplyChannel%28id%20%3D%20%22ch-1%22%29",
            "GET /inventory/i-1",
            r#"POST /inventory/i-1 {"version":3,"actions":[{"action":"changeQuantity","quantity":12}]}"#,
        ]
    );
}

#[tokio::test]
async fn stock_that_is_right_is_left_alone() {
    let again = stocked(json!({}), &[position(json!(12)), channel(), page(&[entry(4, 12)])]).await;
    assert_eq!((&again.result, again.written()), (&Ok(()), Vec::new()));
    assert_eq!(again.notes(), Vec::<String>::new());
    let conflict = refused(409, "ConcurrentModification");
    let answers = [
        position(json!(12)),
        channel(),
        page(&[entry(3, 5)]),
        (200, entry(3, 5)),
        conflict,
        (200, entry(4, 12)),
    ];
    let by_others = stocked(json!({}), &answers).await;
    assert_eq!((&by_others.result, by_others.written().len()), (&Ok(()), 1));
}

#[tokio::test]
async fn stock_of_zero_below_zero_and_beyond_measure_is_written_exactly() {
    for (told, written) in [
        (json!(0), 0),
        (json!(-4), 0),
        (json!("7"), 7),
        (json!(9_007_199_254_740_993_i64), 9_007_199_254_740_993),
        (json!(i64::MAX), i64::MAX),
    ] {
        let answers = [position(told), channel(), page(&[]), (201, entry(1, written))];
        let created = stocked(json!({}), &answers).await;
        assert_eq!(created.result, Ok(()));
        assert_eq!(
            created.written(),
            [
                json!({"sku": "HAT-M", "supplyChannel": {"typeId": "channel", "id": "ch-1"}, "quantityOnStock": written})
            ]
        );
    }
    for none in [json!(u64::MAX), json!(1.5), json!("many"), json!(true)] {
        let wrong = stocked(json!({}), &[position(none)]).await;
        assert!(wrong.problem().starts_with("the position"), "{}", wrong.problem());
    }
}

#[tokio::test]
async fn stock_that_somebody_else_creates_meanwhile_is_changed() {
    let taken = || refused(400, "DuplicateField");
    let answers = [
        position(json!(12)),
        channel(),
        page(&[]),
        taken(),
        page(&[entry(1, 3)]),
        (200, entry(1, 3)),
        (200, entry(2, 12)),
    ];
    let changed = stocked(json!({}), &answers).await;
    assert_eq!((&changed.result, changed.written().len()), (&Ok(()), 2));
    let answers = [position(json!(12)), channel(), page(&[]), taken(), page(&[])];
    let gone = stocked(json!({}), &answers).await.result;
    assert!(matches!(gone, Err(HandlerError::Misconfigured { code: Code::Conflict, .. })), "{gone:?}");
}

#[tokio::test]
async fn the_place_of_stock_may_be_chosen() {
    let answers = [position(json!(12)), channel(), page(&[entry(1, 12)])];
    let one = stocked(json!({"channel": "web"}), &answers).await;
    assert_eq!((&one.result, one.calls()[0].as_str()), (&Ok(()), "GET /channels/key=web"));
    let nowhere =
        stocked(json!({"channel": null}), &[position(json!(12)), page(&[]), (201, entry(1, 12))]).await;
    assert_eq!(nowhere.written(), [json!({"sku": "HAT-M", "quantityOnStock": 12})]);
    assert!(nowhere.calls()[0].contains("supplyChannel%20is%20not%20defined"), "{:?}", nowhere.calls());
    let number = stocked(json!({"channel": 7}), &[position(json!(12))]).await;
    assert_eq!(number.wrong_props(), r#""channel" must be text: put it in quotes"#);
    let missing = [position(json!(12)), refused(404, "ResourceNotFound")];
    assert_eq!(stocked(json!({}), &missing).await.problem(), "project shop has no channel of key STORES");
}

#[tokio::test]
async fn an_inventory_position_has_its_stock_at_a_location() {
    let event_of = |kind| event(kind, "HAT-M:S1", json!({}));
    let stock = json!({"ref": "HAT-M:S1", "productRef": "HAT-M", "locationRef": "S 1", "onHand": 5});
    let answers = [found("inventoryPositionById", stock), channel(), page(&[entry(1, 5)])];
    let name = "commercetools-inventory-upsert";
    let tried_at = tried(name, &json!({}), &event_of("INVENTORY_POSITION"), &answers).await;
    assert_eq!((&tried_at.result, tried_at.calls()[0].as_str()), (&Ok(()), "GET /channels/key=S_201"));
    let other = tried(name, &json!({}), &event_of("INVENTORY_QUANTITY"), &[]).await;
    assert_eq!(other.problem(), "the event is not of a VIRTUAL_POSITION or INVENTORY_POSITION");
}

#[tokio::test]
async fn a_position_that_lacks_what_is_needed_is_parked() {
    for (position, problem) in [
        (Value::Null, "Fluent knows no virtualPositionById 77"),
        (json!({"groupRef": "STORES", "quantity": 1}), "the position has no productRef"),
        (json!({"productRef": "HAT-M", "groupRef": "STORES"}), "the position has no quantity"),
        (
            json!({"productRef": "HAT-M", "quantity": 1}),
            "the position names no place, and props.channel none for it",
        ),
    ] {
        assert_eq!(stocked(json!({}), &[found("virtualPositionById", position)]).await.problem(), problem);
    }
    let query = "query ($id: ID!) { virtualPositionById(id: $id) { productRef: sku quantity groupRef } }";
    let answers = [position(json!(12)), channel(), page(&[entry(1, 12)])];
    let own = stocked(json!({ "query": query }), &answers).await;
    assert!(own.bench.transport.requests().iter().any(|request| {
        serde_json::from_slice::<Value>(&request.body).is_ok_and(|body| body["query"] == query)
    }));
}

fn location(more: Value) -> (u16, Value) {
    let mut location = json!({"ref": "S-1", "name": "Store One", "primaryAddress": {"companyName": "Example",
        "street": "1 Main Street", "city": "Sydney", "state": "NSW", "postcode": "2000", "country": "AU",
        "latitude": -33.87, "longitude": "151.21"}});
    let Value::Object(more) = more else { panic!("{more} is no object") };
    location.as_object_mut().unwrap().extend(more);
    found("locationById", location)
}

fn address() -> Value {
    json!({"country": "AU", "streetName": "1 Main Street", "postalCode": "2000", "city": "Sydney", "state": "NSW",
        "company": "Example"})
}

fn point() -> Value {
    json!({"type": "Point", "coordinates": [151.21, -33.87]})
}

/// The channel of [`location`], with these fields changed.
fn store(more: Value) -> (u16, Value) {
    let mut channel = json!({"id": "ch-1", "version": 4, "key": "S-1", "roles": ["InventorySupply"],
        "name": {"en": "Store One"}, "address": address(), "geoLocation": point()});
    let Value::Object(more) = more else { panic!("{more} is no object") };
    channel.as_object_mut().unwrap().extend(more);
    (200, channel)
}

async fn located(props: Value, answers: &[(u16, Value)]) -> Tried {
    tried("commercetools-location-upsert", &props, &event("LOCATION", "S-1", json!({})), answers).await
}

#[tokio::test]
async fn a_location_becomes_a_channel() {
    let missing = || refused(404, "ResourceNotFound");
    let made = located(json!({}), &[location(json!({})), missing(), store(json!({}))]).await;
    assert_eq!((&made.result, made.asked()), (&Ok(()), vec![json!({"id": "77"})]));
    assert_eq!(made.calls()[0], "GET /channels/key=S-1");
    assert_eq!(
        made.written(),
        [
            json!({"key": "S-1", "roles": ["InventorySupply"], "name": {"en": "Store One"}, "address": address(),
            "geoLocation": point()})
        ]
    );
    let props = json!({"locale": "de", "roles": ["ProductDistribution", "Primary"]});
    let bare = location(json!({"primaryAddress": null}));
    let made = located(props, &[bare, missing(), store(json!({}))]).await;
    let expected =
        json!({"key": "S-1", "roles": ["ProductDistribution", "Primary"], "name": {"de": "Store One"}});
    assert_eq!(made.written(), [expected]);
}

#[tokio::test]
async fn a_channel_gets_what_differs_and_keeps_what_fluent_does_not_know() {
    let knows_more = store(json!({"roles": ["InventorySupply", "NewRole"]}));
    let again = located(json!({}), &[location(json!({})), knows_more]).await;
    assert_eq!((&again.result, again.written()), (&Ok(()), Vec::new()));
    let mut old = address();
    old["city"] = "Perth".into();
    old["phone"] = "0".into();
    let mut new = address();
    new["phone"] = "0".into();
    let stands = || {
        store(json!({"roles": ["Primary"], "name": {"de": "Laden Eins", "en": "Store"}, "address": old,
            "geoLocation": {"type": "Point", "coordinates": [115.86, -31.95]}}))
    };
    let answers = [location(json!({})), stands(), stands(), store(json!({}))];
    let changed = located(json!({}), &answers).await;
    assert_eq!(
        changed.written(),
        [json!({"version": 4, "actions": [
            {"action": "changeName", "name": {"de": "Laden Eins", "en": "Store One"}},
            {"action": "setAddress", "address": new},
            {"action": "setGeoLocation", "geoLocation": point()},
            {"action": "addRoles", "roles": ["InventorySupply"]},
        ]})]
    );
    let poor =
        located(json!({}), &[location(json!({"name": null, "primaryAddress": null})), store(json!({}))])
            .await;
    assert_eq!((&poor.result, poor.written()), (&Ok(()), Vec::new()));
}

#[tokio::test]
async fn a_channel_that_somebody_else_makes_or_changes_meanwhile_is_kept() {
    let (missing, taken) = (refused(404, "ResourceNotFound"), refused(400, "DuplicateField"));
    let answers = [location(json!({})), missing, taken, store(json!({}))];
    let made_by_others = located(json!({}), &answers).await;
    assert_eq!((&made_by_others.result, made_by_others.written().len()), (&Ok(()), 1));
    let unnamed = || store(json!({"name": null}));
    let conflict = refused(409, "ConcurrentModification");
    let answers = [location(json!({})), unnamed(), unnamed(), conflict, unnamed(), store(json!({}))];
    let applied_again = located(json!({}), &answers).await;
    assert_eq!((&applied_again.result, applied_again.written().len()), (&Ok(()), 2));
}

#[tokio::test]
async fn countries_are_of_two_letters_or_mapped_to_them() {
    let place = |country: Value| location(json!({"primaryAddress": {"country": country}}));
    let props = || json!({"countries": {"Australia": "AU"}});
    let missing = refused(404, "ResourceNotFound");
    for country in ["AU", "au", "Australia"] {
        let made = located(props(), &[place(country.into()), missing.clone(), store(json!({}))]).await;
        assert_eq!(made.written()[0]["address"], json!({"country": "AU"}));
    }
    let wrong = located(props(), &[place("Austria".into())]).await;
    let problem = r#"country "Austria" is not of two letters (ISO 3166-1): map it in props.countries"#;
    assert_eq!(wrong.problem(), problem);
    assert_eq!(
        located(props(), &[place(Value::Null)]).await.problem(),
        "the location's address has no country"
    );
}

#[tokio::test]
async fn a_location_or_props_that_cannot_be_mapped_are_named() {
    let off = location(json!({"primaryAddress": {"country": "AU", "latitude": 91, "longitude": 0}}));
    let degrees = "the location's longitude and latitude are no degrees on the earth";
    assert_eq!(located(json!({}), &[off]).await.problem(), degrees);
    let nameless = location(json!({"ref": null}));
    assert_eq!(located(json!({}), &[nameless]).await.problem(), "the location has no ref");
    for roles in [json!([]), json!(["Warehouse"]), json!("Primary")] {
        let wrong = located(json!({ "roles": roles }), &[location(json!({}))]).await;
        assert!(wrong.wrong_props().starts_with(r#""roles" must be a list of"#), "{}", wrong.wrong_props());
    }
    let wrong = located(json!({"locale": 1}), &[location(json!({}))]).await;
    assert_eq!(wrong.wrong_props(), r#""locale" must be text: put it in quotes"#);
    let wave = tried("commercetools-location-upsert", &json!({}), &event("WAVE", "w", json!({})), &[]).await;
    assert_eq!(wave.problem(), "the event is not of entity type LOCATION");
}

#[tokio::test]
async fn the_shipped_routes_of_stock_and_locations_work_on_their_samples() {
    let answers = [position(json!(12)), channel(), page(&[]), (201, entry(1, 12))];
    let stock = shipped("commercetools-inventory-upsert", &answers).await;
    assert_eq!((&stock.result, stock.written().len()), (&Ok(()), 1));
    let answers = [location(json!({})), refused(404, "ResourceNotFound"), store(json!({}))];
    let channel = shipped("commercetools-location-upsert", &answers).await;
    assert_eq!((&channel.result, channel.written().len()), (&Ok(()), 1));
}
