"""What the firm has decided: the part of the config that the rules read, as values.

These models are pydantic models because the config file is read straight into them; they hold no
secret and do no I/O. Names are those of config.example.yaml.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from syncjob.core.policy_after import Email, RecurringRule
from syncjob.core.policy_base import Day, Moment, Strict, once_each
from syncjob.core.policy_rules import (
    AccountRule,
    BrandingRule,
    Currency,
    CurrencyRate,
    ExtraLine,
    Rounding,
    StatusRule,
    Supplies,
    Tax,
    TaxRule,
    Terms,
    TextRule,
    Texts,
    TrackingRule,
    at_most_two,
)
from syncjob.core.policy_schedules import Deposit, ScheduleRule, different_names

__all__ = ["Day", "Strict", "Tax", "TaxRule", "Terms"]  # where the rest of the program finds them


Mode = Literal["read_only", "drafts_only", "full"]


class DealFields(Strict):
    """The deal's own fields that are written to, by name; leave one out and it is not written."""

    status: str | None = "Invoice status"
    reason: str | None = "Invoice note"
    number: str | None = "Invoice number"
    link: str | None = "Invoice link"
    total: str | None = "Invoice total"
    due: str | None = "Invoice due"
    paid: str | None = "Invoice paid"
    credited: str | None = "Invoice credited"
    due_date: str | None = "Invoice due date"
    paid_on: str | None = "Invoice paid on"
    overdue: str | None = "Invoice overdue"
    overdue_amount: str | None = "Invoice overdue amount"
    #: Counted anew each day, a write a day for each overdue deal: only where it is wanted.
    overdue_days: str | None = None
    #: The first payment's day, while more is due.
    part_paid_since: str | None = None
    synced: str | None = "Invoice last synced"
    #: The customer's own page of the invoice; needs invoices.online_link.
    online: str | None = None

    def names(self) -> dict[str, str]:
        """Our key -> the field's name, for those in use."""
        return _in_use(self)


class DealInputs(Strict):
    """The deal's own fields that are read, by name; all optional."""

    do_not_invoice: str | None = None
    mute_notices: str | None = None
    purchase_order: str | None = None
    invoice_date: str | None = None
    #: Terms in words, read as `invoices.terms.texts` says.
    payment_terms: str | None = None
    delivery_address: str | None = None
    delivery_country: str | None = None
    delivery_region: str | None = None
    #: Units of the deal's currency for one unit of the organisation's own.
    currency_rate: str | None = None

    def names(self) -> dict[str, str]:
        """Our key -> the field's name, for those in use."""
        return _in_use(self)


@once_each
def _in_use(names: DealFields | DealInputs) -> dict[str, str]:
    return {key: name for key, name in names if name}


class When(Strict):
    """Which won deals are invoiced: all, or those in these pipelines or stages (by name)."""

    pipelines: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()


class Exclude(Strict):
    """Won deals that are never invoiced. Names are compared without regard to case."""

    pipelines: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    #: Shell-style patterns on the deal's title, such as "*TEST*".
    titles: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    value_below: Decimal | None = None
    value_above: Decimal | None = None


class Invoices(Strict):
    """Which deals become invoices, and what those say."""

    won_since: Day
    #: From when on wins in a CRM count that took another one's place (`syncjob relink`).
    cut_over: Moment | None = None
    when: When = When()
    exclude: Exclude = Exclude()
    #: What an invoice ends as, within the mode.
    status: Literal["draft", "authorised"] = "draft"
    status_rules: tuple[StatusRule, ...] = ()
    numbering: Literal["ledger", "deal"] = "ledger"
    #: A branding theme by name; None for the organisation's own default.
    branding: str | None = None
    branding_rules: tuple[BrandingRule, ...] = ()
    account: str
    account_rules: tuple[AccountRule, ...] = ()
    tracking_rules: Annotated[tuple[TrackingRule, ...], AfterValidator(at_most_two)] = ()
    #: What the deal's value is compared with, and what a deal without products is invoiced at.
    value_is: Literal["net", "gross"] | None = None
    #: A deal without products: one line from its value (needs value_is), or held.
    without_products: Literal["one_line", "hold"] = "hold"
    description: str = "{name}"
    item_code: Literal["off", "sku"] = "off"
    #: A product's code that is no item of the ledger: the deal is held, or the line bears none.
    unknown_items: Literal["hold", "leave_out"] = "hold"
    supply: Supplies = Supplies()
    #: Named groups of countries for rules, beside `EU` and `home`.
    places: dict[str, Texts] = Field(default={})
    #: The country of addresses that name none.
    country: str | None = None
    extra_lines: tuple[ExtraLine, ...] = ()
    texts: tuple[TextRule, ...] = ()
    #: A discount on the whole deal: spread over its lines, or a line of its own.
    deal_discount: Literal["own_line", "spread"] = "own_line"
    rounding: Rounding = Rounding()
    #: Fixed rates by currency, units for one of the organisation's own; none: the ledger's.
    currency_rates: dict[Currency, CurrencyRate] = Field(default={})
    tax: Tax = Tax()
    terms: Terms = Terms()
    #: A deal in several invoices, where the CRM has no instalments for it; first match wins.
    schedules: Annotated[tuple[ScheduleRule, ...], AfterValidator(different_names)] = ()
    deposit: Deposit = Deposit()
    #: Days between which an unlinked invoice of the same contact, total and currency holds a deal.
    double_days: int = Field(default=60, ge=0, le=365)
    #: Products that are billed weekly to annually.
    recurring: RecurringRule = "hold"
    email: Email = Email()
    #: Read the customer's own page of each approved invoice, for the deal's field `online`.
    online_link: bool = False
    #: Accounts that bad debts are credited to: an invoice credited there was written off.
    bad_debt_accounts: tuple[str, ...] = ()


class Guard(Strict):
    """How much one batch may do before a person must look (BOOKKEEPING, "Which deals")."""

    creates_first_week: int = Field(default=5, ge=0)
    creates: int = Field(default=20, ge=0)
    updates: int = Field(default=200, ge=0)
    #: An invoice this many times the largest so far is held.
    times_largest: Decimal = Field(default=Decimal(3), gt=0)


class Overdue(Strict):
    """When an unpaid invoice counts as overdue on the deal."""

    ignore_due_below: Decimal = Decimal("5.00")
    grace_days: int = Field(default=0, ge=0, le=90)
