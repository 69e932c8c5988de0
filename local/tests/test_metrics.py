"""What is delivered is measured: the event log's entries are documents of CloudWatch's embedded metric format."""

import jsonschema
import pytest

TEXT = {"type": "string", "minLength": 1, "maxLength": 255}
SCHEMA = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer"},
                "CloudWatchMetrics": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "properties": {
                            "Namespace": TEXT,
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {"type": "array", "maxItems": 30, "items": TEXT},
                            },
                            "Metrics": {
                                "type": "array",
                                "maxItems": 100,
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "properties": {
                                        "Name": TEXT,
                                        "Unit": {"enum": ["Count", "Milliseconds", "Seconds"]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}
"""The specification's schema (CloudWatch user guide, embedded metric format), with the units that are used here."""


def measured(entry: dict) -> set[str]:
    """The metrics of an entry, once it is what the specification asks for."""
    jsonschema.validate(entry, SCHEMA)
    directives = entry["_aws"]["CloudWatchMetrics"]
    for directive in directives:
        assert directive["Namespace"] == "FluentConnect"
        # A target member is one of the entry's own fields: a text for a dimension, a number for a metric.
        assert all(isinstance(entry[key], str) for keys in directive["Dimensions"] for key in keys)
        numbers = [entry[metric["Name"]] for metric in directive["Metrics"]]
        assert all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers)
    return {metric["Name"] for directive in directives for metric in directive["Metrics"]}


def test_a_delivery_is_measured_by_its_entry(line):
    event = line.send()
    entry = line.entry(event, lambda entry: entry.get("outcome") == "delivered")
    assert measured(entry) == {"Delivered", "AttemptDuration", "DeliveryDelay"}
    assert (entry["stack"], entry["endpoint"]) == ("fluent-connect", line.name)
    assert all(directive["Dimensions"] == [["stack"], ["stack", "endpoint"]] for directive in directives_of(entry))


def test_a_message_that_no_route_wants_is_measured(line):
    event = line.send(name=f"{line.name}Unknown")
    entry = line.entry(event, lambda entry: entry["type"] == "message.unrouted")
    assert measured(entry) == {"Unrouted"}


def directives_of(entry: dict) -> list[dict]:
    return entry["_aws"]["CloudWatchMetrics"]


def test_what_the_specification_forbids_is_found():
    with pytest.raises(jsonschema.ValidationError):
        measured({"_aws": {"CloudWatchMetrics": []}})
