"""One deployed stack for all tests of a process, and a receiver of its own for each."""

import fcntl
import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stack import faults, signing  # noqa: E402
from stack.receiver import Receiver  # noqa: E402
from stack.shop import Shop  # noqa: E402
from stack.stack import STATE, TTL_S, Stack, build, order_event, seed_sources  # noqa: E402
from stack.tools import ROOT, environment  # noqa: E402


@pytest.fixture(scope="session")
def built(tmp_path_factory, worker_id):
    """The functions, built once for all processes that run tests side by side."""
    if worker_id == "master":
        return build()
    done = tmp_path_factory.getbasetemp().parent / "built"
    with done.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            build()
            done.touch()


@pytest.fixture(scope="session")
def deployed(built, worker_id):
    stack = Stack(STATE / worker_id)
    try:
        stack.start()
        stack.deploy()
        stack.put("keys/broken", "this is no key")
        stack.put("keys/development", signing.public_key(), secure=True)
        seed_sources(stack)
        yield stack
    finally:
        stack.stop()


@pytest.fixture(scope="module")
def stack(deployed):
    """The deployed stack; what a module's tests write into its configuration goes when they have ended."""
    before = deployed.parameters()
    yield deployed
    for name in deployed.parameters() - before:
        deployed.forget(name)
    time.sleep(TTL_S)


@pytest.fixture(scope="module")
def aws(stack):
    """A proxy before the local AWS, which the functions of a module's tests call through."""
    aws = faults.FaultyAws(stack.port)
    with stack.calls_through(aws.url):
        yield aws
    aws.stop()


@pytest.fixture(scope="module")
def open_shop(stack):
    with Shop(stack) as shop:
        yield shop


@pytest.fixture
def shop(open_shop):
    yield open_shop
    open_shop.calm()


class Line:
    """A route and an endpoint of a test's own, to a receiver of its own, by a message name of its own."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.name = f"Test{uuid.uuid4().hex[:12]}"
        self.receiver = Receiver()
        self.point_to(self.receiver)
        stack.put(f"routes/{self.name}", f"message: {self.name}\nendpoint: {self.name}\n")

    def point_to(self, receiver: Receiver) -> None:
        self.stack.put(f"endpoints/{self.name}", f"{receiver.url}/hook")

    def endpoint(self, **document) -> None:
        """Writes the endpoint as a document, with short delays, and waits until it is in use."""
        defaults = {"url": f"{self.receiver.url}/hook", "retry": {"delays": ["1s", "1s"]}}
        self.stack.put(f"endpoints/{self.name}", json.dumps(defaults | document))
        time.sleep(TTL_S)

    def event(self, entity: str = "HD_1", **changes) -> dict:
        return order_event(self.name, f"{self.name}-{entity}", **changes)

    def send(self, entity: str = "HD_1", **changes) -> dict:
        event = self.event(entity, **changes)
        assert self.stack.post_signed(event).status == 200
        return event

    def received(self, count: int, timeout: float = 30.0) -> list:
        """What the receiver got once there are this many requests, and a little after."""
        deadline = time.monotonic() + timeout
        while len(self.receiver.requests) < count and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        return self.receiver.requests

    def received_ids(self, count: int, timeout: float = 30.0) -> list[str]:
        return [json.loads(request.body)["id"] for request in self.received(count, timeout)]

    def end_of(self, event: dict, timeout: float = 45.0) -> dict:
        """The entry that tells how a message ended."""
        ends = ("message.undelivered", "message.held", "message.unrouted")
        return self.entry(event, lambda entry: entry.get("outcome") == "delivered" or entry["type"] in ends, timeout)

    def entry(self, event: dict, wanted, timeout: float = 45.0) -> dict:
        """The first of a message's entries that `wanted` chooses, once there is one."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for entry in self.stack.event_log(event["id"]):
                if wanted(entry):
                    return entry
            time.sleep(0.2)
        raise AssertionError(f"not in the event log: {self.stack.event_log(event['id'])}")


@pytest.fixture
def line(stack):
    line = Line(stack)
    time.sleep(TTL_S)
    yield line
    line.receiver.go_down()


class Cli:
    """The binary, signed in to the local AWS."""

    def __init__(self, stack, binary: Path) -> None:
        self.env = environment(stack.port) | {"NO_COLOR": "1"}
        self.binary = binary

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [self.binary, *arguments], env=self.env, capture_output=True, text=True, timeout=120, check=False
        )

    def json(self, *arguments: str, code: int = 0):
        done = self.run(*arguments, "--json")
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def cli(stack):
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--package", "cli"], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return Cli(stack, target / "debug" / "connector")
