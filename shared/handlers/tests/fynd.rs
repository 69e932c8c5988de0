//! The shipped routes of Fynd's webhooks, each switched on by a parameter: what Fluent gets of a sample, and what is parked.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use connector::failure::Code;
use connector::handler::HandlerError;
use connector::message::Message;
use connector::parameter::Section;
use connector::shipped;
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::shipped::sample;
use testkit::workbench::Workbench;

const ACCOUNT: &str = "{ baseUrl: https://acme.api.example, username: u, password: p, clientId: c, clientSecret: s, retailerId: 1 }";
const ORDER: &str = "fynd-order-to-fluent";
const SHIPMENT: &str = "fynd-shipment-to-fluent";
const INVENTORY: &str = "fynd-inventory-to-fluent";
/// What breaks texts that are put into JSON without care.
const HOSTILE: &str = "\"'\\\n\t<b>&amp;]]>{{7*7}}{%\u{2028}ü📦";

/// The parameter that switches a route on, with the shipped props and an account.
fn switched_on(route: &str) -> String {
    let mut props = shipped::route(route).unwrap().unwrap().props;
    props.insert("account".to_owned(), "ACME".into());
    json!({ "props": props }).to_string()
}

/// What one message led to.
struct Tried {
    bench: Workbench,
    result: Result<(), HandlerError>,
}

impl Tried {
    /// The bodies of what was sent, without the token call.
    fn sent(&self) -> Vec<Value> {
        let requests = self.bench.transport.requests();
        let behind_token = requests.iter().skip(1);
        behind_token.map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
    }

    /// The code and the reason for which it is parked until somebody mends it; nobody was asked.
    fn parked(self) -> (Code, String) {
        assert_eq!(self.sent(), Vec::<Value>::new());
        match self.result {
            Err(HandlerError::Misconfigured { code, reason }) => (code, reason),
            other => panic!("{other:?} is not parked"),
        }
    }
}

async fn handled(route: &str, parameter: &str, message: &Message, answers: &[Value]) -> Tried {
    let bench = Workbench::with(&[(Section::Accounts, "ACME", ACCOUNT), (Section::Routes, route, parameter)]);
    let token = json!({"access_token": "t", "expires_in": 3600});
    let answers: Vec<_> =
        std::iter::once(&token).chain(answers).map(|answer| (200, answer.clone())).collect();
    bench.answers(&answers);
    let result = bench.handle(&handlers::registry().build().unwrap(), message).await;
    Tried { bench, result }
}

/// The sample with another payload of Fynd's.
fn with(route: &str, change: impl FnOnce(&mut Value)) -> Message {
    let mut envelope = serde_json::to_value(sample(route)).unwrap();
    change(&mut envelope["payload"]["payload"]);
    Message::parse(&envelope.to_string()).unwrap()
}

/// No order and no customer, and then what was created.
fn nothing_there() -> [Value; 3] {
    [
        json!({"data": {"order": null}}),
        json!({"data": {"customer": null}}),
        json!({"data": {"createOrderAndCustomer": {"id": 7}}}),
    ]
}

async fn ordered(message: &Message) -> Tried {
    handled(ORDER, &switched_on(ORDER), message, &nothing_there()).await
}

/// The input of the mutation.
fn input(tried: &Tried) -> Value {
    assert_eq!(tried.result, Ok(()));
    tried.sent()[2]["variables"]["input"].clone()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[test]
fn every_route_is_off_and_of_this_source() {
    for name in [ORDER, SHIPMENT, INVENTORY] {
        let route = shipped::route(name).unwrap().unwrap();
        assert!(!route.enabled && route.wanted.source.as_deref() == Some("fynd"), "{name}");
        assert!(route.wanted.names.contains(&sample(name).name), "{name}");
    }
}

#[tokio::test]
async fn an_order_is_created_with_its_customer() {
    let tried = ordered(&sample(ORDER)).await;
    let sent = tried.sent();
    assert_eq!(sent[0]["variables"], json!({"ref": "FYEXAMPLE3101"}));
    assert_eq!(sent[1]["variables"], json!({"ref": "buyer@shop.example"}));
    assert!(sent[2]["query"].as_str().unwrap().contains("createOrderAndCustomer"));
    insta::assert_snapshot!(pretty(&input(&tried)));
}

#[tokio::test]
async fn the_account_alone_is_enough() {
    let tried = handled(ORDER, "props: { account: ACME }", &sample(ORDER), &nothing_there()).await;
    assert_eq!(input(&tried), input(&ordered(&sample(ORDER)).await), "the defaults are those of the file");
    let tried = handled(INVENTORY, "props: { account: ACME }", &sample(INVENTORY), &[json!({})]).await;
    let shipped = handled(INVENTORY, &switched_on(INVENTORY), &sample(INVENTORY), &[json!({})]).await;
    assert_eq!((tried.sent(), tried.result), (shipped.sent(), Ok(())));
}

#[tokio::test]
async fn an_order_of_a_known_customer_is_theirs() {
    let answers = [
        json!({"data": {"order": null}}),
        json!({"data": {"customer": {"id": 42}}}),
        json!({"data": {"createOrder": {"id": 7}}}),
    ];
    let tried = handled(ORDER, &switched_on(ORDER), &sample(ORDER), &answers).await;
    assert_eq!(input(&tried)["customer"], json!({"id": "42"}));
    assert!(tried.sent()[2]["query"].as_str().unwrap().contains("createOrder("));
}

#[tokio::test]
async fn a_webhook_that_comes_again_creates_nothing() {
    let answers = [json!({"data": {"order": {"id": 7, "retailer": {"id": "1"}}}})];
    let tried = handled(ORDER, &switched_on(ORDER), &sample(ORDER), &answers).await;
    assert_eq!((tried.result.clone(), tried.sent().len()), (Ok(()), 1));
    assert_eq!(tried.bench.log.types().last().unwrap(), "message.note");
}

#[tokio::test]
async fn an_order_of_another_retailer_stands_in_the_way() {
    let answers = [json!({"data": {"order": {"id": 7, "retailer": {"id": 2}}}})];
    let tried = handled(ORDER, &switched_on(ORDER), &sample(ORDER), &answers).await;
    let Err(HandlerError::Misconfigured { code, reason }) = tried.result else { panic!("it is parked") };
    assert_eq!(code, Code::Mapping);
    assert!(reason.contains("ref FYEXAMPLE3101 is an order of retailer 2"), "{reason}");
}

#[tokio::test]
async fn props_say_what_the_order_is_called_and_whose_it_is() {
    let parameter = "props: { account: ACME, refPrefix: FY_, retailer: 5, catalogue: 'PC:X', type: WEB, fulfilmentType: X_PFS, deliveryType: EXPRESS, timezone: Asia/Kolkata }";
    let made = input(&handled(ORDER, parameter, &sample(ORDER), &nothing_there()).await);
    assert_eq!((&made["ref"], &made["type"]), (&json!("FY_FYEXAMPLE3101"), &json!("WEB")));
    assert_eq!(made["retailer"], json!({"id": "5"}));
    assert_eq!(made["customer"]["retailer"], json!({"id": "5"}));
    assert_eq!(made["customer"]["timezone"], "Asia/Kolkata");
    assert_eq!(made["items"][1]["productCatalogueRef"], "PC:X");
    let choice = &made["fulfilmentChoice"];
    assert_eq!((&choice["deliveryType"], &choice["fulfilmentType"]), (&json!("EXPRESS"), &json!("X_PFS")));
}

#[tokio::test]
async fn fields_stand_in_one_place_or_the_other() {
    let message = with(ORDER, |payload| {
        let order = &mut payload["order"];
        order["order_id"] = order.as_object_mut().unwrap().remove("fynd_order_id").unwrap();
        order["shipments"][0]["delivery_address"] =
            order.as_object_mut().unwrap().remove("delivery_address").unwrap();
        order["user"] = Value::Null;
        order["currency"] = json!("INR");
    });
    let made = input(&ordered(&message).await);
    assert_eq!(
        (&made["ref"], &made["customer"]["username"]),
        (&json!("FYEXAMPLE3101"), &json!("buyer@shop.example"))
    );
    assert_eq!(
        (&made["customer"]["firstName"], &made["items"][0]["currency"]),
        (&json!("Buyer One"), &json!("INR"))
    );
}

#[tokio::test]
async fn what_an_order_needs_and_the_webhook_lacks_parks_it() {
    for (pointer, problem) in [
        ("/order/fynd_order_id", "order.order_id` is undefined"),
        ("/order/shipments", "undefined"),
        ("/order/shipments/0/bags", "undefined"),
        ("/order/shipments/0/bags/0/bag_id", "bag.bag_id` is undefined"),
        ("/order/shipments/0/bags/0/quantity", "bag.quantity` is undefined"),
        ("/order/shipments/0/bags/0/seller_identifier", "undefined"),
        ("/order/shipments/0/bags/0/prices", "required: the value is null or empty"),
        ("/order/delivery_address/address", "required: the value is null or empty"),
        ("/order/delivery_address/city", "address.city` is undefined"),
        ("/order/delivery_address/pincode", "undefined"),
    ] {
        for gone in [true, false] {
            let message = with(ORDER, |payload| {
                let (parent, key) = pointer.rsplit_once('/').unwrap();
                let parent = payload.pointer_mut(parent).unwrap().as_object_mut().unwrap();
                if gone {
                    parent.remove(key);
                } else {
                    parent.insert(key.to_owned(), Value::Null);
                }
            });
            let tried = ordered(&message).await;
            let (code, told) = tried.parked();
            assert_eq!(code, Code::Template, "{pointer}: {told}");
            assert!(!gone || told.contains(problem), "{pointer}: {told}");
        }
    }
    let without_email = with(ORDER, |payload| {
        payload["order"]["user"]["email"] = json!("");
        payload["order"]["delivery_address"]["email"] = json!(" ");
    });
    let (_, told) = ordered(&without_email).await.parked();
    assert!(told.contains("required: the value is null or empty"), "{told}");
}

#[tokio::test]
async fn no_account_parks_the_message() {
    for route in [ORDER, SHIPMENT, INVENTORY] {
        let props = shipped::route(route).unwrap().unwrap().props;
        let tried = handled(route, &json!({ "props": props }).to_string(), &sample(route), &[]).await;
        assert_eq!(tried.parked(), (Code::Access, "the message names no account".to_owned()), "{route}");
    }
}

#[tokio::test]
async fn no_text_of_fynds_breaks_an_order() {
    let message = with(ORDER, |payload| {
        let address = &mut payload["order"]["delivery_address"];
        for key in ["name", "address", "city", "state"] {
            address[key] = HOSTILE.into();
        }
        address["area"] = Value::Null;
        payload["order"]["shipments"][0]["bags"][0]["seller_identifier"] = HOSTILE.into();
    });
    let made = input(&ordered(&message).await);
    let address = &made["fulfilmentChoice"]["deliveryAddress"];
    for key in ["name", "street", "city", "state"] {
        assert_eq!(address[key], HOSTILE, "{key}");
    }
    assert_eq!(made["items"][0]["productRef"], HOSTILE);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn amounts_are_exact(minor in 0..100_000_000_000_i64, pieces in 1..1_000_i64, as_text: bool) {
        let text = format!("{}.{:02}", minor / 100, minor % 100);
        let amount = if as_text { json!(text) } else { serde_json::from_str(&text).unwrap() };
        let message = with(ORDER, |payload| {
            let bag = &mut payload["order"]["shipments"][0]["bags"][0];
            bag["quantity"] = pieces.into();
            bag["prices"] = json!({ "price_effective": amount, "amount_paid": amount });
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let made = input(&runtime.block_on(ordered(&message)));
        let all = i128::from(minor) * i128::from(pieces);
        let total: f64 = format!("{}.{:02}", all / 100, all % 100).parse().unwrap();
        let item = &made["items"][0];
        prop_assert_eq!(&item["price"], &json!(text.parse::<f64>().unwrap()));
        prop_assert_eq!(&item["paidPrice"], &item["price"]);
        prop_assert_eq!(&item["totalPrice"], &json!(total));
    }
}

#[tokio::test]
async fn a_shipment_becomes_an_event_on_its_order() {
    let tried = handled(SHIPMENT, &switched_on(SHIPMENT), &sample(SHIPMENT), &[json!({"id": "e1"})]).await;
    assert_eq!(tried.result, Ok(()));
    insta::assert_snapshot!(pretty(&tried.sent()[0]));
}

/// Whether the route wants a shipment of this status, or why that cannot be told.
fn wanted(status: &Value) -> Result<bool, String> {
    let message = with(SHIPMENT, |payload| payload["shipment"]["shipment_status"] = status.clone());
    let route = shipped::route(SHIPMENT).unwrap().unwrap();
    route.when.as_ref().unwrap().holds(&route.scope(&message)).map_err(|error| error.to_string())
}

#[test]
fn only_mapped_statuses_are_wanted() {
    let statuses = shipped::route(SHIPMENT).unwrap().unwrap().props["statuses"].clone();
    for (status, told) in statuses.as_object().unwrap() {
        assert!(told.is_string(), "{status}: YAML may read a word as something else");
        assert_eq!(wanted(&json!({ "status": status })), Ok(true), "{status}");
        assert_eq!(wanted(&json!({ "current_shipment_status": status })), Ok(true), "{status}");
    }
    assert_eq!(wanted(&json!({ "status": "unheard_of" })), Ok(false));
    assert!(wanted(&json!({})).unwrap_err().contains("undefined"), "it is parked, not dropped");
}

#[tokio::test]
async fn a_shipment_says_what_it_can() {
    let message = with(SHIPMENT, |payload| {
        payload["shipment"] =
            json!({"order_id": "FY1", "shipment_status": {"shipment_id": 9, "status": "placed"}});
    });
    let tried = handled(SHIPMENT, &switched_on(SHIPMENT), &message, &[json!({})]).await;
    assert_eq!(tried.result, Ok(()));
    let event = &tried.sent()[0];
    assert_eq!((&event["entityRef"], &event["attributes"]["shipment"]), (&json!("FY1"), &json!("9")));
    assert_eq!(
        (&event["attributes"]["status"], &event["attributes"]["bags"]),
        (&json!("CREATED"), &json!([]))
    );
    let message =
        with(SHIPMENT, |payload| drop(payload["shipment"].as_object_mut().unwrap().remove("fynd_order_id")));
    let (code, told) = handled(SHIPMENT, &switched_on(SHIPMENT), &message, &[]).await.parked();
    assert!(code == Code::Template && told.contains("shipment.order_id` is undefined"), "{told}");
}

#[tokio::test]
async fn stock_becomes_an_event_on_the_inventory_catalogue() {
    let tried = handled(INVENTORY, &switched_on(INVENTORY), &sample(INVENTORY), &[json!({"id": "e1"})]).await;
    assert_eq!(tried.result, Ok(()));
    insta::assert_snapshot!(pretty(&tried.sent()[0]));
}

#[tokio::test]
async fn stock_of_several_stores_is_told_in_one_event_by_fluents_names() {
    let message = with(INVENTORY, |payload| {
        let articles = payload.as_object_mut().unwrap().remove("articles").unwrap();
        let mut other = articles[0].clone();
        other["store"]["id"] = json!(8);
        payload["quantities"] = json!([articles[0], other]);
    });
    let parameter = "props: { account: ACME, event: Stock, catalogue: { ref: 'DEFAULT:5' }, locations: { '7': STORE_1 } }";
    let tried = handled(INVENTORY, parameter, &message, &[json!({})]).await;
    let event = &tried.sent()[0];
    assert_eq!((&event["name"], &event["entityRef"]), (&json!("Stock"), &json!("DEFAULT:5")));
    let positions = event["attributes"]["positions"].as_array().unwrap();
    let locations: Vec<_> = positions.iter().map(|position| position["location"].clone()).collect();
    assert_eq!(locations, ["STORE_1", "8"]);
}

#[tokio::test]
async fn stock_that_does_not_say_of_what_or_where_is_parked() {
    for pointer in ["/articles/0/seller_identifier", "/articles/0/store", "/articles/0/quantities/sellable"] {
        let message = with(INVENTORY, |payload| *payload.pointer_mut(pointer).unwrap() = Value::Null);
        let (code, told) = handled(INVENTORY, &switched_on(INVENTORY), &message, &[]).await.parked();
        assert_eq!(code, Code::Template, "{pointer}: {told}");
    }
}
