"""`make cost-measure`: what one webhook takes of processor, memory, log and queue, for the inputs of `local/cost.yaml`.

The release binaries run under the Runtime Interface Emulator against an AWS and a receiver that answer at once: what is
left is their own work. Processor time is what the kernel counted for the function's threads over many warm invocations.
No TLS: neither the endpoint's nor AWS's. Nothing here asserts a number, and nothing writes one into a file.
"""

import json
import threading
import time
from hashlib import md5
from pathlib import Path

from stack import signing
from stack.emulator import Emulator
from stack.server import QuietHandler, Server
from stack.stack import STATE
from stack.tools import ROOT, environment, run

WARM_UP, RUNS = 20, 500
PREFIX = "/fluent-connect/fluent-connect"
BUILT = STATE / "cost"


class Aws(QuietHandler):
    """Parameter Store, SQS and CloudWatch Logs as far as the functions ask; keeps each call's name and body."""

    disable_nagle_algorithm = True
    parameters: dict[str, str] = {}
    calls: list[tuple[str, dict]] = []
    lock = threading.Lock()

    def do_POST(self) -> None:
        body = json.loads(self.content())
        operation = self.headers["x-amz-target"].split(".")[-1]
        with self.lock:
            self.calls.append((operation, body))
        answer = json.dumps(getattr(self, operation)(body)).encode()
        self.send_response(200)
        self.send_header("content-type", self.headers["content-type"])
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def GetParametersByPath(self, body: dict) -> dict:
        found = {name: value for name, value in self.parameters.items() if name.startswith(body["Path"] + "/")}
        return {"Parameters": [{"Name": name, "Value": value, "Version": 1} for name, value in found.items()]}

    def SendMessage(self, body: dict) -> dict:
        return {"MessageId": "1", "MD5OfMessageBody": digest(body)}

    def SendMessageBatch(self, body: dict) -> dict:
        sent = [{"Id": e["Id"], "MessageId": "1", "MD5OfMessageBody": digest(e)} for e in body["Entries"]]
        return {"Successful": sent, "Failed": []}

    def PutLogEvents(self, _body: dict) -> dict:
        return {}


class Endpoint(QuietHandler):
    """Takes every delivery."""

    disable_nagle_algorithm = True
    bytes_read = 0

    def do_POST(self) -> None:
        body = self.content()
        Endpoint.bytes_read = len(self.requestline) + 4 + len(bytes(self.headers)) + len(body)
        self.send_response(200)
        self.send_header("content-length", "15")
        self.end_headers()
        self.wfile.write(b'{"status":"ok"}')


def digest(message: dict) -> str:
    return md5(message["MessageBody"].encode()).hexdigest()


def main() -> None:
    packages = ["--package", "webhook-receiver", "--package", "message-router"]
    command = ["cargo-lambda", "lambda", "build", "--release", "--locked", *packages, "--lambda-dir", str(BUILT)]
    STATE.mkdir(exist_ok=True)
    run(command, STATE / "cost.log", environment())
    aws, endpoint = Server(Aws), Server(Endpoint)
    Aws.parameters = {
        f"{PREFIX}/keys/development": signing.public_key(),
        f"{PREFIX}/endpoints/storefront": f"{endpoint.url}/orders",
        f"{PREFIX}/routes/order-status-to-storefront": "enabled: true",
    }
    env = environment(aws.port) | variables()
    passes = {
        "receiver": ("webhook-receiver", "webhook-200-fulfilment-shipped.json"),
        "dispatch": ("message-router", "router-one.json"),
        "delivery": ("message-router", "router-delivery.json"),
    }
    for name, (package, event) in passes.items():
        event = json.loads((ROOT / "events" / event).read_text())
        report(name, *measure(next(BUILT.rglob(f"{package}/bootstrap")), event, env))
    print(f"\n[bytes of the delivery's request]\n{Endpoint.bytes_read}")
    aws.stop()
    endpoint.stop()


def variables() -> dict[str, str]:
    queue = "https://sqs.eu-west-1.amazonaws.com/123456789012"
    return {
        "CONFIG_PREFIX": PREFIX,
        "CONFIG_TTL_SECONDS": "300",
        "FLUENT_ACCOUNTS": "ACME",
        "ALLOW_MD5_SIGNATURE": "false",
        "EVENT_QUEUE_URL": f"{queue}/fluent-connect-EventQueue-ABCDEFGHIJKL.fifo",
        "UNDELIVERED_QUEUE_URL": f"{queue}/fluent-connect-UndeliveredQueue-ABCDEFGHIJKL.fifo",
        "DEAD_LETTER_QUEUE_URL": f"{queue}/fluent-connect-DeadLetterQueue-ABCDEFGHIJKL.fifo",
        "UNROUTED": "hold",
        "DANGEROUSLY_ALLOW_NETWORKS": "127.0.0.0/8",
        "EVENT_LOG_GROUP": "/fluent-connect/fluent-connect/event-log",
    }


def measure(bootstrap: Path, event: dict, env: dict[str, str]) -> tuple[float, float, int, list, list[str]]:
    """An invocation: processor and wall time in ms, most memory in KiB, and the calls and lines of the last one."""
    body = json.dumps(event).encode()
    with Emulator(bootstrap, env) as emulator:
        answers = [emulator.invoke(body) for _ in range(WARM_UP)]
        function = emulator.function
        before, start = processor_ms(function), time.perf_counter()
        answers += [emulator.invoke(body) for _ in range(RUNS)]
        wall, after = (time.perf_counter() - start) * 1000, processor_ms(function)
        memory = most_memory(function)
        Aws.calls.clear()
        mark = emulator.mark()
        answers.append(emulator.invoke(body))
    lines = [line.strip() for line in emulator.log(mark).splitlines() if line.startswith("{")]
    if any("errorMessage" in answer or "E_" in answer or "itemIdentifier" in answer for answer in answers):
        raise SystemExit(f"{bootstrap} did not answer as it should: {answers[-1]}")
    return (after - before) / RUNS, wall / RUNS, memory, list(Aws.calls), lines


def processor_ms(pid: int) -> float:
    """What the kernel counted for all threads."""
    schedules = (thread / "schedstat" for thread in Path(f"/proc/{pid}/task").iterdir())
    return sum(int(schedule.read_text().split()[0]) for schedule in schedules) / 1e6


def most_memory(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def report(name: str, processor: float, wall: float, memory: int, calls: list, lines: list[str]) -> None:
    print(f"\n[{name}]\nprocessor_ms {processor:.2f}, wall {wall:.2f}, memory {memory / 1024:.0f} MiB")
    for operation, body in calls:
        print(f"call {operation}: {len(json.dumps(body, separators=(',', ':')).encode())} bytes")
        for entry in body.get("logEvents", []):
            print(f"  entry of {len(entry['message'].encode())} bytes: {entry['message']}")
        for message in body.get("Entries", [body]):
            if "MessageBody" in message:
                print(f"  message of {len(message['MessageBody'].encode())} bytes")
    for line in lines:
        print(f"line of {len(line.encode())} bytes: {line}")


if __name__ == "__main__":
    main()
