//! Customers, categories and products of commercetools: what Fluent is sent of them, and what becomes of those that cannot
//! be mapped.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use connector::failure::Code;
use connector::handler::HandlerError;
use connector::message::Message;
use connector::parameter::Section;
use connector::shipped;
use serde_json::{Value, json};
use testkit::workbench::Workbench;

const ACCOUNT: &str = "{ baseUrl: https://acme.api.example, username: u, password: hunter2-p, clientId: c, clientSecret: hunter2-s, retailerId: 1 }";
const PROJECT: &str = "{ authUrl: https://auth.ct.example, apiUrl: https://api.ct.example, clientId: i, clientSecret: hunter2-c, accountId: ACME, retailerId: 7 }";
const CUSTOMER: &str = "commercetools-customer-upsert";
const CATEGORY: &str = "commercetools-category-upsert";
const PRODUCT: &str = "commercetools-product-upsert";

/// A bench after a message was handled.
struct Tried {
    bench: Workbench,
    result: Result<(), HandlerError>,
}

fn message(route: &str, payload: &Value) -> Message {
    let name = shipped::route(route).unwrap().unwrap().wanted.names.patterns()[0].clone();
    let envelope = json!({
        "version": 1, "id": "x-1.4", "name": name, "source": "commercetools",
        "receivedAt": "2026-11-20T08:30:00Z", "payload": payload, "route": route,
    });
    Message::parse(&envelope.to_string()).unwrap()
}

/// A change of what this route takes into Fluent.
fn change(route: &str) -> Value {
    let kind = route.split('-').nth(1).unwrap();
    json!({"notificationType": "ResourceUpdated", "projectKey": "shop", "version": 4,
        "resource": {"typeId": kind, "id": "x-1"}, "modifiedAt": "2026-11-20T08:30:00Z"})
}

/// Handles a change by this route, with these props in a parameter of its own, or as it is shipped.
async fn tried(route: &str, props: Option<&Value>, answers: &[(u16, Value)]) -> Tried {
    let parameter = props.map_or_else(|| "{}".to_owned(), |props| json!({"props": props}).to_string());
    let bench = Workbench::with(&[
        (Section::Accounts, "ACME", ACCOUNT),
        (Section::Commercetools, "shop", PROJECT),
        (Section::Routes, route, &parameter),
    ]);
    handled(bench, &message(route, &change(route)), answers).await
}

async fn handled(bench: Workbench, message: &Message, answers: &[(u16, Value)]) -> Tried {
    bench.answers(answers);
    let result = bench.handle(&handlers::registry().build().unwrap(), message).await;
    Tried { bench, result }
}

impl Tried {
    fn urls(&self) -> Vec<String> {
        self.bench.transport.requests().iter().map(|request| request.url.as_url().to_string()).collect()
    }

    /// The bodies of all calls of Fluent, tokens left out.
    fn told(&self) -> Vec<Value> {
        let requests = self.bench.transport.requests();
        let to_fluent = requests.iter().filter(|request| {
            let url = request.url.as_url();
            url.host_str() == Some("acme.api.example") && url.path() != "/oauth/token"
        });
        to_fluent.map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
    }

    fn notes(&self) -> usize {
        self.bench.log.types().iter().filter(|kind| *kind == "message.note").count()
    }

    /// Why it is parked, with nothing sent to Fluent.
    fn problem(&self, code: Code) -> &str {
        assert!(self.told().is_empty());
        match &self.result {
            Err(HandlerError::Misconfigured { code: is, reason }) if *is == code => reason,
            other => panic!("{other:?}"),
        }
    }
}

fn token() -> (u16, Value) {
    (200, json!({"access_token": "hunter2-t", "expires_in": 3600}))
}

fn not_found() -> (u16, Value) {
    let error = json!({"code": "ResourceNotFound", "message": "gone"});
    (404, json!({"statusCode": 404, "message": "gone", "errors": [error]}))
}

fn customer() -> Value {
    json!({
        "id": "x-1", "version": 4, "customerNumber": "C-9", "email": "First.Buyer@Shop.example",
        "firstName": "First", "lastName": "Buyer", "salutation": "Dr.", "dateOfBirth": "1990-01-31",
        "addresses": [
            {"id": "a1", "country": "AT", "streetName": "Weg"},
            {"id": "a2", "country": "DE", "streetName": "Gasse", "streetNumber": "3", "postalCode": "10115",
             "city": "Berlin", "firstName": "First", "lastName": "Buyer", "mobile": "+49 30 5550100"},
        ],
        "defaultShippingAddressId": "a2",
        "custom": {"type": {"typeId": "type", "id": "t"}, "fields": {"newsletter": true, "points": 12}},
    })
}

/// Of these customers in commercetools and in Fluent.
async fn upserted(props: Option<&Value>, customer: &Value, known: &Value) -> Tried {
    let found = (200, json!({"data": {"customer": known}}));
    let done = (200, json!({"data": {"any": {"id": "1", "ref": "r"}}}));
    tried(CUSTOMER, props, &[token(), (200, customer.clone()), token(), found, done]).await
}

fn known() -> Value {
    json!({
        "id": "1", "ref": "first.buyer@shop.example", "title": "Dr.", "country": "DE", "firstName": "First",
        "lastName": "Buyer", "primaryEmail": "First.Buyer@Shop.example", "primaryPhone": "+49 30 5550100",
        "promotionOptIn": true,
        "attributes": [
            {"name": "theirs", "type": "STRING", "value": "kept"},
            {"name": "commercetoolsId", "type": "STRING", "value": "x-1"},
            {"name": "customerNumber", "type": "STRING", "value": "C-9"},
        ],
    })
}

#[tokio::test]
async fn a_customer_whom_fluent_does_not_know_is_created() {
    let tried = upserted(None, &customer(), &Value::Null).await;
    assert_eq!(tried.result, Ok(()));
    assert_eq!(tried.urls()[1], "https://api.ct.example/shop/customers/x-1");
    let told = tried.told();
    assert_eq!(told[0]["variables"], json!({"ref": "first.buyer@shop.example"}));
    assert!(told[1]["query"].as_str().unwrap().contains("createCustomer(input: $input)"));
    insta::assert_json_snapshot!(told[1]["variables"], @r#"
    {
      "input": {
        "firstName": "First",
        "timezone": "UTC",
        "promotionOptIn": false,
        "title": "Dr.",
        "country": "DE",
        "lastName": "Buyer",
        "primaryEmail": "First.Buyer@Shop.example",
        "primaryPhone": "+49 30 5550100",
        "username": "first.buyer@shop.example",
        "retailer": {
          "id": "7"
        },
        "attributes": [
          {
            "name": "commercetoolsId",
            "type": "STRING",
            "value": "x-1"
          },
          {
            "name": "customerNumber",
            "type": "STRING",
            "value": "C-9"
          }
        ]
      }
    }
    "#);
    assert!(!format!("{:?}", tried.bench.log.entries()).contains("hunter2"));
    let bare = upserted(Some(&json!({})), &customer(), &Value::Null).await;
    assert_eq!(bare.told(), told, "the shipped props are the defaults");
}

#[tokio::test]
async fn a_customer_is_changed_only_where_something_differs() {
    let same = upserted(None, &customer(), &known()).await;
    assert_eq!((&same.result, same.told().len()), (&Ok(()), 1), "a repeated message changes nothing");

    let mut other = known();
    other["lastName"] = json!("Other");
    other["primaryPhone"] = Value::Null;
    other["attributes"][2]["value"] = json!("C-8");
    let changed = upserted(None, &customer(), &other).await;
    assert_eq!(changed.result, Ok(()));
    let told = changed.told();
    assert!(told[1]["query"].as_str().unwrap().contains("updateCustomer(input: $input)"));
    let expected = json!({"input": {
        "username": "first.buyer@shop.example", "lastName": "Buyer", "primaryPhone": "+49 30 5550100",
        "attributes": [{"name": "customerNumber", "type": "STRING", "value": "C-9"}],
    }});
    assert_eq!(told[1]["variables"], expected);
}

#[tokio::test]
async fn what_commercetools_does_not_say_stays_as_it_is_in_fluent() {
    let bare = json!({"id": "x-1", "version": 1, "email": "buyer@shop.example"});
    let mut there = known();
    there["primaryEmail"] = json!("buyer@shop.example");
    let kept = upserted(None, &bare, &there).await;
    assert_eq!((&kept.result, kept.told().len()), (&Ok(()), 1));

    let created = upserted(None, &bare, &Value::Null).await;
    let expected = json!({"input": {
        "username": "buyer@shop.example", "primaryEmail": "buyer@shop.example", "firstName": "buyer",
        "timezone": "UTC", "promotionOptIn": false, "retailer": {"id": "7"},
        "attributes": [{"name": "commercetoolsId", "type": "STRING", "value": "x-1"}],
    }});
    assert_eq!(created.told()[1]["variables"], expected);
}

#[tokio::test]
async fn the_props_say_what_else_a_customer_is() {
    let props = json!({
        "timezone": "Europe/Berlin", "promotionOptInField": "newsletter", "title": "title",
        "attributes": [
            {"from": "custom.points", "name": "points", "type": "INTEGER"},
            {"from": "custom.gone"},
            {"from": "defaultShippingAddress", "type": "JSON"},
        ],
    });
    let created = upserted(Some(&props), &customer(), &Value::Null).await;
    let input = &created.told()[1]["variables"]["input"];
    assert_eq!(
        (&input["timezone"], &input["promotionOptIn"], input.get("title")),
        (&json!("Europe/Berlin"), &json!(true), None)
    );
    let address = json!({"ref": "a2", "name": "First Buyer", "street": "Gasse 3", "city": "Berlin",
        "postcode": "10115", "country": "DE"});
    assert_eq!(
        input["attributes"],
        json!([{"name": "points", "type": "INTEGER", "value": 12},
            {"name": "defaultShippingAddress", "type": "JSON", "value": address}])
    );
}

#[tokio::test]
async fn a_customer_that_is_gone_or_cannot_be_mapped_reaches_nobody() {
    let gone = tried(CUSTOMER, None, &[token(), not_found()]).await;
    assert_eq!((&gone.result, gone.told().len(), gone.notes()), (&Ok(()), 0, 1));

    let mut nameless = customer();
    nameless["email"] = json!(" ");
    let parked = upserted(None, &nameless, &Value::Null).await;
    assert_eq!(parked.problem(Code::Mapping), "customer x-1 has no e-mail");

    for (props, code, reason) in [
        (
            json!({"timeZone": "UTC"}),
            Code::Route,
            "the route's props: unknown key \"timeZone\"; did you mean \"timezone\"?",
        ),
        (
            json!({"title": ["name"]}),
            Code::Route,
            "the route's props: \"title\" must be a list of title and salutation, or one of them",
        ),
        (
            json!({"attributes": [{"from": "custom.newsletter", "type": "INTEGER"}]}),
            Code::Mapping,
            "attribute \"custom.newsletter\" is not of type INTEGER",
        ),
        (
            json!({"attributes": [{"from": "password"}]}),
            Code::Route,
            "the route's props: \"attributes\" name the field \"password\"; there are id, key, customerNumber, externalId, middleName, salutation, companyName, dateOfBirth, locale, defaultShippingAddress, defaultBillingAddress and custom.<field>",
        ),
        (
            json!({"attributes": [{"from": "key"}, {"from": "id", "type": "TEXT"}]}),
            Code::Route,
            "the route's props: \"attributes\" cannot be used: entry 2: \"type\" must be one of STRING, INTEGER, FLOAT, BOOLEAN, JSON",
        ),
    ] {
        assert_eq!(upserted(Some(&props), &customer(), &Value::Null).await.problem(code), reason);
    }
}

#[tokio::test]
async fn an_answer_that_fails_is_handed_on() {
    for answers in [
        &[token(), (503, json!({}))][..],
        &[token(), (200, customer()), token(), (200, json!({"errors": [{"message": "m"}]}))],
        &[
            token(),
            (200, customer()),
            token(),
            (200, json!({"data": {"customer": null}})),
            (200, json!({"errors": [{"extensions": {"code": "C0120E"}}]})),
        ],
    ] {
        let failed = tried(CUSTOMER, None, answers).await;
        assert!(matches!(failed.result, Err(HandlerError::Delivery(_))), "{:?}", failed.result);
    }
}

fn category() -> Value {
    json!({
        "id": "x-1", "version": 4, "key": "HATS", "name": {"de": "Hüte", "en": "Hats", "fr": ""},
        "slug": {"en": "hats"}, "description": {"de": "Für den Kopf"}, "orderHint": "0.10",
        "parent": {"typeId": "category", "id": "p-1"}, "ancestors": [{"typeId": "category", "id": "p-1"}],
    })
}

fn page(categories: &[(&str, Option<&str>)]) -> (u16, Value) {
    let category = |(id, key): &(&str, Option<&str>)| {
        let mut category =
            json!({"id": id, "version": 1, "name": {"en": id}, "slug": {"en": id}, "ancestors": []});
        category.as_object_mut().unwrap().extend(key.map(|key| ("key".to_owned(), json!(key))));
        category
    };
    let results: Vec<_> = categories.iter().map(category).collect();
    (200, json!({"limit": 500, "offset": 0, "count": results.len(), "results": results}))
}

#[tokio::test]
async fn a_category_is_put_below_its_parent() {
    let answers =
        [token(), (200, category()), page(&[("p-1", Some("CLOTHES"))]), token(), (200, json!({"id": "e"}))];
    let first = tried(CATEGORY, None, &answers).await;
    assert_eq!(first.result, Ok(()));
    let urls = first.urls();
    assert_eq!(urls[1], "https://api.ct.example/shop/categories/x-1");
    assert!(urls[2].contains("where=id%20in%20%28%22p-1%22%29"), "{}", urls[2]);
    assert_eq!(urls[4], "https://acme.api.example/api/v4.1/event/async");
    insta::assert_json_snapshot!(first.told()[0], @r#"
    {
      "name": "UPSERT_CATEGORY",
      "entityType": "PRODUCT_CATALOGUE",
      "entityRef": "PC:MASTER:7",
      "entitySubtype": "MASTER",
      "rootEntityType": "PRODUCT_CATALOGUE",
      "rootEntityRef": "PC:MASTER:7",
      "retailerId": "7",
      "attributes": {
        "ref": "HATS",
        "type": "STANDARD",
        "status": "ACTIVE",
        "name": "Hats",
        "catalogueRef": "PC:MASTER:7",
        "commercetoolsId": "x-1",
        "commercetoolsVersion": 4,
        "summary": "Für den Kopf",
        "parentCategory": "CLOTHES",
        "orderHint": "0.10"
      }
    }
    "#);
    let again = tried(CATEGORY, Some(&json!({})), &answers).await;
    assert_eq!(
        again.told(),
        first.told(),
        "a repeated message says the same, and the shipped props are the defaults"
    );
}

#[tokio::test]
async fn a_category_at_the_top_has_no_parent_and_the_props_say_how_it_is_told() {
    let mut top = category();
    for field in ["parent", "key", "description", "orderHint"] {
        top.as_object_mut().unwrap().remove(field);
    }
    let props = json!({"catalogue": {"ref": "DEFAULT:1", "subtype": "DEFAULT"}, "languages": ["it", "de-AT"],
        "rename": {"commercetoolsVersion": "version"}, "sync": true});
    let answers = [token(), (200, top), token(), (200, json!({"eventStatus": "COMPLETE"}))];
    let sent = tried(CATEGORY, Some(&props), &answers).await;
    assert_eq!(sent.result, Ok(()));
    assert_eq!(sent.urls()[3], "https://acme.api.example/api/v4.1/event/sync");
    insta::assert_json_snapshot!(sent.told()[0], @r#"
    {
      "name": "UPSERT_CATEGORY",
      "entityType": "PRODUCT_CATALOGUE",
      "entityRef": "DEFAULT:1",
      "entitySubtype": "DEFAULT",
      "rootEntityType": "PRODUCT_CATALOGUE",
      "rootEntityRef": "DEFAULT:1",
      "retailerId": "7",
      "attributes": {
        "ref": "x-1",
        "type": "STANDARD",
        "status": "ACTIVE",
        "name": "Hüte",
        "catalogueRef": "DEFAULT:1",
        "commercetoolsId": "x-1",
        "version": 4
      }
    }
    "#);
}

#[tokio::test]
async fn a_category_that_is_gone_or_cannot_be_mapped_reaches_nobody() {
    let gone = tried(CATEGORY, None, &[token(), not_found()]).await;
    assert_eq!((&gone.result, gone.told().len(), gone.notes()), (&Ok(()), 0, 1));
    let of = |change: &dyn Fn(&mut Value)| {
        let mut category = category();
        change(&mut category);
        vec![token(), (200, category), page(&[]), token()]
    };
    let nameless = tried(CATEGORY, None, &of(&|category| category["name"] = json!({"en": ""}))).await;
    assert_eq!(nameless.problem(Code::Mapping), "category x-1 has no name in any language");
    let long = tried(CATEGORY, None, &of(&|category| category["key"] = json!("k".repeat(101)))).await;
    assert_eq!(long.problem(Code::Mapping), "x-1: its reference has more than 100 characters");
    let misspelt = tried(CATEGORY, Some(&json!({"rename": {"parent": "p"}})), &of(&|_| {})).await;
    assert!(misspelt.problem(Code::Route).contains("unknown key \"rename.parent\""));
}

#[tokio::test]
async fn a_workflow_that_does_not_end_well_parks_the_message() {
    let answers = [token(), (200, category()), page(&[]), token(), (200, json!({"eventStatus": "FAILED"}))];
    let failed = tried(CATEGORY, Some(&json!({"sync": true})), &answers).await;
    assert!(matches!(failed.result, Err(HandlerError::Misconfigured { code: Code::Answer, .. })));
    let parent = &failed.told()[0]["attributes"]["parentCategory"];
    assert_eq!(parent, "p-1", "one whose key is not known is called by its id");
}

fn price(currency: &str, cents: i64, digits: u8) -> Value {
    json!({"id": "p", "value": {"type": "centPrecision", "currencyCode": currency, "centAmount": cents, "fractionDigits": digits}})
}

fn with(mut value: Value, key: &str, other: Value) -> Value {
    value[key] = other;
    value
}

fn product() -> Value {
    let sale = json!({"value": price("EUR", 1_499, 2)["value"], "discount": {"typeId": "product-discount", "id": "d"}});
    json!({
        "id": "x-1", "version": 12, "key": "HAT", "productType": {"typeId": "product-type", "id": "t"},
        "name": {"en": "Hat", "de": "Hut"}, "slug": {"en": "hat"}, "description": {"en": "Keeps warm"},
        "categories": [{"typeId": "category", "id": "c-1"}, {"typeId": "category", "id": "c-2"}],
        "masterVariant": {
            "id": 1, "sku": "HAT-S",
            "prices": [
                with(price("EUR", 2_099, 2), "country", json!("AT")),
                with(price("EUR", 1_999, 2), "discounted", sale),
                with(price("EUR", 1, 2), "channel", json!({"typeId": "channel", "id": "ch"})),
                with(price("EUR", 2, 2), "validUntil", json!("2026-12-01T00:00:00Z")),
                price("JPY", 2_500, 0),
            ],
            "images": [{"url": "https://img.example/s.jpg"}, {"url": "https://img.example/s2.jpg"}],
            "attributes": [
                {"name": "gtin", "value": 4_006_381_333_931_u64},
                {"name": "size", "value": {"key": "s", "label": {"en": "Small"}}},
                {"name": "material", "value": {"de": "Wolle", "en": "Wool"}},
                {"name": "deposit", "value": {"type": "centPrecision", "currencyCode": "EUR", "centAmount": 25, "fractionDigits": 2}},
                {"name": "washable", "value": true},
            ],
        },
        "variants": [{"id": 2, "sku": "HAT-M", "attributes": [
            {"name": "size", "value": {"key": "m", "label": {"en": "Medium"}}},
            {"name": "material", "value": {"de": "Wolle", "en": "Wool"}},
        ]}],
        "published": true, "hasStagedChanges": false,
    })
}

fn answers(product: Value) -> Vec<(u16, Value)> {
    let event = || (200, json!({"id": "e"}));
    let categories = page(&[("c-2", None), ("c-1", Some("HATS"))]);
    vec![token(), (200, product), categories, token(), event(), event(), event()]
}

#[tokio::test]
async fn a_product_is_told_before_its_variants() {
    let props = json!({"attributes": [
        {"from": "size"}, {"from": "material", "name": "fabric"}, {"from": "deposit", "type": "FLOAT"},
        {"from": "washable", "type": "BOOLEAN"},
    ]});
    let sent = tried(PRODUCT, Some(&props), &answers(product())).await;
    assert_eq!(sent.result, Ok(()));
    assert_eq!(sent.urls()[1], "https://api.ct.example/shop/product-projections/x-1?staged=false");
    let told = sent.told();
    assert_eq!(told.len(), 3);
    insta::assert_json_snapshot!("standard_product", told[0]);
    insta::assert_json_snapshot!("master_variant", told[1]);
    insta::assert_json_snapshot!("other_variant", told[2]);
}

#[tokio::test]
async fn the_shipped_props_of_products_are_the_defaults_and_a_repeated_message_says_the_same() {
    let shipped = tried(PRODUCT, None, &answers(product())).await;
    let bare = tried(PRODUCT, Some(&json!({})), &answers(product())).await;
    assert_eq!((&shipped.result, shipped.told().len()), (&Ok(()), 3));
    assert_eq!(shipped.told(), bare.told());
}

#[tokio::test]
async fn a_variant_that_fluent_does_not_take_brings_the_whole_product_back() {
    let mut failing = answers(product());
    failing[5] = (503, json!({}));
    let failed = tried(PRODUCT, None, &failing).await;
    assert!(matches!(failed.result, Err(HandlerError::Delivery(_))), "{:?}", failed.result);
    assert_eq!(failed.told().len(), 2, "nothing is sent past it");
}

#[tokio::test]
async fn a_product_may_lack_what_is_optional() {
    let bare = json!({
        "id": "x-1", "version": 1, "productType": {"typeId": "product-type", "id": "t"}, "name": {"fr": "Chapeau"},
        "slug": {"fr": "chapeau"}, "masterVariant": {"id": 1, "sku": "A-STOCK-KEEPING-UNIT-THAT-IS-LONG"},
    });
    let sent =
        tried(PRODUCT, None, &[token(), (200, bare), token(), (200, json!({})), (200, json!({}))]).await;
    assert_eq!(sent.result, Ok(()));
    let version = json!([{"name": "commercetoolsVersion", "type": "INTEGER", "value": 1}]);
    let standard = json!({"ref": "x-1", "type": "STANDARD", "status": "ACTIVE", "gtin": "A-STOCK-KEEPING-UNIT",
        "name": "Chapeau", "categoryRefs": [], "commercetoolsId": "x-1", "commercetoolsVersion": 1,
        "attributes": version});
    assert_eq!(sent.told()[0]["attributes"], standard);
    let variant = &sent.told()[1]["attributes"];
    assert_eq!(
        (&variant["ref"], &variant["standardProductRef"], &variant["prices"]),
        (&json!("A-STOCK-KEEPING-UNIT-THAT-IS-LONG"), &json!("x-1"), &json!([]))
    );
}

#[tokio::test]
async fn prices_are_those_of_the_country_that_the_props_name() {
    let props = json!({"prices": {"country": "at", "type": "RETAIL"}, "reference": "id"});
    let mut answers = answers(product());
    answers.remove(2); // nobody asks for keys of categories
    let sent = tried(PRODUCT, Some(&props), &answers).await;
    assert_eq!(sent.result, Ok(()));
    let attributes = &sent.told()[1]["attributes"];
    let prices = json!([{"type": "RETAIL", "currency": "EUR", "value": 20.99},
        {"type": "RETAIL", "currency": "JPY", "value": 2500.0}]);
    assert_eq!(attributes["prices"], prices);
    assert_eq!(attributes["categoryRefs"], json!(["c-1", "c-2"]));
    assert_eq!(attributes["standardProductRef"], "x-1");
}

#[tokio::test]
async fn a_product_that_is_not_published_or_cannot_be_mapped_reaches_nobody() {
    let gone = tried(PRODUCT, None, &[token(), not_found()]).await;
    assert_eq!((&gone.result, gone.told().len(), gone.notes()), (&Ok(()), 0, 1));
    for (pointer, value, reason) in [
        ("/variants/0/sku", json!(null), "product x-1: variant 2 has no SKU"),
        ("/name", json!({}), "product x-1 has no name in any language"),
        (
            "/key",
            json!("HAT-M"),
            "product x-1: variant 2 has the product's key as its SKU, and a catalogue has one product of a reference: set props.reference to id",
        ),
    ] {
        let mut product = product();
        *product.pointer_mut(pointer).unwrap() = value;
        let parked = tried(PRODUCT, None, &answers(product)).await;
        assert_eq!(parked.problem(Code::Mapping), reason);
    }
    let props = json!({"attributes": [{"from": "washable", "type": "FLOAT"}]});
    let parked = tried(PRODUCT, Some(&props), &answers(product())).await;
    assert_eq!(parked.problem(Code::Mapping), "attribute \"washable\" is not of type FLOAT");
}

#[tokio::test]
async fn a_notification_of_no_resource_is_parked() {
    let bench =
        Workbench::with(&[(Section::Accounts, "ACME", ACCOUNT), (Section::Commercetools, "shop", PROJECT)]);
    for route in [CUSTOMER, CATEGORY, PRODUCT] {
        let without = json!({"notificationType": "Message", "projectKey": "shop"});
        let handled = bench.handle(&handlers::registry().build().unwrap(), &message(route, &without)).await;
        assert!(matches!(handled, Err(HandlerError::Misconfigured { code: Code::Mapping, .. })), "{route}");
    }
    assert!(bench.transport.requests().is_empty());
}

#[tokio::test]
async fn the_shipped_routes_into_fluent_work_on_their_samples() {
    let nobody = (200, json!({"data": {"customer": null}}));
    let created = (200, json!({"data": {"createCustomer": {"id": "1"}}}));
    let event = (200, json!({"id": "e"}));
    let customers = vec![token(), (200, customer()), token(), nobody, created];
    let categories = vec![token(), (200, category()), page(&[]), token(), event];
    for (route, path, answers, told) in [
        (CUSTOMER, "customers", customers, 2),
        (CATEGORY, "categories", categories, 1),
        (PRODUCT, "product-projections", answers(product()), 3),
    ] {
        let bench = Workbench::with(&[
            (Section::Accounts, "ACME", ACCOUNT),
            (Section::Commercetools, "acme-shop", PROJECT),
        ]);
        let sample = testkit::shipped::sample(route);
        let id = sample.id.split('.').next().unwrap();
        let tried = handled(bench, &sample, &answers).await;
        assert_eq!((&tried.result, tried.told().len()), (&Ok(()), told), "{route}");
        let asked = format!("https://api.ct.example/acme-shop/{path}/{id}");
        assert!(tried.urls()[1].starts_with(&asked), "{}", tried.urls()[1]);
    }
}
