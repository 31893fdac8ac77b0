"""What may never leave in a given mode, judged on the very bytes that would be sent.

The table is a denial on top of the rules, not one of them: whatever a rule, a field or a bug
asks, these bytes do not leave (BOOKKEEPING, "What may be done at all").
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from syncjob.core.policy import Mode
from syncjob.core.records import Side
from syncjob.transport.wire import Request

WRITE_METHODS = frozenset({"POST", "PUT", "PATCH"})

#: Path segments of a ledger that are never written to: they move money, or change approved books.
NEVER_WRITTEN = frozenset(
    {
        "payments",
        "batchpayments",
        "allocations",
        "creditnotes",
        "prepayments",
        "overpayments",
        "banktransactions",
        "banktransfers",
        "manualjournals",
    }
)
#: Elements that do the same from inside another document, and bank details.
NEVER_SENT = frozenset(
    {"payments", "allocations", "creditnotes", "prepayments", "overpayments"}
    | {"bankaccountdetails", "batchpayments"}
)
#: Payments are only read and nothing is ever voided, in no mode.
NEVER_STATUS = frozenset({"paid", "voided"})
#: SUBMITTED asks a person for approval; a draft asks nobody for anything.
ABOVE_DRAFT = frozenset({"authorised", "submitted"})
#: Switches that make the ledger send e-mail or approve by itself.
ABOVE_DRAFT_SWITCHES = frozenset({"senttocontact", "approvedforsending"})
#: Headers by which a server can be told to take a request for another.
OVERRIDES = frozenset({"x-http-method-override", "x-http-method", "x-method-override"})


def refuse(mode: Mode, side: Side, request: Request) -> str | None:
    """Why this request must not leave, or None if it may."""
    method = request.method.upper()
    if method == "GET":
        return None
    if method not in WRITE_METHODS:
        return f"the verb {method} is never sent"
    if any(name.lower() in OVERRIDES for name, _ in request.headers):
        return "a header would change the verb"
    if mode == "read_only":
        return "the mode is read_only"
    try:
        items = list(_items(request.body))
    except (ValueError, RecursionError):
        return "the body is not JSON, so it cannot be judged"
    if side != "ledger":
        return None
    return _path_refusal(mode, request.url) or _body_refusal(mode, items)


def _path_refusal(mode: Mode, url: str) -> str | None:
    segments = [part.strip().lower() for part in unquote(urlsplit(url).path).split("/") if part]
    for segment in segments:
        if segment in NEVER_WRITTEN:
            return f"/{segment} of a ledger is only read"
    if mode != "full" and "email" in segments:
        return f"no e-mail is sent in the mode {mode}"
    return None


def _body_refusal(mode: Mode, items: list[tuple[str, Any]]) -> str | None:
    for name, value in items:
        if name in NEVER_SENT and value not in (None, "", [], {}):
            return f"{name} are never sent to a ledger"
        if name == "status":
            reason = _status_refusal(mode, value)
            if reason:
                return reason
        if mode != "full" and name in ABOVE_DRAFT_SWITCHES and _is_on(value):
            return f"{name} is not allowed in the mode {mode}"
    return None


def _status_refusal(mode: Mode, value: Any) -> str | None:
    status = str(value).strip().lower()
    if status in NEVER_STATUS:
        return f"the status {status.upper()} is never set by us"
    if mode != "full" and status in ABOVE_DRAFT:
        return f"the status {status.upper()} is not allowed in the mode {mode}"
    return None


def _is_on(value: Any) -> bool:
    return value not in (None, False, 0, "") and str(value).strip().lower() not in ("false", "0")


def _items(body: bytes) -> Iterator[tuple[str, Any]]:
    """Every name (lower case) with its value at any depth; a name given twice comes twice."""
    found: list[tuple[str, Any]] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found.extend((name.strip().lower(), value) for name, value in pairs)
        return dict(pairs)

    if body:
        json.loads(body, object_pairs_hook=collect)
    yield from found
