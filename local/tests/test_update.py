"""`sam deploy` over a stack that is at work: nothing that waits is lost, and the console has what the template says."""

import json
import time

from stack.stack import STACK, TTL_S
from stack.template import dashboard
from stack.tools import REGION


def test_an_update_loses_nothing_that_waits(stack, line):
    line.endpoint(retry={"delays": ["20s"]})
    line.receiver.answers.append(503)
    waiting, behind = line.send("HD_1"), line.send("HD_1")
    assert line.received_ids(1) == [waiting["id"]]  # its second attempt is seconds away, and it holds the other up
    stack.put(f"endpoints/{line.name}Paused", json.dumps({"url": line.receiver.url, "paused": True}))
    stack.put(f"routes/{line.name}Paused", f"message: {line.name}Paused\nendpoint: {line.name}Paused\n")
    time.sleep(TTL_S)
    parked = line.send(name=f"{line.name}Paused")
    assert line.end_of(parked)["type"] == "message.held"
    queues = {name: url for name, url in stack.outputs.items() if name.endswith("QueueUrl")}
    held = stack.queue_depth("UndeliveredQueueUrl")

    try:
        stack.deploy(ConfigTtlSeconds="1", MaximumConcurrency="50")
        assert stack.variables("MessageRouter")["CONFIG_TTL_SECONDS"] == "1"
        assert {name: stack.outputs[name] for name in queues} == queues
        assert stack.queue_depth("UndeliveredQueueUrl") == held
        assert line.received_ids(3, timeout=60) == [waiting["id"], waiting["id"], behind["id"]]
    finally:
        stack.deploy()


def test_the_console_has_the_dashboard_of_the_template(stack):
    body = stack.client("cloudwatch").get_dashboard(DashboardName=f"{STACK}-{REGION}")["DashboardBody"]
    deployed, written = json.loads(body)["widgets"], dashboard()["widgets"]
    assert [widget["properties"].get("title") for widget in deployed] == [
        widget["properties"].get("title") for widget in written
    ]
    left = body.replace("${PROP('Dim.", "")  # CloudWatch's own, which CloudFormation has to leave alone
    assert "${" not in left and body.count("${PROP('Dim.endpoint')}") == 6
    assert stack.outputs["DashboardUrl"].endswith(f"#dashboards/dashboard/{STACK}-{REGION}")
