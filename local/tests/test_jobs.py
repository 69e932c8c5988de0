"""Jobs on the deployed template: the clock starts them, or somebody, each start once. The job is a heartbeat."""

import json
import time
from datetime import datetime, timedelta

import pytest

from stack.stack import STACK, TTL_S

SOON = 90
"""Seconds in which the clock has ticked: a minute, and what a cold start takes."""


@pytest.fixture
def heartbeat(stack, line):
    """Starts the line's route with a schedule in place of messages; by hand, unless told otherwise."""

    def write(schedule: str = "manual", **changes) -> None:
        route = {"schedule": schedule, "endpoint": line.name, "payload": '{"at": ${ event.requestedAt }}'} | changes
        stack.put(f"routes/{line.name}", json.dumps(route))
        time.sleep(TTL_S)

    write()
    line.schedule = write
    yield line
    stack.forget(f"routes/{line.name}")


def tick(minute: str) -> dict:
    """EventBridge's event."""
    return {"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "time": minute, "detail": {}}


def beats(line, count: int, timeout: float = 30.0) -> list[str]:
    return [json.loads(request.body)["at"] for request in line.received(count, timeout)]


def test_a_run_by_hand_is_delivered_once_and_told(stack, heartbeat):
    answer = stack.jobs(run=heartbeat.name)
    assert (answer["started"], answer["from"]) == (heartbeat.name, "the end of the last run")
    assert len(beats(heartbeat, 1)) == 1
    (entry,) = stack.wait_for_entries(answer["id"], "outbound.attempt")
    assert (entry["route"], entry["outcome"], entry["message.source"]) == (
        heartbeat.name,
        "delivered",
        "fluent-connect",
    )
    assert stack.wait_for_lines("job-scheduler", answer["id"])
    (told,) = [json.loads(text) for text in stack.all_logs() if answer["id"] in text and "job.requested" in text]
    assert (told["route"], told["asker"]) == (heartbeat.name, "person")


def test_a_tick_that_comes_twice_starts_what_is_due_once(stack, heartbeat):
    heartbeat.schedule({"every": "744h", "offset": "3h"})  # so that the rule's own ticks start nothing
    for time_of_tick in ("1970-01-01T02:59:59Z", "1970-01-01T03:00:07Z", "1970-01-01T03:00:59Z"):
        answer, failed = stack.invoke("JobSchedulerFunctionName", tick(time_of_tick))
        assert not failed, answer
        assert (heartbeat.name in answer["started"]) == (answer["minute"] == "1970-01-01T03:00:00Z")
    assert beats(heartbeat, 1) == ["1970-01-01T03:00:00Z"]
    assert len(heartbeat.received(2, timeout=3)) == 1


def test_a_start_that_no_tick_told_of_is_caught_up_once(stack, heartbeat):
    heartbeat.schedule({"every": "744h"})
    stack.put(f"jobs/{heartbeat.name}", "startedAt: 1970-01-01T00:00:00Z")
    (job,) = [job for job in stack.jobs()["jobs"] if job["job"] == heartbeat.name]
    due = datetime.fromisoformat(job["nextStart"])
    for minutes, is_caught_up in ((61, False), (5, True), (6, False)):
        answer, failed = stack.invoke("JobSchedulerFunctionName", tick((due + timedelta(minutes=minutes)).isoformat()))
        assert not failed, answer
        assert (f"{heartbeat.name}/{job['nextStart']}" in answer.get("caughtUp", [])) == is_caught_up, answer
    assert beats(heartbeat, 1) == [job["nextStart"]]
    assert len(heartbeat.received(2, timeout=3)) == 1


def test_the_rule_ticks_once_a_minute_and_starts_what_is_due(stack, heartbeat):
    rules = [rule for rule in stack.client("events").list_rules()["Rules"] if "JobTicks" in rule["Name"]]
    assert [(rule["ScheduleExpression"], rule["State"]) for rule in rules] == [("cron(* * * * ? *)", "ENABLED")]
    (target,) = stack.client("events").list_targets_by_rule(Rule=rules[0]["Name"])["Targets"]
    assert target["Arn"].endswith(f":{stack.function_name('JobScheduler')}")
    assert int(target["RetryPolicy"]["MaximumEventAgeInSeconds"]) < 300

    heartbeat.schedule({"every": "1m"})
    assert beats(heartbeat, 1, SOON), "the local AWS fires the rule"
    heartbeat.schedule("manual")


def test_who_only_looks_sees_the_jobs_and_starts_none(stack, heartbeat):
    heartbeat.schedule({"every": "1h"}, enabled=False)
    stack.client("ssm").put_parameter(
        Name=f"{stack.outputs['ConfigPrefix']}/jobs/{heartbeat.name}",
        Value="lastEndDate: 2026-11-20T08:30:00+01:00",
        Type="String",
    )
    (job,) = [job for job in stack.jobs()["jobs"] if job["job"] == heartbeat.name]
    assert job == {
        "job": heartbeat.name,
        "schedule": "{ every: 1h }",
        "enabled": False,
        "lastEndDate": "2026-11-20T07:30:00Z",
    }
    assert not heartbeat.received(1, timeout=2)


def test_what_cannot_be_started_says_why(stack, heartbeat):
    heartbeat.schedule(enabled=False)
    parameter = f"{stack.outputs['ConfigPrefix']}/routes/{heartbeat.name}"
    for request, text in (
        ({"run": heartbeat.name}, f"is disabled: write `enabled: true` into the parameter {parameter}"),
        ({"run": heartbeat.name + "x"}, f'did you mean "{heartbeat.name}"?'),
        ({"run": "order-ready-sms"}, "has no schedule: messages start it"),
        ({"rum": heartbeat.name}, 'unknown key "rum"; did you mean "run"?'),
        ({"run": heartbeat.name, "from": "yesterday"}, '"from" must be "beginning", or a time'),
    ):
        answer, failed = stack.invoke("JobSchedulerFunctionName", request)
        assert failed and text in answer["errorMessage"], answer
    assert not heartbeat.received(1, timeout=2)


def test_a_broken_job_is_told_and_harms_no_other(stack, heartbeat):
    stack.put(f"routes/{heartbeat.name}-broken", "schedule: { every: 90s }")
    time.sleep(TTL_S)
    jobs = {job["job"]: job for job in stack.jobs()["jobs"]}
    assert '"schedule.every" must be whole minutes' in jobs[f"{heartbeat.name}-broken"]["problem"]
    assert "problem" not in jobs[heartbeat.name]
    stack.jobs(run=heartbeat.name)
    assert len(beats(heartbeat, 1)) == 1
    stack.forget(f"routes/{heartbeat.name}-broken")


def test_the_command_line_lists_and_starts(cli, heartbeat):
    jobs = {job["job"]: job for job in cli.json("jobs", "--stack", STACK)}
    assert (jobs[heartbeat.name]["schedule"], jobs[heartbeat.name]["enabled"]) == ("manual", True)
    ran = cli.run("jobs", "run", heartbeat.name, "--stack", STACK, "--from", "beginning")
    assert ran.returncode == 0 and "the beginning" in ran.stdout, ran.stdout + ran.stderr
    assert len(beats(heartbeat, 1)) == 1
    ran = cli.run("jobs", "run", heartbeat.name + "x", "--stack", STACK)
    assert ran.returncode == 2 and "did you mean" in ran.stderr, ran.stderr
    (route,) = [line for line in cli.json("routes", "--stack", STACK) if line["route"] == heartbeat.name]
    assert (route["active"], route["schedule"], route["message"]) == (True, "manual", [])
