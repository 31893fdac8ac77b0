"""What deals say after our own writes: those of a round are read together and stored together.

Keeps invariant 6: our own write is no change, and the lines of its deal are not read again for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from syncjob.core.actions import Action, DealChange, Outcome, Stored
from syncjob.core.records import Deal
from syncjob.core.rules.moves import REFUSED
from syncjob.engine.batch import Batch
from syncjob.state.journal import Intent


class _Before(msgspec.Struct, frozen=True):
    """What the state knew of a deal: itself, its lines with the batch that read them, and whether a
    move of it was refused."""

    deal: Deal | None
    details: tuple[Deal, int] | None
    refused: str | None


class Shown(msgspec.Struct, frozen=True):
    """A deal as it stands after our write; `form` is what the CRM stores for the write, where that
    was needed to know it."""

    deal: Deal
    form: dict[str, str | None] | None = None


class _Write(msgspec.Struct, frozen=True):
    """A write of a deal that had its effect."""

    action: Action
    change: DealChange
    outcome: Stored
    deal_id: str


def store_deals(
    batch: Batch, calls: Iterable[tuple[Sequence[Intent], Sequence[Outcome]]]
) -> dict[int, Shown]:
    """The deals that a round's calls have written, before each write is written down by itself;
    call it inside the commit. By the intent, the deal as the answer shows it."""
    done = {
        intent.id: _Write(intent.action, change, outcome, change.deal_id)
        for intents, outcomes in calls
        for intent, outcome in zip(intents, outcomes, strict=True)
        if isinstance(outcome, Stored) and isinstance(change := intent.action.payload, DealChange)
    }
    return _stored(batch, done) if done else {}


def deal_stored(batch: Batch, intent: Intent, record: object, *, settled: bool) -> None:
    """The same of one write that was found later, by look-up, to be done; one that was just made is
    stored with the others of its round."""
    if not settled:
        return
    change = intent.action.payload
    assert isinstance(change, DealChange)
    deal = record if isinstance(record, Deal) else None
    found = Stored(record=deal)
    _stored(batch, {intent.id: _Write(
        intent.action, change, found, deal.id if deal else change.deal_id
    )})  # fmt: skip


def _stored(batch: Batch, done: Mapping[int, _Write]) -> dict[int, Shown]:
    before = _before(batch, done)
    shown: dict[int, Shown] = {}
    for number, write in done.items():
        record = write.outcome.record
        if record is None:
            made = _as_written(batch, write, before[number].deal)
        else:
            made = Shown(record) if isinstance(record, Deal) else None
        if made is not None:
            shown[number] = made
    snapshots, echoes = batch.state.snapshots, dict[int, list[Deal]]()
    merged: list[Deal] = []
    for number, one in shown.items():
        new, old = _merged(before[number].deal, one.deal), before[number]
        merged.append(new)
        if old.details is not None and _is_echo(old.deal, old.details[0], new):
            same = msgspec.structs.replace(old.details[0], updated=new.updated)
            echoes.setdefault(old.details[1], []).append(same)
    for known, details in echoes.items():
        snapshots.put("crm", "details", details, batch=known, strong=True)
    if merged:
        snapshots.put("crm", "deals", merged, batch=batch.id, strong=True)
    for number, write in done.items():
        _moved_on(batch, write, before[number].refused)
    return shown


def _before(batch: Batch, done: Mapping[int, _Write]) -> dict[int, _Before]:
    state, found = batch.state, {}
    ids = [write.deal_id for write in done.values()]
    with state.gathering():
        state.snapshots.fetch("crm", "deals", ids)
        state.snapshots.fetch("crm", "details", ids)
        state.links.fetch_bases("crm", [write.action.target for write in done.values()])
        for number, write in done.items():
            refused = state.links.base("crm", write.action.target).get(REFUSED)
            found[number] = _Before(
                state.snapshots.get("crm", "deals", write.deal_id, Deal),
                state.snapshots.seen("crm", "details", write.deal_id, Deal),
                refused.wanted if refused else None,
            )
    return found


def _merged(old: Deal | None, record: Deal) -> Deal:
    """A PATCH's answer leaves out what a list shows on request, and in a CRM that keeps a deal's
    customers apart those too: keep that from the snapshot."""
    if old is None:
        return record
    told = (record.org_id, record.person_id)
    return msgspec.structs.replace(
        record,
        org_id=record.org_id if any(told) else old.org_id,
        person_id=record.person_id if any(told) else old.person_id,
        merged_from=record.merged_from or old.merged_from,
        line_count=old.line_count if record.line_count is None else record.line_count,
        first_won_at=record.first_won_at or old.first_won_at,
        lines=None, discounts=None, instalments=None,
    )  # fmt: skip


def _is_echo(old: Deal | None, details: Deal, new: Deal) -> bool:
    """Our own write moves the deal's stamp: its lines need not be read again for that."""
    if old is None or details.updated != old.updated:
        return False
    return (old.value, old.line_count, old.currency) == (new.value, new.line_count, new.currency)


def _as_written(batch: Batch, write: _Write, old: Deal | None) -> Shown | None:
    """The deal as it was last read, with what was written: where the CRM answers with the stamp
    alone. An edit that nobody has read yet bears this stamp too, and is read by its id then."""
    stamp, move = write.outcome.stamp, write.change.move
    if stamp is None or old is None or (old.updated is not None and stamp < old.updated):
        return None
    form = batch.writer(write.action.side).stored_form(write.action)
    new = msgspec.structs.replace(old, updated=stamp, fields={**old.fields, **form})
    if move is None:
        return Shown(new, form)
    known = batch.crm_reference.pipelines if batch.crm_reference else ()
    homes = (p.id for p in known if any(i == move.stage_id for i, _ in p.stages))
    home = next(homes, old.pipeline_id)
    return Shown(msgspec.structs.replace(new, stage_id=move.stage_id, pipeline_id=home), form)


def _moved_on(batch: Batch, write: _Write, refused: str | None) -> None:
    """Once the deal says another state, a refused move is forgotten: should that state come again
    it is another change."""
    if refused is None:
        return
    when, names = refused.partition(" > ")[0], batch.config.crm.fields
    late = when == "overdue"
    said = write.change.fields.get((names.overdue if late else names.status) or "")
    if said is not None and said != ("yes" if late else when):
        batch.state.links.agree("crm", write.action.target, {REFUSED: None}, {REFUSED: None})
