"""Fynd's webhooks on the deployed template: from the signed request to an order, and events on it, in Fluent."""

import hashlib
import hmac
import json
import time
import uuid

import pytest

from stack.fluent import FluentApi
from stack.stack import TTL_S
from stack.tools import ROOT

SECRET = "a-secret-of-this-test"  # noqa: S105 - what its own sender signs with
SOURCE = "fynd-shop"
ROUTES = ("fynd-order-to-fluent", "fynd-shipment-to-fluent", "fynd-inventory-to-fluent")


class Fynd:
    """A company at Fynd whose webhooks come to a source of their own, and an account of Fluent that its routes name."""

    def __init__(self, stack) -> None:
        self.stack, self.fluent = stack, FluentApi()
        stack.put("accounts/FYND", json.dumps(self.fluent.account), secure=True)
        stack.put(f"sources/{SOURCE}", json.dumps({"preset": "fynd", "secrets": [SECRET]}), secure=True)
        stack.put("endpoints/patience-with-fynd", json.dumps({"url": self.fluent.url, "retry": {"delays": ["1s"] * 9}}))
        for route in ROUTES:
            document = {"source": SOURCE, "endpoint": "patience-with-fynd", "props": {"account": "FYND"}}
            if route == "fynd-shipment-to-fluent":
                document["props"]["statuses"] = {"bag_picked": "SHIPPED"}
            stack.put(f"routes/{route}", json.dumps(document))
        time.sleep(TTL_S)

    def send(self, sample: str, order: str) -> str:
        """Posts the webhook of a sample, as of this order and never sent before; the message's id."""
        batch = json.loads((ROOT / f"events/router-shipped-{sample}.json").read_text())
        event = json.loads(batch["Records"][0]["body"])["payload"]
        event["event"]["id"] = uuid.uuid4().hex
        body = json.dumps(event).replace("FYEXAMPLE3101", order).encode()
        return self.post(body)

    def post(self, body: bytes) -> str:
        headers = {"x-fp-signature": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}
        answer = self.stack.post(body, headers, self.stack.source_path(SOURCE))
        assert answer.status == 200, answer.body
        return answer.body["id"]

    def entries(self, message: str, kind: str) -> list[dict]:
        """A message's entries of this type in the event log, once there is one."""
        return [entry for entry in self.stack.wait_for_entries(message, kind) if entry["type"] == kind]

    def told(self, text: str, count: int = 1) -> list[dict]:
        """What Fluent was told that holds this text, once there is so much of it: inputs of mutations, and events."""
        deadline = time.monotonic() + 30
        while True:
            bodies = [asked.body for asked in self.fluent.asked if asked.status == 200]
            changes = [body["variables"].get("input") if "query" in body else body for body in bodies]
            found = [change for change in changes if change and text in json.dumps(change)]
            if len(found) >= count or time.monotonic() > deadline:
                return found
            time.sleep(0.1)


@pytest.fixture(scope="module")
def fynd(stack):
    fynd = Fynd(stack)
    yield fynd
    fynd.fluent.stop()


def test_an_order_is_created_once_however_often_it_comes(fynd):
    order = f"FY{uuid.uuid4().hex[:10].upper()}"
    fynd.send("fynd-order-to-fluent", order)
    (created,) = fynd.told(order)
    assert created["ref"] == order
    assert created["totalPrice"] == 287.98
    items = [(item["productRef"], item["quantity"], item["price"], item["totalPrice"]) for item in created["items"]]
    assert items == [("HAT-M", 2, 19.99, 37.98), ("JACKET-L", 1, 250.0, 250.0)]
    address = created["fulfilmentChoice"]["deliveryAddress"]
    assert (address["city"], address["postcode"], address["country"]) == ("Mumbai", "400001", "IN")
    again = fynd.send("fynd-order-to-fluent", order)
    (note,) = fynd.entries(again, "message.note")
    assert order in note["note"]
    assert len(fynd.told(order)) == 1


def test_an_order_and_its_shipment_come_in_their_order_while_fluent_is_down(fynd):
    order = f"FY{uuid.uuid4().hex[:10].upper()}"
    fynd.fluent.answers.extend([(503, {})] * 2)
    fynd.send("fynd-order-to-fluent", order)
    fynd.send("fynd-shipment-to-fluent", order)
    created, shipped = fynd.told(order, 2)
    assert created["ref"] == order
    assert (shipped["entityType"], shipped["entityRef"], shipped["attributes"]["status"]) == ("ORDER", order, "SHIPPED")


def test_stock_is_an_event_on_the_inventory_catalogue(fynd):
    message = fynd.send("fynd-inventory-to-fluent", "unused")
    deadline = time.monotonic() + 30
    while not fynd.fluent.events() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert fynd.entries(message, "outbound.attempt")[-1]["outcome"] == "answered"
    told = [event for event in fynd.fluent.events() if event["entityType"] == "INVENTORY_CATALOGUE"]
    assert "HAT-M" in json.dumps(told[-1]["attributes"])


def test_an_event_that_no_route_wants_is_answered_200_and_held(fynd):
    event = {
        "company_id": 10,
        "event": {
            "category": "application",
            "name": "coupon",
            "type": "create",
            "version": "1",
            "id": uuid.uuid4().hex,
        },
        "payload": {},
    }
    message = fynd.post(json.dumps(event).encode())
    assert len(fynd.entries(message, "message.unrouted")) == 1
