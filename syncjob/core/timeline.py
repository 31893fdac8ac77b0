"""Notes in a deal's timeline of what happened to its invoices, or what holds it: each once.

Nothing is noted of the time before they were: what the deal's history lacks then is in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable

from syncjob.core.actions import Action, NoteDraft, Wave
from syncjob.core.making import Making, Refused
from syncjob.core.markers import WHOLE, invoice_marker
from syncjob.core.policy_crm import Happening
from syncjob.core.records import Invoice
from syncjob.core.rules.happenings import Happened, happened, held_text
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
        zone, notes = context.zone, case.credit_notes
        for found in happened(invoice, state, begins, context.today, zone, notes):
            if found.kind in context.timeline:
                _note(making, invoice, found)
    _note_held(making)


def _note(making: Making, invoice: Invoice, found: Happened) -> None:
    marker = f"{invoice.marker or invoice.id}.{found.key}"
    if found.day < making.context.timeline_since:
        # For ever: its day may be that of the invoice's stamp, which each later edit moves.
        making.passed_over.append(marker)
        return
    page = f"\n{invoice.page}" if invoice.page else ""
    _add(making, marker, invoice.id, found.kind, found.text, f"{found.text}{page}")


def _note_held(making: Making) -> None:
    """What holds the deal, for whoever sells: once for each time that it comes to be held so."""
    case, context = making.case, making.context
    for issue in making.issues:
        since = case.standing.get(issue.code)
        if since is None or issue.state != "held":
            continue
        if since.astimezone(context.zone).date() < context.timeline_since:
            continue
        # Named as notes of its invoice are, so that it is looked for among this deal's notes.
        own = invoice_marker(context.code, case.deal.id, WHOLE, 1)
        marker = f"{own}.held.{issue.code}.{since:%y%m%d%H%M}"
        _add(making, marker, "", "held", issue.what, held_text(issue, invoiced=bool(case.live)))


def _add(
    making: Making, marker: str, invoice_id: str, kind: Happening, reason: str, text: str
) -> None:
    """One note, unless it was written before or the CRM refused just this."""
    if marker in making.case.noted:
        return
    draft = NoteDraft(
        marker=marker, deal_id=making.case.deal.id, invoice_id=invoice_id, happening=kind,
        text=text,
    )  # fmt: skip
    action = Action(
        side="crm", wave=Wave.NOTICES, subject=making.case.subject, target=f"note:{marker}",
        payload=draft, reason=reason,
    )  # fmt: skip
    try:
        making.append(action)
    except Refused as refused:
        making.issues.append(refused.issue)
