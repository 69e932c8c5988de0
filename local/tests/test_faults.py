"""The fault matrix: what fails on the way, what the event log says of it, and where the message ends.

Each case sends messages, and each of them has to be in exactly one place afterwards. The run writes the table into
local/faults.md and fails where that changes what stands there.
"""

import json
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from stack import faults, receiver, signing
from stack.stack import TTL_S, Stack
from stack.tools import LOCAL, ROOT, environment, run

TABLE = LOCAL / "faults.md"
HEAD = """# Faults tried

Written by the tests of `local/tests/test_faults.py`, which `make test` runs on the deployed template and the local AWS.
Each case ends with every message in exactly one place: messages in = delivered + undelivered + dead letters + refused.
Timeouts and schedules are shortened: 1 s, and one delay of 1 s unless a case needs more.
The handler that panics is built into the router for this test alone.

| fault | what the event log says, in order | where the message ends |
|---|---|---|
"""
CASES: list["Case"] = []


@dataclass(frozen=True)
class Case:
    """A fault, and what it does."""

    title: str
    run: Callable
    ends: str
    log: str
    fixture: str | None = None


def case(title: str, ends: str, log: str, fixture: str | None = None):
    def add(run: Callable) -> Callable:
        CASES.append(Case(title, run, ends, log, fixture))
        return run

    return add


class World:
    """A line whose endpoint gives up soon, and what became of its messages."""

    def __init__(self, stack: Stack, aws: faults.FaultyAws, line) -> None:
        self.stack, self.aws, self.line, self.receiver = stack, aws, line, line.receiver
        self.sent: list[dict] = []
        self.refused: list[str] = []
        self.printed: list[str] = []
        """Messages whose delivery stands in the function's own log instead of the event log."""

    def endpoint(self, **document) -> None:
        """The line's endpoint, which gives up soon."""
        self.line.endpoint(**{"timeout": "1s", "retry": {"delays": ["1s"]}} | document)

    def send(self) -> dict:
        event = self.line.event()
        self.sent.append(event)
        if self.stack.post_signed(event).status != 200:
            self.refused.append(event["id"])
        return event

    def send_to_its_end(self) -> None:
        self.line.end_of(self.send())

    def told(self, event: dict) -> str:
        """What the log says of a message, repetitions left out."""
        lines: list[str] = []
        for entry in self.stack.event_log(event["id"]):
            facts = (entry["type"].split(".")[-1], entry.get("outcome"), entry.get("reason"), entry.get("code"))
            line = " ".join(fact for fact in facts if fact)
            if not lines or lines[-1] != line:
                lines.append(line)
        return ", then ".join(lines)

    def ends(self) -> str:
        """Where each message ended; each in one place."""
        undelivered = {json.loads(m["Body"])["id"]: m for m in self.stack.take_all("UndeliveredQueueUrl")}
        dead = {json.loads(m["Body"])["id"]: m for m in self.stack.take_all("DeadLetterQueueUrl")}
        found = set()
        for event in self.sent:
            places = []
            recorded = any(entry.get("outcome") == "delivered" for entry in self.stack.event_log(event["id"]))
            if recorded or event["id"] in self.printed:
                places.append("delivered")
            if message := undelivered.get(event["id"]):
                places.append(f"undelivered queue, `{message['MessageAttributes']['reason']['StringValue']}`")
            if event["id"] in dead:
                places.append("dead-letter queue")
            if event["id"] in self.refused:
                places.append("refused with 503, whole in the event log")
            assert len(places) == 1, (event["id"], places, self.told(event))
            found.add(places[0])
        deadline = time.monotonic() + 10
        while self.stack.queue_depth("EventQueueUrl") and time.monotonic() < deadline:
            time.sleep(0.2)
        assert self.stack.queue_depth("EventQueueUrl") == 0, "nothing waits any more"
        return " or ".join(sorted(found))


RETRIED = "attempt retry {}, then attempt delivered"
EXHAUSTED = "attempt retry {0}, then attempt undelivered exhausted {0}, then undelivered exhausted {0}"
REFUSED = "attempt undelivered refused {0}, then undelivered refused {0}"


# The receiver fails


@case("receiver refuses connections, then is back", "delivered", RETRIED.format("E_CONNECT"))
def _(world: World) -> None:
    world.endpoint(retry={"delays": ["1s", "1s", "1s", "1s", "1s"]})
    world.receiver.go_down()
    event = world.send()
    world.line.entry(event, lambda entry: entry.get("outcome") == "retry")
    world.receiver.come_back()
    world.line.end_of(event)


def answers(title: str, told, ends: str, log: str) -> None:
    """A case in which the receiver does this with the first attempt."""

    def run(world: World) -> None:
        world.endpoint()
        world.receiver.answers.append(told)
        world.send_to_its_end()

    CASES.append(Case(title, run, ends, log))


answers("receiver hangs once", receiver.hangs, "delivered", RETRIED.format("E_TIMEOUT"))
answers("receiver sends its head byte by byte", receiver.dribbles_its_head, "delivered", RETRIED.format("E_TIMEOUT"))
answers(
    "receiver answers 200 and sends its body byte by byte", receiver.dribbles_its_body, "delivered", "attempt delivered"
)
answers("receiver answers 200 and sends 100 MB", receiver.sends_100_megabytes, "delivered", "attempt delivered")
answers("receiver answers 200 and closes mid-body", receiver.closes_in_its_body, "delivered", "attempt delivered")
answers("receiver closes before it answers", receiver.closes_before_its_head, "delivered", RETRIED.format("E_RESPONSE"))
answers("receiver answers garbage", receiver.sends_garbage, "delivered", RETRIED.format("E_RESPONSE"))
answers("receiver answers 503, then 200", 503, "delivered", RETRIED.format("E_SERVER"))
answers("receiver answers 408, then 200", 408, "delivered", RETRIED.format("E_BUSY"))
for code, name in ((301, "E_REDIRECT"), (400, "E_REJECTED"), (410, "E_GONE")):
    answers(f"receiver answers {code}", code, "undelivered queue, `refused`", REFUSED.format(name))


@case("receiver answers 429 with `Retry-After: 3`", "delivered", RETRIED.format("E_BUSY"))
def _(world: World) -> None:
    world.endpoint()
    world.receiver.answers.append(receiver.status(429, retry_after="3"))
    event = world.send()
    world.line.end_of(event)
    first, second = (request.at for request in world.receiver.requests)
    assert second - first >= 2.9, "it was asked to wait"


@case("receiver answers 503 for ever", "undelivered queue, `exhausted`", EXHAUSTED.format("E_SERVER"))
def _(world: World) -> None:
    world.endpoint()
    world.receiver.always = 503
    world.send_to_its_end()


def elsewhere(title: str, url: str, ends: str, log: str) -> None:
    """A case in which the endpoint has this URL."""

    def run(world: World) -> None:
        world.endpoint(url=url.format(port=world.receiver.port))
        world.send_to_its_end()
        assert not world.receiver.requests

    CASES.append(Case(title, run, ends, log))


exhausted = "undelivered queue, `exhausted`"
elsewhere("the receiver's name does not resolve", "https://nothing.invalid/", exhausted, EXHAUSTED.format("E_DNS"))
elsewhere("receiver speaks no TLS", "https://127.0.0.1:{port}/", exhausted, EXHAUSTED.format("E_TLS"))
refused = "undelivered queue, `refused`"
blocked = REFUSED.format("E_BLOCKED_ADDRESS")
elsewhere("endpoint is a private address", "https://10.0.0.1/", refused, blocked)
elsewhere("endpoint is the metadata address", "http://169.254.169.254/latest/meta-data/", refused, blocked)


@case("endpoint is paused", "undelivered queue, `paused`", "held paused E_PAUSED")
def _(world: World) -> None:
    world.endpoint(paused=True)
    world.send_to_its_end()


# Parameter Store fails


def store(title: str, answer: Callable, ends: str, log: str) -> None:
    """A case in which Parameter Store fails while a function has its last good copy."""

    def run(world: World) -> None:
        world.endpoint()
        world.send_to_its_end()
        world.aws.fail("AmazonSSM.GetParametersByPath", answer)
        time.sleep(TTL_S)
        world.send_to_its_end()

    CASES.append(Case(title, run, ends, log))


store("Parameter Store throttles, the last good copy serves", faults.throttle, "delivered", "attempt delivered")
store("Parameter Store hangs, the last good copy serves", faults.hang, "delivered", "attempt delivered")


@case("Parameter Store throttles a new environment", "delivered", "fault E_CONFIG, then attempt delivered")
def _(world: World) -> None:
    world.endpoint()
    world.stack.renew("MessageRouter")
    world.aws.fail("AmazonSSM.GetParametersByPath", faults.throttle, holding=b"/routes")
    event = world.send()
    world.line.entry(event, lambda entry: entry.get("code") == "E_CONFIG")
    world.aws.heal()
    world.line.end_of(event)


def just_before() -> str:
    """A time from which replay finds what is kept from now on."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 5))


REPLAYED = "replayed unverified, then attempt delivered"


@case("Parameter Store throttles a new receiver; replay, when it is well", "delivered", REPLAYED)
def _(world: World) -> None:
    world.endpoint()
    start = just_before()
    world.stack.renew("WebhookReceiver")
    world.aws.fail("AmazonSSM.GetParametersByPath", faults.throttle, holding=b"/keys")
    event = world.send()
    assert world.refused == [event["id"]], "it is not accepted"
    world.aws.heal()
    time.sleep(5)  # until the receiver reads again, so that the next case meets a sound one
    done = world.stack.replay(reason="unverified", name=world.line.name, dryRun=False, **{"from": start})
    assert (done["moved"], done["finished"]) == (1, True), done
    world.line.end_of(event)
    world.refused.clear()


MISCONFIGURED = "undelivered misconfigured E_ENDPOINT"


@case("Parameter Store loses an endpoint", "undelivered queue, `misconfigured`", MISCONFIGURED)
def _(world: World) -> None:
    world.stack.forget(f"endpoints/{world.line.name}")
    time.sleep(TTL_S)
    world.send_to_its_end()


@case("an endpoint's document is broken from the start", "undelivered queue, `misconfigured`", MISCONFIGURED)
def _(world: World) -> None:
    world.stack.put(f"endpoints/{world.line.name}-2", "url: https://shop.example\npausd: true\n")
    world.stack.put(f"routes/{world.line.name}", f"message: {world.line.name}\nendpoint: {world.line.name}-2\n")
    time.sleep(TTL_S)
    world.send_to_its_end()


# SQS fails


@case("SQS throttles the receiver twice", "delivered", "attempt delivered")
def _(world: World) -> None:
    world.endpoint()
    world.aws.fail("AmazonSQS.SendMessage", faults.refusal(400, "ThrottlingException"), times=2)
    world.send_to_its_end()


@case("SQS refuses the receiver for good", "refused with 503, whole in the event log", "unqueued")
def _(world: World) -> None:
    world.endpoint()
    world.aws.fail("AmazonSQS.SendMessage", faults.refusal(503, "ServiceUnavailable"))
    event = world.send()
    (entry,) = world.stack.event_log(event["id"])
    assert json.loads(entry["message.body"])["payload"] == event


@case("SQS fails half of a batch", "delivered", "attempt delivered")
def _(world: World) -> None:
    world.stack.put(f"routes/{world.line.name}-2", f"message: {world.line.name}\nendpoint: {world.line.name}\n")
    world.endpoint()
    fault = world.aws.fail("AmazonSQS.SendMessageBatch", faults.half_fail, times=1)
    event = world.send()
    world.line.end_of(event)
    deadline = time.monotonic() + 20
    while len(world.receiver.requests) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    ids = [request.headers["webhook-id"] for request in world.receiver.requests]
    assert fault.met == 1 and len(ids) == len(set(ids)) == 2, "each route's once"


@case(
    "SQS refuses the undelivered queue once",
    "undelivered queue, `refused`",
    REFUSED.format("E_GONE"),
)
def _(world: World) -> None:
    world.endpoint()
    world.receiver.always = 410
    world.aws.fail("AmazonSQS.SendMessage", faults.refusal(503, "ServiceUnavailable"), times=2, holding=b"Undelivered")
    world.send_to_its_end()


@case(
    "SQS does not postpone a retry", "delivered", "attempt retry E_SERVER, then fault E_QUEUE, then attempt delivered"
)
def _(world: World) -> None:
    with world.stack.visibility_timeout(12):
        world.endpoint()
        world.receiver.answers.append(503)
        world.aws.fail("AmazonSQS.ChangeMessageVisibility", faults.refusal(503, "ServiceUnavailable"))
        event = world.send()
        world.line.entry(event, lambda entry: entry.get("outcome") == "retry")
        world.line.end_of(event)


# The rest of the pipeline fails


PRINTED = "nothing: its entries are in the function's own log"


@case("CloudWatch refuses the event log", "delivered", PRINTED)
def _(world: World) -> None:
    world.endpoint()
    world.aws.fail("Logs_20140328.PutLogEvents", faults.refusal(400, "ServiceUnavailableException"))
    event = world.send()
    assert world.receiver.wait_for(lambda request: json.loads(request.body)["id"] == event["id"])
    assert world.stack.wait_for_lines("message-router", event["id"]), "it is printed instead"
    world.printed.append(event["id"])


@case("the function is killed in mid-delivery", "delivered", "attempt delivered")
def _(world: World) -> None:
    with world.stack.visibility_timeout(6):
        world.endpoint(timeout="10s")
        world.receiver.answers.append(receiver.hangs)
        event = world.send()
        assert world.receiver.wait_for(lambda request: json.loads(request.body)["id"] == event["id"])
        assert world.stack.kill("MessageRouter"), "it was running"
        world.line.end_of(event)


@case("a handler panics", "dead-letter queue", "fault E_PANIC", fixture="panicking_router")
def _(world: World) -> None:
    world.stack.put(f"routes/{world.line.name}", f"message: {world.line.name}\nhandler: panics\n")
    neighbour = f"{world.line.name}-Neighbour"
    world.stack.put(f"routes/{neighbour}", f"message: {neighbour}\nendpoint: {world.line.name}\n")
    time.sleep(TTL_S)
    event = world.send()
    world.line.send("HD_1", name=neighbour)
    world.line.received(1)
    assert len(world.receiver.requests) == 1, "a neighbour is delivered"
    world.line.entry(event, lambda entry: entry.get("code") == "E_PANIC" and entry["attempt"] == 3)


@pytest.fixture
def panicking_router(stack):
    """The router built with a handler that panics, in place of the deployed one."""
    env = environment()
    command = ["cargo-lambda", "lambda", "build", "--release", "--package", "message-router"]
    command += ["--features", "fault-injection", "--lambda-dir", str(LOCAL / ".state" / "faulty")]
    run(command, LOCAL / ".state" / "faulty.log", env)
    archive = LOCAL / ".state" / "faulty.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.write(LOCAL / ".state" / "faulty" / "message-router" / "bootstrap", "bootstrap")
    functions, name = stack.client("lambda"), stack.function_name("MessageRouter")
    functions.update_function_code(FunctionName=name, ZipFile=archive.read_bytes())
    time.sleep(1)
    yield
    deployed = ROOT / ".aws-sam" / "build" / "MessageRouter" / "bootstrap"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.write(deployed, "bootstrap")
    functions.update_function_code(FunctionName=name, ZipFile=archive.read_bytes())


ROWS: dict[str, tuple[str, str]] = {}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_nothing_is_lost_when(case, stack, aws, line, request):
    if case.fixture:
        request.getfixturevalue(case.fixture)
    stack.take_all("UndeliveredQueueUrl")
    stack.take_all("DeadLetterQueueUrl")
    world = World(stack, aws, line)
    try:
        case.run(world)
    finally:
        aws.heal()
    ended = world.ends()
    told = " or ".join(sorted({world.told(event) or PRINTED for event in world.sent}))
    assert (ended, told) == (case.ends, case.log)
    ROWS[case.title] = (told, ended)


def test_a_webhook_that_sqs_refused_is_taken_back_from_the_event_log_once(stack, aws, line):
    line.endpoint()
    start = just_before()
    aws.fail("AmazonSQS.SendMessage", faults.refusal(503, "ServiceUnavailable"))
    event = line.event()
    answer = stack.post_signed(event)
    assert (answer.status, answer.body["code"], "retry-after" in answer.headers) == (503, "E_QUEUE", True)
    aws.heal()
    request = {"reason": "unqueued", "from": start, "name": line.name}
    assert stack.replay(**request)["matched"] == 1
    done = stack.replay(**request, dryRun=False)
    assert (done["moved"], done["finished"]) == (1, True), done
    assert line.received_ids(1) == [event["id"]]
    assert stack.replay(**request, dryRun=False)["moved"] == 0, "it knows what it has done"
    assert len(line.received(2, timeout=2)) == 1


def test_webhooks_that_nobody_could_verify_are_verified_by_replay_and_only_the_genuine_delivered(stack, aws, line):
    line.endpoint()
    start = just_before()
    stack.renew("WebhookReceiver")
    aws.fail("AmazonSSM.GetParametersByPath", faults.throttle, holding=b"/keys")
    genuine, forged = line.event(), line.event("HD_2")
    answer = stack.post_signed(genuine)
    assert (answer.status, answer.body["code"], "retry-after" in answer.headers) == (503, "E_CONFIG", True)
    body, secret = json.dumps(forged).encode(), "Bearer hunter2"
    stack.post(body, {"fluent-signature": signing.signature(b"another body"), "authorization": secret})
    unproven = stack.post(body, {"authorization": secret})
    assert (unproven.status, unproven.body["code"]) == (503, "E_CONFIG")
    aws.heal()
    kept = [entry for entry in stack.event_log() if line.name in entry.get("request.body", "")]
    assert [json.loads(entry["request.body"]) for entry in kept] == [genuine, forged], "what has no proof is not kept"
    assert all((entry["type"], entry["verified"]) == ("inbound.unverified", False) for entry in kept)
    assert stack.wait_for_lines("webhook-receiver", '"kept":false') and "hunter2" not in str(kept)
    assert not stack.wait_for_lines("webhook-receiver", "hunter2", timeout=1)
    request = {"reason": "unverified", "from": start, "name": line.name}
    look = stack.replay(**request)
    assert (look["matched"], look["moved"], look["refused"]) == (1, 0, 1), look
    done = stack.replay(**request, dryRun=False)
    assert (done["moved"], done["refused"], done["finished"]) == (1, 1, True), done
    assert done["refusals"] == {"E_SIGNATURE: no configured key made this signature": 1}
    assert line.received_ids(1) == [genuine["id"]]
    assert stack.replay(**request, dryRun=False)["moved"] == 0, "it knows what it has done"
    assert len(line.received(2, timeout=2)) == 1


def test_a_webhook_that_the_event_log_did_not_take_either_is_found_in_the_receivers_own_log(stack, aws, line):
    line.endpoint()
    start = just_before()
    aws.fail("AmazonSQS.SendMessage", faults.refusal(503, "ServiceUnavailable"))
    aws.fail("Logs_20140328.PutLogEvents", faults.refusal(400, "ServiceUnavailableException"))
    event = line.event()
    assert stack.post_signed(event).body["code"] == "E_QUEUE"
    aws.heal()
    assert stack.wait_for_lines("webhook-receiver", event["id"]), "it is printed instead"
    request = {"reason": "unqueued", "from": start, "name": line.name, "dryRun": False}
    assert stack.replay(**request)["moved"] == 1
    assert line.received_ids(1) == [event["id"]]
    assert stack.replay(**request)["moved"] == 0


def test_the_table_in_the_documentation_is_what_was_seen():
    if len(ROWS) < len(CASES):
        pytest.fail("not every case of the matrix ended as it should")
    rows = [f"| {title} | {told} | {ended} |" for title, (told, ended) in ROWS.items()]
    table = HEAD + "\n".join(rows) + "\n"
    print(table)
    before = TABLE.read_text() if TABLE.exists() else ""
    TABLE.write_text(table)
    assert table == before, "local/faults.md was not what the run saw: it is now, look at the difference and commit it"
