"""The fake commercetools does what commercetools documents, and refuses what it refuses."""

import base64
import http.client
import json
from urllib.parse import urlencode

import pytest

from stack.commercetools import CommercetoolsApi
from stack.predicates import MalformedPredicateError, predicate

SCOPES = "manage_orders:acme-shop manage_products:acme-shop view_customers:acme-shop view_messages:acme-shop"
ORDER = {
    "id": "o-1",
    "version": 3,
    "orderNumber": "HD_1",
    "orderState": "Open",
    "lineItems": [{"id": "l-1"}],
    "shippingMode": "Single",
    "shippingInfo": {"deliveries": []},
    "syncInfo": [],
}


@pytest.fixture
def api():
    api = CommercetoolsApi()
    yield api
    api.stop()


def call(api, method, path, body=None, authorization=""):
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=5)
    try:
        content = body if isinstance(body, str | None) else json.dumps(body)
        connection.request(method, path, content, {"authorization": authorization})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def basic(client_id, client_secret):
    return "Basic " + base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()


def token(api, scope=SCOPES, **changes):
    form = urlencode({"grant_type": "client_credentials", "scope": scope} | changes)
    status, answer = call(api, "POST", "/oauth/token", form, basic(api.client_id, api.client_secret))
    return f"Bearer {answer['access_token']}" if status == 200 else answer["error"]


def get(api, path, scope=SCOPES):
    return call(api, "GET", f"/acme-shop/{path}", None, token(api, scope))


def post(api, path, body, scope=SCOPES):
    return call(api, "POST", f"/acme-shop/{path}", body, token(api, scope))


def query(api, kind, **parameters):
    return get(api, f"{kind}?{urlencode(parameters)}")


def update(api, path, version, *actions):
    return post(api, path, {"version": version, "actions": list(actions)})


def code(answer):
    status, body = answer
    assert body["statusCode"] == status and body["message"]
    return status, body["errors"][0]["code"]


def test_a_token_needs_the_clients_credentials_and_scopes_of_its_project(api):
    form = "grant_type=client_credentials"
    for authorization in ("", basic("connect", "wrong"), "Bearer x"):
        assert code(call(api, "POST", "/oauth/token", form, authorization)) == (401, "invalid_client")
    assert token(api, grant_type="password") == "unsupported_grant_type"
    assert token(api, scope="view_orders:another") == "invalid_scope"
    assert token(api).startswith("Bearer ") and api.token_calls == 1


def test_only_a_token_that_has_not_ended_is_accepted(api):
    api.put("orders", ORDER)
    for authorization in ("", "Bearer unknown", basic(api.client_id, api.client_secret)):
        answer = call(api, "GET", "/acme-shop/orders/o-1", None, authorization)
        assert code(answer) == (401, "invalid_token") and answer[1]["error"] == "invalid_token"
    kept = token(api)
    assert call(api, "GET", "/acme-shop/orders/o-1", None, kept)[0] == 200
    api.end_all_tokens()
    assert call(api, "GET", "/acme-shop/orders/o-1", None, kept)[0] == 401
    api.token_life_s = 0
    assert get(api, "orders/o-1")[0] == 401


def test_a_token_is_good_for_its_scopes_and_its_project(api):
    api.put("orders", ORDER)
    reading = "view_orders:acme-shop"
    assert get(api, "orders/o-1", reading)[0] == 200
    assert code(get(api, "customers/c-1", reading)) == (403, "insufficient_scope")
    assert code(post(api, "orders/o-1", {"version": 3, "actions": []}, reading)) == (403, "insufficient_scope")
    assert get(api, "orders/o-1", "manage_project:acme-shop")[0] == 200
    assert code(call(api, "GET", "/another/orders/o-1", None, token(api))) == (403, "insufficient_scope")
    assert api.writes == []


def test_a_resource_is_found_by_id_and_by_its_other_names(api):
    api.put("orders", ORDER)
    api.put("channels", {"id": "ch-1", "key": "berlin", "roles": []})
    assert get(api, "orders/o-1")[1]["version"] == 3
    assert get(api, "orders/order-number=HD_1")[1]["id"] == "o-1"
    assert get(api, "channels/key=berlin")[1]["id"] == "ch-1"
    for path in ("orders/o-2", "orders/order-number=HD_2", "orders/key=HD_1", "nothing", "orders/o-1/x"):
        assert code(get(api, path)) == (404, "ResourceNotFound"), path
    assert api.reads[0] == "/acme-shop/orders/o-1"


def test_a_product_is_what_it_is_or_what_it_is_going_to_be(api):
    api.put_product({"id": "p-1", "name": {"en": "Hat"}}, {"id": "p-1", "name": {"en": "Cap"}})
    api.put_product(None, {"id": "p-2", "name": {"en": "New"}})
    assert get(api, "product-projections/p-1")[1]["name"] == {"en": "Hat"}
    assert get(api, "product-projections/p-1?staged=true")[1]["name"] == {"en": "Cap"}
    assert code(get(api, "product-projections/p-2?staged=false")) == (404, "ResourceNotFound")
    assert query(api, "product-projections")[1]["count"] == 1
    assert query(api, "product-projections", staged="true")[1]["count"] == 2
    assert code(query(api, "product-projections", staged="yes")) == (400, "InvalidInput")


def test_a_query_is_filtered_sorted_and_cut(api):
    for number in range(5):
        api.put("inventory", {"id": f"i-{number}", "sku": "HAT" if number % 2 else "CAP", "quantityOnStock": number})
    parameters = {"sort": "id asc", "limit": "2", "withTotal": "false", "where": 'id > "i-1"'}
    page = query(api, "inventory", **parameters)[1]
    assert [found["id"] for found in page["results"]] == ["i-2", "i-3"]
    assert (page["limit"], page["count"], "total" in page) == (2, 2, False)
    page = query(api, "inventory", where='sku = "HAT"', sort="quantityOnStock desc")[1]
    assert ([found["id"] for found in page["results"]], page["total"]) == (["i-3", "i-1"], 2)
    for wrong in ({"limit": "501"}, {"limit": "x"}, {"sort": "id up"}, {"where": "sku ="}, {"withTotal": "no"}):
        assert code(query(api, "inventory", **wrong)) == (400, "InvalidInput"), wrong


def test_predicates_are_what_they_say():
    stock = {"id": "i-1", "sku": 'H"T', "quantity": 3, "supplyChannel": {"id": "ch-1"}, "live": True}
    for text in (
        'sku = "H\\"T"',
        'sku = "H\\"T" and supplyChannel(id = "ch-1")',
        'id = "x" or (id = "i-1" and quantity >= 3)',
        'quantity < 4 and quantity <> 2 and live = true and id != "x"',
        "supplyChannel is defined and key is not defined",
        'id in ("i-0", "i-1") and quantity in (3)',
    ):
        assert predicate(text)(stock), text
    for text in (
        'sku = "HAT"',
        'supplyChannel(id = "ch-2")',
        'key > "a"',
        'quantity(id = "x")',
        "id is not defined",
        'id in ("i-2")',
    ):
        assert not predicate(text)(stock), text
    for text in (
        "",
        "id",
        'id = "x',
        'id = "x" and',
        '(id = "x"',
        "id = x",
        'id ~ "x"',
        'id = "x" id',
        '"id" = "x"',
        "id in ()",
        'id in "x"',
    ):
        with pytest.raises(MalformedPredicateError):
            predicate(text)


def test_an_update_is_made_to_the_version_that_it_names(api):
    api.put("orders", ORDER)
    confirm = {"action": "changeOrderState", "orderState": "Confirmed"}
    status, order = update(api, "orders/o-1", 3, confirm)
    assert (status, order["orderState"], order["version"]) == (200, "Confirmed", 4)
    answer = update(api, "orders/o-1", 3, confirm)
    assert code(answer) == (409, "ConcurrentModification") and answer[1]["errors"][0]["currentVersion"] == 4
    assert update(api, "orders/o-1", 4, confirm)[1]["version"] == 4, "nothing changed"
    assert code(update(api, "orders/o-2", 1, confirm)) == (404, "ResourceNotFound")
    assert [(write.path, write.status) for write in api.writes[:2]] == [
        ("/acme-shop/orders/o-1", 200),
        ("/acme-shop/orders/o-1", 409),
    ]
    assert len(api.wait_for(lambda write: write.body["version"] == 4)) == 1


def test_somebody_else_may_be_faster(api):
    api.put("inventory", {"id": "i-1", "sku": "HAT", "quantityOnStock": 5, "availableQuantity": 4})
    api.before_write.append(lambda: api.change("inventory", "i-1", quantityOnStock=9, availableQuantity=8))
    change = {"action": "addQuantity", "quantity": 1}
    assert code(update(api, "inventory/i-1", 1, change)) == (409, "ConcurrentModification")
    assert update(api, "inventory/i-1", 2, change)[0] == 200
    entry = api.get("inventory", "i-1")
    assert (entry["quantityOnStock"], entry["availableQuantity"]) == (10, 9)


def test_an_update_is_made_whole_or_not_at_all(api):
    api.put("orders", ORDER)
    confirm = {"action": "changeOrderState", "orderState": "Confirmed"}
    for wrong, expected in (
        ({"action": "unheardOf"}, "InvalidJsonInput"),
        ({"orderState": "Open"}, "InvalidJsonInput"),
        ({"action": "changeOrderState"}, "InvalidJsonInput"),
        ({"action": "changeOrderState", "orderState": "Lost"}, "InvalidJsonInput"),
        ({"action": "changeQuantity", "quantity": 1}, "InvalidJsonInput"),
        ({"action": "addDelivery", "items": [{"id": "l-2", "quantity": 1}]}, "InvalidOperation"),
        ({"action": "addParcelToDelivery", "deliveryId": "d-9"}, "InvalidOperation"),
        ({"action": "setCustomField", "name": "a", "value": 1}, "InvalidOperation"),
        ({"action": "updateSyncInfo", "channel": {"typeId": "channel", "id": "x"}}, "ReferencedResourceNotFound"),
    ):
        assert code(update(api, "orders/o-1", 3, confirm, wrong)) == (400, expected), wrong
    for body in ("{", "[]", {"version": "3", "actions": []}, {"actions": []}, {"version": 3}):
        assert code(post(api, "orders/o-1", body)) == (400, "InvalidJsonInput"), body
    assert api.get("orders", "o-1")["orderState"] == "Open"


def test_an_order_goes_its_way(api):
    api.put("orders", ORDER | {"custom": {"fields": {}}})
    api.put("channels", {"id": "ch-9", "key": "fluent", "roles": ["OrderExport"]})
    items, tracking = [{"id": "l-1", "quantity": 1}], {"trackingId": "T-1"}
    parcels = [{"trackingData": tracking, "items": items}]
    delivery = {"action": "addDelivery", "deliveryKey": "F_1", "items": items, "parcels": parcels}
    order = update(
        api,
        "orders/o-1",
        3,
        delivery,
        {"action": "changeShipmentState", "shipmentState": "Shipped"},
        {"action": "changePaymentState", "paymentState": "Paid"},
        {"action": "transitionState", "state": {"typeId": "state", "id": "s-1"}},
        {"action": "updateSyncInfo", "channel": {"typeId": "channel", "key": "fluent"}, "externalId": "4711"},
        {"action": "setCustomField", "name": "fluentRef", "value": "HD_1"},
    )[1]
    assert order["version"] == 9
    made = order["shippingInfo"]["deliveries"][0]
    assert (made["key"], made["items"], made["parcels"][0]["trackingData"]) == ("F_1", items, tracking)
    assert order["state"] == {"typeId": "state", "id": "s-1"}
    assert order["syncInfo"][0]["channel"] == {"typeId": "channel", "id": "ch-9"}
    assert order["custom"]["fields"] == {"fluentRef": "HD_1"}
    parcel = {"action": "addParcelToDelivery", "deliveryId": made["id"], "trackingData": tracking, "items": items}
    parcel["parcelKey"] = "P_2"
    parcels = update(api, "orders/o-1", 9, parcel)[1]["shippingInfo"]["deliveries"][0]["parcels"]
    assert [made.get("key") for made in parcels] == [None, "P_2"]
    for again in (delivery, parcel):
        assert code(update(api, "orders/o-1", 10, again)) == (400, "DuplicateField"), again
    track = {"action": "setParcelTrackingData", "parcelId": parcels[1]["id"], "trackingData": {"trackingId": "T-2"}}
    parcels = update(api, "orders/o-1", 10, track)[1]["shippingInfo"]["deliveries"][0]["parcels"]
    assert [made["trackingData"]["trackingId"] for made in parcels] == ["T-1", "T-2"]
    assert code(update(api, "orders/o-1", 11, track | {"parcelId": "none"})) == (400, "InvalidOperation")


def test_a_delivery_of_several_shipments_names_its_own(api):
    shipping = [{"shippingKey": "a", "shippingInfo": {}}]
    api.put("orders", ORDER | {"shippingMode": "Multiple", "shipping": shipping})
    assert code(update(api, "orders/o-1", 3, {"action": "addDelivery"})) == (400, "InvalidOperation")
    order = update(api, "orders/o-1", 3, {"action": "addDelivery", "shippingKey": "a"})[1]
    assert len(order["shipping"][0]["shippingInfo"]["deliveries"]) == 1


def test_a_channel_without_the_role_takes_no_orders(api):
    api.put("orders", ORDER)
    api.put("channels", {"id": "ch-1", "key": "berlin", "roles": ["InventorySupply"]})
    sync = {"action": "updateSyncInfo", "channel": {"typeId": "channel", "id": "ch-1"}, "externalId": "1"}
    assert code(update(api, "orders/o-1", 3, sync)) == (400, "MissingRoleOnChannel")


def test_stock_is_created_once_for_each_channel(api):
    api.put("channels", {"id": "ch-1", "key": "berlin", "roles": []})
    draft = {"sku": "HAT", "quantityOnStock": 5, "supplyChannel": {"typeId": "channel", "key": "berlin"}}
    status, entry = post(api, "inventory", draft)
    assert (status, entry["version"], entry["availableQuantity"]) == (201, 1, 5)
    assert entry["supplyChannel"] == {"typeId": "channel", "id": "ch-1"}
    assert code(post(api, "inventory", draft)) == (400, "DuplicateField")
    assert post(api, "inventory", {"sku": "HAT", "quantityOnStock": 1})[0] == 201, "without a channel it is another"
    for name in ("sku", "quantityOnStock"):
        assert code(post(api, "inventory", draft | {name: None})) == (400, "InvalidJsonInput")
    elsewhere = draft | {"supplyChannel": {"typeId": "channel", "key": "nowhere"}}
    assert code(post(api, "inventory", elsewhere)) == (400, "ReferencedResourceNotFound")


def test_a_channel_is_created_once_and_changed(api):
    status, channel = post(api, "channels", {"key": "berlin", "name": {"en": "Berlin"}})
    assert (status, channel["roles"]) == (201, ["InventorySupply"])
    assert code(post(api, "channels", {"key": "berlin"})) == (400, "DuplicateField")
    assert code(post(api, "channels", {"key": "mitte", "roles": ["Boss"]})) == (400, "InvalidJsonInput")
    for wrong, expected in (
        ({"key": "a b"}, "InvalidField"),
        ({"address": {"country": "Germany"}}, "InvalidJsonInput"),
        ({"address": {"city": "Berlin"}}, "InvalidJsonInput"),
        ({"name": {"english": 1}}, "InvalidJsonInput"),
        ({"geoLocation": {"type": "Point", "coordinates": [52.5, 113.4]}}, "InvalidJsonInput"),
    ):
        assert code(post(api, "channels", {"key": "mitte"} | wrong)) == (400, expected), wrong
    more = update(api, f"channels/{channel['id']}", 1, {"action": "addRoles", "roles": ["InventorySupply", "Primary"]})
    assert more[1]["roles"] == ["InventorySupply", "Primary"]
    changed = update(
        api,
        f"channels/{channel['id']}",
        2,
        {"action": "setRoles", "roles": ["OrderExport"]},
        {"action": "changeName", "name": {"en": "Mitte"}},
        {"action": "setAddress", "address": {"country": "DE"}},
        {"action": "setAddress"},
    )[1]
    assert (changed["roles"], changed["name"], "address" in changed) == (["OrderExport"], {"en": "Mitte"}, False)


def test_it_answers_as_told(api):
    api.put("orders", ORDER)
    api.answers.extend([(503, {"statusCode": 503}), (429, {}, {"retry-after": "7"})])
    assert get(api, "orders/o-1")[0] == 503
    assert post(api, "orders/o-1", {"version": 3, "actions": []})[0] == 429
    assert get(api, "orders/o-1")[0] == 200
    assert [write.status for write in api.writes] == [429]


def test_categories_are_listed_by_time_and_place(api):
    early, late = "2026-11-20T08:00:00.000Z", "2026-11-20T09:00:00.000Z"
    parent = {"typeId": "category", "id": "a"}
    for name, modified, more in (("a", early, {}), ("b", late, {}), ("c", early, {"parent": parent})):
        api.put("categories", {"id": name, "lastModifiedAt": modified} | more)
    window = f'lastModifiedAt > "2026-11-01T00:00:00.000Z" and lastModifiedAt <= "{early}"'
    for place, expected in (("is not defined", ["a"]), ("is defined", ["c"])):
        page = query(api, "categories", where=f'({window} and parent {place}) and id > "0"', sort="id asc")[1]
        assert [category["id"] for category in page["results"]] == expected


def test_a_change_moves_the_time_of_the_last_one(api):
    before = api.put("categories", {"id": "a", "lastModifiedAt": "2026-11-20T08:00:00.000Z"})
    api.change("categories", "a", orderHint="0.1")
    assert api.get("categories", "a")["lastModifiedAt"] > before["lastModifiedAt"]
