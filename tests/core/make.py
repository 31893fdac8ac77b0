"""Records with sensible values, so that a test names only what it is about."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from syncjob.core.actions import InvoiceDraft
from syncjob.core.policy import DealInputs, Invoices, Tax, TaxRule
from syncjob.core.records import (
    Account,
    Contact,
    CrmReference,
    Deal,
    Invoice,
    InvoiceLine,
    LedgerReference,
    Line,
    Organisation,
    Pipeline,
    TaxRate,
    User,
)
from syncjob.core.rules.invoicing import InvoiceContext
from syncjob.errors import Held

LONDON = ZoneInfo("Europe/London")
TODAY = date(2026, 3, 20)

VAT20 = TaxRate(
    code="OUTPUT2", name="20% (VAT on Income)", percent=Decimal(20), active=True, for_sales=True
)
VAT5 = TaxRate(
    code="RROUTPUT", name="5% (VAT on Income)", percent=Decimal(5), active=True, for_sales=True
)
ZERO = TaxRate(
    code="ZERORATEDOUTPUT", name="Zero Rated", percent=Decimal(0), active=True, for_sales=True
)
BUYING = TaxRate(
    code="INPUT2", name="20% (VAT on Expenses)", percent=Decimal(20), active=True, for_sales=False
)
GONE = TaxRate(
    code="OLD", name="17.5% (VAT)", percent=Decimal("17.5"), active=False, for_sales=True
)
RATES = (VAT20, VAT5, ZERO, BUYING, GONE)
SALES = Account(code="200", name="Sales", active=True, kind="REVENUE", tax_code="OUTPUT2")


def D(text: str | int) -> Decimal:
    return Decimal(text)


def line(**changes: Any) -> Line:
    base: dict[str, Any] = {"id": "1", "name": "Widget", "quantity": D(2), "unit_price": D("50.00")}
    return Line(**(base | changes))


def deal(**changes: Any) -> Deal:
    base: dict[str, Any] = {
        "id": "1042",
        "title": "Big order",
        "status": "won",
        "currency": "GBP",
        "value": D("100.00"),
        "won_at": datetime(2026, 3, 10, 12, tzinfo=UTC),
        "org_id": "org:12",
        "page": "https://acme.pipedrive.com/deal/1042",
        "lines": (line(),),
        "discounts": (),
        "instalments": (),
    }
    return Deal(**(base | changes))


def organization(**changes: Any) -> Contact:
    base: dict[str, Any] = {"id": "org:12", "kind": "organization", "name": "Acme Ltd"}
    return Contact(**(base | changes))


def person(**changes: Any) -> Contact:
    base: dict[str, Any] = {"id": "person:7", "kind": "person", "name": "Ann Lee"}
    return Contact(**(base | changes))


def customer(id: str = "c1", **changes: Any) -> Contact:
    base: dict[str, Any] = {"kind": "contact", "name": "Acme Ltd", "is_customer": True}
    return Contact(id=id, **(base | changes))


def policy(**changes: Any) -> Invoices:
    base: dict[str, Any] = {"won_since": date(2026, 1, 1), "account": "200", "value_is": "net"}
    return Invoices(**(base | changes))


def tax(*rules: dict[str, Any], **changes: Any) -> Tax:
    return Tax(rules=tuple(TaxRule(**rule) for rule in rules), **changes)


def ledger(**changes: Any) -> LedgerReference:
    base: dict[str, Any] = {
        "organisation": Organisation(id="o1", name="Northwind", currency="GBP"),
        "accounts": (SALES,),
        "tax_rates": RATES,
        "currencies": ("GBP", "EUR"),
        "items": ("W-1",),
    }
    return LedgerReference(**(base | changes))


def context(**changes: Any) -> InvoiceContext:
    base: dict[str, Any] = {
        "policy": policy(),
        "inputs": DealInputs(),
        "ledger": ledger(),
        "today": TODAY,
        "marker": "NW-1042-A1",
        "locked_through": None,
        "zone": LONDON,
    }
    return InvoiceContext(**(base | changes))


def crm(**changes: Any) -> CrmReference:
    base: dict[str, Any] = {
        "organisation": Organisation(id="p1", name="Acme"),
        "pipelines": (
            Pipeline(id="1", name="Sales", stages=(("11", "Offer"), ("12", "Delivered"))),
            Pipeline(id="2", name="Partners", stages=(("21", "Agreed"),)),
        ),
        "users": (User(id="u1", name="Ann Lee", email="ann@acme.test"),),
        "labels": (("l1", "Test"), ("l2", "Key account")),
    }
    return CrmReference(**(base | changes))


def invoice(**changes: Any) -> Invoice:
    base: dict[str, Any] = {
        "id": "i1",
        "kind": "sale",
        "status": "authorised",
        "currency": "GBP",
        "contact_id": "c1",
        "number": "INV-0042",
        "date": date(2026, 3, 1),
        "due_date": date(2026, 3, 15),
        "sub_total": D("100.00"),
        "total_tax": D("20.00"),
        "total": D("120.00"),
        "due": D("120.00"),
        "page": "https://go.xero.com/i1",
    }
    return Invoice(**(base | changes))


def draft(**changes: Any) -> InvoiceDraft:
    base = InvoiceDraft(
        marker="NW-1042-A1",
        contact_id="c1",
        date=date(2026, 3, 1),
        due_date=date(2026, 3, 31),
        currency="GBP",
        line_amounts="exclusive",
        lines=(InvoiceLine(description="Widget", quantity=D(2), unit_price=D(50)),),
        reference="NW-1042-A1",
        url="https://acme.pipedrive.com/deal/1042?syncjob=NW-1042-A1",
        sub_total=D("100.00"),
        total_tax=D("20.00"),
        total=D("120.00"),
    )
    return msgspec.structs.replace(base, **changes)


class held:
    """`with held("code", "words", ...)`: the rule holds the record, and its text says these."""

    def __init__(self, code: str, *words: str) -> None:
        self.code, self.words = code, words
        self._raises = pytest.raises(Held)

    def __enter__(self) -> None:
        self._caught = self._raises.__enter__()

    def __exit__(self, *exc: Any) -> bool:
        swallowed = self._raises.__exit__(*exc)
        error = self._caught.value
        assert error.code == self.code
        assert error.next_step, "a person must be told what to do"
        assert error.field or self.code == "deal_incomplete"
        for word in self.words:
            assert word in error.what
        return swallowed
