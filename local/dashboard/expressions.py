"""What each line of a widget's `metrics` shows. Does just what the dashboard uses, and refuses all else.

Format of a line, and metric math: CloudWatch API reference, dashboard body structure; user guide, metric math.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from . import UnsupportedError
from .numbers import Metric, Numbers, Window

PROPERTIES = {"title", "region", "view", "stat", "period", "metrics", "yAxis", "sparkline", "setPeriodToTimeRange"}
OPTIONS = {"expression", "label", "id", "visible", "stat", "yAxis"}
SEARCH = re.compile(
    r"SEARCH\('\{(?P<namespace>\w+),(?P<names>[\w,]+)\} (?P<terms>[^']+)', '(?P<stat>\w+)', (?P<period>\d+)\)"
)
TERM = re.compile(r'(\w+)="([^"]*)"')
FILL = re.compile(r"FILL\((.+), (-?\d+)\)")
QUOTIENT = re.compile(r"(.+) / (\d+)")
PROPERTY = re.compile(r"\$\{PROP\('Dim\.(\w+)'\)\}")


@dataclass(frozen=True)
class Line:
    """One line of a chart, one value for each period."""

    label: str
    values: list[float | None]
    right: bool = False
    """Drawn on the right axis."""
    of_aws: bool = False
    """A metric of AWS's own that has no number at all here."""


def lines(properties: dict, numbers: Numbers, window: Window) -> list[Line]:
    """What a metric widget shows, in its order."""
    if strange := set(properties) - PROPERTIES:
        raise UnsupportedError(f"properties {sorted(strange)}")
    window = window.whole() if properties.get("setPeriodToTimeRange") else window
    entries = [split(entry) for entry in properties["metrics"]]
    chart = Chart(properties["stat"], {options["id"]: (path, options) for path, options in entries if "id" in options})
    shown = [(path, options) for path, options in entries if options.get("visible", True)]
    return [line for path, options in shown for line in chart.lines(path, options, numbers, window)]


def split(entry: list) -> tuple[list[str], dict]:
    """The path of a metric, empty for an expression, and the options of the line."""
    path = [part for part in entry if isinstance(part, str)]
    options = entry[-1] if isinstance(entry[-1], dict) else {}
    if len(path) + bool(options) != len(entry) or set(options) - OPTIONS or set(path) & {".", "..."}:
        raise UnsupportedError(f"metric {entry}")
    if bool(path) == ("expression" in options) or len(path) % 2:
        raise UnsupportedError(f"metric {entry}")
    return path, options


@dataclass(frozen=True)
class Chart:
    """What holds for all lines of a widget."""

    stat: str
    by_id: dict[str, tuple[list[str], dict]]
    """Path and options of the lines that have an id, for expressions to name."""

    def lines(self, path: list[str], options: dict, numbers: Numbers, window: Window) -> list[Line]:
        """A metric's line, or those of an expression."""
        if path:
            found = [self.plain(path, options, numbers, window)]
        else:
            found = self.evaluated(options["expression"], options["label"], numbers, window)
        return [replace(line, right=options.get("yAxis") == "right") for line in found]

    def plain(self, path: list[str], options: dict, numbers: Numbers, window: Window) -> Line:
        namespace, name, *dimensions = path
        metric = Metric.of(namespace, name, **dict(zip(dimensions[::2], dimensions[1::2], strict=True)))
        values = numbers.series(metric, options.get("stat", self.stat), window)
        of_aws = namespace.startswith("AWS/") and metric not in numbers.points
        return Line(options.get("label", name), values, of_aws=of_aws)

    def evaluated(self, text: str, label: str, numbers: Numbers, window: Window) -> list[Line]:
        """A search or the id of a line; either of them with its gaps filled, or in another unit."""
        if found := FILL.fullmatch(text):
            inner = self.evaluated(found[1], label, numbers, window)
            return [mapped(line, lambda value: float(found[2]) if value is None else value) for line in inner]
        if found := QUOTIENT.fullmatch(text):
            inner = self.evaluated(found[1], label, numbers, window)
            return [mapped(line, lambda value: None if value is None else value / int(found[2])) for line in inner]
        if found := SEARCH.fullmatch(text):
            return search(found, label, numbers, window)
        if text in self.by_id:
            return [replace(self.plain(*self.by_id[text], numbers, window), label=label)]
        raise UnsupportedError(f"expression {text}")


def mapped(line: Line, change: Callable[[float | None], float | None]) -> Line:
    return replace(line, values=[change(value) for value in line.values])


def search(found: re.Match, label: str, numbers: Numbers, window: Window) -> list[Line]:
    """A line for each metric with exactly these dimensions that each term names by its whole value."""
    terms = dict(TERM.findall(found["terms"]))
    if TERM.sub("", found["terms"]).strip() or not (by := PROPERTY.fullmatch(label)):
        raise UnsupportedError(f"search {found[0]} with label {label}")
    name, names = terms.pop("MetricName"), set(found["names"].split(","))
    shown = []
    for metric in sorted(numbers.points, key=lambda metric: sorted(metric.dimensions)):
        dimensions = dict(metric.dimensions)
        fits = (metric.namespace, metric.name, set(dimensions)) == (found["namespace"], name, names)
        if fits and all(dimensions.get(key) == value for key, value in terms.items()):
            shown.append(Line(dimensions[by[1]], numbers.series(metric, found["stat"], window)))
    return [line for line in shown if any(value is not None for value in line.values)]
