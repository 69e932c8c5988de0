"""The deployed template: HTTP in, delivery and event-log entries out, faults on the way."""

import json
import os
import subprocess
import time

import pytest

from stack import signing
from stack.receiver import Receiver
from stack.stack import TTL_S, sample, sample_path, samples
from stack.tools import ROOT


def ids(requests):
    return [json.loads(request.body)["id"] for request in requests]


def delivered(line, event, timeout=30.0):
    return line.receiver.wait_for(lambda request: json.loads(request.body)["id"] == event["id"], timeout)


def test_a_signed_webhook_is_delivered_and_recorded(stack, line):
    event = line.event()
    answer = stack.post_signed(event)
    assert (answer.status, answer.body) == (200, {"id": event["id"], "status": "queued"})
    (request,) = delivered(line, event)
    assert request.body == json.dumps(event).encode(), "the body is delivered as it came, byte for byte"
    assert request.headers["content-type"] == "application/json"
    (entry,) = stack.wait_for_entries(event["id"], "outbound.attempt")
    assert (entry["outcome"], entry["attempt"], entry["response.status"]) == ("delivered", 1, 200)
    assert (entry["route"], entry["endpoint"], entry["entity.ref"]) == (line.name, line.name, event["entityRef"])


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.stem)
def test_every_sample_is_answered_as_its_name_says(stack, path):
    expected = int(path.name.split("-")[1])
    if "md5-allowed" in path.name:
        expected = 401  # this deployment leaves AllowMd5Signature at its default
    body, headers = sample(path)
    assert stack.post(body, headers, sample_path(path)).status == expected


def test_a_forged_webhook_is_refused_and_nothing_is_queued(stack, line):
    event = line.event()
    body = json.dumps(event).encode()
    good = signing.signature(body)
    answer = stack.post(body.replace(b"HD_1", b"HD_2"), {"fluent-signature": good})
    assert (answer.status, answer.body["code"]) == (401, "E_SIGNATURE")
    assert answer.body["requestId"]
    assert not delivered(line, event, timeout=2)


def test_a_second_identical_webhook_is_answered_and_delivered_once(stack, line):
    event = line.event()
    assert [stack.post_signed(event).status for _ in range(3)] == [200, 200, 200]
    assert delivered(line, event)
    time.sleep(2)
    assert ids(line.receiver.requests) == [event["id"]]


def test_a_failing_head_keeps_its_group_in_order_and_holds_up_no_other(stack, line):
    line.receiver.answers.append(503)
    first = line.event("A")
    assert stack.post_signed(first).status == 200
    assert delivered(line, first)
    followers = [line.event("A") for _ in range(3)]
    other = line.event("B")
    for event in [*followers, other]:
        assert stack.post_signed(event).status == 200
    assert delivered(line, other, timeout=4), "another group does not wait for the failing one"
    assert delivered(line, followers[-1], timeout=60)
    group = [event for event in ids(line.receiver.requests) if event != other["id"]]
    assert group == [first["id"], first["id"], *(event["id"] for event in followers)]
    attempts = [entry for entry in stack.event_log(first["id"]) if entry["type"] == "outbound.attempt"]
    assert [(entry["attempt"], entry["outcome"]) for entry in attempts] == [(1, "retry"), (2, "delivered")]


def test_a_changed_url_is_used_within_the_time_to_live(stack, line):
    first = line.event()
    stack.post_signed(first)
    assert delivered(line, first)
    moved = Receiver()
    line.point_to(moved)
    time.sleep(TTL_S)
    second = line.event()
    stack.post_signed(second)
    assert moved.wait_for(lambda request: json.loads(request.body)["id"] == second["id"])
    assert ids(line.receiver.requests) == [first["id"]]
    moved.go_down()


def test_a_receiver_that_is_down_gets_its_messages_when_it_is_back(stack, line):
    line.receiver.go_down()
    event = line.event()
    assert stack.post_signed(event).status == 200
    entries = stack.wait_for_entries(event["id"], "outbound.attempt")
    assert (entries[0]["outcome"], entries[0]["code"]) == ("retry", "E_CONNECT")
    line.receiver.come_back()
    assert delivered(line, event, timeout=60)
    assert len(line.receiver.requests) == 1


def test_a_message_without_a_route_is_held_and_recorded(stack, line):
    event = line.event(name="Unheard")
    assert stack.post_signed(event).status == 200
    entries = stack.wait_for_entries(event["id"], "message.unrouted")
    assert entries[-1]["code"] == "E_UNROUTED"
    held = {json.loads(message["Body"])["id"]: message for message in stack.take_all("UndeliveredQueueUrl")}
    assert held[event["id"]]["MessageAttributes"]["reason"]["StringValue"] == "unrouted"


def test_a_route_without_its_endpoint_parks_as_misconfigured(stack, line):
    stack.put(f"routes/{line.name}", f"message: {line.name}\nendpoint: missing\n")
    time.sleep(TTL_S)
    event = line.event()
    assert stack.post_signed(event).status == 200
    entry = stack.wait_for_entries(event["id"], "message.undelivered")[-1]
    assert (entry["code"], entry["reason"]) == ("E_ENDPOINT", "misconfigured")


def test_two_routes_get_one_message_each(stack, line):
    stack.put(f"routes/{line.name}-second", f"message: {line.name[:-1]}*\nendpoint: {line.name}\n")
    time.sleep(TTL_S)
    event = line.event()
    assert stack.post_signed(event).status == 200
    deadline = time.monotonic() + 30
    while len(line.receiver.requests) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    assert ids(line.receiver.requests) == [event["id"]] * 2
    routes = {entry["route"] for entry in stack.event_log(event["id"])}
    assert routes == {line.name, f"{line.name}-second"}


def test_a_malformed_record_goes_to_the_dead_letter_queue_and_harms_no_neighbour(stack, line):
    stack.queue_text("{not json")
    event = line.event()
    stack.post_signed(event)
    assert delivered(line, event)
    deadline = time.monotonic() + 20
    dead = []
    while not dead and time.monotonic() < deadline:
        dead = [message for message in stack.take_all("DeadLetterQueueUrl") if message["Body"] == "{not json"]
    assert dead[0]["MessageAttributes"]["code"]["StringValue"] == "E_MESSAGE"


def test_a_function_with_a_wrong_environment_says_so_in_one_line():
    bootstrap = ROOT / ".aws-sam" / "build" / "WebhookReceiver" / "bootstrap"
    env = {"PATH": os.environ["PATH"], "CONFIG_PREFIX": "/a", "CONFIG_TTL_SECONDS": "soon"}
    done = subprocess.run([bootstrap], env=env, capture_output=True, text=True, timeout=20, check=False)
    expected = (
        "the function cannot start: environment variable CONFIG_TTL_SECONDS must be whole seconds from 1 to 86400\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", expected)
