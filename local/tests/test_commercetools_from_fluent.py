"""What goes on in Fluent, on the deployed template: from the signed webhook to what is written to commercetools."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from stack.shop import BUSY, Shop, euro, event, order


@dataclass(frozen=True)
class Told:
    """An event, and what it is to change in commercetools."""

    event: dict
    kind: str
    id: str
    actions: list[dict]
    """To the resource's first version."""

    def update(self, version: int) -> dict:
        return {"version": version, "actions": self.actions}


def placed(shop: Shop, **changes) -> dict:
    """An order of commercetools that Fluent has as HD_<id>."""
    return shop.commercetools.put("orders", order(uuid.uuid4().hex[:8]) | changes)


def of_order(stored: dict) -> dict:
    return {"rootEntityType": "ORDER", "rootEntityId": "1", "rootEntityRef": f"HD_{stored['id']}"}


def order_status(shop: Shop) -> Told:
    stored = placed(shop)
    booked = event("OrderStatusChange", "ORDER", f"HD_{stored['id']}", entityStatus="BOOKED", **of_order(stored))
    actions = [{"action": "changeOrderState", "orderState": "Confirmed"}]
    return Told(booked, "orders", stored["id"], actions)


def fulfilment_status(shop: Shop) -> Told:
    stored = placed(shop)
    reference = f"HD_{stored['id']}-1"
    packed = event(
        "FulfilmentStatusChange", "FULFILMENT", reference, entityStatus="PARTIALLY_FULFILLED", **of_order(stored)
    )
    actions = [{"action": "changeShipmentState", "shipmentState": "Partial"}]
    return Told(packed, "orders", stored["id"], actions)


def consignment_status(shop: Shop, barcode: str = "HAT-M") -> Told:
    """Two parcels, of which the second has what the order lacks where another barcode is given."""
    stored = placed(shop, shippingInfo={"shippingMethodName": "Parcel", "price": euro(0)})
    key = uuid.uuid4().hex[:8]
    articles = [
        {"ref": f"A-{key}-1", "items": [{"quantity": 1, "barcode": "HAT-M"}]},
        {"ref": f"A/{key}/2", "items": [{"quantity": 1, "barcode": barcode}]},
    ]
    consignment = shop.fluent.entities.put(
        "Consignment",
        {
            "ref": f"C-{key}",
            "status": "SHIPPED",
            "consignmentReference": "BOOKING-1",
            "trackingLabel": f"T-{key}",
            "carrier": {"id": "1", "ref": "CARRIER_1", "name": "Example Parcel"},
            "consignmentArticles": [{"article": article} for article in articles],
        },
    )
    shipped = event(
        "ConsignmentStatusChange",
        "CONSIGNMENT",
        consignment["ref"],
        consignment["id"],
        entityStatus="SHIPPED",
        **of_order(stored),
    )
    tracking = {"trackingId": f"T-{key}", "carrier": "Example Parcel"}
    one = [{"id": "l-1", "quantity": 1}]
    delivery = {
        "action": "addDelivery",
        "deliveryKey": f"C-{key}",
        "items": [{"id": "l-1", "quantity": 2}],
        "parcels": [
            {"key": f"A-{key}-1", "trackingData": tracking, "items": one},
            {"key": f"A_2F{key}_2F2", "trackingData": tracking, "items": one},
        ],
    }
    actions = [delivery, {"action": "changeShipmentState", "shipmentState": "Shipped"}]
    return Told(shipped, "orders", stored["id"], actions)


def position(shop: Shop, quantity: int) -> tuple[dict, dict]:
    """A virtual position with its event, where nobody has heard of its place."""
    key = uuid.uuid4().hex[:8]
    place, sku = f"STORES-{key}", f"HAT-{key}"
    fields = {"ref": f"{sku}:{place}", "productRef": sku, "groupRef": place, "quantity": quantity}
    stored = shop.fluent.entities.put("VirtualPosition", fields)
    return stored, event("InventoryUpsert", "VIRTUAL_POSITION", stored["ref"], stored["id"])


def channel(shop: Shop, key: str, **changes) -> dict:
    return shop.commercetools.put("channels", {"key": key, "roles": ["InventorySupply"]} | changes)


def stock(shop: Shop, sku: str, place: dict, quantity: int) -> dict:
    supply = {"typeId": "channel", "id": place["id"]}
    fields = {"sku": sku, "supplyChannel": supply, "quantityOnStock": quantity, "availableQuantity": quantity}
    return shop.commercetools.put("inventory", fields)


def inventory_upsert(shop: Shop) -> Told:
    """Stock of which there is some already, elsewhere too."""
    found, changed = position(shop, 12)
    stock(shop, found["productRef"], channel(shop, f"ELSEWHERE-{found['productRef']}"), 7)
    entry = stock(shop, found["productRef"], channel(shop, found["groupRef"]), 5)
    return Told(changed, "inventory", entry["id"], [{"action": "changeQuantity", "quantity": 12}])


PLACE = {
    "companyName": "Example",
    "street": "1 Main Street",
    "city": "Sydney",
    "state": "NSW",
    "postcode": "2000",
    "country": "AU",
    "latitude": -33.87,
    "longitude": 151.21,
}
ADDRESS = {
    "country": "AU",
    "streetName": "1 Main Street",
    "postalCode": "2000",
    "city": "Sydney",
    "state": "NSW",
    "company": "Example",
}
POINT = {"type": "Point", "coordinates": [151.21, -33.87]}


def location(shop: Shop, **changes) -> tuple[dict, dict]:
    fields = {"ref": f"STORE-{uuid.uuid4().hex[:8]}", "name": "Store One", "primaryAddress": PLACE | changes}
    stored = shop.fluent.entities.put("Location", fields)
    return stored, event("LocationUpsert", "LOCATION", stored["ref"], stored["id"])


def location_upsert(shop: Shop) -> Told:
    """A channel of another name, somewhere else, which supplies nothing, and has more than Fluent knows of."""
    found, changed = location(shop)
    here = {"country": "AU", "city": "Perth", "phone": "+61 8 5550 0100"}
    known = channel(shop, found["ref"], name={"en": "Old", "de": "Laden"}, address=here, roles=["Primary"])
    actions = [
        {"action": "changeName", "name": {"de": "Laden", "en": "Store One"}},
        {"action": "setAddress", "address": ADDRESS | {"phone": "+61 8 5550 0100"}},
        {"action": "setGeoLocation", "geoLocation": POINT},
        {"action": "addRoles", "roles": ["InventorySupply"]},
    ]
    return Told(changed, "channels", known["id"], actions)


def of_no_order(name: str, entity_type: str, status: str) -> Callable[[Shop], tuple[dict, str]]:
    def spoilt(_shop: Shop) -> tuple[dict, str]:
        nothing = {"id": str(uuid.uuid4())}
        reference = f"HD_{nothing['id']}"
        return event(name, entity_type, reference, entityStatus=status, **of_order(nothing)), (
            f"project acme-shop has no order of reference {reference}"
        )

    return spoilt


def other_barcode(shop: Shop) -> tuple[dict, str]:
    told = consignment_status(shop, barcode="CAP-S")
    return told.event, f"order {told.id} has no line item of SKU CAP-S"


def no_channel(shop: Shop) -> tuple[dict, str]:
    found, changed = position(shop, 12)
    return changed, f"project acme-shop has no channel of key {found['groupRef']}"


def country_in_words(shop: Shop) -> tuple[dict, str]:
    _, changed = location(shop, country="Australia")
    return changed, 'country "Australia" is not of two letters (ISO 3166-1): map it in props.countries'


@dataclass(frozen=True)
class Change:
    """What an event of Fluent's changes, and one that changes nothing."""

    arrange: Callable[[Shop], Told]
    spoil: Callable[[Shop], tuple[dict, str]]
    """An event that cannot be mapped, and why."""
    asks: bool
    """Whether Fluent is asked what the event does not say."""


CHANGES = {
    "order-status": Change(order_status, of_no_order("OrderStatusChange", "ORDER", "BOOKED"), asks=False),
    "fulfilment-status": Change(
        fulfilment_status, of_no_order("FulfilmentStatusChange", "FULFILMENT", "SHIPPED"), asks=False
    ),
    "consignment-status": Change(consignment_status, other_barcode, asks=True),
    "inventory-upsert": Change(inventory_upsert, no_channel, asks=True),
    "location-upsert": Change(location_upsert, country_in_words, asks=True),
}


@pytest.fixture(params=CHANGES.values(), ids=CHANGES)
def changed(request) -> Change:
    return request.param


def test_commercetools_is_told_what_differs_and_nothing_the_second_time(shop, changed):
    told = changed.arrange(shop)
    for _ in range(2):
        shop.send(told.event)
    shop.settle()
    assert shop.written(told.id) == [(200, told.update(1))]
    again = shop.send(told.event | {"id": uuid.uuid4().hex})
    shop.settle()
    assert len(shop.written(told.id)) == 1
    assert set(shop.outcomes(again)) == {"answered"}, "it was handled"


def test_what_somebody_else_changed_meanwhile_is_read_again_and_changed(shop, changed):
    told = changed.arrange(shop)
    shop.commercetools.before_write.append(lambda: shop.commercetools.change(told.kind, told.id))
    shop.send(told.event)
    shop.settle()
    assert shop.written(told.id) == [(409, told.update(1)), (200, told.update(2))]


def test_both_sides_may_be_busy_for_a_while(shop, changed):
    told = changed.arrange(shop)
    shop.commercetools.answers.append(BUSY)
    shop.commercetools.before_write.append(lambda: shop.commercetools.answers.append(BUSY))
    shop.fluent.answers.extend([BUSY] * changed.asks)
    sent = shop.send(told.event)
    shop.settle()
    assert shop.written(told.id) == [(503, told.update(1)), (200, told.update(1))]
    assert not (shop.commercetools.answers or shop.fluent.answers)
    assert shop.outcomes(sent).count("retry") == 2 + changed.asks


def test_what_cannot_be_mapped_is_parked_and_nothing_written(shop, changed):
    spoilt, problem = changed.spoil(shop)
    before = len(shop.commercetools.writes)
    sent = shop.send(spoilt)
    shop.settle()
    entry = shop.parked(sent)
    assert (entry["reason"], entry["code"]) == ("misconfigured", "E_MAPPING")
    assert problem in entry["error"]
    assert len(shop.commercetools.writes) == before


# What is only some handlers' own


@pytest.mark.parametrize(
    ("arrange", "kind"), [(order_status, "Order"), (fulfilment_status, "Fulfilment")], ids=["order", "fulfilment"]
)
def test_a_status_that_the_event_does_not_tell_is_asked_of_fluent(shop, arrange, kind):
    told = arrange(shop)
    entity = {"ref": told.event["entityRef"], "type": "HD", "status": told.event["entityStatus"]}
    stored = shop.fluent.entities.put(kind, entity | {"order": {"ref": told.event["rootEntityRef"]}})
    lightweight = {key: value for key, value in told.event.items() if key != "entityStatus"}
    shop.send(lightweight | {"entityId": stored["id"]})
    shop.settle()
    assert shop.written(told.id) == [(200, told.update(1))]


def test_a_parcel_that_comes_later_is_added_and_a_new_tracking_number_set(shop):
    told = consignment_status(shop)
    consignment = shop.fluent.entities.find("Consignment", id=told.event["entityId"])
    all_articles = consignment["consignmentArticles"]
    consignment["consignmentArticles"] = all_articles[:1]
    shop.send(told.event)
    shop.settle()
    consignment["consignmentArticles"], consignment["trackingLabel"] = all_articles, "T-9"
    shop.send(told.event | {"id": uuid.uuid4().hex})
    shop.settle()
    (delivery,) = shop.commercetools.get("orders", told.id)["shippingInfo"]["deliveries"]
    _, second = told.actions[0]["parcels"]
    tracking = second["trackingData"] | {"trackingId": "T-9"}
    actions = [
        {"action": "setParcelTrackingData", "parcelId": delivery["parcels"][0]["id"], "trackingData": tracking},
        {
            "action": "addParcelToDelivery",
            "deliveryId": delivery["id"],
            "parcelKey": second["key"],
            "trackingData": tracking,
            "items": second["items"],
        },
    ]
    assert [status for status, _ in shop.written(told.id)] == [200, 200]
    assert sorted(shop.written(told.id)[-1][1]["actions"], key=str) == sorted(actions, key=str)


def created(shop: Shop, kind: str) -> list[tuple[int, dict]]:
    """The drafts of this kind, and how each was answered."""
    return [(write.status, write.body) for write in shop.commercetools.writes if write.path.endswith(f"/{kind}")]


def test_stock_of_which_there_is_none_is_created_once(shop):
    found, changed = position(shop, 12)
    place = channel(shop, found["groupRef"])
    before = len(created(shop, "inventory"))
    for event_id in (changed["id"], uuid.uuid4().hex):
        shop.send(changed | {"id": event_id})
        shop.settle()
    supply = {"typeId": "channel", "id": place["id"]}
    draft = {"sku": found["productRef"], "supplyChannel": supply, "quantityOnStock": 12}
    assert created(shop, "inventory")[before:] == [(201, draft)]


def test_stock_that_somebody_else_creates_meanwhile_is_changed(shop):
    found, changed = position(shop, -3)
    place, made = channel(shop, found["groupRef"]), []
    shop.commercetools.before_write.append(lambda: made.append(stock(shop, found["productRef"], place, 4)))
    shop.send(changed)
    shop.settle()
    assert created(shop, "inventory")[-1][0] == 400
    update = {"version": 1, "actions": [{"action": "changeQuantity", "quantity": 0}]}
    assert shop.written(made[0]["id"]) == [(200, update)], "below zero is zero"


def test_a_location_without_a_channel_gets_one_once(shop):
    found, changed = location(shop)
    before = len(created(shop, "channels"))
    for event_id in (changed["id"], uuid.uuid4().hex):
        shop.send(changed | {"id": event_id})
        shop.settle()
    draft = {
        "key": found["ref"],
        "roles": ["InventorySupply"],
        "name": {"en": "Store One"},
        "address": ADDRESS,
        "geoLocation": POINT,
    }
    assert created(shop, "channels")[before:] == [(201, draft)]
