"""`sam deploy` over a stack that is at work: nothing that waits is lost, and the console has what the template says.

From this version to itself, and from the version before (local/previous).
"""

import json
import time
from collections import Counter
from datetime import UTC, datetime

import pytest

from stack import previous
from stack.fluent import FluentApi
from stack.receiver import Receiver
from stack.stack import STACK, STATE, TTL_S, Stack, order_event
from stack.template import RESOURCES, dashboard
from stack.tools import REGION

HIDDEN_S = RESOURCES["EventQueue"]["Properties"]["VisibilityTimeout"]
"""How long a message stays hidden whose function ended under it, as the local AWS ends those that are updated."""


def test_an_update_loses_nothing_that_waits(stack, line):
    line.endpoint(retry={"delays": ["20s"]})
    line.receiver.answers.append(503)
    waiting, behind = line.send("HD_1"), line.send("HD_1")
    assert line.received_ids(1) == [waiting["id"]]  # its second attempt is seconds away, and it holds the other up
    stack.put(f"endpoints/{line.name}Paused", json.dumps({"url": line.receiver.url, "paused": True}))
    stack.put(f"routes/{line.name}Paused", f"message: {line.name}Paused\nendpoint: {line.name}Paused\n")
    time.sleep(TTL_S)
    parked = line.send(name=f"{line.name}Paused")
    assert line.end_of(parked)["type"] == "message.held"
    queues = {name: url for name, url in stack.outputs.items() if name.endswith("QueueUrl")}
    held = stack.queue_depth("UndeliveredQueueUrl")

    try:
        stack.deploy(ConfigTtlSeconds="1", MaximumConcurrency="50")
        assert stack.variables("MessageRouter")["CONFIG_TTL_SECONDS"] == "1"
        assert {name: stack.outputs[name] for name in queues} == queues
        assert stack.queue_depth("UndeliveredQueueUrl") == held
        assert line.received_ids(3, timeout=60) == [waiting["id"], waiting["id"], behind["id"]]
    finally:
        stack.deploy()


def test_the_console_has_the_dashboard_of_the_template(stack):
    body = stack.dashboard()
    deployed, written = json.loads(body)["widgets"], dashboard()["widgets"]
    assert [widget["properties"].get("title") for widget in deployed] == [
        widget["properties"].get("title") for widget in written
    ]
    left = body.replace("${PROP('Dim.", "")  # CloudWatch's own, which CloudFormation has to leave alone
    assert "${" not in left and body.count("${PROP('Dim.endpoint')}") == 6
    assert stack.outputs["DashboardUrl"].endswith(f"#dashboards/dashboard/{STACK}-{REGION}")


# From the version before


class Update:
    """A stack of the version before in which something waits wherever it can, and this version deployed over it."""

    def __init__(self, stack: Stack, receiver: Receiver) -> None:
        self.stack, self.receiver, self.record = stack, receiver, previous.waiting()
        self.started = now()
        receiver.always = 503
        previous.deploy(stack)
        stack.take_from_queue("CtQueueListener", enabled=False)
        previous.fill(stack, self.record, receiver.url)
        self.wait_for_attempts(4)  # the first of each of two groups and its first repetition: the next is 20 s away
        self.outputs, self.before = dict(stack.outputs), self.depths()
        stack.deploy()
        self.after = self.depths()

    def depths(self) -> dict[str, int]:
        """How much waits, by the output that names the queue; where the router is at work that is no one number."""
        outputs = self.record.queues.keys() - {"EventQueueUrl"}
        return {output: self.stack.queue_depth(output) for output in outputs}

    def wait_for_attempts(self, count: int) -> None:
        deadline = time.monotonic() + 60
        while len([got for got in self.receiver.requests if got.path == "/storefront"]) < count:
            assert time.monotonic() < deadline, "what is tried again was not tried before"
            time.sleep(0.1)

    def mend(self) -> None:
        self.receiver.always = 200

    def delivered(self, path: str, count: int, timeout: float = 60.0) -> list[str]:
        """What a path took, by the ids in the bodies, once there is so much, and a little after."""
        deadline = time.monotonic() + timeout
        while len(self._taken(path)) < count and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)
        return [id_in(json.loads(got.body)) for got in self._taken(path)]

    def _taken(self, path: str) -> list:
        return [got for got in self.receiver.requests if (got.path, got.status) == (path, 200)]


@pytest.fixture(scope="module")
def update(built, worker_id):
    older, receiver = Stack(STATE / worker_id / "previous"), Receiver()
    try:
        older.start()
        yield Update(older, receiver)
    finally:
        receiver.go_down()
        older.stop()


def test_every_address_is_the_one_that_it_was(update):
    assert update.outputs.items() <= update.stack.outputs.items()


def test_nothing_that_waits_is_gone_and_nothing_of_it_goes_by_itself(update):
    recorded = {output: len(messages) for output, messages in update.record.queues.items() if output in update.before}
    assert update.before == update.after == recorded
    assert update.stack.event_log("unqueued-1"), "the event log is the one that it was"


def test_no_parameter_of_the_version_before_is_broken(update):
    assert not [line for line in update.stack.all_logs() if '"configuration.problem"' in line]


def test_what_was_on_its_way_is_delivered_once_and_in_its_order_and_so_is_what_comes_behind_it(update):
    answer = update.stack.post_signed(order_event("OrderMoved", "HD_1", id="moved-4"))
    assert answer.status == 200
    update.mend()
    taken = update.delivered("/storefront", 4, timeout=HIDDEN_S + 60)
    assert [taken_id for taken_id in taken if taken_id in ("moved-1", "moved-2", "moved-4")] == [
        "moved-1",
        "moved-2",
        "moved-4",
    ]
    assert Counter(taken)["moved-3"] == 1


def test_a_receiver_knows_again_what_it_was_sent_before(update):
    update.mend()
    update.delivered("/storefront", 1, timeout=HIDDEN_S + 60)
    told = {got.headers["webhook-id"] for got in update.receiver.requests if id_in(json.loads(got.body)) == "moved-1"}
    assert told == {update.record.webhook_ids["moved-1"]}


def test_what_was_parked_is_replayed_once_its_cause_is_mended(update):
    stack, fluent = update.stack, FluentApi()
    update.mend()
    stack.put("accounts/ACME", json.dumps(fluent.account), secure=True)
    stack.put("endpoints/warehouse", f"{update.receiver.url}/warehouse")
    stack.put("endpoints/nowhere", f"{update.receiver.url}/nowhere")
    stack.put("routes/of-nobody", "message: OrderOfNobody\nendpoint: nowhere\n")
    time.sleep(TTL_S)
    parked = len(update.record.queues["UndeliveredQueueUrl"])
    reasons = Counter(message["attributes"]["reason"] for message in update.record.queues["UndeliveredQueueUrl"])
    assert reasons.keys() == {"refused", "exhausted", "paused", "unrouted", "misconfigured"}
    for reason, count in reasons.items():
        assert stack.replay(reason=reason)["matched"] == count
    done = stack.replay(dryRun=False)
    assert (done["moved"], done["finished"]) == (parked, True), done
    held = update.delivered("/warehouse", 3)
    assert [event for event in held if event != "parked"] == ["parked-1", "parked-2"] and "parked" in held
    assert update.delivered("/carrier", 1) == ["parked-3"]
    assert update.delivered("/mail", 1) == ["parked-4"]
    assert sorted(update.delivered("/nowhere", 2)) == ["parked-5", "parked-7"]
    assert fluent.wait_for(lambda asked: asked.body.get("name") == "LabelPrinted")
    assert [event["attributes"] for event in fluent.events()] == [{"label": "L-1"}]
    assert not update.delivered("/booking", 0), "what was delivered is not delivered again for its answer"
    assert stack.queue_depth("UndeliveredQueueUrl") == 0
    fluent.stop()


def test_a_notification_that_waited_is_taken(update):
    stack = update.stack
    update.mend()
    stack.put("routes/waiting", "source: commercetools\nmessage: commercetools.category.*\nendpoint: storefront\n")
    time.sleep(TTL_S)
    stack.take_from_queue("CtQueueListener", enabled=True)
    assert update.receiver.wait_for(lambda got: id_in(json.loads(got.body)) == "waiting")
    assert stack.queue_depth("CtQueueUrl") == 0
    stack.forget("routes/waiting")


def test_what_the_event_log_kept_of_a_failing_queue_is_replayed(update):
    update.mend()
    request = {"reason": "unqueued", "from": update.started, "dryRun": False}
    assert update.stack.replay(**request)["moved"] == 1
    assert update.receiver.wait_for(lambda got: id_in(json.loads(got.body)) == "unqueued-1" and got.status == 200)


@pytest.mark.parametrize("output", ["DeadLetterQueueUrl", "CtDeadLetterQueueUrl"])
def test_dead_letters_are_what_they_were(update, output):
    (recorded,) = update.record.queues[output]
    (message,) = update.stack.take_all(output)
    told = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert (message["Body"], told) == (recorded["body"], recorded["attributes"])


def test_the_way_back_loses_nothing_either(update):
    stack, addresses = update.stack, dict(update.stack.outputs)
    park(update, "before-the-way-back")
    waits = update.depths()
    previous.deploy(stack)
    assert stack.outputs.items() <= addresses.items()
    assert update.depths() == waits
    stack.deploy()
    assert (stack.outputs, update.depths()) == (addresses, waits)


def test_what_waits_outlives_the_stack(update):
    park(update, "before-the-end")
    waits = update.depths()
    update.stack.delete()
    assert update.depths() == waits and any(waits.values())
    assert update.stack.event_log("unqueued-1"), "and so does the event log"


def park(update, identity: str) -> None:
    """Puts a message into the undelivered queue that was parked there once before."""
    message = update.record.queues["UndeliveredQueueUrl"][0] | {"deduplication": identity}
    url = update.stack.outputs["UndeliveredQueueUrl"]
    update.stack.client("sqs").send_message(QueueUrl=url, **previous.sent(message))


def id_in(body: dict) -> str:
    """The id of Fluent's events, that of the resource in commercetools' notifications."""
    return body["id"] if "id" in body else body["resource"]["id"]


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
