"""When an invoice is due: the customer's terms in the ledger, else the firm's.

Due dates are as the terms say, without shifting for weekends (BOOKKEEPING, "Dates"). They are
always computed and sent, because the ledger does not document a default (facts: xero, 3).
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from syncjob.core.policy import Terms
from syncjob.core.records import Contact, PaymentTerms
from syncjob.core.rules.terms_text import TermsSpec, parse_terms


def due_date(day: date, contact: Contact | None, terms: Terms) -> date:
    """The due date of an invoice dated `day`; never before it.

    Day 31 means the last day of a shorter month. "Of the current month" with a day that has gone
    by means that day of the next month: an invoice must not be overdue when it is made.
    """
    own = contact.terms if contact and "contact" in terms.order else None
    return due_by(own or default_terms(terms).terms, day)


def default_terms(terms: Terms) -> TermsSpec:
    """The firm's own terms; the config has refused a text that states none."""
    spec = parse_terms(terms.default)
    assert spec is not None
    return spec


def due_by(terms: PaymentTerms, day: date) -> date:
    """The due date by these terms of an invoice dated `day`; never before it."""
    match terms.kind:
        case "days_after_bill":
            return day + timedelta(days=terms.day)
        case "days_after_month":
            return _in_month(day, 0, 31) + timedelta(days=terms.day)
        case "of_following_month":
            return _in_month(day, 1, terms.day)
        case _:  # of the current month
            due = _in_month(day, 0, terms.day)
            return due if due >= day else _in_month(day, 1, terms.day)


def _in_month(day: date, months_later: int, wanted: int) -> date:
    """Day `wanted` of the month so many months after `day`'s, or that month's last day."""
    years, month = divmod(day.month - 1 + months_later, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(wanted, monthrange(year, month)[1]))
