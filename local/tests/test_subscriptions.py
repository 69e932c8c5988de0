"""Subscriptions on the deployed template: what subscribers get, read by the official packages of both standards."""

import json
import time

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from stack import signing
from stack.receiver import Receiver
from stack.stack import TTL_S

CURRENT = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
PREVIOUS = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
UNKNOWN = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


class Subscriber:
    """A subscription of a test's own to a line's messages, with a receiver of its own."""

    def __init__(self, line, suffix: str, **document) -> None:
        self.line = line
        self.name = f"{line.name}-{suffix}"
        self.receiver = Receiver()
        self.document = {
            "topics": [f"fluent/{line.name}"],
            "url": f"{self.receiver.url}/hooks",
            "secrets": [CURRENT],
            "retry": {"delays": ["1s", "1s"]},
        }
        self.change(**document)

    def change(self, **document) -> None:
        self.document |= document
        self.line.stack.put(f"subscriptions/{self.name}", json.dumps(self.document), secure=True)

    def received(self, count: int, timeout: float = 30.0) -> list:
        deadline = time.monotonic() + timeout
        while len(self.receiver.requests) < count and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        assert len(self.receiver.requests) == count, self.receiver.requests
        return self.receiver.requests


@pytest.fixture
def subscribe(line):
    subscribers = []

    def subscribed(suffix: str, **document) -> Subscriber:
        subscribers.append(Subscriber(line, suffix, **document))
        return subscribers[-1]

    yield subscribed
    for subscriber in subscribers:
        subscriber.receiver.go_down()
        line.stack.forget(f"subscriptions/{subscriber.name}")


def verifies(secret: str, request) -> bool:
    try:
        Webhook(secret).verify(request.body, request.headers)
    except WebhookVerificationError:
        return False
    return True


def cloud_event(request):
    return from_http_event(HTTPMessage(request.headers, request.body))


def test_each_format_is_what_the_official_packages_read(line, subscribe):
    formats = ("standard-webhooks", "cloudevents-structured", "cloudevents-binary")
    subscribers = {format_: subscribe(format_, format=format_) for format_ in formats}
    time.sleep(TTL_S)
    event = line.send("HD ü", entityStatus="SHIPPED", attributes={"total": 19.9})
    got = {format_: subscriber.received(1)[0] for format_, subscriber in subscribers.items()}
    for format_, request in got.items():
        assert verifies(CURRENT, request) and not verifies(UNKNOWN, request), format_
        assert request.headers["webhook-topic"] == f"fluent/{line.name}"
        assert request.headers["webhook-subscription"] == subscribers[format_].name
    plain = Webhook(CURRENT).verify(got["standard-webhooks"].body, got["standard-webhooks"].headers)
    assert (plain["type"], plain["data"]) == (f"fluent/{line.name}", event)
    for format_ in formats[1:]:
        request, read = got[format_], cloud_event(got[format_])
        assert read.get_data() == event, format_
        assert read.get_specversion() == "1.0"
        assert read.get_id() == request.headers["webhook-id"]
        assert read.get_source() == "/fluent-connect/fluent"
        assert read.get_type() == f"fluent.{line.name}"
        assert read.get_subject() == f"ORDER/{event['entityRef']}"
        assert read.get_time().isoformat(timespec="milliseconds")[:23] == plain["timestamp"][:23]
        assert read.get_datacontenttype() == "application/json"
    assert got["cloudevents-structured"].headers["content-type"] == "application/cloudevents+json"
    assert "%20" in got["cloudevents-binary"].headers["ce-subject"]
    line.received(1)
    assert len({request.headers["webhook-id"] for request in [*got.values(), line.receiver.requests[0]]}) == 4


def test_numbers_arrive_with_every_digit(line, subscribe):
    subscribers = [subscribe("plain"), subscribe("ce", format="cloudevents-structured")]
    time.sleep(TTL_S)
    number = "12345678901234567890123.4500"
    body = json.dumps(line.event(attributes={"n": "NUMBER"})).replace('"NUMBER"', number).encode()
    assert line.stack.post(body, {"fluent-signature": signing.signature(body)}).status == 200
    for subscriber in subscribers:
        assert f'{{"n": {number}}}'.encode() in subscriber.received(1)[0].body


def test_topics_filter_and_light_choose_what_is_told(line, subscribe):
    wild = subscribe("wild", topics=[f"flu*/{line.name[:10]}*"], payload="light")
    shipped = subscribe("shipped", filter='event.entityStatus == "SHIPPED"')
    other = subscribe("other", topics=["fynd/*", f"fluent/{line.name}x"])
    inactive = subscribe("inactive", active=False)
    time.sleep(TTL_S)
    line.send(entityStatus="BOOKED", attributes={"customer": "a@shop.example"})
    event = line.send(entityStatus="SHIPPED", attributes={"customer": "a@shop.example"})
    light = [json.loads(request.body)["data"] for request in wild.received(2)]
    assert light[1] == {name: value for name, value in event.items() if name != "attributes"}
    assert [json.loads(request.body)["data"] for request in shipped.received(1)] == [event]
    line.received(2)
    assert not other.receiver.requests and not inactive.receiver.requests


def test_a_retry_has_the_same_id_and_rotated_secrets_sign_both(line, subscribe):
    subscriber = subscribe("rotated", secrets=[CURRENT, PREVIOUS])
    time.sleep(TTL_S)
    subscriber.receiver.answers.append(503)
    event = line.send()
    first, second = subscriber.received(2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]
    assert first.body == second.body
    for request in (first, second):
        assert len(request.headers["webhook-signature"].split(" ")) == 2
        assert verifies(CURRENT, request) and verifies(PREVIOUS, request) and not verifies(UNKNOWN, request)
    name = f"subscriptions/{subscriber.name}"
    attempts = [entry for entry in line.stack.event_log(event["id"]) if entry.get("endpoint") == name]
    assert [entry["outcome"] for entry in attempts] == ["retry", "delivered"]
    assert {entry["route"] for entry in attempts} == {name}


def test_a_subscription_that_fails_touches_no_route(line, subscribe):
    subscriber = subscribe("down", retry={"delays": []})
    time.sleep(TTL_S)
    subscriber.receiver.always = 500
    events = [line.send() for _ in range(2)]
    assert line.received_ids(2) == [event["id"] for event in events]
    subscriber.received(2)
    assert [request.status for request in line.receiver.requests] == [200, 200]


def test_a_paused_subscription_is_held_and_replayed_under_the_same_id(line, subscribe):
    subscriber = subscribe("paused", paused=True)
    time.sleep(TTL_S)
    event = line.send()
    name = f"subscriptions/{subscriber.name}"
    held = line.entry(event, lambda entry: entry["type"] == "message.held")
    assert (held["route"], held["endpoint"]) == (name, name)
    line.received(1)
    assert not subscriber.receiver.requests
    subscriber.change(paused=False)
    time.sleep(TTL_S)
    line.stack.replay(endpoint=name, reason="paused", dryRun=False)
    (request,) = subscriber.received(1)
    assert request.headers["webhook-id"] == held["webhook.id"]
    assert verifies(CURRENT, request)


def test_what_a_broken_subscription_would_get_is_kept(line, subscribe):
    subscriber = subscribe("broken", secret="whsec_hunter2")
    time.sleep(TTL_S)
    event = line.send()
    name = f"subscriptions/{subscriber.name}"
    kept = line.entry(event, lambda entry: entry["type"] == "message.undelivered")
    assert (kept["route"], kept["code"], kept["reason"]) == (name, "E_ROUTE", "misconfigured")
    assert 'did you mean "secrets"?' in kept["error"] and "hunter2" not in json.dumps(kept)
    del subscriber.document["secret"]
    subscriber.change()
    time.sleep(TTL_S)
    line.stack.replay(route=name, dryRun=False)
    assert verifies(CURRENT, subscriber.received(1)[0])
