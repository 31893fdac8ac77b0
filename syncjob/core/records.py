"""The records of both sides in our own vocabulary: immutable values that connectors make.

Words are those of docs/architecture.md. A missing value is None and never an empty text;
`None` for a whole group (lines, discounts) means "not read", an empty tuple means "none there".
Money is Decimal in major units of the record's currency; instants are aware UTC; days are dates.
"""

from __future__ import annotations

from datetime import date as Day
from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from syncjob.core.parts_of_contacts import Address as Address
from syncjob.core.parts_of_contacts import PaymentTerms as PaymentTerms
from syncjob.core.parts_of_contacts import Person as Person
from syncjob.core.parts_of_contacts import TermsKind as TermsKind
from syncjob.core.references import Account as Account
from syncjob.core.references import FieldInfo as FieldInfo
from syncjob.core.references import LedgerReference as LedgerReference
from syncjob.core.references import Option as Option
from syncjob.core.references import Organisation as Organisation
from syncjob.core.references import Pipeline as Pipeline
from syncjob.core.references import TaxRate as TaxRate

Side = Literal["crm", "ledger"]
#: Where a write goes: to a side, or to people as a message.
Receiver = Side | Literal["people"]

DealStatus = Literal["open", "won", "lost", "deleted"]
InvoiceStatus = Literal["draft", "submitted", "authorised", "paid", "voided", "deleted"]
LineAmounts = Literal["exclusive", "inclusive", "no_tax"]

#: An invoice in one of these states no longer asks for money and frees its deal's part.
DEAD: frozenset[str] = frozenset({"voided", "deleted"})


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every record has: the vendor's id, its stamp, and a link a person can open."""

    id: str
    updated: datetime | None = None
    page: str | None = None


# --- CRM --------------------------------------------------


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One product row of a deal, as the CRM holds it.

    `unit_price` is gross of discount. At most one of `discount_percent` and `discount_amount`
    (for the whole line) is set. `net` is the CRM's own sum of the line, None if it gives none.
    """

    id: str
    name: str | None
    quantity: Decimal
    unit_price: Decimal
    description: str | None = None
    discount_percent: Decimal | None = None
    discount_amount: Decimal | None = None
    net: Decimal | None = None
    tax_percent: Decimal | None = None
    tax_method: LineAmounts | None = None
    product_id: str | None = None
    sku: str | None = None
    category: str | None = None  # the product's, by name
    billing: str | None = None
    cycles: int | None = None  # how many periods in all are billed; None: until it is cancelled
    starts: Day | None = None  # the day on which the first period begins
    order: int = 0
    doubt: str | None = None  # why the connector cannot tell what this row means; held if set


class Discount(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A discount on the whole deal: either `percent` or `amount` is set."""

    id: str
    description: str | None = None
    percent: Decimal | None = None
    amount: Decimal | None = None


class Instalment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One part of a deal's own payment schedule."""

    id: str
    amount: Decimal
    due: Day
    description: str | None = None


class Deal(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A deal with its lines, discounts and instalments: one aggregate.

    `fields` holds the account's own fields that the config names, keyed by that name, as text.
    `merged_from` are the ids of the deals that were merged into this one under a new id.
    `value_is_sum`: the CRM keeps the value equal to what the lines come to; where it does not,
    people set the value, and it says nothing about lines that are there.
    """

    title: str
    status: DealStatus
    currency: str
    value: Decimal | None = None
    won_at: datetime | None = None
    first_won_at: datetime | None = None
    org_id: str | None = None  # a Contact's id: "org:12"
    person_id: str | None = None  # "person:7"
    owner_id: str | None = None
    pipeline_id: str | None = None
    stage_id: str | None = None
    labels: tuple[str, ...] = ()
    archived: bool = False
    line_count: int | None = None
    fields: dict[str, str | None] = {}
    lines: tuple[Line, ...] | None = None
    discounts: tuple[Discount, ...] | None = None
    instalments: tuple[Instalment, ...] | None = None
    merged_from: tuple[str, ...] = ()
    value_is_sum: bool = True


class Activity(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A task in the CRM, as far as we need it: is ours there, and for which deal."""

    subject: str | None = None
    deal_id: str | None = None
    owner_id: str | None = None
    due: Day | None = None
    marker: str | None = None
    done: bool = False
    deleted: bool = False


class User(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A person who works in the CRM."""

    name: str
    email: str | None = None
    active: bool = True


# --- both sides --------------------------------------------------


class EarlyOffer(msgspec.Struct, frozen=True, kw_only=True):
    """So many percent off for payment within so many days of the invoice date."""

    percent: Decimal
    days: int


class Contact(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A customer on either side. CRM ids say the kind: "org:12", "person:7".

    `emails[0]` is the primary one. `address` is the postal (billing) address, `street` the other.
    `forgotten`: the ledger holds a request to erase this person (Xero: GDPRREQUEST; such a
    contact is `archived` and `deleted` besides), or a person here said so. `owner_id` is the CRM
    user who looks after it.
    """

    kind: Literal["organization", "person", "contact"]
    name: str | None
    first_name: str | None = None
    last_name: str | None = None
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    address: Address | None = None  # the billing address
    street: Address | None = None  # the delivery address, where it is another
    tax_number: str | None = None
    marker: str | None = None  # ledger: ContactNumber; CRM: the marker field
    archived: bool = False
    deleted: bool = False
    merged_into: str | None = None
    merged_from: tuple[str, ...] = ()  # ids of the CRM contacts that this one was made from
    is_customer: bool = False
    is_supplier: bool = False
    people: tuple[Person, ...] = ()  # further persons; the first one stands in the contact itself
    forgotten: bool = False
    copied: tuple[str, ...] = ()  # further addresses that the ledger's e-mails go to
    currency: str | None = None
    terms: PaymentTerms | None = None
    sales_tax: str | None = None  # the contact's own tax type for sales, a code of its ledger
    sales_account: str | None = None  # its own account for sales, a code
    sales_tracking: tuple[tuple[str, str], ...] = ()  # its own (tracking category, option)
    sales_amounts: LineAmounts | None = None  # how prices stand to tax on its invoices
    organization_id: str | None = None
    owner_id: str | None = None


# --- ledger --------------------------------------------------


class InvoiceLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of an invoice; `amount` and `tax` are what the ledger computed, None before."""

    description: str | None
    quantity: Decimal
    unit_price: Decimal
    discount_percent: Decimal | None = None
    discount_amount: Decimal | None = None
    tax_code: str | None = None
    account: str | None = None
    item: str | None = None
    tracking: tuple[tuple[str, str], ...] = ()  # (category, option), by name
    amount: Decimal | None = None
    tax: Decimal | None = None
    id: str | None = None


class Settlement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Money or credit applied to an invoice: which document, how much, on which day."""

    id: str
    kind: Literal["payment", "credit_note", "prepayment", "overpayment"]
    amount: Decimal
    date: Day | None = None


class Invoice(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An invoice in the ledger. Overdue and part-paid are derived, never stored (core/rules)."""

    kind: Literal["sale", "bill"]
    status: InvoiceStatus
    currency: str
    contact_id: str | None
    number: str | None = None
    date: Day | None = None
    due_date: Day | None = None
    expected_on: Day | None = None
    line_amounts: LineAmounts = "exclusive"
    lines: tuple[InvoiceLine, ...] | None = None
    sub_total: Decimal = Decimal(0)
    total_tax: Decimal = Decimal(0)
    total: Decimal = Decimal(0)
    due: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    credited: Decimal = Decimal(0)
    paid_on: Day | None = None  # the ledger's own "fully paid on"
    reference: str | None = None
    url: str | None = None
    marker: str | None = None
    settlements: tuple[Settlement, ...] = ()
    sent: bool = False
    branding: str | None = None  # the theme's id
    repeating_id: str | None = None  # the template that made it
    currency_rate: Decimal | None = None  # units of its currency for one of the organisation's own


class Template(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A repeating invoice: what the ledger makes invoices from as time passes."""

    status: Literal["draft", "authorised", "deleted"]
    currency: str
    contact_id: str | None
    unit: Literal["weekly", "monthly"]
    period: int
    starts: Day | None = None
    next_on: Day | None = None
    ends: Day | None = None
    line_amounts: LineAmounts = "exclusive"
    lines: tuple[InvoiceLine, ...] = ()
    total: Decimal = Decimal(0)
    reference: str | None = None
    marker: str | None = None


class Payment(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A payment as the ledger lists it, with the document it pays."""

    amount: Decimal
    currency: str | None
    date: Day | None
    status: Literal["authorised", "deleted"]
    invoice_id: str | None = None
    credit_note_id: str | None = None
    account: str | None = None


CreditOrigin = Literal["credit_note", "prepayment", "overpayment"]


class CreditNote(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A credit note, prepayment or overpayment: what is left, where it went, what was paid back."""

    number: str | None
    kind: Literal["sale", "bill"]
    status: InvoiceStatus
    contact_id: str | None
    currency: str
    total: Decimal
    remaining: Decimal
    origin: CreditOrigin = "credit_note"
    accounts: tuple[str, ...] = ()
    allocations: tuple[tuple[str, Decimal], ...] = ()  # (invoice id, amount)
    refunded: Decimal = Decimal(0)
    sub_total: Decimal | None = None
    reference: str | None = None
    marker: str | None = None


class CrmReference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a plan needs to know of the CRM besides its records."""

    organisation: Organisation
    fields: tuple[FieldInfo, ...] = ()
    pipelines: tuple[Pipeline, ...] = ()
    users: tuple[User, ...] = ()
    currencies: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()  # (label id, label name) of deals
    categories: tuple[tuple[str, str], ...] | None = None  # of products, (id, name); None: not read
    tax_rates: tuple[TaxRate, ...] = ()  # where lines name a rate of the CRM's own, by its id
