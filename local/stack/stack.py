"""Starts the local AWS, builds and deploys the repository's own template, and talks to what is deployed."""

import base64
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import boto3

from . import signing
from .tools import AWS_PYTHON, LOCAL, REGION, ROOT, environment, free_port, run

STACK = "fluent-connect"
FUNCTIONS = ("WebhookReceiver", "CtQueueListener", "MessageRouter", "ReplayFunction", "JobScheduler")
STATE = LOCAL / ".state"
TTL_S = 2.2
"""Longer than the 2 s that the local stack keeps its configuration."""


@dataclass(frozen=True)
class Answer:
    """What the webhook URL answered."""

    status: int
    headers: dict[str, str]
    body: dict


class Stack:
    """The deployed template on a local AWS of its own; everything it started ends with `stop`.

    One beside another keeps its logs elsewhere.
    """

    def __init__(self, logs: Path = STATE) -> None:
        """Keeps what the tools and the local AWS say in `logs`."""
        self.port, self._logs = free_port(), logs
        self._process: subprocess.Popen | None = None
        self._scratch: Path | None = None
        self.outputs: dict[str, str] = {}

    # Starting and stopping

    def start(self) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        self._scratch = Path(tempfile.mkdtemp(prefix="fluent-connect-"))
        env = environment(self.port) | {
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "TMPDIR": str(self._scratch),
            "MINISTACK_REGION": REGION,
        }
        with (self._logs / "aws.log").open("w") as log:
            self._process = subprocess.Popen(
                [AWS_PYTHON, LOCAL / "aws.py"], env=env, stdout=log, stderr=log, start_new_session=True
            )
        self._wait_until_ready()

    def deploy(self, **changed: str) -> None:
        """Deploys what was built, anew or as an update, with these parameters in place of samconfig.toml's."""
        self._deploy([], local_parameters() | changed if changed else {})

    def deploy_template(self, template: Path, parameters: dict[str, str]) -> None:
        """Deploys another template than the one that was built, anew or as an update."""
        self._deploy(["--template-file", str(template), "--config-file", str(ROOT / "samconfig.toml")], parameters)

    def _deploy(self, options: list[str], parameters: dict[str, str]) -> None:
        command = ["sam", "deploy", "--config-env", "local", "--no-progressbar", *options]
        if parameters:
            command += ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())]
        run(command, self._logs / "deploy.log", environment(self.port))
        stacks = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}

    def delete(self) -> None:
        """Deletes the stack, and leaves what outlives it."""
        formation = self.client("cloudformation")
        formation.delete_stack(StackName=STACK)
        formation.get_waiter("stack_delete_complete").wait(
            StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )

    def stop(self) -> None:
        if self._process is not None:
            group = self._process.pid  # a session of its own: exactly what we started
            for sent in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(group, sent)
                    self._process.wait(timeout=5)
                except ProcessLookupError:
                    break
                except subprocess.TimeoutExpired:
                    continue
            self._process.wait()
            self._process = None
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _wait_until_ready(self) -> None:
        for _ in range(120):
            if self._process.poll() is not None:
                raise SystemExit(f"the local AWS did not start: see {self._logs / 'aws.log'}")
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_ministack/health", timeout=1).close()
                return
            except OSError:
                time.sleep(0.25)
        raise SystemExit(f"the local AWS was not ready within 30 s: see {self._logs / 'aws.log'}")

    # Talking to it

    def client(self, service: str):
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    @property
    def webhook_host(self) -> str:
        """The API's host name on the local AWS; connect to 127.0.0.1, for not every client resolves it."""
        api = urlsplit(self.outputs["WebhookUrl"]).hostname.split(".")[0]
        return f"{api}.execute-api.localhost:{self.port}"

    def source_path(self, source: str) -> str:
        """The path of the webhooks of an external system."""
        return f"{urlsplit(self.outputs['ExternalWebhookUrl']).path}/{source}"

    @property
    def webhook_path(self) -> str:
        return urlsplit(self.outputs["WebhookUrl"]).path

    def post(self, body: bytes, headers: dict[str, str], path: str | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            all_headers = {"Host": self.webhook_host, "Content-Type": "application/json"} | headers
            connection.request("POST", path or self.webhook_path, body, all_headers)
            response = connection.getresponse()
            text = response.read()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, fields, json.loads(text) if text else {})
        finally:
            connection.close()

    def post_signed(self, event: dict) -> Answer:
        body = json.dumps(event).encode()
        return self.post(body, {"fluent-signature": signing.signature(body)})

    def put(self, name: str, value: str, secure: bool = False) -> None:
        """Writes a parameter below the stack's prefix; refuses what AWS refuses (PutParameter, Value)."""
        assert "{{" not in value, "Parameter value can't nest another parameter"
        self.client("ssm").put_parameter(
            Name=f"{self.outputs['ConfigPrefix']}/{name}",
            Value=value,
            Type="SecureString" if secure else "String",
            Overwrite=True,
        )

    def parameters(self) -> set[str]:
        """The names of all parameters below the stack's prefix."""
        prefix = self.outputs["ConfigPrefix"]
        pages = self.client("ssm").get_paginator("get_parameters_by_path").paginate(Path=prefix, Recursive=True)
        return {found["Name"].removeprefix(f"{prefix}/") for page in pages for found in page["Parameters"]}

    def forget(self, name: str) -> None:
        """Deletes a parameter below the stack's prefix."""
        self.client("ssm").delete_parameter(Name=f"{self.outputs['ConfigPrefix']}/{name}")

    def event_log(self, message_id: str | None = None) -> list[dict]:
        """The entries of the event log, of one message where it is given, by time."""
        entries = [json.loads(event["message"]) for event in self._events(self.outputs["EventLogGroup"])]
        chosen = [entry for entry in entries if message_id is None or entry.get("message.id") == message_id]
        return sorted(chosen, key=lambda entry: entry["time"])

    def wait_for_entries(self, message_id: str, kind: str, timeout: float = 30.0) -> list[dict]:
        """A message's entries once one of this type is among them; whatever there is after the timeout."""
        deadline = time.monotonic() + timeout
        while True:
            entries = self.event_log(message_id)
            if any(entry["type"] == kind for entry in entries) or time.monotonic() > deadline:
                return entries
            time.sleep(0.2)

    def queue_depth(self, output: str) -> int:
        """Messages in a queue, those in flight included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.client("sqs").get_queue_attributes(QueueUrl=self.outputs[output], AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def notify(self, body: str) -> str:
        """Puts a body on the ct-queue, as commercetools does; SQS's id of it."""
        return self.client("sqs").send_message(QueueUrl=self.outputs["CtQueueUrl"], MessageBody=body)["MessageId"]

    def queue_text(self, body: str) -> None:
        """Puts a body on the event queue that is no message, in a group of its own."""
        once = uuid.uuid4().hex
        self.client("sqs").send_message(
            QueueUrl=self.outputs["EventQueueUrl"], MessageBody=body, MessageGroupId=once, MessageDeduplicationId=once
        )

    def take_all(self, output: str) -> list[dict]:
        """Takes everything out of a queue, with its attributes."""
        sqs, url, taken = self.client("sqs"), self.outputs[output], []
        while messages := sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
        ).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                taken.append(message)
        return taken

    def replay(self, **request) -> dict:
        """What the replay function answers."""
        result, failed = self.invoke("ReplayFunctionName", request)
        assert not failed, result
        return result

    def jobs(self, **request) -> dict:
        """What the job scheduler answers, or its error."""
        return self.invoke("JobSchedulerFunctionName", request)[0]

    def invoke(self, output: str, request: dict) -> tuple[dict, bool]:
        """What the function that an output names answers, and whether that is an error."""
        answer = self.client("lambda").invoke(FunctionName=self.outputs[output], Payload=json.dumps(request))
        return json.loads(answer["Payload"].read()), "FunctionError" in answer

    @contextlib.contextmanager
    def visibility_timeout(self, seconds: int, output: str = "EventQueueUrl"):
        """A shorter visibility timeout of a queue, for those who cannot wait for its 270 s."""
        sqs, url = self.client("sqs"), self.outputs[output]
        before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})
        try:
            yield
        finally:
            sqs.set_queue_attributes(QueueUrl=url, Attributes=before)

    # What runs in it

    @contextlib.contextmanager
    def calls_through(self, url: str):
        """Lets the functions call AWS at this URL; they start anew, before and after."""
        for name in FUNCTIONS:
            self._set_variable(name, "LOCAL_AWS_ENDPOINT_URL", url)
        try:
            yield
        finally:
            for name in FUNCTIONS:
                self._set_variable(name, "LOCAL_AWS_ENDPOINT_URL", "")

    def take_from_queue(self, logical_id: str, enabled: bool) -> None:
        """Has a function take messages from its queue, or none."""
        functions, name = self.client("lambda"), self.function_name(logical_id)
        for mapping in functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)

    @contextlib.contextmanager
    def traced_to(self, address: str):
        """Lets the functions find X-Ray's daemon at this address, as Lambda does; they start anew, before and after."""
        for name in FUNCTIONS:
            self._set_variable(name, "AWS_XRAY_DAEMON_ADDRESS", address)
        try:
            yield
        finally:
            for name in FUNCTIONS:
                self._set_variable(name, "AWS_XRAY_DAEMON_ADDRESS", "")

    def renew(self, logical_id: str) -> None:
        """Ends a function's environments, so that the next call starts a new one."""
        self._set_variable(logical_id, "RENEWED", str(time.time_ns()))

    def kill(self, logical_id: str) -> int:
        """Kills a function's running environments, as a crash would; how many there were."""
        name = f"AWS_LAMBDA_FUNCTION_NAME={self.function_name(logical_id)}".encode()
        killed = 0
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                variables = (process / "environ").read_bytes().split(b"\0")
                command = (process / "cmdline").read_bytes()
                if name in variables and b"bootstrap" in command and self._is_descendant(int(process.name)):
                    os.kill(int(process.name), signal.SIGKILL)
                    killed += 1
        return killed

    def _is_descendant(self, pid: int) -> bool:
        """Whether the local AWS that was started here started this process."""
        while pid > 1:
            if pid == self._process.pid:
                return True
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        return False

    def variables(self, logical_id: str) -> dict[str, str]:
        """The variables that a function is deployed with."""
        name = self.function_name(logical_id)
        return self.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    def _set_variable(self, logical_id: str, variable: str, value: str) -> None:
        variables = self.variables(logical_id) | {variable: value}
        name = self.function_name(logical_id)
        self.client("lambda").update_function_configuration(FunctionName=name, Environment={"Variables": variables})

    def dashboard(self) -> str:
        """The body of the deployed dashboard, JSON."""
        found = self.client("cloudwatch").get_dashboard(DashboardName=f"{STACK}-{REGION}")
        return found["DashboardBody"]

    def all_logs(self) -> list[str]:
        """Every line of every log group."""
        return [event["message"] for _, event in self.all_events()]

    def all_events(self) -> list[tuple[str, dict]]:
        """Every event of every log group, with the group's name."""
        groups = [group["logGroupName"] for group in self.client("logs").describe_log_groups()["logGroups"]]
        return [(group, event) for group in groups for event in self._events(group)]

    def wait_for_lines(self, component: str, text: str, timeout: float = 30.0) -> list[str]:
        """The lines of a function's own log that hold this text, once there are some."""
        group = f"/fluent-connect/{STACK}/{component}"
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if lines := [event["message"] for event in self._events(group) if text in event["message"]]:
                return lines
            time.sleep(0.5)
        return []

    def _events(self, group: str) -> list[dict]:
        """Every event of a log group."""
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        return [event for page in pages for event in page["events"]]

    def function_name(self, logical_id: str) -> str:
        resource = self.client("cloudformation").describe_stack_resource(StackName=STACK, LogicalResourceId=logical_id)
        return resource["StackResourceDetail"]["PhysicalResourceId"]


def local_parameters() -> dict[str, str]:
    """The parameters that `sam deploy --config-env local` sets."""
    part = (ROOT / "samconfig.toml").read_text().split("[local.deploy.parameters]")[1]
    pairs = re.search(r'^parameter_overrides = "([^"]+)"', part, re.M)[1].split()
    return dict(pair.split("=", 1) for pair in pairs)


def build() -> None:
    """Builds the functions with cargo-lambda through `sam build`; incremental."""
    STATE.mkdir(exist_ok=True)
    run(["sam", "build", "--config-env", "local"], STATE / "build.log", environment())


def seed(stack: Stack, receiver_url: str) -> None:
    """The development key, sources, an endpoint, and a shipped route switched on."""
    stack.put("keys/development", signing.public_key(), secure=True)
    seed_sources(stack)
    stack.put("endpoints/storefront", f"{receiver_url}/orders")
    stack.put("routes/order-status-to-storefront", "enabled: true")


def seed_sources(stack: Stack) -> None:
    """The sources that sign the samples `events/external-*.json`."""
    for path in sorted((ROOT / "shared" / "testkit" / "sources").glob("*.yaml")):
        stack.put(f"sources/{path.stem}", path.read_text(), secure=True)


def order_event(name: str, reference: str, /, **changes) -> dict:
    """An event of Fluent about the order with this reference, with an id of its own."""
    event = {
        "id": uuid.uuid4().hex,
        "name": name,
        "accountId": "ACME",
        "retailerId": "1",
        "entityId": "1",
        "entityRef": reference,
        "entityType": "ORDER",
    }
    return event | changes


def sample(path: Path) -> tuple[bytes, dict[str, str]]:
    """The body and headers of a file in `events/`."""
    event = json.loads(path.read_text())
    body = event["body"]
    raw = base64.b64decode(body) if event["isBase64Encoded"] else body.encode()
    skipped = {"host", "content-length"}
    return raw, {name: value for name, value in event["headers"].items() if name.lower() not in skipped}


def sample_path(path: Path) -> str:
    """The URL's path of a file in `events/`."""
    return json.loads(path.read_text())["rawPath"]


def samples() -> list[Path]:
    events = ROOT / "events"
    return sorted(events.glob("webhook-*.json")) + sorted(events.glob("external-*.json"))
