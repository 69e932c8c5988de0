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


def graphql(fluent, token, name, **variables):
    query = f"query {{ {name}(first: $first) {{ edges {{ cursor node {{ id ref }} }} }} }}"
    return post(fluent, "/graphql", {"query": query, "variables": variables}, token)[1]


def test_a_list_is_filtered_by_time_and_given_page_by_page(fluent):
    token = token_of(fluent)
    fluent.lists["locations"] = [
        {"id": str(number), "ref": f"L{number}", "updatedOn": f"2026-11-20T08:0{number}:00.000Z"} for number in range(5)
    ]
    window = {"from": "2026-11-20T08:01:00.000Z", "to": "2026-11-20T08:03:00.000Z"}
    first = graphql(fluent, token, "locations", first=2, updatedOn=window)["data"]["locations"]
    assert [edge["node"]["ref"] for edge in first["edges"]] == ["L1", "L2"]
    assert first["pageInfo"]["hasNextPage"]
    after = first["edges"][-1]["cursor"]
    rest = graphql(fluent, token, "locations", first=2, updatedOn=window, after=after)["data"]["locations"]
    assert [edge["node"]["ref"] for edge in rest["edges"]] == ["L3"]
    assert not rest["pageInfo"]["hasNextPage"]


def test_a_list_of_positions_is_that_of_a_catalogue(fluent):
    token = token_of(fluent)
    fluent.lists["virtualPositions"] = [
        {"id": number, "ref": f"P{number}", "catalogue": {"ref": catalogue}}
        for number, catalogue in enumerate(["A", "B", "A"])
    ]
    found = graphql(fluent, token, "virtualPositions", first=500, catalogue="A")["data"]["virtualPositions"]
    assert [edge["node"]["ref"] for edge in found["edges"]] == ["P0", "P2"]


def test_a_list_refuses_what_fluent_refuses(fluent):
    token = token_of(fluent)
    for wrong in ({"first": 501}, {"first": 0}, {"after": "x"}, {"updatedOn": {"from": "yesterday"}}):
        answer = graphql(fluent, token, "locations", **wrong)
        assert answer["data"] is None, wrong
        assert answer["errors"], wrong


def search(fluent, token, **parameters):
    connection = http.client.HTTPConnection("127.0.0.1", fluent.port, timeout=5)
    try:
        connection.request(
            "GET", f"/api/v4.1/event?{urlencode(parameters)}", headers={"authorization": f"Bearer {token}"}
        )
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_events_are_searched_for_page_by_page(fluent):
    token = token_of(fluent)
    fluent.logged_events = [
        {"id": number, "eventStatus": status, "type": "ORCHESTRATION", "generatedOn": "2026-11-20T08:00:00.000Z"}
        for number, status in enumerate(["FAILED", "COMPLETE", "FAILED", "FAILED"])
    ]
    wanted = {"eventStatus": "FAILED", "eventType": "ORCHESTRATION", "to": "2026-11-20T09:00:00.000Z"}
    status, page = search(fluent, token, start=0, count=2, **wanted)
    assert (status, [event["id"] for event in page["results"]], page["hasMore"]) == (200, [0, 2], True)
    _, rest = search(fluent, token, start=2, count=2, **wanted)
    assert ([event["id"] for event in rest["results"]], rest["hasMore"]) == ([3], False)
    assert search(fluent, token, **wanted | {"from": "2026-11-20T08:30:00.00Z"})[1]["results"] == []
    for wrong in ({"count": 5001}, {"start": -1}, {"from": "yesterday"}, {"status": "FAILED"}):
        assert search(fluent, token, **wrong)[0] == 400, wrong
    assert search(fluent, "none")[0] == 401
    assert len(fluent.searches) == 7
