"""What became of notices: each step is told once, and what may not have arrived is named later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from syncjob.config import Config
from syncjob.core.actions import Action, Issue, Message, NoteDraft
from syncjob.core.case import Case
from syncjob.core.records import Deal, Invoice
from syncjob.core.rules.eligibility import says_no
from syncjob.core.rules.notices import PAID
from syncjob.core.rules.texts import one_line, subject_of
from syncjob.core.telling import gathered, tells_of
from syncjob.engine.batch import Batch
from syncjob.engine.credits import credits_of
from syncjob.engine.timeline import note_stored
from syncjob.errors import RetryLater
from syncjob.state.database import State

#: The fact "mute:deal:N" of a deal that is muted for good; else it is a day.
MUTED = "yes"


def heard(batch: Batch, case: Case) -> Case:
    """The case with what people were told of its invoices, and what keeps them from being told."""
    policy = batch.config.notices
    if not (policy.steps or policy.paid) or not case.live:
        return case
    markers = [p.marker or p.invoice.id for p in case.live if p.invoice]
    markers += [invoice.id for invoice in case.after.repeats]
    return msgspec.structs.replace(
        case, told=tuple(batch.state.notes.of(markers)),
        muted=muted(batch.config, batch.state, case.deal, batch.today),
        credits=credits_of(batch, (*case.invoices, *case.after.repeats)),
    )  # fmt: skip


def in_messages(batch: Batch, actions: Sequence[Action]) -> list[Action]:
    """The decided notices as the messages that leave: digests where they are wanted, and in each
    what may not have reached its reader before."""
    if not any(isinstance(action.payload, Message) for action in actions):
        return list(actions)
    digest = batch.config.notices.digest
    return gathered(actions, batch.today, _doubts(batch), digest=digest)


def _doubts(batch: Batch) -> dict[tuple[str, str], list[str]]:
    """What may not have arrived, by person and way, in words."""
    found: dict[tuple[str, str], list[str]] = {}
    for told in batch.state.notes.doubtful():
        part = batch.state.links.part_of_marker(told.marker)
        get = batch.state.snapshots.get
        invoice = get("ledger", "invoices", part.ledger_id if part else told.marker, Invoice)
        name = (invoice.number if invoice else None) or told.marker
        when = "paid" if told.step == PAID else f"{told.step} days after {told.due}"
        found.setdefault((told.person, told.way), []).append(f"{name}: {when}")
    return found


def notices_since(batch: Batch) -> date:
    """The first day of whose steps people are told: the first batch that tells anybody, or the
    first after a lost state, whose memory of earlier notices is gone with it."""
    policy, book = batch.config.notices, batch.state.book
    if not (policy.steps or policy.paid):
        return date.max
    known = book.fact("notices_since")
    if known is None:
        known = batch.today.isoformat()
        with batch.state.commit():
            book.note("notices_since", known)
    return date.fromisoformat(known)


def muted(config: Config, state: State, deal: Deal, today: date) -> str | None:
    """Why nobody is told of this deal: its own field, or a person's `syncjob mute`."""
    field = config.crm.inputs.mute_notices
    value = one_line(deal.fields.get(field)) if field else ""
    if field and not says_no(value):
        return f'its field "{field}" says "{value}"'
    until = state.book.fact(f"mute:{subject_of(deal)}")
    if until is None or (until != MUTED and date.fromisoformat(until) <= today):
        return None
    return "muted" if until == MUTED else f"muted until {until}"


def way_down(way: str, error: RetryLater) -> Issue:
    """A mail server or webhook that takes no messages; they are tried again by each batch."""
    return Issue(
        code="way_down", subject=f"way:{way}", state="note", field=f"notices.ways.{way}",
        what=f"Messages by {way} cannot be sent: {error.what}",
        next_step="They are tried again by each batch; nobody is told twice. If it lasts, correct "
        f"notices.ways.{way} in the config.",
    )  # fmt: skip


def remember(batch: Batch, action: Action, *, sure: bool) -> None:
    """A notice left, or a note was written: its steps are told now, and what was in doubt before
    it has been named.

    Call it inside a commit.
    """
    payload, notes, tells = action.payload, batch.state.notes, tells_of(action.payload)
    if isinstance(payload, NoteDraft):
        note_stored(batch, payload)
    notes.add(tells, sure=sure, at=batch.clock.now(), batch=batch.id)
    if sure:
        if isinstance(payload, Message):
            subject = f"way:{payload.way}"
            batch.state.book.close_issues(subject, keep=set(), at=batch.clock.now())
        for person, way in {(tell.person, tell.way) for tell in tells}:
            notes.named(person, way, batch=batch.id)
