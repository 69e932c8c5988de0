"""A project of commercetools and an account of Fluent on the deployed template, and what goes between the two."""

import json
import time
import uuid

from stack.commercetools import CommercetoolsApi
from stack.fluent import Asked, FluentApi
from stack.stack import TTL_S, Stack

PROJECT, ACCOUNT = "acme-shop", "ACME"
ROUTES = (
    "commercetools-order-create",
    "commercetools-customer-upsert",
    "commercetools-category-upsert",
    "commercetools-product-upsert",
    "commercetools-order-status",
    "commercetools-fulfilment-status",
    "commercetools-consignment-status",
    "commercetools-inventory-upsert",
    "commercetools-location-upsert",
)
"""The shipped ones between the two; all are switched on, and try again after a second."""
BUSY = (503, {"statusCode": 503, "message": "Service Unavailable", "errors": [{"code": "OverCapacity"}]})


class Shop:
    """Both sides, and what each was told. Use it as a context: both answer until it ends."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.commercetools, self.fluent = stack, CommercetoolsApi(PROJECT), FluentApi()

    def __enter__(self) -> "Shop":
        self.stack.put(f"accounts/{ACCOUNT}", json.dumps(self.fluent.account), secure=True)
        self.stack.put(f"commercetools/{PROJECT}", json.dumps(self.commercetools.document), secure=True)
        retry = {"delays": ["1s"] * 20}
        self.stack.put("endpoints/patience", json.dumps({"url": self.fluent.url, "retry": retry}))
        for route in ROUTES:
            self.stack.put(f"routes/{route}", "enabled: true\nendpoint: patience")
        time.sleep(TTL_S)
        return self

    def __exit__(self, *_failure) -> None:
        self.fluent.stop()
        self.commercetools.stop()

    # What is sent

    def notify(self, notification: dict) -> str:
        """Puts what commercetools tells on the ct-queue; the message's id."""
        self.stack.notify(json.dumps(notification))
        number = notification.get("sequenceNumber")
        told = [number] if number else [notification["version"], notification["notificationType"]]
        return ".".join(map(str, [notification["resource"]["id"], *told]))

    def send(self, event: dict) -> str:
        """Posts an event of Fluent's, signed; the message's id."""
        assert self.stack.post_signed(event).status == 200
        return event["id"]

    def settle(self, timeout: float = 60.0) -> None:
        """Waits until nothing is on its way."""
        deadline = time.monotonic() + timeout
        while any(self.stack.queue_depth(queue) for queue in ("CtQueueUrl", "EventQueueUrl")):
            assert time.monotonic() < deadline, "something is still on its way"
            time.sleep(0.1)

    def calm(self) -> None:
        """Lets both sides do as they do again, whatever they were still told to answer."""
        for told in (
            self.commercetools.answers,
            self.commercetools.before_write,
            self.fluent.answers,
            self.fluent.event_answers,
        ):
            told.clear()

    # What became of it

    def written(self, resource_id: str) -> list[tuple[int, dict]]:
        """The writes to this resource of commercetools: how each was answered, and its body."""
        writes = [write for write in self.commercetools.writes if write.path.endswith(f"/{resource_id}")]
        return [(write.status, write.body) for write in writes]

    def told(self, *names: str) -> list[tuple[int, dict]]:
        """What Fluent was told that holds one of these names: the answer's status, and an event or an input."""
        asked = [(asked, json.dumps(changing(asked))) for asked in self.fluent.asked]
        told = [asked for asked, text in asked if any(name in text for name in names)]
        return [(asked.status, changing(asked)) for asked in told]

    def outcomes(self, message: str) -> list[str]:
        """How each call went that was made for a message."""
        entries = self.stack.event_log(message)
        return [entry["outcome"] for entry in entries if entry["type"] == "outbound.attempt"]

    def notes(self, message: str) -> list[str]:
        return [entry["note"] for entry in self.stack.event_log(message) if entry["type"] == "message.note"]

    def parked(self, message: str) -> dict:
        """Why a message stands in the undelivered queue, where it does."""
        held = [
            held for held in self.stack.take_all("UndeliveredQueueUrl") if json.loads(held["Body"])["id"] == message
        ]
        (attributes,) = (held["MessageAttributes"] for held in held)
        (entry,) = self.stack.wait_for_entries(message, "message.undelivered")[-1:]
        for name in ("reason", "code"):
            assert entry[name] == attributes[name]["StringValue"]
        return entry


def changing(asked: Asked) -> dict:
    """The input of a mutation, or an event; nothing of a query."""
    if "query" not in asked.body:
        return asked.body
    return asked.body["variables"].get("input", {})


# What commercetools tells


def message(type_id: str, resource_id: str, type_name: str, sequence: int = 1, **changes) -> dict:
    """A Message in Platform format."""
    return notification("Message", type_id, resource_id) | {
        "id": str(uuid.uuid4()),
        "version": 1,
        "sequenceNumber": sequence,
        "resourceVersion": 1,
        "type": type_name,
        **changes,
    }


def change(type_id: str, resource_id: str, kind: str = "ResourceUpdated", version: int = 2) -> dict:
    """A change in Platform format: it says which resource, and nothing of it."""
    return notification(kind, type_id, resource_id) | {"version": version, "modifiedAt": "2026-11-20T08:30:00.000Z"}


def notification(kind: str, type_id: str, resource_id: str) -> dict:
    return {
        "notificationType": kind,
        "projectKey": PROJECT,
        "resource": {"typeId": type_id, "id": resource_id},
        "resourceUserProvidedIdentifiers": {},
    }


# What Fluent tells


def event(name: str, entity_type: str, entity_ref: str, entity_id: str = "1", **changes) -> dict:
    return {
        "id": uuid.uuid4().hex,
        "name": name,
        "accountId": ACCOUNT,
        "retailerId": "1",
        "entityType": entity_type,
        "entityId": entity_id,
        "entityRef": entity_ref,
        "type": "NORMAL",
        "attributes": {},
        **changes,
    }


# What both know


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
