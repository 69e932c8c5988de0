"""`make run`: deploys the template to a local AWS, sends the sample events, shows what came of each, and stays up."""

import json
import signal
import sys
import time
from pathlib import Path

from stack import signing
from stack.receiver import Receiver
from stack.stack import FUNCTIONS, STATE, Stack, sample, sample_path, samples, seed
from stack.steps import deploy, step
from stack.tools import ROOT

WAIT_FOR_DELIVERY_S = 15.0


def main() -> None:
    # Ctrl-C, also where a shell started us with it ignored, and a plain kill: both stop what we started.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stack = Stack()
    try:
        deploy(stack)
        receiver = Receiver()
        step("seeding a key, sources, an endpoint and a route", lambda: seed(stack, receiver.url))
        failed = [path.name for path in samples() if not show(stack, receiver, path)]
        invite(stack)
        if failed:
            raise SystemExit(f"not answered as their names say: {', '.join(failed)}")
        if "--once" not in sys.argv:
            follow(receiver)
    except KeyboardInterrupt:
        print("\nstopping")
    finally:
        stack.stop()


def show(stack: Stack, receiver: Receiver, path) -> bool:
    """Sends one sample and prints its three ends; whether it was answered as its name says."""
    expected = int(path.name.split("-")[1])
    if "md5-allowed" in path.name and expected == 200:
        expected = 401  # this deployment leaves AllowMd5Signature at its default
    body, headers = sample(path)
    answer = stack.post(body, headers, sample_path(path))
    verdict = "as expected" if answer.status == expected else f"EXPECTED {expected}"
    print(f"\n{path.stem}\n  answer    {answer.status} {json.dumps(answer.body)} ({verdict})")
    if answer.status == 200 and "id" in answer.body:
        kinds = "outbound.attempt" if json.loads(body).get("name") == "OrderStatusChange" else "message.unrouted"
        entries = stack.wait_for_entries(answer.body["id"], kinds, WAIT_FOR_DELIVERY_S)
        got = [request for request in receiver.requests if json.loads(request.body).get("id") == answer.body["id"]]
        for request in got:
            print(f"  receiver  POST {request.path}, {len(request.body)} bytes, answered {request.status}")
        if not got:
            print("  receiver  nothing")
        for entry in entries:
            fields = (
                "type",
                "outcome",
                "route",
                "endpoint",
                "attempt",
                "response.status",
                "duration_ms",
                "code",
                "reason",
            )
            shown = {field: entry[field] for field in fields if field in entry}
            print(f"  event log {json.dumps(shown)}")
    return answer.status == expected


def environment_for_sam_local(stack: Stack) -> Path:
    """The functions' variables for `sam local invoke --env-vars`, pointing at this local AWS."""
    endpoint = {"LOCAL_AWS_ENDPOINT_URL": f"http://127.0.0.1:{stack.port}"}
    functions = {name: stack.variables(name) | endpoint for name in FUNCTIONS}
    path = STATE / "env.json"
    path.write_text(json.dumps(functions, indent=2))
    return path


def invite(stack: Stack) -> None:
    body = STATE / "example.json"
    event, _ = sample(ROOT / "events" / "webhook-200-fluent-signature.json")
    fresh = {**json.loads(event), "id": f"example-{int(time.time())}"}
    body.write_text(json.dumps(fresh))
    print(f"\nwebhook URL  http://{stack.webhook_host}{stack.webhook_path}")
    print(f"external     http://{stack.webhook_host}{stack.source_path('<source>')}")
    print(f"AWS endpoint http://127.0.0.1:{stack.port}   parameters {stack.outputs['ConfigPrefix']}/...")
    print(f"ct-queue     {stack.outputs['CtQueueUrl']}")
    variables = environment_for_sam_local(stack).relative_to(ROOT)
    print(f"sam local    sam local invoke WebhookReceiver -e events/... --env-vars {variables} --docker-network host")
    print("send one yourself:\n")
    print(f"curl -i http://127.0.0.1:{stack.port}{stack.webhook_path} -H 'Host: {stack.webhook_host}' \\")
    print(f"  -H 'Content-Type: application/json' --data-binary @{body} \\")
    print(f"  -H 'fluent-signature: {signing.signature(body.read_bytes())}'\n", flush=True)


def follow(receiver: Receiver) -> None:
    """Prints what the receiver gets until Ctrl-C."""
    print("the receiver's requests follow; Ctrl-C stops everything", flush=True)
    seen = len(receiver.requests)
    while True:
        time.sleep(0.2)
        for request in receiver.requests[seen:]:
            print(f"receiver: POST {request.path} {request.body.decode(errors='replace')[:200]}", flush=True)
        seen = len(receiver.requests)


if __name__ == "__main__":
    main()
