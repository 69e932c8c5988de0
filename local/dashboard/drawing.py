"""Draws the dashboard as the console lays it out: 24 columns, a card for each widget.

Where there is no number, a card says why. Knows nothing of where numbers come from.
"""

import math
import re
from datetime import UTC, datetime

from matplotlib.ticker import FuncFormatter, MaxNLocator

from . import UnsupportedError
from .expressions import Line, lines
from .insights import table
from .page import FAINT, INK, PAPER, RULE, Box, Page, dress
from .record import Record

WIDTH, ROW, GAP, BANNER = 1800, 40, 10, 34
COLORS = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f"]
AWS_ONLY = "AWS only: no numbers in a local run"
NONE = "--"


def drawn(record: Record) -> Page:
    widgets = record.body["widgets"]
    rows = max(widget["y"] + widget["height"] for widget in widgets)
    page = Page(WIDTH, BANNER + rows * ROW + GAP)
    page.text(GAP + 2, GAP + 14, said(record), 9.5, FAINT, style="italic")
    column = (WIDTH - GAP) / 24
    for widget in widgets:
        top = BANNER + widget["y"] * ROW + GAP
        box = Box(widget["x"] * column + GAP, top, widget["width"] * column, widget["height"] * ROW)
        draw = {"text": text, "alarm": alarms, "metric": metric, "log": log}.get(widget["type"])
        if draw is None:
            raise UnsupportedError(f"widget {widget['type']}")
        draw(page, box.inside(0, 0, GAP, GAP), widget["properties"], record)
    return page


def said(record: Record) -> str:
    """What the picture is made of, on the picture."""
    window = record.window
    lasted = f"{window.period * window.count / 60:.0f} minutes"
    return (
        f"The numbers of a local run of {lasted}. A point is {window.period:g} seconds; on AWS it is 5 minutes, "
        "and the dashboard shows 3 hours."
    )


def card(page: Page, box: Box, title: str) -> Box:
    """A widget's frame with its title; what is left below."""
    page.box(box)
    page.text(box.x + 12, box.y + 17, page.fitted(title, box.width - 24, 10.5), 10.5)
    return box.inside(12, 34, 12, 8)


def note(page: Page, box: Box, text: str) -> None:
    page.text(box.x + box.width / 2, box.y + box.height / 2, text, 9, FAINT, ha="center", style="italic")


# Text and alarms


def text(page: Page, box: Box, properties: dict, _record: Record) -> None:
    """Markdown as plain text: headings are bold, the rest is wrapped."""
    if box.height < 1.5 * ROW:
        page.text(box.x + 2, box.y + box.height / 2, plain(properties["markdown"]), 13, INK, weight="bold")
        return
    page.box(box)
    y = box.y + 22
    for line in properties["markdown"].splitlines():
        heading = line.startswith("#")
        size = 13 if heading else 9.5
        for part in page.wrapped(plain(line), box.width - 28, size):
            page.text(box.x + 14, y, part, size, INK, weight="bold" if heading else "normal")
            y += 28 if heading else 19


def plain(markdown: str) -> str:
    linked = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", markdown)
    return re.sub(r"\*\*|[*`]", "", re.sub(r"^#+ ", "", linked))


def alarms(page: Page, box: Box, properties: dict, _record: Record) -> None:
    """The alarms' names, without a state: nothing evaluates them here."""
    inner = card(page, box, properties["title"])
    page.text(box.x + box.width - 12, box.y + 17, "states are evaluated by AWS", 9, FAINT, ha="right", style="italic")
    high = 30
    columns = max(5, math.ceil(len(properties["alarms"]) / (inner.height // high)))
    width = inner.width / columns
    for place, arn in enumerate(properties["alarms"]):
        x, y = inner.x + place % columns * width, inner.y + place // columns * high
        page.box(Box(x, y, width - 8, high - 6), PAPER)
        page.text(x + 10, y + (high - 6) / 2, page.fitted(alarm_name(arn), width - 28, 9), 9)


def alarm_name(arn: str) -> str:
    """The name in the template: CloudFormation puts the stack before it and a suffix behind."""
    found = re.search(r"([A-Za-z]+Alarm)", arn.rsplit(":", 1)[-1])
    return found[1] if found else arn


# Metrics


def metric(page: Page, box: Box, properties: dict, record: Record) -> None:
    inner = card(page, box, properties["title"])
    shown = lines(properties, record.numbers, record.window)
    views = {"timeSeries": series, "singleValue": values}
    if properties["view"] not in views:
        raise UnsupportedError(f"view {properties['view']}")
    if shown and all(line.of_aws for line in shown):
        note(page, inner, AWS_ONLY)
    else:
        views[properties["view"]](page, inner, properties, shown, record)


def values(page: Page, box: Box, properties: dict, shown: list[Line], record: Record) -> None:
    """The latest number of each line, with all its numbers small below."""
    width = box.width / len(shown)
    for place, line in enumerate(shown):
        part = Box(box.x + place * width, box.y, width - 10, box.height)
        latest = next((value for value in reversed(line.values) if value is not None), None)
        page.text(part.x, part.y + 22, NONE if latest is None else number(latest), 21, INK)
        page.text(part.x, part.y + 56, page.fitted(line.label, part.width, 8.5), 8.5, FAINT)
        if properties.get("sparkline") and latest is not None:
            axes = page.axes(part.inside(0, 68, 0, 2))
            axes.set_axis_off()
            axes.fill_between(times(record), [value or 0.0 for value in line.values], color=COLORS[place], alpha=0.25)
            axes.plot(times(record), line.values, color=COLORS[place], linewidth=1)
            axes.set_ylim(bottom=0)


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def series(page: Page, box: Box, properties: dict, shown: list[Line], record: Record) -> None:
    """A chart of lines over the time, with the legend below."""
    legend_height = legend(page, box, shown)
    has_right = any(line.right for line in shown)
    axes = page.axes(box.inside(34, 16, 34 if has_right else 4, legend_height + 20))
    right = axes.twinx() if has_right else None
    for place, line in enumerate(shown):
        plot(right if line.right else axes, times(record), line.values, COLORS[place % len(COLORS)])
    for side, on in (("left", axes), ("right", right)):
        if on is not None:
            scale(on, properties["yAxis"][side])
            x = box.x + 2 if side == "left" else box.x + box.width - 2
            label = properties["yAxis"][side]["label"]
            label = label.replace(f"{properties['period'] / 60:g} minutes", f"{record.window.period:g} seconds")
            page.text(x, box.y + 2, label, 7.5, FAINT, ha=side)
    minutes(axes, record)
    if not any(value is not None for line in shown for value in line.values):
        note(page, box.inside(0, 0, 0, legend_height + 10), "no data: it did not happen in this run")


def plot(axes, at: list[float], values: list[float | None], color: str) -> None:
    """A line through neighbouring periods, and a dot where one stands alone."""
    heights = [float("nan") if value is None else value for value in values]
    axes.plot(at, heights, color=color, linewidth=1.5, clip_on=False, solid_joinstyle="round")
    around = [None, *values, None]
    alone = [place for place in range(len(values)) if around[place] is None and around[place + 2] is None]
    axes.plot([at[place] for place in alone], [heights[place] for place in alone], "o", color=color, markersize=3.5)


def scale(axes, settings: dict) -> None:
    axes.set_ylim(bottom=settings["min"], top=max(axes.get_ylim()[1], 1) if axes.has_data() else 1)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=2))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _place: short(value)))
    dress(axes)


def short(value: float) -> str:
    return f"{value / 1000:g}k" if abs(value) >= 1000 else f"{value:g}"


def times(record: Record) -> list[float]:
    window = record.window
    return [window.start + (place + 0.5) * window.period for place in range(window.count)]


def minutes(axes, record: Record) -> None:
    """The axis of time, in UTC as the console has it."""
    window = record.window
    end = window.start + window.period * window.count
    axes.set_xlim(window.start, end)
    first = int(window.start // 60 + 1) * 60
    ticks = list(range(first, int(end) + 1, 60))
    axes.set_xticks(ticks, [datetime.fromtimestamp(tick, UTC).strftime("%H:%M") for tick in ticks])


def legend(page: Page, box: Box, shown: list[Line]) -> float:
    """The lines' names at the foot, on as many rows as they need; the height of these."""
    labels = [line.label + (" (AWS only)" if line.of_aws else "") for line in shown]
    rows, left = [[]], 0.0
    for place, label in enumerate(labels):
        label = page.fitted(label, box.width - 20, 8)
        width = page.width_of(label, 8) + 30
        if left + width > box.width and rows[-1]:
            rows.append([])
            left = 0.0
        rows[-1].append((left, label, COLORS[place % len(COLORS)]))
        left += width
    top = box.y + box.height - 17 * len(rows)
    for row, entries in enumerate(rows):
        for x, label, color in entries:
            page.box(Box(box.x + x, top + 17 * row + 4, 10, 10), color, None)
            page.text(box.x + x + 15, top + 17 * row + 9, label, 8)
    return 17.0 * len(rows)


# Logs


def log(page: Page, box: Box, properties: dict, record: Record) -> None:
    """A query's table, as many rows as there is room for."""
    inner = card(page, box, properties["title"])
    found = table(properties["query"], record.events)
    room = int((inner.height - 24) // 22)
    if len(found.rows) > room:
        left = f"{room} of {len(found.rows)} rows"
        page.text(box.x + box.width - 12, box.y + 17, left, 9, FAINT, ha="right", style="italic")
    if not found.rows:
        note(page, inner, "nothing: it did not happen in this run")
        return
    cells = [[cell(name, value) for name, value in zip(found.columns, row, strict=True)] for row in found.rows[:room]]
    widths = column_widths(page, found.columns, cells, inner.width)
    for row, of in enumerate([found.columns, *cells]):
        x, y = inner.x, inner.y + 22 * row + 9
        if row:
            page.box(Box(inner.x, y - 11, inner.width, 0.8), RULE, None)
        for value, width in zip(of, widths, strict=True):
            page.text(x, y, page.fitted(value, width - 14, 8.5), 8.5, INK if row else FAINT)
            x += width


def column_widths(page: Page, columns: list[str], cells: list[list[str]], room: float) -> list[float]:
    """What each column needs; the widest gives way where that is too much, and all share what is left over."""
    needed = [max(page.width_of(value, 8.5) for value in column) + 22 for column in zip(columns, *cells, strict=True)]
    if (over := sum(needed) - room) > 0:
        widest = needed.index(max(needed))
        needed[widest] = max(needed[widest] - over, 120)
    return [width + max(room - sum(needed), 0) / len(needed) for width in needed]


def cell(name: str, value: object) -> str:
    if value is None:
        return ""
    if name == "@timestamp":
        return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds")[:23]
    return str(value)
