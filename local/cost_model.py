"""What webhooks cost by part, what an idle stack costs, and at which rate each limit is met.

The arithmetic of shared/docs/cost.md. Free tiers, discounts and taxes are left out. Knows no AWS: where an input of
local/cost.yaml is wrong, so is what comes out.
"""

from dataclasses import dataclass
from math import ceil, inf

import yaml

from stack.template import RESOURCES, TEMPLATE, of
from stack.tools import LOCAL

INPUTS = yaml.safe_load((LOCAL / "cost.yaml").read_text())
DAYS_A_MONTH = 365 / 12
GB = 1e9


def tiered(amount: float, tiers: list[list[float]]) -> float:
    """Dollars for this amount: each tier is as wide as its first number says, and the last one is open."""
    dollars = 0.0
    for *width, price in tiers:
        taken = min(amount, width[0] if width else inf)
        dollars += taken * price
        amount -= taken
    return dollars


@dataclass(frozen=True)
class Stack:
    """What template.yaml says."""

    memory_gb: float
    ttl_s: int
    concurrency: int
    rate_limit: int
    retention_days: int
    alarm_metrics: int
    """Metrics that the alarms look at which always ring for the whole stack."""
    alarms_by_endpoint: int
    """Alarms that look at one metric an endpoint, or a route, of which as many are assumed."""
    dashboards: int

    @classmethod
    def of_template(cls) -> "Stack":
        default = {name: parameter.get("Default") for name, parameter in TEMPLATE["Parameters"].items()}
        memory = {function["Properties"]["MemorySize"] for function in of("AWS::Serverless::Function").values()}
        (memory_mb,) = memory
        alarms = [alarm["Properties"] for alarm in of("AWS::CloudWatch::Alarm").values() if exists(alarm, default)]
        return cls(
            memory_gb=memory_mb / 1024,
            ttl_s=default["ConfigTtlSeconds"],
            concurrency=default["MaximumConcurrency"],
            rate_limit=default["WebhookRateLimit"],
            retention_days=default["EventLogRetentionDays"],
            alarm_metrics=sum(metrics_of(alarm) for alarm in alarms),
            alarms_by_endpoint=sum("GROUP BY" in str(alarm) for alarm in alarms),
            dashboards=len(of("AWS::CloudWatch::Dashboard")),
        )


def exists(resource: dict, default: dict) -> bool:
    """Whether a stack with all parameters at their defaults has it."""
    return resource.get("Condition") != "ExpectsTraffic" or default["ExpectTrafficWithinMinutes"] > 0


def metrics_of(alarm: dict) -> int:
    """The metrics that an alarm is charged for, those by endpoint left out."""
    if "Metrics" not in alarm:
        return 1
    return sum("MetricStat" in metric for metric in alarm["Metrics"])


class Model:
    """One case of the assumptions."""

    def __init__(self, case: str, inputs: dict = INPUTS, stack: Stack | None = None) -> None:
        self.stack = stack or Stack.of_template()
        self.price, self.measured = inputs["price"], inputs["measured"]
        self.quota = {name: quota["value"] for name, quota in inputs["quota"].items()}
        self.assumed = inputs["assumed"] | inputs["assumed"][case]
        self.seconds = inputs["place"]["seconds_a_month"]

    # One webhook

    @property
    def deliveries(self) -> float:
        return self.assumed["routes_a_webhook"] * self.assumed["attempts_a_delivery"]

    def duration_s(self, step: str, aws_calls: int, answers: int = 0) -> float:
        """Billed seconds of a warm invocation, which wait for these calls one after another."""
        work = self.measured[f"{step}_ms"] / self.assumed["processor_share"]
        waits = aws_calls * self.assumed["aws_call_ms"] + answers * self.assumed["answer_ms"]
        return ceil(work + waits) / 1000

    @property
    def receiver_s(self) -> float:
        return self.duration_s("receiver", 1)

    @property
    def dispatch_s(self) -> float:
        return self.duration_s("dispatch", 1)

    @property
    def delivery_s(self) -> float:
        return self.duration_s("delivery", 1, 1)

    @property
    def invocations(self) -> float:
        return 2 + self.deliveries

    @property
    def router_s(self) -> float:
        """Of the router for one webhook: the dispatch and each attempt."""
        return self.dispatch_s + self.deliveries * self.delivery_s

    @property
    def queue_calls(self) -> float:
        """Sends, receives, deletes: the receiver's send, one of the copies, and two calls for each message received."""
        return 2 + 2 * (1 + self.deliveries)

    def environments(self, rate: float, seconds: float) -> float:
        """That serve so many invocations a second; each takes ten a second at most."""
        return rate * max(seconds, 1 / self.quota["requests_an_environment"])

    def router_environments(self, rate: float) -> float:
        return self.environments(rate, self.dispatch_s) + self.deliveries * self.environments(rate, self.delivery_s)

    def vended_bytes(self) -> float:
        """What Lambda and API Gateway write for one webhook."""
        assumed, measured = self.assumed, self.measured
        platform = self.invocations * assumed["platform_lines"]
        own = measured["receiver_line"] + measured["dispatch_line"] + 2 * assumed["trace_field"]
        return (
            own
            + assumed["access_log_line"]
            + platform * assumed["platform_line"]
            + (3 + platform) * assumed["line_overhead"]
        )

    def event_log_bytes(self) -> float:
        added = self.assumed["trace_field"] + self.assumed["line_overhead"]
        return self.deliveries * (self.measured["event_log_entry"] + added)

    def internet_bytes(self) -> float:
        delivery = self.measured["delivery_request"] + self.assumed["tls_bytes"]
        return self.assumed["answer_bytes"] + self.deliveries * delivery

    # Dollars a month

    def cost(self, part: str, amount: float) -> float:
        return tiered(amount, self.price[part]["tiers"])

    def by_traffic(self, rate: float) -> dict[str, float]:
        """What grows with the webhooks."""
        webhooks = rate * self.seconds
        gb_seconds = webhooks * (self.receiver_s + self.router_s) * self.stack.memory_gb
        vended_gb, event_log_gb = webhooks * self.vended_bytes() / GB, webhooks * self.event_log_bytes() / GB
        chunks = ceil(self.measured["queue_message"] / 65_536)
        return {
            "API Gateway, HTTP API": self.cost("http_api_request", webhooks),
            "Lambda, requests": self.cost("lambda_request", webhooks * self.invocations),
            "Lambda, GB-seconds": self.cost("lambda_gb_second", gb_seconds),
            "SQS, requests of the event queue": self.cost("sqs_fifo_request", webhooks * self.queue_calls * chunks),
            "Parameter Store, reads": self.cost("parameter_read", self.parameter_reads(rate) * self.seconds),
            "KMS, decryption of SecureStrings": self.cost("kms_decrypt", self.decryptions(rate) * self.seconds),
            "CloudWatch Logs, the functions' and the API's lines": self.cost("vended_log_gb", vended_gb),
            "CloudWatch Logs, the event log": self.cost("custom_log_gb", event_log_gb),
            "CloudWatch Logs, kept": self.cost("stored_log_gb_month", self.kept_gb(vended_gb + event_log_gb)),
            "X-Ray, traces": self.cost("trace", self.traces_a_second(rate) * self.seconds),
            "Data transfer to the internet": self.cost("internet_gb", webhooks * self.internet_bytes() / GB),
        }

    def idle(self) -> dict[str, float]:
        """What a stack costs that gets no webhook."""
        ticks = self.seconds / 60
        polls = self.assumed["pollers"] * self.seconds / self.assumed["poll_seconds"]
        line = self.assumed["platform_line"] + self.assumed["line_overhead"]
        scheduler = {
            "scheduled_tick": ticks,
            "lambda_request": ticks,
            "lambda_gb_second": ticks * self.assumed["job_tick_ms"] / 1000 * self.stack.memory_gb,
            "vended_log_gb": ticks * self.assumed["platform_lines"] * line / GB,
            "trace": ticks,
        }
        return {
            "Alarms": self.cost("alarm_metric_month", self.stack.alarm_metrics),
            "Dashboard": self.cost("dashboard_month", self.stack.dashboards),
            "Empty receives of the event queue": self.cost("sqs_fifo_request", polls),
            "Empty receives of the ct-queue": self.cost("sqs_standard_request", polls),
            "Job scheduler, a tick a minute": sum(self.cost(part, amount) for part, amount in scheduler.items()),
        }

    def in_use(self) -> dict[str, float]:
        """What is added once by there being traffic, however much."""
        endpoints = self.assumed["endpoints"]
        metrics = self.assumed["stack_metrics"] + endpoints * self.assumed["endpoint_metrics"]
        return {
            "Metrics": self.cost("custom_metric_month", metrics),
            "Alarms by endpoint or route": self.cost("alarm_metric_month", self.stack.alarms_by_endpoint * endpoints),
        }

    def month(self, rate: float) -> dict[str, float]:
        return self.by_traffic(rate) | self.in_use() | {"What an idle stack costs": sum(self.idle().values())}

    def parameter_reads(self, rate: float) -> float:
        """GetParametersByPath a second: an environment reads anew after its time to live, where it is asked at all."""
        receivers = min(self.environments(rate, self.receiver_s) / self.stack.ttl_s, rate)
        return receivers + min(self.router_environments(rate) / self.stack.ttl_s, rate) * ROUTER_SECTIONS

    def decryptions(self, rate: float) -> float:
        """A second; the keys of webhooks are public and no SecureStrings."""
        return min(self.router_environments(rate) / self.stack.ttl_s, rate) * self.assumed["secure_parameters"]

    def kept_gb(self, gb_a_month: float) -> float:
        """Stored at any time, once the stack is older than its retention."""
        return gb_a_month * self.stack.retention_days / DAYS_A_MONTH * self.assumed["log_compression"]

    def traces_a_second(self, rate: float) -> float:
        sampled = min(rate, 1 + self.assumed["sampled_share"] * max(rate - 1, 0))
        return sampled * self.assumed["traces_a_webhook"]

    # Limits, in webhooks a second

    def limits(self) -> dict[str, float]:
        stack, quota = self.stack, self.quota
        receiver, router = self.environments(1, self.receiver_s), self.router_environments(1)
        reads = (receiver + router * ROUTER_SECTIONS) / stack.ttl_s
        return {
            "rate_limit": stack.rate_limit,
            "api_requests": quota["api_requests"],
            "concurrency": stack.concurrency / self.router_s,
            "concurrency_most": quota["event_source_concurrency"] / self.router_s,
            "lambda_concurrency": quota["lambda_concurrency"] / (receiver + router),
            "receivers_beside": self.left_to_receivers / receiver,
            "parameter_reads": quota["parameter_reads"] / reads,
            "put_log_events": quota["put_log_events"] / self.deliveries,
            "sqs_fifo_calls": quota["sqs_fifo_calls"] / max(2, 1 + self.deliveries),
            "one_entity": 1 / max(self.dispatch_s, self.delivery_s),
        }

    @property
    def left_to_receivers(self) -> int:
        """Of the account's concurrency, beside as many routers as there may be."""
        return self.quota["lambda_concurrency"] - self.stack.concurrency

    def outage_s(self, rate: float) -> float:
        """Seconds of an endpoint's outage after which so many entities wait that SQS hands out nothing any more.

        Endless where they are parked before they are so many.
        """
        seconds = self.quota["sqs_in_flight"] / rate
        return seconds if seconds < self.assumed["schedule_s"] else inf


def router_sections() -> int:
    """The sections that the router's role may read, each a call of its own."""
    for statement in RESOURCES["MessageRouterRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]:
        if statement["Action"] == "ssm:GetParametersByPath":
            return sum(resource.endswith("/*") for resource in statement["Resource"])
    raise ValueError("the router's role may read no parameters")


ROUTER_SECTIONS = router_sections()
