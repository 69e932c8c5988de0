"""A small Fluent on loopback: gives out tokens, answers queries as told, and remembers events."""

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

TOKEN_PATH, GRAPHQL_PATH = "/oauth/token", "/graphql"
EVENT_PATHS = ("/api/v4.1/event/async", "/api/v4.1/event/sync")

ORDERS = {
    "101": {
        "id": "101",
        "ref": "HD_101",
        "type": "HD",
        "status": "BOOKED",
        "totalPrice": 42.5,
        "customer": {"primaryEmail": "customer@shop.example", "primaryPhone": "+44 20 7946 0000"},
        "items": {"edges": [{"node": {"ref": "SKU-1", "quantity": 2}}]},
    }
}
"""Orders by id, in the shape of `orderById`."""


@dataclass(frozen=True)
class Asked:
    """One request with a token that was accepted: a query with its variables, or an event."""

    path: str
    body: dict
    at: float
    """When, by the monotonic clock."""


@dataclass
class FluentApi:
    """Listens on a port of its own. `account` is the document that `accounts/{accountId}` holds for it."""

    username: str = "acme_api"
    password: str = "development-password"  # noqa: S105 - what its own callers send
    client_id: str = "ACME"
    client_secret: str = "development-client-secret"  # noqa: S105 - the same
    token_life_s: float = 3600.0
    orders: dict[str, dict] = field(default_factory=lambda: dict(ORDERS))
    answers: deque = field(default_factory=deque)
    """What the next queries are answered: a body, a status and a body, or a function of query and variables."""
    asked: list[Asked] = field(default_factory=list)
    token_calls: int = 0

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._tokens: dict[str, float] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def account(self) -> dict:
        return {
            "baseUrl": self.url,
            "username": self.username,
            "password": self.password,
            "clientId": self.client_id,
            "clientSecret": self.client_secret,
            "retailerId": "1",
        }

    def end_all_tokens(self) -> None:
        """Accepts no token that it has given out."""
        with self._changed:
            self._tokens.clear()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def events(self) -> list[dict]:
        return [asked.body for asked in self.asked if asked.path in EVENT_PATHS]

    def wait_for(self, wanted: Callable[[Asked], bool], timeout: float = 30.0) -> list[Asked]:
        """What `wanted` chooses of what was asked, once there is something; nothing after the timeout."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not (found := [asked for asked in self.asked if wanted(asked)]):
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            return found

    # What it answers: a status and a body

    def _answer(self, path: str, authorization: str, body: bytes) -> tuple[int, dict]:
        if path == TOKEN_PATH:
            return self._token(body)
        if path != GRAPHQL_PATH and path not in EVENT_PATHS:
            return 404, {"error": "not found"}
        if not self._accepts(authorization):
            return 401, {"error": "invalid_token", "error_description": "Invalid access token"}
        try:
            sent = json.loads(body)
        except ValueError:
            return 400, {"errors": [{"message": "the body is not JSON"}]}
        with self._changed:
            self.asked.append(Asked(path, sent, time.monotonic()))
            told = self.answers.popleft() if path == GRAPHQL_PATH and self.answers else None
            number = len(self.asked)
            self._changed.notify_all()
        return self._data(sent, told) if path == GRAPHQL_PATH else self._event(path, sent, number)

    def _token(self, body: bytes) -> tuple[int, dict]:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        expected = {
            "grant_type": "password",
            "username": self.username,
            "password": self.password,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "scope": "api",
        }
        if form != expected:
            return 400, {"error": "invalid_grant", "error_description": "Bad credentials"}
        with self._changed:
            self.token_calls += 1
            token = f"development-token-{self.token_calls}"
            self._tokens[token] = time.monotonic() + self.token_life_s
        return 200, {"access_token": token, "token_type": "bearer", "expires_in": int(self.token_life_s)}

    def _accepts(self, authorization: str) -> bool:
        with self._changed:
            ends = self._tokens.get(authorization.removeprefix("Bearer "))
        return ends is not None and time.monotonic() < ends

    def _data(self, sent: dict, told) -> tuple[int, dict]:
        if callable(told):
            told = told(sent.get("query"), sent.get("variables"))
        if told is None:
            order = self.orders.get(str((sent.get("variables") or {}).get("id")))
            told = {"data": {"orderById": order}}
        return told if isinstance(told, tuple) else (200, told)

    def _event(self, path: str, sent: dict, number: int) -> tuple[int, dict]:
        missing = [name for name in ("name", "retailerId", "entityType") if not sent.get(name)]
        if missing or not (sent.get("entityId") or sent.get("entityRef")):
            return 400, {"errors": [{"message": f"missing: {', '.join(missing) or 'entityId or entityRef'}"}]}
        event = f"development-event-{number}"
        if path.endswith("/async"):
            return 200, {"id": event}
        return 200, {"eventId": event, "entityId": sent.get("entityId"), "eventStatus": "COMPLETE"}

    def _handler(self):
        fluent = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                code, answer = fluent._answer(self.path, self.headers.get("authorization", ""), body)
                content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(code)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(content)
                self.close_connection = True

            def log_message(self, *_args) -> None:
                """Keeps the terminal for what matters."""

        return Handler
