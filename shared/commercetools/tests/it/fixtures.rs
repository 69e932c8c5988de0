//! Resources in commercetools' JSON: as short as they may be, and with all that mapping needs.

use serde_json::{Value, json};

pub(crate) fn euro(cents: i64) -> Value {
    json!({"type": "centPrecision", "currencyCode": "EUR", "centAmount": cents, "fractionDigits": 2})
}

/// What commercetools promises of an order, and no more.
pub(crate) fn bare_order(id: &str) -> Value {
    json!({
        "id": id, "version": 1, "createdAt": "2026-11-20T08:00:00.000Z", "lastModifiedAt": "2026-11-20T08:00:00.000Z",
        "orderState": "Open", "totalPrice": euro(0), "lineItems": [], "customLineItems": [], "shippingMode": "Single",
        "shipping": [], "syncInfo": [], "origin": "Customer", "taxMode": "Platform", "refusedGifts": []
    })
}

/// An order of two hats in yen and euro amounts, part of it on its way.
pub(crate) fn full_order() -> Value {
    let mut order = bare_order("o-1");
    let parts = json!({
        "version": 7, "orderNumber": "HD_1", "customerId": "c-1", "customerEmail": "customer@shop.example", "country": "DE",
        "locale": "de-DE", "store": {"typeId": "store", "key": "berlin"}, "orderState": "Confirmed",
        "shipmentState": "Partial", "paymentState": "Escrow", "state": {"typeId": "state", "id": "s-1"},
        "totalPrice": euro(4_497),
        "taxedPrice": {"totalNet": euro(3_779), "totalGross": euro(4_497), "totalTax": euro(718), "taxPortions": []},
        "lineItems": [{
            "id": "l-1", "productId": "p-1", "productKey": "hat", "name": {"de": "Hut", "en": "Hat"}, "quantity": 2,
            "variant": {"id": 1, "sku": "HAT-M", "attributes": [{"name": "size", "value": {"key": "M", "label": "m"}}]},
            "price": {"id": "x", "value": euro(2_000), "discounted": {"value": euro(1_999), "discount": {"typeId": "product-discount", "id": "d"}}},
            "totalPrice": euro(3_998), "state": [{"quantity": 2, "state": {"typeId": "state", "id": "s-2"}}],
            "taxRate": {"name": "19%", "amount": 0.19, "includedInPrice": true, "country": "DE", "subRates": []},
            "supplyChannel": {"typeId": "channel", "id": "ch-1"}, "lineItemMode": "Standard", "priceMode": "Platform"
        }],
        "customLineItems": [{
            "id": "cl-1", "name": {"en": "Wrapping"}, "slug": "wrapping", "money": {"type": "highPrecision", "currencyCode": "EUR", "centAmount": 0, "preciseAmount": 1_245, "fractionDigits": 4},
            "quantity": 1, "totalPrice": euro(12), "state": [], "discountedPricePerQuantity": [], "priceMode": "Standard"
        }],
        "shippingAddress": {"id": "a-1", "country": "DE", "firstName": "Test", "streetName": "Hauptstraße", "streetNumber": "1", "pOBox": "12"},
        "billingAddress": {"country": "DE"},
        "shippingInfo": {
            "shippingMethodName": "DHL", "price": euro(499), "shippingRate": {"price": euro(499), "tiers": []}, "shippingMethodState": "MatchesCart",
            "deliveries": [{
                "id": "d-1", "createdAt": "2026-11-20T09:00:00.000Z", "items": [{"id": "l-1", "quantity": 1}],
                "parcels": [{"id": "pa-1", "createdAt": "2026-11-20T09:00:00.000Z", "trackingData": {"trackingId": "T-1", "carrier": "DHL", "isReturn": false}, "items": []}]
            }]
        },
        "paymentInfo": {"payments": [{"typeId": "payment", "id": "pay-1"}]},
        "syncInfo": [{"channel": {"typeId": "channel", "id": "ch-9"}, "externalId": "4711", "syncedAt": "2026-11-20T09:00:00.000Z"}],
        "custom": {"type": {"typeId": "type", "id": "t-1"}, "fields": {"gift": true}},
        "aFieldOfTomorrow": {"any": ["thing"]}
    });
    order.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
    order
}

pub(crate) fn entry(id: &str, version: i64, quantity: i64) -> Value {
    json!({"id": id, "version": version, "sku": "HAT-M", "quantityOnStock": quantity, "availableQuantity": quantity,
           "supplyChannel": {"typeId": "channel", "id": "ch-1"}, "createdAt": "2026-11-20T08:00:00.000Z"})
}

pub(crate) fn channel(version: i64) -> Value {
    json!({"id": "ch-1", "version": version, "key": "berlin", "roles": ["InventorySupply", "RoleOfTomorrow"],
           "name": {"en": "Berlin"}, "geoLocation": {"type": "Point", "coordinates": [13.4, 52.5]}})
}
