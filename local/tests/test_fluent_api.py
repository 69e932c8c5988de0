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


def test_queries_are_answered_as_told_and_then_by_the_orders(fluent):
    token = token_of(fluent)
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
