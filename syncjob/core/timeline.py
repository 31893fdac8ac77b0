"""Notes in a deal's timeline of what happened to its invoices: each once, where they are wanted.

Nothing is noted of the time before they were: what the deal's history lacks then is in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable

from syncjob.core.actions import Action, NoteDraft, Wave
from syncjob.core.making import Making, Refused
from syncjob.core.records import Invoice
from syncjob.core.rules.happenings import Happened, happened
from syncjob.core.rules.settlement import invoice_state, next_due_day


def note_happenings(making: Making, invoices: Iterable[Invoice]) -> None:
    """Add a note for each wanted thing that happened and was not noted before."""
    case, context = making.case, making.context
    deal = case.deal
    if not context.timeline or context.mode == "read_only" or deal.archived:
        return
    if deal.status == "deleted":
        return
    for invoice in {invoice.marker or invoice.id: invoice for invoice in invoices}.values():
        state = invoice_state(
            invoice, context.today, context.overdue, credit_notes=case.credit_notes,
            bad_debt_accounts=context.policy.bad_debt_accounts,
        )  # fmt: skip
        begins = next_due_day(invoice, context.overdue)
        for found in happened(invoice, state, begins, context.today, context.zone):
            if found.kind in context.timeline and found.day >= context.timeline_since:
                _note(making, invoice, found)


def _note(making: Making, invoice: Invoice, found: Happened) -> None:
    marker = f"{invoice.marker or invoice.id}.{found.key}"
    if marker in making.case.noted:
        return
    page = f"\n{invoice.page}" if invoice.page else ""
    draft = NoteDraft(
        marker=marker, deal_id=making.case.deal.id, invoice_id=invoice.id, happening=found.kind,
        text=f"{found.text}{page}",
    )  # fmt: skip
    action = Action(
        side="crm", wave=Wave.NOTICES, subject=making.case.subject, target=f"note:{marker}",
        payload=draft, reason=found.text,
    )  # fmt: skip
    try:
        making.append(action)
    except Refused as refused:
        making.issues.append(refused.issue)
