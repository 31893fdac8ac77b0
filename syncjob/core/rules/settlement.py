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
    """The deal's word, and beside it whether, how long and with how much it is overdue."""

    word: str
    overdue: bool = False
    days_overdue: int = 0
    amount_overdue: Decimal = ZERO


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
    days = (today - invoice.due_date).days
    return State(word=word, overdue=True, days_overdue=days, amount_overdue=invoice.due)


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


def deal_state(
    invoices: Sequence[Invoice],
    today: date,
    overdue: Overdue,
    *,
    issue: Issue | None = None,
    to_come: bool = False,
    credit_notes: Sequence[CreditNote] = (),
    bad_debt_accounts: Collection[str] = (),
) -> State:
    """The state of a deal with any number of invoices; `to_come`: some are still to be made.

    The words are those of one invoice, of the deal as a whole: with cash received and anything
    still to pay or to be invoiced it is part-paid; with nothing left it is what the sums say; else
    what its invoices wait for, and of several things the one that is furthest from the money.
    """
    states = [
        invoice_state(
            invoice, today, overdue, credit_notes=credit_notes, bad_debt_accounts=bad_debt_accounts
        )
        for invoice in invoices
    ]
    late = max((s.days_overdue for s in states if s.overdue), default=None)
    if not invoices:
        return invoice_state(None, today, overdue, issue=issue)
    words = {state.word for state in states}
    word = words.pop() if len(words) == 1 and (len(invoices) == 1 or not to_come) else None
    if to_come or word is None:
        word = _joint_word(invoices, to_come, credit_notes, frozenset(bad_debt_accounts), word)
    owed = sum((s.amount_overdue for s in states), ZERO)
    return State(word=word, overdue=late is not None, days_overdue=late or 0, amount_overdue=owed)


def deal_values(
    invoices: Sequence[Invoice],
    issue: Issue | None,
    today: date,
    overdue: Overdue,
    now_text: str,
    *,
    to_come: str | None = None,
    credit_notes: Sequence[CreditNote] = (),
    bad_debt_accounts: Collection[str] = (),
) -> dict[str, str | None]:
    """The values of the deal's own fields by DealFields key, all keys, None for an empty field.

    Amounts are in the invoices' currency with two decimals, summed over them; days are ISO dates.
    `to_come` says in words which invoice of the schedule is made next, None if there is none.
    A number comes once approved (BOOKKEEPING, "Numbering"); of a deleted draft nothing but the
    word remains.
    """
    state = deal_state(
        invoices,
        today,
        overdue,
        issue=issue,
        to_come=to_come is not None,
        credit_notes=credit_notes,
        bad_debt_accounts=bad_debt_accounts,
    )
    values: dict[str, str | None] = dict.fromkeys(_FIELDS)
    values.update(status=state.word, reason=_reason(issue) or to_come, synced=now_text)
    shown = [invoice for invoice in invoices if invoice.status != "deleted"]
    if shown:
        values.update(_figures(shown), overdue="yes" if state.overdue else "no")
        values.update(_lateness(shown, state))
    return values


def _lateness(invoices: Sequence[Invoice], state: State) -> dict[str, str | None]:
    """What is empty unless somebody has paid a part only, or too late."""
    begun = min((day for i in invoices for day in cash_days(i)), default=None)
    amount = state.overdue and len({invoice.currency for invoice in invoices}) == 1
    return {
        "part_paid_since": begun.isoformat() if begun and state.word == "part-paid" else None,
        "overdue_days": str(state.days_overdue) if state.overdue else None,
        "overdue_amount": _amount(state.amount_overdue) if amount else None,
    }


def cash_and_credit(invoice: Invoice) -> tuple[Decimal, Decimal]:
    """Money received and credit given. The ledger's own "credited" holds prepayments and
    overpayments too (facts: xero, 3), which are money."""
    ahead = sum(
        (s.amount for s in invoice.settlements if s.kind in ("prepayment", "overpayment")), ZERO
    )
    return invoice.paid + ahead, max(invoice.credited - ahead, ZERO)


def cash_days(invoice: Invoice) -> list[date]:
    """The days on which money came, oldest first."""
    return sorted(s.date for s in invoice.settlements if s.kind in _CASH and s.date is not None)


def _word(invoice: Invoice, notes: Sequence[CreditNote], bad_debt: Collection[str]) -> str:
    if invoice.status in _PLAIN:
        return _PLAIN[invoice.status]
    cash, credit = cash_and_credit(invoice)
    if invoice.status == "authorised" and invoice.due > 0:
        if cash > 0:
            return "part-paid"
        return "part-credited" if credit > 0 else "awaiting payment"
    return _settled_word(cash, allocated_to(invoice, notes), frozenset(bad_debt))


def _settled_word(cash: Decimal, notes: Sequence[CreditNote], bad_debt: frozenset[str]) -> str:
    """The word for an invoice with nothing due; without cash it was credited, never paid."""
    if any(
        note.allocations and note.accounts and bad_debt.issuperset(note.accounts) for note in notes
    ):
        return "written off"
    if cash <= 0:
        return "credited"
    refunded = sum((note.refunded for note in notes), ZERO)
    return "refunded" if refunded >= cash else "paid"


def allocated_to(invoice: Invoice, notes: Sequence[CreditNote]) -> list[CreditNote]:
    """The live credit notes that were applied to the invoice, or that name it by its number: a
    credit note of a paid invoice cannot be applied to it, only be paid back."""
    return [
        note
        for note in notes
        if note.status not in DEAD
        and (
            _applied(note, invoice)
            or (note.contact_id == invoice.contact_id and names(note, invoice))
        )
    ]


def _applied(note: CreditNote, invoice: Invoice) -> bool:
    return any(applied == invoice.id for applied, _ in note.allocations)


def names(note: CreditNote, invoice: Invoice) -> bool:
    """Whether the credit note's reference names the invoice by its whole number."""
    return bool(invoice.number) and invoice.number in (note.reference or "").split()


def _joint_word(
    invoices: Sequence[Invoice],
    to_come: bool,
    notes: Sequence[CreditNote],
    bad_debt: frozenset[str],
    word: str | None,
) -> str:
    """The word for several invoices that differ, or of which some are still to be made."""
    sums = [cash_and_credit(invoice) for invoice in invoices if invoice.status not in _PLAIN]
    cash, credit = sum((c for c, _ in sums), ZERO), sum((c for _, c in sums), ZERO)
    unsettled = [i for i in invoices if i.status in ("draft", "submitted") or i.due > 0]
    unsettled = [invoice for invoice in unsettled if invoice.status not in DEAD]
    if not to_come and not unsettled:
        allocated = {n.id: n for i in invoices for n in allocated_to(i, notes)}
        return _settled_word(cash, list(allocated.values()), bad_debt) if sums else word or "voided"
    if cash > 0:
        return "part-paid"
    if credit > 0:
        return "part-credited"
    statuses = {invoice.status for invoice in invoices}
    for status in ("authorised", "submitted", "draft"):
        if status in statuses:
            return _PLAIN.get(status, "awaiting payment")
    return word or "not invoiced"


def _figures(invoices: Sequence[Invoice]) -> dict[str, str | None]:
    """Sums over the invoices, which have one currency; without one there are no sums."""
    paid_days = [day for invoice in invoices for day in cash_days(invoice)]
    next_one, due_date = _next_due(invoices)
    values = {
        "number": _cut(", ".join(i.number for i in invoices if i.number and i.status in _NUMBERED)),
        "link": next_one.page,
        "due_date": due_date.isoformat() if due_date else None,
        "paid_on": max(paid_days).isoformat() if paid_days else None,
    }
    if len({invoice.currency for invoice in invoices}) > 1:
        return values
    both = [cash_and_credit(invoice) for invoice in invoices]
    return values | {
        "total": _amount(sum((i.total for i in invoices), ZERO)),
        "due": _amount(sum((i.due for i in invoices), ZERO)),
        "paid": _amount(sum((cash for cash, _ in both), ZERO)),
        "credited": _amount(sum((credit for _, credit in both), ZERO)),
    }


def _next_due(invoices: Sequence[Invoice]) -> tuple[Invoice, date | None]:
    """The invoice whose money is expected next, and when; of settled ones the last."""
    for waiting in (
        [i for i in invoices if i.status == "authorised" and i.due > 0],
        [i for i in invoices if i.status in ("draft", "submitted")],
    ):
        if waiting:
            first = min(waiting, key=lambda i: i.due_date or date.max)
            return first, first.due_date
    return invoices[-1], max((i.due_date for i in invoices if i.due_date), default=None)


def _amount(amount: Decimal) -> str:
    return f"{half_up(amount):f}"


def _reason(issue: Issue | None) -> str | None:
    if issue is None:
        return None
    return _cut(f"{issue.what} {issue.next_step}".strip())


def _cut(text: str) -> str | None:
    """The text as the CRM's field takes it; a field without text is empty."""
    short = text if len(text) <= REASON_LENGTH_MAX else text[: REASON_LENGTH_MAX - 3] + "..."
    return short or None
