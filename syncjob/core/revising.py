"""What follows if a deal was changed after it was invoiced: our own untouched draft is made to say
what the deal says now, anything else is left to a person, who is told the difference.

Keeps invariant 7: nobody's work is lost, and approved invoices are never changed.
"""

from __future__ import annotations

import msgspec

from syncjob.core.actions import InvoiceUpdate, Issue, Wave
from syncjob.core.case import Case, Context, PartCase
from syncjob.core.holds import customer, customer_changed, too_large
from syncjob.core.making import Making
from syncjob.core.needs import needs_of
from syncjob.core.policy import DealInputs
from syncjob.core.records import DEAD, Contact, Invoice
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
    person must know; None if it says what it said. Raises Held "unusually_large"."""
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
    too_large(case, context, now, invoice)
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


def gone_to_another(case: Case, context: Context, part: PartCase) -> Held | None:
    """Why a part's invoice is neither approved nor made to follow: the deal is another customer's
    by now. None if it is not, or nobody can say so. Raises Held while the deal's customer is in
    doubt and the invoice is still a draft."""
    invoice, latest = part.invoice, case.deal if case.complete else case.latest
    if invoice is None or "never" in case.answers or invoice.status in DEAD:
        return None
    source = part.created.source if part.created else ""
    fields = printed(context, undated(context.inputs))
    if source and latest is not None and source == deal_print(latest, fields):
        return None
    draft, known = invoice.status == "draft", bool(source) and latest is not None
    if not known and not (draft and invoice.marker == part.marker):
        return None  # a person's invoice, or one of a lost state: whom it bills is as it was meant
    try:
        return customer_changed(case, customer(case, context))
    except Held:
        if draft:
            raise
        return None


def undated(inputs: DealInputs) -> DealInputs:
    """A part is dated on its own day: the deal's field for the date is that of one invoice."""
    return inputs.model_copy(update={"invoice_date": None})


def printed(context: Context, inputs: DealInputs | None = None) -> tuple[str, ...]:
    """The deal's own fields that an invoice is made of."""
    named = (inputs or context.inputs).names()
    return (*named.values(), *needs_of(context.policy).fields)


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
