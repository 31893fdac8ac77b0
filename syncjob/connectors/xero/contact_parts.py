"""The parts of a contact in Xero: phones by type, two addresses, further persons, terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from syncjob.connectors.xero.values import Fields
from syncjob.core.contacts.countries import country_code
from syncjob.core.records import Address, PaymentTerms, Person, TermsKind
from syncjob.errors import SchemaDrift

#: Phones in the order in which one is taken for the contact's own; a fax is none.
PHONE_ORDER = ("DEFAULT", "DDI", "OFFICE", "MOBILE")
#: Those that Xero's own pages show and that we fill; OFFICE is read and kept where it is in use.
PHONES_FILLED = ("DEFAULT", "DDI", "MOBILE")
#: Which address is which: POBOX is the one that Xero prints on invoices (facts: xero, 5).
POSTAL, STREET = "POBOX", "STREET"
LINES = tuple(f"AddressLine{number}" for number in range(1, 5))
ADDRESS_PARTS = (*LINES, "City", "Region", "PostalCode", "Country")

TERMS: dict[str, TermsKind] = {
    "DAYSAFTERBILLDATE": "days_after_bill",
    "DAYSAFTERBILLMONTH": "days_after_month",
    "OFCURRENTMONTH": "of_current_month",
    "OFFOLLOWINGMONTH": "of_following_month",
}


def phones(contact: Fields) -> dict[str, str]:
    """The numbers that are set, each as one text, by type, in PHONE_ORDER."""
    found: dict[str, str] = {}
    for phone in contact.objects("Phones") or ():
        parts = (phone.text(f"Phone{part}") for part in ("CountryCode", "AreaCode", "Number"))
        number = " ".join(part for part in parts if part)
        if number:
            found[phone.text("PhoneType") or ""] = number
    return {kind: found[kind] for kind in PHONE_ORDER if kind in found}


def address(contact: Fields, kind: str) -> Address | None:
    """The address of that type; None if nothing of it is set."""
    for found in contact.objects("Addresses") or ():
        if found.text("AddressType") == kind:
            return to_address({name: found.text(name) for name in ADDRESS_PARTS})
    return None


def to_address(parts: Mapping[str, str | None]) -> Address | None:
    """The address of these parts of Xero's; None if none of them is set.

    A country that Xero's Country refuses stands in the last line, where we put it: it is read as
    what it is.
    """
    lines = [line for line in (parts.get(name) for name in LINES) if line]
    country = parts.get("Country")
    if not country and len(lines) > 1 and country_code(lines[-1]):
        country = lines.pop()
    read = Address(
        lines=tuple(lines),
        city=parts.get("City") or None,
        region=parts.get("Region") or None,
        postal_code=parts.get("PostalCode") or None,
        country=country or None,
    )
    return None if read == Address() else read


def people(contact: Fields) -> tuple[Person, ...]:
    """The further persons of whom anything is said."""
    read = (
        Person(
            first_name=p.text("FirstName"),
            last_name=p.text("LastName"),
            email=p.text("EmailAddress"),
        )
        for p in contact.objects("ContactPersons") or ()
    )
    return tuple(person for person in read if person != Person())


def terms(contact: Fields) -> PaymentTerms | None:
    """The payment terms for sales."""
    both = contact.object("PaymentTerms")
    sales = both.object("Sales") if both else None
    day = sales.amount("Day") if sales else None
    if sales is None or day is None or not sales.has("Type"):
        return None
    return PaymentTerms(day=int(day), kind=sales.choice("Type", TERMS))


#: Fields that share a list or a part of a contact with something else.
SHARED = frozenset({"phones", "postal", "street", "terms", "people"})


class Kept(NamedTuple):
    """What a change of a contact must know of it, so that nothing is lost that it does not mean:
    the numbers by type, whom each address is for, who is copied on e-mails, the terms for bills."""

    phones: dict[str, str]
    attention: dict[str, str]
    copied: frozenset[tuple[str, str]]
    bills: tuple[int, str] | None


NOTHING = Kept({}, {}, frozenset(), None)


def kept(contact: Fields) -> Kept:
    """As the contact stands now; NOTHING where it cannot be read (its own reading says so)."""
    try:
        return Kept(phones(contact), _attention(contact), _copied(contact), _bills(contact))
    except SchemaDrift:
        return NOTHING


def _attention(contact: Fields) -> dict[str, str]:
    both = contact.objects("Addresses") or ()
    named = {a.text("AddressType") or "": a.text("AttentionTo") for a in both}
    return {kind: who for kind, who in named.items() if who}


def person_key(first: str | None, last: str | None, email: str | None) -> tuple[str, str]:
    """What a further person is known by: the e-mail, else the name."""
    return ("email", email.casefold()) if email else ("name", f"{first} {last}".casefold())


def _copied(contact: Fields) -> frozenset[tuple[str, str]]:
    return frozenset(
        person_key(p.text("FirstName"), p.text("LastName"), p.text("EmailAddress"))
        for p in contact.objects("ContactPersons") or ()
        if p.flag("IncludeInEmails")
    )


def _bills(contact: Fields) -> tuple[int, str] | None:
    both = contact.object("PaymentTerms")
    bills = both.object("Bills") if both else None
    day, kind = (bills.amount("Day"), bills.text("Type")) if bills else (None, None)
    return (int(day), kind) if day is not None and kind in TERMS else None
