"""Whether the invoice about to be made already stands in the ledger, made by hand.

Costs no call: the invoices are the snapshots of those that no deal is linked to (BOOKKEEPING,
"Which deals, and when").
"""

from __future__ import annotations

from collections.abc import Sequence

from syncjob.core.actions import InvoiceDraft
from syncjob.core.records import DEAD, Invoice


def possible_doubles(
    draft: InvoiceDraft, contact_id: str | None, unlinked: Sequence[Invoice], days: int
) -> list[Invoice]:
    """The live sales of that contact with this total and currency within `days`: the nearest in
    date first, then by id. A contact that is still to be created (None) has no invoices."""
    found = []
    for invoice in unlinked:
        same = (
            contact_id is not None
            and invoice.contact_id == contact_id
            and invoice.kind == "sale"
            and invoice.status not in DEAD
            and invoice.currency == draft.currency
            and invoice.total == draft.total
        )
        if same and invoice.date is not None:
            gap_days = abs((invoice.date - draft.date).days)
            if gap_days <= days:
                found.append((gap_days, invoice.id, invoice))
    return [invoice for _, _, invoice in sorted(found, key=lambda hit: hit[:2])]
