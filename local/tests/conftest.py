"""One deployed stack for all tests, and a receiver of its own for each."""

import sys
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stack import signing  # noqa: E402
from stack.receiver import Receiver  # noqa: E402
from stack.stack import Stack, build  # noqa: E402


@pytest.fixture(scope="session")
def stack():
    build()
    stack = Stack()
    try:
        stack.start()
        stack.deploy()
        stack.put("keys/broken", "this is no key")
        stack.put("keys/development", signing.public_key(), secure=True)
        yield stack
    finally:
        stack.stop()


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

    def event(self, entity: str = "HD_1", **changes) -> dict:
        event = {
            "id": uuid.uuid4().hex,
            "name": self.name,
            "accountId": "ACME",
            "retailerId": "1",
            "entityId": "1",
            "entityRef": f"{self.name}-{entity}",
            "entityType": "ORDER",
        }
        return event | changes


@pytest.fixture
def line(stack):
    line = Line(stack)
    # Longer than the 2 s that the local stack keeps its configuration.
    import time

    time.sleep(2.2)
    yield line
    line.receiver.go_down()
