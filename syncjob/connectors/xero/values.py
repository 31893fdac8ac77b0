"""One JSON object of an answer, read field by field: typed, exact, and never guessing.

A text that is null, missing or blank is None, never "None"; a number keeps every digit; a value
of another type than documented, or an unknown choice, is SchemaDrift with the field's name, so
that one strange record stops itself and nothing else (facts: xero, 6).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from syncjob.errors import SchemaDrift

T = TypeVar("T")

#: What Xero gives as the id of an element that it did not store.
ZERO_ID = "00000000-0000-0000-0000-000000000000"

_MS_DATE = re.compile(r"^/Date\((-?\d+)([+-]\d{4})?\)/$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Fields:
    """Typed access to one object. `what` names it in messages ("invoice 1cf1..."); of a part of
    another object that name is put together only where one is wanted."""

    __slots__ = ("_part", "_raw", "_what", "_within")

    def __init__(
        self, value: Any, what: str = "", *, within: Fields | None = None, part: str = ""
    ) -> None:
        self._what, self._within, self._part = what, within, part
        if not isinstance(value, dict):
            raise SchemaDrift(f"Xero's {self.what} is not an object: {_show(value)}.")
        self._raw: Mapping[str, Any] = value

    @property
    def what(self) -> str:
        """What the object is, in words."""
        return self._what if self._within is None else f"{self._within.what}, {self._part}"

    @what.setter
    def what(self, words: str) -> None:
        self._what, self._within = words, None

    def text(self, name: str) -> str | None:
        """The trimmed text; None if it is null, missing or blank."""
        value = self._raw.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self._drift(name, "a text")
        return value.strip() or None

    def need(self, name: str) -> str:
        """A text that must be there."""
        value = self.text(name)
        if value is None:
            raise self._drift(name, "a text that is not empty")
        return value

    def id(self, name: str) -> str | None:
        """An id; None if it is missing or Xero's id of nothing."""
        value = self.text(name)
        return None if value is None or value == ZERO_ID else value.lower()

    def need_id(self, name: str) -> str:
        value = self.id(name)
        if value is None:
            raise self._drift(name, "an id")
        return value

    def amount(self, name: str) -> Decimal | None:
        """A number, exact; None if it is null or missing."""
        value = self._raw.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
            raise self._drift(name, "a number")
        return Decimal(value)

    def need_amount(self, name: str) -> Decimal:
        value = self.amount(name)
        if value is None:
            raise self._drift(name, "a number")
        return value

    def flag(self, name: str) -> bool:
        """True only if it is true; null and missing are false, as Xero leaves false flags out."""
        value = self._raw.get(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        raise self._drift(name, "true or false")

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._raw.get(name) is not None

    def choice(self, name: str, known: Mapping[str, T]) -> T:
        """The meaning of one of the documented words; SchemaDrift for any other."""
        value = self.need(name)
        if value not in known:
            raise SchemaDrift(
                f"Xero's {self.what} has {name} {value!r}, which this version does not know.",
                next_step="The record is left alone; report it, an update will teach the word.",
            )
        return known[value]

    def instant(self, name: str) -> datetime | None:
        """An aware UTC instant from `/Date(ms+0000)/` (the offset only says where) or ISO."""
        value = self.text(name)
        if value is None:
            return None
        found = _MS_DATE.match(value)
        return self._since_epoch(name, found[1]) if found else self._iso(name, value)

    def day(self, name: str) -> date | None:
        """A calendar day: `/Date(ms+oooo)/` in its own offset, or an ISO day."""
        value = self.text(name)
        if value is None:
            return None
        found = _MS_DATE.match(value)
        if not found:
            return self._iso(name, value).date()
        offset = found[2] or "+0000"
        minutes = int(offset[1:3]) * 60 + int(offset[3:])
        shift = timedelta(minutes=-minutes if offset[0] == "-" else minutes)
        return self._since_epoch(name, found[1], shift).date()

    def object(self, name: str) -> Fields | None:
        value = self._raw.get(name)
        return None if value is None else Fields(value, within=self, part=name)

    def objects(self, name: str) -> list[Fields] | None:
        """A list of objects; None if it is null or missing."""
        value = self._raw.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            raise self._drift(name, "a list")
        return [Fields(item, within=self, part=f"{name}[{i}]") for i, item in enumerate(value)]

    def _since_epoch(self, name: str, ms: str, shift: timedelta = timedelta()) -> datetime:
        try:
            return _EPOCH + timedelta(milliseconds=int(ms)) + shift
        except OverflowError:
            raise self._drift(name, "a date of the calendar") from None

    def _iso(self, name: str, value: str) -> datetime:
        try:
            instant = datetime.fromisoformat(value)
            utc = instant.tzinfo is None
            return instant.replace(tzinfo=UTC) if utc else instant.astimezone(UTC)
        except (ValueError, OverflowError):
            raise self._drift(name, "a date") from None

    def _drift(self, name: str, kind: str) -> SchemaDrift:
        return SchemaDrift(
            f"Xero's {self.what} should have {name} as {kind}, it has "
            f"{_show(self._raw.get(name, '(nothing)'))}.",
            next_step="The record is left alone; look at it in Xero, then report it.",
        )


def _show(value: Any) -> str:
    """A value in a message: its type and its first characters, no more."""
    return f"{type(value).__name__} {str(value)[:40]!r}"
