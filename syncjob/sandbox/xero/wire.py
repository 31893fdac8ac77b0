"""Xero's JSON on the wire: exact numbers, its date styles, typed reading of what a client sent."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from json.encoder import encode_basestring
from typing import Any

ZERO_ID = "00000000-0000-0000-0000-000000000000"
_MS_DATE = re.compile(r"^/Date\((-?\d+)([+-]\d{4})?\)/$")
_UUID = re.compile(r"^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$", re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PostDataInvalid(Exception):
    """The body does not have the shape that the specification gives it."""


class Num(str):
    """A number's exact JSON text."""


def words(text: str) -> frozenset[str]:
    """A set of names, written as one text."""
    return frozenset(text.split())


def _scaled(value: Fraction | int, dp: int) -> int:
    """The value in units of the last place, half away from zero."""
    top, bottom = 2 * value.numerator * 10**dp, 2 * value.denominator
    whole: int = (abs(top) + value.denominator) // bottom
    return whole if top >= 0 else -whole


def round_half_up(value: Fraction, dp: int = 2) -> Fraction:
    """Half away from zero, as Xero's printed invoices show it (facts: xero, 3, rounding mode)."""
    return Fraction(_scaled(value, dp), 10**dp)


def num(value: Fraction | int, dp: int = 2) -> Num:
    """The value at that many decimal places, as a JSON number."""
    scaled = _scaled(value, dp)
    digits = f"{abs(scaled):0{dp + 1}d}"
    sign = "-" if scaled < 0 else ""
    return Num(f"{sign}{digits[:-dp]}.{digits[-dp:]}" if dp else f"{sign}{digits}")


def dumps(value: Any) -> str:
    """JSON text in which each `Num` stands as the number it spells."""
    pieces: list[str] = []
    _write(value, pieces.append)
    return "".join(pieces)


def _write(value: Any, out: Callable[[str], None]) -> None:
    if isinstance(value, Num):
        out(value)
    elif isinstance(value, str):
        out(encode_basestring(value))
    elif isinstance(value, dict):
        joint = "{"
        for key, inner in value.items():
            out(f"{joint}{encode_basestring(key)}:")
            _write(inner, out)
            joint = ","
        out("}" if value else "{}")
    elif isinstance(value, (list, tuple)):
        joint = "["
        for inner in value:
            out(joint)
            _write(inner, out)
            joint = ","
        out("]" if value else "[]")
    else:
        out(json.dumps(value, allow_nan=False))


def loads(body: bytes) -> Any:
    """Parses a body with exact numbers; refuses what is not JSON."""
    try:
        return json.loads(body, parse_float=Fraction, parse_constant=_refuse_constant)
    except ValueError as error:
        raise PostDataInvalid("JSON for post data was invalid") from error


def _refuse_constant(text: str) -> Any:
    raise PostDataInvalid(f"JSON for post data was invalid: {text}")


def ms_date(day: date) -> str:
    """A calendar day: midnight UTC with an offset of nothing."""
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return ms_stamp(instant)


def ms_stamp(instant: datetime, offset: str = "+0000") -> str:
    return f"/Date({(instant - _EPOCH) // timedelta(milliseconds=1)}{offset})/"


def iso_day(day: date) -> str:
    return f"{day.isoformat()}T00:00:00"


def is_uuid(text: str) -> bool:
    return bool(_UUID.match(text))


def parse_day(text: str) -> date:
    """A day as `yyyy-mm-dd`, an ISO date-time, or `/Date(ms)/`; ValueError otherwise."""
    match = _MS_DATE.match(text)
    if match is None:
        return datetime.fromisoformat(text).date()
    offset = match.group(2) or "+0000"
    minutes = int(offset[1:3]) * 60 + int(offset[3:])
    shift = timedelta(minutes=-minutes if offset[0] == "-" else minutes)
    return (_EPOCH + timedelta(milliseconds=int(match.group(1))) + shift).date()


class Element:
    """One object of a request body. Each getter gives None for what is absent or null.

    In strict use, a field that the specification does not know is refused: the real Xero ignores
    it, and so hides a misspelt name.
    """

    def __init__(self, value: Any, where: str, known: Collection[str], strict: bool) -> None:
        if not isinstance(value, dict):
            raise PostDataInvalid(f"{where} must be an object")
        strange = sorted(set(value) - set(known)) if strict else []
        if strange:
            raise PostDataInvalid(f"{where} has no element {strange[0]!r}")
        self.raw: dict[str, Any] = value
        self._where = where
        self._strict = strict

    def __contains__(self, name: str) -> bool:
        return self.raw.get(name) is not None

    def text(self, name: str) -> str | None:
        value = self.raw.get(name)
        if value is None or isinstance(value, str):
            return value
        raise self._wrong(name, "a string")

    def flag(self, name: str) -> bool | None:
        value = self.raw.get(name)
        if value is None or isinstance(value, bool):
            return value
        raise self._wrong(name, "a boolean")

    def number(self, name: str) -> Fraction | None:
        value = self.raw.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, Fraction)):
            raise self._wrong(name, "a number")
        return Fraction(value)

    def uuid(self, name: str) -> str | None:
        value = self.text(name)
        if value is not None and not is_uuid(value):
            raise self._wrong(name, "a GUID")
        return None if value is None else value.lower()

    def day(self, name: str) -> date | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            return parse_day(value)
        except (ValueError, OverflowError) as error:
            raise self._wrong(name, "a date") from error

    def object(self, name: str, known: Collection[str]) -> Element | None:
        value = self.raw.get(name)
        if value is None:
            return None
        return Element(value, f"{self._where}.{name}", known, self._strict)

    def objects(self, name: str, known: Collection[str]) -> list[Element] | None:
        value = self.raw.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        return [Element(v, f"{self._where}.{name}", known, self._strict) for v in value]

    def _wrong(self, name: str, kind: str) -> PostDataInvalid:
        return PostDataInvalid(f"{self._where}.{name} must be {kind}")


def elements(body: bytes, plural: str, known: Collection[str], strict: bool) -> list[Element]:
    """The elements of a write: `{"Invoices": [..]}`, a bare list, or one bare object."""
    value = loads(body)
    if isinstance(value, dict) and plural in value:
        value = value[plural]
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list) or not value:
        raise PostDataInvalid(f"the body must hold {plural}")
    return [Element(v, plural[:-1], known, strict) for v in value]
