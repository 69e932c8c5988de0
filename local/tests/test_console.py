"""What an operator sees in the console: alarms, queries, dashboard. None is run: the local AWS has no Insights."""

import json
import re
from itertools import combinations

import pytest

from stack.template import RESOURCES, TEMPLATE, dashboard, of
from stack.tools import ROOT

ALARMS = of("AWS::CloudWatch::Alarm")
QUERIES = of("AWS::Logs::QueryDefinition")
FUNCTIONS = set(of("AWS::Serverless::Function"))
WIDGETS = dashboard()["widgets"]
OF_AWS = {
    "AWS/SQS": {
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOfMessagesVisible",
        "ApproximateNumberOfMessagesNotVisible",
        "NumberOfDeduplicatedSentMessages",
        "NumberOfMessagesSent",
        "NumberOfMessagesReceived",
    },
    "AWS/Lambda": {"Errors", "Throttles", "ConcurrentExecutions", "Duration", "Invocations"},
    "AWS/ApiGateway": {"Count", "4xx", "5xx"},
}
"""The metrics that are used of AWS's own, by their namespace (each service's user guide, "metrics")."""
DIMENSIONS = {"AWS/SQS": "QueueName", "AWS/Lambda": "FunctionName", "AWS/ApiGateway": "ApiId"}
OF_SILENCE = {"NoTrafficAlarm", "JobSchedulerSilentAlarm"}
"""The alarms for which no number is the fault."""
FILTERED = "FluentConnect/${AWS::StackName}"
"""The namespace of what metric filters count."""


def ours() -> dict[str, set[str]]:
    """The connector's metrics and what each is told apart by; a test of the connector holds the table to the code."""
    rows = re.findall(r"^\| `(\w+)` \| \w+ \| ([^|]*) \|", (ROOT / "shared/docs/metrics.md").read_text(), re.M)
    return {name: set(re.findall(r"`(\w+)`", by)) for name, by in rows}


def filtered() -> set[str]:
    """The metrics that filters make of log groups."""
    filters = of("AWS::Logs::MetricFilter").values()
    made = [made for found in filters for made in found["Properties"]["MetricTransformations"]]
    assert {one["MetricNamespace"] for one in made} == {FILTERED}
    return {one["MetricName"] for one in made}


def exists(namespace: str, metric: str) -> bool:
    known = {"FluentConnect": ours, FILTERED: filtered}.get(namespace, lambda: OF_AWS[namespace])
    return metric in known()


# Alarms


QUERY = (
    r'SELECT SUM\((\w+)\) FROM SCHEMA\("(\w+)", stack, (\w+)\)'
    r" WHERE stack = '\$\{AWS::StackName\}' GROUP BY \3 ORDER BY SUM\(\) DESC"
)
"""Several time series need both GROUP BY and ORDER BY (CloudWatch user guide, alarms on Metrics Insights queries)."""


def metrics_of(alarm: dict) -> list[tuple[str, str]]:
    """Namespace and name of all metrics that an alarm reads."""
    if "MetricName" in alarm:
        return [(alarm["Namespace"], alarm["MetricName"])]
    read = []
    for metric in alarm["Metrics"]:
        if stat := metric.get("MetricStat"):
            read.append((stat["Metric"]["Namespace"], stat["Metric"]["MetricName"]))
        elif queried := re.fullmatch(QUERY, metric["Expression"]):
            assert queried[3] in ours()[queried[1]]
            read.append((queried[2], queried[1]))
    return read


def watched(metric: str) -> set[str]:
    """The logical ids of what alarms watch by a metric of AWS's."""
    plain = [alarm["Properties"] for alarm in ALARMS.values() if alarm["Properties"].get("MetricName") == metric]
    return {alarm["Dimensions"][0]["Value"].split(".")[0] for alarm in plain}


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_to_do_and_where_more_stands(name):
    text = ALARMS[name]["Properties"]["AlarmDescription"]
    assert text.endswith(f". runbook: {name}")
    assert len(text) <= 1024  # PutMetricAlarm, AlarmDescription
    named = re.findall(r"[Qq]uery ([a-z]+(?:-[a-z]+)*)", text)
    assert {f"${{AWS::StackName}}/{query}" for query in named} <= saved()


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_tells_of_its_end_as_well_and_minds_missing_data(name):
    alarm = ALARMS[name]["Properties"]
    assert alarm["AlarmActions"] == alarm["OKActions"] == ["HasAlarmTopic", ["AlarmTopicArn"], "AWS::NoValue"]
    assert alarm["TreatMissingData"] == ("breaching" if name in OF_SILENCE else "notBreaching")


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_reads_metrics_that_there_are(name):
    alarm = ALARMS[name]["Properties"]
    assert metrics_of(alarm)
    assert all(exists(namespace, metric) for namespace, metric in metrics_of(alarm))
    if namespace := alarm.get("Namespace"):
        names = [dimension["Name"] for dimension in alarm.get("Dimensions", [])]
        told_apart = ours().get(alarm["MetricName"], set())
        assert names == [] if namespace == FILTERED else names[0] == DIMENSIONS.get(namespace, "stack")
        assert set(names[1:]) <= told_apart


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_looks_no_further_back_than_cloudwatch_allows(name):
    alarm = ALARMS[name]["Properties"]
    periods = [alarm.get("Period")] + [
        metric.get("Period") or metric.get("MetricStat", {}).get("Period") for metric in alarm.get("Metrics", [])
    ]
    period, count = max(filter(None, periods)), alarm["EvaluationPeriods"]
    count = TEMPLATE["Parameters"][count]["MaxValue"] if isinstance(count, str) else count
    # PutMetricAlarm, EvaluationPeriods: a day, and seven where a period is an hour or longer
    assert period * count <= (604_800 if period >= 3600 else 86_400)
    assert alarm.get("DatapointsToAlarm", 1) <= count


def test_an_alarm_that_the_local_aws_cannot_make_stands_behind_the_parameter():
    reckoned = {name for name, alarm in ALARMS.items() if "Metrics" in alarm["Properties"]}
    assert reckoned == {name for name, alarm in ALARMS.items() if alarm.get("Condition") == "HasConsoleQueries"}
    assert "ConsoleQueries=false" in (ROOT / "samconfig.toml").read_text()


def test_every_queue_has_an_alarm_on_depth_and_one_on_what_stands_too_long():
    queues = set(of("AWS::SQS::Queue"))
    assert watched("ApproximateNumberOfMessagesVisible") == queues
    emptied = {"EventQueue", "CtQueue"}
    assert watched("ApproximateAgeOfOldestMessage") == emptied
    # Where people look: SQS leaves a message that was handed out several times out of the age
    week = [
        alarm["Properties"]
        for name, alarm in ALARMS.items()
        if name.endswith("AgeAlarm") and "MetricName" in alarm["Properties"]
    ]
    stands = {
        alarm["Dimensions"][0]["Value"].split(".")[0]
        for alarm in week
        if alarm["Period"] * alarm["EvaluationPeriods"] == 604_800 and alarm["Threshold"] == 0
    }
    assert stands == queues - emptied


def test_every_function_has_an_alarm_on_errors_and_those_that_others_start_one_on_throttles():
    assert watched("Errors") == FUNCTIONS
    # Who invokes the replay is told at once; a throttled tick of the clock comes again, and the next one soon
    assert watched("Throttles") == FUNCTIONS - {"ReplayFunction", "JobScheduler"}


def test_silence_rings_only_where_somebody_asked_for_it():
    assert TEMPLATE["Parameters"]["ExpectTrafficWithinMinutes"]["Default"] == 0
    assert {name: ALARMS[name]["Condition"] for name in OF_SILENCE} == {
        "NoTrafficAlarm": "ExpectsTraffic",
        "JobSchedulerSilentAlarm": "ClockStartsJobs",
    }


# Queries

WORDS = set(
    re.findall(r"\w+", "fields filter stats sort limit by as asc desc and or not in like ispresent count SOURCE")
)
WORDS |= set(re.findall(r"\w+", "count_distinct min max pct earliest latest bin"))
CONSOLES = {"WebhookReceiverLog", "CtQueueListenerLog"}
"""Where what comes in is told: receiver and listener make no call for it."""


def sources() -> str:
    """The Rust sources, without their tests."""
    files = [path for part in ("functions", "shared") for path in sorted((ROOT / part).glob("*/src/**/*.rs"))]
    return "\n".join(path.read_text().split("#[cfg(test)]")[0] for path in files)


def written() -> set[str]:
    """Every field that an entry can have."""
    subject = re.findall(r'\("([a-z.]+)", (?:about|subject)\.', sources())
    assert {"entity.ref", "webhook.id", "config.version"} <= set(subject)
    return set(re.findall(r'\.field\(\s*"([^"]+)"', sources())) | set(subject) | {"type", "time"}


def of_the_api() -> set[str]:
    """Every field of the access log."""
    return set(json.loads(RESOURCES["HttpApiStage"]["Properties"]["AccessLogSettings"]["Format"]))


def types() -> set[str]:
    """Every `type` of an entry."""
    return set(re.findall(r'=> "([a-z-]+\.[a-z]+)",', (ROOT / "shared/connector/src/event_log.rs").read_text()))


def saved() -> set[str]:
    return {query["Properties"]["Name"] for query in QUERIES.values()}


def every_query() -> dict[str, tuple[str, set[str]]]:
    """The text and the log groups of each saved query and each one of the dashboard."""
    queries = {
        name: (query["Properties"]["QueryString"], set(query["Properties"]["LogGroupNames"]))
        for name, query in QUERIES.items()
    }
    for widget in WIDGETS:
        if widget["type"] == "log":
            text = widget["properties"]["query"]
            groups = set(re.findall(r"SOURCE '<(\w+)>'", text))
            queries[widget["properties"]["title"]] = (text, groups)
    return queries


QUERY_TEXTS = every_query()


def without_texts(query: str) -> str:
    return re.sub(r"\"[^\"]*\"|'[^']*'|/[^/]*/", "", re.sub(r"#.*", "", query))


@pytest.mark.parametrize("name", QUERY_TEXTS)
def test_a_query_names_fields_that_entries_have(name):
    text, groups = without_texts(QUERY_TEXTS[name][0]), QUERY_TEXTS[name][1]
    fields = of_the_api() if groups == {"HttpApiLog"} else written()
    aliases = set(re.findall(r"\bas (\w+)", text))
    quoted, bare = (
        set(re.findall(r"`([^`]+)`", text)),
        set(re.findall(r"(?<!\w)@?[A-Za-z]\w*", re.sub(r"`[^`]+`", "", text))),
    )
    system = {field for field in bare if field.startswith("@")}
    assert system <= {"@timestamp", "@log"}
    assert quoted <= fields
    assert bare - system - aliases - WORDS <= fields
    # CloudWatch Logs Insights, query syntax: other characters than letters, digits, @ and the dot need backticks
    assert not [field for field in bare - aliases - WORDS if "_" in field]
    assert not aliases & fields, "an alias that is a field's name as well"


@pytest.mark.parametrize("name", QUERY_TEXTS)
def test_a_query_asks_for_types_that_there_are_in_the_groups_that_hold_them(name):
    text, groups = QUERY_TEXTS[name]
    assert groups <= set(of("AWS::Logs::LogGroup"))
    asked = {value for value in re.findall(r"[\"']([a-z-]+\.[a-z]+)[\"']", text) if value.count(".") == 1}
    assert asked <= types()
    if asked & {"inbound.refused", "inbound.accepted", "configuration.problem"}:
        assert groups >= CONSOLES
    if "message.fault" in asked:
        assert groups >= {"MessageRouterLog", "CtQueueListenerLog"}
    if "configuration.problem" in asked:
        assert groups >= {"MessageRouterLog", "JobSchedulerLog"}
    if groups == {"HttpApiLog"}:
        assert not asked
    elif not asked or asked - {"inbound.refused", "inbound.accepted", "configuration.problem"}:
        assert "EventLog" in groups


@pytest.mark.parametrize("name", QUERY_TEXTS)
def test_a_query_is_made_of_known_commands_and_is_bounded(name):
    text = without_texts(QUERY_TEXTS[name][0])
    commands = [part.split()[0] for part in text.split("|")]
    assert set(commands) <= {"SOURCE", "fields", "filter", "stats", "sort", "limit"}
    assert "stats" in commands or "limit" in commands
    assert text.count("(") == text.count(")")


def test_queries_stand_in_the_stacks_folder_and_behind_the_parameter():
    assert all(re.fullmatch(r"\$\{AWS::StackName\}/[a-z-]+", name) for name in saved())
    assert len(saved()) == len(QUERIES)
    assert all(query["Condition"] == "HasConsoleQueries" for query in QUERIES.values())


def test_the_readme_names_every_query():
    part = (ROOT / "README.md").read_text().split("## Operated from the console\n")[1].split("\n## ")[0]
    assert {name.split("/")[1] for name in saved()} == set(re.findall(r"`([a-z]+(?:-[a-z]+)*)`", part))


# Dashboard


def test_widgets_stay_within_24_columns_and_do_not_overlap():
    def squares(widget):
        columns = range(widget["x"], widget["x"] + widget["width"])
        return {(x, y) for x in columns for y in range(widget["y"], widget["y"] + widget["height"])}

    assert all(widget["x"] >= 0 and widget["x"] + widget["width"] <= 24 for widget in WIDGETS)
    assert not [(one, other) for one, other in combinations(WIDGETS, 2) if squares(one) & squares(other)]


SEARCH = r"""SEARCH\('\{FluentConnect,stack,(\w+)\} MetricName="(\w+)" stack="<AWS::StackName>"', '\w+', 300\)"""
SUMMED = r"FILL\(" + SEARCH.replace(r"\w+', 300", "Sum', 300") + r", 0\)"
OF_A_LINE = r"FILL\((\w+), 0\)|(\w+) / 1000"


def shown() -> list[tuple[dict, list]]:
    """Every widget with each line of its metrics."""
    return [(widget["properties"], metric) for widget in WIDGETS for metric in widget["properties"].get("metrics", [])]


def test_widgets_show_metrics_that_there_are():
    assert len(shown()) > 50
    for _widget, metric in shown():
        if not isinstance(metric[0], dict):
            namespace, name, dimension, value = metric[:4]
            assert exists(namespace, name), name
            assert dimension == DIMENSIONS.get(namespace, "stack")
            assert value.strip("<>").split(".")[0] in {*RESOURCES, "AWS::StackName"}
        elif found := re.search(SEARCH, metric[0]["expression"]):
            assert found[1] in ours()[found[2]]
            assert metric[0]["label"] == f"${{PROP('Dim.{found[1]}')}}"


def test_what_is_counted_is_nought_where_nothing_was_and_what_sqs_tells_is_shown_as_it_is():
    # Without a number a chart draws a line over the gap, which reads as failures all the time. A depth or age is never
    # filled: a nought that nobody measured would read as health.
    for widget, metric in shown():
        text = metric[0]["expression"] if isinstance(metric[0], dict) else ""
        if "SEARCH" in text:
            assert re.fullmatch(SUMMED if "'Sum'" in text else f"{SEARCH}(?: / 1000)?", text)
        elif text:
            (name,) = filter(None, re.fullmatch(OF_A_LINE, text).groups())
            (source,) = [line for line in widget["metrics"] if line[0] != metric[0] and line[-1].get("id") == name]
            assert source[-1]["visible"] is False
            assert source[0] == "FluentConnect"
            assert text.startswith("FILL") == (source[-1].get("stat", widget["stat"]) == "Sum")


def test_an_axis_begins_at_nought_and_says_what_it_counts():
    # The counts say "in 5 minutes": the periods hold whatever time span is shown
    assert dashboard()["periodOverride"] == "inherit"
    for widget in WIDGETS:
        chart = widget["properties"]
        if chart.get("view") == "timeSeries":
            assert all(axis["min"] == 0 and axis["label"] for axis in chart["yAxis"].values())
            assert ("ms" in chart["title"]) == (chart["yAxis"]["left"]["label"] == "ms")
            assert chart["period"] == 300


def test_every_metric_of_the_connector_is_on_the_dashboard():
    text = str([widget["properties"].get("metrics") for widget in WIDGETS])
    assert not [name for name in ours() if not re.search(rf"['\"]{name}['\"]", text)]


def test_every_alarm_is_on_the_dashboard():
    (alarms,) = [widget["properties"]["alarms"] for widget in WIDGETS if widget["type"] == "alarm"]
    assert sorted(alarms) == sorted(f"<{name}.Arn>" for name in ALARMS)
    assert len(alarms) <= 100  # dashboard body structure, alarm widgets


def test_every_function_is_on_the_dashboard():
    for metric in OF_AWS["AWS/Lambda"] - {"Invocations"}:  # the HTTP API and the queues show how much comes
        charts = [widget["properties"].get("metrics", []) for widget in WIDGETS]
        shown = {line[3].strip("<>") for chart in charts for line in chart if line[:2] == ["AWS/Lambda", metric]}
        assert shown == FUNCTIONS, metric
