"""Fields of an account by their names: which code a name has, and values to and from the wire."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from syncjob.connectors.pipedrive import values
from syncjob.connectors.pipedrive.values import Item
from syncjob.core.money import plain
from syncjob.core.records import FieldInfo, Option

CUSTOM_CODE = re.compile(r"[0-9a-f]{40}")
TEXT_KINDS = frozenset(("varchar", "varchar_auto", "text", "phone"))
NUMBER_KINDS = frozenset(("double", "int"))
#: What every text but the long kind holds (the vendor's table of field types).
SHORT_TEXT_MAX = 255


def to_field(entity: Any, item: Item) -> FieldInfo:
    """A field of the account. Options with ids that are no numbers belong to system fields that
    are never written and are left out. Raises SchemaDrift."""
    name, code = values.text(item, "field_name"), values.text(item, "field_code")
    kind = values.text(item, "field_type")
    if code is None:
        raise values.drift("field_code", None, "a text")
    options = tuple(
        Option(id=o["id"], label=str(o.get("label") or "").strip())
        for o in values.items(item, "options")
        if isinstance(o.get("id"), int)
    )
    return FieldInfo(
        entity=entity, name=name or code, code=code, kind=kind or "text", options=options
    )


def is_custom(field: FieldInfo) -> bool:
    """Whether it is the account's own field (a 40-hex code), not one of Pipedrive's."""
    return _is_own(field.code)


@cache  # an account has some hundred fields, and a load asks for ten of them a deal, four times
def _is_own(code: str) -> bool:
    return CUSTOM_CODE.fullmatch(code) is not None


def named(fields: Iterable[FieldInfo], entity: str, name: str) -> list[FieldInfo]:
    """The fields of that name: the account's own ones if there are any, else Pipedrive's."""
    found = [f for f in fields if f.entity == entity and f.name == name]
    return [f for f in found if is_custom(f)] or found


def only(fields: Iterable[FieldInfo], entity: str, name: str) -> FieldInfo | None:
    """The one field of that name; None if there is none or more than one."""
    found = named(fields, entity, name)
    return found[0] if len(found) == 1 else None


def read(field: FieldInfo, item: Item) -> str | None:
    """The field's value in a record, as text. Raises SchemaDrift."""
    return as_text(field, _wire(field, item))


def read_in(field: FieldInfo, item: Item, currency: str) -> str | None:
    """As `read`, but money that is not in this currency says its own: "50 EUR". Each amount has
    one beside it (facts: pipedrive, 1a), and people change a deal's without it. Zero needs none.
    """
    value = _wire(field, item)
    text = as_text(field, value)
    own = value.get("currency") if field.kind == "monetary" and isinstance(value, dict) else None
    if text is None or not _amount(text) or not isinstance(own, str) or not own.strip():
        return text
    code = own.strip().upper()
    return text if code == currency else f"{text} {code}"


def _wire(field: FieldInfo, item: Item) -> Any:
    if not is_custom(field):
        return item.get(field.code)
    custom = item.get("custom_fields")
    if custom is None:
        return None
    if not isinstance(custom, dict):
        raise values.drift("custom_fields", custom, "an object")
    return custom.get(field.code)


def as_text(field: FieldInfo, value: Any) -> str | None:
    """A wire value as text: amounts plain, options by label, addresses by their whole line."""
    match value:
        case None:
            return None
        case bool():
            return "yes" if value else "no"
        case dict():
            return as_text(field, _inner(value))
        case list():
            return ", ".join(filter(None, (as_text(field, v) for v in value))) or None
        case int() if field.kind in ("enum", "set"):
            return next((o.label for o in field.options if o.id == value), str(value))
        case int() | Decimal():
            return plain(Decimal(value))
        case str():
            return value.strip() or None
    raise values.drift(field.name, value, f"a value of type {field.kind}")


def _inner(value: Item) -> Any:
    """The plain value inside an object: money, address, time; a range as "from - until"."""
    if value.get("until") is not None:
        return f"{value.get('value')} - {value['until']}"
    return value.get("label", value.get("value")) if "value" not in value else value["value"]


def to_wire(field: FieldInfo, value: str | None, currency: str | None) -> Any:
    """The value as Pipedrive wants it. What does not fit the type goes as it is: the server, whose
    options may be newer than our copy of them, refuses it without effect and names the field."""
    if value is None or not value.strip():
        return None  # v2 clears by null
    if field.kind in NUMBER_KINDS or field.kind == "monetary":
        amount = _amount(value)
        if amount is None or field.kind != "monetary":
            return value if amount is None else amount
        return {"value": amount, "currency": currency}
    if field.kind == "enum":
        return _option(field, value)
    if field.kind == "set":
        return [_option(field, part) for part in value.split(", ")]
    return {"value": value} if field.kind == "address" else value


def normal(field: FieldInfo | None, value: str | None) -> str | None:
    """The text that `as_text` gives once the server has stored the value."""
    if value is None or not value.strip():
        return None
    if field and field.kind in ("enum", "set"):
        sent = to_wire(field, value, None)
        return as_text(field, sent)  # the option's own spelling
    amount = _amount(value) if field and field.kind in (*NUMBER_KINDS, "monetary") else None
    return value.strip() if amount is None else plain(amount)


def misfit(field: FieldInfo, value: str | None) -> str | None:
    """Why the field cannot hold the value, in words; None if it can, as far as we know."""
    if value is None or not value.strip():
        return None
    labels = value.split(", ") if field.kind == "set" else [value]
    if field.kind in ("enum", "set") and not all(has_option(field, part) for part in labels):
        return f'"{field.name}" has no option "{value}".'
    if field.kind in (*NUMBER_KINDS, "monetary") and _amount(value) is None:
        return f'"{field.name}" holds numbers, not "{value}".'
    if field.kind in TEXT_KINDS - {"text"} and len(value) > SHORT_TEXT_MAX:
        return f'"{field.name}" holds {SHORT_TEXT_MAX} characters, not {len(value)}.'
    return None


def has_option(field: FieldInfo, label: str) -> bool:
    """Whether one may choose this label."""
    return isinstance(_option(field, label), int)


def _option(field: FieldInfo, label: str) -> int | str:
    wanted = label.strip().casefold()
    exact = (o.id for o in field.options if o.label == label)
    loose = (o.id for o in field.options if o.label.casefold() == wanted)
    return next(exact, next(loose, label))


def _amount(value: str) -> Decimal | None:
    try:
        amount = Decimal(value.strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
