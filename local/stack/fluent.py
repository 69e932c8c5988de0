"""A small Fluent on loopback: gives out tokens, answers queries from its entities or as told, and remembers events."""

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from stack.fluent_entities import Entities
from stack.fluent_lists import EVENT_SEARCH_PATH, LISTS, RefusedError, list_of, listed, searched
from stack.server import Request, chosen, json_api

TOKEN_PATH, GRAPHQL_PATH = "/oauth/token", "/graphql"
EVENT_PATHS = ("/api/v4.1/event/async", "/api/v4.1/event/sync")
EVENT_FIELDS = {
    "name",
    "retailerId",
    "entityType",
    "entityId",
    "entityRef",
    "entitySubtype",
    "rootEntityType",
    "rootEntityId",
    "rootEntityRef",
    "attributes",
}
"""Fields of an event that is sent to Fluent (Event API)."""


@dataclass(frozen=True)
class Asked:
    """One request with a token that was accepted: a query with its variables, or an event."""

    path: str
    body: dict
    status: int
    """Answered."""
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
    entities: Entities = field(default_factory=Entities)
    lists: dict[str, list[dict]] = field(default_factory=lambda: {name: [] for name in LISTS})
    """Entities by the list that has them, in its order."""
    logged_events: list[dict] = field(default_factory=list)
    """What a search of the Event API finds, in its order."""
    searches: list[str] = field(default_factory=list)
    """The queries of the searches with a token that was accepted."""
    answers: deque = field(default_factory=deque)
    """What the next queries are answered instead: a body, a status and a body, or a function of query and variables.
    `None` lets one through."""
    event_answers: deque = field(default_factory=deque)
    """What the next events are answered instead: a status and a body. `None` lets one through."""
    asked: list[Asked] = field(default_factory=list)
    token_calls: int = 0

    def __post_init__(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._tokens: dict[str, float] = {}
        self._server = json_api(self._answer)
        self.port, self.url = self._server.port, self._server.url

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
        self._server.stop()

    def events(self) -> list[dict]:
        return [asked.body for asked in self.asked if asked.path in EVENT_PATHS]

    def wait_for(self, wanted: Callable[[Asked], bool], timeout: float = 30.0) -> list[Asked]:
        """What `wanted` chooses of what was asked, once there is something; nothing after the timeout."""
        return chosen(self._changed, self.asked, wanted, timeout)

    # What it answers: a status and a body

    def _answer(self, asked: Request) -> tuple[int, dict]:
        path = asked.url
        if asked.method == "GET":
            return self._search(asked)
        if path == TOKEN_PATH:
            return self._token(asked.body)
        if path != GRAPHQL_PATH and path not in EVENT_PATHS:
            return 404, {"error": "not found"}
        if not self._accepts(asked.authorization):
            return 401, {"error": "invalid_token", "error_description": "Invalid access token"}
        try:
            sent = json.loads(asked.body)
        except ValueError:
            return 400, {"errors": [{"message": "the body is not JSON"}]}
        with self._changed:
            answer = self._data(sent) if path == GRAPHQL_PATH else self._event(path, sent)
            self.asked.append(Asked(path, sent, answer[0], time.monotonic()))
            self._changed.notify_all()
        return answer

    def _search(self, asked: Request) -> tuple[int, dict]:
        parts = urlsplit(asked.url)
        if parts.path != EVENT_SEARCH_PATH:
            return 404, {"error": "not found"}
        if not self._accepts(asked.authorization):
            return 401, {"error": "invalid_token", "error_description": "Invalid access token"}
        with self._changed:
            self.searches.append(parts.query)
            self._changed.notify_all()
        try:
            return 200, searched(self.logged_events, parts.query)
        except RefusedError as refused:
            return 400, {"errors": [{"message": str(refused)}]}

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

    def _data(self, sent: dict) -> tuple[int, dict]:
        query, variables = sent.get("query") or "", sent.get("variables")
        told = self.answers.popleft() if self.answers else None
        if callable(told):
            told = told(query, variables)
        if told is None and (name := list_of(query)):
            told = self._listed(name, variables or {})
        if told is None:
            told = self.entities.answer(query, variables)
        return told if isinstance(told, tuple) else (200, told)

    def _listed(self, name: str, variables: dict) -> dict:
        try:
            return listed(name, self.lists[name], variables)
        except RefusedError as refused:
            return {"data": None, "errors": [{"message": str(refused), "extensions": {"code": "C0001E"}}]}

    def _event(self, path: str, sent: dict) -> tuple[int, dict]:
        told = self.event_answers.popleft() if self.event_answers else None
        if told is not None:
            return told
        missing = [name for name in ("name", "retailerId", "entityType") if not sent.get(name)]
        if missing or not (sent.get("entityId") or sent.get("entityRef")):
            return 400, {"errors": [{"message": f"missing: {', '.join(missing) or 'entityId or entityRef'}"}]}
        if unknown := sent.keys() - EVENT_FIELDS:
            return 400, {"errors": [{"message": f"unknown: {', '.join(sorted(unknown))}"}]}
        if not isinstance(sent.get("attributes", {}), dict):
            return 400, {"errors": [{"message": "attributes: an object was expected"}]}
        event = f"development-event-{len(self.asked) + 1}"
        if path.endswith("/async"):
            return 200, {"id": event}
        return 200, {"eventId": event, "entityId": sent.get("entityId"), "eventStatus": "COMPLETE"}
