"""The cost model's arithmetic, and that its page is what it writes. No stack, no AWS."""

import copy
from math import inf

import pytest

import cost
import cost_model
from cost import PAGE, RATES, written
from cost_model import INPUTS, Model, Stack, tiered

STACK = Stack(
    memory_gb=0.25,
    ttl_s=30,
    concurrency=100,
    rate_limit=1000,
    retention_days=30,
    alarm_metrics=10,
    alarms_by_endpoint=2,
    dashboards=1,
)
ROUND = {
    "receiver_ms": 1.0,
    "dispatch_ms": 1.0,
    "delivery_ms": 2.0,
    "receiver_line": 1000,
    "dispatch_line": 1000,
    "event_log_entry": 925,
    "queue_message": 600,
    "delivery_request": 850,
}
"""Round numbers, so that a sum can be followed by head."""


def inputs(**assumed) -> dict:
    changed = copy.deepcopy(INPUTS)
    changed["measured"] = ROUND
    changed["assumed"] |= assumed
    return changed


def model(case: str = "low", **assumed) -> Model:
    return Model(case, inputs(**assumed), STACK)


def test_the_page_is_what_the_script_writes():
    page = PAGE.read_text()
    assert written(page) == page, "shared/docs/cost.md is not of these inputs: run `make cost` and read the difference"


def test_each_tier_takes_its_width_and_the_last_one_the_rest():
    tiers = [[10, 1.0], [20, 0.5], [0.1]]
    assert [tiered(amount, tiers) for amount in (0, 5, 10, 20, 30, 130)] == [0, 5, 10, 15, 20, 30]


def test_every_price_has_one_open_tier_and_says_where_it_was_seen():
    for name, price in INPUTS["price"].items():
        assert [len(tier) for tier in price["tiers"]] == [2] * (len(price["tiers"]) - 1) + [1], name
    for said in (*INPUTS["price"].values(), *INPUTS["quota"].values()):
        assert said["seen"] in cost.SEEN
        assert said["source"].startswith("https://")


def test_an_invocation_is_billed_for_its_work_and_its_waits_rounded_up():
    assert model().receiver_s == 0.006  # 1 ms of work, 5 ms of SQS
    assert model().delivery_s == 0.107  # 2 ms, 5 ms of CloudWatch Logs, 100 ms of the endpoint
    assert Model("high", inputs(), STACK).receiver_s == 0.027  # 1 ms at 0.1447 of a core is 6.9 ms, 20 ms of SQS


def test_a_webhook_at_one_route_is_three_invocations_and_six_calls_of_the_queue():
    assert (model().invocations, model().queue_calls) == (3, 6)
    assert (model(routes_a_webhook=3).invocations, model(routes_a_webhook=3).queue_calls) == (5, 10)
    assert model(attempts_a_delivery=2).invocations == 4


def test_a_million_webhooks_cost_what_a_hand_reckons():
    few = model()
    few.seconds = 1e6
    costs = few.by_traffic(1)
    assert costs["API Gateway, HTTP API"] == pytest.approx(1.00)
    assert costs["Lambda, requests"] == pytest.approx(0.60)
    assert costs["Lambda, GB-seconds"] == pytest.approx(1e6 * (0.006 + 0.006 + 0.107) * 0.25 * 0.0000133334)
    assert costs["SQS, requests of the event queue"] == pytest.approx(3.00)
    assert costs["CloudWatch Logs, the event log"] == pytest.approx(0.50)  # 925 + 49 + 26 bytes each: 1 GB
    lines = 2000 + 2 * 49 + 320 + 9 * 100 + 12 * 26
    assert costs["CloudWatch Logs, the functions' and the API's lines"] == pytest.approx(lines / 1000 * 0.50)
    assert costs["Data transfer to the internet"] == pytest.approx(1.5 * 0.09)
    assert costs["X-Ray, traces"] == pytest.approx(5.00)  # one a second is always sampled
    assert costs["Parameter Store, reads"] == 0


def test_beyond_the_first_of_a_second_one_trace_in_twenty_is_sampled():
    assert model().traces_a_second(101) == pytest.approx(6)
    assert model().traces_a_second(0.5) == 0.5


def test_a_message_of_more_than_64_kb_is_several_requests():
    big = model()
    big.measured = ROUND | {"queue_message": 65_537}
    part = "SQS, requests of the event queue"
    assert big.by_traffic(1)[part] == pytest.approx(2 * model().by_traffic(1)[part])


def test_an_idle_stack_pays_for_what_stands_there_and_for_being_asked():
    idle = model().idle()
    assert (idle["Alarms"], idle["Dashboard"]) == (pytest.approx(1.00), pytest.approx(3.00))
    assert idle["Empty receives of the event queue"] == pytest.approx(5 * 2_628_000 / 20 * 0.50e-6)
    assert 0 < idle["Job scheduler, a tick a minute"] < 1


def test_a_short_invocation_needs_as_many_environments_as_one_of_100_ms():
    assert model().environments(100, 0.006) == pytest.approx(10)
    assert model().environments(100, 0.5) == pytest.approx(50)


def test_an_environment_that_is_seldom_asked_reads_no_oftener_than_it_is_asked():
    assert model().parameter_reads(0.001) == pytest.approx(
        0.001 * 0.1 / 30 + 0.001 * 0.207 / 30 * cost_model.ROUTER_SECTIONS
    )
    assert model().decryptions(100) == pytest.approx(100 * (0.1 + 0.107) / 30 * 5)


def test_limits_are_met_where_a_hand_reckons():
    limits = model().limits()
    assert limits["rate_limit"] == 1000
    assert limits["concurrency"] == pytest.approx(100 / 0.113)
    assert limits["lambda_concurrency"] == pytest.approx(1000 / (0.1 + 0.1 + 0.107))
    assert limits["receivers_beside"] == pytest.approx(900 / 0.1)
    assert limits["sqs_fifo_calls"] == 35_000
    assert model(routes_a_webhook=4).limits()["put_log_events"] == 1250


def test_an_outage_fills_the_queue_unless_its_messages_are_parked_before():
    assert model().outage_s(100) == 1200
    assert model().outage_s(1) == inf


def test_every_limit_has_its_row_and_no_row_is_of_none():
    assert model().limits().keys() == INPUTS["limit"].keys()
    assert all(list(texts) == ["limit", "becomes", "to_do"] for texts in INPUTS["limit"].values())


def test_what_the_template_says_is_read_from_it():
    stack = Stack.of_template()
    assert stack.memory_gb == 0.25
    assert (stack.concurrency, stack.ttl_s, stack.rate_limit) == (100, 30, 1000)
    assert cost_model.metrics_of({"MetricName": "Errors"}) == 1
    assert cost_model.metrics_of({"Metrics": [{"Expression": "a + b"}, {"MetricStat": {}}, {"MetricStat": {}}]}) == 2


def test_more_traffic_never_costs_less():
    for case in ("low", "high"):
        months = [sum(Model(case).month(rate).values()) for rate in RATES]
        assert months == sorted(months)
    for rate in RATES:
        assert sum(Model("low").month(rate).values()) < sum(Model("high").month(rate).values())
