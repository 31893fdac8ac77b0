"""Our own key inside everything we create: connection code, record, part, generation.

Keeps invariant 1. A marker is at most 21 characters, because it also serves as an invoice number
where the config says `numbering: deal`, and it is never reused: a new generation gets a new one.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from string import ascii_lowercase, ascii_uppercase
from string import digits as _decimals
from urllib.parse import parse_qs, quote, urlsplit

MARKER_LENGTH_MAX = 21
#: Characters of it that are left for the deal.
ID_LENGTH_MAX = 11
_DIGITS = _decimals + ascii_lowercase
_LONG = re.compile(r"^x[0-9a-z]+$")

#: The deal invoiced as a whole; the parts of a schedule are called B to Z, then AA and so on.
WHOLE = "A"

_INVOICE = re.compile(r"^([A-Z0-9]{2,4})-([A-Za-z0-9]{1,11})-([A-Z]{1,3})(\d{1,2})$")
#: What the part's key is called in the query of the deal's link.
_PART_FIELD = "part"
_IN_URL = re.compile(r"(?:^|&)syncjob=([A-Za-z0-9-]{5,21})(?:&|$)")
_AT_END = re.compile(r"(?:^|\s)([A-Z0-9]{2,4}-[A-Za-z0-9]{1,11}-[A-Z]{1,3}\d{1,2})$")
_OTHER = re.compile(r"(?:^|\s)([A-Z0-9]{2,4})-([A-Za-z0-9]{1,11})-([rc])(\d{1,2})$")


def invoice_marker(code: str, deal_id: str, part: str, generation: int) -> str:
    """The marker of one invoice: ("NW", "1042", "A", 1) -> "NW-1042-A1"."""
    marker = f"{marker_prefix(code, deal_id)}{part}{generation}"
    parsed = parse_invoice_marker(marker)
    if parsed is None or parsed[1] != deal_id or len(marker) > MARKER_LENGTH_MAX:
        raise ValueError(f"not a marker: {marker!r}")
    return marker


def free_part(used: Collection[str]) -> str:
    """The next name for a part that none of these bears. With two letters at most every marker
    keeps within its length."""
    letters: str = ascii_uppercase
    names: tuple[str, ...] = (*letters, *(one + two for one in letters for two in letters))
    return next(name for name in names if name != WHOLE and name not in used)


def contact_marker(code: str, contact_id: str) -> str:
    """The marker of one contact: ("NW", "org:12") -> "NW-O12". One of a CRM that was left keeps
    its own: ("NX", "org:NW-12") -> "NW-O12"."""
    kind, _, number = contact_id.partition(":")
    left, dash, own = number.partition("-")
    if dash:
        code, number = left, own
    return f"{code}-{kind[0].upper()}{number}"


def contact_of_marker(code: str, marker: str | None) -> str | None:
    """The CRM contact a contact marker of this connection names: "NW-O12" -> "org:12"."""
    prefix = f"{code}-"
    if marker is None or not marker.startswith(prefix):
        return None
    kind = {"O": "org", "P": "person"}.get(marker[len(prefix) : len(prefix) + 1])
    number = marker[len(prefix) + 1 :]
    return f"{kind}:{number}" if kind and number.isalnum() else None


def crm_marker(code: str, ledger_id: str) -> str:
    """The marker of what we make in the CRM for a ledger contact: its id without dashes."""
    return f"{code}-L" + ledger_id.replace("-", "").lower()


def person_marker(code: str, ledger_id: str) -> str:
    """The marker of the main person that we make for such an organization."""
    return f"{crm_marker(code, ledger_id)}-P"


def ledger_of_marker(code: str, marker: str | None) -> str | None:
    """The ledger contact (a UUID) that a CRM record's marker of this connection names."""
    found = re.match(rf"^{re.escape(code)}-L([0-9a-f]{{32}})$", marker or "")
    if not found:
        return None
    text = found[1]
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def left_id(code: str, record_id: str) -> str:
    """What a record of a CRM that was left is called, since another CRM may have one of the same
    number: ("NW", "1042") -> "NW-1042", ("NW", "org:12") -> "org:NW-12"."""
    kind, colon, number = record_id.rpartition(":")
    return f"{kind}{colon}{code}-{number}"


def is_left(record_id: str) -> bool:
    """Whether this is a record of a CRM that was left: no batch reads, decides or writes it."""
    return "-" in record_id.rpartition(":")[2] and not record_id.startswith("ledger:")


def parse_invoice_marker(marker: str) -> tuple[str, str, str, int] | None:
    """(code, deal id, part, generation), or None for anything else."""
    found = _INVOICE.match(marker)
    return (found[1], _whole(found[2]), found[3], int(found[4])) if found else None


def marker_prefix(code: str, deal_id: str) -> str:
    """What all markers of a deal begin with: ("NW", "1042") -> "NW-1042-"."""
    return f"{code}-{_within(deal_id)}-"


def _within(deal_id: str) -> str:
    """A deal's id as it stands in markers: as it is, and in base 36 after an "x" where it is a
    number of more digits than a marker has room for (HubSpot's ids grow past eleven)."""
    if len(deal_id) <= ID_LENGTH_MAX or not deal_id.isdecimal():
        return deal_id
    number, digits = int(deal_id), ""
    while number:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return f"x{digits}"


def _whole(part: str) -> str:
    """The deal's id that stands in a marker."""
    if not _LONG.match(part):
        return part
    number = str(int(part[1:], 36))
    return number if len(number) > ID_LENGTH_MAX else part


def with_marker(url: str, marker: str) -> str:
    """The deal's link with the marker in its query, where the CRM ignores it."""
    return f"{url}{'&' if '?' in url else '?'}syncjob={marker}"


def with_part(url: str, key: str) -> str:
    """A link with a marker, and with the key of the part that it marks: what a lost state needs
    to know again which part of a schedule an invoice is."""
    return f"{url}&{_PART_FIELD}={quote(key, safe='.')}" if key else url


def part_in(url: str | None) -> str | None:
    """The key of the part in an invoice's link; None if it names none."""
    found = parse_qs(urlsplit(url).query).get(_PART_FIELD) if url else None
    return found[-1] if found else None


def marker_in(url: str | None, reference: str | None, number: str | None = None) -> str | None:
    """The marker an invoice bears: in its Url (people cannot edit it), else at the end of its
    reference, else as its number. None if it bears none of ours."""
    found = _IN_URL.search(urlsplit(url).query) if url else None
    if found and parse_invoice_marker(found[1]):
        return found[1]
    at_end = _AT_END.search(reference) if reference else None
    if at_end:
        return at_end[1]
    return number if number and parse_invoice_marker(number) else None


def template_marker(code: str, deal_id: str, generation: int) -> str:
    """The marker of a deal's repeating invoice: ("NW", "1042", 1) -> "NW-1042-r1".

    A small letter, so that it is no part's marker: it stands at the end of the reference, which
    the ledger copies to every invoice that it makes from the template.
    """
    return _other(code, deal_id, "r", generation)


def credit_marker(code: str, deal_id: str, number: int) -> str:
    """The marker of a deal's credit note: ("NW", "1042", 2) -> "NW-1042-c2"."""
    return _other(code, deal_id, "c", number)


def _other(code: str, deal_id: str, kind: str, number: int) -> str:
    marker = f"{marker_prefix(code, deal_id)}{kind}{number}"
    if not _OTHER.search(marker):
        raise ValueError(f"not a marker: {marker!r}")
    return marker


def other_marker_in(reference: str | None) -> str | None:
    """The marker of a template or credit note at the end of a reference, None without one."""
    found = _OTHER.search(reference) if reference else None
    return found[0].strip() if found else None


def parse_other_marker(marker: str) -> tuple[str, str, str, int] | None:
    """(code, deal id, "r" or "c", number) of a template's or credit note's marker, or None."""
    found = _OTHER.search(marker)
    return (found[1], _whole(found[2]), found[3], int(found[4])) if found else None
