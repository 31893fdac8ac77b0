"""Northwind's 91 customers on both sides, as differently as two departments would have typed them.

Each customer is written down once for the CRM (an organization with its person) and once for the
ledger, with differences that real books show: typing errors, other phone forms, abbreviations and
company forms, missing e-mails, one company as three branches, two companies of almost one name,
one accounts@ address for a group of four. `twins` says which belong together; `fill` puts them on
the sandbox servers. Everything follows from one seed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from tests.engine.northwind import rows
from tests.engine.world import World

#: Dialling codes and domains of Northwind's countries.
_COUNTRIES = {
    "Germany": ("49", "de"), "Mexico": ("52", "mx"), "UK": ("44", "co.uk"), "Sweden": ("46", "se"),
    "France": ("33", "fr"), "Spain": ("34", "es"), "Canada": ("1", "ca"), "Argentina": ("54", "ar"),
    "Switzerland": ("41", "ch"), "Brazil": ("55", "com.br"), "Austria": ("43", "at"),
    "Italy": ("39", "it"), "Portugal": ("351", "pt"), "USA": ("1", "com"),
    "Venezuela": ("58", "ve"), "Ireland": ("353", "ie"), "Belgium": ("32", "be"),
    "Norway": ("47", "no"),
    "Denmark": ("45", "dk"), "Finland": ("358", "fi"), "Poland": ("48", "pl"),
}  # fmt: skip
_SHORT = {
    "Supermarkets": "Supermkts", "Restaurante": "Rest.", "Comércio": "Com.", "Market": "Mkt",
    "Company": "Co.", "International": "Int'l", "Importadora": "Import.", "Delikatessen": "Deli.",
    "Grocery": "Groc.", "Export": "Exp.", "Taquería": "Taq.", "Trading": "Trdg",
}  # fmt: skip
_FORMS = {"Germany": "GmbH", "UK": "Ltd", "USA": "Inc.", "France": "S.A.R.L.", "Spain": "S.L."}
_STREET = {"Street": "St", "Avenue": "Ave", "Avda.": "Avenida", "Road": "Rd", "Str.": "Straße"}
#: The four that bill through one office, and the address of that office.
GROUP = ("EASTC", "CONSH", "NORTS", "SEVES")
GROUP_EMAIL = "accounts@thamesgroup.test"
#: The chain that stands in the books by its branches.
CHAIN = "SAVEA"
BRANCHES = (("Boise", "83720", "208 555-8097"), ("Portland", "97219", "503 555-1184"),
            ("Albuquerque", "87110", "505 555-4410"))  # fmt: skip
#: Another firm of almost the name of one that is there: name, street, town, postcode, phone.
NAMESAKES = {
    "AROUT": ("Around the Thorn", "7 Quay Row", "Bristol", "BS1 4DJ", "(117) 555-0199"),
    "BLONP": ("Blondel et fils", "2, avenue Foch", "Nice", "06000", "93.55.10.10"),
}


@dataclass(frozen=True)
class Card:
    """One customer as one side has it."""

    name: str
    person: str
    street: str
    city: str
    postcode: str
    country: str
    phone: str
    email: str | None


@dataclass
class Twin:
    """One customer as both sides write it; `crm` and `ledger` are its ids once it is filled."""

    key: str
    in_crm: Card
    in_ledger: Card
    differs: list[str] = field(default_factory=list)
    crm: str = ""
    ledger: str = ""


def twins(seed: int = 1) -> list[Twin]:
    """All customers with their differences, in a fixed order for a seed."""
    rng = Random(seed)
    made = []
    for key, card in _cards():
        twin = Twin(key, card, card)
        _differ(twin, rng)
        made.append(twin)
    return made


def _cards() -> Iterator[tuple[str, Card]]:
    for row in rows("Customers.csv"):
        if not row["Country"]:  # two rows of the file are no customers
            continue
        key, card = row["CustomerID"], _card(row)
        if key == CHAIN:
            for town, postcode, phone in BRANCHES:
                yield (
                    f"{key}-{town}",
                    replace(card, name=f"{card.name} {town}", city=town, postcode=postcode,
                            phone=phone, street=f"{len(town)}7 Main Street"),
                )  # fmt: skip
            continue
        yield key, replace(card, email=GROUP_EMAIL) if key in GROUP else card
        if key in NAMESAKES:
            name, street, town, postcode, phone = NAMESAKES[key]
            other = Card(name, "Alex Reed", street, town, postcode, card.country, phone, None)
            yield f"{key}-namesake", replace(other, email=_email(other))


def _card(row: dict[str, str]) -> Card:
    card = Card(
        row["CompanyName"], row["ContactName"], row["Address"], row["City"], row["PostalCode"],
        row["Country"], row["Phone"], None,
    )  # fmt: skip
    return replace(card, email=_email(card))


def _email(card: Card) -> str:
    domain = "".join(c for c in plain(card.name).lower() if c.isalnum())
    user = ".".join(plain(card.person).lower().split())
    user = "".join(c for c in user if c.isalnum() or c == ".")
    return f"{user}@{domain}.{_COUNTRIES[card.country][1]}"


def plain(text: str) -> str:
    """The text without accents."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(c for c in parts if not unicodedata.combining(c)).replace("ß", "ss")


# --- how two people write one customer ------------------------------------------------------------


def _differ(twin: Twin, rng: Random) -> None:
    """What the ledger has otherwise than the CRM: some of it, never everything."""
    wish = rng.sample(list(_DIFFERENCES), k=rng.randint(1, 3))
    if {"typing error", "abbreviation"} <= set(wish):
        wish.remove("abbreviation")
    for name in wish:
        changed = _DIFFERENCES[name](twin.in_ledger, rng)
        if changed != twin.in_ledger:
            twin.in_ledger = changed
            twin.differs.append(name)


def _typing_error(card: Card, rng: Random) -> Card:
    """One slip in the longest word of the name: two letters swapped, one lost or one doubled."""
    word = max(card.name.split(), key=len)
    if len(word) < 5:
        return card
    at = rng.randint(1, len(word) - 3)
    slip = rng.choice(("swap", "lose", "double"))
    if slip == "swap":
        typed = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    elif slip == "lose":
        typed = word[:at] + word[at + 1 :]
    else:
        typed = word[:at] + word[at] + word[at:]
    return replace(card, name=card.name.replace(word, typed, 1))


def _phone_form(card: Card, rng: Random) -> Card:
    code = _COUNTRIES[card.country][0]
    digits = "".join(c for c in card.phone if c.isdigit()).lstrip("0")
    forms = (f"+{code} {digits}", f"00{code}{digits}", f"+{code} (0) {digits[:3]} {digits[3:]}")
    return replace(card, phone=rng.choice(forms))


def _abbreviation(card: Card, rng: Random) -> Card:
    words = [_SHORT.get(word, word) for word in card.name.split()]
    name = " ".join(words)
    form = _FORMS.get(card.country)
    return replace(card, name=f"{name} {form}" if name == card.name and form else name)


def _no_accents(card: Card, rng: Random) -> Card:
    return replace(card, name=plain(card.name), person=plain(card.person), city=plain(card.city))


def _no_email(card: Card, rng: Random) -> Card:
    return replace(card, email=None)


def _office_email(card: Card, rng: Random) -> Card:
    if card.email is None or card.email == GROUP_EMAIL:
        return card
    return replace(card, email=f"accounts@{card.email.partition('@')[2]}")


def _street_form(card: Card, rng: Random) -> Card:
    street = card.street
    for long, short in _STREET.items():
        street = street.replace(long, short)
    return replace(card, street=street)


def _capitals(card: Card, rng: Random) -> Card:
    return replace(card, name=card.name.upper())


_DIFFERENCES: dict[str, Any] = {
    "typing error": _typing_error, "phone form": _phone_form, "abbreviation": _abbreviation,
    "no accents": _no_accents, "no e-mail": _no_email, "office e-mail": _office_email,
    "street form": _street_form, "capitals": _capitals,
}  # fmt: skip


# --- on the servers -------------------------------------------------------------------------------


def fill(w: World, made: list[Twin], *, crm: bool = True, ledger: bool = True) -> None:
    """Put the customers on both servers and note their ids in them."""
    for twin in made:
        if crm:
            twin.crm = put_in_crm(w, twin.in_crm)
        if ledger:
            twin.ledger = put_in_ledger(w, twin.in_ledger)


def put_in_crm(w: World, card: Card) -> str:
    """An organization with its person; the organization's id as records have it."""
    address = {
        "value": f"{card.street}, {card.postcode} {card.city}, {card.country}",
        "route": card.street, "locality": card.city, "postal_code": card.postcode,
        "country": card.country,
    }  # fmt: skip
    org = w.crm("create_org", name=card.name, address=address)
    person: dict[str, Any] = {"name": card.person, "org": org["id"], "phones": [card.phone]}
    if card.email:
        person["emails"] = [card.email]
    w.crm("create_person", **person)
    return f"org:{org['id']}"


def put_in_ledger(w: World, card: Card) -> str:
    """A contact; its id. Countries are letters only there."""
    first, _, last = card.person.partition(" ")
    fields: dict[str, Any] = {
        "Name": card.name, "FirstName": first, "LastName": last,
        "Addresses": [{"AddressType": "POBOX", "AddressLine1": card.street, "City": card.city,
                       "PostalCode": card.postcode, "Country": card.country}],
        "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": card.phone}],
    }  # fmt: skip
    if card.email:
        fields["EmailAddress"] = plain(card.email)
    return str(w.books("create_contact", fields=fields)["done"]["id"])


def truth(made: list[Twin]) -> dict[str, str]:
    """CRM id to ledger id, as it truly is."""
    return {twin.crm: twin.ledger for twin in made}
