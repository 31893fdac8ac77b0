"""Findings in the words that a person reads in the review."""

from __future__ import annotations

from .compare import Findings
from .prepared import Prepared
from .scoring import support

AGREES = {
    "name_same": "same name", "name": "words of the name", "form": "same legal form",
    "main_person": "same main person", "first": "same first name", "last": "same family name",
    "first_initial": "initial of the first name", "first_short": "short form of the first name",
    "first_part": "part of the first name", "first_near": "first name spelled alike",
    "last_initial": "initial of the family name", "last_short": "form of the family name",
    "last_part": "part of the family name", "last_near": "family name spelled alike",
    "swapped": "first and family name the other way round", "phone": "same phone",
    "phone_near": "phone but for one digit", "email": "same e-mail",
    "email_role": "same shared mailbox", "email_near": "e-mail spelled alike",
    "email_local": "same mailbox at another domain", "domain": "same domain", "domain_near": "domain but for one slip", "street": "street",
    "number": "same house number", "number_near": "house number but for one digit",
    "postcode": "same postcode", "postcode_near": "postcode but for one slip", "city": "same town",
    "city_near": "town spelled alike", "region": "same region", "tax": "same tax number",
    "tax_near": "tax number but for one slip", "more": "other data", "code_near":
    "other number but for one slip", "text_near": "other text spelled alike",
}  # fmt: skip
DIFFERS = {
    "name_conflict": "each name has words that the other lacks", "name_extra": "one name has more words", "name_none": "no word of the names", "name_numbers":
    "numbers in the names", "form_differs": "legal form", "kind_differs":
    "a person and a company", "main_person_differs": "main person", "first_differs": "first name",
    "last_differs": "family name", "phone_differs": "phone", "email_differs": "e-mail",
    "domain_differs": "domain", "street_differs": "street", "number_differs": "house number",
    "postcode_differs": "postcode", "city_differs": "town", "region_differs": "region", "direction_differs": "direction of the street", "street_kind_differs": "kind of street",
    "country_differs": "country", "tax_differs": "tax number", "code_differs": "other number",
    "text_differs": "other text",
}  # fmt: skip


VOUCHED = "both are certain doubles of one other contact"


def agreements(findings: Findings, one: Prepared, other: Prepared) -> tuple[str, ...]:
    """What agrees."""
    return tuple(text for name, text in AGREES.items() if findings.get(name))


def differences(findings: Findings, one: Prepared, other: Prepared) -> tuple[str, ...]:
    """What differs."""
    return tuple(text for name, text in DIFFERS.items() if findings.get(name))


def because(findings: Findings) -> str:
    """Why a certain pair is certain."""
    found = support(findings)
    if not found:
        return "the same rare name on both sides, and nothing against it"
    return f"the names and {' and '.join(found)} agree"
