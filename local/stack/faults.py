"""A proxy before the local AWS that fails calls as it is told, so that a deployed function meets a failing AWS."""

import http.client
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from stack.server import QuietHandler, Server

HANG_S = 4.0


@dataclass
class Fault:
    """Fails the next `times` calls of an operation such as `AmazonSQS.SendMessage`."""

    operation: str
    answer: Callable
    times: int = 1_000_000
    holding: bytes = b""
    met: int = 0


@dataclass
class FaultyAws:
    """Listens on a port of its own and passes on what no fault holds back."""

    aws_port: int
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._server = Server(self._handler())
        self.port, self.url = self._server.port, self._server.url

    def fail(self, operation: str, answer: Callable, times: int = 1_000_000, holding: bytes = b"") -> Fault:
        fault = Fault(operation, answer, times, holding)
        with self._lock:
            self.faults.append(fault)
        return fault

    def heal(self) -> None:
        with self._lock:
            self.faults.clear()
        self._released.set()
        self._released = threading.Event()

    def stop(self) -> None:
        self.heal()
        self._server.stop()

    def _fault_for(self, operation: str, body: bytes) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if fault.operation == operation and fault.met < fault.times and fault.holding in body:
                    fault.met += 1
                    return fault
        return None

    def forward(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.aws_port, timeout=30)
        try:
            headers = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
            connection.request(request.command, request.path, body, headers)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def _handler(self):
        faulty = self

        class Handler(QuietHandler):
            def do_POST(self) -> None:
                body = self.content()
                fault = faulty._fault_for(self.headers.get("x-amz-target", ""), body)
                answered = fault.answer(faulty, self, body) if fault else faulty.forward(self, body)
                if answered is None:
                    self.close_connection = True
                    return
                status, headers, content = answered
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        return Handler


def refusal(status: int, kind: str) -> Callable:
    """Answers with this error, as AWS's JSON protocols do."""
    content = json.dumps({"__type": kind, "message": "told to fail"}).encode()
    headers = [("content-type", "application/x-amz-json-1.0"), ("x-amzn-errortype", kind)]
    return lambda _faulty, _request, _body: (status, headers, content)


def throttle(_faulty, _request, _body):
    return refusal(400, "ThrottlingException")(_faulty, _request, _body)


def hang(faulty: FaultyAws, _request, _body):
    """Answers nothing until the faults are healed, then closes."""
    faulty._released.wait(HANG_S)


def half_fail(faulty: FaultyAws, request, body: bytes):
    """Passes the first half of a batch on and reports the rest as failed."""
    batch = json.loads(body)
    entries = batch["Entries"]
    kept = entries[: len(entries) // 2]
    failed = [
        {"Id": entry["Id"], "SenderFault": False, "Code": "InternalError", "Message": "told to fail"}
        for entry in entries[len(kept) :]
    ]
    status, headers, content = 200, [("content-type", "application/x-amz-json-1.0")], b'{"Successful": []}'
    if kept:
        status, headers, content = faulty.forward(request, json.dumps(batch | {"Entries": kept}).encode())
    answer = json.loads(content) | {"Failed": failed}
    return status, headers, json.dumps(answer).encode()
