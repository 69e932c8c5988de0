"""commercetools' query predicates, as far as the connector uses them, and `or`."""

import re
from collections.abc import Callable

Predicate = Callable[[dict], bool]

TOKEN = re.compile(r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?\d+)|(?P<word>\w+)|(?P<mark><>|!=|<=|>=|[=<>(),]))')
COMPARISONS = {
    "=": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
    "<>": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
}


class MalformedPredicateError(Exception):
    """The text is no predicate, or one that this reader does not know."""


def predicate(text: str) -> Predicate:
    """The predicate that a text says."""
    reader = Reader(tokens(text))
    read = reader.either()
    if reader.left:
        raise MalformedPredicateError(f"unexpected {reader.left[0][1]!r}")
    return read


def tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise MalformedPredicateError(f"unexpected {text[at]!r} at {at}")
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


class Reader:
    """Reads tokens from left to right; `and` binds closer than `or`."""

    def __init__(self, left: list[tuple[str, str]]) -> None:
        self.left = left

    def either(self) -> Predicate:
        read = self.both()
        while self.takes("or"):
            read = (lambda one, other: lambda resource: one(resource) or other(resource))(read, self.both())
        return read

    def both(self) -> Predicate:
        read = self.single()
        while self.takes("and"):
            read = (lambda one, other: lambda resource: one(resource) and other(resource))(read, self.single())
        return read

    def single(self) -> Predicate:
        if self.takes("("):
            read = self.either()
            self.expect(")")
            return read
        name = self.word()
        if self.takes("("):
            inner = self.either()
            self.expect(")")
            return lambda resource: isinstance(resource.get(name), dict) and inner(resource[name])
        if self.takes("is"):
            wanted = not self.takes("not")
            self.expect("defined")
            return lambda resource: (resource.get(name) is not None) == wanted
        if self.takes("in"):
            values = self.values()
            return lambda resource: resource.get(name) in values
        compare = COMPARISONS.get(self.next()[1])
        if compare is None:
            raise MalformedPredicateError(f"no comparison behind {name}")
        value = self.value()
        return lambda resource: resource.get(name) is not None and compare(resource[name], value)

    def values(self) -> list:
        """One or more in round brackets, with commas between them."""
        self.expect("(")
        values = [self.value()]
        while self.takes(","):
            values.append(self.value())
        self.expect(")")
        return values

    def value(self):
        kind, text = self.next()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "number":
            return int(text)
        if text in ("true", "false"):
            return text == "true"
        raise MalformedPredicateError(f"{text!r} is no value")

    def word(self) -> str:
        kind, text = self.next()
        if kind != "word":
            raise MalformedPredicateError(f"{text!r} is no field")
        return text

    def takes(self, text: str) -> bool:
        if self.left and self.left[0] in (("word", text), ("mark", text)):
            self.left = self.left[1:]
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.takes(text):
            raise MalformedPredicateError(f"{text!r} is missing")

    def next(self) -> tuple[str, str]:
        if not self.left:
            raise MalformedPredicateError("it ends too early")
        first, self.left = self.left[0], self.left[1:]
        return first
