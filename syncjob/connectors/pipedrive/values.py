"""Single values off Pipedrive's wire: checked, never guessed; SchemaDrift where one is wrong."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, UTC, date, datetime
from decimal import Decimal
from typing import Any

from syncjob.errors import SchemaDrift

Item = dict[str, Any]


def drift(key: str, value: Any, wanted: str) -> SchemaDrift:
    """The error for a value of the wrong kind."""
    shown = repr(value)[:60]
    return SchemaDrift(
        f"{key} is {shown}, where Pipedrive documents {wanted}.",
        next_step="The record waits until it reads well; report it if it stays.",
    )


def number(item: Item, key: str) -> Decimal | None:
    """A number, exact; None where the vendor sends null or leaves the key out."""
    value = item.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise drift(key, value, "a number")
    return Decimal(value)


def needed_number(item: Item, key: str) -> Decimal:
    """A number without which the record means nothing."""
    value = number(item, key)
    if value is None:
        raise drift(key, None, "a number")
    return value


def text(item: Item, key: str) -> str | None:
    """A text without blanks around it; None for null, missing or empty."""
    value = item.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise drift(key, value, "a text")
    return value.strip() or None


def ident(item: Item, key: str) -> str | None:
    """An id as text (whole numbers, UUIDs); None for null or missing."""
    value = item.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise drift(key, value, "an id")
    return str(value)


def needed_id(item: Any) -> str:
    """The record's own id."""
    found = ident(item, "id") if isinstance(item, dict) else None
    if found is None:
        raise drift("id", None, "an id")
    return found


def flag(item: Item, key: str) -> bool:
    """True or false; null and missing are false."""
    value = item.get(key)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise drift(key, value, "true or false")
    return value


def instant(item: Item, key: str) -> datetime | None:
    """An RFC 3339 instant with or without fractions of a second (facts: pipedrive, 1 item 8)."""
    value = text(item, key)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise drift(key, value, "a time such as 2025-01-01T10:20:00Z") from None
    if not MINYEAR < moment.year < MAXYEAR:  # one day off the calendar in another time zone
        raise drift(key, value, "a time of this age")
    if moment.tzinfo is None:
        raise drift(key, value, "a time with its zone")
    return moment.astimezone(UTC)


def day(item: Item, key: str) -> date:
    """A calendar day, YYYY-MM-DD."""
    value = text(item, key)
    try:
        return date.fromisoformat(value or "")
    except ValueError:
        raise drift(key, value, "a day such as 2025-01-31") from None


def items(item: Item, key: str) -> list[Item]:
    """A list of objects; null and missing are an empty one."""
    value = item.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise drift(key, value, "a list of objects")
    return value
