"""Lists of Fluent, page by page: Relay connections of GraphQL, and the search of the Event API."""

import re
from urllib.parse import parse_qsl

LISTS = ("virtualPositions", "inventoryPositions", "locations")
EVENT_SEARCH_PATH = "/api/v4.1/event"
MAX_FIRST, DEFAULT_FIRST = 500, 10
"""Most nodes of a page, and those of a query that does not say (Fluent's schema, "GraphQL Queries")."""
MAX_COUNT, DEFAULT_COUNT = 5000, 100
"""Most events of a page, and those of a search that does not say ("Using the Event API")."""
FILTERS = {
    "name": ("name",),
    "category": ("category",),
    "retailerId": ("retailerId",),
    "eventType": ("type",),
    "eventStatus": ("eventStatus",),
    "context.entityType": ("context", "entityType"),
    "context.entityId": ("context", "entityId"),
    "context.entityRef": ("context", "entityRef"),
    "context.rootEntityType": ("context", "rootEntityType"),
    "context.rootEntityId": ("context", "rootEntityId"),
    "context.rootEntityRef": ("context", "rootEntityRef"),
}
"""Parameters of the search, and where events have what they are compared with."""
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{2,3}Z")


class RefusedError(Exception):
    """The query or search is none that Fluent takes."""


def list_of(query: str) -> str | None:
    """The list that a query asks for."""
    return next((name for name in LISTS if re.search(rf"\b{name}\s*\(", query or "")), None)


def listed(name: str, entities: list[dict], variables: dict) -> dict:
    """The page of a list that these variables ask for, by the names that the connector gives them."""
    first = variables.get("first", DEFAULT_FIRST)
    if type(first) is not int or not 1 <= first <= MAX_FIRST:
        raise RefusedError(f"first must be a number from 1 to {MAX_FIRST}")
    window = checked(variables.get("updatedOn") or {})
    wanted = [entity for entity in entities if within(entity.get("updatedOn"), window)]
    if name != "locations" and variables.get("catalogue") is not None:
        wanted = [entity for entity in wanted if entity.get("catalogue", {}).get("ref") == variables["catalogue"]]
    if (after := variables.get("after")) is not None:
        known = [cursor(entity) for entity in entities]
        if after not in known:
            raise RefusedError("after is no cursor of this list")
        behind = {id(entity) for entity in entities[known.index(after) + 1 :]}
        wanted = [entity for entity in wanted if id(entity) in behind]
    edges = [{"cursor": cursor(entity), "node": entity} for entity in wanted[:first]]
    return {"data": {name: {"edges": edges, "pageInfo": {"hasNextPage": len(wanted) > first}}}}


def cursor(entity: dict) -> str:
    return f"cursor-{entity['id']}"


def checked(window: dict) -> dict:
    """A DateRange, of which either end may be missing."""
    for end in window.values():
        if not isinstance(end, str) or not TIME.fullmatch(end):
            raise RefusedError(f"{end!r} is no DateTime")
    return window


def within(time: str | None, window: dict) -> bool:
    """Whether a time is in a DateRange; both ends belong to it."""
    if not window:
        return True
    return time is not None and window.get("from", "") <= time <= window.get("to", "9")


def searched(events: list[dict], query: str) -> dict:
    """The page of events that a search asks for."""
    asked = dict(parse_qsl(query, keep_blank_values=True))
    start, count = number(asked.pop("start", "0"), None), number(asked.pop("count", str(DEFAULT_COUNT)), MAX_COUNT)
    window = checked({end: asked.pop(end) for end in ("from", "to") if end in asked})
    if unknown := asked.keys() - FILTERS.keys():
        raise RefusedError(f"unknown parameters: {', '.join(sorted(unknown))}")
    found = [event for event in events if within(event.get("generatedOn"), window)]
    for name, value in asked.items():
        found = [event for event in found if str(at(event, FILTERS[name])) == value]
    results = found[start : start + count]
    return {"start": start, "count": len(results), "hasMore": start + len(results) < len(found), "results": results}


def number(text: str, highest: int | None) -> int:
    if not text.isdigit() or (highest is not None and not 1 <= int(text) <= highest):
        raise RefusedError(f"{text!r} is no number{f' from 1 to {highest}' if highest else ''}")
    return int(text)


def at(event: dict, path: tuple[str, ...]):
    for name in path:
        event = event.get(name) if isinstance(event, dict) else None
    return event
