"""Two parties side by side: what agrees, how rare that is, and what differs.

Each finding has a name; its number is the bits that an agreement says (frequencies.py), or the
size of a difference. What one party lacks is no finding.
"""

from __future__ import annotations

from collections.abc import Callable

from rapidfuzz.distance import OSA

from . import namecompare, phones
from .emails import is_role
from .frequencies import Frequencies
from .normalise import likeness
from .prepared import Prepared

Findings = dict[str, float]


def compare(one: Prepared, other: Prepared, frequencies: Frequencies) -> Findings:
    """All findings of a pair; the same for (one, other) and (other, one)."""
    found: Findings = {}
    namecompare.names(one, other, frequencies, found)
    if _strangers(one, other, found):
        return found
    _phones(one, other, frequencies, found)
    _mails(one, other, frequencies, found)
    _streets(one, other, frequencies, found)
    _postcodes(one, other, frequencies, found)
    _places(one, other, frequencies, found)
    _tax(one, other, frequencies, found)
    _more(one, other, frequencies, found)
    return found


def _strangers(one: Prepared, other: Prepared, found: Findings) -> bool:
    """Two names with nothing in common and no number or mailbox in common: neighbours at most,
    and not worth a closer look."""
    unlike = "name_none" in found or {"first_differs", "last_differs"} <= found.keys()
    return unlike and not (
        (one.tax and (one.tax == other.tax or _near_code(one.tax, other.tax)))
        or any(phones.same(a, b) for a in one.phones for b in other.phones)
        or not set(one.emails).isdisjoint(other.emails)
        or not set(one.domains).isdisjoint(other.domains)
        or any(
            label == other_label and (value == theirs or _near_code(value, theirs))
            for label, value in one.more
            for other_label, theirs in other.more
        )
    )


def _phones(one: Prepared, other: Prepared, frequencies: Frequencies, found: Findings) -> None:
    if not one.phones or not other.phones:
        return
    shared = [n for a in one.phones for b in other.phones if phones.same(a, b) for n in (a, b)]
    if shared:
        found["phone"] = max(frequencies.bits("phone", phones.tail(number)) for number in shared)
    elif any(OSA.distance(a[-10:], b[-10:]) == 1 for a in one.phones for b in other.phones):
        found["phone_near"] = 1
    else:
        found["phone_differs"] = 1


def _mails(one: Prepared, other: Prepared, frequencies: Frequencies, found: Findings) -> None:
    shared_domains = set(one.domains) & set(other.domains)
    if shared_domains:
        found["domain"] = max(frequencies.bits("domain", domain) for domain in shared_domains)
    elif one.domains and other.domains:
        near = any(_slip(a, b) for a in one.domains for b in other.domains)
        found["domain_near" if near else "domain_differs"] = 1
    if not one.emails or not other.emails:
        return
    shared = set(one.emails) & set(other.emails)
    own = [mail for mail in shared if not is_role(mail)]
    if own:
        found["email"] = max(frequencies.bits("email", mail) for mail in own)
    elif shared:
        found["email_role"] = max(frequencies.bits("email", mail) for mail in shared)
    else:
        _other_mails(one, other, frequencies, found)


def _other_mails(one: Prepared, other: Prepared, frequencies: Frequencies, found: Findings) -> None:
    if any(_slip(a, b) for a in one.emails for b in other.emails):
        found["email_near"] = 1
        return
    locals_ = {mail.partition("@")[0] for mail in one.emails if not is_role(mail)}
    locals_ &= {mail.partition("@")[0] for mail in other.emails}
    if locals_:
        found["email_local"] = max(frequencies.bits("local", local) for local in locals_)
    else:
        found["email_differs"] = 1


def _slip(one: str, other: str) -> bool:
    """Long texts that differ by one slip of the keyboard."""
    return min(len(one), len(other)) > 6 and OSA.distance(one, other, score_cutoff=1) <= 1


def _streets(one: Prepared, other: Prepared, frequencies: Frequencies, found: Findings) -> None:
    if one.street and other.street:
        match = namecompare.align(one.street, other.street, _street_bits(frequencies), frequencies)
        if match.agreed:
            found["street"] = min(match.agreed, 16)
        if match.conflict or not match.agreed:
            found["street_differs"] = min(match.conflict, 10) if match.agreed else 10
    if one.directions and other.directions and not one.directions & other.directions:
        found["direction_differs"] = 1
    if one.street_kinds and other.street_kinds and not one.street_kinds & other.street_kinds:
        found["street_kind_differs"] = 1
    if one.numbers and other.numbers:
        shared = set(one.numbers) & set(other.numbers)
        if shared:
            found["number"] = max(frequencies.bits("number", number) for number in shared)
        elif any(_near_digits(a, b) for a in one.numbers for b in other.numbers):
            found["number_near"] = 1
        else:
            found["number_differs"] = 1


def _street_bits(frequencies: Frequencies) -> Callable[[str], float]:
    return lambda word: frequencies.bits("street", word)


def _near_digits(one: str, other: str) -> bool:
    """One slip of the keyboard apart, where there is enough to slip on."""
    return min(len(one), len(other)) > 1 and OSA.distance(one, other) == 1


def _postcodes(one: Prepared, other: Prepared, frequencies: Frequencies, found: Findings) -> None:
    a, b = one.postcode, other.postcode
    if not a or not b:
        return
    if a == b:
        found["postcode"] = frequencies.bits("postcode", a)
    elif OSA.distance(a, b) == 1:
        found["postcode_near"] = 1
    else:
        found["postcode_differs"] = 1


def _places(one: Prepared, other: Prepared, frequencies: Frequencies, found: Findings) -> None:
    if one.city and other.city:
        if one.city == other.city:
            found["city"] = frequencies.bits("city", one.city)
        elif likeness(one.city, other.city) >= 0.88:
            found["city_near"] = 1
        else:
            found["city_differs"] = 1
    if one.region and other.region:
        if one.region == other.region:
            found["region"] = frequencies.bits("region", one.region)
        else:
            found["region_differs"] = 1
    if one.country and other.country and one.country != other.country:
        found["country_differs"] = 1


def _tax(one: Prepared, other: Prepared, frequencies: Frequencies, found: Findings) -> None:
    if not one.tax or not other.tax:
        return
    if one.tax == other.tax:
        found["tax"] = frequencies.bits("tax", one.tax)
    elif OSA.distance(one.tax, other.tax) == 1:
        found["tax_near"] = 1
        if one.tax[:-1] == other.tax[:-1]:
            found["tax_next"] = 1
    else:
        found["tax_differs"] = 1


def _more(one: Prepared, other: Prepared, frequencies: Frequencies, found: Findings) -> None:
    """Other texts under one label: numbers and dates by their digits, texts by their words."""
    if not one.more or not other.more:
        return
    mine, theirs = _by_label(one.more), _by_label(other.more)
    for label in sorted(mine.keys() & theirs.keys()):
        shared = mine[label] & theirs[label]
        if shared:
            bits = max(frequencies.bits(f"more {label}", value) for value in shared)
            _add(found, "more", min(bits, 16))
        else:
            name, number = _unlike(mine[label], theirs[label])
            _add(found, name, number)


def _by_label(more: tuple[tuple[str, str], ...]) -> dict[str, set[str]]:
    values: dict[str, set[str]] = {}
    for label, value in more:
        values.setdefault(label, set()).add(value)
    return values


def _unlike(mine: set[str], theirs: set[str]) -> tuple[str, float]:
    """The finding for values of which no two are equal, by the two that are most alike."""
    pairs = [(a, b) for a in mine for b in theirs]
    if all(value.isdigit() for pair in pairs for value in pair):
        return ("code_near" if any(_near_code(a, b) for a, b in pairs) else "code_differs"), 1
    share = max(_shared_words(a, b) for a, b in pairs)
    return ("text_near", share) if share >= 0.5 else ("text_differs", 1 - share)


def _near_code(one: str, other: str) -> bool:
    """A date or a number but for one slip; a year or a price is too short to tell."""
    return min(len(one), len(other)) > 5 and OSA.distance(one, other, score_cutoff=1) <= 1


def _shared_words(one: str, other: str) -> float:
    """The share of the shorter text's words that the longer has too, 0 to 1."""
    if likeness(one, other) >= 0.93:
        return 1.0
    mine, theirs = set(one.split()), set(other.split())
    return len(mine & theirs) / min(len(mine), len(theirs))


def _add(found: Findings, name: str, number: float) -> None:
    found[name] = found.get(name, 0) + number
