"""A pair's score: what its findings weigh in sum; and what keeps a high one from certainty."""

from __future__ import annotations

from math import exp, log2

from .compare import Findings
from .parameters import Parameters

#: Agreements besides the name, by what they are about: certainty needs one of them.
SUPPORT = {
    "phone": ("phone", "phone_near"),
    "e-mail": ("email", "email_role", "email_near", "domain", "domain_near"),
    "address": ("street", "postcode", "postcode_near"),
    "tax number": ("tax", "tax_near"),
    "main person": ("main_person",),
    "other data": ("more", "code_near"),
}
#: No score makes a pair certain over one of these.
NEVER = (
    ("kind_differs", "one is a person, the other a company"),
    ("name_none", "no word of the names is the same"),
    ("name_numbers", "the numbers in the names differ"),
    ("country_differs", "the countries differ"),
    ("direction_differs", "the streets point in different directions"),
    ("generation_differs", "one is the senior, the other the junior"),
)
#: Over these, only what belongs to one customer alone: a tax number, a personal mailbox.
DOUBTS = (
    ("street_kind_differs", "one writes another kind of street"),
    ("number_near", "the house numbers differ by one digit"),
    ("number_differs", "the house numbers differ"),
    ("postcode_differs", "the postcodes differ"),
)
ELSEWHERE = "the addresses differ, as between branches"
CONFLICT = "each name has words of its own, as in a group of companies"
FIRST_NAMES = "the first names differ"
_PERSON_DOUBTS = (
    ("first_differs", FIRST_NAMES),
    ("last_differs", "the family names differ"),
    ("tax_differs", "the tax numbers differ"),
    ("code_differs", "a date or number of their own differs"),
)
_PERSON_SIGNS = frozenset(
    {"first", "last", "tax", "more", "code", "street", "postcode", "city", "phone", "email"}
)
OWN = ("tax", "tax_near", "email", "email_near", "more", "code_near")
_SOMETHING = ("name_same", "first", "last", "first_near", "last_near", "street", "phone", "email")
_PLACE_FOR = ("number", "street", "postcode", "postcode_near", "city", "city_near")
_PLACE_AGAINST = ("number_differs", "street_differs", "postcode_differs", "city_differs")


def odds(findings: Findings, total: int, parameters: Parameters) -> float:
    """The natural logarithm of the odds that both are one, among `total` parties of both sides."""
    weights = parameters.weights
    found = parameters.bias + parameters.crowd * log2(max(total, 2))
    for name, number in findings.items():
        found += weights[name] * number
    return round(found, 6)


def probability(found: float) -> float:
    """Odds as a probability, 0 to 1."""
    return round(1 / (1 + exp(-min(max(found, -40), 40))), 6)


def support(findings: Findings) -> tuple[str, ...]:
    """What agrees besides the name."""
    return tuple(kind for kind, names in SUPPORT.items() if any(map(findings.get, names)))


def obstacle(findings: Findings, found: float, parameters: Parameters) -> str:
    """Why the pair cannot be certain, in words; "" if it is."""
    for name, words in NEVER:
        if name in findings:
            return words
    if "name" in findings:
        doubt = _between_companies(findings, parameters)
    else:
        doubt = _between_persons(findings)
    if not doubt and not support(findings) and not _name_alone(findings, parameters):
        doubt = "only the names agree"
    return doubt or ("" if found >= parameters.certain else "too little agrees to be certain")


def _between_persons(findings: Findings) -> str:
    """Two of one family share all but the first name (twins the birth date too): what differs
    must be outweighed by a number or a date that is a person's own, and by much else."""
    parts = {name.partition("_")[0] for name in findings if not name.endswith("_differs")}
    # Twins may have numbers that follow each other.
    numbered = "tax" in parts and "tax_next" not in findings
    own = bool(parts & {"tax", "more", "code"})
    signs = len(parts & _PERSON_SIGNS)
    against = [words for name, words in _PERSON_DOUBTS if name in findings]
    if elsewhere(findings):
        against.append(ELSEWHERE)
    if "first_differs" in findings and not numbered:
        return against[0]
    if against and not (own and signs >= len(against) + 2) and not _only_the_number(findings):
        return against[0]
    if not {"first", "last"} <= parts and not (own and signs > 1):
        return "one has only a part of the name"
    return ""


def _only_the_number(findings: Findings) -> bool:
    """One name in one house, and nothing but the tax number differs: people have several such
    numbers (their own, for VAT), and each side may know another."""
    differing = {name for name in findings if name.endswith("_differs")}
    return (
        differing == {"tax_differs"}
        and not findings.keys().isdisjoint({"first", "last"})
        and not findings.keys().isdisjoint({"first", "first_near", "first_short"})
        and not findings.keys().isdisjoint({"last", "last_near"})
        and {"street", "number"} <= findings.keys()
        and not findings.keys().isdisjoint({"postcode", "city"})
    )


def _between_companies(findings: Findings, parameters: Parameters) -> str:
    """Companies of a group, branches of a company and neighbours share much but are not one."""
    if "tax_differs" in findings:
        return "the tax numbers differ"
    if findings.get("name_conflict_share", 0) > parameters.conflict_max:
        return CONFLICT
    if findings.get("name_extra_share", 0) > parameters.extra_max:
        return "one name says much more than the other"
    if elsewhere(findings):
        return ELSEWHERE
    if any(name in findings for name in OWN):
        return ""
    for name, words in DOUBTS:
        if name in findings:
            return words
    if "phone_differs" in findings and not {"postcode", "number"} <= findings.keys():
        return "the phones differ"
    return ""


def worth_asking(findings: Findings) -> bool:
    """The same name and the same phone or mailbox, or the same tax number and anything else: a
    person looks at it in any case."""
    named = "name_same" in findings or {"first", "last"} <= findings.keys()
    if "tax" in findings and not findings.keys().isdisjoint(_SOMETHING):
        return True
    return named and not findings.keys().isdisjoint({"phone", "email", "email_role"})


def elsewhere(findings: Findings) -> bool:
    """More of the two addresses differs than agrees."""
    against = sum(name in findings for name in _PLACE_AGAINST)
    return against > sum(name in findings for name in _PLACE_FOR)


def _name_alone(findings: Findings, parameters: Parameters) -> bool:
    """A company's rare name, the same on both sides and nothing against it, is enough alone."""
    return (
        "name_same" in findings
        and "human" not in findings
        and findings["name"] >= parameters.name_alone
        and not any(name.endswith("_differs") for name in findings)
    )
