"""`make picture`, first half: minutes of traffic through the deployed template, and every number of it in a file.

The connector's metrics are taken out of the log entries that carry them. Of AWS's own there is what can be measured
here: depths and ages of the queues, as the local AWS tells them once a second; the functions' durations, of the lines
that it writes about each invocation; and the answers of the API, as the sender gets them. The rest has no number, and
the picture says so.
"""

import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode
from urllib.request import urlopen

from dashboard.insights import Event
from dashboard.numbers import Metric, Numbers, Window
from dashboard.record import RECORD, Record
from stack.load import LOAD_S, Load
from stack.stack import FUNCTIONS, Answer, Stack
from stack.steps import deploy, step

PERIOD_S = 5
"""The dashboard's five minutes, sixty times faster."""
DRAIN_S = 20
VISIBLE, IN_FLIGHT = "ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"
AGE = "ApproximateAgeOfOldestMessage"
REPORT = re.compile(r"REPORT RequestId: \S+\tDuration: ([\d.]+) ms")
"""Lambda's line about an invocation."""


def main() -> None:
    stack, numbers = Stack(), Numbers()
    try:
        deploy(stack)
        record = measured(stack, numbers)
    finally:
        stack.stop()
    record.write()
    print(f"{sum(map(len, numbers.points.values()))} points of {len(numbers.points)} metrics are in {RECORD}")


def measured(stack: Stack, numbers: Numbers) -> Record:
    """Everything that the picture is drawn from."""
    api = stack.webhook_host.split(".")[0]
    load = Load(stack, lambda answer: count(numbers, api, answer))
    load.configure()
    start, over = time.time() // PERIOD_S * PERIOD_S, threading.Event()
    with ThreadPoolExecutor(1) as beside:
        watching = beside.submit(watch, stack, numbers, over)
        try:
            step(f"sending for {LOAD_S} seconds", load.run)
            step(f"waiting {DRAIN_S} seconds for what waits", lambda: time.sleep(DRAIN_S))
        finally:
            over.set()
        watching.result()
    window = Window(start, PERIOD_S, int((time.time() - start) // PERIOD_S))
    body = json.loads(stack.dashboard())
    events = [Event(group, event["timestamp"], event["message"]) for group, event in stack.all_events()]
    read(events, functions_by_log(stack), numbers)
    return Record(body, window, numbers, events)


def watch(stack: Stack, numbers: Numbers, over: threading.Event) -> None:
    """Looks at every queue once a second."""
    urls = [url for name, url in stack.outputs.items() if name.endswith("QueueUrl")]
    while not over.wait(1.0):
        for url in urls:
            look(stack, numbers, url)


def look(stack: Stack, numbers: Numbers, url: str) -> None:
    """By what the local AWS shows of a queue without receiving from it."""
    address = f"http://127.0.0.1:{stack.port}/_ministack/sqs/messages?{urlencode({'QueueUrl': url})}"
    now = time.time()
    with urlopen(address, timeout=10) as answer:
        accounts = json.load(answer)["messages"].values()
    messages = [each for regions in accounts for queues in regions.values() for each in sum(queues.values(), [])]
    visible = sum(message["IsVisible"] for message in messages)
    age = max((now - int(message["Attributes"]["SentTimestamp"]) / 1000 for message in messages), default=0.0)
    for name, value in ((VISIBLE, visible), (IN_FLIGHT, len(messages) - visible), (AGE, age)):
        numbers.add(Metric.of("AWS/SQS", name, QueueName=url.rsplit("/", 1)[1]), now, max(value, 0.0))


def read(events: list[Event], functions: dict[str, str], numbers: Numbers) -> None:
    """What the log's lines measure."""
    for event in events:
        numbers.add_line(event.message)
        if found := REPORT.match(event.message):
            metric = Metric.of("AWS/Lambda", "Duration", FunctionName=functions[event.group])
            numbers.add(metric, event.at_ms / 1000, float(found[1]))


def count(numbers: Numbers, api: str, answer: Answer) -> None:
    """An answer of the API, by the metrics that API Gateway has of it."""
    now = time.time()
    for name, value in (("Count", 1), ("4xx", 400 <= answer.status < 500), ("5xx", answer.status >= 500)):
        numbers.add(Metric.of("AWS/ApiGateway", name, ApiId=api), now, float(value))


def functions_by_log(stack: Stack) -> dict[str, str]:
    """The functions' names by their log groups."""
    names = [stack.function_name(function) for function in FUNCTIONS]
    told = [stack.client("lambda").get_function_configuration(FunctionName=name) for name in names]
    return {each["LoggingConfig"]["LogGroup"]: each["FunctionName"] for each in told}


if __name__ == "__main__":
    main()
