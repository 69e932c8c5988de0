//! Writes: nothing that others did is undone, and nothing is done twice.

use std::time::Duration;

use commercetools::{
    Address, Channel, ChannelAction, ChannelDraft, ChannelRole, Client, DeliveryDraft, DeliveryItem,
    InventoryAction, InventoryEntry, InventoryEntryDraft, Order, OrderAction, OrderState, ParcelDraft,
    PaymentState, ResourceIdentifier, ShipmentState, TrackingData,
};
use connector::delivery::{Next, Response};
use connector::disposition::Reason;
use connector::failure::Code;
use connector::handler::HandlerError;
use serde_json::{Value, json};

use crate::fixtures::{channel, entry, full_order};
use crate::support::{World, failure, refusal, response};

fn ok(resource: &Value) -> Response {
    response(200, resource.to_string())
}

async fn one_more(world: &World) -> Result<Option<InventoryEntry>, HandlerError> {
    let change = |entry: &InventoryEntry| {
        vec![InventoryAction::ChangeQuantity { quantity: entry.quantity_on_stock + 1 }]
    };
    world.with_client(async |client: Client<'_>| client.update("i-1", change).await).await
}

#[tokio::test]
async fn a_change_is_made_to_the_version_that_was_read() {
    let world = World::default();
    world.api.answer([ok(&entry("i-1", 3, 5)), ok(&entry("i-1", 4, 6))]);
    assert_eq!(one_more(&world).await.unwrap().unwrap().version, 4);
    assert_eq!(world.api.sent(), ["GET /shop/inventory/i-1", "POST /shop/inventory/i-1"]);
    assert_eq!(
        world.api.written(),
        [json!({"version": 3, "actions": [{"action": "changeQuantity", "quantity": 6}]})]
    );
}

#[tokio::test]
async fn a_resource_that_changed_meanwhile_is_read_again_and_the_change_applied_to_it() {
    let world = World::default();
    let conflict = || refusal(409, "ConcurrentModification");
    world.api.answer([
        ok(&entry("i-1", 3, 5)),
        conflict(),
        ok(&entry("i-1", 4, 9)),
        ok(&entry("i-1", 5, 10)),
    ]);
    assert_eq!(one_more(&world).await.unwrap().unwrap().quantity_on_stock, 10);
    let quantities: Vec<_> =
        world.api.written().iter().map(|body| body["actions"][0]["quantity"].clone()).collect();
    assert_eq!(quantities, [6, 10]);
    let told = "ConcurrentModification: told: ConcurrentModification";
    assert_eq!(world.outcomes()[1], json!(["answered", null, told]));
}

#[tokio::test]
async fn a_resource_that_changes_each_time_is_left_for_the_next_attempt() {
    let world = World::default();
    world.api.answer(
        (0..10).flat_map(|version| [ok(&entry("i-1", version, 5)), refusal(409, "ConcurrentModification")]),
    );
    let failure = failure(one_more(&world).await);
    assert_eq!((failure.code, failure.status), (Code::Conflict, Some(409)));
    assert_eq!(failure.next, Next::Retry { after: Duration::from_secs(5) });
    assert_eq!(world.api.written().len(), 4, "the first, and three more");
    let told = "ConcurrentModification: told: ConcurrentModification";
    assert_eq!(world.outcomes().last().unwrap(), &json!(["retry", "E_CONFLICT", told]));
}

#[tokio::test]
async fn nothing_is_sent_where_there_is_nothing_to_do() {
    let world = World::default();
    world.api.answer([ok(&full_order())]);
    let order = world
        .with_client(async |client: Client<'_>| client.update("o-1", |_: &Order| Vec::new()).await)
        .await;
    assert_eq!(order.unwrap().unwrap().id, "o-1");
    assert!(world.api.written().is_empty());
    world.api.answer([
        ok(&entry("i-1", 3, 5)),
        refusal(409, "ConcurrentModification"),
        ok(&entry("i-1", 4, 9)),
    ]);
    let change = |entry: &InventoryEntry| match entry.quantity_on_stock {
        9 => Vec::new(),
        _ => vec![InventoryAction::ChangeQuantity { quantity: 9 }],
    };
    let entry = world.with_client(async |client: Client<'_>| client.update("i-1", change).await).await;
    assert_eq!(entry.unwrap().unwrap().version, 4, "somebody else did it");
    assert_eq!(world.api.written().len(), 1);
}

#[tokio::test]
async fn what_does_not_exist_is_not_changed() {
    let world = World::default();
    world.api.answer([refusal(404, "ResourceNotFound")]);
    assert_eq!(one_more(&world).await, Ok(None));
    world.api.answer([ok(&entry("i-1", 3, 5)), refusal(404, "ResourceNotFound")]);
    assert_eq!(one_more(&world).await, Ok(None), "nor what is deleted meanwhile");
}

#[tokio::test]
async fn a_change_that_is_refused_is_not_made_again() {
    for (status, code, expected) in
        [(400, "InvalidOperation", Code::Rejected), (409, "LockedField", Code::Rejected)]
    {
        let world = World::default();
        world.api.answer([ok(&entry("i-1", 3, 5)), refusal(status, code)]);
        let failure = failure(one_more(&world).await);
        assert_eq!((failure.code, failure.next), (expected, Next::Undelivered { reason: Reason::Refused }));
        assert_eq!(world.outcomes()[1][2], format!("{code}: told: {code}"));
    }
}

#[tokio::test]
async fn every_action_on_an_order_is_spelled_as_documented() {
    let item = || vec![DeliveryItem { id: "l-1".to_owned(), quantity: 2 }];
    let text = |text: &str| Some(text.to_owned());
    let tracking =
        || TrackingData { tracking_id: text("T-1"), carrier: text("DHL"), ..TrackingData::default() };
    let parcel = ParcelDraft { tracking_data: Some(tracking()), items: item(), ..ParcelDraft::default() };
    let actions = vec![
        OrderAction::ChangeOrderState { order_state: OrderState::Complete },
        OrderAction::ChangeShipmentState { shipment_state: ShipmentState::Shipped },
        OrderAction::ChangePaymentState { payment_state: PaymentState::BalanceDue },
        OrderAction::TransitionState { state: ResourceIdentifier::state_by_key("picked") },
        OrderAction::AddDelivery(DeliveryDraft {
            delivery_key: text("F_1"),
            items: item(),
            parcels: vec![parcel],
            ..DeliveryDraft::default()
        }),
        OrderAction::AddParcelToDelivery {
            delivery_id: "d-1".to_owned(),
            parcel_key: None,
            tracking_data: Some(tracking()),
            items: item(),
        },
        OrderAction::UpdateSyncInfo {
            channel: ResourceIdentifier::channel("ch-9"),
            external_id: "4711".to_owned(),
        },
        OrderAction::SetCustomField { name: "fluentRef".to_owned(), value: json!("HD_1") },
    ];
    let world = World::default();
    world.api.answer([ok(&full_order()), ok(&full_order())]);
    world
        .with_client(async |client: Client<'_>| client.update("o-1", |_: &Order| actions.clone()).await)
        .await
        .unwrap();
    let tracking = json!({"trackingId": "T-1", "carrier": "DHL"});
    let items = json!([{"id": "l-1", "quantity": 2}]);
    assert_eq!(
        world.api.written()[0]["actions"],
        json!([
            {"action": "changeOrderState", "orderState": "Complete"},
            {"action": "changeShipmentState", "shipmentState": "Shipped"},
            {"action": "changePaymentState", "paymentState": "BalanceDue"},
            {"action": "transitionState", "state": {"typeId": "state", "key": "picked"}},
            {"action": "addDelivery", "deliveryKey": "F_1", "items": items, "parcels": [{"trackingData": tracking, "items": items}]},
            {"action": "addParcelToDelivery", "deliveryId": "d-1", "trackingData": tracking, "items": items},
            {"action": "updateSyncInfo", "channel": {"typeId": "channel", "id": "ch-9"}, "externalId": "4711"},
            {"action": "setCustomField", "name": "fluentRef", "value": "HD_1"},
        ])
    );
}

#[tokio::test]
async fn a_state_of_tomorrow_cannot_be_written() {
    let world = World::default();
    world.api.answer([ok(&full_order())]);
    let change = |order: &Order| {
        let payment_state = order.payment_state.unwrap();
        vec![OrderAction::ChangePaymentState { payment_state }]
    };
    let error = world.with_client(async |client: Client<'_>| client.update("o-1", change).await).await;
    let Err(HandlerError::Misconfigured { code, .. }) = error else { panic!("{error:?}") };
    assert_eq!((code, world.api.written().len()), (Code::Request, 0));
}

#[tokio::test]
async fn stock_is_created_once() {
    let world = World::default();
    world.api.answer([response(201, entry("i-1", 1, 5).to_string()), refusal(400, "DuplicateField")]);
    let draft = InventoryEntryDraft {
        sku: "HAT-M".to_owned(),
        key: None,
        supply_channel: Some(ResourceIdentifier::channel_by_key("berlin")),
        quantity_on_stock: 5,
    };
    let create = async |client: Client<'_>| client.create_inventory_entry(&draft).await;
    assert_eq!(world.with_client(create).await.unwrap().unwrap().id, "i-1");
    assert_eq!(world.with_client(create).await, Ok(None));
    let body = json!({"sku": "HAT-M", "supplyChannel": {"typeId": "channel", "key": "berlin"}, "quantityOnStock": 5});
    assert_eq!(world.api.written(), [body.clone(), body]);
    assert_eq!(world.outcomes()[1][0], "answered");
}

#[tokio::test]
async fn a_channel_is_created_and_changed() {
    let world = World::default();
    world.api.answer([response(201, channel(1).to_string()), ok(&channel(1)), ok(&channel(2))]);
    let address = Address { country: "DE".to_owned(), ..Address::default() };
    let draft = ChannelDraft {
        key: "berlin".to_owned(),
        roles: vec![ChannelRole::InventorySupply],
        name: Some([("en", "Berlin")].into_iter().collect()),
        description: None,
        address: Some(address.clone()),
        geo_location: None,
    };
    let change = |_: &Channel| {
        vec![
            ChannelAction::ChangeName { name: [("en", "Mitte")].into_iter().collect() },
            ChannelAction::SetAddress { address: Some(Box::new(address.clone())) },
            ChannelAction::SetGeoLocation {
                geo_location: Some(commercetools::GeoPoint { coordinates: [13.4, 52.5] }),
            },
        ]
    };
    world
        .with_client(async |client: Client<'_>| {
            let channel = client.create_channel(&draft).await?.unwrap();
            client.update(&channel.id, change).await
        })
        .await
        .unwrap();
    let address = json!({"country": "DE"});
    assert_eq!(
        world.api.written(),
        [
            json!({"key": "berlin", "roles": ["InventorySupply"], "name": {"en": "Berlin"}, "address": address}),
            json!({"version": 1, "actions": [
                {"action": "changeName", "name": {"en": "Mitte"}},
                {"action": "setAddress", "address": address},
                {"action": "setGeoLocation", "geoLocation": {"type": "Point", "coordinates": [13.4, 52.5]}},
            ]}),
        ]
    );
}
