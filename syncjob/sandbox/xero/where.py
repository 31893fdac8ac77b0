"""Xero's `where` and `order`: a small parser over the fields that a record offers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

Getter = Callable[[Any], Any]
Getters = Mapping[str, Getter]
Test = Callable[[Any], bool]

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<day>DateTime(?:\.Parse)?\s*\([^)]*\))
    | (?P<guid>(?i:guid)\s*\(\s*"[^"]*"\s*\))
    | (?P<text>"(?:[^"\\]|\\.)*")
    | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<op>==|!=|>=|<=|&&|\|\||[<>=()])
    | (?P<word>[A-Za-z_][\w.]*)
    )""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}
_METHODS: dict[str, Callable[[str, str], bool]] = {
    "Contains": lambda a, b: b in a,
    "StartsWith": lambda a, b: a.startswith(b),
    "EndsWith": lambda a, b: a.endswith(b),
}


class QueryError(Exception):
    """A query that Xero cannot read."""


def parse_where(text: str, getters: Getters) -> Test:
    """The test that a record must pass."""
    parser = _Parser(text, getters)
    test = parser.either()
    if parser.rest():
        raise QueryError(f"Syntax error near '{parser.peek()}'")
    return test


class _Parser:
    def __init__(self, text: str, getters: Getters) -> None:
        self._getters = getters
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                raise QueryError(f"Syntax error at position {at}")
            kind = str(match.lastgroup)
            self._tokens.append((kind, match.group(kind)))
            at = match.end()

    def rest(self) -> bool:
        return bool(self._tokens)

    def peek(self) -> str:
        return self._tokens[0][1] if self._tokens else "end"

    def _take(self) -> tuple[str, str]:
        if not self._tokens:
            raise QueryError("Expression expected")
        return self._tokens.pop(0)

    def either(self) -> Test:
        tests = [self._both()]
        while self.peek().upper() in ("OR", "||"):
            self._take()
            tests.append(self._both())
        return lambda row: any(t(row) for t in tests)

    def _both(self) -> Test:
        tests = [self._single()]
        while self.peek().upper() in ("AND", "&&"):
            self._take()
            tests.append(self._single())
        return lambda row: all(t(row) for t in tests)

    def _single(self) -> Test:
        if self.peek() == "(":
            self._take()
            test = self.either()
            self._close()
            return test
        _, name = self._take()
        field, _, method = name.rpartition(".")
        if method in _METHODS and field:
            return self._method(field, method)
        getter = self._getter(name)
        kind, op = self._take()
        if kind != "op" or op not in _COMPARE:
            raise QueryError(f"Operator expected, not '{op}'")
        wanted, compare = self._literal(), _COMPARE[op]
        return lambda row: _held(getter(row), wanted, compare, op)

    def _method(self, field: str, method: str) -> Test:
        getter = self._getter(field)
        if self._take()[1] != "(":
            raise QueryError("'(' expected")
        wanted = str(self._literal())
        self._close()
        return lambda row: _METHODS[method](str(getter(row) or ""), wanted)

    def _close(self) -> None:
        if self._take()[1] != ")":
            raise QueryError("')' expected")

    def _getter(self, name: str) -> Getter:
        getter = self._getters.get(name)
        if getter is None:
            raise QueryError(f"No property or field '{name}' exists")
        return getter

    def _literal(self) -> Any:
        kind, text = self._take()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "number":
            return Fraction(text)
        if kind == "guid":
            return text.split('"')[1].lower()
        if kind == "day":
            return _day(text)
        simple: dict[str, Any] = {"true": True, "false": False, "null": None}
        if text.lower() not in simple:
            raise QueryError(f"Value expected, not '{text}'")
        return simple[text.lower()]


def _day(text: str) -> datetime:
    inner = text[text.index("(") + 1 : -1].strip()
    try:
        if inner.startswith('"'):
            return datetime.fromisoformat(inner.strip('"')).replace(tzinfo=UTC)
        year, month, day, *clock = (int(part) for part in inner.split(","))
        hour, minute, second = (*clock, 0, 0, 0)[:3]
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise QueryError(f"'{text}' is not a date") from error


def _held(value: Any, wanted: Any, compare: Callable[[Any, Any], bool], op: str) -> bool:
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if value is None or wanted is None:
        return bool((op == "!=") != (value == wanted))
    try:
        return bool(compare(value, wanted))
    except TypeError as error:
        raise QueryError("Operator incompatible with operand types") from error


def sort_by(rows: Sequence[Any], order: str, getters: Getters) -> list[Any]:
    """Rows in the order of a text such as `UpdatedDateUTC DESC`; ties go by id."""
    found = sorted(rows, key=lambda row: row.id)
    for part in reversed(order.split(",")):
        name, _, direction = part.strip().partition(" ")
        getter = getters.get(name)
        if getter is None or direction.strip().upper() not in ("", "ASC", "DESC"):
            raise QueryError(f"No property or field '{name}' exists")
        keyed = [(getter(row), row) for row in found]
        keyed.sort(key=_first, reverse=direction.strip().upper() == "DESC")
        found = [row for _, row in keyed]
    return found


def _first(pair: tuple[Any, Any]) -> tuple[bool, Any]:
    return (pair[0] is not None, pair[0] if pair[0] is not None else 0)
