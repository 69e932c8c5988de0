"""What users of other webhook senders complain of, and what must be impossible here: one test each.

The fifth complaint names templates of URL, headers and body as well: routes and templates have tests of their own.
"""

import json
import time

from stack import receiver
from stack.receiver import Receiver
from stack.tools import ROOT


def parked(stack, event: dict) -> dict:
    """The message attributes of an event in the undelivered queue, which is emptied."""
    for message in stack.take_all("UndeliveredQueueUrl"):
        if json.loads(message["Body"])["id"] == event["id"]:
            return {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    return {}


def test_1_ordinary_4xx_answers_do_not_fill_the_dead_letter_queue(stack, line):
    line.receiver.always = 404
    line.endpoint()
    before = stack.queue_depth("DeadLetterQueueUrl")
    event = line.send()
    line.end_of(event)
    attributes = parked(stack, event)
    assert attributes.pop("time").endswith("Z")
    assert attributes == {
        "reason": "refused",
        "code": "E_REJECTED",
        "route": line.name,
        "endpoint": line.name,
        "attempts": "1",
        "status": "404",
    }
    assert stack.queue_depth("DeadLetterQueueUrl") == before


def test_2_retries_end_and_a_large_answer_does_not_restart_them(stack, line):
    line.receiver.always = receiver.content(500, b"x" * 20_000_000)
    line.endpoint(retry={"delays": ["1s", "1s"]})
    event = line.send()
    line.end_of(event)
    assert parked(stack, event)["reason"] == "exhausted"
    time.sleep(3)
    assert len(line.receiver.requests) == 3
    attempts = [entry for entry in stack.event_log(event["id"]) if entry["type"] == "outbound.attempt"]
    assert [entry["attempt"] for entry in attempts] == [1, 2, 3]
    assert {entry["response.bytes"] for entry in attempts} == {65_536}


def test_3_events_for_a_paused_endpoint_are_held(stack, line):
    line.endpoint(paused=True)
    event = line.send()
    assert line.end_of(event)["type"] == "message.held"
    assert parked(stack, event)["reason"] == "paused"
    assert not line.receiver.requests


def test_4_a_replay_is_a_new_delivery_of_the_same_webhook_id(stack, line):
    line.receiver.answers.extend([400, 400])
    line.endpoint()
    event = line.send()
    for attempts in (1, 2):
        line.received(attempts)
        line.entry(event, lambda entry: entry["type"] == "message.undelivered")
        done = stack.replay(endpoint=line.name, dryRun=False)
        assert (done["moved"], done["finished"]) == (1, True), done
    requests = line.received(3)
    assert len(requests) == 3 and len({request.headers["webhook-id"] for request in requests}) == 1


def test_5_order_pause_and_oauth2_are_a_matter_of_configuration(line):
    tokens = Receiver()
    tokens.always = receiver.content(200, b'{"access_token": "abc", "expires_in": 600}')
    auth = {"type": "oauth2", "tokenUrl": tokens.url, "clientId": "a", "clientSecret": "b"}
    line.endpoint(auth=auth, ordering="entity", paused=False)
    line.receiver.answers.append(503)
    events = [line.send() for _ in range(2)]
    assert line.received_ids(3) == [events[0]["id"], events[0]["id"], events[1]["id"]]
    assert {request.headers["authorization"] for request in line.receiver.requests} == {"Bearer abc"}
    tokens.go_down()


def test_6_what_was_answered_200_is_stored_also_while_the_worker_is_dead(stack, line):
    functions = stack.client("lambda")
    name = stack.function_name("MessageRouter")
    (source,) = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
    try:
        time.sleep(2)
        event = line.send()
        time.sleep(2)
        assert not line.receiver.requests and stack.queue_depth("EventQueueUrl") >= 1
    finally:
        functions.update_event_source_mapping(UUID=source["UUID"], Enabled=True)
    assert line.received_ids(1) == [event["id"]]


def test_7_each_message_has_its_own_backoff_and_a_permanent_error_goes_straight_out(stack, line):
    line.endpoint(retry={"delays": ["8s"]})
    line.receiver.answers.extend([503])
    slow = line.send("HD_1")
    line.received(1)
    line.receiver.answers.extend([410])
    gone = line.send("HD_2")
    line.received(2)
    fine = line.send("HD_3")
    ids = line.received_ids(4)
    assert ids == [slow["id"], gone["id"], fine["id"], slow["id"]]
    attributes = parked(stack, gone)
    assert (attributes["code"], attributes["attempts"]) == ("E_GONE", "1")


def test_8_a_body_that_api_gateway_encoded_is_verified_as_it_was_signed(stack):
    event = json.loads((ROOT / "events" / "webhook-200-base64-body.json").read_text())
    assert event["isBase64Encoded"]
    answer = stack.client("lambda").invoke(
        FunctionName=stack.function_name("WebhookReceiver"), Payload=json.dumps(event)
    )
    assert json.loads(answer["Payload"].read())["statusCode"] == 200


def test_9_a_record_without_a_body_is_not_acknowledged_away(stack):
    event = json.loads((ROOT / "events" / "router-one.json").read_text())
    del event["Records"][0]["body"]
    stack.take_all("DeadLetterQueueUrl")
    answer = stack.client("lambda").invoke(FunctionName=stack.function_name("MessageRouter"), Payload=json.dumps(event))
    assert json.loads(answer["Payload"].read()) == {"batchItemFailures": []}
    (dead,) = stack.take_all("DeadLetterQueueUrl")
    assert dead["MessageAttributes"]["code"]["StringValue"] == "E_MESSAGE"
    assert dead["MessageAttributes"]["attempts"]["StringValue"] == "1"


def test_10_backlogs_and_dead_letters_are_alarmed_by_age_and_depth(stack):
    alarms = stack.client("cloudwatch").describe_alarms()["MetricAlarms"]

    def watched(output: str, metric: str) -> list[dict]:
        name = stack.outputs[output].rpartition("/")[2]
        of_queue = [alarm for alarm in alarms if name in [dimension["Value"] for dimension in alarm["Dimensions"]]]
        return [alarm for alarm in of_queue if alarm["MetricName"] == metric]

    assert watched("EventQueueUrl", "ApproximateAgeOfOldestMessage")
    for output in ("UndeliveredQueueUrl", "DeadLetterQueueUrl"):
        depth = watched(output, "ApproximateNumberOfMessagesVisible")
        spans = {alarm["Period"] * alarm["EvaluationPeriods"] for alarm in depth}
        assert min(spans) <= 300 and max(spans) == 7 * 86_400, "at once, and before SQS deletes it"
    assert all(alarm["TreatMissingData"] for alarm in alarms)
