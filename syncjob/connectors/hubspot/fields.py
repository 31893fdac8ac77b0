"""Properties of an account by their names: which internal name a name has, values to and fro.

HubSpot calls them properties; people see the label, the API wants the internal name. Every value
is a text on the wire, numbers and days included, and an empty text clears (facts: hubspot, 5d).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from syncjob.core.money import plain
from syncjob.core.references import FieldInfo, Option
from syncjob.core.rules.dating import INSTANT_FORMAT
from syncjob.errors import SchemaDrift

Item = dict[str, Any]

#: Choices of which a record may have several; else only one.
CHOICES = "enumeration:checkbox"
CHOICE = "enumeration"
TEXT_KINDS = frozenset({"string", "phone_number"})
#: What a text property holds at most (the vendor's guide of property types).
TEXT_MAX = 65_536

_YES = {"yes": "true", "true": "true", "no": "false", "false": "false"}


def to_field(entity: Any, item: Any) -> FieldInfo:
    """A property of the account. Raises SchemaDrift."""
    code = item.get("name") if isinstance(item, dict) else None
    if not isinstance(code, str) or not code:
        raise SchemaDrift("HubSpot lists a property without its internal name.")
    kind = str(item.get("type") or "string")
    if kind == CHOICE and item.get("fieldType") == "checkbox":
        kind = CHOICES
    return FieldInfo(
        entity=entity,
        name=str(item.get("label") or code).strip(),
        code=code,
        kind=kind,
        options=tuple(_options(item.get("options"))),
        fixed=_fixed(item),
        unique=item.get("hasUniqueValue") is True,
    )


def _options(found: Any) -> Iterable[Option]:
    """Value and label of each choice; a choice without a value cannot be written."""
    for one in found if isinstance(found, list) else []:
        value = one.get("value") if isinstance(one, dict) else None
        if isinstance(value, str) and value:
            yield Option(id=value, label=str(one.get("label") or value).strip())


def _fixed(item: Item) -> bool:
    """HubSpot's own, reckoned by it, or closed to writes."""
    meta = item.get("modificationMetadata")
    closed = isinstance(meta, dict) and meta.get("readOnlyValue") is True
    return item.get("hubspotDefined") is True or item.get("calculated") is True or closed


def named(fields: Iterable[FieldInfo], entity: str, name: str) -> list[FieldInfo]:
    """The properties of that label: the account's own ones if there are any, else HubSpot's; with
    none, the one of that internal name."""
    of_kind = [f for f in fields if f.entity == entity]
    found = [f for f in of_kind if f.name == name]
    return [f for f in found if not f.fixed] or found or [f for f in of_kind if f.code == name]


def only(fields: Iterable[FieldInfo], entity: str, name: str) -> FieldInfo | None:
    """The one property of that name; None if there is none or more than one."""
    found = named(fields, entity, name)
    return found[0] if len(found) == 1 else None


# --- reading --------------------------------------------------------------------------------------


def read(field: FieldInfo, properties: Item) -> str | None:
    """The property's value in a record's `properties`, as text. Raises SchemaDrift."""
    return as_text(field, properties.get(field.code))


def as_text(field: FieldInfo, value: Any) -> str | None:
    """A wire value as text: numbers plain, choices by label, a switch as yes or no.

    Raises SchemaDrift for anything but a text or null (facts: hubspot, 5d).
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise SchemaDrift(f'"{field.name}" is {str(value)[:60]!r}, where HubSpot documents a text.')
    text = value.strip()
    if not text:
        return None
    if field.kind in (CHOICE, CHOICES):
        parts = text.split(";") if field.kind == CHOICES else [text]
        return ", ".join(_label(field, part) for part in parts if part)
    match field.kind:
        case "number":
            amount = _amount(text)
            return text if amount is None else plain(amount)
        case "bool":
            return {"true": "yes", "false": "no"}.get(text.lower(), text)
        case "date":
            return _day(text)
        case "datetime":
            return _instant(text)
    return text


def _label(field: FieldInfo, value: str) -> str:
    return next((o.label for o in field.options if o.id == value), value)


def _day(text: str) -> str:
    """A day as YYYY-MM-DD; older records say it as milliseconds of its UTC midnight."""
    moment = moment_of(text)
    return moment.date().isoformat() if moment else text


def _instant(text: str) -> str:
    moment = moment_of(text)
    return moment.strftime(INSTANT_FORMAT) if moment else text


@lru_cache(maxsize=256)  # the deals of a load were all brought up to date within few minutes
def moment_of(text: str) -> datetime | None:
    """An instant written as ISO 8601, as a bare day, as epoch milliseconds or as our own texts
    say it; None for anything else."""
    try:
        if text.removeprefix("-").isdecimal() and len(text) > len("20260131"):
            return datetime.fromtimestamp(int(text) // 1000, UTC)
        if text.endswith(" UTC"):
            return datetime.strptime(text, INSTANT_FORMAT).replace(tzinfo=UTC)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


# --- writing --------------------------------------------------------------------------------------


def to_wire(field: FieldInfo, value: str | None) -> str:
    """The value as HubSpot wants it; the empty text clears. What does not fit the type goes as it
    is: the server, whose choices may be newer than our copy of them, refuses it by name."""
    if value is None or not value.strip():
        return ""
    text = value.strip()
    match field.kind:
        case "number":
            amount = _amount(text)
            return text if amount is None else plain(amount)
        case "bool":
            return _YES.get(text.casefold(), text)
        case "enumeration":
            return _option(field, text) or text
        case "enumeration:checkbox":
            return ";".join(_option(field, part) or part for part in text.split(", "))
        case "date":
            return _day(text)
        case "datetime":
            moment = moment_of(text)
            return text if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.strip()


def normal(field: FieldInfo | None, value: str | None) -> str | None:
    """The text that `as_text` gives once the server has stored the value."""
    if field is None:
        return value.strip() or None if value else None
    return as_text(field, to_wire(field, value))


def misfit(field: FieldInfo, value: str | None) -> str | None:
    """Why the property cannot hold the value, in words; None if it can, as far as we know."""
    if value is None or not value.strip():
        return None
    text = value.strip()
    if field.kind in (CHOICE, CHOICES):
        parts = text.split(", ") if field.kind == CHOICES else [text]
        missing = [part for part in parts if _option(field, part) is None]
        return f'"{field.name}" has no option "{missing[0]}".' if missing else None
    match field.kind:
        case "number" if _amount(text) is None:
            return f'"{field.name}" holds numbers, not "{text}".'
        case "bool" if text.casefold() not in _YES:
            return f'"{field.name}" holds yes or no, not "{text}".'
        case "date" | "datetime" if moment_of(text) is None:
            return f'"{field.name}" holds a {field.kind}, not "{text}".'
    if len(text) > TEXT_MAX:
        return f'"{field.name}" holds {TEXT_MAX} characters, not {len(text)}.'
    return None


def has_option(field: FieldInfo, label: str) -> bool:
    """Whether one may choose this label."""
    return _option(field, label.strip()) is not None


def _option(field: FieldInfo, label: str) -> str | None:
    """The value of a choice: by its label, then by its label in any case, then by the value
    itself (the vendor compares values exactly, letter case included)."""
    folded = label.casefold()
    exact = (str(o.id) for o in field.options if o.label == label)
    loose = (str(o.id) for o in field.options if o.label.casefold() == folded)
    itself = (str(o.id) for o in field.options if o.id == label)
    return next(exact, None) or next(loose, None) or next(itself, None)


def _amount(text: str) -> Decimal | None:
    """A number without separators (facts: hubspot, 5d)."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
