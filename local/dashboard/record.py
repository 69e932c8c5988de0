"""What a run leaves for the picture, in a file: the halves of `make picture` have Python environments of their own."""

import json
from dataclasses import dataclass
from pathlib import Path

from .insights import Event
from .numbers import Metric, Numbers, Window

RECORD = Path(__file__).resolve().parents[1] / ".state" / "picture.json"


@dataclass
class Record:
    """The dashboard's body as it is deployed, and all that it can show."""

    body: dict
    window: Window
    numbers: Numbers
    events: list[Event]

    def write(self) -> None:
        points = [
            [metric.namespace, metric.name, sorted(metric.dimensions), at, value]
            for metric, found in self.numbers.points.items()
            for at, value in found
        ]
        window = [self.window.start, self.window.period, self.window.count]
        events = [[event.group, event.at_ms, event.message] for event in self.events]
        RECORD.parent.mkdir(exist_ok=True)
        kept = {"body": self.body, "window": window, "points": points, "events": events}
        RECORD.write_text(json.dumps(kept, indent=0))

    @classmethod
    def read(cls) -> "Record":
        kept, numbers = json.loads(RECORD.read_text()), Numbers()
        for namespace, name, dimensions, at, value in kept["points"]:
            numbers.add(Metric.of(namespace, name, **dict(dimensions)), at, value)
        return cls(kept["body"], Window(*kept["window"]), numbers, [Event(*event) for event in kept["events"]])
