"""What an answer means for the state: base, link, snapshot, audit and intent in one commit.

Keeps invariants 2, 6 (the base is the server's own answer) and 10 (a refusal parks one record).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

import msgspec

from syncjob.core.actions import (
    Action,
    ContactChange,
    ContactDraft,
    CreditDraft,
    CrmContactDraft,
    DealChange,
    InvoiceChange,
    InvoiceDraft,
    InvoiceEmail,
    InvoiceUpdate,
    Issue,
    MarkerChange,
    Message,
    NotDone,
    NoteDraft,
    Outcome,
    Rejected,
    Stale,
    Stored,
    Task,
    TemplateChange,
    TemplateDraft,
    Unknown,
    Wave,
)
from syncjob.core.contacts.fields import with_values
from syncjob.core.identity import fingerprint
from syncjob.core.records import Contact, CreditNote, Deal, Invoice, Template
from syncjob.core.rules.invoicing import date_is_given
from syncjob.core.rules.moves import REFUSED, name_of
from syncjob.engine.auditing import audit_write
from syncjob.engine.batch import Batch
from syncjob.engine.contacts.stored import changed_contact, contact_stored, words_of
from syncjob.engine.deal_writes import Shown, deal_stored
from syncjob.engine.drafts import draft_stored, update_stored
from syncjob.engine.papers import EMAILS_REST, invoice_cancelled, paper_stored
from syncjob.engine.pull import store_records
from syncjob.engine.telling import remember
from syncjob.engine.titles import vendor_title
from syncjob.engine.waits import note_payment
from syncjob.state.journal import Ended, Intent

#: How long approvals rest after the ledger said that its plan allows no more (BOOKKEEPING).
APPROVALS_REST = timedelta(hours=24)

#: What a write's answer may show.
Known = Contact | Invoice | Deal | Template | CreditNote


def apply(
    batch: Batch, intent: Intent, outcome: Outcome, deals: Mapping[int, Shown]
) -> Ended | None:
    """Write down what became of an intent, and tell its end, None if it stays open; call it inside
    a commit, in which it is then ended. `deals` are those of the round that are stored already, by
    the intent (engine/deal_writes)."""
    action = intent.action
    ended: Ended | None = None
    match outcome:
        case Stored(record=record, stamp=stamp):
            deal = deals.get(intent.id)
            known = record or _contact_as_written(batch, action, stamp)
            form = deal.form if deal else None
            stored(batch, intent, deal.deal if deal else known, settled=False, form=form)
            ended = (intent.id, "done", "stored")
        case Rejected():
            reject(batch, action, outcome)
            ended = (intent.id, "failed", _said(outcome))
        case Stale() | NotDone():
            ended = (intent.id, "void", _said(outcome))
            batch.counts["waiting"] += 1
        case Unknown():
            batch.counts["unknown"] += 1
    told = {"intent": intent.id, "kind": action.kind, "target": action.target}
    if isinstance(outcome, Stored):  # stands in the audit, and as a number in `call.answered`
        batch.log.debug("intent.answered", **told, outcome="stored")
    else:
        batch.log.info("intent.answered", **told, outcome=type(outcome).__name__.lower())
    return ended


def forgive(batch: Batch, targets: Collection[str]) -> None:
    """What these records failed before is over, since they are stored; call it inside a commit."""
    batch.state.journal.forget_setbacks(targets)
    batch.state.book.unpark(targets)


def _said(outcome: Outcome) -> str:
    return msgspec.json.encode(outcome).decode()[:500]


def stored(
    batch: Batch, intent: Intent, record: Known | None, *, settled: bool,
    form: dict[str, str | None] | None = None,
) -> None:  # fmt: skip
    """The write is done: link, base, snapshot and audit. Whoever calls this ends the intent in the
    same commit, and forgets what its record has failed before. `settled`: found later, by look-up;
    `form`: what the vendor stores for the write, if that is known already.

    After a settle the base is what the vendor is known to store for the call's bytes, so that a
    current value that differs is a person's edit (DESIGN 5.6); the snapshot is what stands now.
    """
    action, state = intent.action, batch.state
    wanted = batch.writer(action.side).stored_form(action) if form is None else form
    base = wanted
    if not settled and record is not None:
        base = batch.writer(action.side).current_form(action, record)
    audit_write(batch, intent, wanted | base)
    match action.payload:
        case ContactDraft() | CrmContactDraft() | ContactChange() | MarkerChange():
            contact_stored(batch, action, record, settled=settled)
        case InvoiceDraft():
            draft_stored(batch, action, record, settled=settled)
            wanted = base | wanted  # what the ledger filled in is agreed, too: a person may edit it
        case InvoiceUpdate():
            assert isinstance(record, Invoice)
            update_stored(batch, action, record)
            state.links.forget_base(action.side, f"invoice:{record.id}")
            wanted = base | wanted
        case InvoiceChange():
            _change_stored(batch, action.payload, record)
        case Task() | Message() | NoteDraft():
            remember(batch, action, sure=True)
        case TemplateDraft() | TemplateChange() | CreditDraft() | InvoiceEmail():
            paper_stored(batch, action.payload, record)
        case DealChange():
            wanted = action.payload.fields
            deal_stored(batch, intent, record, settled=settled)
        case _:
            pass
    target = _base_target(action, record)
    if target is not None:
        state.links.agree(action.side, target, wanted, base)
    note_payment(batch, action)
    batch.wrote(action, _WORDS.get(action.kind) or words_of(action))


_WORDS = {
    "contact.create": "contact created",
    "invoice.create": "draft created",
    "invoice.approve": "approved",
    "invoice.update": "draft updated",
    "invoice.delete": "draft deleted",
    "deal.update": "deal updated",
    "task.create": "task created",
    "template.create": "repeating invoice drafted",
    "template.delete": "repeating invoice deleted",
    "credit.create": "credit note drafted",
    "invoice.email": "e-mailed",
    "message.send": "message sent",
    "note.create": "note written",
}


def _base_target(action: Action, record: Known | None) -> str | None:
    if action.side == "crm":
        return action.target if isinstance(action.payload, DealChange) else None
    if isinstance(action.payload, ContactChange | MarkerChange):
        return None  # what a pair agreed on stands with the pair
    papers = TemplateDraft | TemplateChange | CreditDraft | InvoiceEmail
    if record is None or isinstance(action.payload, papers):
        return None
    return f"contact:{record.id}" if isinstance(record, Contact) else f"invoice:{record.id}"


def _change_stored(batch: Batch, change: InvoiceChange, record: object) -> None:
    assert isinstance(record, Invoice)
    if change.status == "authorised":  # so its plan allows approvals again
        batch.state.book.close_issues("organisation", keep=set(), at=batch.clock.now())
    if change.status == "deleted":
        batch.state.links.withdrawn(change.invoice_id)
        if change.cancelled_by:
            invoice_cancelled(batch, change)
        batch.state.snapshots.index(change.invoice_id, {"invoice.extra": []})
    store_records(batch, "ledger", "invoices", [record], strong=True)


def _contact_as_written(batch: Batch, action: Action, stamp: datetime | None) -> Contact | None:
    """The contact as it was last read, with what was written: where the CRM answers with the stamp
    alone. An edit that nobody has read yet bears this stamp too, and is read by its id then."""
    if stamp is None or not isinstance(action.payload, ContactChange | MarkerChange):
        return None
    contact_id = action.payload.contact_id
    old = batch.state.snapshots.get("crm", "contacts", contact_id, Contact)
    if old is None or (old.updated is not None and stamp < old.updated):
        return None
    form = batch.writer(action.side).stored_form(action)
    marker = form.pop("marker", old.marker)
    return msgspec.structs.replace(with_values(old, form), updated=stamp, marker=marker)


def _move_refused(batch: Batch, action: Action, words: str) -> bool:
    """The deal is written without its move next: what was refused was most likely that."""
    change = action.payload
    if not isinstance(change, DealChange) or change.move is None or not change.fields:
        return False
    name = name_of(change.move)
    batch.state.links.agree("crm", action.target, {REFUSED: name}, {REFUSED: words})
    batch.state.book.note("reference_doubt:crm", "1")  # the stage may be gone
    return True


def reject(batch: Batch, action: Action, outcome: Rejected, *, sent: bool = True) -> None:
    """Park the record, or let the organisation's approvals rest."""
    batch.counts["rejected"] += 1
    if sent and outcome.scope == "record" and _move_refused(batch, action, outcome.words):
        return
    subject = "organisation" if outcome.scope == "organisation" else action.subject
    page = _page(batch, action) if outcome.scope == "record" else None
    issue = Issue(
        code=outcome.code, subject=subject, field=outcome.field, page=page,
        state="note" if subject.startswith("contact:") or action.wave is Wave.NOTICES else "held",
        what=f"{vendor_title(batch.writer(action.side).name)} refused to "
        f"{_VERBS.get(action.kind, action.kind)}: {_sentence(outcome.words)}",
        next_step=outcome.next_step or "Mend the record; the next batch tries it again.",
    )  # fmt: skip
    batch.raise_issues([issue])
    if outcome.scope == "organisation":
        now = batch.ledger.server_time() or batch.clock.now()
        if isinstance(action.payload, InvoiceEmail):
            batch.state.book.note("emails_wait_until", (now + EMAILS_REST).isoformat())
        else:
            batch.state.book.note("approvals_wait_until", (now + APPROVALS_REST).isoformat())
        return
    deal = _deal(batch, action)
    known = fingerprint(
        action, batch.reference_hash, _billed(batch, action),
        day_given=deal is not None and date_is_given(deal, batch.config.crm.inputs),
    )  # fmt: skip
    batch.state.book.park(action.target, known, issue)
    batch.state.book.note(f"reference_doubt:{action.side}", "1")


def _sentence(words: str) -> str:
    """The vendor's words with an end, since our advice follows them."""
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _billed(batch: Batch, action: Action) -> Contact | None:
    """The ledger contact that the refused write was for, as this batch knew it."""
    contact_id = None
    if isinstance(action.payload, ContactChange | MarkerChange | CrmContactDraft):
        return changed_contact(batch, action)
    if isinstance(action.payload, InvoiceDraft | TemplateDraft):
        contact_id = action.payload.contact_id
    elif isinstance(action.payload, InvoiceChange | InvoiceUpdate | InvoiceEmail):
        known = batch.state.snapshots.get("ledger", "invoices", action.payload.invoice_id, Invoice)
        contact_id = known.contact_id if known else None
    if contact_id is None:
        return None
    return batch.state.snapshots.get("ledger", "contacts", contact_id, Contact)


_VERBS = {
    "contact.create": "create the contact",
    "contact.update": "change the contact",
    "contact.mark": "mark the contact",
    "crm_contact.create": "create the contact",
    "invoice.create": "create the invoice",
    "invoice.approve": "approve the invoice",
    "invoice.update": "update the draft",
    "invoice.delete": "delete the draft",
    "deal.update": "change the deal",
    "task.create": "create the task",
    "template.create": "create the repeating invoice",
    "template.delete": "delete the repeating invoice",
    "credit.create": "create the credit note",
    "invoice.email": "e-mail the invoice",
    "message.send": "take the message",
    "note.create": "take the note",
}


def _deal(batch: Batch, action: Action) -> Deal | None:
    deal_id = action.subject.removeprefix("deal:")
    return batch.state.snapshots.get("crm", "deals", deal_id, Deal)


def _page(batch: Batch, action: Action) -> str | None:
    changed = _billed(batch, action)
    if action.subject.startswith("contact:") and changed is not None:
        return changed.page
    deal = _deal(batch, action)
    return deal.page if deal else None
