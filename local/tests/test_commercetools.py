"""An order of commercetools on the deployed template: from the ct-queue to one order in Fluent."""

import json
import threading
import time
import uuid

import pytest

from stack.commercetools import CommercetoolsApi
from stack.fluent import FluentApi
from stack.stack import TTL_S

ROUTE = "commercetools-order-create"


class Shop(FluentApi):
    """A Fluent that knows orders by their reference, and may be out of order for a number of queries."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.created: dict[str, dict] = {}
        self.inputs: list[dict] = []
        self.failures = 0
        self._lock = threading.Lock()

    def _data(self, sent: dict, told) -> tuple[int, dict]:
        query, variables = sent["query"], sent["variables"]
        with self._lock:
            if self.failures > 0:
                self.failures -= 1
                return 503, {"errors": [{"message": "Service Unavailable"}]}
            if "createOrder" in query:
                self.inputs.append(variables["input"])
                self.created[variables["input"]["ref"]] = {"id": str(len(self.inputs)), "retailer": {"id": "1"}}
                return 200, {"data": {"createOrder": {"id": "1"}, "createOrderAndCustomer": {"id": "1"}}}
            return 200, {"data": {"order": self.created.get(variables["ref"]), "customer": None}}


def euro(cents: int) -> dict:
    return {"type": "centPrecision", "currencyCode": "EUR", "centAmount": cents, "fractionDigits": 2}


def taxed(net: int, gross: int) -> dict:
    tax = euro(gross - net)
    return {"totalNet": euro(net), "totalGross": euro(gross), "totalTax": tax, "taxPortions": []}


def order(number: str) -> dict:
    """Two hats at 19.99, of which 19 % are taxes, for a guest."""
    address = {"country": "DE", "firstName": "Test", "lastName": "Customer", "streetName": "Hafenweg"}
    hats = {
        "id": "l-1",
        "productId": "p-1",
        "name": {"en": "Hat"},
        "variant": {"id": 1, "sku": "HAT-M"},
        "price": {"id": "x", "value": euro(1999)},
        "quantity": 2,
        "totalPrice": euro(3998),
        "taxedPrice": taxed(3360, 3998),
        "taxRate": {"name": "VAT 19%", "amount": 0.19, "includedInPrice": True, "country": "DE"},
    }
    return {
        "id": str(uuid.uuid4()),
        "orderNumber": number,
        "customerEmail": "Customer@shop.example",
        "orderState": "Open",
        "shippingMode": "Single",
        "totalPrice": euro(3998),
        "taxedPrice": taxed(3360, 3998),
        "lineItems": [hats],
        "shippingAddress": address | {"postalCode": "20095", "city": "Hamburg"},
        "syncInfo": [],
    }


def created(stored: dict, kind: str = "OrderCreated", sequence: int = 1, **changes) -> dict:
    return {
        "notificationType": "Message",
        "projectKey": "acme-shop",
        "id": str(uuid.uuid4()),
        "version": 1,
        "sequenceNumber": sequence,
        "resource": {"typeId": "order", "id": stored["id"]},
        "resourceVersion": 1,
        "type": kind,
    } | changes


@pytest.fixture(scope="module")
def shop(stack):
    shop, source = Shop(), CommercetoolsApi()
    stack.put("accounts/ACME", json.dumps(shop.account), secure=True)
    stack.put("commercetools/acme-shop", json.dumps(source.document), secure=True)
    stack.put("endpoints/fluent-patience", json.dumps({"url": shop.url, "retry": {"delays": ["1s"] * 20}}))
    stack.put(f"routes/{ROUTE}", "endpoint: fluent-patience")
    time.sleep(TTL_S)
    shop.source = source
    yield shop
    for name in (f"routes/{ROUTE}", "endpoints/fluent-patience", "commercetools/acme-shop", "accounts/ACME"):
        stack.forget(name)
    time.sleep(TTL_S)
    shop.stop()
    source.stop()


def orders_of(shop: Shop, stored: dict, settle_s: float = 3.0) -> list[dict]:
    """What was created for an order, once there is something, and a little after."""
    reference = f"HD_{stored['id']}"
    deadline = time.monotonic() + 60
    while reference not in shop.created and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(settle_s)
    return [made for made in shop.inputs if made["ref"] == reference]


def test_an_order_that_is_created_becomes_one_in_fluent_with_the_right_values(stack, shop):
    stored = shop.source.put("orders", order("1001"))
    stack.notify(json.dumps(created(stored)))
    (made,) = orders_of(shop, stored)
    (item,) = made["items"]
    assert (item["productRef"], item["quantity"], item["price"], item["totalPrice"]) == ("HAT-M", 2, 19.99, 39.98)
    assert (item["totalTaxPrice"], made["totalPrice"], made["totalTaxPrice"]) == (6.38, 39.98, 6.38)
    assert made["retailer"] == {"id": "1"}
    assert made["customer"]["username"] == "customer@shop.example"
    assert made["fulfilmentChoice"]["deliveryAddress"]["postcode"] == "20095"


def test_twice_out_of_order_and_without_its_payload_it_is_still_one(stack, shop):
    stored = shop.source.put("orders", order("1002"))
    without = {"payloadNotIncluded": {"reason": "Payload too large.", "payloadType": "OrderImported"}}
    later = created(stored, "OrderImported", sequence=2, **without)
    stack.notify(json.dumps(later))
    first = json.dumps(created(stored))
    stack.notify(first)
    stack.notify(first)
    assert len(orders_of(shop, stored, settle_s=8.0)) == 1


def test_while_fluent_is_out_of_order_the_order_waits(stack, shop):
    shop.failures = 5
    stored = shop.source.put("orders", order("1003"))
    stack.notify(json.dumps(created(stored)))
    assert len(orders_of(shop, stored)) == 1
    assert shop.failures == 0


def test_an_order_that_cannot_be_mapped_is_parked_and_nothing_is_created(stack, shop):
    nobody = order("1004")
    del nobody["customerEmail"]
    stored = shop.source.put("orders", nobody)
    body = created(stored)
    stack.notify(json.dumps(body))
    entry = parked(stack, f"{stored['id']}")
    assert (entry["reason"], entry["code"]) == ("misconfigured", "E_MAPPING")
    assert "customerEmail" in entry["error"]
    assert f"HD_{stored['id']}" not in shop.created


def parked(stack, resource: str) -> dict:
    """The entry of a message about this resource that was parked."""
    deadline = time.monotonic() + 45
    while time.monotonic() < deadline:
        for text in stack.all_logs():
            if resource in text and '"type":"message.undelivered"' in text:
                return json.loads(text)
        time.sleep(0.5)
    raise AssertionError(f"nothing about {resource} was parked")
