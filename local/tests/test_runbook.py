"""The runbook holds what the template has: its alarms, queries, widgets, parameters and outputs. No stack is needed."""

import json
import re
import subprocess
import sys

import pytest

from stack.template import RESOURCES, TEMPLATE, dashboard, of
from stack.tools import ROOT

PAGE = (ROOT / "shared/docs/runbook.md").read_text()
README = (ROOT / "README.md").read_text()
ALARMS = of("AWS::CloudWatch::Alarm")
ROWS = ["Means", "Look", "Do", "Over", "Never"]
TERMS = {"SendWebhook", "PutLogEvents", "AccessDenied"}
"""Words in code that are Fluent's and AWS's own."""


def headings(page: str) -> list[str]:
    """The headings of a page, without what its code blocks hold."""
    text = re.sub(r"^```.*?^```$", "", page, flags=re.M | re.S)
    return re.findall(r"^#+ (.+)$", text, re.M)


def anchors(page: str) -> set[str]:
    """What GitHub makes of the headings."""
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings(page)}


def section(name: str) -> str:
    return PAGE.split(f"\n### {name}\n")[1].split("\n#")[0]


def test_every_alarm_has_a_section_and_no_section_is_of_another():
    told = [heading for heading in headings(PAGE) if heading.endswith("Alarm")]
    assert sorted(told) == sorted(ALARMS)


@pytest.mark.parametrize("name", ALARMS)
def test_a_section_says_what_an_alarm_means_and_what_to_do(name):
    rows = re.findall(r"^\| (\w+) \| (.+) \|$", section(name), re.M)
    assert [label for label, _text in rows] == ROWS
    assert all(text.strip() for _label, text in rows)
    look = dict(rows)["Look"]
    assert re.search(r"widget \*|query `|log group `|`connector |as \[", look), "where to look"


def test_the_queries_it_names_are_saved_and_each_is_of_use():
    saved = {query["Properties"]["Name"].split("/")[1] for query in of("AWS::Logs::QueryDefinition").values()}
    assert set(re.findall(r"[Qq]uery `([^`]+)`", PAGE)) == saved


def test_the_widgets_it_names_are_on_the_dashboard():
    named = set(re.findall(r"[Ww]idget \*([^*]+)\*", PAGE))
    titles = {widget["properties"].get("title") for widget in dashboard()["widgets"]}
    assert named and named <= titles


def test_what_it_names_of_the_stack_is_in_the_template():
    metrics = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "shared/docs/metrics.md").read_text(), re.M))
    known = {*RESOURCES, *TEMPLATE["Parameters"], *TEMPLATE["Outputs"], *metrics, *TERMS}
    named = re.findall(r"`([A-Z][a-z]+[A-Z]\w*)(?:=[\w-]+)?`", PAGE)
    assert named and set(named) <= known
    assert set(re.findall(r"`([A-Z]\w+)=[\w-]+`", PAGE)) <= set(TEMPLATE["Parameters"])
    assert set(re.findall(r"<([A-Z]\w+)>", PAGE)) <= set(TEMPLATE["Outputs"])
    assert set(re.findall(r"--logical-resource-id (\w+)", PAGE)) <= set(RESOURCES)


def test_the_stack_parameters_it_sets_have_such_values():
    for name, value in re.findall(r"`(\w+)=([\w-]+)`", PAGE):
        assert value in TEMPLATE["Parameters"][name]["AllowedValues"], name


def test_the_log_groups_and_sections_of_the_configuration_are_there():
    groups = {log["Properties"]["LogGroupName"] for log in of("AWS::Logs::LogGroup").values()}
    named = set(re.findall(r"/fluent-connect/<stack>/[a-z-]+", PAGE))
    assert named and {name.replace("<stack>", "${AWS::StackName}") for name in named} <= groups
    known = re.findall(r'Self::\w+ => "(\w+)"', (ROOT / "shared/connector/src/parameter.rs").read_text())
    assert set(re.findall(r"<ConfigPrefix>/([a-z]+)", PAGE)) <= {*known, "jobs"}


def test_what_is_kept_of_a_deleted_stack_is_what_is_imported_again():
    kept = {name for name, resource in RESOURCES.items() if resource.get("DeletionPolicy") == "Retain"}
    (block,) = [text for text in re.findall(r"```json\n(.*?)```", PAGE, re.S) if "ResourceType" in text]
    imported = {entry["LogicalResourceId"]: entry["ResourceType"] for entry in json.loads(block)}
    assert imported == {name: RESOURCES[name]["Type"] for name in kept}
    part = PAGE.split("\n### Restoring a deleted stack\n")[1]
    assert all(f"`{name}`" in part for name in kept)


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGE):
        page, _, anchor = target.partition("#")
        if page.startswith("https://"):
            continue
        if not page:
            assert anchor in anchors(PAGE), target
        elif page != "cost.md":
            text = (ROOT / "shared/docs" / page).read_text()
            assert not anchor or anchor in anchors(text), target


def test_the_export_makes_a_folder_of_the_parameters(tmp_path):
    script = PAGE.split("python3 - <<'END'\n")[1].split("\nEND\n")[0]
    values = {"endpoints/shop": "https://shop.example", "keys/a.b": "MIGf", "jobs/sync": '{"run": null}'}
    written = [{"Name": f"/fluent-connect/x/{name}", "Value": value} for name, value in values.items()]
    (tmp_path / "parameters.json").write_text(json.dumps({"Parameters": written}))
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)  # noqa: S603 - the page's own script
    (tmp_path / "parameters.json").unlink()
    files = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {
        "config/endpoints/shop.yaml": "https://shop.example",
        "config/keys/a.b.yaml": "MIGf",
        "jobs-state/sync.yaml": '{"run": null}',
    }


def test_the_readme_and_the_dashboard_say_where_it_stands():
    part = README.split("## Operated from the console\n")[1].split("\n## ")[0]
    assert "](shared/docs/runbook.md)" in part
    texts = [widget["properties"].get("markdown", "") for widget in dashboard()["widgets"]]
    assert any("shared/docs/runbook.md" in text for text in texts)
