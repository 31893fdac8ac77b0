"""A won deal as the invoice it becomes: lines, dates, reference, and what the ledger will sum."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import msgspec

from syncjob.core.actions import InvoiceDraft, Issue
from syncjob.core.policy import DealInputs, Invoices
from syncjob.core.records import Contact, Deal, LedgerReference


class InvoiceContext(msgspec.Struct, frozen=True, kw_only=True):
    """What an invoice depends on besides its deal and contact; `today` is the organisation's."""

    policy: Invoices
    inputs: DealInputs
    ledger: LedgerReference
    today: date
    marker: str
    locked_through: date | None
    zone: ZoneInfo


def draft_invoice(
    deal: Deal, contact: Contact | None, context: InvoiceContext
) -> tuple[InvoiceDraft, tuple[str, ...], Issue | None]:
    """The invoice, the story of how it came about, and a note if its total is in doubt.

    `contact` is the ledger's contact, None where it is still to be created. Raises Held.
    """
    raise NotImplementedError
