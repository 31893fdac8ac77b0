"""A deal that is invoiced in parts: each made when its day comes, all of them tied to the deal.

What the schedule no longer has is treated like the invoice of a re-opened deal: our untouched draft
is deleted, anything else is for a person, and nothing new is made beside it (invariant 1).
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import msgspec

from syncjob.core.actions import InvoiceChange, InvoiceUpdate, Issue, Wave
from syncjob.core.case import PartCase
from syncjob.core.exclusion import leave_out
from syncjob.core.holds import too_large, unreadable
from syncjob.core.making import Making, Refused
from syncjob.core.outline import Outline, outline_of
from syncjob.core.parts import Scheduled, Told, existing, made, second_ones
from syncjob.core.placing import Place
from syncjob.core.records import Invoice
from syncjob.core.revising import gone_to_another, invoice_context
from syncjob.core.rules.changes import ENDED_BY_PERSON, withdrawn
from syncjob.errors import Held


class Parts(NamedTuple):
    """What became of a deal's parts. `to_come` says which is made next, None if none is; `known`
    is False while the deal's lines were not read, so that nobody can say how much of it is
    invoiced."""

    told: list[Told]
    to_come: str | None = None
    known: bool = True


def decide_parts(making: Making, stopped: Issue | None) -> Parts:
    """All parts of the deal. `stopped` is the rule by which it is not (or not further) invoiced."""
    case = making.case
    for part in case.parts:
        second_ones(making, part)
    if case.deal.status != "won":
        making.story.append(f"the deal is {case.deal.status}, not won")
        return Parts(_standing(making))
    if stopped is not None:
        leave_out(making, stopped)
        return Parts(_standing(making, None if case.live else stopped))
    if not case.complete:
        if case.deal.archived and not case.live:  # nothing is made of it, so nothing was read
            making.story.append("its lines were not read in this batch")
            return Parts(_standing(making))
        return Parts(_standing(making, making.held(unreadable())), known=not case.live)
    try:
        outline = outline_of(case, making.context)
    except Held as held:
        issue = making.held(held)
        return Parts(_standing(making, issue), to_come=held.what if case.live else None)
    return _outlined(making, outline) if outline is not None else _whole(making)


def _whole(making: Making) -> Parts:
    """No schedule applies after all."""
    part = next((part for part in making.case.parts if part.key == ""), PartCase())
    if making.case.deal.archived:
        return Parts([_archived(making, part.last)])
    return Parts([_guarded(making, part, None)])


def _standing(making: Making, issue: Issue | None = None) -> list[Told]:
    """The invoices that there are, where no new one is thought of; else the newest that ended.
    `issue` is why nobody can say what their parts are, and keeps drafts from being approved; of a
    deal that is held, what we took back ourselves is nothing to tell of."""
    told = [
        _kept(making, part, part.invoice, Scheduled(name=part.name, doubt=issue))
        for part in making.case.live
        if part.invoice is not None
    ]
    held = issue is not None and issue.state == "held"
    ended = [
        part.last
        for part in making.case.parts
        if part.last is not None and not (held and part.history[-1].deleted_by_us)
    ]
    told = told or [Told(invoice, None) for invoice in ended[-1:]]
    return [*told, Told(None, issue)] if issue is not None else told


def _outlined(making: Making, outline: Outline) -> Parts:
    """Every part in its place: kept, made, waited for, or given up."""
    _differing(making, outline)
    told = [_stray(making, stray) for stray in outline.strays]
    to_make = {place.slot.key for place in outline.still_to_make}
    free = not outline.strays and not making.case.deal.archived
    waiting: list[Place] = []
    for place in outline.places:
        invoice, scheduled = place.part.invoice, _as_part(outline, place)
        if invoice is not None:
            followed = _follow(making, outline, place, invoice)
            told.append(followed or _kept(making, place.part, invoice, scheduled))
        elif place.gone or (place.slot.key in to_make and free and _is_due(making, place)):
            told.append(_guarded(making, place.part, scheduled))
            if told[-1].invoice is None:
                waiting.append(place)
        elif place.slot.key in to_make:
            waiting.append(place)
    if making.case.deal.archived and waiting:
        told.append(_archived(making, None))
    making.story += [f"next: {_when(making, place)}" for place in waiting]
    words = f"Next invoice: {_when(making, waiting[0])}." if waiting else None
    days = [place.slot.on for place in waiting if place.slot.on is not None]
    making.wakes += [day for day in days if day > making.context.today]
    return Parts(told, words)


def _is_due(making: Making, place: Place) -> bool:
    return place.slot.on is not None and place.slot.on <= making.context.today


def _as_part(outline: Outline, place: Place) -> Scheduled | None:
    if place.slot.key == "":
        return None
    invoice, doubt = place.part.invoice, outline.doubt
    ours = place.free or place.part.created is None  # what a person changed is theirs to approve
    if invoice is not None and invoice.status == "draft" and ours:
        doubt = outline.doubt_about(place.slot, invoice.total)
    return Scheduled(
        name=place.slot.name, write=partial(outline.write, place.slot), doubt=doubt
    )  # fmt: skip


def _when(making: Making, place: Place) -> str:
    slot = place.slot
    if slot.on is None:
        return f"{slot.name}, {slot.waits}"
    return slot.name if _is_due(making, place) else f"{slot.name}, on {slot.on}"


def _guarded(making: Making, part: PartCase, scheduled: Scheduled | None) -> Told:
    """An invoice made now; what holds it is noted, and holds no other part."""
    try:
        return made(making, part, scheduled)._replace(part=part)
    except Refused as refused:
        making.issues.append(refused.issue)
        return Told(None, refused.issue)
    except Held as held:
        issue = making.held(_of_part(held, scheduled))
        return Told(part.last if held.code in ENDED_BY_PERSON else None, issue)


def _kept(making: Making, part: PartCase, invoice: Invoice, scheduled: Scheduled | None) -> Told:
    """What follows for an invoice that is there; what holds that is noted."""
    try:
        return existing(making, part, invoice, scheduled)._replace(part=part)
    except Refused as refused:
        making.issues.append(refused.issue)
        return Told(invoice, refused.issue, part)
    except Held as held:
        return Told(invoice, making.held(_of_part(held, scheduled)), part)


def _of_part(held: Held, scheduled: Scheduled | None) -> Held:
    """The reason, with the part that it concerns."""
    if scheduled is None or scheduled.name in held.what or held.code == "customer_changed":
        return held
    return Held(
        held.code, f"For {scheduled.name}: {held.what}", field=held.field,
        next_step=held.next_step, about=held.about,
    )  # fmt: skip


def _stray(making: Making, part: PartCase) -> Told:
    """An invoice of a part that the schedule does not have: like one of a re-opened deal."""
    case, invoice = making.case, part.invoice
    assert invoice is not None
    answer: InvoiceChange | str = "bears the marker of a part that is not known here"
    if part.key is not None:
        answer = withdrawn(
            invoice, part.invoice_base, part.invoice_now, making.context.locked_through
        )
    if isinstance(answer, InvoiceChange):
        return _delete(
            making, part, invoice, answer, "its part is no longer in the deal's schedule"
        )
    if "never" in case.answers:
        return Told(invoice, None)
    name = invoice.number or part.marker or invoice.id
    issue = Issue(
        code="part_not_scheduled", subject=case.subject, page=invoice.page or case.deal.page,
        state="note", field="schedule",
        what=f"The invoice {name} {answer}, and the deal's schedule has no such part "
        "(any more), so nothing further is invoiced.",
        next_step="Put the part back into the schedule, or void or credit the invoice in the "
        f"ledger; `syncjob resolve deal {case.deal.id} --link {name} --part PART` says which "
        "part it is.",
    )  # fmt: skip
    making.issues.append(issue)
    return Told(invoice, issue)


def _follow(making: Making, outline: Outline, place: Place, invoice: Invoice) -> Told | None:
    """Our own untouched draft is made to say what its part comes to by now; None if it does, or is
    left as it is."""
    part = place.part
    if not outline.follows(place) or outline.strays or part.key == "":
        return None
    asked = invoice_context(making.case, making.context, part.marker or "")
    asked = msgspec.structs.replace(
        asked, today=invoice.date or making.context.today, locked_through=None
    )
    try:
        if gone_to_another(making.case, making.context, part) is not None:
            return None  # an invoice is never moved to another customer, nor made to say its sums
        now, story, doubt = outline.write(place.slot, part.contact, asked)
        assert part.created is not None
        too_large(making.case, making.context, now, invoice)
        now = msgspec.structs.replace(
            now, number=part.created.number, new_customer=part.created.new_customer
        )
        making.ledger(
            Wave.INVOICES, f"invoice:{part.marker}",
            InvoiceUpdate(invoice_id=invoice.id, draft=now),
            "the deal has changed and nobody has touched this part's draft", part,
            before={"total": f"{invoice.total}"},
        )  # fmt: skip
    except Refused as refused:
        making.issues.append(refused.issue)
        return Told(invoice, refused.issue, part)
    except Held as held:
        return Told(invoice, making.held(_of_part(held, _as_part(outline, place))), part)
    making.story += story
    making.issues += [doubt] if doubt else []
    return Told(
        msgspec.structs.replace(
            invoice, sub_total=now.sub_total, total_tax=now.total_tax, total=now.total,
            due=now.total, due_date=now.due_date,
        ),
        doubt, part,
    )  # fmt: skip


def _differing(making: Making, outline: Outline) -> None:
    """No part can follow any more, and the deal comes to something else: a person decides."""
    found = outline.difference()
    if found is None or "never" in making.case.answers:
        return
    case, (made_sum, whole) = making.case, found
    leave = f"`syncjob resolve deal {case.deal.id} --never`"
    step = f"bill the difference in the ledger, and {leave} says that all is well."
    if made_sum > whole:
        step = f"credit the difference in the ledger; or, if all is well, {leave}."
    making.issues.append(
        Issue(
            code="parts_differ", subject=case.subject, page=case.deal.page, state="note",
            field="value",
            what=f"The deal's invoices come to {made_sum:,.2f} {case.deal.currency} net"
            f"{outline.but_credited or ','} and the deal itself to {whole:,.2f} now.",
            next_step=f"Correct the deal in the CRM if that is a mistake; else {step}",
        )
    )  # fmt: skip


def _delete(
    making: Making, part: PartCase, invoice: Invoice, change: InvoiceChange, why: str
) -> Told:
    try:
        making.ledger(
            Wave.INVOICES, f"invoice:{part.marker}", change, why, part,
            before={"status": invoice.status},
        )  # fmt: skip
    except Refused as refused:
        making.issues.append(refused.issue)
        return Told(invoice, refused.issue)
    return Told(msgspec.structs.replace(invoice, status="deleted"), None)


def _archived(making: Making, last: Invoice | None) -> Told:
    """A deal that was put away before it was invoiced in full: most likely nobody meant that."""
    case = making.case
    before = "it was invoiced in full" if case.live else "it had an invoice"
    making.issues.append(
        Issue(
            code="won_but_archived", subject=case.subject, page=case.deal.page, state="note",
            what=f"The deal was won, and archived before {before}.",
            next_step="Un-archive it in the CRM and it is invoiced; or, if it is never to be, "
            f"`syncjob resolve deal {case.deal.id} --never`.",
        )
    )  # fmt: skip
    return Told(last, None)
