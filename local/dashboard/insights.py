"""Logs Insights queries, as far as the dashboard asks: a table of log entries. Refuses what it does not know.

Syntax: CloudWatch Logs user guide, Logs Insights query syntax.
"""

import json
import re
from dataclasses import dataclass

from . import UnsupportedError

FIELD = r"(?:`[^`]+`|@?\w+)"
SOURCE = re.compile(r"SOURCE '([^']+)'")
EQUALS = re.compile(rf"({FIELD}) = '([^']*)'")
ONE_OF = re.compile(rf"({FIELD}) in \[([^\]]*)\]")
SORT = re.compile(rf"sort ({FIELD}) (asc|desc)")
AGGREGATE = re.compile(rf"(\w+)\((\*|{FIELD})\) as (\w+)")


@dataclass(frozen=True)
class Event:
    """A line of a log."""

    group: str
    at_ms: int
    """Milliseconds since 1970."""
    message: str

    def fields(self) -> dict:
        """The entry with what Insights adds; a line that is no object has only that."""
        try:
            entry = json.loads(self.message)
        except ValueError:
            entry = {}
        entry = entry if isinstance(entry, dict) else {}
        return entry | {"@timestamp": self.at_ms, "@log": self.group, "@message": self.message}


@dataclass(frozen=True)
class Table:
    columns: list[str]
    rows: list[list]


def table(query: str, events: list[Event]) -> Table:
    """What a query finds in these events; without `fields` or `stats` there is nothing to show, which is refused."""
    stages = [stage.strip() for stage in query.split("|")]
    groups = {found[1] for stage in stages if (found := SOURCE.fullmatch(stage))}
    rows, columns = [event.fields() for event in events if event.group in groups], None
    for stage in stages:
        command, _, rest = stage.partition(" ")
        if command == "fields":
            columns = [bare(name) for name in listed(rest)]
        elif command == "filter":
            rows = [row for row in rows if holds(rest, row)]
        elif command == "stats":
            columns, rows = grouped(rest, rows)
        elif command == "sort" and (found := SORT.fullmatch(stage)):
            rows = ordered(rows, bare(found[1]), found[2] == "desc")
        elif command == "limit":
            rows = rows[: int(rest)]
        elif not SOURCE.fullmatch(stage):
            raise UnsupportedError(f"query command {stage}")
    if not groups or columns is None:
        raise UnsupportedError(f"query {query}")
    return Table(columns, [[row.get(column) for column in columns] for row in rows])


def listed(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if strange := [name for name in names if not re.fullmatch(FIELD, name)]:
        raise UnsupportedError(f"query field {strange[0]}")
    return names


def bare(name: str) -> str:
    return name.strip("`")


def holds(condition: str, row: dict) -> bool:
    """Whether every part of a condition is so: equality with a text, or one of some."""
    for part in condition.split(" and "):
        if found := EQUALS.fullmatch(part):
            allowed = {found[2]}
        elif found := ONE_OF.fullmatch(part):
            allowed = set(re.findall(r"'([^']*)'", found[2]))
        else:
            raise UnsupportedError(f"query condition {part}")
        if row.get(bare(found[1])) not in allowed:
            return False
    return True


def grouped(text: str, rows: list[dict]) -> tuple[list[str], list[dict]]:
    """`stats … by …`: a row for each combination of what it is told apart by."""
    made, _, by = text.partition(" by ")
    keys = [bare(name) for name in listed(by)]
    aggregates = AGGREGATE.findall(made)
    if ", ".join(f"{function}({field}) as {alias}" for function, field, alias in aggregates) != made:
        raise UnsupportedError(f"query stats {made}")
    together: dict[tuple, list[dict]] = {}
    for row in rows:
        together.setdefault(tuple(row.get(key) for key in keys), []).append(row)
    found = [
        dict(zip(keys, values, strict=True)) | {alias: reduced(fn, bare(name), of) for fn, name, alias in aggregates}
        for values, of in together.items()
    ]
    return keys + [alias for _, _, alias in aggregates], found


def reduced(function: str, name: str, rows: list[dict]) -> object:
    in_time = sorted(rows, key=lambda row: row["@timestamp"])
    values = [row[name] for row in in_time if row.get(name) is not None]
    if function == "count":
        return len(rows) if name == "*" else len(values)
    if function == "count_distinct":
        return len(set(values))
    if function in ("earliest", "latest"):
        return values[0 if function == "earliest" else -1] if values else None
    raise UnsupportedError(f"query function {function}")


def ordered(rows: list[dict], name: str, descending: bool) -> list[dict]:
    """Sorted by a field; the rows without it at the end."""
    having = [row for row in rows if row.get(name) is not None]
    lacking = [row for row in rows if row.get(name) is None]
    return sorted(having, key=lambda row: row[name], reverse=descending) + lacking
