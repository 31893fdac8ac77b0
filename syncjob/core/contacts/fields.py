"""What a contact says, field by field, as flat texts: encoded, decoded, compared.

Merging, bases, journaled changes and conflicts all speak of these texts, so that a field is
compared in one way everywhere. None is "empty". Lists are one entry a line, as typed; an address
is JSON of its parts that are set; payment terms are "KIND:DAY".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import get_args

import msgspec

from syncjob.core.contacts.countries import country_code
from syncjob.core.contacts.phones import e164
from syncjob.core.records import Address, Contact, PaymentTerms, Person, TermsKind

#: Every field that contacts agree on, in the order in which they are shown.
FIELDS: tuple[str, ...] = (
    "name", "first_name", "last_name", "email", "emails", "phones", "postal", "street",
    "tax_number", "currency", "terms", "people",
)  # fmt: skip
#: Fields that hold several entries and are merged entry by entry.
LISTS = frozenset({"emails", "phones", "people"})
#: What an organization's main person holds rather than the organization itself.
PERSONAL = frozenset({"first_name", "last_name", "email", "emails", "phones"})

#: How many entries a ledger contact has room for: the phone types of Xero that we fill, and its
#: five ContactPersons (facts: xero, 5).
ROOM = {"phones": 3, "people": 5}

#: The parts of a person's name.
PARTS = frozenset({"first_name", "last_name"})

Values = dict[str, str | None]

_SPACES = re.compile(r"\s+")
_WORD = re.compile(r"\w+")


def values_of(contact: Contact) -> Values:
    """All of FIELDS as texts, None where the contact says nothing."""
    return {
        "name": _line(contact.name),
        "first_name": _line(contact.first_name),
        "last_name": _line(contact.last_name),
        "email": _line(contact.emails[0]) if contact.emails else None,
        "emails": encode_list(contact.emails[1:]),
        "phones": encode_list(contact.phones),
        "postal": encode_address(contact.address),
        "street": encode_address(contact.street),
        "tax_number": _line(contact.tax_number),
        "currency": _line(contact.currency),
        "terms": encode_terms(contact.terms),
        "people": encode_people(contact.people),
    }


def with_values(contact: Contact, values: Mapping[str, str | None]) -> Contact:
    """The contact as it says these fields instead: what `values_of` reads, put back."""
    now = values_of(contact) | dict(values)
    emails = encode_list((now["email"] or "", *decode_list(now["emails"])))
    made = {
        "name": now["name"],
        "first_name": now["first_name"],
        "last_name": now["last_name"],
        "emails": decode_list(emails),
        "phones": decode_list(now["phones"]),
        "address": decode_address(now["postal"]),
        "street": decode_address(now["street"]),
        "tax_number": now["tax_number"],
        "currency": now["currency"],
        "terms": decode_terms(now["terms"]),
        "people": decode_people(now["people"]),
    }
    parts = {"emails": {"email", "emails"}, "address": {"postal"}}
    touched = {k: v for k, v in made.items() if parts.get(k, {k}) & values.keys()}
    return msgspec.structs.replace(contact, **touched)


# --- texts <-> values ----------------------------------------------------------------------------


def encode_list(entries: Iterable[str]) -> str | None:
    """One entry a line, without empty ones and exact repeats; None for none."""
    found = dict.fromkeys(text for text in map(_line, entries) if text)
    return "\n".join(found) or None


def decode_list(value: str | None) -> tuple[str, ...]:
    return tuple(value.split("\n")) if value else ()


def encode_address(address: Address | None) -> str | None:
    """The parts that are set as JSON, keys in the order of Address; None for none."""
    if address is None:
        return None
    parts: dict[str, object] = {
        name: text
        for name in ("city", "region", "postal_code", "country", "text")
        if (text := _line(getattr(address, name)))
    }
    lines = [text for text in map(_line, address.lines) if text]
    both = ({"lines": lines} if lines else {}) | parts
    return msgspec.json.encode(both).decode() if both else None


def decode_address(value: str | None) -> Address | None:
    """Raises msgspec.ValidationError for what `encode_address` did not make."""
    return msgspec.json.decode(value, type=Address) if value else None


def encode_terms(terms: PaymentTerms | None) -> str | None:
    return f"{terms.kind}:{terms.day}" if terms else None


def decode_terms(value: str | None) -> PaymentTerms | None:
    """None for anything that is no "KIND:DAY": a text that a person typed into a CRM field."""
    kind, _, day = (value or "").partition(":")
    for known in get_args(TermsKind):
        if kind == known and day.isdecimal():
            return PaymentTerms(day=int(day), kind=known)
    return None


def encode_people(people: Iterable[Person]) -> str | None:
    """Further persons, one a line as JSON."""
    return encode_list(msgspec.json.encode(person).decode() for person in people)


def decode_people(value: str | None) -> tuple[Person, ...]:
    return tuple(msgspec.json.decode(line, type=Person) for line in decode_list(value))


# --- comparing -----------------------------------------------------------------------------------


def same(field: str, one: str | None, other: str | None, country: str | None = None) -> bool:
    """Whether both say the same. `country` (ISO code) is where a number without + is read.

    Lists are compared as sets, phones as E.164, e-mails without case, addresses by the words of
    all their parts (one side may hold only the whole line) with country names as codes.
    """
    if one == other:
        return True
    if field in LISTS:
        return keys_of(field, one, country).keys() == keys_of(field, other, country).keys()
    return bool(one and other) and _key(field, one, country) == _key(field, other, country)


def keys_of(field: str, value: str | None, country: str | None = None) -> dict[str, str]:
    """The entries of a list by what tells them apart: {"+442079460123": "020 7946 0123"}.

    The first of several forms of one entry stands.
    """
    found: dict[str, str] = {}
    for entry in decode_list(value):
        found.setdefault(_key(field, entry, country), entry)
    return found


def _key(field: str, value: str | None, country: str | None) -> str:
    text = value or ""
    match field:
        case "email" | "emails":
            return text.casefold()
        case "phones":
            return e164(text, country) or re.sub(r"[^\w+]", "", text).casefold()
        case "postal" | "street":
            return _address_key(text)
        case "tax_number":
            return re.sub(r"\W", "", text).casefold()
        case "currency":
            return text.upper()
        case "people":
            person = msgspec.json.decode(text, type=Person)
            return (person.email or person.full_name).casefold()
        case _:
            return text


def _address_key(value: str) -> str:
    """The words of an address in alphabetical order, each once, its country as a code."""
    address = decode_address(value) or Address()
    text = " ".join(filter(None, (*address.lines, address.city, address.region,
                                  address.postal_code, address.text)))  # fmt: skip
    country = country_code(address.country)
    if country is None and address.country:
        text = f"{text} {address.country}"
    # A whole line ends with its country: "..., Berlin, Germany".
    head, _, tail = text.rpartition(",")
    named = country_code(tail)
    if named:
        text, country = head, country or named
    words = set(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))
    return " ".join(sorted(words)) + f"|{country or ''}"


def _line(text: str | None) -> str | None:
    """Trimmed, on one line, composed; None for nothing."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip() or None if text else None


def changed(now: Mapping[str, str | None], was: Mapping[str, str | None], country: str | None,
            fields: Iterable[str]) -> tuple[str, ...]:  # fmt: skip
    """The fields that no longer say what they said."""
    return tuple(f for f in fields if not same(f, now.get(f), was.get(f), country))
