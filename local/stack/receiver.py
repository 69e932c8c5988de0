"""A small receiver on loopback that remembers what it got and answers, or misbehaves, as it is told."""

import contextlib
import threading
import time
from collections import deque
from dataclasses import dataclass

from stack.server import QuietHandler, Server, chosen


@dataclass(frozen=True)
class Received:
    """One request, as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int | None
    """Answered; None where it misbehaved instead."""
    at: float
    """When, by the monotonic clock."""


def status(code: int, **headers: str):
    """Answers with this status and these headers."""
    return content(code, b"ok", **headers)


def content(code: int, body: bytes, **headers: str):
    """Answers with this status, body and headers."""

    def answer(handler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(body)))
        handler.send_header("connection", "close")
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hangs(handler) -> None:
    """Reads the request and never answers."""
    handler.receiver.released.wait(60)


def dribbles_its_head(handler) -> None:
    """Sends a byte of an endless head every 50 ms."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
    while not handler.receiver.released.wait(0.05):
        handler.wfile.write(b"x")


def dribbles_its_body(handler) -> None:
    """Answers 200, then sends a byte of the body every 50 ms."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    while not handler.receiver.released.wait(0.05):
        handler.wfile.write(b"x")


def sends_100_megabytes(handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n")
    for _ in range(1_600):
        handler.wfile.write(b"x" * 65_536)


def closes_in_its_body(handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")


def closes_before_its_head(_handler) -> None:
    """Reads the request and closes the connection."""


def sends_garbage(handler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


class Receiver:
    """Listens on one port; `go_down` closes it and `come_back` listens there again."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.answers: deque = deque()
        """What to do with the next requests: a status, or a function of the handler."""
        self.always = None
        """What to do with those after; 200 where nothing is said."""
        self.released = threading.Event()
        self._changed = threading.Condition()
        self._server: Server | None = None
        self.port = 0
        self.come_back()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def come_back(self) -> None:
        self.released.clear()
        self._server = Server(self._handler(), self.port)
        self.port = self._server.port

    def go_down(self) -> None:
        self.released.set()
        if self._server is not None:
            self._server.stop()
            self._server = None

    def wait_for(self, wanted, timeout: float = 30.0) -> list[Received]:
        """The requests that `wanted` chooses, once there is one; nothing after the timeout."""
        return chosen(self._changed, self.requests, wanted, timeout)

    def _handler(self):
        receiver = self

        class Handler(QuietHandler):
            @property
            def receiver(self) -> Receiver:
                return receiver

            def do_POST(self) -> None:
                body = self.content()
                with receiver._changed:
                    told = receiver.answers.popleft() if receiver.answers else receiver.always or 200
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    code = told if isinstance(told, int) else None
                    got = Received(self.command, self.path, headers, body, code, time.monotonic())
                    receiver.requests.append(got)
                    receiver._changed.notify_all()
                self.close_connection = True
                with contextlib.suppress(OSError):  # the other side may have had enough
                    (status(told) if isinstance(told, int) else told)(self)

            do_PUT = do_PATCH = do_DELETE = do_POST

        return Handler
