"""The entities of the small Fluent: what queries find, and what mutations make of them.

A query is held against `fluent.graphql`, and so are its variables: what the schema does not have, or what an input
lacks that it demands, is refused before anything is done.
"""

import threading
from pathlib import Path

from graphql import GraphQLError, build_schema, default_field_resolver, get_named_type, graphql_sync

SCHEMA = build_schema((Path(__file__).parent / "fluent.graphql").read_text())
MOST = {"title": 50, "firstName": 50, "lastName": 50, "primaryPhone": 20, "username": 250, "primaryEmail": 250}
"""Characters of a customer's fields (Fluent's `CreateCustomerInput`)."""
CLIENT_ERROR = "C0120E"
"""A code of Fluent's for what the caller has to mend."""


class Entities:
    """By type and id; a field that is asked for and that nobody gave is null."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._stored: dict[str, dict[str, dict]] = {}
        self.inputs: list[tuple[str, dict]] = []
        """What was made or changed: the mutation and its input."""

    def put(self, kind: str, entity: dict) -> dict:
        """Stores an entity of this type of the schema, and gives it back as it stands here, with an id.

        A Relay connection is the list of its nodes.
        """
        with self._lock:
            of_kind = self._stored.setdefault(kind, {})
            stored = {"id": str(1000 + len(of_kind))} | entity
            of_kind[stored["id"]] = stored
            return stored

    def find(self, kind: str, **named) -> dict | None:
        """The first entity that has these values."""
        with self._lock:
            of_kind = self._stored.get(kind, {}).values()
            return next((found for found in of_kind if named.items() <= found.items()), None)

    def answer(self, query: str, variables: dict | None) -> dict:
        """What Fluent answers to a query or mutation: `data`, or `errors` besides."""
        with self._lock:
            done = graphql_sync(SCHEMA, query, Root(self), variable_values=variables, field_resolver=resolved)
            errors = [refused(error) for error in done.errors or []]
            return {"data": done.data} | ({"errors": errors} if errors else {})


class Root:
    """The fields of `Query` and `Mutation`."""

    def __init__(self, entities: Entities) -> None:
        self._entities = entities

    def orderById(self, _info, id):
        return self._entities.find("Order", id=id)

    def order(self, _info, **named):
        return self._entities.find("Order", **named)

    def customer(self, _info, ref):
        return self._entities.find("Customer", ref=ref)

    def fulfilmentById(self, _info, id):
        return self._entities.find("Fulfilment", id=id)

    def consignmentById(self, _info, id):
        return self._entities.find("Consignment", id=id)

    def locationById(self, _info, id):
        return self._entities.find("Location", id=id)

    def virtualPositionById(self, _info, id):
        return self._entities.find("VirtualPosition", id=id)

    def inventoryPositionById(self, _info, id):
        return self._entities.find("InventoryPosition", id=id)

    def createOrder(self, _info, input):
        if not self._entities.find("Customer", id=input["customer"]["id"]):
            raise GraphQLError("Customer not found.", extensions={"code": CLIENT_ERROR})
        return self._new_order("createOrder", input)

    def createOrderAndCustomer(self, _info, input):
        if not self._entities.find("Order", ref=input["ref"]):
            self._new_customer(input["customer"])
        return self._new_order("createOrderAndCustomer", input)

    def createCustomer(self, _info, input):
        made = self._new_customer(input)
        self._entities.inputs.append(("createCustomer", input))
        return made

    def updateCustomer(self, _info, input):
        known = self._entities.find("Customer", ref=input["username"])
        if known is None:
            raise GraphQLError("Customer not found.", extensions={"code": CLIENT_ERROR})
        fits(input)
        named = {attribute["name"]: attribute for attribute in known.get("attributes") or []}
        named |= {attribute["name"]: attribute for attribute in input.get("attributes") or []}
        known |= {name: value for name, value in input.items() if name != "username"}
        known["attributes"] = list(named.values())
        self._entities.inputs.append(("updateCustomer", input))
        return known

    def _new_order(self, mutation: str, input: dict) -> dict:
        if self._entities.find("Order", ref=input["ref"]):
            raise GraphQLError(f"Order {input['ref']} exists already.", extensions={"code": CLIENT_ERROR})
        self._entities.inputs.append((mutation, input))
        return self._entities.put("Order", input | {"status": "CREATED"})

    def _new_customer(self, input: dict) -> dict:
        if self._entities.find("Customer", ref=input["username"]):
            raise GraphQLError(f"Username {input['username']} is taken.", extensions={"code": CLIENT_ERROR})
        fits(input)
        return self._entities.put("Customer", input | {"ref": input["username"]})


def fits(customer: dict) -> None:
    """Refuses a customer whose fields are too long, or blank."""
    for name, most in MOST.items():
        value = customer.get(name)
        if value is not None and not 0 < len(value.strip()) <= most:
            raise GraphQLError(f"{name}: size must be between 1 and {most}", extensions={"code": CLIENT_ERROR})


def resolved(source, info, **arguments):
    """A field's value; a list of nodes as the Relay connection that the schema makes of it."""
    value = default_field_resolver(source, info, **arguments)
    is_connection = get_named_type(info.return_type).name.endswith("Connection")
    return page(value, **arguments) if is_connection and isinstance(value, list) else value


def page(nodes: list, first: int = 100, after: str | None = None) -> dict:
    start = int(after) + 1 if after else 0
    edges = [{"cursor": str(start + at), "node": node} for at, node in enumerate(nodes[start : start + first])]
    return {"edges": edges, "pageInfo": {"hasNextPage": start + first < len(nodes)}}


def refused(error: GraphQLError) -> dict:
    """An error as Fluent tells it: those of the query itself carry the class that graphql-java gives them."""
    told = error.formatted
    return told if error.path else told | {"extensions": {"classification": "ValidationError"}}
