"""What the firm has decided: the part of the config that the rules read, as values.

These models are pydantic models because the config file is read straight into them; they hold no
secret and do no I/O. Names are those of config.example.yaml.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _iso_day(value: Any) -> Any:
    """Refuse what pydantic would read as seconds since 1970: a day is written YYYY-MM-DD."""
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise ValueError("must be a day, written YYYY-MM-DD")
    return value


#: A calendar day of the config.
Day = Annotated[date, BeforeValidator(_iso_day)]

Mode = Literal["read_only", "drafts_only", "full"]


class Strict(BaseModel):
    """Base of all policy and config models: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


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
    synced: str | None = "Invoice last synced"

    def names(self) -> dict[str, str]:
        """Our key -> the field's name, for those in use."""
        return {key: name for key, name in self.model_dump().items() if name}


class DealInputs(Strict):
    """The deal's own fields that are read, by name; all optional."""

    do_not_invoice: str | None = None
    purchase_order: str | None = None
    invoice_date: str | None = None

    def names(self) -> dict[str, str]:
        return {key: name for key, name in self.model_dump().items() if name}


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


class TaxRule(Strict):
    """A tax rate by name for lines with this tax percentage in the CRM; first match wins."""

    name: str
    percent: Decimal | None = None
    rate: str
    force: bool = False


class Tax(Strict):
    """How a line's tax rate is found (BOOKKEEPING, "Tax"): forced rule, contact, rules, account."""

    amounts: Literal["exclusive", "inclusive", "no_tax", "as_deal"] = "exclusive"
    rules: tuple[TaxRule, ...] = ()
    #: False: a line whose percentage in the CRM differs from the rate's is held.
    overrule_crm: bool = False


class Terms(Strict):
    """When an invoice is due, if the contact has no terms of its own in the ledger."""

    net_days: int = Field(default=30, ge=0, le=365)
    contact_terms: bool = True


class Invoices(Strict):
    """Which deals become invoices, and what those say."""

    won_since: Day
    when: When = When()
    exclude: Exclude = Exclude()
    #: What an invoice ends as, within the mode.
    status: Literal["draft", "authorised"] = "draft"
    numbering: Literal["ledger", "deal"] = "ledger"
    account: str
    #: What the deal's value is compared with, and what a deal without products is invoiced at.
    value_is: Literal["net", "gross"] | None = None
    #: A deal without products: one line from its value (needs value_is), or held.
    without_products: Literal["one_line", "hold"] = "hold"
    description: str = "{name}"
    item_code: Literal["off", "sku"] = "off"
    tax: Tax = Tax()
    terms: Terms = Terms()
    #: Days between which an unlinked invoice of the same contact, total and currency holds a deal.
    double_days: int = Field(default=60, ge=0, le=365)
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
