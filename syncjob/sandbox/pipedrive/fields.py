"""Fields and their values: system fields, custom fields by code, what each type accepts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from syncjob.sandbox.pipedrive.company import Company, Record
from syncjob.sandbox.pipedrive.wire import Refusal, invalid

ADDRESS_PARTS = (
    "value",
    "country",
    "admin_area_level_1",
    "admin_area_level_2",
    "locality",
    "sublocality",
    "route",
    "street_number",
    "subpremise",
    "postal_code",
)
CREATABLE = frozenset(
    [
        "varchar",
        "text",
        "double",
        "phone",
        "date",
        "daterange",
        "time",
        "timerange",
        "set",
        "enum",
        "varchar_auto",
        "address",
        "monetary",
        "org",
        "people",
        "user",
    ]
)
SYSTEM: dict[str, tuple[tuple[str, str, str], ...]] = {
    "deals": (
        ("id", "ID", "int"),
        ("title", "Title", "varchar"),
        ("value", "Value", "monetary"),
        ("owner_id", "Owner", "user"),
        ("person_id", "Contact person", "people"),
        ("org_id", "Organization", "org"),
        ("pipeline_id", "Pipeline", "int"),
        ("stage_id", "Stage", "stage"),
        ("status", "Status", "status"),
        ("add_time", "Deal created", "date"),
        ("update_time", "Update time", "date"),
        ("won_time", "Won time", "date"),
        ("lost_time", "Lost time", "date"),
        ("expected_close_date", "Expected close date", "date"),
        ("label_ids", "Label", "set"),
    ),
    "persons": (
        ("id", "ID", "int"),
        ("name", "Name", "varchar"),
        ("emails", "Email", "varchar"),
        ("phones", "Phone", "phone"),
        ("owner_id", "Owner", "user"),
        ("org_id", "Organization", "org"),
        ("add_time", "Person created", "date"),
        ("update_time", "Update time", "date"),
    ),
    "organizations": (
        ("id", "ID", "int"),
        ("name", "Name", "varchar"),
        ("address", "Address", "address"),
        ("owner_id", "Owner", "user"),
        ("website", "Website", "varchar"),
        ("add_time", "Organization created", "date"),
        ("update_time", "Update time", "date"),
    ),
    "products": (
        ("id", "ID", "int"),
        ("name", "Name", "varchar"),
        ("code", "Product code", "varchar"),
        ("unit", "Unit", "varchar"),
        ("tax", "Tax", "double"),
        ("category", "Category", "enum"),
        ("owner_id", "Owner", "user"),
    ),
}
CONTACT_SYNC = (
    ("postal_address", "Postal address", "address"),
    ("notes", "Notes", "text"),
    ("birthday", "Birthday", "date"),
    ("job_title", "Job title", "varchar"),
)
_TIME = re.compile(r"^\d{2}:\d{2}(:\d{2})?$")


def seed_system_fields(company: Company) -> None:
    for kind, rows in SYSTEM.items():
        for code, name, field_type in rows:
            company.fields[kind][code] = _field(name, code, field_type, None, custom=False)
    for code, name, field_type in CONTACT_SYNC if company.options.contact_sync else ():
        company.fields["persons"][code] = _field(name, code, field_type, None, custom=False)


def create_field(
    company: Company,
    kind: str,
    name: str,
    field_type: str = "varchar",
    options: list[str] | None = None,
) -> Record:
    """A custom field; its code is drawn, as in any account. Equal names are possible."""
    if field_type not in CREATABLE:
        raise invalid("field_type", f"Invalid field type '{field_type}'")
    if field_type in ("enum", "set") and not options:
        raise invalid("options", "Options are required for enum and set fields")
    made = [_option(company, label) for label in options or ()] or None
    code = company.entropy.hex(40)
    company.fields[kind][code] = _field(name, code, field_type, made, custom=True)
    return company.fields[kind][code]


def _option(company: Company, label: str) -> Record:
    company.last_option += 1
    return {"id": company.last_option, "label": label, "color": None}


def _field(
    name: str, code: str, field_type: str, options: list[Record] | None, custom: bool
) -> Record:
    parts = {"monetary": ("value", "currency"), "address": ADDRESS_PARTS}.get(field_type)
    subfields = parts and [
        {
            "field_code": f"{code}_{p}" if custom else p,
            "field_name": f"{p} of {name}",
            "field_type": "varchar",
        }
        for p in parts
    ]
    return {
        "field_name": name,
        "field_code": code,
        "description": None,
        "field_type": field_type,
        "options": options,
        "subfields": subfields or None,
        "is_custom_field": custom,
        "is_optional_response_field": False,
    }


def category_named(company: Company, name: str) -> int:
    """The id of a product category, an option of the field; added if there is none so named."""
    field = company.fields["products"]["category"]
    options = field["options"] or []
    found = next((o for o in options if o["label"] == name), None)
    if found is None:
        found = _option(company, name)
        field["options"] = [*options, found]
    return int(found["id"])


def category_label(company: Company, key: Any) -> str | None:
    """How v2 shows a category: written as a number, read as a text (spec, products)."""
    options = company.fields["products"]["category"]["options"] or []
    found = (o["label"] for o in options if o["id"] == key)
    return None if key is None else str(next(found, key))


def find_field(company: Company, kind: str, name_or_code: str) -> Record | None:
    """By code, else by name (the first of that name)."""
    known = company.fields[kind]
    named = (f for f in known.values() if f["field_name"] == name_or_code)
    return known.get(name_or_code) or next(named, None)


def custom_codes(company: Company, kind: str) -> list[str]:
    return [c for c, f in company.fields.get(kind, {}).items() if f["is_custom_field"]]


def merged(company: Company, kind: str, old: Record, sent: Any) -> Record:
    """The custom fields after an update: null clears one, and an empty object clears them all."""
    if sent is None or sent == {}:
        return {}
    result = dict(old)
    for code, value in sent.items():
        field = company.fields[kind].get(code)
        if field is None or not field["is_custom_field"]:
            raise invalid(f"custom_fields.{code}", f"Custom field '{code}' does not exist")
        if value is None:
            result.pop(code, None)
        else:
            result[code] = checked(company, field, value)
    return result


def checked(company: Company, field: Record, value: Any) -> Any:
    """The value as stored, or a refusal in the vendor's shape."""
    key = f"custom_fields.{field['field_code']}"
    made = _CHECKS[field["field_type"]](company, field, value)
    if made is None:
        raise invalid(key, f"Invalid value for field type '{field['field_type']}'")
    return made


def _text(limit: int | None) -> Callable[[Company, Record, Any], Any]:
    def check(_company: Company, _field: Record, value: Any) -> Any:
        fits = isinstance(value, str) and (limit is None or len(value) <= limit)
        return value if fits else None

    return check


def is_number(value: Any) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _double(_company: Company, _field: Record, value: Any) -> Any:
    return value if is_number(value) else None


def _whole(_company: Company, _field: Record, value: Any) -> Any:
    return value if is_whole(value) else None


def _date(_company: Company, _field: Record, value: Any) -> Any:
    return value if is_date(value) else None


def _range(_company: Company, _field: Record, value: Any) -> Any:
    whole = isinstance(value, dict) and set(value) == {"value", "until"}
    return value if whole and is_date(value["value"]) and is_date(value["until"]) else None


def _time(company: Company, _field: Record, value: Any) -> Any:
    if not isinstance(value, dict) or not _TIME.match(str(value.get("value", ""))):
        return None
    zone = {"timezone_id": 1, "timezone_name": company.options.timezone}
    return {**zone, **value}


def _monetary(_company: Company, _field: Record, value: Any) -> Any:
    whole = isinstance(value, dict) and set(value) == {"value", "currency"}
    if not whole or not is_number(value["value"]):
        return None
    return value if re.fullmatch(r"[A-Z]{3}", str(value["currency"])) else None


def address(value: Any) -> Record | None:
    """Sub-fields that are not sent become null (facts: pipedrive, 1c)."""
    if not isinstance(value, dict) or not set(value) <= set(ADDRESS_PARTS):
        return None
    if not all(v is None or isinstance(v, str) for v in value.values()):
        return None
    return {part: value.get(part) for part in ADDRESS_PARTS}


def _address(_company: Company, _field: Record, value: Any) -> Any:
    return address(value)


def _ids(field: Record) -> set[int]:
    return {o["id"] for o in field["options"] or ()}


def _enum(_company: Company, field: Record, value: Any) -> Any:
    return value if is_whole(value) and value in _ids(field) else None


def _set(_company: Company, field: Record, value: Any) -> Any:
    if not isinstance(value, list) or not value or not all(is_whole(v) for v in value):
        return None
    return value if set(value) <= _ids(field) else None


_CHECKS: dict[str, Callable[[Company, Record, Any], Any]] = {
    "varchar": _text(255),
    "varchar_auto": _text(255),
    "phone": _text(255),
    "text": _text(None),
    "double": _double,
    "date": _date,
    "daterange": _range,
    "time": _time,
    "timerange": _time,
    "monetary": _monetary,
    "address": _address,
    "enum": _enum,
    "set": _set,
    "org": _whole,
    "people": _whole,
    "user": _whole,
}


def person_value(company: Company, field: Record, value: Any) -> Any:
    """What a person types in the browser: labels for options, bare amounts for money."""
    labels = {o["label"]: o["id"] for o in field["options"] or ()}
    kind = field["field_type"]
    if kind == "enum":
        value = labels.get(value, value)
    elif kind == "set" and isinstance(value, list):
        value = [labels.get(v, v) for v in value]
    elif kind == "monetary" and not isinstance(value, dict):
        value = {"value": value, "currency": company.options.currency}
    elif kind == "address" and isinstance(value, str):
        value = {"value": value}
    return checked(company, field, value)


def drop_field(company: Company, kind: str, code: str) -> Record:
    """Deletes a custom field and its values; the records' update times stay."""
    field = company.fields[kind].get(code)
    if field is None or not field["is_custom_field"]:
        raise Refusal(404, "Field not found", "ERR_NOT_FOUND")
    del company.fields[kind][code]
    for row in company.tables[kind].rows.values():
        kept = {c: v for c, v in row.record["custom_fields"].items() if c != code}
        row.record = {**row.record, "custom_fields": kept}
    return field
