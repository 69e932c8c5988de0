"""One trace from the webhook through the queue to the endpoint, on the deployed template, and who takes it."""

import json
import time

import pytest

from stack.stack import TTL_S, sample
from stack.tools import ROOT
from stack.xray import Daemon, problems

QUEUED = "queue event"


@pytest.fixture(scope="module")
def daemon(stack):
    daemon = Daemon()
    with stack.traced_to(daemon.address):
        yield daemon
    daemon.stop()


def hexadecimal(trace_id: str) -> str:
    """X-Ray's trace id as W3C writes it."""
    _version, epoch, unique = trace_id.split("-")
    return epoch + unique


def test_one_trace_leads_from_the_webhook_to_the_endpoint(line, daemon):
    line.endpoint(url=f"{line.receiver.url}/hook?key=hunter2-in-the-query")
    line.receiver.answers.append(503)
    event = line.send("HD_77")
    requests = line.received(2)
    line.end_of(event)
    queued, failed, delivered = daemon.of(event["id"], 3)

    assert [document["name"] for document in (queued, failed, delivered)] == [QUEUED, "127.0.0.1", "127.0.0.1"]
    traces = {document["trace_id"] for document in (queued, failed, delivered)}
    (trace,) = traces
    assert len({document["parent_id"] for document in (queued, failed, delivered)}) == 1, "the receiver's segment"

    # The endpoint: each attempt in this trace, below its own subsegment.
    for request, document in zip(requests, (failed, delivered), strict=True):
        assert request.headers["traceparent"] == f"00-{hexadecimal(trace)}-{document['id']}-01"
    assert failed["fault"] and failed["http"]["response"]["status"] == 503
    assert "fault" not in delivered and delivered["http"]["response"]["status"] == 200
    assert delivered["http"]["request"] == {"method": "POST", "url": f"{line.receiver.url}/hook"}
    assert delivered["annotations"] == {
        "message_id": event["id"],
        "message_name": line.name,
        "entity_ref": event["entityRef"],
        "route": line.name,
        "endpoint": line.name,
        "attempt": 2,
        "outcome": "delivered",
    }

    # The event log and both functions' own logs: by the trace one finds the message, by the message the trace.
    by_trace = [entry for entry in line.stack.event_log() if entry.get("trace.id") == trace]
    assert by_trace == line.stack.event_log(event["id"])
    assert [entry["outcome"] for entry in by_trace] == ["retry", "delivered"]
    for component in ("webhook-receiver", "message-router"):
        texts = line.stack.wait_for_lines(component, event["id"])
        lines = [json.loads(text) for text in texts if text.startswith("{")]
        assert lines and {entry["trace.id"] for entry in lines} == {trace}, component


def test_a_message_takes_its_trace_along_through_the_queues_and_a_replay(line, daemon):
    line.endpoint(paused=True)
    event = line.send()
    assert line.end_of(event)["type"] == "message.held"
    (queued,) = daemon.of(event["id"], 1)
    line.endpoint(paused=False)
    line.stack.replay(endpoint=line.name, dryRun=False)
    (request,) = line.received(1)
    _queued, delivered = daemon.of(event["id"], 2)
    same = ("trace_id", "parent_id")
    assert [delivered[key] for key in same] == [queued[key] for key in same], "SQS alone carried it"
    assert request.headers["traceparent"].split("-")[2] == delivered["id"]


def test_a_receiver_that_is_not_there_is_a_fault_without_an_answer(line, daemon):
    line.endpoint(retry={"delays": []})
    line.receiver.go_down()
    event = line.send()
    assert line.end_of(event)["type"] == "message.undelivered"
    _queued, attempt = daemon.of(event["id"], 2)
    assert attempt["fault"] and "response" not in attempt["http"]
    assert attempt["annotations"]["code"] == "E_CONNECT"


def test_a_notification_of_commercetools_is_in_its_trace(stack, daemon):
    body = json.loads((ROOT / "events/ct-unknown-notification.json").read_text())["Records"][0]["body"]
    stack.notify(body)
    deadline = time.monotonic() + 30
    found = []
    while not found and time.monotonic() < deadline:
        time.sleep(0.2)
        found = [each for each in daemon.documents if "commercetools" in each["annotations"].get("message_name", "")]
    assert found and found[0]["name"] == QUEUED
    message_id = found[0]["annotations"]["message_id"]
    entries = stack.wait_for_entries(message_id, "message.unrouted")
    assert {entry["trace.id"] for entry in entries} == {found[0]["trace_id"]}


def test_a_refused_webhook_is_no_message_of_any_trace(stack, daemon):
    before = len(daemon.documents)
    body, headers = sample(ROOT / "events/webhook-401-forged.json")
    assert stack.post(body, headers).status == 401
    time.sleep(TTL_S)
    assert len(daemon.documents) == before


def test_xray_would_take_whatever_was_sent_and_no_secret_is_in_it(daemon):
    assert daemon.datagrams
    assert [found for datagram in daemon.datagrams if (found := problems(datagram))] == []
    assert len({document["id"] for document in daemon.documents}) == len(daemon.datagrams)
    assert not [datagram for datagram in daemon.datagrams if b"hunter2" in datagram]
