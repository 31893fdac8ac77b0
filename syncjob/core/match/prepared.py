"""A party taken apart once, so that comparing it many times is cheap."""

from __future__ import annotations

import re

import msgspec

from . import addresses, emails, names, phones
from .normalise import fold, squash, words
from .records import Party

_NUMBER = re.compile(r"^\d+$")
#: Tax numbers that people write without their country ("DE123", "GB 123 456 789").
_TAX_COUNTRY = re.compile(r"^(?:atu|che|[a-z]{2})(?=\d)")


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """What is compared of a party; empty means unknown. `person` is None where it is not known."""

    id: str
    person: bool | None
    tokens: tuple[str, ...]
    squashed: str
    form: str
    first: tuple[str, ...]
    last: tuple[str, ...]
    generation: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    domains: tuple[str, ...]
    numbers: tuple[str, ...]
    street: tuple[str, ...]
    directions: frozenset[str]
    street_kinds: frozenset[str]
    postcode: str
    city: str
    region: str
    country: str
    tax: str
    more: tuple[tuple[str, str], ...]


def prepare(party: Party, default_country: str | None = None) -> Prepared:
    """The party in the form in which it is compared."""
    country = addresses.country(party.country)
    own = names.company(party.name)
    human = names.person(None, party.first_name, party.last_name)
    is_person = _is_person(party, own, human)
    if is_person and not (human.first and human.last):
        human = names.person(party.name, party.first_name, party.last_name)
    if is_person:
        own = names.CompanyName((*human.first, *human.last), "")
    addressed = addresses.street(party.lines)
    mails = _distinct(emails.canonical(text) for text in party.emails)
    site = emails.site(party.url)
    domains = _distinct([*(emails.own_domain(mail) for mail in mails), site])
    return Prepared(
        id=party.id,
        person=is_person,
        tokens=own.tokens,
        squashed=squash(own.tokens),
        form=own.form,
        first=human.first,
        last=human.last,
        generation=names.generation(party.last_name, party.name) if is_person else "",
        phones=_distinct(phones.canonical(t, country or default_country) for t in party.phones),
        emails=mails,
        domains=domains,
        numbers=addressed.numbers,
        street=addressed.names,
        directions=addressed.directions,
        street_kinds=addressed.kinds & addresses.MAIN_KINDS,
        postcode=addresses.postcode(party.postal_code) or addressed.postcode,
        city=addresses.place(party.city),
        region=addresses.place(party.region),
        country=country,
        tax=_TAX_COUNTRY.sub("", squash(words(party.tax_number))),
        more=tuple(sorted(filter(None, map(_labelled, party.more)))),
    )


def _is_person(party: Party, own: names.CompanyName, human: names.PersonName) -> bool | None:
    """True if the party itself is a human being: it says so, or is named after its person."""
    if party.kind != "contact":
        return party.kind == "person"
    if own.form:
        return False
    if human.first or human.last:
        return not own.tokens or set(own.tokens) == {*human.first, *human.last}
    return None


def _labelled(text: str) -> tuple[str, str] | None:
    """The label and the value; numbers and dates by their digits alone."""
    label, colon, value = text.partition(":")
    parts = words(value if colon else label)
    if parts and all(_NUMBER.match(part) for part in parts):
        parts = ["".join(_date(parts))]
    return (fold(label).strip() if colon else "", " ".join(parts)) if parts else None


def _date(parts: list[str]) -> list[str]:
    """A date with the year first and day and month by size, since people write both orders."""
    if len(parts) == 1 and len(parts[0]) == 8 and parts[0][:2] in ("19", "20"):
        parts = [parts[0][:4], parts[0][4:6], parts[0][6:]]
    years = [part for part in parts if len(part) == 4]
    if len(parts) != 3 or len(years) != 1:
        return parts
    return years + sorted(part.zfill(2) for part in parts if part != years[0])


def _distinct(found: object) -> tuple[str, ...]:
    """Without gaps and repetitions, in one order."""
    return tuple(sorted({text for text in found if text}))  # type: ignore[attr-defined]
