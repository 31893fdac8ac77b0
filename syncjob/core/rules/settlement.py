"""What an invoice's life in the ledger means for its deal: one word, the amounts, overdue or not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import msgspec

from syncjob.core.actions import Issue
from syncjob.core.policy import Overdue
from syncjob.core.records import CreditNote, Invoice

#: The choices of the deal's status field, in the order of an invoice's life.
STATE_WORDS: tuple[str, ...] = (
    "not invoiced",
    "held",
    "draft",
    "awaiting approval",
    "awaiting payment",
    "part-paid",
    "paid",
    "part-credited",
    "credited",
    "written off",
    "refunded",
    "voided",
    "deleted",
)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The deal's word, and beside it whether and how long the invoice is overdue."""

    word: str
    overdue: bool = False
    days_overdue: int = 0


def invoice_state(
    invoice: Invoice | None,
    today: date,
    overdue: Overdue,
    *,
    issue: Issue | None = None,
    credit_notes: Sequence[CreditNote] = (),
    bad_debt_accounts: Collection[str] = (),
) -> State:
    """The state of a deal's invoice; with no invoice, a held issue says "held"."""
    raise NotImplementedError


def deal_values(
    invoice: Invoice | None,
    issue: Issue | None,
    today: date,
    overdue: Overdue,
    now_text: str,
    *,
    credit_notes: Sequence[CreditNote] = (),
    bad_debt_accounts: Collection[str] = (),
) -> dict[str, str | None]:
    """The values of the deal's own fields by DealFields key; empty for an excluded deal."""
    raise NotImplementedError


def next_due_day(invoice: Invoice, overdue: Overdue) -> date | None:
    """The first day on which the invoice counts as overdue if nothing is paid; None if never."""
    raise NotImplementedError
