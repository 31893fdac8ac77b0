"""What an account calls its own things: accounts, tax rates, fields, pipelines (cached a day)."""

from __future__ import annotations

from datetime import date as Day
from decimal import Decimal
from typing import Literal

import msgspec


class Account(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A ledger account; `system` accounts take no invoice lines."""

    code: str
    name: str
    active: bool
    kind: str
    tax_code: str | None = None
    system: bool = False


class TaxRate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A tax rate of the organisation; `percent` is the effective rate."""

    code: str
    name: str
    percent: Decimal
    active: bool
    for_sales: bool


class Organisation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which books or which CRM account the credentials open."""

    id: str
    name: str
    country: str | None = None
    currency: str | None = None
    time_zone: str = "UTC"  # IANA name
    demo: bool = False
    locked_through: Day | None = None  # the later of the ledger's lock dates
    tax_registered: bool = True
    tax_basis: str | None = None  # as the ledger calls it, such as ACCRUALS; None: not said
    short_code: str | None = None


class LedgerReference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a plan needs to know of the ledger besides its records."""

    organisation: Organisation
    accounts: tuple[Account, ...] = ()
    tax_rates: tuple[TaxRate, ...] = ()
    currencies: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    tracked_items: tuple[str, ...] = ()  # those whose stock the ledger keeps
    #: Active tracking categories with their active options; None: not read.
    tracking: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    brandings: tuple[tuple[str, str], ...] | None = None  # (id, name); None: not read


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One choice of an enumerated CRM field; `id` is what the API calls it."""

    id: int | str
    label: str


class FieldInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A field of the CRM account: its name, the code the API wants, its type and choices.

    `fixed`: the CRM fills it itself or gave it its meaning, so it is never written to. `unique`:
    the CRM refuses a value that another record has.
    """

    entity: Literal["deal", "organization", "person", "product"]
    name: str
    code: str
    kind: str
    options: tuple[Option, ...] = ()
    fixed: bool = False
    unique: bool = False


class Pipeline(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A pipeline with its stages in their order: (stage id, stage name).

    `unwon`: where a deal's stage says whether it is won, the stages in which it is not.
    """

    id: str
    name: str
    stages: tuple[tuple[str, str], ...] = ()
    unwon: tuple[str, ...] = ()
