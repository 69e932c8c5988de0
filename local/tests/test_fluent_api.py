"""The fake Fluent refuses what Fluent refuses."""

import http.client
import json
from urllib.parse import urlencode

import pytest

from stack.fluent import FluentApi


@pytest.fixture
def fluent():
    fluent = FluentApi()
    yield fluent
    fluent.stop()


def post(fluent, path, body, token=None):
    connection = http.client.HTTPConnection("127.0.0.1", fluent.port, timeout=5)
    try:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        connection.request("POST", path, body if isinstance(body, str) else json.dumps(body), headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def form(fluent, **changes):
    account = fluent.account
    names = {"username": "username", "password": "password", "clientId": "client_id", "clientSecret": "client_secret"}
    fields = {sent: account[known] for known, sent in names.items()}
    return urlencode({"grant_type": "password", "scope": "api"} | fields | changes)


def token_of(fluent):
    return post(fluent, "/oauth/token", form(fluent))[1]["access_token"]


def test_a_token_needs_every_credential(fluent):
    for changes in (
        {"password": "wrong"},
        {"client_secret": "wrong"},
        {"scope": "all"},
        {"grant_type": "refresh_token"},
    ):
        assert post(fluent, "/oauth/token", form(fluent, **changes))[0] == 400, changes
    assert post(fluent, "/oauth/token", form(fluent))[0] == 200


def test_only_a_token_that_has_not_ended_is_accepted(fluent):
    event = {"name": "Booked", "retailerId": "1", "entityType": "ORDER", "entityRef": "HD_1"}
    for token in (None, "development-token-1"):
        assert post(fluent, "/api/v4.1/event/async", event, token)[0] == 401
    token = token_of(fluent)
    assert post(fluent, "/api/v4.1/event/async", event, token)[0] == 200
    fluent.end_all_tokens()
    assert post(fluent, "/api/v4.1/event/async", event, token)[0] == 401
    fluent.token_life_s = 0
    assert post(fluent, "/graphql", {"query": "{ a }"}, token_of(fluent))[0] == 401
    assert fluent.events() == [event]


def test_queries_are_answered_as_told_and_then_from_the_entities(fluent):
    token = token_of(fluent)
    fluent.entities.put("Order", {"id": "101", "ref": "HD_101"})
    failed = {"data": None, "errors": [{"message": "told to fail"}]}
    fluent.answers.extend([failed, (503, {}), lambda _query, variables: {"data": variables}])
    query = {"query": "query ($id: ID!) { orderById(id: $id) { ref } }", "variables": {"id": "101"}}
    assert post(fluent, "/graphql", query, token) == (200, failed)
    assert post(fluent, "/graphql", query, token) == (503, {})
    assert post(fluent, "/graphql", query, token) == (200, {"data": {"id": "101"}})
    assert post(fluent, "/graphql", query, token)[1]["data"]["orderById"]["ref"] == "HD_101"
    assert len(fluent.wait_for(lambda asked: asked.body == query)) == 4


def test_an_event_needs_its_fields(fluent):
    token = token_of(fluent)
    event = {"name": "Booked", "retailerId": "1", "entityType": "ORDER", "entityId": "1"}
    answer = {"eventId": "development-event-1", "entityId": "1", "eventStatus": "COMPLETE"}
    assert post(fluent, "/api/v4.1/event/sync", event, token) == (200, answer)
    for name in ("name", "retailerId", "entityType", "entityId"):
        assert post(fluent, "/api/v4.1/event/async", {k: v for k, v in event.items() if k != name}, token)[0] == 400
    for wrong in ({"entityRef": "HD_1", "ref": "HD_1"}, {"attributes": [{"name": "a", "value": 1}]}):
        assert post(fluent, "/api/v4.1/event/async", event | wrong, token)[0] == 400, wrong
    fluent.event_answers.extend([None, (503, {})])
    assert [post(fluent, "/api/v4.1/event/async", event, token)[0] for _ in range(3)] == [200, 503, 200]
    assert [asked.status for asked in fluent.asked][-3:] == [200, 503, 200]


CUSTOMER = {
    "username": "buyer@shop.example",
    "firstName": "Buyer",
    "primaryEmail": "buyer@shop.example",
    "timezone": "UTC",
    "promotionOptIn": False,
    "retailer": {"id": "1"},
}
CREATE = "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { id ref } }"
UPDATE = "mutation ($input: UpdateCustomerInput!) { updateCustomer(input: $input) { id ref } }"
FIND = "query ($ref: String!) { customer(ref: $ref) { firstName lastName attributes { name value } } }"


def ask(fluent, token, query, **variables):
    """The data, else the errors."""
    status, answer = post(fluent, "/graphql", {"query": query, "variables": variables}, token)
    assert status == 200
    return answer.get("errors") or answer["data"]


def test_a_customer_is_created_once_and_then_changed(fluent):
    token = token_of(fluent)
    assert ask(fluent, token, FIND, ref="buyer@shop.example") == {"customer": None}
    created = ask(fluent, token, CREATE, input=CUSTOMER)["createCustomer"]
    assert created["ref"] == "buyer@shop.example"
    (taken,) = ask(fluent, token, CREATE, input=CUSTOMER)
    assert taken["extensions"]["code"] == "C0120E" and "is taken" in taken["message"]
    named = [{"name": name, "type": "STRING", "value": value} for name, value in (("a", "1"), ("b", "2"), ("a", "3"))]
    for attributes in (named[:2], named[2:]):
        changes = {"username": "buyer@shop.example", "lastName": "One", "attributes": attributes}
        assert ask(fluent, token, UPDATE, input=changes) == {"updateCustomer": created}
    found = ask(fluent, token, FIND, ref="buyer@shop.example")["customer"]
    assert (found["firstName"], found["lastName"]) == ("Buyer", "One")
    assert found["attributes"] == [{"name": "a", "value": "3"}, {"name": "b", "value": "2"}]
    (unknown,) = ask(fluent, token, UPDATE, input={"username": "nobody"})
    assert unknown["message"] == "Customer not found."
    assert [mutation for mutation, _ in fluent.entities.inputs] == ["createCustomer"] + ["updateCustomer"] * 2


def test_what_the_schema_does_not_have_is_refused_before_anything_is_done(fluent):
    token = token_of(fluent)
    for wrong in ({"firstName": None}, {"email": "x"}, {"retailer": {}}, {"attributes": [{"name": "a"}]}):
        (error, *_) = ask(fluent, token, CREATE, input=CUSTOMER | wrong)
        assert error["extensions"] == {"classification": "ValidationError"}, wrong
    for query in ("{ orders { id } }", "{ customer(ref: 1) { id } }", '{ customer(ref: "x") { email } }', "{", ""):
        (error, *_) = ask(fluent, token, query)
        assert error["extensions"] == {"classification": "ValidationError"}, query
    for wrong in ({"firstName": "x" * 51}, {"firstName": " "}, {"username": "x" * 251}):
        (error,) = ask(fluent, token, CREATE, input=CUSTOMER | wrong)
        assert "size must be" in error["message"], wrong
    assert fluent.entities.inputs == []


def test_an_order_is_created_once_and_needs_its_customer(fluent):
    token = token_of(fluent)
    create = "mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }"
    both = "mutation ($input: CreateOrderAndCustomerInput!) { createOrderAndCustomer(input: $input) { id } }"
    item = {"ref": "1", "quantity": 2}
    order = {"ref": "HD_1", "type": "HD", "retailer": {"id": "1"}, "items": [item], "customer": {"id": "7"}}
    assert "not found" in ask(fluent, token, create, input=order)[0]["message"]
    made = ask(fluent, token, both, input=order | {"customer": CUSTOMER})
    assert (
        "exists already"
        in ask(fluent, token, both, input=order | {"customer": CUSTOMER | {"username": "a"}})[0]["message"]
    )
    query = "query ($ref: String!) { order(ref: $ref) { id retailer { id } } }"
    found = ask(fluent, token, query, ref="HD_1")["order"]
    assert found == {"id": made["createOrderAndCustomer"]["id"], "retailer": {"id": "1"}}


def test_lists_are_paged_by_their_cursors(fluent):
    token = token_of(fluent)
    nodes = [{"article": {"ref": f"A-{number}"}} for number in range(3)]
    fluent.entities.put("Consignment", {"id": "5", "consignmentArticles": nodes})
    page = "{ edges { cursor node { article { ref } } } pageInfo { hasNextPage } }"
    articles = f"consignmentArticles(first: 2, after: $after) {page}"
    query = f"query ($id: ID!, $after: String) {{ consignmentById(id: $id) {{ {articles} }} }}"
    first = ask(fluent, token, query, id="5")["consignmentById"]["consignmentArticles"]
    assert ([edge["node"]["article"]["ref"] for edge in first["edges"]], first["pageInfo"]) == (
        ["A-0", "A-1"],
        {"hasNextPage": True},
    )
    rest = ask(fluent, token, query, id="5", after=first["edges"][-1]["cursor"])
    rest = rest["consignmentById"]["consignmentArticles"]
    assert ([edge["node"]["article"]["ref"] for edge in rest["edges"]], rest["pageInfo"]) == (
        ["A-2"],
        {"hasNextPage": False},
    )
