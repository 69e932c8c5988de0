"""The command line against the deployed stack: apply, check, routes, send, tail, replay, doctor."""

import json
import subprocess
import time
import uuid
from pathlib import Path

import pytest

from stack import signing
from stack.receiver import Receiver
from stack.stack import STACK, TTL_S, order_event

SOURCES = ("MessageRouterEventQueue", "CtQueueListenerCtQueue")
"""The event sources, by the names that SAM gives them."""


class Folder:
    """A configuration of its own: one route to one receiver."""

    def __init__(self, path: Path, receiver: Receiver) -> None:
        self.path, self.receiver = path, receiver
        self.name = f"Cli{uuid.uuid4().hex[:12]}"
        self.route = self.name.lower()
        (path / "routes").mkdir()
        (path / "endpoints").mkdir()
        (path / "routes" / f"{self.route}.yaml").write_text(f"message: {self.name}\nendpoint: {self.route}\n")
        self.endpoint(paused=False)

    def endpoint(self, paused: bool) -> None:
        document = {
            "url": f"{self.receiver.url}/hook",
            "auth": {"type": "bearer", "token": "MARKED"},
            "retry": {"delays": []},
            "paused": paused,
        }
        (self.path / "endpoints" / f"{self.route}.json").write_text(json.dumps(document))

    def event(self) -> Path:
        file = self.path / "event.json"
        file.write_text(json.dumps(order_event(self.name, self.name)))
        return file


@pytest.fixture
def folder(tmp_path):
    receiver = Receiver()
    yield Folder(tmp_path, receiver)
    receiver.go_down()


def apply(cli, folder) -> dict:
    report = cli.json("apply", str(folder.path), "--stack", STACK, "--yes")
    assert report["written"]
    time.sleep(TTL_S)
    return {change["parameter"]: change for change in report["changes"]}


def send(cli, stack, folder, count: int) -> None:
    key = str(signing.KEYS / "development.private.pem")
    url = f"http://{stack.webhook_host}{stack.webhook_path}"
    sent = cli.json("send", str(folder.event()), "--url", url, "--key", key, "--count", str(count))
    assert sent["results"] == [{"result": "200", "count": count, "firstAnswer": sent["results"][0]["firstAnswer"]}]


def test_a_folder_goes_to_the_stack_and_its_messages_are_seen(cli, stack, folder):
    changes = apply(cli, folder)
    assert changes[f"endpoints/{folder.route}"] | {"keys": None} == {
        "parameter": f"endpoints/{folder.route}",
        "fate": "added",
        "secure": True,
        "advanced": False,
        "typeChanges": False,
        "keys": None,
    }
    parameter = f"{stack.outputs['ConfigPrefix']}/endpoints/{folder.route}"
    assert stack.client("ssm").get_parameter(Name=parameter)["Parameter"]["Type"] == "SecureString"
    again = cli.run("apply", str(folder.path), "--stack", STACK)
    assert again.returncode == 0 and again.stdout.endswith("nothing to do\n"), again.stdout

    report = cli.json("check", "--stack", STACK, code=1)  # the deployed stack has a broken key
    wrong = {finding["parameter"] for finding in report["findings"] if finding["level"] == "error"}
    assert "keys/broken" in wrong and not any(folder.route in parameter for parameter in wrong)
    [route] = [line for line in cli.json("routes", "--stack", STACK) if line["route"] == folder.route]
    assert route["active"] and route["endpoint"] == folder.route

    send(cli, stack, folder, count=3)
    assert len({json.loads(got.body)["id"] for got in received(folder, 3)}) == 3
    deadline = time.monotonic() + 20
    tail = ["tail", "--stack", STACK, "--route", folder.route]
    while len(lines := cli.run(*tail).stdout.splitlines()) < 3 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert len(lines) == 3
    shown = ("delivered", folder.name, f"ORDER/{folder.name}", f"{folder.route}→{folder.route}", "attempt 1", "200")
    assert all(text in line for line in lines for text in shown), lines
    passed = [json.loads(line) for line in cli.run(*tail, "--json").stdout.splitlines()]
    assert {entry["endpoint"] for entry in passed} == {folder.route}


def received(folder, count: int, timeout: float = 30.0) -> list:
    deadline = time.monotonic() + timeout
    while len(folder.receiver.requests) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    return folder.receiver.requests


def test_what_a_pause_held_is_replayed(cli, stack, folder):
    folder.endpoint(paused=True)
    apply(cli, folder)
    send(cli, stack, folder, count=2)
    mine = ["--stack", STACK, "--endpoint", folder.route]
    deadline = time.monotonic() + 20
    while (seen := cli.json("replay", *mine)["runs"][0])["matched"] < 2 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert seen["byReason"] == {"paused": 2} and seen["moved"] == 0
    assert not folder.receiver.requests
    doctor = {check["what"]: check for check in cli.json("doctor", "--stack", STACK, code=1)["checks"]}
    assert doctor["undelivered queue"]["state"] == "warn"

    folder.endpoint(paused=False)
    assert apply(cli, folder)[f"endpoints/{folder.route}"]["keys"] == ["paused"]
    done = cli.run("replay", *mine, "--run", "--again")
    assert done.returncode == 0 and "nothing is left to do" in done.stdout, done.stdout + done.stderr
    assert len(received(folder, 2)) == 2


def test_the_doctor_finds_what_is_wrong_and_nothing_else(cli, stack):
    checks = {check["what"]: check for check in cli.json("doctor", "--stack", STACK, code=1)["checks"]}
    assert checks["parameter keys/broken"]["state"] == "fail"
    fine = ["stack", "clock", "keys", "event queue", "event log", "function MessageRouter", "alarm DeadLetterAlarm"]
    fine += ["external webhooks", "ct-queue", "ct-queue policy", *(f"event source {name}" for name in SOURCES)]
    assert {what: checks[what]["found"] for what in fine if checks[what]["state"] != "ok"} == {}
    assert checks["external webhooks"]["found"] == "an unknown source is answered 404 E_SOURCE"
    outputs = ("WebhookUrl", "ExternalWebhookUrl", "CtQueueUrl", "ReplayFunctionName")
    assert all(checks[f"output {output}"]["state"] == "ok" for output in outputs)
    assert cli.run("doctor", "--stack", "no-such-stack").returncode == 2


def test_the_doctor_finds_a_queue_that_nobody_reads_and_one_that_commercetools_may_not_write(cli, stack):
    functions, queues = stack.client("lambda"), stack.client("sqs")
    queue = stack.outputs["CtQueueUrl"]
    [mapping] = functions.list_event_source_mappings(EventSourceArn=stack.outputs["CtQueueArn"])["EventSourceMappings"]
    policy = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]["Policy"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    queues.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})
    try:
        checks = {check["what"]: check for check in cli.json("doctor", "--stack", STACK, code=1)["checks"]}
    finally:
        queues.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    assert checks["event source CtQueueListenerCtQueue"]["state"] == checks["ct-queue policy"]["state"] == "fail"
    assert mapping["UUID"] in checks["event source CtQueueListenerCtQueue"]["todo"]
    assert checks["event source MessageRouterEventQueue"]["state"] == "ok"


WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.mark.parametrize(
    ("preset", "secret", "headers"),
    [
        ("fynd", "MARKED-fynd", []),
        ("github", "MARKED-github", ["--header", "x-github-event: push"]),
        ("stripe", "MARKED-stripe", []),
        ("standard-webhooks", WHSEC, []),
    ],
)
def test_webhooks_go_as_a_source_sends_them(cli, stack, tmp_path, preset, secret, headers):
    receiver, name = Receiver(), f"cli-{uuid.uuid4().hex[:12]}"
    stack.put(f"sources/{name}", f"{{ preset: {preset}, secrets: ['{secret}'] }}", secure=True)
    stack.put(f"endpoints/{name}", f"{receiver.url}/hook")
    stack.put(f"routes/{name}", f"source: {name}\nmessage: '*'\nendpoint: {name}\n")
    number = uuid.uuid4().hex
    about = {"id": number, "category": "company", "name": "order", "type": "create", "version": "1"}
    (tmp_path / "event.json").write_text(json.dumps({"id": number, "type": "paid", "event": about}))
    time.sleep(TTL_S)
    send = ["send", str(tmp_path / "event.json"), "--source", name, *headers]
    try:
        done = cli.run(*send, "--stack", STACK, "--count", "3", "--json")
        assert done.returncode == 0 and secret not in done.stdout + done.stderr, done.stdout + done.stderr
        assert [(line["result"], line["count"]) for line in json.loads(done.stdout)["results"]] == [("200", 3)]
        deadline = time.monotonic() + 30
        while len(receiver.requests) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len({request.headers["webhook-id"] for request in receiver.requests}) == 3

        other = secret.replace("MARKED", "another").replace("whsec_M", "whsec_N")
        (tmp_path / "other.yaml").write_text(f"{{ preset: {preset}, secrets: ['{other}'] }}")
        url = f"http://{stack.webhook_host}{stack.source_path(name)}"
        wrong = cli.json(*send, "--document", str(tmp_path / "other.yaml"), "--url", url, code=1)
        assert [line["result"] for line in wrong["results"]] == ["401"]
    finally:
        for parameter in ("sources", "endpoints", "routes"):
            stack.forget(f"{parameter}/{name}")
        receiver.go_down()


def test_a_follower_sees_what_comes(cli, stack, folder):
    apply(cli, folder)
    command = [cli.binary, "tail", "--stack", STACK, "--follow", "--since", "1m", "--route", folder.route, "--json"]
    with subprocess.Popen(command, env=cli.env, stdout=subprocess.PIPE, text=True) as follower:
        try:
            send(cli, stack, folder, count=2)
            lines = [json.loads(follower.stdout.readline()) for _ in range(2)]
        finally:
            follower.kill()
    assert len({line["message.id"] for line in lines}) == 2


def test_no_command_shows_a_secret(cli, stack, folder):
    apply(cli, folder)
    folder.endpoint(paused=True)
    for command in (
        ["apply", str(folder.path), "--stack", STACK],
        ["check", "--stack", STACK],
        ["routes", "--stack", STACK],
        ["doctor", "--stack", STACK],
        ["tail", "--stack", STACK],
    ):
        for output in ([], ["--json"]):
            done = cli.run(*command, *output)
            assert "MARKED" not in done.stdout + done.stderr, command
