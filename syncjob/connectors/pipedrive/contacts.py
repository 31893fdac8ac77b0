"""Organizations and persons as contacts, with what an account keeps in fields of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from syncjob.connectors.pipedrive import fields, values
from syncjob.connectors.pipedrive.codec import Names, contact_id
from syncjob.connectors.pipedrive.values import Item
from syncjob.core.contacts.fields import decode_terms
from syncjob.core.records import Address, Contact, FieldInfo

#: What separates several numbers in one text field.
_SEPARATORS = re.compile(r"[,;\n]")

Known = Mapping[str, FieldInfo]


def to_organization(item: Any, names: Names) -> Contact:
    """An organization as a contact; what crm.contact_fields names comes from those fields.

    Raises SchemaDrift.
    """
    number, known, marker = values.needed_id(item), names.organization, names.organization_marker
    email = _own(known, "email", item)
    return Contact(
        id=f"org:{number}",
        kind="organization",
        updated=values.instant(item, "update_time"),
        page=f"{names.base}/organization/{number}",
        name=values.text(item, "name"),
        emails=(email,) if email else (),
        phones=_split(_own(known, "phones", item)),
        address=to_address(item.get("address")),
        street=_own_address(known, "street", item),
        tax_number=_own(known, "tax_number", item),
        currency=_own(known, "currency", item),
        terms=decode_terms(_own(known, "terms", item)),
        owner_id=values.ident(item, "owner_id"),
        marker=fields.read(marker, item) if marker else None,
        deleted=values.flag(item, "is_deleted"),
    )


def to_person(item: Any, names: Names) -> Contact:
    """A person as a contact; the primary e-mail and phone come first. Raises SchemaDrift.

    The postal address is that of the field which crm.contact_fields.person names for it, else
    Pipedrive's own, which only accounts with contact sync have.
    """
    number, known, marker = values.needed_id(item), names.person, names.person_marker
    own_postal = "postal" in known
    return Contact(
        id=f"person:{number}",
        kind="person",
        updated=values.instant(item, "update_time"),
        page=f"{names.base}/person/{number}",
        name=values.text(item, "name"),
        first_name=values.text(item, "first_name"),
        last_name=values.text(item, "last_name"),
        emails=_primary_first(item, "emails"),
        phones=_primary_first(item, "phones"),
        address=_own_address(known, "postal", item)
        if own_postal
        else to_address(item.get("postal_address")),
        street=_own_address(known, "street", item),
        tax_number=_own(known, "tax_number", item),
        currency=_own(known, "currency", item),
        terms=decode_terms(_own(known, "terms", item)),
        owner_id=values.ident(item, "owner_id"),
        marker=fields.read(marker, item) if marker else None,
        deleted=values.flag(item, "is_deleted"),
        organization_id=contact_id("org", item, "org_id"),
    )


def _own(known: Known, key: str, item: Item) -> str | None:
    return fields.read(known[key], item) if key in known else None


def _own_address(known: Known, key: str, item: Item) -> Address | None:
    """From a field of type address with all its parts, from any other as one line."""
    field = known.get(key)
    if field is None:
        return None
    custom = item.get("custom_fields")
    raw = custom.get(field.code) if isinstance(custom, dict) else None
    if isinstance(raw, dict):
        return to_address(raw)
    whole = fields.read(field, item)
    return Address(text=whole) if whole else None


def _split(text: str | None) -> tuple[str, ...]:
    parts = (part.strip() for part in _SEPARATORS.split(text or ""))
    return tuple(dict.fromkeys(part for part in parts if part))


def _primary_first(item: Item, key: str) -> tuple[str, ...]:
    """Values without empty ones (Pipedrive keeps {"value": ""}) and without repeats."""
    listed = sorted(values.items(item, key), key=lambda v: v.get("primary") is not True)
    found = (values.text(v, "value") for v in listed)
    return tuple(dict.fromkeys(v for v in found if v))


def to_address(value: Any) -> Address | None:
    """An address object; `text` is its whole line. Raises SchemaDrift."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise values.drift("address", value, "an object")
    parts = {
        "city": values.text(value, "locality"),
        "region": values.text(value, "admin_area_level_1"),
        "postal_code": values.text(value, "postal_code"),
        "country": values.text(value, "country"),
    }
    whole, lines = values.text(value, "value"), _street(value)
    return (
        Address(lines=lines, text=whole, **parts) if whole or lines or any(parts.values()) else None
    )


def _street(value: Item) -> tuple[str, ...]:
    """Street and number in the order in which the whole line has them, then the unit."""
    route, number = values.text(value, "route"), values.text(value, "street_number")
    both = f"{number} {route}" if number and route else route or number
    if number and route and f"{route} {number}" in (values.text(value, "value") or ""):
        both = f"{route} {number}"
    return tuple(line for line in (both, values.text(value, "subpremise")) if line)


def from_address(address: Address) -> Item:
    """The object that reads back as `address`: what is not sent becomes null (facts: pipedrive,
    1c), so all parts go. The first line is the street, the others the unit in it."""
    lines = [line for line in address.lines if line]
    parts: Item = {
        "value": whole_line(address),
        "route": lines[0] if lines else None,
        "subpremise": ", ".join(lines[1:]) or None,
        "locality": address.city,
        "admin_area_level_1": address.region,
        "postal_code": address.postal_code,
        "country": address.country,
    }
    return {key: value for key, value in parts.items() if value}


def whole_line(address: Address) -> str:
    """The address as people write it on one line: its own text, else its parts."""
    town = " ".join(part for part in (address.postal_code, address.city) if part)
    parts = (*address.lines, town, address.region, address.country)
    return address.text or ", ".join(part for part in parts if part)
