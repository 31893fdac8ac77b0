"""One thing wrong in one answer: where it stands, what is wrong with it, and how it is put there.

A place is a path like `data[].custom_fields.a1b2` in the answers of one endpoint, taken from what
the sandboxes really answer. The order is fixed, so a number names a case for ever, as long as the
answers do not change.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

#: What a record is known by, in any of the vendors' answers.
IDS = ("InvoiceID", "ContactID", "CreditNoteID", "RepeatingInvoiceID", "PaymentID", "id", "ID")
#: One character more than any limit of a vendor's or of ours.
LONG = 1_000_000
#: What cannot be told from JSON: it is put into the bytes as it is.
RAW = {"%digits%": b"9" * 5_000, "%NaN%": b"NaN", "%1e999%": b"1e999", "%half%": b'"Half \\ud83d"'}

Scope = str  # "one": the first record that has it; "all": each
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
#: Digits of an instant in milliseconds.
_MILLISECONDS = 13
_DATED = re.compile(r"\d{4}-\d\d-\d\d|/Date\(")


@dataclass(frozen=True)
class Place:
    """`steps` lead to it: keys, or [] for the elements of a list; () is the whole answer."""

    endpoint: str
    steps: tuple[str, ...]
    sample: Any
    record: str | None = None  # the id of the first record that has it

    @property
    def name(self) -> str:
        """As people write it."""
        return ".".join(self.steps).replace(".[]", "[]") or "(whole)"


@dataclass(frozen=True)
class Case:
    """One wrong thing at one place."""

    place: Place
    kind: str
    scope: Scope

    @property
    def name(self) -> str:
        """Names it in a report, and in `python -m tests.drift`."""
        return f"{self.place.endpoint} {self.place.name} {self.kind} {self.scope}"


# --- where --------------------------------------------------------------------------------------


def endpoint(method: str, path: str) -> str:
    """The path without the ids in it."""
    parts = [("*" if re.search(r"\d", p) and not _version(p) else p) for p in path.split("/")]
    return f"{method} {'/'.join(parts)}"


def _version(part: str) -> bool:
    return re.fullmatch(r"v\d|api\.xro|\d\.\d|20\d\d-\d\d|0-\d", part) is not None


def places(at: str, body: Any) -> Iterator[Place]:
    """Every place in one answer, the whole first."""
    yield Place(at, (), body)
    yield from _inside(at, (), body, None)


def _inside(at: str, steps: tuple[str, ...], value: Any, record: str | None) -> Iterator[Place]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield Place(at, (*steps, key), child, record)
            yield from _inside(at, (*steps, key), child, record)
    elif isinstance(value, list):
        for child in value:
            known = record if record is not None else id_of(child)
            yield Place(at, (*steps, "[]"), child, known)
            yield from _inside(at, (*steps, "[]"), child, known)


def id_of(value: Any) -> str | None:
    """What tells a record from its neighbours."""
    if not isinstance(value, dict):
        return None
    return next((str(value[key]) for key in IDS if value.get(key) is not None), None)


# --- what ---------------------------------------------------------------------------------------

_WHOLE: dict[str, bytes] = {
    "empty body": b"", "empty list": b"[]", "empty object": b"{}", "null": b"null",
    "a text": b'"later"', "a number": b"7", "html": b"<!DOCTYPE html><html><body>Hi</body></html>",
    "half of it": b"", "deep": b"[" * 200_000,
    "error of ours": b'{"success": false, "error": "Try again", "status": "error"}',
    "error of theirs": b'{"ErrorNumber": 500, "Type": "Fault", "Message": "An error occurred"}',
    "hubspot error": b'{"status": "error", "category": "INTERNAL", "message": "no", "errors": []}',
    "not utf-8": b'{"data": "\xff\xfe"}',
}  # fmt: skip
_WRONG: dict[str, Any] = {
    "null": None, "empty text": "", "text": "SOMETHING_NEW", "number": 7, "zero": 0,
    "object": {"a": 1}, "empty object": {}, "list": ["a"], "empty list": [], "true": True,
    "false": False,
}  # fmt: skip
_NUMBERS: dict[str, Any] = {
    "-1": -1, "1e308": 1e308, "10**30": 10**30, "tiny": 1e-300, "NaN": "%NaN%",
    "1e999": "%1e999%", "digits": "%digits%", "NaN text": "NaN",
    "commas": "1,000.00", "huge text": "1" + "0" * 5_000, "0.005": 0.005,
}  # fmt: skip
_DATES: dict[str, Any] = {
    "year 1": "0001-01-01", "year 9999": "9999-12-31T23:59:59Z", "no day": "2026-02-30",
    "someday": "someday", "last ms": "/Date(253402300799999+0000)/",
    "beyond": "/Date(99999999999999999+0000)/", "a number's day": 20260101,
}  # fmt: skip
_TEXTS: dict[str, Any] = {
    "long": "x" * LONG, "controls": "a\x00b\n\r\t\x1b[31m\u202eevil\u2028", "half": "%half%",
    "composed apart": "Cafe\u0301 \ufb01 \u200bA\ufeff", "spaces": "   ", "markup": "<b>&amp;'\"",
}  # fmt: skip


def kinds(place: Place) -> Iterator[str]:
    """What can be wrong there, by name."""
    value = place.sample
    if not place.steps:
        yield from _WHOLE
        return
    if place.steps[-1] != "[]":
        yield "dropped"
    yield from (name for name, wrong in _WRONG.items() if wrong != value)
    if isinstance(value, list):
        yield from ("doubled", "reversed")
    elif isinstance(value, dict):
        yield "more keys"
    elif value is not None and not isinstance(value, bool):
        yield from _scalar_kinds(value)


def _scalar_kinds(value: Any) -> Iterator[str]:
    spelled = isinstance(value, str) and _NUMBER.fullmatch(value)
    if not isinstance(value, str):
        yield "its text"
    if spelled:
        yield "its number"
    if spelled or not isinstance(value, str):
        yield from _NUMBERS
    if isinstance(value, str):
        yield from _TEXTS
        if _DATED.match(value) or (spelled and len(value) == _MILLISECONDS):
            yield from _DATES


def wrong(kind: str, value: Any) -> Any:
    """The value with this wrong; the caller drops what is "dropped"."""
    for table in (_WRONG, _NUMBERS, _DATES, _TEXTS):
        if kind in table:
            return copy.deepcopy(table[kind])
    match kind:
        case "doubled":
            return [*value, *copy.deepcopy(value)] if isinstance(value, list) else value
        case "reversed":
            return value[::-1] if isinstance(value, list) else value
        case "more keys":
            more = {"new_in_2027": {"x": [1]}, "": None}
            return {**value, **more} if isinstance(value, dict) else value
        case "its text":
            return str(value)
        case "its number":
            return float(value) if _NUMBER.fullmatch(str(value)) else value
    raise AssertionError(kind)


# --- how ----------------------------------------------------------------------------------------


def spoil(case: Case, body: bytes) -> bytes:
    """The answer with this wrong in it; the same bytes where it does not have the place."""
    if not case.place.steps:
        return body[: len(body) // 2] if case.kind == "half of it" else _WHOLE[case.kind]
    try:
        answer = json.loads(body)
    except ValueError:
        return body
    if not _put(case, answer, case.place.steps, listed=False):
        return body
    made = json.dumps(answer).encode()
    for sign, raw in RAW.items():
        made = made.replace(f'"{sign}"'.encode(), raw)
    return made


def _put(case: Case, value: Any, steps: tuple[str, ...], *, listed: bool) -> bool:
    """Whether it was put somewhere into this value."""
    step, rest = steps[0], steps[1:]
    if step == "[]":
        return isinstance(value, list) and _put_in_list(case, value, rest, listed=listed)
    if not isinstance(value, dict) or step not in value:
        return False
    if rest:
        return _put(case, value[step], rest, listed=listed)
    if case.kind == "dropped":
        del value[step]
    else:
        value[step] = wrong(case.kind, value[step])
    return True


def _put_in_list(case: Case, value: list[Any], rest: tuple[str, ...], *, listed: bool) -> bool:
    done = False
    for n, element in enumerate(value):
        known = id_of(element)
        mine = case.place.record is None or known is None or known == case.place.record
        if case.scope == "one" and not listed and not mine:
            continue
        if rest:
            put = _put(case, element, rest, listed=True)
        else:
            value[n], put = wrong(case.kind, element), True
        done = done or put
        if put and case.scope == "one":
            break
    return done


def cases(found: list[Place]) -> Iterator[Case]:
    """Every case at these places, in order."""
    for place in found:
        for kind in kinds(place):
            if "[]" in place.steps:
                yield Case(place, kind, "one")
            yield Case(place, kind, "all")
