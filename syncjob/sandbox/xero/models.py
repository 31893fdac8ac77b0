"""What an organisation holds: immutable records, replaced on each change."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

ZERO = Fraction(0)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Account:
    id: str
    code: str
    name: str
    type: str
    klass: str
    tax_type: str
    system: str = ""
    status: str = "ACTIVE"
    payments: bool = False
    currency: str | None = None
    updated: datetime = LONG_AGO


@dataclass(frozen=True)
class TaxRate:
    name: str
    tax_type: str
    percent: Fraction
    revenue: bool = True
    expenses: bool = True
    report_type: str | None = None
    status: str = "ACTIVE"


@dataclass(frozen=True)
class Item:
    id: str
    code: str
    name: str = ""
    description: str = ""
    price: Fraction | None = None
    account_code: str | None = None
    tax_type: str | None = None
    updated: datetime = LONG_AGO


@dataclass(frozen=True)
class Contact:
    """`fields` holds the plain text fields by wire name."""

    id: str
    name: str
    status: str = "ACTIVE"
    number: str | None = None
    fields: dict[str, str] = field(default_factory=dict)
    addresses: tuple[dict[str, str], ...] = ()
    phones: tuple[dict[str, str], ...] = ()
    persons: tuple[dict[str, Any], ...] = ()
    terms: dict[str, dict[str, Any]] | None = None
    is_customer: bool = False
    is_supplier: bool = False
    merged_to: str | None = None
    updated: datetime = LONG_AGO


@dataclass(frozen=True)
class Line:
    id: str
    description: str
    quantity: Fraction
    unit_amount: Fraction
    account_code: str | None
    tax_type: str
    line_amount: Fraction
    tax_amount: Fraction
    item_code: str | None = None
    discount_rate: Fraction | None = None
    discount_amount: Fraction | None = None
    discount: Fraction = ZERO
    given_tax: Fraction | None = None
    tracking: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True)
class Applied:
    """A payment or an allocation, as the document that it settles remembers it."""

    id: str
    kind: str
    amount: Fraction
    day: date
    number: str = ""
    reference: str = ""
    source_id: str = ""


@dataclass(frozen=True)
class Document:
    """What invoices, credit notes, prepayments and overpayments share."""

    id: str
    type: str
    contact_id: str
    day: date
    status: str
    currency: str
    rate: Fraction
    number: str = ""
    reference: str | None = None
    line_amount_types: str = "Exclusive"
    lines: tuple[Line, ...] = ()
    subtotal: Fraction = ZERO
    total_tax: Fraction = ZERO
    total: Fraction = ZERO
    applied: tuple[Applied, ...] = ()
    due_day: date | None = None
    expected_day: date | None = None
    url: str | None = None
    theme_id: str | None = None
    sent: bool = False
    created_by: str | None = None
    paid_on: date | None = None
    repeating_id: str | None = None
    updated: datetime = LONG_AGO

    @property
    def paid(self) -> Fraction:
        return sum((a.amount for a in self.applied if a.kind == "payment"), ZERO)

    @property
    def credited(self) -> Fraction:
        return sum((a.amount for a in self.applied if a.kind != "payment"), ZERO)

    @property
    def due(self) -> Fraction:
        return self.total - self.paid - self.credited

    @property
    def discount(self) -> Fraction:
        return sum((line.discount for line in self.lines), ZERO)


@dataclass(frozen=True)
class Payment:
    id: str
    document_id: str
    kind: str
    amount: Fraction
    day: date
    account_code: str
    reference: str = ""
    status: str = "AUTHORISED"
    batch: str = ""
    updated: datetime = LONG_AGO


@dataclass(frozen=True)
class Template:
    """A repeating invoice: what each invoice says, the schedule, and the date of the next one."""

    id: str
    document: Document
    unit: str
    period: int
    start: date
    end: date | None
    due_day: int
    due_type: str
    next: date
    flags: dict[str, bool] = field(default_factory=dict)
