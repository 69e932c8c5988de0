"""What may change in template.yaml, and what may not, where a stack of the version before (local/previous) is updated.

AWS is not asked. What an update does to what waits is tried in test_update.py.
"""

import pytest
import yaml

from stack.previous import TEMPLATE as BEFORE
from stack.previous import waiting
from stack.template import RESOURCES, TEMPLATE
from stack.tools import ROOT

KEPT = {
    "AWS::SQS::Queue": ("QueueName", "FifoQueue", "FifoThroughputLimit", "DeduplicationScope", "KmsMasterKeyId"),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::ApiGatewayV2::Api": ("ProtocolType",),
    "AWS::ApiGatewayV2::Stage": ("ApiId", "StageName"),
    "AWS::ApiGatewayV2::Route": ("ApiId", "RouteKey"),
}
"""Resources that are lost, or whose address changes, where CloudFormation makes them anew; with the properties that
have it do so (*Update requires: Replacement* in its template reference) or decide over order and identity."""
FUNCTION = "AWS::Serverless::Function"
MADE_ANEW = {
    FUNCTION,
    "AWS::ApiGatewayV2::Integration",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Events::Rule",
    "AWS::IAM::Role",
    "AWS::Lambda::Permission",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::QueryDefinition",
    "AWS::SQS::QueuePolicy",
}
"""Resources that hold nothing."""
BOUNDS = {"MinValue": min, "MinLength": min, "MaxValue": max, "MaxLength": max}
KEEPERS = [name for name, resource in BEFORE["Resources"].items() if resource["Type"] in KEPT]


def test_of_every_kind_of_resource_it_is_known_whether_it_keeps_something():
    kinds = {resource["Type"] for template in (BEFORE, TEMPLATE) for resource in template["Resources"].values()}
    assert kinds <= KEPT.keys() | MADE_ANEW


@pytest.mark.parametrize("name", KEEPERS)
def test_what_keeps_something_is_not_made_anew(name):
    before, today = BEFORE["Resources"][name], RESOURCES[name]
    assert (today["Type"], today.get("Condition")) == (before["Type"], before.get("Condition"))
    for key in KEPT[before["Type"]]:
        assert today["Properties"].get(key) == before["Properties"].get(key), key


def test_no_queue_keeps_messages_shorter_or_gives_them_up_earlier():
    for name in KEEPERS:
        before, today = (resources[name] for resources in (BEFORE["Resources"], RESOURCES))
        if before["Type"] != "AWS::SQS::Queue":
            continue
        assert today["DeletionPolicy"] == today["UpdateReplacePolicy"] == "Retain", name
        before, today = before["Properties"], today["Properties"]
        for key in ("MessageRetentionPeriod", "MaximumMessageSize"):
            assert today.get(key, 1 << 20) >= before.get(key, 1 << 20), name
        redrives = [properties.get("RedrivePolicy") for properties in (before, today)]
        assert (redrives[0] is None) == (redrives[1] is None), name
        if all(redrives):
            assert redrives[1]["deadLetterTargetArn"] == redrives[0]["deadLetterTargetArn"], name
            assert redrives[1]["maxReceiveCount"] >= redrives[0]["maxReceiveCount"], name


def test_a_parameter_that_is_new_has_a_default():
    new = TEMPLATE["Parameters"].keys() - BEFORE["Parameters"].keys()
    assert not [name for name in new if "Default" not in TEMPLATE["Parameters"][name]]


def test_every_value_that_a_parameter_could_have_it_still_can_have():
    for name, before in BEFORE["Parameters"].items():
        today = TEMPLATE["Parameters"][name]
        assert (today["Type"], "Default" in today) == (before["Type"], "Default" in before), name
        assert today.get("AllowedPattern") == before.get("AllowedPattern"), name
        assert not today.get("AllowedValues") or set(before["AllowedValues"]) <= set(today["AllowedValues"]), name
        for key, wider in BOUNDS.items():
            if key in today:
                assert wider(int(today[key]), int(before[key])) == int(today[key]), name


def test_every_output_is_there_and_says_the_same():
    told = {name: TEMPLATE["Outputs"].get(name, {}).get("Value") for name in BEFORE["Outputs"]}
    assert told == {name: output["Value"] for name, output in BEFORE["Outputs"].items()}


def test_no_export_is_gone():
    exports = [
        [output["Export"] for output in template["Outputs"].values() if "Export" in output]
        for template in (BEFORE, TEMPLATE)
    ]
    assert all(export in exports[1] for export in exports[0])


def test_every_function_reads_its_queue_by_the_event_source_that_it_had():
    """One that is renamed is made before the old one goes, and Lambda takes no second one of the same queue."""
    for name, before in BEFORE["Resources"].items():
        if before["Type"] == FUNCTION:
            events = before["Properties"].get("Events", {})
            today = RESOURCES[name]["Properties"].get("Events", {})
            assert {event: source["Properties"]["Queue"] for event, source in events.items()} == {
                event: source["Properties"]["Queue"] for event, source in today.items()
            }, name


def test_every_shipped_route_takes_the_same_messages_to_the_same_place():
    today = yaml.safe_load((ROOT / "shared/connector/shipped-routes.yaml").read_text())
    for name, before in waiting().shipped_routes.items():
        route = today[name]
        assert names(before) <= names(route), name
        for key in ("source", "handler", "endpoint"):
            assert route.get(key) == before.get(key), (name, key)


def names(route: dict) -> set[str]:
    """The names of the messages that a route wants; none where the clock starts it."""
    told = route.get("message", [])
    return {told} if isinstance(told, str) else set(told)
