//! Orders of commercetools: what Fluent is asked and told, and what it is not.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use connector::delivery::OutboundRequest;
use connector::failure::Code;
use connector::handler::HandlerError;
use connector::message::Message;
use connector::parameter::Section;
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::workbench::Workbench;

const ROUTE: &str = "commercetools-order-create";
const ACCOUNT: &str = "{ baseUrl: https://acme.api.example, username: u, password: hunter2-p, clientId: c, clientSecret: hunter2-s, retailerId: 1 }";
const PROJECT: &str = "{ authUrl: https://auth.shop.example, apiUrl: https://api.shop.example, clientId: c, clientSecret: hunter2-s, accountId: ACME, retailerId: 2 }";

/// What one message led to.
struct Tried {
    bench: Workbench,
    result: Result<(), HandlerError>,
}

impl Tried {
    /// The queries and mutations that Fluent got.
    fn told(&self) -> Vec<Value> {
        let is_query = |request: &&OutboundRequest| request.url.as_url().path() == "/graphql";
        let requests = self.bench.transport.requests();
        requests
            .iter()
            .filter(is_query)
            .map(|request| serde_json::from_slice(&request.body).unwrap())
            .collect()
    }

    /// The name of the mutation and its input.
    fn created(&self) -> (String, Value) {
        assert_eq!(self.result, Ok(()));
        let told = self.told();
        assert_eq!(told.len(), 3, "order, customer, mutation: {told:?}");
        let query = told[2]["query"].as_str().unwrap();
        let name = query.split("{ ").nth(1).unwrap().split('(').next().unwrap();
        let input = told[2]["variables"]["input"].clone();
        let type_name = query.split("$input: ").nth(1).unwrap().split('!').next().unwrap();
        testkit::fluent_inputs::check(type_name, &input);
        (name.to_owned(), input)
    }

    fn input(&self) -> Value {
        self.created().1
    }

    /// The reason for which it is parked; nothing was created.
    fn problem(&self) -> String {
        assert!(self.told().iter().all(|told| !told["query"].as_str().unwrap().starts_with("mutation")));
        match &self.result {
            Err(HandlerError::Misconfigured { code: Code::Mapping, reason }) => reason.clone(),
            other => panic!("{other:?} is no mapping"),
        }
    }
}

fn message() -> Message {
    let payload = json!({
        "notificationType": "Message", "projectKey": "acme-shop", "resource": {"typeId": "order", "id": "o-1"},
        "id": "n-1", "sequenceNumber": 1, "version": 1, "resourceVersion": 1, "type": "OrderCreated",
        "payloadNotIncluded": {"reason": "Payload too large.", "payloadType": "OrderCreated"},
    });
    of_payload(&payload)
}

fn of_payload(payload: &Value) -> Message {
    let envelope = json!({
        "version": 1, "id": "o-1/1", "name": "commercetools.connect.order.create", "source": "commercetools",
        "receivedAt": "2026-11-20T08:30:00Z", "payload": payload, "route": ROUTE,
    });
    Message::parse(&envelope.to_string()).unwrap()
}

fn bench(props: &Value) -> Workbench {
    let route = json!({ "props": props }).to_string();
    Workbench::with(&[
        (Section::Accounts, "ACME", ACCOUNT),
        (Section::Commercetools, "acme-shop", PROJECT),
        (Section::Routes, ROUTE, &route),
    ])
}

fn token() -> (u16, Value) {
    (200, json!({"access_token": "hunter2-t", "expires_in": 3600}))
}

async fn handled(bench: Workbench, message: &Message, answers: &[(u16, Value)]) -> Tried {
    bench.answers(answers);
    let result = bench.handle(&handlers::registry().build().unwrap(), message).await;
    Tried { bench, result }
}

/// Handles the message about an order that Fluent does not have.
async fn tried(order: &Value, customer: Value, props: &Value) -> Tried {
    handled(bench(props), &message(), &answers(order, &customer)).await
}

/// Those of commercetools to what it has, and of Fluent, which does not have it.
fn answers(order: &Value, customer: &Value) -> [(u16, Value); 6] {
    [
        token(),
        (200, order.clone()),
        token(),
        (200, json!({"data": {"order": null}})),
        (200, json!({"data": {"customer": customer}})),
        (200, json!({"data": {"createOrder": {"id": "77"}, "createOrderAndCustomer": {"id": "77"}}})),
    ]
}

async fn mapped(order: &Value, props: Value) -> Value {
    tried(order, json!({"id": "5"}), &props).await.input()
}

fn money(amount: i64, currency: &str, digits: u8) -> Value {
    json!({"type": "centPrecision", "currencyCode": currency, "centAmount": amount, "fractionDigits": digits})
}

fn euro(cents: i64) -> Value {
    money(cents, "EUR", 2)
}

fn taxed(net: i64, gross: i64) -> Value {
    json!({"totalNet": euro(net), "totalGross": euro(gross), "totalTax": euro(gross - net), "taxPortions": []})
}

fn address() -> Value {
    json!({"key": "home", "country": "DE", "firstName": "Test", "lastName": "Customer", "streetName": "Hafenweg",
        "streetNumber": "7", "postalCode": "20095", "city": "Hamburg", "phone": "+49 40 1"})
}

fn line(sku: &str, unit: &Value, quantity: i64, total: &Value) -> Value {
    json!({"id": format!("l-{sku}"), "productId": "p", "name": {"en": sku}, "variant": {"id": 1, "sku": sku},
        "price": {"id": "x", "value": unit}, "quantity": quantity, "totalPrice": total})
}

/// Two hats at 19.99 with 19 % of taxes in it, and 4.99 of shipping: a registered customer's home delivery.
fn order() -> Value {
    let mut hats = line("HAT-M", &euro(1_999), 2, &euro(3_998));
    hats["taxedPrice"] = taxed(3_360, 3_998);
    hats["taxRate"] = json!({"name": "VAT 19%", "amount": 0.19, "includedInPrice": true, "country": "DE"});
    json!({
        "id": "o-1", "version": 1, "createdAt": "2026-11-20T08:00:00.000Z", "lastModifiedAt": "2026-11-20T08:00:00.000Z",
        "orderNumber": "1001", "customerId": "c-1", "customerEmail": "customer@shop.example", "locale": "de-DE",
        "orderState": "Open", "shippingMode": "Single", "totalPrice": euro(4_497), "taxedPrice": taxed(3_779, 4_497),
        "lineItems": [hats], "shippingAddress": address(), "billingAddress": address(),
        "shippingInfo": {"shippingMethodName": "Parcel", "price": euro(499), "taxedPrice": taxed(419, 499),
            "shippingMethod": {"typeId": "shipping-method", "id": "sm-1"}},
    })
}

#[tokio::test]
async fn a_home_delivery_of_a_customer_that_fluent_knows() {
    let tried = tried(&order(), json!({"id": 5}), &json!({})).await;
    let (mutation, input) = tried.created();
    assert_eq!(mutation, "createOrder");
    assert_eq!(
        input,
        json!({
            "ref": "HD_o-1", "type": "HD", "retailer": {"id": "2"}, "customer": {"id": "5"},
            "items": [{
                "ref": "HAT-M", "productRef": "HAT-M", "productCatalogueRef": "PC:MASTER:2", "quantity": 2,
                "price": 19.99, "paidPrice": 19.99, "taxPrice": 3.19, "taxType": "VAT 19%", "totalPrice": 39.98,
                "totalTaxPrice": 6.38, "currency": "EUR",
            }],
            "totalPrice": 44.97, "totalTaxPrice": 7.18,
            "attributes": [
                {"name": "orderNumber", "type": "STRING", "value": "1001"},
                {"name": "locale", "type": "STRING", "value": "de-DE"},
            ],
            "fulfilmentChoice": {
                "currency": "EUR", "fulfilmentType": "HD_PFS", "deliveryType": "STANDARD", "fulfilmentPrice": 4.99,
                "fulfilmentTaxPrice": 0.8,
                "deliveryAddress": {"ref": "home", "name": "Test Customer", "street": "Hafenweg 7", "city": "Hamburg",
                    "postcode": "20095", "country": "DE"},
            },
        })
    );
    let told = tried.told();
    assert_eq!(told[0]["variables"], json!({"ref": "HD_o-1"}));
    assert_eq!(told[1]["variables"], json!({"ref": "customer@shop.example"}));
    assert!(!format!("{:?}", tried.bench.log.entries()).contains("hunter2"));
}

#[tokio::test]
async fn a_customer_that_fluent_does_not_know_is_created_with_the_order_a_guest_too() {
    for customer_id in [json!("c-1"), json!(null)] {
        let mut order = order();
        order["customerId"] = customer_id;
        let (mutation, input) =
            tried(&order, json!(null), &json!({"timezone": "Europe/Berlin"})).await.created();
        assert_eq!(mutation, "createOrderAndCustomer");
        let expected = json!({
            "username": "customer@shop.example", "firstName": "Test", "lastName": "Customer",
            "primaryEmail": "customer@shop.example", "primaryPhone": "+49 40 1", "timezone": "Europe/Berlin",
            "promotionOptIn": false, "retailer": {"id": "2"}, "country": "DE",
        });
        assert_eq!((&input["customer"], &input["ref"]), (&expected, &json!("HD_o-1")));
    }
}

#[tokio::test]
async fn the_email_of_an_address_does_where_the_order_has_none() {
    let mut order = order();
    order["customerEmail"] = " ".into();
    order["shippingAddress"]["email"] = "delivery@shop.example".into();
    let tried = tried(&order, json!({"id": "5"}), &json!({})).await;
    assert_eq!(tried.result, Ok(()));
    assert_eq!(tried.told()[1]["variables"], json!({"ref": "delivery@shop.example"}));
}

#[tokio::test]
async fn a_guest_that_fluent_knows_is_not_created_again() {
    let mut guest = order();
    guest.as_object_mut().unwrap().remove("customerId");
    let (mutation, input) = tried(&guest, json!({"id": "5"}), &json!({})).await.created();
    assert_eq!((mutation.as_str(), &input["customer"]), ("createOrder", &json!({"id": "5"})));
}

#[tokio::test]
async fn a_customer_without_a_name_has_that_of_the_company_or_the_email() {
    for (company, first_name) in [(json!("Acme"), "Acme"), (json!(null), "customer@shop.example")] {
        let mut order = order();
        order["billingAddress"] = json!({"country": "DE", "company": company});
        order["shippingAddress"] = json!({"country": "DE"});
        let input = tried(&order, json!(null), &json!({})).await.input();
        assert_eq!(input["customer"]["firstName"], first_name);
        assert_eq!(input["customer"].get("lastName"), None);
    }
}

#[tokio::test]
async fn an_order_is_collected_where_its_field_or_its_shipping_method_says_so() {
    let fields = json!({"type": {"typeId": "type", "id": "t"}, "fields": {"pickupLocationRef": "BERLIN", "fulfilmentType": "CC"}});
    let mut by_field = order();
    by_field["custom"] = fields;
    by_field.as_object_mut().unwrap().remove("shippingAddress");
    let mut by_method = order();
    by_method["shippingInfo"]["shippingMethodName"] = "Click & Collect".into();
    by_method["shippingAddress"]["key"] = "BERLIN".into();
    for order in [by_field, by_method] {
        let input = mapped(&order, json!({})).await;
        assert_eq!(input["type"], "CC");
        assert_eq!(
            input["fulfilmentChoice"],
            json!({"currency": "EUR", "fulfilmentType": "CC_PFS", "deliveryType": "STANDARD", "fulfilmentPrice": 4.99,
                "fulfilmentTaxPrice": 0.8, "pickupLocationRef": "BERLIN"})
        );
    }
}

#[tokio::test]
async fn every_rule_of_the_mapping_can_be_changed() {
    let mut order = order();
    order["custom"] = json!({"fields": {"mode": "pickup", "shop": 12, "gift": true}});
    let props = json!({
        "refPrefix": "", "refFrom": "orderNumber", "productCatalogueRef": "HATS:1", "totals": "net",
        "collect": {"field": "mode", "values": ["pickup"], "locationField": "shop"},
        "types": {"collect": "CNC"}, "fulfilmentTypes": {"collect": "CNC_PFS"}, "deliveryTypes": {"sm-1": "EXPRESS"},
        "attributes": ["custom.gift", "custom.none", "customerId"],
    });
    let input = mapped(&order, props).await;
    assert_eq!((&input["ref"], &input["type"]), (&json!("1001"), &json!("CNC")));
    let item = &input["items"][0];
    assert_eq!(item["productCatalogueRef"], "HATS:1");
    assert_eq!(
        (&item["totalPrice"], &item["paidPrice"], &item["price"]),
        (&json!(33.6), &json!(16.8), &json!(19.99))
    );
    let choice = &input["fulfilmentChoice"];
    assert_eq!((&choice["fulfilmentType"], &choice["deliveryType"]), (&json!("CNC_PFS"), &json!("EXPRESS")));
    assert_eq!((&choice["pickupLocationRef"], &choice["fulfilmentPrice"]), (&json!("12"), &json!(4.19)));
    assert_eq!(input["totalPrice"], json!(37.79));
    assert_eq!(
        input["attributes"],
        json!([{"name": "gift", "type": "BOOLEAN", "value": true}, {"name": "customerId", "type": "STRING", "value": "c-1"}])
    );
}

#[tokio::test]
async fn discounts_of_the_product_the_cart_the_shipping_and_the_total_are_told_exactly() {
    let mut order = order();
    order["lineItems"][0]["price"]["discounted"] = json!({"value": euro(1_500)});
    order["lineItems"][0]["quantity"] = 3.into();
    order["lineItems"][0]["totalPrice"] = euro(4_000);
    order["lineItems"][0].as_object_mut().unwrap().remove("taxedPrice");
    order["shippingInfo"]["discountedPrice"] = json!({"value": euro(199)});
    order["totalPrice"] = euro(4_099);
    let input = mapped(&order, json!({})).await;
    let item = &input["items"][0];
    assert_eq!(
        (&item["price"], &item["paidPrice"], &item["totalPrice"]),
        (&json!(15.0), &json!(13.33), &json!(40.0))
    );
    assert_eq!(item["attributes"], json!([{"name": "discount", "type": "STRING", "value": "19.97"}]));
    assert_eq!(
        (item.get("taxPrice"), item.get("totalTaxPrice")),
        (None, None),
        "no tax is known, which is not none"
    );
    assert_eq!(input["fulfilmentChoice"]["fulfilmentPrice"], json!(1.99));
    let discount = json!({"name": "discount", "type": "STRING", "value": "23.97"});
    assert!(input["attributes"].as_array().unwrap().contains(&discount), "{}", input["attributes"]);
}

#[tokio::test]
async fn taxes_on_top_of_prices_are_told_as_those_in_them() {
    let mut order = order();
    order["lineItems"][0]["taxRate"]["includedInPrice"] = false.into();
    order["lineItems"][0]["taxedPrice"] =
        json!({"totalNet": euro(3_998), "totalGross": euro(4_758), "taxPortions": []});
    for (totals, total, paid) in [("priced", 39.98, 19.99), ("net", 39.98, 19.99), ("gross", 47.58, 23.79)] {
        let input = mapped(&order, json!({ "totals": totals })).await;
        let item = &input["items"][0];
        assert_eq!((&item["totalPrice"], &item["paidPrice"]), (&json!(total), &json!(paid)), "{totals}");
        assert_eq!((&item["totalTaxPrice"], &item["taxPrice"]), (&json!(7.6), &json!(3.8)), "{totals}");
    }
}

#[tokio::test]
async fn several_shipments_are_one_price_and_to_several_addresses_need_a_decision() {
    let mut order = several(&["Parcel", "Post"]);
    order["shipping"][1]["shippingAddress"]["key"] = "same-house".into();
    let input = mapped(&order, json!({})).await;
    let choice = &input["fulfilmentChoice"];
    assert_eq!((&choice["fulfilmentPrice"], &choice["fulfilmentTaxPrice"]), (&json!(9.98), &json!(1.6)));
    let shipments = input["attributes"].as_array().unwrap().last().unwrap();
    assert_eq!((&shipments["name"], &shipments["type"]), (&json!("shipments"), &json!("JSON")));
    assert_eq!(shipments["value"][1]["method"], "Post");
    assert_eq!(shipments["value"][1]["price"], "4.99");

    order["shipping"][1]["shippingAddress"]["city"] = "Bremen".into();
    let problem = tried(&order, json!(null), &json!({})).await.problem();
    assert!(
        problem.starts_with("shipping[].shippingAddress or items' shippingDetails hold several"),
        "{problem}"
    );
    let input = mapped(&order, json!({"shipments": "first"})).await;
    assert_eq!(input["fulfilmentChoice"]["deliveryAddress"]["city"], "Hamburg");
}

/// The order, with a shipment by each of these methods.
fn several(methods: &[&str]) -> Value {
    let mut order = order();
    let info = order["shippingInfo"].take();
    let shipment = |method: &&str| {
        let mut info = info.clone();
        info["shippingMethodName"] = (*method).into();
        json!({"shippingKey": method, "shippingInfo": info, "shippingAddress": address()})
    };
    order["shippingMode"] = "Multiple".into();
    order["shipping"] = methods.iter().map(shipment).collect();
    order.as_object_mut().unwrap().remove("shippingAddress");
    order
}

/// The pieces of an item that go somewhere.
fn target(address: &str, quantity: i64, method: Option<&str>) -> Value {
    json!({"addressKey": address, "quantity": quantity, "shippingMethodKey": method})
}

/// Three hats, of which one goes home and two go to work, and a scarf that is collected in a store.
fn spread() -> Value {
    let mut order = several(&["Parcel", "Express", "Click & Collect"]);
    let mut work = address();
    (work["key"], work["city"]) = ("work".into(), "Bremen".into());
    let mut store = address();
    (store["key"], store["city"]) = ("BERLIN".into(), "Berlin".into());
    order["shipping"][1]["shippingAddress"] = work.clone();
    order["shipping"][2]["shippingAddress"] = store.clone();
    order["shipping"][2]["shippingInfo"]["price"] = euro(0);
    order["shipping"][2]["shippingInfo"]["taxedPrice"] = taxed(0, 0);
    order["itemShippingAddresses"] = json!([address(), work, store]);
    let mut hats = line("HAT-M", &euro(1_999), 3, &euro(5_000));
    hats["taxedPrice"] = taxed(4_202, 5_000);
    hats["shippingDetails"] = json!({"valid": true, "targets": [target("home", 1, Some("Parcel")), target("work", 2, Some("Express"))]});
    let mut scarf = line("SCARF", &euro(1_000), 1, &euro(1_000));
    scarf["shippingDetails"] =
        json!({"valid": true, "targets": [target("BERLIN", 1, Some("Click & Collect"))]});
    order["lineItems"] = json!([hats, scarf]);
    order
}

fn by_choices() -> Value {
    json!({"shipments": "choices", "deliveryTypes": {"Express": "EXPRESS"}})
}

#[tokio::test]
async fn an_order_that_goes_several_ways_has_a_fulfilment_choice_for_each() {
    let input = mapped(&spread(), by_choices()).await;
    assert_eq!((&input["type"], input.get("fulfilmentChoice")), (&json!("MULTI"), None));
    let choices = input["fulfilmentChoices"].as_array().unwrap();
    let told = |key: &str| choices.iter().map(|choice| choice[key].clone()).collect::<Vec<_>>();
    assert_eq!(told("ref"), ["HD_o-1-1", "HD_o-1-2", "HD_o-1-3"]);
    assert_eq!(told("type"), ["HD", "HD", "CC"]);
    assert_eq!(told("fulfilmentType"), ["HD_PFS", "HD_PFS", "CC_PFS"]);
    assert_eq!(told("deliveryType"), ["STANDARD", "EXPRESS", "STANDARD"]);
    assert_eq!(told("fulfilmentPrice"), [4.99, 4.99, 0.0]);
    assert_eq!(told("fulfilmentTaxPrice"), [0.8, 0.8, 0.0]);
    assert_eq!(told("pickupLocationRef"), [json!(null), json!(null), json!("BERLIN")]);
    assert_eq!(choices[1]["deliveryAddress"]["city"], "Bremen");
    assert_eq!(choices[2].get("deliveryAddress"), None);
}

#[tokio::test]
async fn an_item_that_goes_several_ways_is_an_item_for_each_and_its_amounts_add_up() {
    let input = mapped(&spread(), by_choices()).await;
    let items = input["items"].as_array().unwrap();
    let told = |key: &str| items.iter().map(|item| item[key].clone()).collect::<Vec<_>>();
    assert_eq!(told("ref"), ["HAT-M", "HAT-M-2", "SCARF"]);
    assert_eq!(told("productRef"), ["HAT-M", "HAT-M", "SCARF"]);
    assert_eq!(told("quantity"), [1, 2, 1]);
    assert_eq!(told("fulfilmentChoiceRef"), ["HD_o-1-1", "HD_o-1-2", "HD_o-1-3"]);
    assert_eq!(told("totalPrice"), [16.67, 33.33, 10.0]);
    assert_eq!(told("totalTaxPrice"), [json!(2.66), json!(5.32), json!(null)]);
    let discounts: Vec<_> = items.iter().map(|item| item["attributes"][0]["value"].clone()).collect();
    assert_eq!(discounts, [json!("3.32"), json!("6.65"), json!(null)]);
}

#[tokio::test]
async fn items_may_go_to_several_addresses_by_one_shipping_whose_price_is_told_once() {
    let mut order = order();
    let mut work = address();
    (work["key"], work["city"]) = ("work".into(), "Bremen".into());
    order["itemShippingAddresses"] = json!([address(), work]);
    order["lineItems"][0]["shippingDetails"] =
        json!({"valid": true, "targets": [target("home", 1, None), target("work", 1, None)]});
    let problem = tried(&order, json!(null), &json!({})).await.problem();
    assert!(problem.contains("items' shippingDetails hold several addresses"), "{problem}");

    let (mutation, input) = tried(&order, json!(null), &by_choices()).await.created();
    assert_eq!(mutation, "createOrderAndCustomer");
    let choices = input["fulfilmentChoices"].as_array().unwrap();
    let told: Vec<_> = choices
        .iter()
        .map(|choice| (&choice["deliveryAddress"]["city"], &choice["fulfilmentPrice"]))
        .collect();
    assert_eq!(told, [(&json!("Hamburg"), &json!(4.99)), (&json!("Bremen"), &json!(0.0))]);
    assert_eq!(input["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_order_that_goes_one_way_is_the_same_whatever_the_route_says_of_shipments() {
    let mut told = order();
    told["itemShippingAddresses"] = json!([address()]);
    told["lineItems"][0]["shippingDetails"] = json!({"valid": true, "targets": [target("home", 2, None)]});
    for order in [order(), told, several(&["Parcel"])] {
        let expected = mapped(&order, json!({})).await;
        assert_eq!(mapped(&order, json!({"shipments": "choices"})).await, expected);
        assert!(expected.get("fulfilmentChoice").is_some() && expected.get("fulfilmentChoices").is_none());
    }
}

#[tokio::test]
async fn what_does_not_say_which_way_it_goes_is_named() {
    let with = |pointer: &str, value: Value| {
        let mut order = spread();
        *order.pointer_mut(pointer).unwrap() = value;
        order
    };
    let hats = "/lineItems/0/shippingDetails";
    let targets = "/lineItems/0/shippingDetails/targets";
    let two_of_three = json!([target("home", 2, Some("Parcel"))]);
    for (order, problem) in [
        (with(hats, json!(null)), "lineItems[0].shippingDetails is missing, and the order goes several ways"),
        (with(targets, two_of_three), "lineItems[0].shippingDetails.targets do not say of each piece"),
        (
            with(targets, json!([target("home", 3, None)])),
            "lineItems[0].shippingDetails.targets: shippingMethodKey is missing",
        ),
        (
            with(targets, json!([target("home", 3, Some("Post"))])),
            r#"lineItems[0].shippingDetails.targets: shippingMethodKey "Post" is none"#,
        ),
        (
            with(targets, json!([target("moon", 3, Some("Parcel"))])),
            r#"lineItems[0].shippingDetails.targets: addressKey "moon" is no address"#,
        ),
        (with(targets, json!([target("home", 3, Some("Parcel"))])), "shipping[1] is the way of no item"),
    ] {
        let told = tried(&order, json!(null), &by_choices()).await.problem();
        assert!(told.starts_with(problem), "{told}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn parts_of_an_item_are_the_whole_to_the_last_digit(
        cents in 0_i64..10_000_000, home in 1_i64..50, work in 1_i64..50,
    ) {
        let mut order = spread();
        let mut hats = line("HAT-M", &euro(cents), home + work, &euro(cents));
        let parts = [target("home", home, Some("Parcel")), target("work", work, Some("Express"))];
        hats["shippingDetails"] = json!({"valid": true, "targets": parts});
        order["lineItems"][0] = hats;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let input = runtime.block_on(mapped(&order, by_choices()));
        let total = |index: usize| (input["items"][index]["totalPrice"].as_f64().unwrap() * 100.0).round();
        prop_assert_eq!((total(0) + total(1)).to_string(), cents.to_string());
    }
}

#[tokio::test]
async fn several_shipments_may_all_be_collected() {
    let input = mapped(&several(&["Click & Collect", "Click and Collect"]), json!({})).await;
    assert_eq!(
        (&input["type"], &input["fulfilmentChoice"]["pickupLocationRef"]),
        (&json!("CC"), &json!("home"))
    );
    let input = mapped(&several(&["Parcel", "Click & Collect"]), json!({"shipments": "first"})).await;
    assert_eq!(input["type"], "HD");
}

#[tokio::test]
async fn a_currency_without_decimals_has_none() {
    let yen = |amount| money(amount, "JPY", 0);
    let mut order = order();
    order["lineItems"] = json!([line("HAT-M", &yen(1_999), 3, &yen(5_000))]);
    order["totalPrice"] = yen(5_500);
    order["shippingInfo"] = json!({"shippingMethodName": "Parcel", "price": yen(500)});
    order.as_object_mut().unwrap().remove("taxedPrice");
    let input = mapped(&order, json!({})).await;
    let item = &input["items"][0];
    assert_eq!((&item["price"], &item["paidPrice"]), (&json!(1999.0), &json!(1667.0)));
    assert_eq!((&item["totalPrice"], &item["currency"]), (&json!(5000.0), &json!("JPY")));
    assert_eq!(item["attributes"][0]["value"], "997");
    assert_eq!(
        (&input["totalPrice"], &input["fulfilmentChoice"]["fulfilmentPrice"]),
        (&json!(5500.0), &json!(500.0))
    );
}

#[tokio::test]
async fn custom_line_items_are_an_attribute_or_items() {
    let mut order = order();
    order["customLineItems"] = json!([{"id": "cl", "name": {"en": "Wrapping", "de": "Verpackung"}, "slug": "wrapping",
        "money": euro(250), "quantity": 2, "totalPrice": euro(500)}]);
    order["totalPrice"] = euro(4_997);
    let input = mapped(&order, json!({})).await;
    assert_eq!(input["items"].as_array().unwrap().len(), 1);
    let expected = json!({"name": "customLineItems", "type": "JSON", "value": [{"ref": "wrapping", "name": "Verpackung",
        "quantity": 2, "price": "2.50", "totalPrice": "5.00", "currency": "EUR"}]});
    assert_eq!(input["attributes"].as_array().unwrap().last().unwrap(), &expected);
    let input = mapped(&order, json!({"customItems": "items"})).await;
    let item = &input["items"][1];
    assert_eq!(
        (&item["productRef"], &item["price"], &item["totalPrice"]),
        (&json!("wrapping"), &json!(2.5), &json!(5.0))
    );
    assert_eq!(input["attributes"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn two_lines_of_one_product_have_two_references() {
    let mut order = order();
    let hats = order["lineItems"][0].clone();
    let mut other = hats.clone();
    other["variant"]["sku"] = "HAT-M-2".into();
    order["lineItems"] = json!([hats, hats, other, hats]);
    let input = mapped(&order, json!({})).await;
    let of = |key: &str| {
        input["items"].as_array().unwrap().iter().map(|item| item[key].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("ref"), ["HAT-M", "HAT-M-3", "HAT-M-2", "HAT-M-4"]);
    assert_eq!(of("productRef"), ["HAT-M", "HAT-M", "HAT-M-2", "HAT-M"]);
}

#[tokio::test]
async fn an_order_that_fluent_has_is_left_alone() {
    for found in [
        json!({"id": "77", "retailer": {"id": "2"}}),
        json!({"id": "77", "retailer": {"id": 2}}),
        json!({"id": "77"}),
    ] {
        let answers = [token(), (200, order()), token(), (200, json!({"data": {"order": found}}))];
        let tried = handled(bench(&json!({})), &message(), &answers).await;
        assert_eq!((&tried.result, tried.told().len()), (&Ok(()), 1));
        assert_eq!(tried.bench.log.types().last().unwrap(), "message.note");
    }
}

#[tokio::test]
async fn another_retailers_order_stands_in_the_way() {
    let found = json!({"data": {"order": {"id": "77", "retailer": {"id": "9"}}}});
    let tried =
        handled(bench(&json!({})), &message(), &[token(), (200, order()), token(), (200, found)]).await;
    assert!(tried.problem().contains("retailer 9"));
}

#[tokio::test]
async fn an_order_that_is_gone_is_noted() {
    let gone = json!({"statusCode": 404, "message": "gone", "errors": [{"code": "ResourceNotFound", "message": "gone"}]});
    let tried = handled(bench(&json!({})), &message(), &[token(), (404, gone)]).await;
    assert_eq!((&tried.result, tried.told().len()), (&Ok(()), 0));
    assert_eq!(tried.bench.log.types().last().unwrap(), "message.note");
}

#[tokio::test]
async fn what_is_missing_is_named_and_nothing_is_sent() {
    let without = |pointer: &str, key: &str| {
        let mut order = order();
        order.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(key);
        order
    };
    let mut collected = order();
    collected["custom"] = json!({"fields": {"fulfilmentType": "CC"}});
    collected["shippingAddress"].as_object_mut().unwrap().remove("key");
    let in_part = several(&["Parcel", "Click & Collect"]);
    let mut apart = several(&["Click & Collect", "Click & Collect"]);
    apart["shipping"][1]["shippingAddress"]["key"] = "BERLIN".into();
    let mut empty = order();
    empty["lineItems"] = json!([]);
    let mut none = order();
    none["lineItems"][0]["quantity"] = 0.into();
    for (order, props, field) in [
        (without("/lineItems/0/variant", "sku"), json!({}), "lineItems[0].variant.sku is missing"),
        (without("", "shippingAddress"), json!({}), "shippingAddress is missing"),
        (without("", "customerEmail"), json!({}), "customerEmail is missing"),
        (without("", "orderNumber"), json!({"refFrom": "orderNumber"}), "orderNumber is missing"),
        (without("", "taxedPrice"), json!({"totals": "net"}), "order.taxedPrice is missing"),
        (in_part, json!({}), "shipping[].shippingInfo are in part collected"),
        (apart, json!({}), "shipping[].shippingAddress or items' shippingDetails hold several"),
        (collected, json!({}), "custom.fields.pickupLocationRef is missing"),
        (empty, json!({}), "lineItems hold nothing"),
        (none, json!({}), "lineItems[0].quantity is not positive"),
    ] {
        let tried = tried(&order, json!(null), &props).await;
        let problem = tried.problem();
        assert!(problem.starts_with(field), "{problem}");
    }
}

#[tokio::test]
async fn props_that_cannot_be_used_are_the_routes_fault() {
    for (props, problem) in [
        (
            json!({"attributes": ["size"]}),
            r#""attributes" names no field of an order: "size"; there are id, "#,
        ),
        (json!({"refPrefx": "x"}), r#"unknown key "refPrefx"; did you mean "refPrefix"?"#),
        (json!({"refPrefix": 7}), r#""refPrefix" must be text"#),
        (json!({"totals": "all"}), r#""totals" must be one of priced, net, gross"#),
        (json!({"collect": {"value": ["CC"]}}), r#"unknown key "collect.value"; did you mean "values"?"#),
    ] {
        let tried = handled(bench(&props), &message(), &[]).await;
        let Err(HandlerError::Misconfigured { code: Code::Route, reason }) = &tried.result else {
            panic!("{:?}", tried.result)
        };
        assert!(reason.starts_with(&format!("the route's props: {problem}")), "{reason}");
        assert!(tried.bench.transport.requests().is_empty());
    }
}

#[tokio::test]
async fn what_an_order_lacks_does_not_matter_once_fluent_has_it() {
    let mut order = order();
    order["lineItems"] = json!([]);
    let found = json!({"data": {"order": {"id": "77", "retailer": {"id": "2"}}}});
    let tried = handled(bench(&json!({})), &message(), &[token(), (200, order), token(), (200, found)]).await;
    assert_eq!(tried.result, Ok(()));
}

#[tokio::test]
async fn a_message_of_no_order_is_parked() {
    for resource in [json!({"typeId": "order"}), json!({"typeId": "product", "id": "p-1"}), json!(null)] {
        let payload = json!({"notificationType": "Message", "projectKey": "acme-shop", "resource": resource});
        let tried = handled(bench(&json!({})), &of_payload(&payload), &[]).await;
        assert!(tried.problem().starts_with("resource."), "{resource}");
        assert!(tried.bench.transport.requests().is_empty());
    }
}

#[tokio::test]
async fn what_fails_on_the_way_is_tried_again() {
    let absent = || (200, json!({"data": {"order": null}}));
    let error = || (200, json!({"data": null, "errors": [{"message": "busy"}]}));
    let none = || (200, json!({"data": {"customer": null}}));
    let ways: [Vec<(u16, Value)>; 4] = [
        vec![token(), (503, json!({}))],
        vec![token(), (200, order()), token(), error()],
        vec![token(), (200, order()), token(), absent(), error()],
        vec![token(), (200, order()), token(), absent(), none(), (502, json!({}))],
    ];
    for answers in ways {
        let tried = handled(bench(&json!({})), &message(), &answers).await;
        let Err(HandlerError::Delivery(failure)) = tried.result else { panic!("{:?}", tried.result) };
        assert!(format!("{failure:?}").contains("Retry"), "{failure:?}");
    }
}

#[test]
fn the_route_is_on_as_it_is_shipped() {
    let route = connector::shipped::route(ROUTE).unwrap().unwrap();
    assert!(route.enabled && route.wanted.includes(&message()));
}

#[tokio::test]
async fn the_shipped_route_works_on_its_sample() {
    let bench = Workbench::with(&[
        (Section::Accounts, "ACME", ACCOUNT),
        (Section::Commercetools, "acme-shop", PROJECT),
    ]);
    let sample = testkit::shipped::sample(ROUTE);
    let tried = handled(bench, &sample, &answers(&order(), &json!({"id": "5"}))).await;
    assert_eq!(tried.created().0, "createOrder");
    let id = sample.id.split('.').next().unwrap();
    let asked = tried.bench.transport.requests()[1].url.as_url().to_string();
    assert_eq!(asked, format!("https://api.shop.example/acme-shop/orders/{id}"));
}

/// An amount by its digits alone, as text.
fn exact(amount: i128, digits: u8) -> String {
    let text = format!("{amount:0>width$}", width = usize::from(digits) + 1);
    let (whole, fraction) = text.split_at(text.len() - usize::from(digits));
    if digits == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

/// A number of Fluent's in units of a currency.
fn units(value: &Value, digits: u8) -> i128 {
    format!("{:.*}", usize::from(digits), value.as_f64().unwrap()).replace('.', "").parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn items_and_shipping_add_up_to_the_order_in_every_currency(
        lines in prop::collection::vec((1_i64..10_000_000, 1_i64..1_000, 0_i64..100), 1..20),
        shipping in 0_i64..100_000,
        (currency, digits) in prop::sample::select(vec![("EUR", 2_u8), ("JPY", 0), ("KWD", 3)]),
    ) {
        let of = |amount| money(amount, currency, digits);
        let total = |(unit, quantity, percent): &(i64, i64, i64)| unit * quantity - unit * quantity * percent / 100;
        let item = |(index, parts): (usize, &(i64, i64, i64))| line(&format!("S{index}"), &of(parts.0), parts.1, &of(total(parts)));
        let sum: i64 = lines.iter().map(total).sum::<i64>() + shipping;
        let before: i64 = lines.iter().map(|(unit, quantity, _)| unit * quantity).sum::<i64>() + shipping;
        let mut order = order();
        order["lineItems"] = lines.iter().enumerate().map(item).collect();
        order["shippingInfo"] = json!({"shippingMethodName": "Parcel", "price": of(shipping)});
        order["totalPrice"] = of(sum);
        order.as_object_mut().unwrap().remove("taxedPrice");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let input = runtime.block_on(mapped(&order, json!({})));

        let items = input["items"].as_array().unwrap();
        for (item, parts) in items.iter().zip(&lines) {
            prop_assert_eq!(units(&item["totalPrice"], digits), i128::from(total(parts)));
            let expected: f64 = exact(i128::from(parts.0), digits).parse().unwrap();
            prop_assert_eq!(&item["price"], &json!(expected));
            let rest = units(&item["paidPrice"], digits) * i128::from(parts.1) - i128::from(total(parts));
            prop_assert!(rest.abs() * 2 <= i128::from(parts.1), "a piece is within half of the smallest unit");
        }
        let told: i128 = items.iter().map(|item| units(&item["totalPrice"], digits)).sum();
        let told = told + units(&input["fulfilmentChoice"]["fulfilmentPrice"], digits);
        prop_assert_eq!(told, units(&input["totalPrice"], digits));
        prop_assert_eq!(told, i128::from(sum));
        let discount = input["attributes"].as_array().unwrap().iter().find(|attribute| attribute["name"] == "discount");
        let discount = discount.map(|attribute| attribute["value"].as_str().unwrap().to_owned());
        prop_assert_eq!(discount, (before != sum).then(|| exact(i128::from(before - sum), digits)));
    }

    #[test]
    fn net_and_tax_are_gross_whatever_the_total_holds(net in 0_i64..1_000_000_000, tax in 0_i64..1_000_000_000, tells_tax: bool) {
        let mut order = order();
        let mut amounts = taxed(net, net + tax);
        if !tells_tax {
            amounts.as_object_mut().unwrap().remove("totalTax");
        }
        order["taxedPrice"] = amounts.clone();
        order["lineItems"][0]["taxedPrice"] = amounts.clone();
        order["shippingInfo"]["taxedPrice"] = amounts;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let [nets, grosses] = ["net", "gross"].map(|totals| runtime.block_on(mapped(&order, json!({ "totals": totals }))));
        for (total, tax_of) in [
            ("/totalPrice", "/totalTaxPrice"),
            ("/items/0/totalPrice", "/items/0/totalTaxPrice"),
            ("/fulfilmentChoice/fulfilmentPrice", "/fulfilmentChoice/fulfilmentTaxPrice"),
        ] {
            let of = |input: &Value, pointer: &str| units(input.pointer(pointer).unwrap(), 2);
            prop_assert_eq!(of(&nets, total), i128::from(net));
            prop_assert_eq!(of(&nets, tax_of), i128::from(tax));
            prop_assert_eq!(of(&grosses, total), i128::from(net + tax));
            prop_assert_eq!(of(&grosses, tax_of), i128::from(tax));
        }
    }
}
