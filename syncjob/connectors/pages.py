"""What a page of a vendor's own site shows, read from its address: no request is made."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlsplit

from syncjob.core.records import Side

#: What a page may show. "payments" are found by the invoice that they stand on.
Shown = Literal["deals", "contacts", "invoices", "payments", "credit_notes", "templates"]

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
#: A sandbox serves its pages on this machine.
_LOCAL = frozenset({"127.0.0.1", "localhost"})


class RecordPage(NamedTuple):
    """One record of one side, as its page's address names it; and whose account it is in, where
    the address says so: another account has other records of the same numbers."""

    side: Side
    stream: Shown
    id: str
    account: str = ""


def address(text: str) -> SplitResult | None:
    """The text as a web address, with or without its https://; None if it is none."""
    text = text.strip().strip("<>\"'")
    if "://" not in text and re.match(r"[\w.-]+\.[a-z]{2,}/", text, re.IGNORECASE):
        text = f"https://{text}"
    try:
        found = urlsplit(text)
    except ValueError:  # such as a bracket in the host
        return None
    return found if found.scheme in ("http", "https") and found.hostname else None


def is_at(found: SplitResult, domain: str) -> bool:
    """Whether the address is of this domain, of one below it, or of a sandbox here."""
    host = (found.hostname or "").lower()
    return host == domain or host.endswith(f".{domain}") or host in _LOCAL


def host_of(found: SplitResult) -> str:
    """The host that names an account; nothing for a sandbox here."""
    host = (found.hostname or "").lower()
    return "" if host in _LOCAL else host


def uuid_in(text: str) -> str | None:
    """The first UUID in the text, in small letters; None without one."""
    found = _UUID.search(text)
    return found[0].lower() if found else None


def query(found: SplitResult) -> dict[str, str]:
    """The query of an address, its keys in small letters."""
    return {key.lower(): value for key, value in parse_qsl(found.query)}
