"""What endpoints can be told, on the deployed template: proofs, order, isolation, hold and replay, no secret shown."""

import base64
import json
import re
import subprocess
import time
from collections import Counter
from urllib.parse import parse_qs

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from stack import receiver
from stack.receiver import Receiver
from stack.stack import TTL_S
from stack.tools import LOCAL

CURRENT = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
PREVIOUS = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
UNKNOWN = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def ids(requests) -> list[str]:
    return [json.loads(request.body)["id"] for request in requests]


def node_verifies(secret: str, request) -> bool:
    told = {"secret": secret, "headers": request.headers, "body": request.body.decode()}
    node = LOCAL / ".venv-aws" / "bin" / "node"
    script = (LOCAL / "tests" / "verify.mjs").read_text()
    command = [node, "--input-type=module", "--eval", script]
    done = subprocess.run(
        command, cwd=LOCAL / ".node", input=json.dumps(told), text=True, capture_output=True, check=False
    )
    if done.returncode != 0:
        assert "WebhookVerificationError" in done.stderr, done.stderr
    return done.returncode == 0


def python_verifies(secret: str, request) -> bool:
    try:
        Webhook(secret).verify(request.body, request.headers)
    except WebhookVerificationError:
        return False
    return True


def test_the_official_packages_accept_what_was_sent_and_nothing_else(line):
    line.endpoint(auth={"type": "standard-webhooks", "secrets": [CURRENT, PREVIOUS]})
    line.receiver.answers.append(503)
    line.send()
    first, second = line.received(2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"], "signed anew"
    for request in (first, second):
        for verifies in (python_verifies, node_verifies):
            assert verifies(CURRENT, request) and verifies(PREVIOUS, request)
            assert not verifies(UNKNOWN, request)


def test_every_delivery_says_who_it_is_and_in_which_trace(line):
    line.endpoint(method="PUT", headers={"x-tenant": "acme"})
    event = line.send()
    (request,) = line.received(1)
    assert (request.method, request.headers["x-tenant"]) == ("PUT", "acme")
    assert request.headers["webhook-id"].startswith("msg_") and len(request.headers["webhook-id"]) == 36
    assert request.headers["user-agent"].startswith("fluent-connect/")
    entry = line.end_of(event)
    assert entry["webhook.id"] == request.headers["webhook-id"]
    version, trace, parent, flags = request.headers["traceparent"].split("-")
    assert (version, len(trace), len(parent), len(flags)) == ("00", 32, 16, 2)
    assert entry["trace.id"].replace("-", "")[1:] == trace


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"type": "none"}, "authorization", None),
        ({"type": "bearer", "token": "abc"}, "authorization", "Bearer abc"),
        ({"type": "basic", "username": "a", "password": "b"}, "authorization", "Basic YTpi"),
        ({"type": "api-key", "header": "x-api-key", "value": "abc"}, "x-api-key", "abc"),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_a_proof_is_sent(line, auth, header, value):
    line.endpoint(auth=auth)
    line.send()
    (request,) = line.received(1)
    assert request.headers.get(header) == value


def token_server(tokens: Receiver, *answers) -> None:
    """Answers token requests with these tokens, then with the last one."""

    def answering(token):
        body = json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 3600}).encode()
        return receiver.content(200, body)

    tokens.answers.extend(answering(token) for token in answers[:-1])
    tokens.always = answering(answers[-1])


def test_an_access_token_is_had_once_and_replaced_when_it_is_refused(line):
    tokens = Receiver()
    token_server(tokens, "first", "second")
    auth = {"type": "oauth2", "tokenUrl": f"{tokens.url}/token", "clientId": "a", "clientSecret": "b", "scope": "c"}
    line.endpoint(auth=auth)
    line.send()
    line.send()
    requests = line.received(2)
    assert {request.headers["authorization"] for request in requests} <= {"Bearer first", "Bearer second"}
    asked = tokens.requests[0]
    assert asked.headers["authorization"] == "Basic " + base64.b64encode(b"a:b").decode()
    assert parse_qs(asked.body.decode()) == {"grant_type": ["client_credentials"], "scope": ["c"]}
    line.receiver.answers.append(401)
    third = line.send()
    line.received(4)
    codes = [entry.get("code") for entry in line.stack.event_log(third["id"])]
    assert "E_TOKEN" in codes or "E_REJECTED" in codes, codes
    tokens.go_down()


def test_messages_of_an_entity_wait_for_each_other_through_failures(line):
    line.endpoint()
    line.receiver.answers.extend([503, 503])
    events = [line.send() for _ in range(4)]
    assert line.received_ids(6) == [events[0]["id"]] * 3 + [event["id"] for event in events[1:]]


def test_an_endpoint_without_ordering_does_not_wait(line):
    line.endpoint(ordering="none", retry={"delays": ["10s"]})
    line.receiver.answers.append(503)
    first = line.send()
    line.received(1)
    others = [line.send() for _ in range(3)]
    assert set(line.received_ids(4, timeout=7)) == {event["id"] for event in [first, *others]}
    assert line.received_ids(5)[-1] == first["id"], "the failed one comes back by itself"


def test_an_entitys_messages_to_one_endpoint_do_not_wait_for_those_to_another(line):
    other = Receiver()
    line.endpoint(retry={"delays": ["10s"]})
    line.stack.put(f"endpoints/{line.name}-other", f"{other.url}/hook")
    line.stack.put(f"routes/{line.name}-other", f"message: {line.name}-Other\nendpoint: {line.name}-other\n")
    time.sleep(TTL_S)
    line.receiver.answers.append(503)
    line.send()
    line.received(1)
    event = line.event("HD_1", name=f"{line.name}-Other")
    assert line.stack.post_signed(event).status == 200
    assert other.wait_for(lambda request: json.loads(request.body)["id"] == event["id"], timeout=7)
    assert len(line.receiver.requests) == 1, "the other endpoint's message still waits"
    other.go_down()


def test_an_endpoint_that_hangs_neither_delays_nor_repeats_anothers_deliveries(line):
    hanging = Receiver()
    hanging.always = receiver.hangs
    document = {"url": f"{hanging.url}/hook", "timeout": "1s", "retry": {"delays": ["2s"] * 20}}
    line.stack.put(f"endpoints/{line.name}-hanging", json.dumps(document))
    line.stack.put(f"routes/{line.name}-hanging", f"message: {line.name}\nendpoint: {line.name}-hanging\n")
    line.endpoint()
    events = [line.send(entity=f"HD_{number}") for number in range(60)]
    got = Counter(line.received_ids(len(events), timeout=60))
    assert got == {event["id"]: 1 for event in events}, "each once, while all of the other endpoint's wait"
    undelivered = [event for event in events if not hanging_delivered(line, event)]
    assert len(undelivered) == len(events)
    line.stack.put(f"endpoints/{line.name}-hanging", json.dumps(document | {"paused": True}))
    hanging.go_down()
    deadline = time.monotonic() + 60
    while line.stack.queue_depth("EventQueueUrl") and time.monotonic() < deadline:
        time.sleep(0.5)
    held = {json.loads(message["Body"])["id"] for message in line.stack.take_all("UndeliveredQueueUrl")}
    assert held >= {event["id"] for event in events}, "all of them are held now"
    assert Counter(ids(line.receiver.requests)) == got, "and nothing was repeated"


def hanging_delivered(line, event) -> bool:
    entries = line.stack.event_log(event["id"])
    return any(e.get("endpoint") == f"{line.name}-hanging" and e.get("outcome") == "delivered" for e in entries)


def test_paused_means_held_and_a_replay_releases_in_order_with_the_same_webhook_id(line):
    line.endpoint(retry={"delays": ["8s", "8s"]})
    line.receiver.answers.append(503)
    first = line.send()
    (attempt,) = line.received(1)
    line.endpoint(paused=True, retry={"delays": ["8s", "8s"]})
    others = [line.send() for _ in range(12)]
    for event in [first, *others]:
        entry = line.end_of(event)
        assert (entry["type"], entry["code"]) == ("message.held", "E_PAUSED")
    assert len(line.receiver.requests) == 1, "nothing is sent to a paused endpoint"

    dry = line.stack.replay(endpoint=line.name, dryRun=True)
    assert dry["moved"] == 0 and dry["matched"] + dry["unseen"] >= 13, dry
    line.endpoint()
    done = line.stack.replay(endpoint=line.name, reason="paused", dryRun=False)
    assert (done["moved"], done["finished"]) == (13, True), done
    requests = line.received(14)
    assert ids(requests)[1:] == [event["id"] for event in [first, *others]], "in order"
    assert requests[1].headers["webhook-id"] == attempt.headers["webhook-id"], "the same webhook"
    kinds = [entry["type"] for entry in line.stack.event_log(first["id"])]
    assert kinds == ["outbound.attempt", "message.held", "message.replayed", "outbound.attempt"]


def test_no_secret_is_in_any_log_or_error(stack, line):
    def echo(handler):
        told = json.dumps({"path": handler.path, **dict(handler.headers.items())}).encode()
        receiver.content(400, told)(handler)

    tokens = Receiver()
    tokens.always = receiver.content(200, b'{"access_token": "hunter2-access", "expires_in": 60}')
    oauth2 = {"type": "oauth2", "tokenUrl": f"{tokens.url}/?q=hunter2-query", "clientId": "a"}
    line.receiver.always = echo
    signed = {"type": "standard-webhooks", "secrets": [CURRENT]}
    documents = [
        {"auth": {"type": "bearer", "token": "hunter2-bearer"}},
        {"auth": {"type": "basic", "username": "a", "password": "hunter2-password"}},
        {"auth": {"type": "api-key", "header": "x-key", "value": "hunter2-key"}, "headers": {"x-a": "hunter2-header"}},
        {"auth": oauth2 | {"clientSecret": "hunter2-client"}},
        {"auth": signed},
        {"auth": {"type": "bearer", "token": "hunter2-broken", "hunter": "hunter2-broken"}},
        {"auth": "hunter2-broken"},
        {"timeout": "hunter2-broken"},
        {"url": f"{line.receiver.url}/hook?key=hunter2-query"},
        {"url": "https://10.0.0.1/?key=hunter2-query"},
        {"url": "https://nothing.invalid/?key=hunter2-query", "retry": {"delays": []}},
        {"url": "https://user:hunter2-userinfo@shop.example/"},
    ]
    names = []
    for number, document in enumerate(documents):
        name = f"{line.name}-{number}"
        stack.put(f"endpoints/{name}", json.dumps({"url": f"{line.receiver.url}/hook"} | document), secure=True)
        stack.put(f"routes/{name}", f"message: {name}\nendpoint: {name}\n")
        names.append(name)
    stack.put(f"endpoints/{line.name}-yaml", "url: *hunter2-broken\nauth: {")
    time.sleep(TTL_S)
    for name in names:
        event = line.event(name=name)
        assert stack.post_signed(event).status == 200
        line.end_of(event)
    tokens.always = receiver.content(400, b'{"error": "hunter2-token-error"}')
    parked = stack.take_all("UndeliveredQueueUrl")
    assert len(parked) >= len(names)
    everything = json.dumps([message["MessageAttributes"] for message in parked]) + "\n".join(stack.all_logs())
    assert "outbound.attempt" in everything and "configuration.problem" in everything, "it looks at what is there"
    signature = "v1,[A-Za-z0-9+/]"
    for secret in ("hunter2", re.escape(CURRENT[6:]), signature, base64.b64encode(b"a:hunter2-password").decode()):
        assert not re.search(secret, everything), [line for line in everything.splitlines() if re.search(secret, line)][
            :3
        ]
    tokens.go_down()
