"""The picture of the dashboard: what it takes for numbers, and what it makes of expressions and queries.

Neither a stack nor a drawing is needed.
"""

import json

import pytest

from dashboard import UnsupportedError
from dashboard.expressions import lines
from dashboard.insights import Event, table
from dashboard.numbers import Metric, Numbers, Window, embedded, statistic
from stack.template import dashboard

WINDOW = Window(start=1000.0, period=10.0, count=4)
WIDGETS = dashboard()["widgets"]
CHARTS = {widget["properties"]["title"]: widget["properties"] for widget in WIDGETS if widget["type"] == "metric"}
QUERIES = {
    widget["properties"]["title"]: widget["properties"]["query"] for widget in WIDGETS if widget["type"] == "log"
}


def entry(**changes) -> str:
    """As the connector writes one (shared/connector/src/metrics.rs has the same as a snapshot)."""
    directive = {"Namespace": "FluentConnect", "Dimensions": [["stack"], ["stack", "code"]]}
    metrics = {"CloudWatchMetrics": [directive | {"Metrics": [{"Name": "Refused", "Unit": "Count"}]}]}
    fields = {"type": "inbound.refused", "code": "E_SIGNATURE", "Refused": 1, "stack": "acme"}
    return json.dumps(fields | {"_aws": {"Timestamp": 1_005_123} | metrics} | changes)


def numbers(*points: tuple[str, dict, float, float]) -> Numbers:
    made = Numbers()
    for name, dimensions, at, value in points:
        made.add(Metric.of("FluentConnect", name, **dimensions), at, value)
    return made


def chart(*metrics, **more) -> dict:
    return {"stat": "Sum", "metrics": list(metrics)} | more


# Numbers


def test_a_metric_is_taken_once_for_each_set_of_dimensions_at_the_entrys_own_time():
    assert embedded(entry()) == [
        (Metric.of("FluentConnect", "Refused", stack="acme"), 1005.123, 1.0),
        (Metric.of("FluentConnect", "Refused", stack="acme", code="E_SIGNATURE"), 1005.123, 1.0),
    ]


def test_several_numbers_under_one_name_are_as_many_points():
    assert [value for _, _, value in embedded(entry(Refused=[1, 2]))] == [1.0, 2.0, 1.0, 2.0]


@pytest.mark.parametrize("line", ["REPORT RequestId: 1\tDuration: 5 ms", "7", "null", '{"type":"message.note"}', ""])
def test_a_line_that_carries_no_metric_gives_none(line):
    assert embedded(line) == []


def test_an_entry_that_lacks_what_it_promises_is_no_silent_gap():
    with pytest.raises(KeyError):
        embedded(entry().replace('"Refused": 1', '"Denied": 1'))


def test_a_period_holds_its_beginning_and_not_its_end_and_has_no_number_without_a_point():
    metric = Metric.of("FluentConnect", "Held", stack="acme")
    made = numbers(*[("Held", {"stack": "acme"}, at, 1.0) for at in (999.9, 1000.0, 1009.9, 1010.0, 1039.9, 1040.0)])
    assert made.series(metric, "Sum", WINDOW) == [2.0, 1.0, None, 1.0]


@pytest.mark.parametrize(
    ("stat", "expected"),
    [("Sum", 10), ("Maximum", 4), ("Minimum", 1), ("Average", 2.5), ("SampleCount", 4), ("p50", 2.5), ("p100", 4)],
)
def test_a_statistic_is_what_its_name_says(stat, expected):
    assert statistic(stat, [4.0, 1.0, 3.0, 2.0]) == pytest.approx(expected)


def test_a_percentile_of_one_number_is_that_number():
    assert statistic("p99", [7.0]) == 7.0
    with pytest.raises(UnsupportedError):
        statistic("TM(10%:90%)", [7.0])


# Expressions


def test_only_the_metric_with_exactly_these_dimensions_is_shown():
    made = numbers(("Refused", {"stack": "acme"}, 1001, 1), ("Refused", {"stack": "acme", "code": "E_X"}, 1001, 5))
    (line,) = lines(chart(["FluentConnect", "Refused", "stack", "acme"]), made, WINDOW)
    assert (line.label, line.values) == ("Refused", [1.0, None, None, None])


def test_a_search_finds_each_value_of_the_dimension_and_no_other_stack():
    text = """SEARCH('{FluentConnect,stack,endpoint} MetricName="Held" stack="acme"', 'Sum', 300)"""
    made = numbers(
        ("Held", {"stack": "acme", "endpoint": "shop"}, 1011, 2),
        ("Held", {"stack": "acme", "endpoint": "erp"}, 1001, 1),
        ("Held", {"stack": "other", "endpoint": "shop"}, 1001, 9),
        ("Held", {"stack": "acme"}, 1001, 9),
        ("Undelivered", {"stack": "acme", "endpoint": "shop"}, 1001, 9),
        ("Held", {"stack": "acme", "endpoint": "late"}, 9999, 9),
    )
    found = lines(chart([{"expression": text, "label": "${PROP('Dim.endpoint')}"}]), made, WINDOW)
    assert [(line.label, line.values) for line in found] == [
        ("erp", [1.0, None, None, None]),
        ("shop", [None, 2.0, None, None]),
    ]


FILLED = [
    [{"expression": "FILL(m0, 0)", "label": "held"}],
    ["FluentConnect", "Held", "stack", "acme", {"id": "m0", "visible": False}],
]


def test_a_filled_line_is_nought_in_gaps_and_where_there_never_was_a_number():
    made = numbers(("Held", {"stack": "acme"}, 1011, 2))
    assert [line.values for line in lines(chart(*FILLED), made, WINDOW)] == [[0.0, 2.0, 0.0, 0.0]]
    assert [line.values for line in lines(chart(*FILLED), numbers(), WINDOW)] == [[0.0] * 4]


def test_a_filled_search_is_nought_in_the_gaps_of_each_line_that_it_finds():
    text = """FILL(SEARCH('{FluentConnect,stack,code} MetricName="Refused" stack="acme"', 'Sum', 300), 0)"""
    made = numbers(("Refused", {"stack": "acme", "code": "E_X"}, 1011, 2))
    (line,) = lines(chart([{"expression": text, "label": "${PROP('Dim.code')}"}]), made, WINDOW)
    assert (line.label, line.values) == ("E_X", [0.0, 2.0, 0.0, 0.0])


def test_a_quotient_changes_the_unit_and_leaves_the_gaps():
    line = ["FluentConnect", "DeliveryDelay", "stack", "acme", {"id": "m0", "visible": False, "stat": "p50"}]
    made = numbers(("DeliveryDelay", {"stack": "acme"}, 1011, 2500))
    (found,) = lines(chart([{"expression": "m0 / 1000", "label": "p50"}], line), made, WINDOW)
    assert (found.label, found.values) == ("p50", [None, 2.5, None, None])


def test_the_period_of_the_whole_time_is_one_number():
    made = numbers(("Held", {"stack": "acme"}, 1001, 2), ("Held", {"stack": "acme"}, 1039, 3))
    assert [line.values for line in lines(chart(*FILLED, setPeriodToTimeRange=True), made, WINDOW)] == [[5.0]]


def test_a_metric_of_aws_without_any_number_says_so_and_one_of_ours_does_not():
    aws, own = lines(chart(["AWS/SQS", "X", "QueueName", "q"], ["FluentConnect", "Y", "stack", "s"]), Numbers(), WINDOW)
    assert (aws.of_aws, own.of_aws) == (True, False)


@pytest.mark.parametrize(
    "metric",
    [
        [{"expression": "RATE(m0)", "label": "x"}],
        [{"expression": """SEARCH('{FluentConnect,stack} Held', 'Sum', 300)""", "label": "x"}],
        ["FluentConnect", "Held", "stack"],
        [".", "Held", ".", "."],
        ["FluentConnect", "Held", "stack", "acme", {"color": "#fff"}],
    ],
)
def test_what_is_not_known_is_refused(metric):
    with pytest.raises(UnsupportedError):
        lines(chart(metric), Numbers(), WINDOW)


def test_a_property_that_is_not_drawn_is_refused():
    with pytest.raises(UnsupportedError):
        lines(chart(["FluentConnect", "Held", "stack", "acme"], stacked=True), Numbers(), WINDOW)


@pytest.mark.parametrize("title", CHARTS)
def test_every_chart_of_the_dashboard_can_be_evaluated_and_shows_what_it_names(title):
    lines(CHARTS[title], Numbers(), WINDOW)
    assert CHARTS[title]["view"] in ("timeSeries", "singleValue")


# Queries

LOG = [
    Event("log", 3, '{"type":"outbound.attempt","outcome":"retry","endpoint":"erp","code":"E_TIMEOUT","time":"t3"}'),
    Event("log", 1, '{"type":"outbound.attempt","outcome":"retry","endpoint":"erp","code":"E_TIMEOUT","time":"t1"}'),
    Event("log", 2, '{"type":"outbound.attempt","outcome":"delivered","endpoint":"erp","time":"t2"}'),
    Event("log", 4, "START RequestId: 1"),
    Event("other", 5, '{"type":"outbound.attempt","outcome":"retry","endpoint":"crm","time":"t5"}'),
]


def test_a_query_filters_sorts_and_takes_the_fields_of_its_groups():
    found = table(
        "SOURCE 'log' | fields @timestamp, code | filter type = 'outbound.attempt' and outcome in ['retry', 'failed'] "
        "| sort @timestamp desc | limit 1",
        LOG,
    )
    assert (found.columns, found.rows) == (["@timestamp", "code"], [[3, "E_TIMEOUT"]])


def test_a_query_counts_by_what_it_is_told():
    text = "count(*) as n, count_distinct(code) as codes, earliest(time) as since, latest(time) as until by endpoint"
    found = table(f"SOURCE 'log' | filter outcome = 'retry' | stats {text} | sort n desc", LOG)
    assert found.columns == ["endpoint", "n", "codes", "since", "until"]
    assert found.rows == [["erp", 2, 1, "t1", "t3"]]


@pytest.mark.parametrize(
    "query",
    [
        "fields a",
        "SOURCE 'log' | filter a = 'x'",
        "SOURCE 'log' | fields a | filter a like 'x'",
        "SOURCE 'log' | stats avg(a) as b by c",
        "SOURCE 'log' | stats count(*) by c",
        "SOURCE 'log' | fields a | parse a",
    ],
)
def test_a_query_that_is_not_known_is_refused(query):
    with pytest.raises(UnsupportedError):
        table(query, LOG)


@pytest.mark.parametrize("title", QUERIES)
def test_every_query_of_the_dashboard_can_be_evaluated(title):
    groups = {part.strip().removeprefix("SOURCE ").strip("'") for part in QUERIES[title].split("|") if "SOURCE" in part}
    for group in groups:
        event = {"type": "outbound.attempt", "outcome": "retry", "code": "E_X", "endpoint": "erp"}
        fault = {"type": "message.fault", "code": "E_X"}
        found = table(QUERIES[title], [Event(group, 1, json.dumps(event)), Event(group, 2, json.dumps(fault))])
        assert len(found.rows) == 1
        assert "E_X" in found.rows[0]
