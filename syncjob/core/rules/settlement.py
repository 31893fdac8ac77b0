"""What an invoice's life in the ledger means for its deal: a word, the amounts, overdue or not.

"Paid needs cash" (BOOKKEEPING, "What the deal says"): cash is payments with the prepayments and
overpayments applied; credit is credit notes only. Overdue and part-paid are derived, because the
ledger stores neither (facts: xero, 3).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from syncjob.core.actions import Issue
from syncjob.core.money import ZERO, half_up
from syncjob.core.policy import DealFields, Overdue
from syncjob.core.records import DEAD, CreditNote, Invoice

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

#: Statuses in which the ledger computes nothing for us: the word stands for itself.
_PLAIN = {
    "draft": "draft",
    "submitted": "awaiting approval",
    "voided": "voided",
    "deleted": "deleted",
}

#: Once approved an invoice keeps its number; before, the number may still change or vanish.
_NUMBERED = frozenset({"authorised", "paid", "voided"})

#: A short text field of a CRM takes this many characters (Pipedrive's varchar).
REASON_LENGTH_MAX = 255

_CASH = ("payment", "prepayment", "overpayment")
_FIELDS: tuple[str, ...] = tuple(DealFields.model_fields)


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
    """The state of a deal's invoice; with no invoice, a held issue says "held".

    `credit_notes` are those allocated to the invoice (others are passed over): only they can tell
    "written off" and "refunded" from "credited" and "paid". `days_overdue` counts from the due
    date.
    """
    if invoice is None:
        return State(word="held" if issue and issue.state == "held" else "not invoiced")
    word = _word(invoice, credit_notes, bad_debt_accounts)
    begins = next_due_day(invoice, overdue)
    if begins is None or invoice.due_date is None or today < begins:
        return State(word=word)
    return State(word=word, overdue=True, days_overdue=(today - invoice.due_date).days)


def next_due_day(invoice: Invoice, overdue: Overdue) -> date | None:
    """The first day on which the invoice counts as overdue if nothing is paid; None if never.

    That day may have passed. Only approved invoices with at least `ignore_due_below` due; an
    expected payment date in the ledger postpones.
    """
    if invoice.status != "authorised" or invoice.due_date is None:
        return None
    if invoice.due <= 0 or invoice.due < overdue.ignore_due_below:
        return None
    last = _later(invoice.due_date, overdue.grace_days)
    return _later(max(last, invoice.expected_on or last), 1)


def _later(day: date, days: int) -> date:
    """So many days on, within the calendar: a person who types the year 9999 means never."""
    return day + timedelta(days=min(days, (date.max - day).days))


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
    """The values of the deal's own fields by DealFields key, all keys, None for an empty field.

    Amounts are in the invoice's currency with two decimals, days are ISO dates. The number comes
    once approved (BOOKKEEPING, "Numbering"); of a deleted draft nothing but the word remains.
    """
    state = invoice_state(
        invoice,
        today,
        overdue,
        issue=issue,
        credit_notes=credit_notes,
        bad_debt_accounts=bad_debt_accounts,
    )
    values: dict[str, str | None] = dict.fromkeys(_FIELDS)
    values.update(status=state.word, reason=_reason(issue), synced=now_text)
    if invoice is not None and invoice.status != "deleted":
        values.update(_figures(invoice), overdue="yes" if state.overdue else "no")
    return values


def cash_and_credit(invoice: Invoice) -> tuple[Decimal, Decimal]:
    """Money received and credit given. The ledger's own "credited" holds prepayments and
    overpayments too (facts: xero, 3), which are money."""
    ahead = sum(
        (s.amount for s in invoice.settlements if s.kind in ("prepayment", "overpayment")), ZERO
    )
    return invoice.paid + ahead, max(invoice.credited - ahead, ZERO)


def _word(invoice: Invoice, notes: Sequence[CreditNote], bad_debt: Collection[str]) -> str:
    if invoice.status in _PLAIN:
        return _PLAIN[invoice.status]
    cash, credit = cash_and_credit(invoice)
    if invoice.status == "authorised" and invoice.due > 0:
        if cash > 0:
            return "part-paid"
        return "part-credited" if credit > 0 else "awaiting payment"
    return _settled_word(cash, _allocated(invoice, notes), frozenset(bad_debt))


def _settled_word(cash: Decimal, notes: Sequence[CreditNote], bad_debt: frozenset[str]) -> str:
    """The word for an invoice with nothing due; without cash it was credited, never paid."""
    if any(note.accounts and bad_debt.issuperset(note.accounts) for note in notes):
        return "written off"
    if cash <= 0:
        return "credited"
    refunded = sum((note.refunded for note in notes), ZERO)
    return "refunded" if refunded >= cash else "paid"


def _allocated(invoice: Invoice, notes: Sequence[CreditNote]) -> list[CreditNote]:
    return [
        note
        for note in notes
        if note.status not in DEAD and any(i == invoice.id for i, _ in note.allocations)
    ]


def _figures(invoice: Invoice) -> dict[str, str | None]:
    cash, credit = cash_and_credit(invoice)
    paid_days = [s.date for s in invoice.settlements if s.kind in _CASH and s.date]
    return {
        "number": invoice.number if invoice.status in _NUMBERED else None,
        "link": invoice.page,
        "total": _amount(invoice.total),
        "due": _amount(invoice.due),
        "paid": _amount(cash),
        "credited": _amount(credit),
        "due_date": invoice.due_date.isoformat() if invoice.due_date else None,
        "paid_on": max(paid_days).isoformat() if paid_days else None,
    }


def _amount(amount: Decimal) -> str:
    return f"{half_up(amount):f}"


def _reason(issue: Issue | None) -> str | None:
    if issue is None:
        return None
    text = f"{issue.what} {issue.next_step}".strip()
    return text if len(text) <= REASON_LENGTH_MAX else text[: REASON_LENGTH_MAX - 3] + "..."
