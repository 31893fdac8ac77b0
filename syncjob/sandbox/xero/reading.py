"""Lists: what a search shows, filtered, ordered and cut into pages as Xero does."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from syncjob.sandbox.kernel import Request
from syncjob.sandbox.xero.models import Document
from syncjob.sandbox.xero.settle import find_document
from syncjob.sandbox.xero.where import Getters, QueryError, parse_where, sort_by
from syncjob.sandbox.xero.world import Organisation

_SINCE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$")
MAX_PAGE = 1000


@dataclass(frozen=True)
class Page:
    """The rows of one answer, and the `pagination` object if the client asked for a page."""

    rows: list[Any]
    pagination: dict[str, int] | None

    @property
    def paged(self) -> bool:
        return self.pagination is not None


def modified_since(request: Request) -> datetime | None:
    """The header in UTC to the second; any other style is ignored (facts: xero, 4)."""
    text = request.header("If-Modified-Since") or ""
    if not _SINCE.match(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None


def flag(request: Request, name: str) -> bool:
    return (request.arg(name) or "").lower() == "true"


def csv(request: Request, name: str) -> set[str] | None:
    text = request.arg(name)
    return None if not text else {part.strip().lower() for part in text.split(",")}


def whole(request: Request, name: str) -> int | None:
    text = request.arg(name)
    if text is None:
        return None
    if not re.fullmatch(r"-?\d+", text):
        raise QueryError(f"The value '{text}' is not valid for {name}")
    return int(text)


def listed(
    request: Request,
    rows: Sequence[Any],
    getters: Getters,
    keep: Callable[[Any], bool] = lambda row: True,
) -> Page:
    """Filter, then order, then page."""
    since = modified_since(request)
    found = [r for r in rows if (since is None or r.updated > since) and keep(r)]
    where = request.arg("where")
    if where:
        test = parse_where(where, getters)
        found = [r for r in found if test(r)]
    found = sort_by(found, request.arg("order") or "UpdatedDateUTC ASC", getters)
    return _page(request, found)


def _page(request: Request, rows: list[Any]) -> Page:
    page, size = whole(request, "page"), whole(request, "pageSize")
    if page is None:
        return Page(rows, None)
    page = max(page, 1)
    size = 100 if size is None or size < 1 else min(size, MAX_PAGE)
    count = -(-len(rows) // size)
    return Page(
        rows[(page - 1) * size : page * size],
        {"page": page, "pageSize": size, "pageCount": count, "itemCount": len(rows)},
    )


def document_getters(org: Organisation) -> Getters:
    def contact(name: str) -> Callable[[Document], Any]:
        return lambda d: getattr(org.contacts[d.contact_id], name)

    return {
        "InvoiceID": lambda d: d.id,
        "CreditNoteID": lambda d: d.id,
        "PrepaymentID": lambda d: d.id,
        "OverpaymentID": lambda d: d.id,
        "InvoiceNumber": lambda d: d.number,
        "CreditNoteNumber": lambda d: d.number,
        "Type": lambda d: d.type,
        "Status": lambda d: d.status,
        "Reference": lambda d: d.reference,
        "Date": lambda d: d.day,
        "DueDate": lambda d: d.due_day,
        "Total": lambda d: d.total,
        "AmountDue": lambda d: d.due,
        "AmountPaid": lambda d: d.paid,
        "CurrencyCode": lambda d: d.currency,
        "UpdatedDateUTC": lambda d: d.updated,
        "Contact.ContactID": contact("id"),
        "Contact.Name": contact("name"),
        "Contact.ContactNumber": contact("number"),
    }


def payment_getters(org: Organisation) -> Getters:
    def number(payment: Any) -> str | None:
        document = find_document(org, payment.document_id)
        return document.number if document else None

    return {
        "PaymentID": lambda p: p.id,
        "Status": lambda p: p.status,
        "Date": lambda p: p.day,
        "Amount": lambda p: p.amount,
        "PaymentType": lambda p: p.kind,
        "Reference": lambda p: p.reference,
        "UpdatedDateUTC": lambda p: p.updated,
        "Invoice.InvoiceID": lambda p: p.document_id,
        "Invoice.InvoiceNumber": number,
    }


def _field(name: str) -> Callable[[Any], Any]:
    return lambda c: c.fields.get(name)


CONTACT_GETTERS: Getters = {
    "ContactID": lambda c: c.id,
    "Name": lambda c: c.name,
    "ContactNumber": lambda c: c.number,
    "ContactStatus": lambda c: c.status,
    "IsCustomer": lambda c: c.is_customer,
    "IsSupplier": lambda c: c.is_supplier,
    "UpdatedDateUTC": lambda c: c.updated,
    "EmailAddress": _field("EmailAddress"),
    "AccountNumber": _field("AccountNumber"),
    "CompanyNumber": _field("CompanyNumber"),
    "TaxNumber": _field("TaxNumber"),
}
ACCOUNT_GETTERS: Getters = {
    "AccountID": lambda a: a.id,
    "Code": lambda a: a.code,
    "Name": lambda a: a.name,
    "Type": lambda a: a.type,
    "Class": lambda a: a.klass,
    "Status": lambda a: a.status,
    "SystemAccount": lambda a: a.system or None,
    "TaxType": lambda a: a.tax_type,
    "UpdatedDateUTC": lambda a: a.updated,
}
ITEM_GETTERS: Getters = {
    "ItemID": lambda i: i.id,
    "Code": lambda i: i.code,
    "Name": lambda i: i.name,
    "UpdatedDateUTC": lambda i: i.updated,
}
