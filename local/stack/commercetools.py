"""A small commercetools on loopback: tokens, reads, queries and updates of what tests seed, by the documented rules."""

import base64
import copy
import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from stack.commercetools_actions import ACTIONS, DRAFTS, RefusedError, malformed, required
from stack.predicates import MalformedPredicateError, predicate
from stack.server import Request, chosen, json_api

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
MAX_LIMIT, DEFAULT_LIMIT = 500, 20
KINDS = {
    "orders": ("view_orders", "manage_orders"),
    "customers": ("view_customers", "manage_customers"),
    "categories": ("view_products", "manage_products"),
    "product-projections": ("view_products", "manage_products"),
    "inventory": ("view_products", "manage_products"),
    "channels": ("view_products", "manage_products"),
    "messages": ("view_messages", "view_messages"),
}
"""Path segments, each with the scope that reads and the one that writes (and reads)."""
NAMES = {"orders": {"order-number": "orderNumber"}, "channels": {"key": "key"}, "inventory": {"key": "key"}}
"""What a resource can be named by besides its id: in the path, and in the resource."""


@dataclass(frozen=True)
class Write:
    """One write with a token that was accepted, whatever came of it."""

    path: str
    body: dict
    status: int
    at: float
    """When, by the monotonic clock."""


@dataclass
class CommercetoolsApi:
    """Listens on a port of its own. `document` is what `commercetools/{project_key}` holds for it."""

    project_key: str = "acme-shop"
    client_id: str = "connect"
    client_secret: str = "development-client-secret"  # noqa: S105 - what its own callers send
    token_life_s: float = 172_800.0
    answers: deque = field(default_factory=deque)
    """What the next authorised requests are answered instead: a status and a body, with headers or without."""
    before_write: deque = field(default_factory=deque)
    """What is done just before the next writes: room for somebody else to be faster."""
    writes: list[Write] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    token_calls: int = 0

    def __post_init__(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._tokens: dict[str, tuple[float, set[str]]] = {}
        self._stored: dict[str, dict[str, dict]] = {kind: {} for kind in KINDS}
        self._staged: dict[str, dict] = {}
        self._server = json_api(self._answer)
        self.port, self.url = self._server.port, self._server.url

    @property
    def document(self) -> dict:
        return {
            "authUrl": self.url,
            "apiUrl": self.url,
            "clientId": self.client_id,
            "clientSecret": self.client_secret,
            "accountId": "ACME",
            "retailerId": "1",
        }

    def stop(self) -> None:
        self._server.stop()

    def end_all_tokens(self) -> None:
        """Accepts no token that it has given out."""
        with self._changed:
            self._tokens.clear()

    # What tests seed and look at

    def put(self, kind: str, resource: dict) -> dict:
        """Stores a resource; id, version and times are added where it has none."""
        with self._changed:
            made = self._new(resource)
            self._stored[kind][made["id"]] = made
            return copy.deepcopy(made)

    def put_product(self, current: dict | None, staged: dict) -> None:
        """Stores a product: what customers see, if anything, and what is going to be published."""
        with self._changed:
            self._staged[staged["id"]] = self._new(staged)
            self._stored["product-projections"].pop(staged["id"], None)
        if current is not None:
            self.put("product-projections", current)

    def get(self, kind: str, resource_id: str) -> dict | None:
        with self._changed:
            return copy.deepcopy(self._stored[kind].get(resource_id))

    def change(self, kind: str, resource_id: str, **fields) -> None:
        """Changes a resource as somebody else would."""
        with self._changed:
            resource = self._stored[kind][resource_id]
            resource |= {"lastModifiedAt": now()} | fields | {"version": resource["version"] + 1}

    def delete(self, kind: str, resource_id: str) -> None:
        with self._changed:
            del self._stored[kind][resource_id]

    def wait_for(self, wanted: Callable[[Write], bool], timeout: float = 30.0) -> list[Write]:
        """What `wanted` chooses of the writes, once there is something; nothing after the timeout."""
        return chosen(self._changed, self.writes, wanted, timeout)

    def _new(self, resource: dict) -> dict:
        made = {"id": str(uuid.uuid4()), "version": 1} | dict.fromkeys(("createdAt", "lastModifiedAt"), now())
        return made | copy.deepcopy(resource)

    # What it answers: a status, a body and headers

    def _answer(self, asked: Request) -> tuple:
        path = urlsplit(asked.url).path
        if path == TOKEN_PATH:
            return self._token(asked)
        with self._changed:
            try:
                kind, name = self._route(path)
                self._authorize(asked.authorization, kind, asked.method)
                if asked.method == "GET":
                    return self._read_on_record(asked.url, kind, name)
                return self._write(path, kind, name, asked.body)
            except RefusedError as refused:
                return refused.status, refused.body

    def _read_on_record(self, url: str, kind: str, name: str | None) -> tuple:
        self.reads.append(url)
        return self.answers.popleft() if self.answers else (200, self._read(kind, name, parse_qsl(urlsplit(url).query)))

    def _token(self, asked: Request) -> tuple:
        expected = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if asked.authorization != f"Basic {expected}":
            message = "Please provide valid client credentials using HTTP Basic Authentication."
            return 401, oauth_error(401, "invalid_client", message)
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if asked.method != "POST" or form.get("grant_type") != "client_credentials":
            return 400, oauth_error(400, "unsupported_grant_type", "Invalid parameter: grant_type")
        scopes = form.get("scope", f"manage_project:{self.project_key}").split()
        if not all(scope.partition(":")[2] == self.project_key for scope in scopes):
            return 400, oauth_error(400, "invalid_scope", "Invalid scope: the project is not the client's")
        with self._changed:
            self.token_calls += 1
            token = f"development-token-{self.token_calls}"
            self._tokens[token] = time.monotonic() + self.token_life_s, {scope.split(":")[0] for scope in scopes}
        life = int(self.token_life_s)
        return 200, {"access_token": token, "expires_in": life, "scope": " ".join(scopes), "token_type": "Bearer"}

    def _route(self, path: str) -> tuple[str, str | None]:
        project, kind, *rest = [unquote(segment) for segment in path.split("/")[1:]] + [""]
        name = "/".join(rest[:-1]) or None
        if kind not in KINDS:
            raise RefusedError("ResourceNotFound", f"The path '{path}' is unknown.", 404)
        return (kind if project == self.project_key else f"{project}/{kind}"), name

    def _authorize(self, authorization: str, kind: str, method: str) -> None:
        ends, scopes = self._tokens.get(authorization.removeprefix("Bearer "), (0.0, set()))
        if not authorization.startswith("Bearer ") or time.monotonic() >= ends:
            refused = RefusedError("invalid_token", "invalid_token", 401)
            refused.body["error"] = "invalid_token"
            raise refused
        reading, writing = KINDS.get(kind, ("", ""))
        allowed = {writing, "manage_project"} | ({reading} if method == "GET" else set())
        if kind not in KINDS or not allowed & scopes:
            message = f"Insufficient scope. One of the following scopes is missing: {', '.join(sorted(allowed))}."
            raise RefusedError("insufficient_scope", message, 403)

    def _read(self, kind: str, name: str | None, query: list[tuple[str, str]]) -> dict:
        parameters = dict(query)
        stored = self._stored[kind]
        if kind == "product-projections" and flag(parameters, "staged"):
            stored = self._staged
        return self._page(stored, parameters, query) if name is None else self._found(kind, stored, name)

    def _found(self, kind: str, stored: dict[str, dict], name: str) -> dict:
        by, _, value = name.partition("=")
        field_name = NAMES.get(kind, {}).get(by) if value else "id"
        for resource in stored.values():
            if field_name and resource.get(field_name) == (value or name):
                return resource
        raise missing(name)

    def _page(self, stored: dict[str, dict], parameters: dict, query: list[tuple[str, str]]) -> dict:
        limit, offset = number(parameters, "limit", DEFAULT_LIMIT, MAX_LIMIT), number(parameters, "offset", 0, 10_000)
        found = list(stored.values())
        for text in (text for name, text in query if name == "where"):
            try:
                wanted = predicate(text)
            except MalformedPredicateError as error:
                raise RefusedError("InvalidInput", f"Malformed parameter: where: {error}") from error
            found = [resource for resource in found if wanted(resource)]
        by, _, order = parameters.get("sort", "id asc").partition(" ")
        if order not in ("", "asc", "desc"):
            raise RefusedError("InvalidInput", "Malformed parameter: sort: asc or desc was expected.")
        found.sort(key=lambda resource: resource.get(by) or "", reverse=order == "desc")
        results = found[offset : offset + limit]
        page = {"limit": limit, "offset": offset, "count": len(results), "results": results}
        return page | ({"total": len(found)} if flag(parameters, "withTotal", default=True) else {})

    def _write(self, path: str, kind: str, name: str | None, body: bytes) -> tuple:
        sent: dict = {}
        try:
            sent = parsed(body)
            if self.before_write:
                self.before_write.popleft()()
            if self.answers:
                answer = self.answers.popleft()
            else:
                answer = (201, self._created(kind, sent)) if name is None else (200, self._updated(kind, name, sent))
        except RefusedError as refused:
            answer = refused.status, refused.body
        self.writes.append(Write(path, sent, answer[0], time.monotonic()))
        self._changed.notify_all()
        return answer

    def _created(self, kind: str, draft: dict) -> dict:
        if kind not in DRAFTS:
            raise RefusedError("InvalidOperation", f"Nothing of {kind} is created here.", 405)
        return self.put(kind, DRAFTS[kind](self._stored, draft))

    def _updated(self, kind: str, name: str, update: dict) -> dict:
        version, actions = required(update, "version", int), required(update, "actions", list)
        known = self._found(kind, self._stored[kind], name)
        if version != known["version"]:
            message = (
                f"Object '{known['id']}' has a different version than expected. "
                f"Expected: {version} - Actual: {known['version']}."
            )
            raise RefusedError("ConcurrentModification", message, 409, currentVersion=known["version"])
        changed = copy.deepcopy(known)
        for action in actions:
            apply = ACTIONS.get(kind, {}).get(required(action, "action", str))
            if apply is None:
                raise malformed(f"actions -> action: Invalid discriminator: {action['action']!r}")
            before = copy.deepcopy(changed)
            apply(self._stored, changed, action)
            changed["version"] += changed != before
        if changed["version"] != known["version"]:
            changed["lastModifiedAt"] = now()
        self._stored[kind][known["id"]] = changed
        return copy.deepcopy(changed)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def oauth_error(status: int, code: str, message: str) -> dict:
    errors = [{"code": code, "message": message}]
    return {
        "statusCode": status,
        "message": message,
        "errors": errors,
        "error": code,
        "error_description": message,
    }


def missing(name: str) -> RefusedError:
    return RefusedError("ResourceNotFound", f"The Resource with ID '{name}' was not found.", 404)


def parsed(body: bytes) -> dict:
    try:
        sent = json.loads(body)
    except ValueError as error:
        raise malformed(str(error)) from error
    if not isinstance(sent, dict):
        raise malformed("an object was expected")
    return sent


def flag(parameters: dict, name: str, *, default: bool = False) -> bool:
    text = parameters.get(name, str(default).lower())
    if text not in ("true", "false"):
        raise RefusedError("InvalidInput", f"Malformed parameter: {name}: true or false was expected.")
    return text == "true"


def number(parameters: dict, name: str, default: int, highest: int) -> int:
    text = parameters.get(name, str(default))
    if not text.isdigit() or int(text) > highest:
        raise RefusedError("InvalidInput", f"Malformed parameter: {name}: a number from 0 to {highest} was expected.")
    return int(text)
