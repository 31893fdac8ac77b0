"""How much of what a deal's parts have invoiced was credited since, net of tax."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from syncjob.core.case import PartCase
from syncjob.core.money import ZERO, half_up
from syncjob.core.records import DEAD, CreditNote, Invoice
from syncjob.core.rules.settlement import names


def net_credited(parts: Iterable[PartCase]) -> Decimal:
    """What was applied to the invoices of these parts, and what credit notes that name them paid
    back: of an invoice that is paid nothing can be applied to it. Net, as the credit note is, or
    as the invoice is where that is not known."""
    given, repaid = ZERO, dict[str, Decimal]()
    for part in parts:
        invoice = part.invoice
        if invoice is None:
            continue
        notes = {note.id: note for note in part.credit_notes}
        for settled in invoice.settlements:
            if settled.kind == "credit_note":
                given += _net(settled.amount, notes.get(settled.id), invoice)
        for note in notes.values():  # one that names two invoices is paid back once
            if note.status not in DEAD and note.refunded and names(note, invoice):
                repaid[note.id] = _net(note.refunded, note, invoice)
    return given + sum(repaid.values(), ZERO)


def _net(amount: Decimal, note: CreditNote | None, invoice: Invoice) -> Decimal:
    """The part of the amount that is no tax."""
    if note is not None and note.sub_total is not None and note.total:
        return half_up(amount * note.sub_total / note.total)
    return half_up(amount * invoice.sub_total / invoice.total) if invoice.total else amount
