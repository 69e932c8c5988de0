"""The version before this one, as local/previous records it: its template, deployed with the functions of today, and
what its own functions left waiting.
"""

import json
import time
from dataclasses import dataclass, field

from .stack import STATE, Stack, local_parameters
from .template import read
from .tools import LOCAL, ROOT

RECORD = LOCAL / "previous"
RECEIVER = "{receiver}"
"""Stands in the recorded parameters for the receiver's address."""
TEMPLATE = read(RECORD / "template.yaml")
BUILT = ROOT / ".aws-sam" / "build"


@dataclass(frozen=True)
class Waiting:
    """What waited, and what it waited with."""

    parameters: dict[str, str]
    shipped_routes: dict[str, dict]
    unqueued: list[dict]
    queues: dict[str, list[dict]]
    """Messages by the output that names their queue, in their order."""
    webhook_ids: dict[str, str] = field(repr=False)
    """What receivers saw as `webhook-id`, by the message's id."""

    def ids(self, output: str) -> list[str]:
        """The ids of the messages in a queue."""
        return [json.loads(message["body"])["id"] for message in self.queues[output]]


def waiting() -> Waiting:
    record = json.loads((RECORD / "waiting.json").read_text())
    names = ("parameters", "shippedRoutes", "unqueued", "queues", "webhookIds")
    return Waiting(*(record[name] for name in names))


def deploy(stack: Stack) -> None:
    """Deploys the template of the version before; the functions are those that were built today, by their names."""
    text = (RECORD / "template.yaml").read_text()
    for name, resource in TEMPLATE["Resources"].items():
        folder = resource.get("Properties", {}).get("CodeUri")
        if folder:
            text = text.replace(f"CodeUri: {folder}\n", f"CodeUri: {BUILT / name}\n")
    template = STATE / "previous.yaml"
    template.write_text(text)
    known = TEMPLATE["Parameters"]
    stack.deploy_template(template, {name: value for name, value in local_parameters().items() if name in known})


def fill(stack: Stack, record: Waiting, receiver_url: str) -> None:
    """Writes the configuration, and puts everything where it waited."""
    for name, value in record.parameters.items():
        stack.put(name, value.replace(RECEIVER, receiver_url))
    for output, messages in record.queues.items():
        for message in messages:
            stack.client("sqs").send_message(QueueUrl=stack.outputs[output], **sent(message))
    logs, group = stack.client("logs"), stack.outputs["EventLogGroup"]
    for entry in record.unqueued:
        logs.create_log_stream(logGroupName=group, logStreamName=entry["stream"])
        events = [{"timestamp": time.time_ns() // 1_000_000, "message": entry["line"]}]
        logs.put_log_events(logGroupName=group, logStreamName=entry["stream"], logEvents=events)


def sent(message: dict) -> dict:
    """A recorded message as SQS is given it."""
    texts = message.get("attributes", {})
    given = {
        "MessageBody": message["body"],
        "MessageGroupId": message.get("group"),
        "MessageDeduplicationId": message.get("deduplication"),
        "MessageAttributes": {name: {"DataType": "String", "StringValue": text} for name, text in texts.items()},
    }
    if "trace" in message:
        trace = {"DataType": "String", "StringValue": message["trace"]}
        given["MessageSystemAttributes"] = {"AWSTraceHeader": trace}
    return {name: value for name, value in given.items() if value}
