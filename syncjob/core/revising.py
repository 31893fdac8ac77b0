"""What follows if a deal was changed after it was invoiced: our own untouched draft is made to say
what the deal says now, anything else is left to a person, who is told the difference.

Keeps invariant 7: nobody's work is lost, and approved invoices are never changed.
"""

from __future__ import annotations

import msgspec

from syncjob.core.actions import InvoiceUpdate, Issue, Wave
from syncjob.core.case import Case, Context, PartCase
from syncjob.core.holds import customer
from syncjob.core.making import Making
from syncjob.core.needs import needs_of
from syncjob.core.records import Contact, Invoice
from syncjob.core.rules.changes import withdrawn
from syncjob.core.rules.invoicing import InvoiceContext, draft_invoice
from syncjob.core.rules.revision import deal_print, difference
from syncjob.errors import Held


def invoice_context(case: Case, context: Context, marker: str) -> InvoiceContext:
    """What the rules of one invoice need of the connection."""
    return InvoiceContext(
        policy=context.policy, inputs=context.inputs, ledger=context.ledger, today=context.today,
        marker=marker, locked_through=context.locked_through, zone=context.zone,
        party=case.party, crm=context.crm, buyers=case.buyers,
    )  # fmt: skip


def may_be_revised(case: Case) -> bool:
    """Whether the deal's lines must be read to know if its invoice still says what it says."""
    return case.moved and any(part.created and part.created.source for part in case.live)


def revise(making: Making, part: PartCase, invoice: Invoice) -> Invoice | Issue | None:
    """What follows if the deal was changed after its invoice: the draft as it will be, or what a
    person must know; None if it says what it said."""
    case, context, created = making.case, making.context, part.created
    latest = case.deal if case.complete else case.latest
    if latest is None or created is None or not created.source or case.deal.status != "won":
        return None
    if "never" in case.answers or deal_print(latest, printed(context)) == created.source:
        return None
    asked = invoice_context(case, context, part.marker or "")
    asked = msgspec.structs.replace(asked, today=invoice.date or context.today, locked_through=None)
    other = ""
    try:
        now, _, _ = draft_invoice(latest, part.contact, asked)
        other = _other_customer(case, context, invoice)
        words = other or difference(created, now)
    except Held as held:
        now, words = created, f"it would be held now ({held.what.rstrip('.')})"
    if not words:
        return None
    why = _not_ours_to_change(making, part, invoice)
    if why is None and other:
        why = "an invoice is never moved to another customer"
    if why is not None or now is created or now.contact_id != invoice.contact_id:
        return _left_alone(making, invoice, words, why or "it is not clear what it should say")
    now = msgspec.structs.replace(now, new_customer=created.new_customer, number=created.number)
    making.story.append(f"the deal was changed: {words}")
    making.ledger(
        Wave.INVOICES, f"invoice:{part.marker}", InvoiceUpdate(invoice_id=invoice.id, draft=now),
        f"the deal was changed and nobody has touched its draft: {words}", part,
        before={"total": f"{invoice.total}"},
    )  # fmt: skip
    return msgspec.structs.replace(
        invoice, sub_total=now.sub_total, total_tax=now.total_tax, total=now.total, due=now.total,
        due_date=now.due_date,
    )  # fmt: skip


def printed(context: Context) -> tuple[str, ...]:
    """The deal's own fields that an invoice is made of."""
    return (*context.inputs.names().values(), *needs_of(context.policy).fields)


def _other_customer(case: Case, context: Context, invoice: Invoice) -> str:
    found = customer(case, context)
    if isinstance(found, Contact) and found.id == invoice.contact_id:
        return ""
    return f'its customer is "{found.name}" now'


def _not_ours_to_change(making: Making, part: PartCase, invoice: Invoice) -> str | None:
    """Why this invoice is not made to follow its deal; None if it is our own untouched draft."""
    answer = withdrawn(invoice, part.invoice_base, part.invoice_now, making.context.locked_through)
    if isinstance(answer, str):
        return f"it {answer}"
    return None if invoice.marker == part.marker else "a person made it"


def _left_alone(making: Making, invoice: Invoice, words: str, why: str) -> Issue:
    deal = making.case.deal
    step = f"`syncjob credit {deal.id}` drafts a credit note for it, or correct the deal"
    if invoice.status in ("draft", "submitted"):
        step = f"Change it in the ledger, or delete it there and `syncjob reissue {deal.id}`"
    issue = Issue(
        code="changed_after_invoice", subject=making.case.subject, state="note",
        what=f"The deal was changed after its invoice {invoice.number or invoice.id}: {words}. "
        f"The invoice was left alone, because {why}.",
        next_step=f"{step}; if all is well, `syncjob resolve deal {deal.id} --never` leaves it.",
        page=invoice.page or deal.page,
    )  # fmt: skip
    making.issues.append(issue)
    return issue
