"""Why a record is as it is: which record is meant, its story, or what can be said of one unknown.

From the state alone unless the batch has just read the record anew.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from syncjob.core.because import invoice_words
from syncjob.core.markers import is_left
from syncjob.core.records import Invoice
from syncjob.core.story import Awaited, Event, Story, WhyReport, in_order
from syncjob.engine import why_events as happened
from syncjob.engine.batch import Batch
from syncjob.engine.cases import load_context
from syncjob.engine.standing import last_began, next_batch
from syncjob.engine.subjects import Subject, candidate, meant
from syncjob.engine.why_contact import tell_contact
from syncjob.engine.why_deal import invoice_now, tell_deal
from syncjob.state.contacts import FORGOTTEN


def why(batch: Batch, text: str, *, fresh: bool = False) -> WhyReport:
    """The story of the record that the text means; else whom it may mean, and what to do."""
    name = batch.config.connection.name
    found = meant(batch.config, batch.state, text)
    subjects = found.exactly or found.alike
    if len(subjects) == 1:
        story = tell(batch, subjects[0], fresh=fresh)
        if story is None:
            return unknown(batch, text, subjects[0], fresh=fresh)
        taken = "" if found.exactly else f"Taken as {candidate(batch.state, subjects[0]).text}."
        return WhyReport(connection=name, asked=text, story=story, words=taken)
    if subjects:
        return WhyReport(
            connection=name, asked=text, words=several(text, exactly=bool(found.exactly)),
            candidates=tuple(candidate(batch.state, one) for one in subjects),
            next_step="Ask for one of them: `syncjob why` and what stands before it.",
        )  # fmt: skip
    nothing = f'Nothing that was read is called "{text}".'
    return WhyReport(
        connection=name, asked=text, words=found.about or nothing,
        next_step="Give a deal's number, an invoice's number, a customer's name or e-mail address, "
        "or the address of its page; what is new is read by the next batch (`syncjob run`).",
    )  # fmt: skip


def several(text: str, *, exactly: bool) -> str:
    """Before a list of what a text may mean."""
    if exactly:
        return f'"{text}" may mean any of these.'
    return f'No record is called exactly "{text}"; these are alike.'


def tell(batch: Batch, subject: Subject, *, fresh: bool) -> Story | None:
    """The story of one record; None if this state has never seen it."""
    match subject.kind:
        case "deal":
            return tell_deal(batch, subject.id, fresh=fresh)
        case "contact":
            return tell_contact(batch, subject.id, fresh=fresh)
    return tell_invoice(batch, subject.id, fresh=fresh)


def deal_of_invoice(batch: Batch, invoice_id: str) -> str | None:
    """The deal that an invoice is tied to, as a part of it or by its repeating invoice."""
    part = batch.state.links.part_of_invoice(invoice_id)
    return part.deal if part else batch.state.papers.deal_of_repeat(invoice_id)


def tell_invoice(batch: Batch, invoice_id: str, *, fresh: bool) -> Story | None:
    """The story of an invoice: that of its deal where it has one, told from the invoice."""
    invoice = batch.state.snapshots.get("ledger", "invoices", invoice_id, Invoice)
    if invoice is None:
        return None
    deal = deal_of_invoice(batch, invoice_id)
    story = tell_deal(batch, deal, fresh=fresh) if deal else None
    now = invoice_now(batch, load_context(batch), invoice)
    if story is None:
        return _loose(batch, invoice, deal, fresh=fresh)
    others = [one for one in story.invoices if one.id != invoice_id]
    mine = next((one for one in story.invoices if one.id == invoice_id), now)
    answer = story.answer if not others else f"{invoice_words(mine)} {story.answer}"
    return msgspec.structs.replace(
        story, kind="invoice", invoices=(mine, *others), page=invoice.page, answer=answer,
    )  # fmt: skip


def _loose(batch: Batch, invoice: Invoice, deal: str | None, *, fresh: bool) -> Story:
    """An invoice that no deal is tied to: a person's, or a bill."""
    context = load_context(batch)
    now = invoice_now(batch, context, invoice)
    owner = batch.state.links.contact_owner(invoice.contact_id or "")
    hidden = batch.state.contacts.ended(owner, invoice.contact_id) == FORGOTTEN
    if invoice.kind == "bill":
        answer, step = "It is a bill: syncjob never touches those.", "Nothing."
    elif deal is not None and is_left(deal):
        answer = (
            f"{invoice_words(now)} It is the invoice of deal {deal.partition('-')[2]} of the CRM "
            "that was left, and no row of the map says which deal that is now."
        )
        step = "Name the deal in the map, and repeat `syncjob relink`; else nothing."
    elif deal is not None:
        answer = f"It is tied to deal {deal}, which this state has never read."
        step = f"`syncjob why deal {deal} --fresh` reads it."
    else:
        answer = f"{invoice_words(now)} No deal is tied to it: a person made it in the ledger."
        step = (
            f"Nothing, if that is right; `syncjob link DEAL {now.name}` ties it to a deal, and "
            "`syncjob match invoices` proposes pairs."
        )
    return Story(
        kind="invoice", subject=f"invoice:{invoice.id}", title=now.name, answer=answer,
        next_step=step, page=invoice.page, invoices=(now,), fresh=fresh, hidden=hidden,
        events=in_order(_events(batch, invoice, now.name), batch.zone),
        awaited=tuple(_awaits(now.due > 0 and invoice.status == "authorised", now.name)),
        last_batch=last_began(batch), next_batch=next_batch(batch),
    )  # fmt: skip


def _awaits(owed: bool, name: str) -> Iterator[Awaited]:
    if owed:
        yield Awaited(kind="payment", text=f"the customer's payment of {name}")


def _events(batch: Batch, invoice: Invoice, name: str) -> Iterator[Event]:
    yield from happened.looks(batch, [("ledger", "invoices", invoice.id, name)])
    yield from happened.money(batch, invoice, name)
    yield from happened.issues(batch.state.issues.of(f"invoices:{invoice.id}"))


# --- never seen ----------------------------------------------------------------------------------


def unknown(batch: Batch, text: str, subject: Subject, *, fresh: bool) -> WhyReport:
    """What can be said of a record that no batch has read."""
    what = f"{subject.kind} {subject.id}"
    parts = batch.state.links.parts(subject.id) if subject.kind == "deal" else []
    reasons = tuple(_why_unseen(batch, subject))
    if fresh:
        step = "Check the number, and that the token's user may see it."
    elif subject.kind == "deal":
        step = f"`syncjob why deal {subject.id} --fresh` reads it now and writes nothing."
    else:
        step = "`syncjob run` reads what is new; `syncjob run --since DAY` reads further back."
    made = [f"{part.marker} in the ledger bears its key." for part in parts]
    return WhyReport(
        connection=batch.config.connection.name, asked=text, reasons=(*made, *reasons),
        words=f"No batch has read {what}.", next_step=step,
    )  # fmt: skip


def _why_unseen(batch: Batch, subject: Subject) -> Iterator[str]:
    """Why a record may never have been read."""
    since = batch.config.invoices.won_since
    stream = {"deal": "deals", "invoice": "invoices"}.get(subject.kind, "contacts")
    crm = subject.kind == "deal" or not subject.id.startswith("ledger:")
    side = "crm" if crm and subject.kind != "invoice" else "ledger"
    cursor = batch.state.snapshots.cursor("crm" if side == "crm" else "ledger", stream)
    if subject.kind == "deal":
        yield (
            f"Deals are read that changed since shortly before invoices.won_since ({since}): one "
            "that was won earlier and left alone since is never read, and never invoiced."
        )
    if subject.kind == "deal":
        every = batch.config.schedule.archived_every_minutes
        yield f"Archived deals are another list, read every {every} minutes."
    if subject.kind == "invoice":
        yield "Bills are never read: syncjob does not touch them."
        yield f"Invoices are read that changed since weeks before invoices.won_since ({since})."
    if subject.kind == "contact" and side == "crm":
        yield "A CRM contact is read with its first won deal, or all of them with contact sync."
    if cursor.polled is not None:
        yield f"What is newer than {cursor.polled:%Y-%m-%d %H:%M} UTC is read by the next batch."
    elif subject.kind != "contact":
        yield "No batch has read that list to its end yet."
    yield "It may have another number, be deleted, or be hidden from the user whose token is used."
