"""Whether the invoice about to be made already stands in the ledger, made by hand."""

from __future__ import annotations

from collections.abc import Sequence

from syncjob.core.actions import InvoiceDraft
from syncjob.core.records import Invoice


def possible_double(
    draft: InvoiceDraft, contact_id: str | None, unlinked: Sequence[Invoice], days: int
) -> Invoice | None:
    """The nearest live sale of that contact, total and currency within `days`, if any."""
    raise NotImplementedError
