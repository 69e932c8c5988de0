"""Webhooks of other systems, signed by their own libraries or as their documentation says, to the deployed function."""

import base64
import datetime
import hashlib
import hmac
import json
import time
import uuid

import pytest
import standardwebhooks
import stripe

from stack.receiver import Receiver
from stack.stack import TTL_S

KEY = "a-secret-of-this-test"
STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PREVIOUS = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def mac(body: bytes, secret: str = KEY) -> bytes:
    return hmac.new(secret.encode(), body, hashlib.sha256).digest()


def github(body: bytes, secret: str = KEY, event: str = "push") -> dict:
    return {
        "x-github-event": event,
        "x-github-delivery": uuid.uuid4().hex,
        "x-hub-signature-256": f"sha256={mac(body, secret).hex()}",
    }


def shopify(body: bytes, secret: str = KEY) -> dict:
    return {
        "x-shopify-topic": "orders/paid",
        "x-shopify-webhook-id": uuid.uuid4().hex,
        "x-shopify-shop-domain": "north.example",
        "x-shopify-hmac-sha256": base64.b64encode(mac(body, secret)).decode(),
    }


def fynd(body: bytes, secret: str = KEY) -> dict:
    return {"x-fp-signature": mac(body, secret).hex()}


def by_stripe(body: bytes, secret: str = KEY, at: float | None = None) -> dict:
    timestamp = int(at or time.time())
    signature = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, timestamp=timestamp)
    return {"stripe-signature": signature}


def standard(body: bytes, secret: str = STANDARD, at: float | None = None) -> dict:
    now = datetime.datetime.fromtimestamp(int(at or time.time()), datetime.UTC)
    number = f"msg_{uuid.uuid4().hex}"
    return {
        "webhook-id": number,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": standardwebhooks.Webhook(secret).sign(number, now, body.decode()),
    }


SIGNERS = {"github": github, "shopify": shopify, "fynd": fynd, "stripe": by_stripe, "standard-webhooks": standard}


class World:
    """One source a preset, all with names of this module, and a route that takes whatever they send."""

    def __init__(self, stack) -> None:
        self.stack = stack
        self.receiver = Receiver()
        stack.put("endpoints/others", f"{self.receiver.url}/others")
        for preset in SIGNERS:
            secrets = [PREVIOUS, STANDARD] if preset == "standard-webhooks" else ["another-one", KEY]
            document = {"preset": preset, "secrets": secrets}
            stack.put(f"sources/a-{preset}", json.dumps(document), secure=True)
            route = f'source: a-{preset}\nmessage: "*"\nwhen: not (event.unrouted is defined)\nendpoint: others\n'
            stack.put(f"routes/others-{preset}", route)
        time.sleep(TTL_S)

    def post(self, source: str, body: bytes, headers: dict):
        return self.stack.post(body, headers, self.stack.source_path(source))

    def delivered(self, body: bytes, timeout: float = 30.0) -> list:
        return self.receiver.wait_for(lambda request: request.body == body, timeout)


@pytest.fixture(scope="module")
def world(stack):
    world = World(stack)
    yield world
    world.receiver.go_down()


def event(preset: str, **changes) -> bytes:
    """What the system of a preset sends, unlike any other; numbers keep their digits, text its letters."""
    number = uuid.uuid4().hex
    body = {"id": f"evt_{number}", "type": "order.paid", "total": 1499.50, "note": "Ünïcode 📦"}
    if preset == "fynd":
        event = {"category": "application", "name": "order", "type": "placed", "version": "1", "id": number}
        body |= {"company_id": 1, "event": event, "payload": {"order": {"order_id": f"FY{number}"}}}
    return json.dumps(body | changes, ensure_ascii=False).encode()


@pytest.mark.parametrize("preset", SIGNERS)
def test_what_its_own_library_signs_is_delivered_as_it_came(world, preset):
    body = event(preset)
    answer = world.post(f"a-{preset}", body, SIGNERS[preset](body))
    assert answer.status == 200, answer.body
    assert answer.body["status"] == "queued"
    assert world.delivered(body), "byte for byte"
    entries = world.stack.wait_for_entries(answer.body["id"], "outbound.attempt")
    assert {entry["message.source"] for entry in entries} == {f"a-{preset}"}


@pytest.mark.parametrize("preset", SIGNERS)
def test_an_altered_body_another_secret_and_no_proof_are_refused_alike(world, preset):
    body, sign = event(preset), SIGNERS[preset]
    wrong = "whsec_" + base64.b64encode(b"another secret of 24 byte").decode()
    for headers in (sign(body + b" "), sign(body, wrong), {}):
        answer = world.post(f"a-{preset}", body, headers)
        assert (answer.status, answer.body["code"]) == (401, "E_SIGNATURE")
        assert answer.body["message"] == "the signature is missing, malformed or wrong"
    assert not world.delivered(body, timeout=1)


@pytest.mark.parametrize("preset", ["stripe", "standard-webhooks"])
def test_a_signature_that_is_too_old_or_of_a_time_to_come_is_refused(world, preset):
    body = event(preset)
    for seconds in (-400, 400):
        headers = SIGNERS[preset](body, at=time.time() + seconds)
        assert world.post(f"a-{preset}", body, headers).status == 401, seconds


def test_both_secrets_count_while_they_change(world):
    for secret in (PREVIOUS, STANDARD):
        body = event("standard-webhooks")
        assert world.post("a-standard-webhooks", body, standard(body, secret)).status == 200


def test_a_repetition_is_answered_and_delivered_once(world):
    body = event("fynd")
    assert [world.post("a-fynd", body, fynd(body)).status for _ in range(3)] == [200, 200, 200]
    assert world.delivered(body)
    time.sleep(2)
    assert len([request for request in world.receiver.requests if request.body == body]) == 1


def test_a_ping_is_answered_and_nothing_is_queued(world):
    body = json.dumps({"event": {"name": "ping", "id": uuid.uuid4().hex}}).encode()
    for headers in ({}, fynd(body)):
        answer = world.post("a-fynd", body, headers)
        assert (answer.status, answer.body) == (200, {"status": "ping"})
    assert world.post("a-fynd", body, fynd(body, "wrong")).status == 401
    body = event("github")
    assert world.post("a-github", body, github(body, event="ping")).body == {"status": "ping"}
    assert not world.delivered(body, timeout=1)


def test_an_event_of_fynd_that_no_route_wants_is_answered_200_and_held(world):
    body = event("fynd", unrouted=True)
    answer = world.post("a-fynd", body, fynd(body))
    assert answer.status == 200
    entry = world.stack.wait_for_entries(answer.body["id"], "message.unrouted")[-1]
    assert (entry["code"], entry["message.name"]) == ("E_UNROUTED", "application/order/placed/v1")
    order = json.loads(body)["payload"]["order"]["order_id"]
    assert (entry["entity.type"], entry["entity.ref"], entry["account.id"]) == ("order", order, "1")
    held = {json.loads(message["Body"])["id"]: message for message in world.stack.take_all("UndeliveredQueueUrl")}
    assert held[answer.body["id"]]["MessageAttributes"]["reason"]["StringValue"] == "unrouted"


def test_an_unknown_source_and_those_of_other_ways_are_not_there(world):
    body = event("fynd")
    for name in ("nobody", "fluent", "commercetools", "a-fynd/more", "A-FYND"):
        answer = world.post(name, body, fynd(body))
        assert answer.status == 404, name


def test_a_broken_document_refuses_until_it_is_mended_and_says_why_without_its_secret(world):
    world.stack.put("sources/a-broken", f"preset: fynd\nsecret: [{KEY}]", secure=True)
    time.sleep(TTL_S)
    body = event("fynd")
    answer = world.post("a-broken", body, fynd(body))
    assert (answer.status, answer.body["code"]) == (503, "E_CONFIG")
    assert int(answer.headers["retry-after"]) > 0
    assert world.stack.wait_for_lines("webhook-receiver", "sources/a-broken")
    world.stack.put("sources/a-broken", f"preset: fynd\nsecrets: [{KEY}]", secure=True)
    time.sleep(TTL_S)
    assert world.post("a-broken", body, fynd(body)).status == 200
    world.stack.put("sources/a-broken", f"preset: fynd\nsecret: [{KEY}]", secure=True)
    time.sleep(TTL_S)
    body = event("fynd")
    assert world.post("a-broken", body, fynd(body)).status == 200, "the last good copy serves"


def test_a_source_may_be_spelled_out_and_answered_otherwise(world):
    document = {
        "auth": {"type": "api-key", "header": "x-key", "secrets": [KEY]},
        "name": "order.{/kind}",
        "id": "/number",
        "answer": {"status": 202, "body": {"received": True}},
        "maxBytes": 1000,
    }
    world.stack.put("sources/a-spelled", json.dumps(document), secure=True)
    time.sleep(TTL_S)
    body = json.dumps({"kind": "paid", "number": uuid.uuid4().hex}).encode()
    answer = world.post("a-spelled", body, {"x-key": KEY})
    assert (answer.status, answer.body) == (202, {"received": True})
    assert world.post("a-spelled", body, {"x-key": "wrong"}).status == 401
    assert world.post("a-spelled", body + b" " * 1000, {"x-key": KEY}).status == 413
    answer = world.post("a-spelled", b"{}", {"x-key": KEY})
    assert (answer.status, answer.body["code"]) == (400, "E_PAYLOAD")
    assert "order.{/kind}" in answer.body["message"]


def test_no_log_shows_a_secret_or_a_signature(world):
    body = event("fynd")
    world.post("a-fynd", body, fynd(body))
    world.post("a-fynd", body + b" ", fynd(body))
    lines = world.stack.all_logs()
    assert lines
    for hidden in (KEY, STANDARD, STANDARD.removeprefix("whsec_"), mac(body).hex()):
        assert not [line for line in lines if hidden in line]
