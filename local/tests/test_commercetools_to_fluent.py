"""Customers, categories and products of commercetools on the deployed template: from the ct-queue to Fluent."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from stack.shop import BUSY, Shop, change, euro, message

CATALOGUE = {
    "entityType": "PRODUCT_CATALOGUE",
    "entityRef": "PC:MASTER:1",
    "entitySubtype": "MASTER",
    "rootEntityType": "PRODUCT_CATALOGUE",
    "rootEntityRef": "PC:MASTER:1",
    "retailerId": "1",
}


@dataclass(frozen=True)
class Pushed:
    """A resource in commercetools, and what Fluent is to be told of it."""

    id: str
    sent: list[dict]
    username: str | None = None

    def told(self, shop: Shop) -> list[tuple[int, dict]]:
        """What Fluent was told of it, which is by its id, or by the username of whom Fluent knows already."""
        return shop.told(self.id, self.username or self.id)


def text(name: str, value: str) -> dict:
    return {"name": name, "type": "STRING", "value": value}


def customer(shop: Shop, **changes) -> Pushed:
    tag = uuid.uuid4().hex[:8]
    home = {"id": "a1", "country": "DE", "streetName": "Hafenweg", "streetNumber": "3", "mobile": "+49 40 5550100"}
    stored = shop.commercetools.put(
        "customers",
        {
            "customerNumber": f"C-{tag}",
            "email": f"First.{tag}@Shop.example",
            "firstName": " First ",
            "lastName": "Buyer",
            "salutation": "Dr.",
            "addresses": [{"id": "a0", "country": "AT"}, home | {"postalCode": "20095", "city": "Hamburg"}],
            "defaultShippingAddressId": "a1",
        }
        | changes,
    )
    made = {
        "username": f"first.{tag}@shop.example",
        "primaryEmail": f"First.{tag}@Shop.example",
        "firstName": "First",
        "lastName": "Buyer",
        "title": "Dr.",
        "country": "DE",
        "primaryPhone": "+49 40 5550100",
        "timezone": "UTC",
        "promotionOptIn": False,
        "retailer": {"id": "1"},
        "attributes": [text("commercetoolsId", stored["id"]), text("customerNumber", f"C-{tag}")],
    }
    return Pushed(stored["id"], [made], made["username"])


def category(shop: Shop, **changes) -> Pushed:
    tag = uuid.uuid4().hex[:8]
    parent = shop.commercetools.put("categories", {"key": f"CLOTHES-{tag}", "name": {"en": "Clothes"}, "slug": {}})
    above = {"typeId": "category", "id": parent["id"]}
    stored = shop.commercetools.put(
        "categories",
        {
            "key": f"HATS-{tag}",
            "version": 4,
            "name": {"de": "Hüte", "en": "Hats"},
            "slug": {"en": "hats"},
            "description": {"en": "For the head"},
            "orderHint": "0.10",
            "parent": above,
            "ancestors": [above],
        }
        | changes,
    )
    attributes = {
        "ref": f"HATS-{tag}",
        "type": "STANDARD",
        "status": "ACTIVE",
        "name": "Hats",
        "summary": "For the head",
        "catalogueRef": "PC:MASTER:1",
        "parentCategory": f"CLOTHES-{tag}",
        "orderHint": "0.10",
        "commercetoolsId": stored["id"],
        "commercetoolsVersion": 4,
    }
    return Pushed(stored["id"], [CATALOGUE | {"name": "UPSERT_CATEGORY", "attributes": attributes}])


def product(shop: Shop, **changes) -> Pushed:
    """A hat in two sizes: staged under another name, and on sale in the first of them."""
    tag = uuid.uuid4().hex[:8]
    keyed, keyless = (
        shop.commercetools.put("categories", key | {"name": {"en": "Hats"}, "slug": {}})
        for key in ({"key": f"HATS-{tag}"}, {})
    )
    sale = {"value": euro(1499), "discount": {"typeId": "product-discount", "id": "d-1"}}
    images = [{"url": f"https://images.example/{tag}-{number}.jpg"} for number in (1, 2)]
    small = {
        "id": 1,
        "sku": f"HAT-{tag}-S",
        "prices": [{"id": "p-1", "value": euro(1999), "discounted": sale}],
        "images": images,
        "attributes": [{"name": "gtin", "value": "4006381333931"}],
    }
    stored = {
        "id": str(uuid.uuid4()),
        "version": 12,
        "key": f"HAT-{tag}",
        "productType": {"typeId": "product-type", "id": "t-1"},
        "name": {"en": "Hat", "de": "Hut"},
        "slug": {"en": "hat"},
        "description": {"en": "Keeps warm"},
        "categories": [{"typeId": "category", "id": found["id"]} for found in (keyless, keyed)],
        "masterVariant": small,
        "variants": [{"id": 2, "sku": f"HAT-{tag}-M", "prices": [{"id": "p-2", "value": euro(2199)}]}],
        "published": True,
        "hasStagedChanges": True,
    } | changes
    shop.commercetools.put_product(stored, stored | {"name": {"en": "Cap"}})
    shown = [
        text("imageUrlRef", images[0]["url"]),
        {"name": "imageUrls", "type": "JSON", "value": [image["url"] for image in images]},
    ]
    version = {"name": "commercetoolsVersion", "type": "INTEGER", "value": 12}
    common = {
        "status": "ACTIVE",
        "name": "Hat",
        "summary": "Keeps warm",
        "categoryRefs": [keyless["id"], f"HATS-{tag}"],
        "commercetoolsId": stored["id"],
        "commercetoolsVersion": 12,
    }
    standard = {"ref": f"HAT-{tag}", "type": "STANDARD", "gtin": "4006381333931", "attributes": [version, *shown]}
    variant = {"type": "VARIANT", "standardProductRef": f"HAT-{tag}"}
    first = {
        "ref": f"HAT-{tag}-S",
        "gtin": "4006381333931",
        "prices": [
            {"type": "DEFAULT", "currency": "EUR", "value": 19.99},
            {"type": "SPECIAL", "currency": "EUR", "value": 14.99},
        ],
        "attributes": [version, *shown],
    }
    second = {
        "ref": f"HAT-{tag}-M",
        "gtin": f"HAT-{tag}-M",
        "prices": [{"type": "DEFAULT", "currency": "EUR", "value": 21.99}],
        "attributes": [version],
    }
    sent = [common | standard, common | variant | first, common | variant | second]
    return Pushed(
        stored["id"], [CATALOGUE | {"name": "UPSERT_PRODUCT", "attributes": attributes} for attributes in sent]
    )


@dataclass(frozen=True)
class Upsert:
    """How a kind of resource is told of, and put into Fluent."""

    put: Callable[..., Pushed]
    notification: Callable[[str, int], dict]
    """Of a resource's id, for the first, second, ... time."""
    says_again: bool
    """Whether Fluent is told the same again, as it takes it: an upsert. Else it is asked, and told nothing."""
    busy: Callable[[Shop], None]
    """Has Fluent refuse for a while, as late as it can."""
    attempts: list[list[int]]
    """What of it goes out, by place, when it is busy: at first, where the last is refused, and then."""
    unmappable: dict
    problem: str


def busy_customers(shop: Shop) -> None:
    shop.fluent.answers.extend([BUSY, None, BUSY])  # the query, then the mutation behind it


UPSERTS = {
    "customer": Upsert(
        customer,
        lambda found, time: change("customer", found, "ResourceCreated" if time == 1 else "ResourceUpdated", time),
        says_again=False,
        busy=busy_customers,
        attempts=[[0], [0]],
        unmappable={"email": f"{'x' * 240}@shop.example"},
        problem="has an e-mail of more than 250 characters",
    ),
    "category": Upsert(
        category,
        lambda found, time: change("category", found, version=3 + time),
        says_again=True,
        busy=lambda shop: shop.fluent.event_answers.append(BUSY),
        attempts=[[0], [0]],
        unmappable={"key": "k" * 101},
        problem="its reference has more than 100 characters",
    ),
    "product": Upsert(
        product,
        lambda found, time: message("product", found, "ProductPublished", time),
        says_again=True,
        busy=lambda shop: shop.fluent.event_answers.extend([None, BUSY]),
        attempts=[[0, 1], [0, 1, 2]],
        unmappable={"variants": [{"id": 2}]},
        problem="variant 2 has no SKU",
    ),
}


@pytest.fixture(params=UPSERTS.values(), ids=UPSERTS)
def upsert(request) -> Upsert:
    return request.param


def accepted(sent: list[dict]) -> list[tuple[int, dict]]:
    return [(200, body) for body in sent]


def test_fluent_is_told_the_right_values_once_a_notification_and_again_as_it_takes_it(shop, upsert):
    pushed = upsert.put(shop)
    first = [shop.notify(upsert.notification(pushed.id, 1)) for _ in range(2)]
    shop.settle()
    assert pushed.told(shop) == accepted(pushed.sent)
    later = shop.notify(upsert.notification(pushed.id, 2))
    shop.settle()
    assert pushed.told(shop) == accepted(pushed.sent) * (2 if upsert.says_again else 1)
    for sent in (first[0], later):
        assert set(shop.outcomes(sent)) == {"answered"}, "handled, and all calls were taken"


def test_both_sides_may_be_busy_for_a_while(shop, upsert):
    pushed = upsert.put(shop)
    shop.commercetools.answers.append(BUSY)
    upsert.busy(shop)
    sent = shop.notify(upsert.notification(pushed.id, 1))
    shop.settle()
    failing, last = upsert.attempts
    expected = [(200, pushed.sent[at]) for at in failing[:-1]] + [(503, pushed.sent[failing[-1]])]
    assert pushed.told(shop) == expected + [(200, pushed.sent[at]) for at in last]
    assert not (shop.commercetools.answers or shop.fluent.answers or shop.fluent.event_answers)
    assert "retry" in shop.outcomes(sent)


def test_what_cannot_be_mapped_is_parked_and_fluent_told_nothing(shop, upsert):
    pushed = upsert.put(shop, **upsert.unmappable)
    sent = shop.notify(upsert.notification(pushed.id, 1))
    shop.settle()
    entry = shop.parked(sent)
    assert (entry["reason"], entry["code"]) == ("misconfigured", "E_MAPPING")
    assert upsert.problem in entry["error"] and pushed.id in entry["error"]
    assert pushed.told(shop) == []


def test_what_is_gone_again_is_noted_and_fluent_told_nothing(shop, upsert):
    gone = str(uuid.uuid4())
    sent = shop.notify(upsert.notification(gone, 1))
    shop.settle()
    (note,) = shop.notes(sent)
    assert note.startswith("nothing is sent: ") and gone in note
    assert shop.told(gone) == []


def test_of_a_customer_who_changed_fluent_is_told_what_differs(shop):
    pushed = customer(shop)
    (made,) = pushed.sent
    shop.notify(change("customer", pushed.id, "ResourceCreated", 1))
    shop.settle()
    shop.commercetools.change("customers", pushed.id, lastName="Other", customerNumber="C-0", salutation=None)
    shop.notify(change("customer", pushed.id))
    shop.settle()
    known = shop.fluent.entities.find("Customer", ref=made["username"])
    assert (known["lastName"], known["title"], known["firstName"]) == ("Other", "Dr.", "First")
    assert known["attributes"] == [text("commercetoolsId", pushed.id), text("customerNumber", "C-0")]
    (mutation, changes) = shop.fluent.entities.inputs[-1]
    differs = {"username": made["username"], "lastName": "Other", "attributes": [text("customerNumber", "C-0")]}
    assert (mutation, changes) == ("updateCustomer", differs)
