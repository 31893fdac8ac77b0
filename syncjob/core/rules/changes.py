"""What may still be done to an invoice after its deal was won: withdraw, approve, issue anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from syncjob.core.actions import InvoiceChange, InvoiceDraft, Issue
from syncjob.core.policy import Invoices, Mode
from syncjob.core.records import Contact, Deal, Invoice, InvoiceStatus

Fields = Mapping[str, str | None]


class Past(NamedTuple):
    """One earlier invoice of the same deal and part."""

    generation: int
    status: InvoiceStatus
    deleted_by_us: bool


def after_win(
    deal: Deal, invoice: Invoice, base: Fields, current: Fields, locked_through: date | None
) -> InvoiceChange | Issue | None:
    """What follows when the deal is no longer won; None while it is, or nothing is left to do.

    `base` holds what the ledger answered when the draft was made, `current` the same fields now.
    """
    raise NotImplementedError


def may_approve(
    invoice: Invoice,
    created: InvoiceDraft,
    contact: Contact | None,
    policy: Invoices,
    mode: Mode,
    base: Fields,
    current: Fields,
    today: date,
    locked_through: date | None,
    *,
    doubt: Issue | None = None,
    keep_date: bool = False,
) -> InvoiceChange | str:
    """The approval with its new dates, or the reason in words why the draft stays a draft."""
    raise NotImplementedError


def next_generation(history: Sequence[Past]) -> int | None:
    """The generation to create now; None while one lives. Raises Held "reissue_needed"."""
    raise NotImplementedError
