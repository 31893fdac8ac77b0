"""What became of notices: each step is told once, and what may not have arrived is named later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

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
from syncjob.state.database import State

#: The fact "mute:deal:N" of a deal that is muted for good; else it is a day.
MUTED = "yes"
_SINCE = "notices_since"


def heard(batch: Batch, case: Case) -> Case:
    """The case with what people were told of its invoices, and what keeps them from being told."""
    policy = batch.config.notices
    parts = case.standing_parts
    if not (policy.steps or policy.paid) or not (parts or case.after.repeats):
        return case
    markers = [p.marker or p.invoice.id for p in parts if p.invoice]
    markers += [invoice.id for invoice in case.after.repeats]
    return msgspec.structs.replace(
        case, told=tuple(batch.state.notes.of(markers)),
        muted=muted(batch.config, batch.state, case.deal, batch.today),
        muted_until=mute_ends(batch.state, case.deal),
        credits=credits_of(batch, (*case.standing_invoices, *case.after.repeats)),
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
        when = "paid" if told.step == PAID else f"{_days(told.step)} after {told.due}"
        found.setdefault((told.person, told.way), []).append(f"{name}: {when}")
    return found


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def notices_since(batch: Batch) -> date:
    """The first day of whose steps people are told: that of the first batch that tells anybody. A
    state that is new, lost or older than it should be waits for the next day, since an earlier one
    may have told what was to be told on this one."""
    policy, book = batch.config.notices, batch.state.book
    known = book.fact(_SINCE)
    if not (policy.steps or policy.paid):
        # What falls due while notices are off is not told afterwards.
        if known is not None and not batch.still:
            with batch.state.commit():
                book.note(_SINCE, None)
        return date.max
    if known is None:
        unsure = book.fact("recovering_since") is not None
        known = (batch.today + timedelta(days=int(unsure))).isoformat()
        if not batch.still:
            with batch.state.commit():
                book.note(_SINCE, known)
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


def mute_ends(state: State, deal: Deal) -> date | None:
    """The day on which a person's `syncjob mute` of this deal ends; None if it does not."""
    until = state.book.fact(f"mute:{subject_of(deal)}")
    return None if until in (None, MUTED) else date.fromisoformat(until)


def digested(batch: Batch) -> frozenset[tuple[str, str]]:
    """Whoever has had the day's digest, with the way it took: what comes later waits a day."""
    if not batch.config.notices.digest:
        return frozenset()
    began = datetime.combine(batch.today, time(), tzinfo=batch.zone)
    return frozenset(batch.state.notes.since(began.astimezone(UTC)))


def way_down(way: str, why: str) -> Issue:
    """A mail server or webhook that takes no messages; they are tried again by each batch."""
    return Issue(
        code="way_down", subject=f"way:{way}", state="note", field=f"notices.ways.{way}",
        what=f"Messages by {way} cannot be sent: {why}",
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
