"""What happened to an invoice, as notes in its deal's timeline: which are due, in which words.

A happening has a name of its own for ever: a payment that is removed and made again on another
day is a second one, the same payment seen twice is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from syncjob.core.actions import Issue
from syncjob.core.policy_crm import Happening
from syncjob.core.records import CreditNote, Invoice
from syncjob.core.rules.settlement import State, allocated_to, cash_and_credit, cash_days

_APPROVED = frozenset({"authorised", "paid"})
#: Words of the deal's status that are happenings by themselves.
_BY_WORD: dict[str, Happening] = {
    "credited": "credited",
    "written off": "written_off",
    "refunded": "refunded",
    "voided": "voided",
    "deleted": "deleted",
}


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to an invoice: its kind, what tells it from others of that kind, the
    day from which it can be known, and how it is told."""

    kind: Happening
    key: str
    day: date
    text: str


def happened(
    invoice: Invoice,
    state: State,
    begins: date | None,
    today: date,
    zone: ZoneInfo,
    credit_notes: Sequence[CreditNote] = (),
) -> Iterator[Happened]:
    """All that the invoice shows of its past and present. `begins` is the first day on which it
    counts as overdue, `credit_notes` are those about it (others are passed over); days are the
    organisation's."""
    seen = invoice.updated.astimezone(zone).date() if invoice.updated else today
    if invoice.status not in ("voided", "deleted"):
        made = invoice.date or today
        yield Happened(kind="created", key="created", day=made, text=_created(invoice))
    if invoice.status in _APPROVED:
        yield Happened(kind="approved", key="approved", day=seen, text=_approved(invoice))
    if state.word in ("part-paid", "paid"):
        yield _money(invoice, state.word, seen)
    if state.overdue and begins is not None:
        owed = f"{_sum(invoice, invoice.due)} was due on {invoice.due_date}"
        text = f"{_name(invoice)} is overdue: {owed}."
        yield Happened(
            kind="overdue", key=f"overdue.{invoice.due_date:%y%m%d}", day=begins, text=text
        )
    kind = _BY_WORD.get(state.word)
    if kind is not None:
        if kind == "refunded":  # which moves no invoice
            seen = _paid_back(invoice, credit_notes, today, zone)
        yield Happened(kind=kind, key=kind, day=seen, text=_ended(invoice, kind))


def _paid_back(
    invoice: Invoice, credit_notes: Sequence[CreditNote], today: date, zone: ZoneInfo
) -> date:
    """The day from which a refund can be known: that of the newest stamp of what was paid back."""
    notes = (note for note in allocated_to(invoice, credit_notes) if note.refunded > 0)
    stamps = [note.updated for note in notes if note.updated is not None]
    return max(stamps).astimezone(zone).date() if stamps else today


def held_text(issue: Issue, *, invoiced: bool) -> str:
    """What holds a deal, for whoever sells: they know the deal, and not the commands."""
    head = "The invoice waits" if invoiced else "Not invoiced yet"
    step = issue.next_step
    if "`syncjob" in step:
        step = f"If that is right as it is, ask whoever runs syncjob: {step}"
    return f"{head}: {issue.what}\n{step}".strip()


def _money(invoice: Invoice, word: str, seen: date) -> Happened:
    cash, _ = cash_and_credit(invoice)
    days = cash_days(invoice)
    last = days[-1] if days else None
    on = f", last payment on {last}" if last else ""
    if word == "paid":
        key = f"paid.{last:%y%m%d}" if last else "paid"
        return Happened(
            kind="paid", key=key, day=seen,
            text=f"{_name(invoice)} is paid: {_sum(invoice, cash)} received{on}.",
        )  # fmt: skip
    return Happened(
        kind="part_paid", key=f"part_paid.{cash:.2f}", day=seen,
        text=f"{_name(invoice)} is paid in part: {_sum(invoice, cash)} received{on}; "
        f"{_sum(invoice, invoice.due)} is still due.",
    )  # fmt: skip


def _created(invoice: Invoice) -> str:
    """A draft's number may still change, so it is not told."""
    until = f", due on {invoice.due_date}" if invoice.due_date else ""
    return f"An invoice over {_sum(invoice, invoice.total)} was drafted{until}."


def _approved(invoice: Invoice) -> str:
    until = f", due on {invoice.due_date}" if invoice.due_date else ""
    return f"{_name(invoice)} over {_sum(invoice, invoice.total)} was approved{until}."


def _ended(invoice: Invoice, kind: Happening) -> str:
    cash, credit = cash_and_credit(invoice)
    if kind == "refunded":
        return f"{_name(invoice)} was refunded: {_sum(invoice, cash)} was given back."
    if kind in ("credited", "written_off"):
        word = kind.replace("_", " ")
        return f"{_name(invoice)} was {word}: {_sum(invoice, credit)}, nothing is due."
    return f"{_name(invoice)} over {_sum(invoice, invoice.total)} was {kind}."


def _name(invoice: Invoice) -> str:
    known = invoice.number if invoice.status in ("authorised", "paid", "voided") else None
    return f"Invoice {known}" if known else "The invoice"


def _sum(invoice: Invoice, amount: Decimal) -> str:
    return f"{amount:,.2f} {invoice.currency}"
