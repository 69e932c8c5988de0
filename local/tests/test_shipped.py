"""The shipped routes on the deployed template, each switched on by its parameter: what its receiver and Fluent get."""

import json
import time
import uuid
from xml.etree import ElementTree

import pytest

from stack import receiver
from stack.fluent import FluentApi
from stack.receiver import Receiver
from stack.stack import TTL_S
from stack.tools import ROOT

ENTITIES = json.loads((ROOT / "shared" / "testkit" / "fluent.json").read_text())
EVENT_PATH = "/api/v4.1/event/async"


@pytest.fixture(scope="module")
def fluent(stack):
    fluent = FluentApi()
    stack.put("accounts/ACME", json.dumps(fluent.account), secure=True)
    yield fluent
    fluent.stop()


class Shipped:
    """A shipped route, switched on, with a receiver of its own."""

    def __init__(self, stack, fluent, name: str, endpoint: str) -> None:
        self.stack, self.fluent, self.name, self.endpoint = stack, fluent, name, endpoint
        self.receiver = Receiver()
        stack.put(f"endpoints/{endpoint}", f"{self.receiver.url}/in")
        stack.put(f"routes/{name}", "enabled: true")
        time.sleep(TTL_S)

    def end(self) -> None:
        self.stack.forget(f"routes/{self.name}")
        self.stack.forget(f"endpoints/{self.endpoint}")
        time.sleep(TTL_S)
        self.receiver.go_down()

    def event(self, **changes) -> dict:
        """The sample's event, of an entity of its own."""
        batch = json.loads((ROOT / "events" / f"router-shipped-{self.name}.json").read_text())
        event = json.loads(batch["Records"][0]["body"])["payload"]
        order = f"HD_{uuid.uuid4().hex[:8]}"
        return event | {"id": uuid.uuid4().hex, "rootEntityRef": order, "entityRef": f"{order}-1"} | changes

    def send(self, **changes) -> dict:
        event = self.event(**changes)
        assert self.stack.post_signed(event).status == 200
        return event

    def body(self) -> bytes:
        """The body of the only request."""
        (request,) = self.receiver.wait_for(lambda _request: True)
        return request.body

    def entry(self, event: dict, kind: str) -> dict:
        return next(e for e in self.stack.wait_for_entries(event["id"], kind) if e["type"] == kind)

    def passed_on(self, event: dict) -> dict:
        """The event that Fluent got for the entity of this one."""
        found = self.fluent.wait_for(
            lambda asked: asked.path == EVENT_PATH and asked.body["entityRef"] == event["entityRef"]
        )
        (asked,) = found
        return asked.body


@pytest.fixture
def shipped(stack, fluent):
    switched_on = []

    def switch_on(name: str, endpoint: str, answer: dict | None = None, **entities) -> Shipped:
        found = ENTITIES | entities
        fluent.answers.clear()
        fluent.answers.append({"data": found})
        route = Shipped(stack, fluent, name, endpoint)
        if answer is not None:
            route.receiver.always = receiver.content(200, json.dumps(answer).encode())
        switched_on.append(route)
        return route

    yield switch_on
    for route in switched_on:
        route.end()


def test_a_status_reaches_the_storefront_and_one_outside_the_map_does_not(shipped):
    route = shipped("order-status-to-storefront", "storefront")
    event = route.send()
    body = json.loads(route.body())
    assert (body["id"], body["order"], body["status"]) == (event["id"], event["rootEntityRef"], "ready-for-collection")
    unmapped = route.send(entityStatus="UNHEARD_OF")
    assert route.entry(unmapped, "message.unrouted")["code"] == "E_UNROUTED"
    assert len(route.receiver.requests) == 1


def test_a_customer_is_mailed(shipped):
    route = shipped("order-ready-email", "mail")
    event = route.send()
    body = json.loads(route.body())
    assert body["to"] == [{"email": "customer.one@shop.example", "name": "Customer One"}]
    assert (body["reference"], body["variables"]["location"]["name"]) == (event["id"], "Store One")


def test_a_customer_is_texted(shipped):
    route = shipped("order-ready-sms", "sms")
    route.send()
    body = json.loads(route.body())
    assert (body["to"], "HD_3009" in body["text"], "Store One" in body["text"]) == ("+442079460000", True, True)


def test_a_customer_who_cannot_be_reached_is_left_alone_and_the_log_says_so(shipped):
    customer = ENTITIES["orderById"]["customer"] | {"primaryEmail": None}
    route = shipped("order-ready-email", "mail", orderById=ENTITIES["orderById"] | {"customer": customer})
    event = route.send()
    assert "fetch.when" in route.entry(event, "message.note")["note"]
    assert not route.receiver.requests


def test_a_warehouse_is_asked_in_json(shipped):
    route = shipped("wms-fulfilment-request", "wms")
    event = route.send()
    body = json.loads(route.body())
    assert (body["id"], body["fulfilment"], body["order"]) == (event["id"], "HD_3004-1", "HD_3004")
    assert [item["quantity"] for item in body["items"]] == [2, 3]
    (asked,) = route.fluent.wait_for(lambda asked: (asked.body.get("variables") or {}).get("id") == event["entityId"])
    assert "fulfilmentById" in asked.body["query"]


def test_a_warehouse_is_asked_in_xml(shipped):
    hostile = ENTITIES["fulfilmentById"]["toAddress"] | {"name": 'A & "B" <C> ü📦'}
    fulfilment = ENTITIES["fulfilmentById"] | {"toAddress": hostile}
    route = shipped("wms-fulfilment-request-xml", "wms", fulfilmentById=fulfilment)
    route.send()
    body = ElementTree.fromstring(route.body())  # noqa: S314 - our own connector wrote it
    assert body.findtext("to/name") == 'A & "B" <C> ü📦'
    assert [item.findtext("quantity") for item in body.iter("item")] == ["2", "3"]
    assert route.receiver.requests[0].headers["content-type"] == "application/xml; charset=utf-8"


@pytest.mark.parametrize(
    ("name", "endpoint", "answer", "event_name", "attributes"),
    [
        (
            "carrier-booking",
            "carrier",
            {"bookingNumber": "B-1", "trackingNumber": "T-1"},
            "ConsignmentBooked",
            {"bookingNumber": "B-1", "trackingNumber": "T-1", "trackingUrl": "", "labelUrl": "", "service": "standard"},
        ),
        (
            "carrier-label",
            "carrier",
            {"labelUrl": "https://carrier.example/l/1.pdf"},
            "ConsignmentLabelled",
            {"labelUrl": "https://carrier.example/l/1.pdf", "trackingNumber": ""},
        ),
        (
            "carrier-manifest",
            "carrier",
            {"manifestNumber": 7},
            "ConsignmentManifested",
            {"manifestNumber": 7, "manifestUrl": ""},
        ),
        ("erp-sales-order", "erp", {"orderNumber": "SO-1"}, "ErpOrderCreated", {"erpOrderNumber": "SO-1"}),
    ],
    ids=lambda value: value if isinstance(value, str) and "-" in value else "",
)
def test_an_answer_becomes_an_event_in_fluent(shipped, name, endpoint, answer, event_name, attributes):
    route = shipped(name, endpoint, answer)
    event = route.send()
    assert json.loads(route.body())["id"] == event["id"]
    passed_on = route.passed_on(event)
    assert (passed_on["name"], passed_on["attributes"]) == (event_name, attributes)
    for key in ("entityType", "entityId", "entityRef", "rootEntityRef", "retailerId"):
        assert passed_on[key] == event[key]
    assert len(route.receiver.requests) == 1, "delivered once"
