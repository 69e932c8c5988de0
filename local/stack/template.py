"""template.yaml as data: CloudFormation's short tags are read as what stands behind them."""

import json
import re
from pathlib import Path

import yaml

from .tools import ROOT


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short tags as plain values."""


def tag(loader, _suffix, node):
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


Loader.add_multi_constructor("!", tag)


def read(path: Path) -> dict:
    """A template of CloudFormation's."""
    return yaml.load(path.read_text(), Loader)  # noqa: S506 - a safe loader with CloudFormation's tags


TEMPLATE = read(ROOT / "template.yaml")
RESOURCES = TEMPLATE["Resources"]


def of(kind: str) -> dict:
    """The resources of a type, by their logical ids."""
    return {name: resource for name, resource in RESOURCES.items() if resource["Type"] == kind}


def dashboard() -> dict:
    """The dashboard with all alarms that a condition adds; what CloudFormation puts in stands there as `<name>`."""
    text, variables = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]
    for name, (_condition, value, _otherwise) in variables.items():
        text = text.replace(f"${{{name}}}", value)
    text = re.sub(r"\$\{([^!}][^}]*)\}", r"<\1>", text)
    return json.loads(text.replace("${!", "${"))
