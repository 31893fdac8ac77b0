"""One invoice of a deal: made, withdrawn, approved, or left alone; each with its reason.

A deal has one such part, or several (core/rules/schedule); what stands here knows of one only.
Keeps invariants 1, 7 and 8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from syncjob.core.actions import (
    ContactDraft,
    InvoiceChange,
    InvoiceDraft,
    InvoiceUpdate,
    Issue,
    Wave,
)
from syncjob.core.afterwards import hold_recurring
from syncjob.core.case import Case, Context, PartCase
from syncjob.core.exclusion import excluded_later, note_excluded
from syncjob.core.holds import (
    already_invoiced,
    customer,
    customer_changed,
    possible_double_of,
    too_large,
)
from syncjob.core.making import Making
from syncjob.core.markers import invoice_marker, marker_in
from syncjob.core.records import Contact, Deal, Invoice
from syncjob.core.revising import gone_to_another, invoice_context, revise
from syncjob.core.rules.changes import (
    after_win,
    cancelled,
    may_approve,
    next_generation,
    touched,
    unlike,
)
from syncjob.core.rules.early import reworded
from syncjob.core.rules.invoicing import (
    InvoiceContext,
    date_is_given,
    doubt_of,
    doubt_unknown,
    draft_invoice,
    wanted_status,
)
from syncjob.core.rules.whole import Wanted, may_be_authorised

#: What stands in a plan for what only the ledger's answer can tell.
NOT_YET = "(assigned by the ledger)"


class Told(NamedTuple):
    """A part's invoice as it will stand, the issue to show on the deal, and the part."""

    invoice: Invoice | None
    issue: Issue | None
    part: PartCase | None = None


#: How a part's draft is written: for this contact, with this marker and day.
Writer = Callable[
    [Contact | None, InvoiceContext], tuple[InvoiceDraft, tuple[str, ...], Issue | None]
]


class Scheduled(msgspec.Struct, frozen=True, kw_only=True):
    """What distinguishes a part of a schedule from the deal as a whole: what it is called, how it
    is written (None while the schedule is not known), and what is in doubt about the whole."""

    name: str
    write: Writer | None = None
    doubt: Issue | None = None


def existing(
    making: Making, part: PartCase, invoice: Invoice, scheduled: Scheduled | None = None
) -> Told:
    """What follows for an invoice that is there: nothing, its withdrawal, or its approval."""
    case, context = making.case, making.context
    making.story.append(f"its invoice is {invoice.number or part.marker}")
    answer = after_win(
        case.deal, invoice, part.invoice_base, part.invoice_now, context.locked_through
    )
    if isinstance(answer, InvoiceChange):
        making.ledger(
            Wave.INVOICES, f"invoice:{part.marker}", answer,
            f"the deal is {case.deal.status} again and nobody has touched its draft", part,
            before={"status": invoice.status},
        )  # fmt: skip
        return Told(msgspec.structs.replace(invoice, status="deleted"), None)
    if isinstance(answer, Issue) and "never" in case.answers:
        return Told(invoice, None)  # a person knows, and wants the deal left alone
    if isinstance(answer, Issue):
        making.issues.append(answer)
        return Told(invoice, answer)
    left = _unwanted(making, part, invoice)
    revised: Issue | None = None
    if scheduled is not None:
        changed = gone_to_another(case, context, part)
        revised = making.held(changed, state="note") if changed is not None else None
    elif left is None:  # else it does not follow its deal either
        now = revise(making, part, invoice)
        if isinstance(now, Invoice):
            return Told(now, None)
        revised = now
    # Of an invoice that is not to be, nobody is told that its sum is in doubt.
    doubt = _doubt(case, context, part, invoice, scheduled) if left is None else None
    if doubt is not None:
        making.issues.append(doubt)
    if left is None and revised is None:
        return _approve(making, part, invoice, doubt, scheduled)
    # What its deal no longer says, or is not to be invoiced, is not approved either.
    if revised is not None:
        making.story.append(revised.what.rstrip("."))
    return Told(invoice, doubt or revised or left)


def made(making: Making, part: PartCase, scheduled: Scheduled | None = None) -> Told:
    """The invoice that is to be made now. Raises Held, Refused."""
    case, context = making.case, making.context
    already_invoiced(case, context)
    if case.cancelled and not part.history:
        raise cancelled(case.deal.id, case.cancelled)
    generation = next_generation(part.history, case.deal.id, scheduled.name if scheduled else "")
    if generation is None:
        return Told(part.last, None)
    hold_recurring(case, context, part)
    contact = customer(case, context)
    changed = customer_changed(case, contact) if scheduled is not None else None
    if changed is not None:
        raise changed
    marker = invoice_marker(context.code, case.deal.id, part.name, generation)
    known = contact if isinstance(contact, Contact) else None
    invoice, story, doubt = _write(case, known, invoice_context(case, context, marker), scheduled)
    making.story.extend(story)
    possible_double_of(case, context, invoice, known)
    too_large(case, context, invoice)
    if isinstance(contact, ContactDraft):
        making.ledger(
            Wave.LEDGER_CONTACTS, f"contact:{contact.marker}", contact,
            "no contact in the ledger is this customer", part,
        )  # fmt: skip
    making.ledger(Wave.INVOICES, f"invoice:{marker}", invoice, "the deal is won", part)
    if doubt is not None:
        making.issues.append(doubt)
    return Told(_foreseen(making, part, invoice, doubt), doubt)


def second_ones(making: Making, part: PartCase) -> None:
    """A second invoice with our marker: an untouched draft goes, anything else is for a person."""
    for extra in part.extra:
        same = part.invoice is not None and _content(extra) == _content(part.invoice)
        # Only we can write the Url; a person's copy of our invoice bears the reference alone.
        ours = marker_in(extra.url, None) is not None
        step = "Delete or void it in the ledger if it is one too many, or change its reference."
        if extra.status == "draft" and not extra.sent and same and ours:
            step = "It is an untouched draft of ours, which the next batch deletes."
            change = InvoiceChange(invoice_id=extra.id, status="deleted")
            making.ledger(
                Wave.INVOICES, f"invoice:{extra.id}", change,
                "a second draft bears this deal's marker", part, before={"status": extra.status},
            )  # fmt: skip
        making.issues.append(
            Issue(
                code="duplicate_effect", subject=making.case.subject, page=extra.page,
                state="note",
                what=f"A second invoice ({extra.number or extra.id}, {extra.status}) bears the "
                "marker of this deal.",
                next_step=step,
            )
        )  # fmt: skip


def _unwanted(making: Making, part: PartCase, invoice: Invoice) -> Issue | None:
    """That our draft stands for a deal which a rule, or its own field, leaves out by now."""
    if invoice.status not in ("draft", "submitted") or invoice.marker != part.marker:
        return None
    rule = excluded_later(making.case, making.context)
    if rule is None:
        return None
    words = f"Its invoice {invoice.number or invoice.id} was made before, and is left a draft."
    return note_excluded(making, rule, words, invoice.page)


def _write(
    case: Case, contact: Contact | None, asked: InvoiceContext, scheduled: Scheduled | None
) -> tuple[InvoiceDraft, tuple[str, ...], Issue | None]:
    if scheduled is None or scheduled.write is None:
        return draft_invoice(case.deal, contact, asked)
    return scheduled.write(contact, asked)


def _doubt(
    case: Case, context: Context, part: PartCase, invoice: Invoice, scheduled: Scheduled | None
) -> Issue | None:
    """For as long as it is a draft: whether its total agrees with what the deal says."""
    if invoice.status != "draft" or case.deal.status != "won":
        return None
    if part.created is None:  # the state that made it was lost
        ours = scheduled is None and invoice.marker == part.marker
        return doubt_unknown(_as_known(case), invoice, context.policy) if ours else None
    touched_by = touched(part.invoice_base, part.invoice_now)
    stored = None if touched_by else invoice
    return _doubt_of(case, context, part.created, stored, scheduled)


def _doubt_of(
    case: Case, context: Context, created: InvoiceDraft, stored: Invoice | None,
    scheduled: Scheduled | None,
) -> Issue | None:  # fmt: skip
    """The deal's value is that of all parts together, so a part is compared with itself alone."""
    if scheduled is None:
        return doubt_of(_as_known(case), created, context.policy, stored)
    valueless = msgspec.structs.replace(case.deal, value=None)
    return doubt_of(valueless, created, context.policy, stored) or scheduled.doubt


def _as_known(case: Case) -> Deal:
    """The deal with its lines as they were read last, if it has not changed since: what is told of
    it must not depend on which batch has read them."""
    return case.deal if case.complete else case.latest or case.deal


def _approve(
    making: Making, part: PartCase, invoice: Invoice, doubt: Issue | None,
    scheduled: Scheduled | None,
) -> Told:  # fmt: skip
    """Approve a draft where rule and mode allow it; else say why it stays a draft. Returns what
    there is to tell of it, too: what the state forgot may be in doubt as it is made anew."""
    case, context = making.case, making.context
    if invoice.status != "draft" or not may_be_authorised(context.policy):
        return Told(invoice, doubt)
    if invoice.marker != part.marker:
        making.story.append("a person made this draft, so a person approves it")
        return Told(invoice, doubt)
    if "never" in case.answers:
        making.story.append("a person wants this deal left alone, so a person approves its draft")
        return Told(invoice, doubt)
    if context.mode == "full" and context.approvals_wait:
        making.story.append(context.approvals_wait)
        return Told(invoice, doubt)
    created = part.created
    writable = scheduled is None or scheduled.write is not None
    if created is None and writable and case.complete and case.deal.status == "won":
        created, doubt = _made_anew(case, context, part, invoice, scheduled)
        other = unlike(invoice, created)
        if other is not None:
            making.story.append(f"a person may have changed its {other}, so it stays a draft")
            return Told(invoice, None)
        if doubt is not None:
            making.issues.append(doubt)
    if created is None:
        making.story.append("what was first sent is not known, so it stays a draft")
        return Told(invoice, doubt)
    wanted = _wanted(making, part.contact, created)
    answer = may_approve(
        invoice, created, part.contact, context.policy, context.mode, part.invoice_base,
        part.invoice_now, context.today, context.locked_through, wanted=wanted, doubt=doubt,
        keep_date=scheduled is None and date_is_given(case.deal, context.inputs),
    )  # fmt: skip
    if isinstance(answer, str):
        making.story.append(answer)
        return Told(invoice, doubt)
    _reword(making, part, created, answer)
    making.ledger(
        Wave.APPROVALS, f"invoice:{part.marker}", answer, f"mode and rule allow: {wanted.because}",
        part,
        before={"status": invoice.status}, rule=wanted.because,
    )  # fmt: skip
    approved = msgspec.structs.replace(
        invoice, status="authorised", date=answer.date, due_date=answer.due_date
    )
    return Told(approved, None)


def _reword(making: Making, part: PartCase, created: InvoiceDraft, answer: InvoiceChange) -> None:
    """Before it is approved with another date: its words of early payment name a day, too."""
    day, rates = answer.date or created.date, making.context.ledger.tax_rates
    now = reworded(
        created, day, making.context.policy.terms.early, {r.code: r.percent for r in rates}
    )
    if now is None:
        return
    now = msgspec.structs.replace(now, due_date=answer.due_date or now.due_date)
    making.ledger(
        Wave.INVOICES, f"invoice:{part.marker}",
        InvoiceUpdate(invoice_id=answer.invoice_id, draft=now),
        f"it is approved on {day}, and its words count the days of early payment from there", part,
        before={"date": created.date.isoformat()},
    )  # fmt: skip


def _wanted(making: Making, contact: Contact | None, draft: InvoiceDraft) -> Wanted:
    """What the rules want this draft to end as, within the mode. Raises Held."""
    asked = invoice_context(making.case, making.context, draft.marker)
    return wanted_status(making.case.deal, contact, asked, draft)


def _made_anew(
    case: Case, context: Context, part: PartCase, invoice: Invoice, scheduled: Scheduled | None
) -> tuple[InvoiceDraft, Issue | None]:
    """What would have been sent on the draft's own day, where the state that sent it was lost."""
    asked = invoice_context(case, context, part.marker or "")
    asked = msgspec.structs.replace(asked, today=invoice.date or context.today, locked_through=None)
    created, _, _ = _write(case, part.contact, asked, scheduled)
    created = msgspec.structs.replace(created, new_customer=True)  # nobody knows, so it is careful
    return created, _doubt_of(case, context, created, invoice, scheduled)


def _foreseen(making: Making, part: PartCase, draft: InvoiceDraft, doubt: Issue | None) -> Invoice:
    """The invoice as the ledger is expected to answer, for the plan that a person is shown."""
    context = making.context
    invoice = Invoice(
        id=NOT_YET, kind="sale", status="draft", currency=draft.currency, page=NOT_YET,
        marker=draft.marker,
        contact_id=draft.contact_id, number=NOT_YET, date=draft.date, due_date=draft.due_date,
        sub_total=draft.sub_total, total_tax=draft.total_tax, total=draft.total, due=draft.total,
    )  # fmt: skip
    known = next((c for c in making.case.candidates if c.id == draft.contact_id), None)
    wanted = _wanted(making, known, draft)
    making.story.append(f"to be {wanted.status}, because {wanted.because}")
    approve = wanted.status == "authorised" and context.mode == "full"
    if doubt is not None or not approve or context.approvals_wait:
        return invoice
    change = InvoiceChange(
        invoice_id=NOT_YET, status="authorised", date=draft.date, due_date=draft.due_date
    )
    making.ledger(
        Wave.APPROVALS, f"invoice:{draft.marker}", change, f"mode and rule allow: {wanted.because}",
        part,
        before={"status": "draft"}, rule=wanted.because,
    )  # fmt: skip
    return msgspec.structs.replace(invoice, status="authorised")


def _content(invoice: Invoice) -> object:
    """What an invoice says, without the ids that the ledger gave to it and to its lines."""
    lines = [msgspec.structs.replace(line, id=None) for line in invoice.lines or ()]
    return invoice.contact_id, invoice.total, invoice.reference, lines
