"""`make previous`: records this version as the previous one, in local/previous: its template, and what its functions
leave waiting in every place where something can wait.

Run at a release, from the commit that is released. Knows how messages come to wait; what an update must make of them
stands in local/tests/test_update.py.
"""

import json
import shutil
import time

import yaml

from stack import faults, signing
from stack.previous import RECEIVER, RECORD
from stack.receiver import Receiver, content, status
from stack.stack import TTL_S, Stack, build, order_event
from stack.tools import ROOT

DELAYS = ["5s"] + 19 * ["20s"]
"""Long enough for an update while a message waits for its next attempt."""
PARAMETERS = {
    "keys/development": signing.public_key(),
    "endpoints/storefront": json.dumps({"url": f"{RECEIVER}/storefront", "retry": {"delays": DELAYS}}),
    "endpoints/warehouse": json.dumps({"url": f"{RECEIVER}/warehouse", "paused": True}),
    "endpoints/carrier": f"{RECEIVER}/carrier",
    "endpoints/mail": json.dumps({"url": f"{RECEIVER}/mail", "retry": {"delays": []}}),
    "endpoints/booking": f"{RECEIVER}/booking",
    "routes/moved": "message: OrderMoved\nendpoint: storefront\n",
    "routes/held": "message: OrderHeld\nendpoint: warehouse\n",
    "routes/refused": "message: OrderRefused\nendpoint: carrier\n",
    "routes/late": "message: OrderLate\nendpoint: mail\n",
    "routes/astray": "message: OrderAstray\nendpoint: nowhere\n",
    "routes/booked": (
        "message: OrderBooked\nendpoint: booking\n"
        "respond:\n  name: LabelPrinted\n  attributes: { label: '${ response.label }' }\n"
    ),
    "routes/deleted": "source: commercetools\nmessage: commercetools.category.*\nendpoint: warehouse\n",
    # Nothing is sent by these: an update has to read them all the same.
    "routes/carrier-booking": "endpoint: partner\n",
    "routes/retired": (
        "message: [Order*, Fulfil*]\nwhen: event.entityType == 'ORDER'\nendpoint: ledger\nenabled: false\n"
    ),
    "endpoints/partner": (
        "url: https://partner.example/orders/${ event.entityRef }\nmethod: PUT\nheaders: { x-tenant: acme }\n"
        "timeout: 5s\nordering: none\n"
        "auth: { type: standard-webhooks, secrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD] }\n"
    ),
    "endpoints/ledger": (
        "url: https://ledger.example/in\n"
        "auth: { type: oauth2, tokenUrl: 'https://ledger.example/token', clientId: acme, clientSecret: none }\n"
    ),
    "accounts/OTHER": (
        "{ baseUrl: 'https://other.api.fluentretail.com', username: api, password: none, clientId: OTHER,"
        " clientSecret: none, retailerId: '1' }\n"
    ),
    "commercetools/other-shop": (
        "{ authUrl: 'https://auth.europe-west1.gcp.commercetools.com',"
        " apiUrl: 'https://api.europe-west1.gcp.commercetools.com', clientId: api, clientSecret: none,"
        " accountId: OTHER, retailerId: '1' }\n"
    ),
}
ANSWERS = {
    "/storefront": status(503),
    "/carrier": status(400),
    "/mail": status(503),
    "/booking": content(200, b'{"label": "L-1"}'),
}
PARKED = ("OrderHeld", "OrderHeld", "OrderRefused", "OrderLate", "OrderAstray", "OrderBooked", "OrderOfNobody")
"""Messages that come to wait in the undelivered queue, each for another reason; two of one entity."""
WAIT_S = 60.0


def main() -> None:
    build()
    stack, receiver = Stack(), Receiver()
    receiver.always = lambda handler: ANSWERS[handler.path](handler)
    try:
        stack.start()
        stack.deploy()
        for name, value in PARAMETERS.items():
            stack.put(name, value.replace(RECEIVER, receiver.url))
        time.sleep(TTL_S)
        record = {"parameters": PARAMETERS, "shippedRoutes": shipped_routes()}
        record |= {"unqueued": unqueued(stack), "queues": waiting(stack, receiver)}
        record["webhookIds"] = {json.loads(got.body)["id"]: got.headers["webhook-id"] for got in receiver.requests}
    finally:
        receiver.go_down()
        stack.stop()
    (RECORD / "waiting.json").write_text(json.dumps(record, indent=1) + "\n")
    shutil.copy(ROOT / "template.yaml", RECORD / "template.yaml")


def shipped_routes() -> dict[str, dict]:
    """Of the shipped routes what decides where a message of theirs goes, and after which others."""
    routes = yaml.safe_load((ROOT / "shared/connector/shipped-routes.yaml").read_text())
    told = ("source", "message", "handler", "endpoint")
    return {name: {key: route[key] for key in told if key in route} for name, route in routes.items()}


def waiting(stack: Stack, receiver: Receiver) -> dict[str, list[dict]]:
    """What came to wait in each queue, in its order, by the output that names the queue."""
    for number, name in enumerate(PARKED, 1):
        post(stack, name, f"parked-{number}", f"HD_{name}")
    stack.notify(category("parked"))
    stack.notify("no notification")
    stack.queue_text("no message")
    until(lambda: stack.queue_depth("UndeliveredQueueUrl") == len(PARKED) + 1, "parked")
    until(lambda: stack.queue_depth("DeadLetterQueueUrl") == stack.queue_depth("CtDeadLetterQueueUrl") == 1, "dead")

    post(stack, "OrderMoved", "moved-1", "HD_1")
    until(lambda: any(got.path == "/storefront" for got in receiver.requests), "tried")
    post(stack, "OrderMoved", "moved-2", "HD_1")
    time.sleep(2)  # the router makes its copy for the route, which waits behind the first
    for function in ("MessageRouter", "CtQueueListener"):
        stack.take_from_queue(function, enabled=False)
    post(stack, "OrderMoved", "moved-3", "HD_2")  # which no router has seen
    stack.notify(category("waiting"))
    time.sleep(25)  # the first is visible again
    outputs = [name for name in stack.outputs if name.endswith("QueueUrl")]
    return {output: [recorded(message) for message in stack.take_all(output)] for output in outputs}


def unqueued(stack: Stack) -> list[dict]:
    """The event log's entries of a webhook that SQS did not take."""
    aws = faults.FaultyAws(stack.port)
    aws.fail("AmazonSQS.SendMessage", faults.refusal(503, "ServiceUnavailable"))
    with stack.calls_through(aws.url):
        post(stack, "OrderMoved", "unqueued-1", "HD_3", expected=503)
    aws.stop()
    events = stack.client("logs").filter_log_events(logGroupName=stack.outputs["EventLogGroup"])["events"]
    return [{"stream": event["logStreamName"], "line": event["message"]} for event in events]


def post(stack: Stack, name: str, event: str, entity: str, expected: int = 200) -> None:
    answer = stack.post_signed(order_event(name, entity, id=event))
    assert answer.status == expected, answer


def category(notification: str) -> str:
    """A notification of commercetools that nothing but a route of one's own wants."""
    sample = json.loads((ROOT / "events" / "ct-category-deleted.json").read_text())["Records"][0]["body"]
    body = json.loads(sample)
    body["resource"]["id"] = notification
    return json.dumps(body)


def recorded(message: dict) -> dict:
    """What sends the message again as it was."""
    system = message["Attributes"]
    kept = {
        "body": message["Body"],
        "group": system.get("MessageGroupId"),
        "deduplication": system.get("MessageDeduplicationId"),
        "trace": system.get("AWSTraceHeader"),
        "attributes": {
            name: value["StringValue"] for name, value in sorted(message.get("MessageAttributes", {}).items())
        },
    }
    return {name: value for name, value in kept.items() if value}


def until(condition, what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"not {what} within {WAIT_S:.0f} s")
        time.sleep(0.2)


if __name__ == "__main__":
    main()
