"""What follows once a deal's invoices stand: a repeating invoice, e-mails, notes for a person.

Keeps invariants 1 (one template for a deal and generation) and 7 (templates, e-mails and credits
are people's once they are made). The first period of recurring lines is an ordinary invoice
(core/parts); what stands here begins after it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from syncjob.core.actions import ContactDraft, InvoiceEmail, Issue, TemplateDraft, Wave
from syncjob.core.case import Case, Context, PartCase
from syncjob.core.case_after import TemplateCase
from syncjob.core.exclusion import excluded_later, note_excluded
from syncjob.core.making import Making, Refused
from syncjob.core.markers import WHOLE, parse_invoice_marker, template_marker
from syncjob.core.records import DEAD, Contact, Invoice
from syncjob.core.repeating import added_up, differs, drafted
from syncjob.core.rules.credit import left as left_to_credit
from syncjob.core.rules.early import early_payment
from syncjob.core.rules.mailing import NotYet, may_email
from syncjob.core.rules.recurring import (
    recurring_lines,
    schedule_for,
)
from syncjob.errors import Held

#: A part's key with its invoice as it will stand.
Standing = tuple[PartCase, Invoice]


def afterwards(making: Making, standing: Sequence[Standing]) -> list[Invoice]:
    """Decide what follows; returns the live invoices that the deal's templates have made."""
    for part, invoice in standing:
        _email(making, part, invoice)
        _early(making, part, invoice)
        _page(making, invoice)
    _template(making, standing)
    return repeated(making)


def repeated(making: Making) -> list[Invoice]:
    """The live invoices of the deal's templates, and of those of deals merged into it: such a
    template goes on beside the deal's own, which a person should know."""
    case = making.case
    going = [t.marker or t.id for t in case.after.merged if t.status != "deleted"]
    if going and "never" not in case.answers:
        making.issues.append(
            _note(
                case, "template_of_merged_deal",
                "A deal that was merged into this one left a repeating invoice, and it is still "
                f"there: {', '.join(going)}.",
                "Delete it in the ledger (Repeating) if it bills what this deal bills already.",
            )
        )  # fmt: skip
    return [invoice for invoice in case.after.repeats if invoice.status not in DEAD]


def needs_recurring_lines(case: Case, context: Context) -> bool:
    """Whether lines must be read of a deal that has its invoice: its template is still to be
    made, or the deal has changed and the template may not say the same any more."""
    after = case.after
    if context.policy.recurring != "template" or not case.live:
        return False
    if after.template is None:
        return after.recurs
    record = after.template.record
    if record is not None and record.status == "deleted":
        whole = next((part for part in case.live if part.name == WHOLE), None)
        return after.recurs and whole is not None and _generation(whole) > after.template.generation
    return after.changed or case.moved or "template_differs" in after.told


def hold_recurring(case: Case, context: Context, part: PartCase) -> None:
    """Hold a deal before its first invoice if no template could follow it. Raises Held."""
    lines = recurring_lines(case.deal)
    if not lines or context.policy.recurring == "hold":
        return  # the row's own rule holds it
    if part.name != WHOLE:
        raise Held(
            "recurring_with_schedule",
            "The deal has recurring lines and a schedule of several invoices.",
            field="billing_frequency",
            next_step="Sell what recurs in a deal of its own, or take the schedule away.",
        )
    if context.policy.recurring == "template":
        schedule_for(case.deal, context.today, context.today)


# --- repeating invoices --------------------------------------------------------------------------


def _template(making: Making, standing: Sequence[Standing]) -> None:
    case, context = making.case, making.context
    whole = next(((p, i) for p, i in standing if p.name == WHOLE), None)
    if case.after.template is not None and not _superseded(case.after.template, whole):
        _watch(making, case.after.template)
        return
    if whole is None or context.policy.recurring != "template" or not case.complete:
        return
    if case.after.template is None and any(t.status != "deleted" for t in case.after.merged):
        making.story.append("a deal that was merged into it left a repeating invoice")
        return
    if case.deal.status != "won" or "never" in case.answers or not recurring_lines(case.deal):
        return
    part, invoice = whole
    if invoice.status in DEAD or (part.marker and invoice.marker != part.marker):
        making.story.append("a person made its invoice, so a person makes what repeats")
        return
    rule = excluded_later(case, context)
    if rule is not None and not left_to_credit(invoice, case.credit_notes):
        return  # all of it was credited, as was asked for
    if rule is not None:
        note_excluded(making, rule, "No repeating invoice is made of it.", invoice.page)
        return
    if any(issue.code == "unusually_large" for issue in making.issues):
        return  # it would repeat the sum that a person is asked about
    _make(making, part, invoice)


def _make(making: Making, part: PartCase, invoice: Invoice) -> None:
    """Make the template that goes on from this invoice, or say why there is none."""
    case = making.case
    try:
        draft = _wished(making, part, invoice)
        if draft is not None and case.after.unseen:
            making.issues.append(_unseen(case))
        elif draft is not None:
            making.ledger(
                Wave.TEMPLATES, f"template:{draft.marker}", draft,
                "its lines are billed again; a person approves the repeating invoice", part,
            )  # fmt: skip
    except Refused as refused:
        making.issues.append(msgspec.structs.replace(refused.issue, state="note"))
    except Held as held:
        making.issues.append(_note(case, held.code, held.what, held.next_step, held.field))


def _unseen(case: Case) -> Issue:
    return _note(
        case, "template_unseen",
        "Its repeating invoice is not made: the ledger shows one that cannot be read, and it may "
        "be the one.",
        "`syncjob issues` names it; it is tried again each hour. If it is right in the ledger's "
        "own pages, report it.",
    )  # fmt: skip


def _superseded(template: TemplateCase, whole: Standing | None) -> bool:
    """Whether a person ended the template, and the deal was then invoiced anew: a new generation
    may have its own."""
    over = template.record is not None and template.record.status == "deleted"
    return over and whole is not None and _generation(whole[0]) > template.generation


def _generation(part: PartCase) -> int:
    """The generation of the part's invoice, be it there or still to be made."""
    parsed = parse_invoice_marker(part.marker or "")
    return parsed[3] if parsed else 1 + max((old.generation for old in part.history), default=0)


def _wished(making: Making, part: PartCase, invoice: Invoice) -> TemplateDraft | None:
    """The template that goes on from this invoice. Raises Held."""
    case, context = making.case, making.context
    schedule = schedule_for(case.deal, invoice.date or context.today, context.today)
    if schedule is None:
        return None
    marker = template_marker(context.code, case.deal.id, _generation(part))
    return drafted(case.deal, case, context, _billed(making, part, invoice), marker, schedule)


def _billed(making: Making, part: PartCase, invoice: Invoice) -> Contact | None:
    """The ledger contact that the invoice bills; a new one as it is about to be made."""
    if part.contact is not None:
        return part.contact
    known = next((c for c in making.case.candidates if c.id == invoice.contact_id), None)
    if known is not None:
        return known
    for action in making.actions:
        if isinstance(action.payload, ContactDraft) and invoice.contact_id is None:
            email = action.payload.email
            return Contact(
                id="", kind="contact", name=action.payload.name, emails=(email,) if email else ()
            )
    return None


def _watch(making: Making, template: TemplateCase) -> None:
    """A template that is there belongs to people; what they should know of it is told."""
    case, record = making.case, template.record
    if record is None or record.status == "deleted" or "never" in case.answers:
        return
    name = f"the repeating invoice {template.marker}"
    if case.deal.status != "won":
        making.issues.append(
            _note(
                case, "template_of_lost_deal",
                f"The deal is {case.deal.status}, but {name} is still there"
                + (" and goes on making invoices." if record.status == "authorised" else "."),
                "Delete it in the ledger (Repeating), or win the deal again.", page=record.page,
            )
        )  # fmt: skip
        return
    if record.status == "draft":
        making.issues.append(
            _note(
                case, "template_to_approve",
                f"Its recurring lines became {name}, a draft that begins on {record.starts}."
                f"{added_up(template, record)}",
                "Look it over and approve it in the ledger (Repeating), before that day; its "
                "invoices are then tied to the deal.", page=record.page,
            )
        )  # fmt: skip
    other = differs(case, making.context, template, record)
    if other is not None:
        making.issues.append(
            _note(
                case, "template_differs",
                f"The deal was changed after {name} was made: {other}.",
                "Edit it in the ledger (the API cannot), or put the deal back.", page=record.page,
            )
        )  # fmt: skip


# --- e-mail, early payment, the customer's page ---------------------------------------------------


def _email(making: Making, part: PartCase, invoice: Invoice) -> None:
    """E-mail an approved invoice of ours once, where config, mode and customer allow it."""
    case, context = making.case, making.context
    ours = part.marker is None or invoice.marker == part.marker
    if not ours or case.deal.status != "won":
        return
    contact = _billed(making, part, invoice)
    mailed = case.after.mailed.get(invoice.id)
    if mailed == "unknown" and not invoice.sent:
        making.issues.append(_mail_unknown(case, invoice))
    changed = case.after.address_changes.get(contact.id) if contact else None
    answer = may_email(
        invoice, contact, mailed, changed, context.mailing, context.mode, context.today
    )
    rule = excluded_later(case, context) if isinstance(answer, InvoiceEmail) else None
    if rule is not None:
        words = f"Its invoice {invoice.number or invoice.id} is not e-mailed."
        note_excluded(making, rule, words, invoice.page)
    elif isinstance(answer, InvoiceEmail):
        target = f"mail:{part.marker or _marker_to_be(making)}"
        try:
            making.ledger(Wave.EMAILS, target, answer, "approved, and e-mail is on", part)
        except Refused as refused:
            making.issues.append(msgspec.structs.replace(refused.issue, state="note"))
    elif isinstance(answer, NotYet):
        making.story.append(answer.why)
        making.wake(answer.on)
        if answer.needs_person:
            making.issues.append(
                _note(
                    case, "email_not_sent",
                    f"{invoice.number or 'Its invoice'} is not e-mailed: {answer.why}.",
                    "Give the contact an address in the ledger, or send the invoice another way "
                    "and mark it as sent there.", page=invoice.page,
                )
            )  # fmt: skip


def _marker_to_be(making: Making) -> str:
    """The marker of the invoice that this decision creates."""
    made = (a.marker for a in making.actions if a.kind == "invoice.create")
    return next((marker for marker in made if marker), making.case.deal.id)


def _mail_unknown(case: Case, invoice: Invoice) -> Issue:
    name = invoice.number or "its invoice"
    return _note(
        case, "email_unknown",
        f"Whether {name} was e-mailed is not known: the answer was lost, and the ledger does not "
        "show it as sent. It is not sent again.",
        "Look at its history in the ledger; if it was not sent, send it there. Once it is marked "
        "as sent this closes.", page=invoice.page,
    )  # fmt: skip


def _early(making: Making, part: PartCase, invoice: Invoice) -> None:
    """A short payment in time: what is missing is the discount that was offered."""
    offer = part.created.early if part.created else None
    if offer is None or invoice.date is None or invoice.status != "authorised":
        return
    evidence = making.context.policy.terms.early.evidence
    taken = early_payment(
        offer, evidence, invoice.date, invoice.total, invoice.due, invoice.settlements
    )
    if taken is None:
        return
    deal, name = making.case.deal.id, invoice.number or "its invoice"
    what = (
        f"{name} was paid on {taken.paid_on} with the discount for early payment; "
        f"{taken.missing:,.2f} {invoice.currency} is open and not overdue."
    )
    step = (
        f'`syncjob credit {deal} --amount {taken.missing:f} --reason "early payment discount"` '
        "makes the credit note as a draft; approve it and apply it in the ledger."
    )
    if taken.evidence == "wording":
        step = (
            "The invoice's own words stand in for a credit note to the customer; close the "
            f"{taken.missing:,.2f} in the ledger as finance does, or: {step}"
        )
    making.issues.append(_note(making.case, "early_payment_taken", what, step, page=invoice.page))


def _page(making: Making, invoice: Invoice) -> None:
    """The customer's page is read in the batch after the approval (engine/papers)."""
    if not making.context.policy.online_link or invoice.status not in ("authorised", "paid"):
        return
    after, today = making.case.after, making.context.today
    if invoice.id not in after.online:
        making.wake(today)
    elif invoice.id in after.page_days:
        making.wake(max(after.page_days[invoice.id], today))


def _note(
    case: Case, code: str, what: str, step: str, field: str = "", page: str | None = None
) -> Issue:
    return Issue(
        code=code, subject=case.subject, what=what, next_step=step, field=field,
        page=page or case.deal.page, state="note",
    )  # fmt: skip
