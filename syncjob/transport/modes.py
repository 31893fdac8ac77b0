"""What may never leave in a given mode, judged on the very bytes that would be sent.

The table is a denial on top of the rules, not one of them: whatever a rule, a field or a bug
asks, these bytes do not leave (BOOKKEEPING, "What may be done at all").
"""

from __future__ import annotations

import json
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
#: Switches that say of an invoice that it was sent.
ABOVE_DRAFT_SWITCHES = frozenset({"senttocontact"})
#: Switches that make a repeating invoice send by itself: a person's, in every mode.
NEVER_ON = frozenset({"approvedforsending", "sendcopy", "markassent"})
_COMMON = frozenset(
    {"Type", "Contact", "LineAmountTypes", "LineItems", "CurrencyCode", "Reference", "Status"}
    | {"BrandingThemeID"}
)
#: Documents that are only ever created, as drafts, in every mode (a repeating invoice that a person
#: takes back is also deleted by status), and what may stand in one: an
#: allow-list, because a credit note can also be approved, paid out or applied, a template run.
DRAFTS_ONLY: dict[str, tuple[str, str, frozenset[str]]] = {
    "creditnotes": ("CreditNotes", "ACCRECCREDIT", _COMMON | {"Date", "CurrencyRate"}),
    "repeatinginvoices": ("RepeatingInvoices", "ACCREC", _COMMON | {"Schedule"}),
}
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
        if side != "ledger":
            json.loads(request.body or b"null")
            return None
        items = _items(request.body)
    except (ValueError, RecursionError):
        return "the body is not JSON, so it cannot be judged"
    segments = _segments(request.url)
    refusal = _path_refusal(mode, segments, request.body)
    if refusal:
        return refusal
    kind = next((part for part in segments if part in DRAFTS_ONLY), None)
    if kind:
        return _draft_refusal(kind, method, segments, request.body, items)
    return _body_refusal(mode, items)


def _segments(url: str) -> list[str]:
    return [part.strip().lower() for part in unquote(urlsplit(url).path).split("/") if part]


def _path_refusal(mode: Mode, segments: list[str], body: bytes) -> str | None:
    for segment in segments:
        if segment in NEVER_WRITTEN:
            return f"/{segment} of a ledger is only read"
    if "email" not in segments:
        return None
    if mode != "full":
        return f"no e-mail is sent in the mode {mode}"
    return None if body.strip() in (b"", b"{}") else "an e-mail takes no words of ours"


def _draft_refusal(
    kind: str, method: str, segments: list[str], body: bytes, items: list[tuple[str, Any]]
) -> str | None:
    """Why this is more than the creation of drafts of this kind: PUT of the list, each element
    of the one type, said to be a draft, with nothing else in it than a draft needs."""
    plural, type_, allowed = DRAFTS_ONLY[kind]
    if kind == "repeatinginvoices" and method == "POST" and segments[-1] == kind:
        return _deletion_refusal(plural, items, body)
    if method != "PUT" or segments[-1] != kind:
        return f"/{kind} of a ledger are created as drafts and never changed"
    sent = json.loads(body)
    rows = sent.get(plural) if isinstance(sent, dict) else None
    if not isinstance(rows, list) or set(sent) != {plural}:
        return f"the body does not hold {plural} alone"
    if sum(name == "status" for name, _ in items) != len(rows):
        return "a status stands where none belongs"
    for row in rows:
        if not isinstance(row, dict) or row.get("Status") != "DRAFT" or row.get("Type") != type_:
            return f"one of the {plural} is not plainly a draft of the type {type_}"
        strange = sorted(set(row) - allowed)
        if strange:
            return f"{strange[0]} is not sent with {plural}"
    return None


#: All that is said of a repeating invoice that a person takes back.
_DELETION = frozenset({"RepeatingInvoiceID", "Status"})


def _deletion_refusal(plural: str, items: list[tuple[str, Any]], body: bytes) -> str | None:
    """Why this is more than the deletion, by status, of repeating invoices that are there. Whether
    they are our own untouched drafts is for core/cancelling to say."""
    sent = json.loads(body)
    rows = sent.get(plural) if isinstance(sent, dict) else None
    if not isinstance(rows, list) or set(sent) != {plural}:
        return f"the body does not hold {plural} alone"
    plain = all(
        isinstance(row, dict)
        and set(row) == _DELETION
        and row["Status"] == "DELETED"
        and isinstance(row["RepeatingInvoiceID"], str)
        for row in rows
    )
    if not rows or not plain or len(items) != 1 + len(_DELETION) * len(rows):
        return "a repeating invoice that is there is deleted by its status, or left alone"
    return None


def _body_refusal(mode: Mode, items: list[tuple[str, Any]]) -> str | None:
    for name, value in items:
        if name in NEVER_SENT and value not in (None, "", [], {}):
            return f"{name} are never sent to a ledger"
        if name == "status":
            reason = _status_refusal(mode, value)
            if reason:
                return reason
        if name in NEVER_ON and _is_on(value):
            return f"{name} is a person's decision"
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


def _items(body: bytes) -> list[tuple[str, Any]]:
    """Every name (lower case) with its value at any depth; a name given twice comes twice."""
    found: list[tuple[str, Any]] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found.extend([(name.strip().lower(), value) for name, value in pairs])
        return dict(pairs)

    if body:
        json.loads(body, object_pairs_hook=collect)
    return found
