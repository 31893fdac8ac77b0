"""What one deal needs now: every write in order, each with its reason, or why there is none.

`decide` is asked twice: before the first write, where each step is followed by the answer the
ledger is expected to give (that is the plan that a dry run shows and the guard counts), and before
each wave of the push with the real answers in the state. Keeps invariants 1, 6, 7, 8 and 10.
"""

from __future__ import annotations

from datetime import date

import msgspec

from syncjob.core.actions import (
    Action,
    ContactDraft,
    Decision,
    InvoiceChange,
    InvoiceDraft,
    Issue,
    Payload,
    Wave,
)
from syncjob.core.case import Case, Context
from syncjob.core.deal_status import deal_change
from syncjob.core.holds import already_invoiced, customer, possible_double_of, too_large
from syncjob.core.identity import fingerprint
from syncjob.core.markers import WHOLE, invoice_marker, marker_in
from syncjob.core.records import Contact, Invoice
from syncjob.core.rules.changes import after_win, may_approve, next_generation, touched, unlike
from syncjob.core.rules.eligibility import eligible
from syncjob.core.rules.invoicing import (
    InvoiceContext,
    date_is_given,
    doubt_of,
    draft_invoice,
)
from syncjob.core.rules.settlement import next_due_day
from syncjob.errors import Held

_NOT_YET = "(assigned by the ledger)"


class _Draft(msgspec.Struct):
    """The decision while it is being made."""

    case: Case
    context: Context
    actions: list[Action]
    issues: list[Issue]
    story: list[str]

    def ledger(
        self,
        wave: Wave,
        target: str,
        payload: Payload,
        reason: str,
        before: dict[str, str | None] | None = None,
    ) -> None:
        """One write to the ledger, in its place in the order."""
        action = Action(
            side="ledger", wave=wave, subject=self.case.subject, target=target, payload=payload,
            reason=reason, before=before or {},
        )  # fmt: skip
        self.append(action)

    def append(self, action: Action) -> None:
        """Add the write, unless the vendor refused exactly this before: raises _Refused."""
        refused = self.case.parked.get(action.target)
        known = fingerprint(
            action, self.context.reference_hash, self._billed(action.payload),
            day_given=date_is_given(self.case.deal, self.context.inputs),
        )  # fmt: skip
        if refused and refused[0] == known:
            # A customer's refusal was first told of another of its deals; each deal has its own.
            raise _Refused(
                msgspec.structs.replace(
                    refused[1], subject=self.case.subject, page=self.case.deal.page
                )
            )
        self.actions.append(action)

    def _billed(self, payload: Payload) -> Contact | None:
        """The ledger contact that this write is for, if it is for one that exists."""
        if isinstance(payload, InvoiceChange):
            return self.case.contact
        if not isinstance(payload, InvoiceDraft):
            return None
        return next((c for c in self.case.candidates if c.id == payload.contact_id), None)

    def done(self, *, wake_on: date | None = None, waits: str | None = None) -> Decision:
        return Decision(
            subject=self.case.subject, actions=tuple(self.actions), issues=tuple(self.issues),
            story=tuple(self.story), wake_on=wake_on, waits=waits,
        )  # fmt: skip


class _Refused(Exception):
    """The vendor refused exactly this before; it waits until data, config or rules change."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.what)
        self.issue = issue


def decide(case: Case, context: Context) -> Decision:
    """All writes for this deal, in order, as far as they can be foreseen, and all issues."""
    draft = _Draft(case, context, [], [], [])
    if case.busy:
        return draft.done(waits="the outcome of the last write is still being found out")
    try:
        invoice, issue = _invoice(draft)
    except _Refused as refused:
        invoice, issue = case.invoice, refused.issue
        draft.issues.append(issue)
    except Held as held:
        issue = _issue(case, held)
        draft.issues.append(issue)
        # An invoice that a person ended is still what there is to tell; one of ours is not.
        invoice = case.invoice or (case.last if held.code == "reissue_needed" else None)
    _bring_deal_up_to_date(draft, invoice, issue)
    return draft.done(wake_on=_wake(draft, invoice))


def _wake(draft: _Draft, invoice: Invoice | None) -> date | None:
    """The day on which to decide again unasked: each batch while an approval waits for the
    ledger's plan, else when the invoice falls due."""
    context = draft.context
    if context.approvals_wait and context.approvals_wait in draft.story:
        return context.today
    wake = next_due_day(invoice, context.overdue) if invoice else None
    return wake if wake and wake > context.today else None


def needs_lines(case: Case, context: Context) -> bool:
    """Whether this deal can only be decided with its lines (read in bulk by the engine)."""
    if case.complete or case.busy or case.deal.status != "won" or case.deal.archived:
        return False
    if case.invoice is None:
        return _excluded(case, context) is None
    return (
        case.invoice.status == "draft"
        and case.created is None
        and context.policy.status == "authorised"
        and context.mode == "full"
    )


# --- the invoice --------------------------------------------------


def _invoice(draft: _Draft) -> tuple[Invoice | None, Issue | None]:
    """The deal's invoice as it will stand, and the issue to show on the deal."""
    case = draft.case
    _extra_drafts(draft)
    if case.invoice is not None:
        return _existing(draft, case.invoice)
    if case.deal.status != "won":
        draft.story.append(f"the deal is {case.deal.status}, not won")
        return case.last, None
    excluded = _excluded(case, draft.context)
    if excluded is not None:
        draft.issues.append(excluded)
        draft.story.append(excluded.what)
        return case.last, excluded
    if case.deal.archived:
        draft.issues.append(_archived(case))
        return case.last, None
    if not case.complete:
        draft.story.append("its lines were not read in this batch")
        return case.last, None
    return _new_invoice(draft)


def _archived(case: Case) -> Issue:
    """A deal that was put away before it was invoiced: most likely nobody meant that."""
    return Issue(
        code="won_but_archived", subject=case.subject, page=case.deal.page, state="note",
        what="The deal was won, and archived before it had an invoice.",
        next_step="Un-archive it in the CRM and it is invoiced; or, if it is never to be, "
        f"`syncjob resolve deal {case.deal.id} --never`.",
    )  # fmt: skip


def _excluded(case: Case, context: Context) -> Issue | None:
    """The rule by which this won deal is not invoiced, if there is one."""
    if "never" in case.answers:
        return Issue(
            code="never", subject=case.subject, state="excluded",
            what="A person decided that this deal is never invoiced.",
            next_step=f"`syncjob resolve deal {case.deal.id} --create` takes that back.",
        )  # fmt: skip
    name = case.party.name if case.party else None
    return eligible(case.deal, context.policy, context.inputs, context.crm, name, context.zone)


def _existing(draft: _Draft, invoice: Invoice) -> tuple[Invoice | None, Issue | None]:
    case, context = draft.case, draft.context
    draft.story.append(f"its invoice is {invoice.number or case.marker}")
    answer = after_win(
        case.deal, invoice, case.invoice_base, case.invoice_now, context.locked_through
    )
    if isinstance(answer, InvoiceChange):
        draft.ledger(
            Wave.INVOICES, f"invoice:{case.marker}", answer,
            f"the deal is {case.deal.status} again and nobody has touched its draft",
            before={"status": invoice.status},
        )  # fmt: skip
        return msgspec.structs.replace(invoice, status="deleted"), None
    if isinstance(answer, Issue) and "never" in case.answers:
        return invoice, None  # a person knows, and wants the deal left alone
    if isinstance(answer, Issue):
        draft.issues.append(answer)
        return invoice, answer
    doubt = _doubt(case, context, invoice)
    if doubt is not None:
        draft.issues.append(doubt)
    return _approve(draft, invoice, doubt)


def _doubt(case: Case, context: Context, invoice: Invoice) -> Issue | None:
    """For as long as it is a draft: whether its total agrees with what the deal says."""
    if invoice.status != "draft" or case.created is None or case.deal.status != "won":
        return None
    touched_by = touched(case.invoice_base, case.invoice_now)
    return doubt_of(case.deal, case.created, context.policy, None if touched_by else invoice)


def _approve(draft: _Draft, invoice: Invoice, doubt: Issue | None) -> tuple[Invoice, Issue | None]:
    """Approve a draft where rule and mode allow it; else say why it stays a draft. Returns what
    there is to tell of it, too: what the state forgot may be in doubt as it is made anew."""
    case, context = draft.case, draft.context
    if invoice.status != "draft" or context.policy.status != "authorised":
        return invoice, doubt
    if invoice.marker != case.marker:
        draft.story.append("a person made this draft, so a person approves it")
        return invoice, doubt
    if context.mode == "full" and context.approvals_wait:
        draft.story.append(context.approvals_wait)
        return invoice, doubt
    created = case.created
    if created is None and case.complete and case.deal.status == "won":
        created, doubt = _made_anew(case, context, invoice)
        other = unlike(invoice, created)
        if other is not None:
            draft.story.append(f"a person may have changed its {other}, so it stays a draft")
            return invoice, None
        if doubt is not None:
            draft.issues.append(doubt)
    if created is None:
        draft.story.append("what was first sent is not known, so it stays a draft")
        return invoice, doubt
    answer = may_approve(
        invoice, created, case.contact, context.policy, context.mode, case.invoice_base,
        case.invoice_now, context.today, context.locked_through, doubt=doubt,
        keep_date=date_is_given(case.deal, context.inputs),
    )  # fmt: skip
    if isinstance(answer, str):
        draft.story.append(answer)
        return invoice, doubt
    draft.ledger(
        Wave.APPROVALS, f"invoice:{case.marker}", answer, "rule and mode say: authorised",
        before={"status": invoice.status},
    )  # fmt: skip
    return msgspec.structs.replace(
        invoice, status="authorised", date=answer.date, due_date=answer.due_date
    ), None


def _made_anew(case: Case, context: Context, invoice: Invoice) -> tuple[InvoiceDraft, Issue | None]:
    """What would have been sent on the draft's own day, where the state that sent it was lost."""
    asked = _invoice_context(case, context, case.marker or "")
    asked = msgspec.structs.replace(asked, today=invoice.date or context.today, locked_through=None)
    created, _, _ = draft_invoice(case.deal, case.contact, asked)
    return created, doubt_of(case.deal, created, context.policy, invoice)


def _new_invoice(draft: _Draft) -> tuple[Invoice | None, Issue | None]:
    case, context = draft.case, draft.context
    already_invoiced(case, context)
    generation = next_generation(case.history, case.deal.id)
    if generation is None:
        return case.last, None
    contact = customer(case, context)
    marker = invoice_marker(context.code, case.deal.id, WHOLE, generation)
    existing = contact if isinstance(contact, Contact) else None
    invoice, story, doubt = draft_invoice(
        case.deal, existing, _invoice_context(case, context, marker)
    )
    draft.story.extend(story)
    possible_double_of(case, context, invoice, existing)
    too_large(case, context, invoice)
    if isinstance(contact, ContactDraft):
        draft.ledger(
            Wave.LEDGER_CONTACTS, f"contact:{contact.marker}", contact,
            "no contact in the ledger is this customer",
        )  # fmt: skip
    draft.ledger(Wave.INVOICES, f"invoice:{marker}", invoice, "the deal is won")
    if doubt is not None:
        draft.issues.append(doubt)
    return _foreseen(draft, invoice, doubt), doubt


def _invoice_context(case: Case, context: Context, marker: str) -> InvoiceContext:
    return InvoiceContext(
        policy=context.policy, inputs=context.inputs, ledger=context.ledger, today=context.today,
        marker=marker, locked_through=context.locked_through, zone=context.zone,
    )  # fmt: skip


def _foreseen(draft: _Draft, made: InvoiceDraft, doubt: Issue | None) -> Invoice:
    """The invoice as the ledger is expected to answer, for the plan that a person is shown."""
    context = draft.context
    invoice = Invoice(
        id=_NOT_YET, kind="sale", status="draft", currency=made.currency, page=_NOT_YET,
        contact_id=made.contact_id, number=_NOT_YET, date=made.date, due_date=made.due_date,
        sub_total=made.sub_total, total_tax=made.total_tax, total=made.total, due=made.total,
    )  # fmt: skip
    approve = context.policy.status == "authorised" and context.mode == "full"
    if doubt is not None or not approve or context.approvals_wait:
        return invoice
    change = InvoiceChange(
        invoice_id=_NOT_YET, status="authorised", date=made.date, due_date=made.due_date
    )
    draft.ledger(
        Wave.APPROVALS, f"invoice:{made.marker}", change, "rule and mode say: authorised",
        before={"status": "draft"},
    )  # fmt: skip
    return msgspec.structs.replace(invoice, status="authorised")


def _extra_drafts(draft: _Draft) -> None:
    """A second invoice with our marker: an untouched draft goes, anything else is for a person."""
    case, first = draft.case, draft.case.invoice
    for extra in case.extra:
        same = first is not None and _content(extra) == _content(first)
        # Only we can write the Url; a person's copy of our invoice bears the reference alone.
        ours = marker_in(extra.url, None) is not None
        if extra.status == "draft" and not extra.sent and same and ours:
            change = InvoiceChange(invoice_id=extra.id, status="deleted")
            draft.ledger(
                Wave.INVOICES, f"invoice:{extra.id}", change,
                "a second draft bears this deal's marker", before={"status": extra.status},
            )  # fmt: skip
        draft.issues.append(
            Issue(
                code="duplicate_effect", subject=case.subject, page=extra.page, state="note",
                what=f"A second invoice ({extra.number or extra.id}, {extra.status}) bears the "
                "marker of this deal.",
                next_step="An untouched draft of ours is deleted by the next batch; delete or void "
                "anything else in the ledger if it is one too many, or change its reference.",
            )
        )  # fmt: skip


def _issue(case: Case, held: Held) -> Issue:
    return Issue(
        code=held.code, subject=case.subject, what=held.what, next_step=held.next_step,
        field=held.field, page=case.deal.page,
    )  # fmt: skip


def _bring_deal_up_to_date(draft: _Draft, invoice: Invoice | None, issue: Issue | None) -> None:
    """Write what is true to the deal's own fields, if they say anything else."""
    found = deal_change(draft.case, draft.context, invoice, issue)
    if isinstance(found, Issue):
        draft.issues.append(found)
    elif found is not None:
        try:
            draft.append(found)
        except _Refused as refused:
            draft.issues.append(refused.issue)


def _content(invoice: Invoice) -> object:
    """What an invoice says, without the ids that the ledger gave to it and to its lines."""
    lines = [msgspec.structs.replace(line, id=None) for line in invoice.lines or ()]
    return invoice.contact_id, invoice.total, invoice.reference, lines
