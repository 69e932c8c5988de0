"""An order of commercetools on the deployed template: from the ct-queue to one order in Fluent."""

from stack.shop import BUSY, Shop, message, order


def created(stored: dict, kind: str = "OrderCreated", sequence: int = 1, **changes) -> dict:
    return message("order", stored["id"], kind, sequence, **changes)


def orders_of(shop: Shop, stored: dict) -> list[dict]:
    """What was created for an order."""
    inputs = [made for mutation, made in shop.fluent.entities.inputs if mutation.startswith("createOrder")]
    return [made for made in inputs if made["ref"] == f"HD_{stored['id']}"]


def test_an_order_that_is_created_becomes_one_in_fluent_with_the_right_values(shop):
    stored = shop.commercetools.put("orders", order("1001"))
    shop.notify(created(stored))
    shop.settle()
    (made,) = orders_of(shop, stored)
    (item,) = made["items"]
    assert (item["productRef"], item["quantity"], item["price"], item["totalPrice"]) == ("HAT-M", 2, 19.99, 39.98)
    assert (item["totalTaxPrice"], made["totalPrice"], made["totalTaxPrice"]) == (6.38, 39.98, 6.38)
    assert made["retailer"] == {"id": "1"}
    assert made["customer"]["username"] == "customer@shop.example"
    assert made["fulfilmentChoice"]["deliveryAddress"]["postcode"] == "20095"


def test_the_next_order_of_a_customer_is_that_customers(shop):
    email = {"customerEmail": "Again@shop.example"}
    first, second = (shop.commercetools.put("orders", order(number) | email) for number in ("1005", "1006"))
    for stored in (first, second):
        shop.notify(created(stored))
        shop.settle()
    (new,), (known,) = orders_of(shop, first), orders_of(shop, second)
    assert new["customer"]["username"] == "again@shop.example"
    assert known["customer"] == {"id": shop.fluent.entities.find("Customer", ref="again@shop.example")["id"]}


def test_twice_out_of_order_and_without_its_payload_it_is_still_one(shop):
    stored = shop.commercetools.put("orders", order("1002"))
    without = {"payloadNotIncluded": {"reason": "Payload too large.", "payloadType": "OrderImported"}}
    shop.notify(created(stored, "OrderImported", sequence=2, **without))
    for _ in range(2):
        shop.notify(created(stored))
    shop.settle()
    assert len(orders_of(shop, stored)) == 1


def test_while_fluent_is_out_of_order_the_order_waits(shop):
    shop.fluent.answers.extend([BUSY] * 5)
    stored = shop.commercetools.put("orders", order("1003"))
    shop.notify(created(stored))
    shop.settle()
    assert len(orders_of(shop, stored)) == 1
    assert not shop.fluent.answers


def test_an_order_that_cannot_be_mapped_is_parked_and_nothing_is_created(shop):
    nobody = order("1004")
    del nobody["customerEmail"]
    stored = shop.commercetools.put("orders", nobody)
    sent = shop.notify(created(stored))
    shop.settle()
    entry = shop.parked(sent)
    assert (entry["reason"], entry["code"]) == ("misconfigured", "E_MAPPING")
    assert "customerEmail" in entry["error"]
    assert not orders_of(shop, stored)
