"""Companies and contacts as our contacts, with what an account keeps in properties of its own.

HubSpot has no word for a whole name of a person: it is first and last name, and where both are
empty the e-mail, as HubSpot's own pages show it. A second e-mail is an alias of the contact; it
is read, so that a customer is found by it, and never written (no dated endpoint changes it).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from syncjob.connectors.hubspot import fields
from syncjob.connectors.hubspot.fields import Item
from syncjob.connectors.hubspot.names import Names
from syncjob.core.contacts.fields import decode_terms
from syncjob.core.records import Address, Contact
from syncjob.core.references import FieldInfo
from syncjob.errors import SchemaDrift

#: What separates several numbers in one text property.
_SEPARATORS = re.compile(r"[,;\n]")
#: The properties that a phone number may stand in, by kind; the first is the main one.
PHONES = {"organization": ("phone",), "person": ("phone", "mobilephone")}
_ADDRESS = ("address", "city", "state", "zip", "country")
_COMMON = ("phone", *_ADDRESS, "hubspot_owner_id", "hs_merged_object_ids")
_COMPANY = ("name", "domain", "address2", "hs_lastmodifieddate", *_COMMON)
_PERSON = (
    "firstname", "lastname", "email", "hs_additional_emails", "mobilephone", "associatedcompanyid",
    "lastmodifieddate", *_COMMON,
)  # fmt: skip

Known = Mapping[str, FieldInfo]


def wanted(kind: str, names: Names) -> tuple[str, ...]:
    """The internal names to ask for, so that a "person" or "organization" reads as one."""
    person = kind == "person"
    own = names.person if person else names.organization
    marker = names.person_marker if person else names.organization_marker
    more = [field.code for field in own.values()] + ([marker.code] if marker else [])
    return tuple(dict.fromkeys((*(_PERSON if person else _COMPANY), *more)))


def to_contact(kind: str, item: Any, names: Names) -> Contact:
    """The record as a contact of this kind. Raises SchemaDrift."""
    return to_person(item, names) if kind == "person" else to_organization(item, names)


def to_organization(item: Any, names: Names) -> Contact:
    """A company as a contact; what crm.contact_fields names comes from those properties.

    Raises SchemaDrift.
    """
    number, found = _record(item)
    known, marker = names.organization, names.organization_marker
    email = _own(known, "email", found)
    return Contact(
        id=f"org:{number}",
        kind="organization",
        updated=_stamp(item, found, "hs_lastmodifieddate"),
        page=names.page(f"org:{number}"),
        name=_text(found, "name") or _text(found, "domain"),
        emails=(email,) if email else (),
        phones=_phones("organization", known, found),
        address=_postal(known, found),
        street=_own_address(known, "street", found),
        tax_number=_own(known, "tax_number", found),
        currency=_own(known, "currency", found),
        terms=decode_terms(_own(known, "terms", found)),
        owner_id=_text(found, "hubspot_owner_id"),
        marker=fields.read(marker, found) if marker else None,
        deleted=item.get("archived") is True,
        merged_from=_merged("org", number, found),
    )


def to_person(item: Any, names: Names) -> Contact:
    """A contact of HubSpot; the primary e-mail comes first, its aliases after it.

    Raises SchemaDrift.
    """
    number, found = _record(item)
    known, marker = names.person, names.person_marker
    first, last = _text(found, "firstname"), _text(found, "lastname")
    emails = _emails(found)
    company = _text(found, "associatedcompanyid")
    return Contact(
        id=f"person:{number}",
        kind="person",
        updated=_stamp(item, found, "lastmodifieddate"),
        page=names.page(f"person:{number}"),
        name=" ".join(filter(None, (first, last))) or next(iter(emails), None),
        first_name=first,
        last_name=last,
        emails=emails,
        phones=_phones("person", known, found),
        address=_postal(known, found),
        street=_own_address(known, "street", found),
        tax_number=_own(known, "tax_number", found),
        currency=_own(known, "currency", found),
        terms=decode_terms(_own(known, "terms", found)),
        owner_id=_text(found, "hubspot_owner_id"),
        marker=fields.read(marker, found) if marker else None,
        deleted=item.get("archived") is True,
        organization_id=f"org:{company}" if company and company != "0" else None,
        merged_from=_merged("person", number, found),
    )


def _record(item: Any) -> tuple[str, Item]:
    """Id and properties of a record, both checked."""
    number = item.get("id") if isinstance(item, dict) else None
    found = item.get("properties") if isinstance(item, dict) else None
    if not isinstance(number, str) or not number or not isinstance(found, dict):
        raise SchemaDrift("HubSpot shows a record without its id or its properties.")
    return number, found


def _text(found: Item, key: str) -> str | None:
    """A property without blanks around it; None for null, missing or empty."""
    value = found.get(key)
    if value is not None and not isinstance(value, str):
        raise SchemaDrift(f"{key} is {str(value)[:60]!r}, where HubSpot documents a text.")
    return (value or "").strip() or None


def _stamp(item: Item, found: Item, key: str) -> Any:
    """When the record last changed: the property that searches go by, else the record's own."""
    text = _text(found, key) or item.get("updatedAt")
    moment = fields.moment_of(text) if isinstance(text, str) else None
    if text is not None and moment is None:
        raise SchemaDrift(f"{key} is {str(text)[:60]!r}, where HubSpot documents a time.")
    return moment


def _emails(found: Item) -> tuple[str, ...]:
    others = (_text(found, "hs_additional_emails") or "").split(";")
    every = [_text(found, "email"), *(other.strip() for other in others)]
    return tuple(dict.fromkeys(email for email in every if email))


def _phones(kind: str, known: Known, found: Item) -> tuple[str, ...]:
    """HubSpot's own numbers, then those in the account's own property for further ones."""
    more = _SEPARATORS.split(_own(known, "phones", found) or "")
    every = [*(_text(found, key) for key in PHONES[kind]), *(part.strip() for part in more)]
    return tuple(dict.fromkeys(phone for phone in every if phone))


def _merged(prefix: str, number: str, found: Item) -> tuple[str, ...]:
    """The ids that were merged into this one (facts: hubspot, 5e)."""
    others = (_text(found, "hs_merged_object_ids") or "").split(";")
    return tuple(f"{prefix}:{i.strip()}" for i in others if i.strip() and i.strip() != number)


def _own(known: Known, key: str, found: Item) -> str | None:
    return fields.read(known[key], found) if key in known else None


def _own_address(known: Known, key: str, found: Item) -> Address | None:
    whole = _own(known, key, found)
    return Address(text=whole) if whole else None


def _postal(known: Known, found: Item) -> Address | None:
    """HubSpot's own address, unless the config names another property for it."""
    if "postal" in known:
        return _own_address(known, "postal", found)
    parts = {key: _text(found, key) for key in (*_ADDRESS, "address2")}
    if not any(parts.values()):
        return None
    return Address(
        lines=tuple(line for line in (parts["address"], parts["address2"]) if line),
        city=parts["city"],
        region=parts["state"],
        postal_code=parts["zip"],
        country=parts["country"],
    )


def from_address(kind: str, address: Address | None) -> dict[str, str]:
    """The properties that read back as `address`, all of them, empty where it says nothing.

    A company has a second line; further lines join the last, and a whole line without parts is
    the street.
    """
    lines = [line for line in address.lines if line] if address else []
    if address and not lines and address.text and not (address.city or address.postal_code):
        lines = [address.text]
    room = 2 if kind == "organization" else 1
    if len(lines) > room:
        lines = [*lines[: room - 1], ", ".join(lines[room - 1 :])]
    made = {
        "address": lines[0] if lines else "",
        "city": (address.city if address else None) or "",
        "state": (address.region if address else None) or "",
        "zip": (address.postal_code if address else None) or "",
        "country": (address.country if address else None) or "",
    }
    if kind == "organization":
        made["address2"] = lines[1] if len(lines) > 1 else ""
    return made


def whole_line(address: Address) -> str:
    """The address as people write it on one line: its own text, else its parts."""
    town = " ".join(part for part in (address.postal_code, address.city) if part)
    parts = (*address.lines, town, address.region, address.country)
    return address.text or ", ".join(part for part in parts if part)
