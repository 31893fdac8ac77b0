"""Findings in the words that a person reads in the review, with both sides' values as typed."""

from __future__ import annotations

from .compare import Findings
from .records import Party
from .scoring import support

VOUCHED = "both are certain doubles of one other contact"

#: Finding: what agrees, and the part of the party that shows it ("" for none).
AGREES = {
    "name_same": ("same name", "name"),
    "name": ("words of the name", "name"),
    "form": ("same legal form", ""),
    "first": ("same first name", "first"),
    "first_initial": ("initial of the first name", "first"),
    "first_short": ("short form of the first name", "first"),
    "first_part": ("one of the first names", "first"),
    "first_near": ("first name but for its spelling", "first"),
    "last": ("same family name", "last"),
    "last_initial": ("initial of the family name", "last"),
    "last_short": ("form of the family name", "last"),
    "last_part": ("part of the family name", "last"),
    "last_near": ("family name but for its spelling", "last"),
    "main_person": ("same main person", "person"),
    "tax": ("same tax number", "tax"),
    "tax_near": ("tax number but for one slip", "tax"),
    "phone": ("same phone", "phone"),
    "phone_near": ("phone but for one slip", "phone"),
    "email": ("same e-mail", "email"),
    "email_role": ("same shared mailbox", "email"),
    "email_near": ("e-mail but for one slip", "email"),
    "email_local": ("same mailbox at another domain", "email"),
    "domain": ("same domain", "site"),
    "domain_near": ("domain but for one slip", "site"),
    "street": ("street", "lines"),
    "number": ("house number", ""),
    "postcode": ("same postcode", "postcode"),
    "postcode_near": ("postcode but for one slip", "postcode"),
    "city": ("same town", "city"),
    "city_near": ("town but for its spelling", "city"),
    "region": ("same region", "region"),
    "more": ("other data", "more"),
    "code_near": ("other number or date but for one slip", "more"),
    "text_near": ("other data in most words", "more"),
}
DIFFERS = {
    "kind_differs": ("one is a person, the other a company", ""),
    "name_none": ("no word of the names agrees", "name"),
    "name_conflict": ("each name has words that the other lacks", "name"),
    "name_extra": ("one name has more words", "name"),
    "name_slips": ("spelling of the name", "name"),
    "name_numbers": ("numbers in the names", "name"),
    "form_differs": ("legal form", "name"),
    "first_differs": ("first name", "first"),
    "last_differs": ("family name", "last"),
    "generation_differs": ("senior and junior", "person"),
    "swapped": ("first and family name are the other way round", "person"),
    "main_person_differs": ("main person", "person"),
    "tax_differs": ("tax number", "tax"),
    "phone_differs": ("phone", "phone"),
    "email_differs": ("e-mail", "email"),
    "domain_differs": ("domain", "site"),
    "street_differs": ("street", "lines"),
    "street_kind_differs": ("kind of street", "lines"),
    "direction_differs": ("direction of the street", "lines"),
    "number_near": ("one digit of the house number", "lines"),
    "number_differs": ("house number", "lines"),
    "postcode_differs": ("postcode", "postcode"),
    "city_differs": ("town", "city"),
    "region_differs": ("region", "region"),
    "country_differs": ("country", "country"),
    "code_differs": ("other number or date", "more"),
    "text_differs": ("other data", "more"),
}
#: Said already by another finding.
_IMPLIED = {"name": "name_same", "domain": "email", "name_extra": "name_conflict"}


def agreements(findings: Findings, one: Party, other: Party) -> tuple[str, ...]:
    """What agrees: "same phone: 020 7946 0000 / +44 20 7946 0000"."""
    return _said(AGREES, findings, one, other)


def differences(findings: Findings, one: Party, other: Party) -> tuple[str, ...]:
    """What differs: "postcode: 4011 / 4101"."""
    return _said(DIFFERS, findings, one, other)


def because(findings: Findings) -> str:
    """Why a certain pair is certain."""
    found = support(findings)
    if not found:
        return "the same rare name on both sides, and nothing against it"
    return f"the names and {' and '.join(found)} agree"


def _said(
    table: dict[str, tuple[str, str]], findings: Findings, one: Party, other: Party
) -> tuple[str, ...]:
    return tuple(
        _with_values(words, _on_a_line(one, part), _on_a_line(other, part))
        for name, (words, part) in table.items()
        if findings.get(name) and not findings.get(_IMPLIED.get(name, ""))
    )


def _with_values(words: str, mine: str, theirs: str) -> str:
    if not mine and not theirs:
        return words
    return f"{words}: {mine}" if mine == theirs else f"{words}: {mine} / {theirs}"


def _on_a_line(party: Party, part: str) -> str:
    """The part as it stands in a sentence."""
    return " ".join(_value(party, part).split())


def _value(party: Party, part: str) -> str:
    """The part of a party as typed."""
    if part == "name":
        return party.name or _value(party, "person")
    if part == "person":
        return " ".join(filter(None, (party.first_name, party.last_name))) or party.name or ""
    if part == "site":
        return ", ".join(filter(None, (*party.emails, party.url)))
    values = {
        "first": party.first_name or party.name, "last": party.last_name or party.name,
        "phone": ", ".join(party.phones), "email": ", ".join(party.emails),
        "lines": ", ".join(party.lines), "postcode": party.postal_code, "city": party.city,
        "region": party.region, "country": party.country, "tax": party.tax_number,
        "more": ", ".join(party.more),
    }  # fmt: skip
    return values.get(part) or ""
