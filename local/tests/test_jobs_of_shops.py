"""The shipped jobs on the deployed template: all that has changed, page by page, from one side to the other."""

import json
import threading
import time
import uuid
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest

from stack.commercetools import now
from stack.shop import BUSY, Shop
from stack.stack import TTL_S, Stack

LONG_AGO = "2026-01-01T00:00:00.000Z"
"""Before any time that a run looks at again."""
PAGE = 2
CATALOGUE, INVENTORY = "commercetools-product-catalogue-sync", "commercetools-inventory-sync"
LOCATIONS, FAILURES = "commercetools-location-sync", "fluent-event-failure-summary"


@dataclass(frozen=True)
class Jobs:
    """Starts jobs by hand, and waits for what becomes of them."""

    stack: Stack
    shop: Shop

    def standing(self, job: str) -> dict:
        return next(found for found in self.stack.jobs()["jobs"] if found["job"] == job)

    def run(self, job: str, **request) -> str:
        """Starts a run and waits until all is done that it started; what it says of itself."""
        run = self.stack.jobs(run=job, **request)["id"]
        return self.end_of(job, run)

    def end_of(self, job: str, run: str) -> str:
        self.shop.settle()
        standing = self.standing(job)
        assert "run" not in standing and "problem" not in standing, standing
        (note,) = self.notes(run)
        assert note.endswith(f" to {standing['lastEndDate']}") or job == CATALOGUE
        return note

    def notes(self, run: str) -> list[str]:
        """What the steps of a run noted of the run, in its order."""
        entries = [entry for entry in self.stack.event_log() if entry["type"] == "message.note"]
        return [
            entry["note"] for entry in entries if entry["message.id"].startswith(run) and " done in " in entry["note"]
        ]


@pytest.fixture(scope="module")
def routes(stack, open_shop):
    """All jobs, which the clock does not start, with small pages."""
    props = {CATALOGUE: {}, INVENTORY: {"catalogue": "VC:1"}, LOCATIONS: {}}
    for job, told in props.items():
        route = {"enabled": True, "schedule": "manual", "endpoint": "patience", "props": told | {"pageSize": PAGE}}
        stack.put(f"routes/{job}", json.dumps(route))
    time.sleep(TTL_S)


@pytest.fixture
def jobs(stack, shop, routes):
    return Jobs(stack, shop)


def category(shop: Shop, parent: dict | None = None) -> dict:
    key = f"HATS-{uuid.uuid4().hex[:8]}"
    above = {"typeId": "category", "id": parent["id"]} if parent else None
    stored = {"key": key, "name": {"en": "Hats"}, "slug": {"en": key}, "lastModifiedAt": LONG_AGO}
    below = {"parent": above, "ancestors": [above]} if above else {}
    return shop.commercetools.put("categories", stored | below)


def product(shop: Shop) -> dict:
    key = f"HAT-{uuid.uuid4().hex[:8]}"
    stored = {
        "id": str(uuid.uuid4()),
        "version": 1,
        "key": key,
        "productType": {"typeId": "product-type", "id": "t-1"},
        "name": {"en": "Hat"},
        "slug": {"en": key},
        "categories": [],
        "masterVariant": {"id": 1, "sku": f"{key}-S"},
        "variants": [],
        "published": True,
        "lastModifiedAt": LONG_AGO,
    }
    shop.commercetools.put_product(stored, stored)
    return stored


def position(shop: Shop, catalogue: str = "VC:1") -> dict:
    """A position of Fluent's in a place that commercetools knows."""
    key = uuid.uuid4().hex[:8]
    place, sku = f"STORES-{key}", f"HAT-{key}"
    shop.commercetools.put("channels", {"key": place, "roles": ["InventorySupply"]})
    fields = {"ref": f"{sku}:{place}", "productRef": sku, "groupRef": place, "quantity": 3}
    fields |= {"updatedOn": LONG_AGO, "catalogue": {"ref": catalogue}}
    stored = shop.fluent.entities.put("VirtualPosition", fields)
    shop.fluent.lists["virtualPositions"].append(stored)
    return stored


def location(shop: Shop) -> dict:
    fields = {"ref": f"STORE-{uuid.uuid4().hex[:8]}", "name": "Store", "updatedOn": LONG_AGO}
    stored = shop.fluent.entities.put("Location", fields)
    shop.fluent.lists["locations"].append(stored)
    return stored


def told_refs(shop: Shop, since: int = 0) -> list[str]:
    """The references that Fluent was told of, from this event on."""
    return [event["attributes"]["ref"] for event in shop.fluent.events()[since:]]


def stock_of(shop: Shop, positions: list[dict]) -> list[int]:
    drafts = {write.body["sku"]: write for write in shop.commercetools.writes if write.path.endswith("/inventory")}
    return [drafts[found["productRef"]].body["quantityOnStock"] for found in positions]


def created(shop: Shop, kind: str, field: str) -> list[str]:
    writes = [write for write in shop.commercetools.writes if write.path.endswith(f"/{kind}") and write.status == 201]
    return [write.body[field] for write in writes]


def test_the_catalogue_comes_page_by_page_and_then_what_has_changed(shop, jobs):
    tops = [category(shop) for _ in range(3)]
    below = [category(shop, parent) for parent in tops]
    products = [product(shop) for _ in range(5)]
    keys = [found["key"] for found in tops + below + products]
    refs = sorted(keys + [found["masterVariant"]["sku"] for found in products])

    assert jobs.run(CATALOGUE).startswith("11 done in 7 steps, from the beginning to ")
    assert sorted(told_refs(shop)) == refs
    first = jobs.standing(CATALOGUE)["lastEndDate"]

    assert jobs.run(CATALOGUE).startswith("0 done in 3 steps, from ")
    assert sorted(told_refs(shop)) == refs, "nothing has changed"
    assert jobs.standing(CATALOGUE)["lastEndDate"] > first

    before = len(shop.fluent.events())
    shop.commercetools.change("product-projections", products[3]["id"], name={"en": "Cap"})
    assert jobs.run(CATALOGUE).startswith("1 done in 3 steps, from ")
    again = shop.fluent.events()[before:]
    assert [event["attributes"]["name"] for event in again] == ["Cap", "Cap"], "the product and its variant"
    jobs.run(CATALOGUE)
    assert len(shop.fluent.events()) == before + 2, "looked at again, and dropped by the queue: it is the same version"


def test_stock_of_a_catalogue_comes_and_then_what_has_changed(shop, jobs):
    positions = [position(shop) for _ in range(5)]
    other = position(shop, catalogue="VC:2")
    assert jobs.run(INVENTORY).startswith("5 done in 3 steps, from the beginning to ")
    assert stock_of(shop, positions) == [3] * 5
    assert other["productRef"] not in created(shop, "inventory", "sku")

    assert jobs.run(INVENTORY).startswith("0 done in 1 steps, from ")
    positions[2] |= {"quantity": 8, "updatedOn": now()}
    assert jobs.run(INVENTORY).startswith("1 done in 1 steps, from ")
    (entry,) = [write for write in shop.commercetools.writes if "changeQuantity" in json.dumps(write.body)]
    assert entry.body["actions"] == [{"action": "changeQuantity", "quantity": 8}]
    assert jobs.run(INVENTORY, **{"from": "beginning"}).startswith("5 done in 3 steps, from the beginning to ")


def test_locations_come_although_fluent_is_busy_in_the_middle_of_a_run(shop, jobs):
    locations = [location(shop) for _ in range(5)]
    refused = []

    def busy_on_the_second_page(query: str, variables: dict):
        if "locations(" in query and variables["after"] and len(refused) < 3:
            refused.append(variables["after"])
            shop.fluent.answers.append(busy_on_the_second_page)
            return BUSY
        if len(refused) < 3:
            shop.fluent.answers.append(busy_on_the_second_page)
        return None

    shop.fluent.answers.append(busy_on_the_second_page)
    assert jobs.run(LOCATIONS).startswith("5 done in 3 steps, from the beginning to ")
    assert len(set(refused)) == 1 and len(refused) == 3, "the same page, until Fluent gave it"
    assert sorted(created(shop, "channels", "key")) == sorted(found["ref"] for found in locations)


def test_commercetools_may_be_busy_when_a_run_begins(shop, jobs):
    shop.commercetools.answers.append(BUSY)
    assert " done in " in jobs.run(CATALOGUE)
    assert not shop.commercetools.answers


def test_two_who_ask_at_once_have_a_run_each_one_after_the_other(stack, shop, jobs):
    for _ in range(4):
        category(shop)
    before, asked = len(shop.commercetools.reads), []
    ask = {"run": CATALOGUE, "from": "beginning"}
    askers = [threading.Thread(target=lambda: asked.append(stack.jobs(**ask)["id"])) for _ in range(2)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    for run in asked:
        assert " done in " in jobs.end_of(CATALOGUE, run)
    queries = [parse_qs(urlsplit(read).query) for read in shop.commercetools.reads[before:]]
    wheres = [query["where"][0] for query in queries if "where" in query]
    ends = [where.partition('lastModifiedAt <= "')[2].partition('"')[0] for where in wheres]
    assert len(set(ends)) == 2, "two windows"
    assert ends == sorted(ends), "none of the first behind one of the second"


@pytest.fixture
def failures(stack, line):
    """The summary, delivered to the line's receiver."""
    line.endpoint()
    props = {"pageSize": PAGE, "errorAttributes": ["cause"]}
    route = {"enabled": True, "schedule": "manual", "endpoint": line.name, "props": props}
    stack.put(f"routes/{FAILURES}", json.dumps(route))
    time.sleep(TTL_S)
    yield line
    stack.forget(f"routes/{FAILURES}")


def failed(name: str, cause: str, **changes) -> dict:
    context = {"entityType": "ORDER", "entityId": "1"}
    attributes = [{"name": "cause", "value": cause}]
    event = {"id": uuid.uuid4().hex, "name": name, "eventStatus": "FAILED", "generatedOn": LONG_AGO}
    return event | {"context": context, "attributes": attributes} | changes


def test_what_failed_in_fluent_is_counted_and_delivered_once(shop, jobs, failures):
    shop.fluent.logged_events += [failed("Book", f"no stock of {number}") for number in range(4)]
    shop.fluent.logged_events += [failed("Ship", "no carrier"), failed("Ship", "x", eventStatus="SUCCESS")]
    assert jobs.run(FAILURES).startswith("5 done in 4 steps, from the beginning to ")
    (delivered,) = [json.loads(request.body) for request in failures.received(1)]
    counted = [(group["name"], group["entityType"], group["error"], group["count"]) for group in delivered["groups"]]
    assert counted == [("Book", "ORDER", "no stock of #", 4), ("Ship", "ORDER", "no carrier", 1)]
    assert (delivered["account"], delivered["total"], delivered["others"]) == ("ACME", 5, 0)
    assert delivered["to"] == jobs.standing(FAILURES)["lastEndDate"]

    assert jobs.run(FAILURES).startswith("0 done in 1 steps, from ")
    assert len(failures.received(2, timeout=2)) == 1, "nothing has failed since"
