//! Resources are read as they are documented, and as they may become.

use commercetools::{
    Category, Channel, ChannelRole, Customer, Decimal, GeoPoint, Message, Money, Order, OrderState,
    PaymentState, ProductProjection, ShipmentState, ShippingMode,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::fixtures::{bare_order, channel, full_order};

fn read<T: DeserializeOwned>(json: &Value) -> T {
    serde_json::from_str(&json.to_string()).unwrap()
}

#[test]
fn an_order_may_be_bare() {
    let order: Order = read(&bare_order("o-1"));
    assert_eq!((order.order_number, order.customer_id, order.shipping_info), (None, None, None));
    assert_eq!(order.total_price.amount().to_string(), "0.00");
}

#[test]
fn an_order_is_read_with_all_that_mapping_needs() {
    let order: Order = read(&full_order());
    assert_eq!(
        (order.order_state, order.shipment_state),
        (OrderState::Confirmed, Some(ShipmentState::Partial))
    );
    assert_eq!(order.payment_state, Some(PaymentState::Unknown), "a state of tomorrow");
    let item = &order.line_items[0];
    assert_eq!((item.name.text(&["en-GB"]), item.variant.sku.as_deref()), (Some("Hat"), Some("HAT-M")));
    assert_eq!(item.variant.attribute("size").unwrap()["key"], "M");
    assert_eq!(item.price.current().amount().to_string(), "19.99");
    assert_eq!(item.price.current().times(item.quantity), Ok(item.total_price.amount()));
    assert_eq!(order.custom_line_items[0].money.amount().to_string(), "0.1245");
    let address = order.shipping_address.as_ref().unwrap();
    assert_eq!((address.country.as_str(), address.p_o_box.as_deref()), ("DE", Some("12")));
    let tracking: Vec<_> = order.deliveries().flat_map(|delivery| &delivery.parcels).collect();
    assert_eq!(tracking[0].tracking_data.as_ref().unwrap().tracking_id.as_deref(), Some("T-1"));
    assert_eq!((order.external_id("ch-9"), order.external_id("ch-1")), (Some("4711"), None));
    assert_eq!(order.custom.unwrap().fields["gift"], true);
    assert_eq!(order.taxed_price.unwrap().total_tax.unwrap().amount().to_string(), "7.18");
}

#[test]
fn deliveries_are_found_in_several_shipments_too() {
    let mut order = full_order();
    let info = order["shippingInfo"].take();
    let shipping =
        |key: &str| json!({"shippingKey": key, "shippingInfo": info, "shippingAddress": {"country": "DE"}});
    order["shippingMode"] = json!("Multiple");
    order["shipping"] = json!([shipping("a"), shipping("b")]);
    let order: Order = read(&order);
    assert_eq!((order.shipping_mode, order.deliveries().count()), (ShippingMode::Multiple, 2));
}

#[test]
fn items_shipping_and_the_rest_sum_up_exactly() {
    let order: Order = read(&full_order());
    let shipping = order.shipping_info.map(|info| info.price);
    let items = order.line_items.iter().map(|item| &item.total_price);
    let sum: Decimal = Money::sum(items.chain(&shipping)).unwrap();
    assert_eq!((sum.to_string(), order.total_price.amount()), ("44.97".to_owned(), sum));
    assert_eq!(sum.to_float(), json!(44.97));
}

#[test]
fn a_customer_has_default_addresses() {
    let customer: Customer = read(&json!({
        "id": "c-1", "version": 1, "email": "customer@shop.example", "isEmailVerified": true, "authenticationMode": "Password",
        "addresses": [{"id": "a-1", "country": "DE"}, {"id": "a-2", "country": "AT"}], "defaultShippingAddressId": "a-2",
    }));
    assert_eq!(customer.default_shipping_address().unwrap().country, "AT");
    assert_eq!(customer.default_billing_address(), None);
}

#[test]
fn a_category_a_product_a_channel_and_a_message_are_read() {
    let category: Category = read(
        &json!({"id": "k-1", "version": 1, "name": {"en": "Hats"}, "slug": {"en": "hats"}, "ancestors": [], "orderHint": "0.1"}),
    );
    assert_eq!((category.name.text(&[]), category.parent), (Some("Hats"), None));
    let product: ProductProjection = read(&json!({
        "id": "p-1", "version": 1, "productType": {"typeId": "product-type", "id": "t"}, "name": {"en": "Hat"}, "slug": {"en": "hat"},
        "masterVariant": {"id": 1, "sku": "HAT-M"}, "variants": [{"id": 2, "sku": "HAT-L"}], "published": true,
    }));
    let skus: Vec<_> = product.all_variants().filter_map(|variant| variant.sku.as_deref()).collect();
    assert_eq!((skus, product.published), (vec!["HAT-M", "HAT-L"], true));
    let channel: Channel = read(&channel(1));
    assert_eq!(channel.roles, [ChannelRole::InventorySupply, ChannelRole::Unknown]);
    assert_eq!(channel.geo_location, Some(GeoPoint { coordinates: [13.4, 52.5] }));
    let message: Message = read(&json!({
        "id": "m-1", "version": 1, "sequenceNumber": 4, "resource": {"typeId": "order", "id": "o-1"}, "resourceVersion": 5,
        "type": "OrderStateChanged", "createdAt": "2026-11-20T08:00:00.000Z", "orderId": "o-1", "orderState": "Complete",
    }));
    assert_eq!(
        (message.kind.as_str(), &message.fields["orderState"]),
        ("OrderStateChanged", &json!("Complete"))
    );
}
