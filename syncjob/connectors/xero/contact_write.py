"""What is written to contacts in Xero's terms, what Xero will hold of it, and what it cannot.

Xero keeps what a change leaves out. Of a list that is sent, phones and addresses change by their
type, while further persons are replaced whole, and an empty list of them does nothing (people who
tried it: github.com/calcinai/xero-php/issues/171 and 736, github.com/XeroAPI/xero-node/issues/560;
facts: xero, 5). So only the types that change are sent, each with all its parts, and what a part
holds beside our own values goes along as it was read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from syncjob.connectors.xero.contact_parts import LINES, PHONE_ORDER, PHONES_FILLED, to_address
from syncjob.connectors.xero.fields import CONTACT_FIELDS, Field, is_country, one_line
from syncjob.core.actions import ContactChange, ContactDraft, Rejected
from syncjob.core.contacts.fields import (
    Values,
    decode_address,
    decode_list,
    decode_people,
    decode_terms,
    encode_address,
    encode_list,
    encode_people,
    encode_terms,
    keys_of,
    same,
    values_of,
)
from syncjob.core.records import Address, Contact, Person

Form = dict[str, str | None]

#: The fields of core/contacts/fields.py that a contact of Xero holds: it has one e-mail address.
HELD = frozenset(
    (
        *("name", "first_name", "last_name", "email", "phones", "postal", "street"),
        *("tax_number", "currency", "terms", "people"),
    )
)
#: What cannot be taken away over the API: the SDK cannot say null (facts: xero, 6), and an empty
#: list of persons changes nothing.
LASTING = frozenset({"currency", "terms", "people"})
#: Xero has four lines of an address, and room for five further persons (facts: xero, 5).
ADDRESS_LINES_MAX = 4
PEOPLE_MAX = 5

_FIELD = {field.path: field for field in CONTACT_FIELDS}
_PLAIN = ("name", "first_name", "last_name", "email", "tax_number")
_ADDRESSES = ("postal", "street")


# --- values ---------------------------------------------------------------------------------------


def draft_values(draft: ContactDraft) -> Values:
    """What a draft says, field by field, as core/contacts/fields.py has it."""
    return {
        "name": draft.name,
        "first_name": draft.first_name,
        "last_name": draft.last_name,
        "email": draft.email,
        "phones": encode_list((draft.phone or "", *draft.phones)),
        "postal": encode_address(draft.address),
        "street": encode_address(draft.street),
        "tax_number": draft.tax_number,
        "currency": draft.currency,
        "terms": encode_terms(draft.terms),
        "people": encode_people(draft.people),
    }


def clean(value: str | None) -> str | None:
    return (one_line(value) or None) if value else None


def address_parts(address: Address | None) -> dict[str, str]:
    """The parts of an address by Xero's names, "" for those that are empty.

    A country that Xero's Country refuses goes into a free line. An address without lines has its
    whole text as a line, so that no street is lost. More lines than Xero has are joined in the
    last one.
    """
    address = address or Address()
    text = "" if address.lines else one_line(address.text or "")
    lines = [line for line in map(one_line, address.lines or (text,)) if line]
    country = _beside(text, address.country)
    if country and not is_country(country):
        lines, country = [*lines, country], None
    if len(lines) > ADDRESS_LINES_MAX:
        kept = ADDRESS_LINES_MAX - 1
        lines = [*lines[:kept], ", ".join(lines[kept:])]
    return {
        **dict(zip(LINES, (*lines, *[""] * ADDRESS_LINES_MAX), strict=False)),
        "City": _beside(text, address.city) or "",
        "Region": _beside(text, address.region) or "",
        "PostalCode": _beside(text, address.postal_code) or "",
        "Country": country or "",
    }


def _beside(text: str, part: str | None) -> str | None:
    """A part of an address; None if the address's whole text, sent as its line, has it already."""
    part = clean(part)
    word = rf"(?<!\w){re.escape(part or '')}(?!\w)"
    return None if part and re.search(word, text, re.IGNORECASE) else part


def phone_changes(now: Mapping[str, str], wanted: Sequence[str]) -> dict[str, str]:
    """Which types of phone change, and to what ("" for none), so that `wanted` stands there.

    A number that stands in a type stays there, as it is typed. A new one takes the place of one
    that goes, else a type that is free. The fax is never touched.
    """
    numbers = list(keys_of("phones", encode_list(wanted)).values())[: len(PHONES_FILLED)]
    kept: dict[str, str] = {}
    for number in list(numbers):
        there = (k for k in now if k not in kept and same("phones", now[k], number))
        kind = next(there, None)
        if kind is not None:
            kept[kind] = number
            numbers.remove(number)
    gone = [kind for kind in PHONE_ORDER if kind in now and kind not in kept]
    free = [*gone, *(kind for kind in PHONES_FILLED if kind not in now)]
    placed = dict(zip(free, numbers, strict=False))
    return {**dict.fromkeys(gone, ""), **placed}


def persons(value: str | None) -> list[Person]:
    """Further persons as they are sent, no more than Xero has room for."""
    cleaned = [
        Person(
            first_name=clean(one.first_name), last_name=clean(one.last_name), email=clean(one.email)
        )
        for one in decode_people(value)
    ]
    return [one for one in cleaned if one != Person()][:PEOPLE_MAX]


# --- what will be stored, and what is -------------------------------------------------------------


def stored_value(field: str, value: str | None) -> str | None:
    """What Xero will show for a value that it takes."""
    match field:
        case "phones":
            numbers = keys_of("phones", encode_list(map(one_line, decode_list(value)))).values()
            return encode_list(list(numbers)[: len(PHONES_FILLED)])
        case "postal" | "street":
            return encode_address(to_address(address_parts(decode_address(value))))
        case "currency":
            return (clean(value) or "").upper() or None
        case "terms":
            return encode_terms(decode_terms(value))
        case "people":
            return encode_people(persons(value))
    return clean(value)


def stored_form(payload: ContactDraft | ContactChange) -> Form:
    """The fields that are written, as Xero will hold them; of a draft all that it holds, and our
    marker."""
    if isinstance(payload, ContactChange):
        return {f: stored_value(f, value) for f, value in payload.values.items() if f in HELD}
    given = {f: stored_value(f, value) for f, value in draft_values(payload).items()}
    return {"marker": clean(payload.marker), **given}


def current_form(payload: ContactDraft | ContactChange, record: Contact) -> Form:
    """The fields of `stored_form` as they stand in the record. A value that says the same in
    another form (a phone with blanks, a country by its code) counts as ours."""
    now = values_of(record) | {"marker": clean(record.marker)}
    return {
        field: value if same(field, value, now[field]) else now[field]
        for field, value in stored_form(payload).items()
    }


# --- what Xero cannot hold ------------------------------------------------------------------------


def judged(payload: ContactDraft | ContactChange) -> Iterator[tuple[Field, str | None, str]]:
    """(field, normalised value, its name for a person) of everything that would be sent."""
    if isinstance(payload, ContactDraft):
        yield _FIELD["marker"], payload.marker, "marker"
    values = payload.values if isinstance(payload, ContactChange) else draft_values(payload)
    for name, value in values.items():
        if name in _PLAIN:
            yield _FIELD[name], clean(value), name
        elif name in _ADDRESSES:
            yield from _judged_address(name, value)
        elif name == "phones":
            numbers = decode_list(stored_value("phones", value))
            yield from ((_FIELD["phone"], number, "phones") for number in numbers)
        elif name == "people":
            for person in persons(value):
                parts = ("first_name", "last_name", "email")
                yield from ((_FIELD[p], getattr(person, p), f"people {p}") for p in parts)


def _judged_address(name: str, value: str | None) -> Iterator[tuple[Field, str | None, str]]:
    parts = address_parts(decode_address(value))
    for field in CONTACT_FIELDS:
        group, _, wire = field.wire.partition(".")
        if group == "Addresses":
            yield field, parts[wire], f"{name} {field.path.partition('.')[2]}"


def unfit(change: ContactChange) -> Rejected | None:
    """Why this change cannot be made over Xero's API at all; None if it can."""
    for field, value in change.values.items():
        if field not in HELD and value:
            return Rejected(
                code="field_not_held",
                words=f"A Xero contact has no place for {field}.",
                field=field,
                next_step="Take the field out of what is synced to the ledger.",
            )
        if field in LASTING and stored_value(field, value) is None:
            return Rejected(
                code=f"{field}_stays",
                words=f"Xero's API cannot take away a contact's {field}.",
                field=field,
                next_step=f"Remove the {field} from the contact in Xero by hand, or give it one in "
                "the CRM.",
            )
    return None
