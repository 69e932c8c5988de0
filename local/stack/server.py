"""What every fake stands on: a small HTTP server on loopback, and a wait for what it is asked.

Knows nothing of what is asked or answered.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """Listens on a port of its own, unless it is given one, and answers each request in a thread of its own."""

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class QuietHandler(BaseHTTPRequestHandler):
    """Speaks HTTP/1.1, and keeps the terminal for what matters."""

    protocol_version = "HTTP/1.1"

    def content(self) -> bytes:
        """The request's body."""
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def log_message(self, *_args) -> None:
        """Says nothing."""


@dataclass(frozen=True)
class Request:
    """What an API is asked."""

    method: str
    url: str
    """Path and query."""
    authorization: str
    body: bytes


def json_api(answer: Callable[[Request], tuple]) -> Server:
    """Serves what `answer` says of each request: a status, a body as JSON or bytes, and headers where there are any."""

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            asked = Request(self.command, self.path, self.headers.get("authorization", ""), self.content())
            status, body, *headers = answer(asked)
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in (headers[0] if headers else {}).items():
                self.send_header(name, value)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = True

        do_GET = do_POST

    return Server(Handler)


def chosen(changed: threading.Condition, entries: list, wanted: Callable, timeout: float) -> list:
    """Those of the entries that `wanted` chooses, once there is one; nothing after the timeout, in seconds.

    Whoever adds an entry notifies `changed`.
    """
    deadline = time.monotonic() + timeout
    with changed:
        while not (found := [entry for entry in entries if wanted(entry)]):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            changed.wait(left)
        return found
