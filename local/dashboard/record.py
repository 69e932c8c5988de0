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
    events: list[tuple[str, int, str]]
    """Log group, milliseconds since 1970 and line."""

    def write(self) -> None:
        points = [
            [metric.namespace, metric.name, sorted(metric.dimensions), at, value]
            for metric, found in self.numbers.points.items()
            for at, value in found
        ]
        window = [self.window.start, self.window.period, self.window.count]
        RECORD.parent.mkdir(exist_ok=True)
        RECORD.write_text(
            json.dumps({"body": self.body, "window": window, "points": points, "events": self.events}, indent=0)
        )

    @classmethod
    def read(cls) -> "Record":
        kept, numbers = json.loads(RECORD.read_text()), Numbers()
        for namespace, name, dimensions, at, value in kept["points"]:
            numbers.add(Metric.of(namespace, name, **dict(dimensions)), at, value)
        return cls(kept["body"], Window(*kept["window"]), numbers, [tuple(event) for event in kept["events"]])

    def log(self) -> list[Event]:
        return [Event(*event) for event in self.events]
