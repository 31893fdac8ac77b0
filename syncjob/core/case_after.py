"""What the rules may look at besides a deal's invoices: templates, e-mails, the customer's page."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

from syncjob.core.actions import TemplateDraft
from syncjob.core.records import CreditNote, Invoice, Template


class TemplateCase(msgspec.Struct, frozen=True, kw_only=True):
    """The newest repeating invoice of a deal: as the ledger showed it last (None: not yet read),
    and as we sent it (None: the state that sent it was lost). `bills` are the ledger contacts of
    both, followed through merges."""

    marker: str
    generation: int
    record: Template | None = None
    created: TemplateDraft | None = None
    bills: frozenset[str] = frozenset()


class After(msgspec.Struct, frozen=True, kw_only=True):
    """What comes after the invoices of one deal.

    `repeats` are the invoices that templates made, dead ones included: its own and those of deals
    that were merged into it, whose templates are `merged`; `credit_notes` are those about them.
    `recurs`: the deal had recurring lines when they were last read. `changed`: the deal was read
    anew in this batch. `unseen`: a repeating invoice that cannot be read may be its own.
    `told` are the codes of its open issues, if it has a template. By invoice: what became of its
    e-mail (`mailed`), the customer's page (`online`, empty if there is none), and when one that was
    not there is asked for again (`page_days`). By ledger contact: when its e-mail address was last
    seen to change.
    """

    template: TemplateCase | None = None
    repeats: tuple[Invoice, ...] = ()
    credit_notes: tuple[CreditNote, ...] = ()
    merged: tuple[Template, ...] = ()
    recurs: bool = False
    changed: bool = False
    unseen: bool = False
    told: frozenset[str] = frozenset()
    mailed: dict[str, Literal["sent", "unknown"]] = {}
    online: dict[str, str] = {}
    page_days: dict[str, date] = {}
    address_changes: dict[str, datetime] = {}
