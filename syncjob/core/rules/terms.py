"""When an invoice is due: the customer's terms in the ledger, else the firm's."""

from __future__ import annotations

from datetime import date

from syncjob.core.policy import Terms
from syncjob.core.records import Contact


def due_date(day: date, contact: Contact | None, terms: Terms) -> date:
    """The due date of an invoice dated `day`; never before it."""
    raise NotImplementedError
