"""Metrics as CloudWatch keeps them: points under a namespace, a name and dimensions, and statistics of each period.

Takes the points out of log lines in the embedded metric format. Knows no dashboard and no AWS.
"""

import json
import math
from collections import defaultdict
from dataclasses import dataclass, field

from . import UnsupportedError

METADATA = "_aws"


@dataclass(frozen=True)
class Metric:
    """One metric: the same name with other dimensions is another."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, namespace: str, name: str, **dimensions: str) -> "Metric":
        return cls(namespace, name, frozenset(dimensions.items()))


@dataclass(frozen=True)
class Window:
    """The time that is shown, in whole periods: from `start`, `count` times `period` seconds."""

    start: float
    period: float
    count: int

    def slot(self, at: float) -> int | None:
        """The period that a time is in."""
        slot = math.floor((at - self.start) / self.period)
        return slot if 0 <= slot < self.count else None

    def whole(self) -> "Window":
        """The same time as one period."""
        return Window(self.start, self.period * self.count, 1)


@dataclass
class Numbers:
    """Every point, by its metric."""

    points: dict[Metric, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, metric: Metric, at: float, value: float) -> None:
        """Adds a point: seconds since 1970, and what was measured."""
        self.points[metric].append((at, value))

    def add_line(self, line: str) -> None:
        """Adds what CloudWatch takes out of a log line: each metric of each directive, once for each dimension set."""
        for metric, at, value in embedded(line):
            self.add(metric, at, value)

    def series(self, metric: Metric, stat: str, window: Window) -> list[float | None]:
        """The statistic of each period; nothing for a period without a point."""
        slots = [[] for _ in range(window.count)]
        for at, value in self.points.get(metric, ()):
            if (slot := window.slot(at)) is not None:
                slots[slot].append(value)
        return [statistic(stat, values) if values else None for values in slots]


def embedded(line: str) -> list[tuple[Metric, float, float]]:
    """The points of a line in the embedded metric format; none of a line that is not (user guide, specification)."""
    try:
        entry = json.loads(line)
    except ValueError:
        return []
    if not isinstance(entry, dict) or METADATA not in entry:
        return []
    at, found = entry[METADATA]["Timestamp"] / 1000, []
    for directive in entry[METADATA]["CloudWatchMetrics"]:
        for keys in directive["Dimensions"]:
            dimensions = frozenset((key, entry[key]) for key in keys)
            for definition in directive["Metrics"]:
                metric = Metric(directive["Namespace"], definition["Name"], dimensions)
                value = entry[definition["Name"]]
                found += [(metric, at, float(one)) for one in (value if isinstance(value, list) else [value])]
    return found


def statistic(stat: str, values: list[float]) -> float:
    """A statistic of the values of a period, by CloudWatch's name of it."""
    plain = {"Sum": sum, "Maximum": max, "Minimum": min, "SampleCount": len, "Average": lambda v: sum(v) / len(v)}
    if stat in plain:
        return float(plain[stat](values))
    if stat.startswith("p"):
        return percentile(sorted(values), float(stat[1:]))
    raise UnsupportedError(f"statistic {stat}")


def percentile(ordered: list[float], share: float) -> float:
    """Linear between the two neighbours: CloudWatch does not say how it does it."""
    place = (len(ordered) - 1) * share / 100
    below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
    return below + (above - below) * (place - math.floor(place))
