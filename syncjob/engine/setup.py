"""The CRM's own fields that the config needs: shown, and created through the journal.

No CRM takes a key with them, so that after a lost answer a field is looked for until it can no
longer appear, and only then asked for again (invariants 3 and 4).
"""

from __future__ import annotations

from syncjob.connectors.base import FieldWish
from syncjob.core.reports import FieldsReport
from syncjob.engine.batch import Batch
from syncjob.engine.identify import identify
from syncjob.engine.rounds import wait_shortly
from syncjob.engine.settle import is_patient, sent_from
from syncjob.errors import OutcomeUnknown, Park, RetryLater, SchemaDrift, Stop, Throttled
from syncjob.transport.parse import excerpt
from syncjob.transport.wire import Answer, Call


def create_fields(batch: Batch, *, create: bool) -> FieldsReport:
    """What is missing; with `create`, made one by one, and what could not be made by hand.

    Raises Park where something would be created and the mode is read_only.
    """
    identify(batch)
    assert batch.crm_reference is not None
    asked = _still_open(batch) if create else None
    wishes = batch.crm.missing_fields(batch.crm.reference())
    wanted = tuple((w.entity, w.name, w.kind, w.purpose) for w in wishes)
    if not create:
        return FieldsReport(wanted=wanted)
    if wishes and batch.config.mode == "read_only":
        raise Park(
            "The mode is read_only: nothing is written, and no field is created.", where="mode",
            next_step="Create what `syncjob init` lists by hand in the CRM, or set the mode to "
            "drafts_only before `syncjob init` is to make it.",
        )  # fmt: skip
    if wishes and asked is not None:
        raise asked
    created: list[str] = []
    by_hand: list[str] = []
    for wish in wishes:
        refusal = _create(batch, wish)
        name = f"{wish.name} ({wish.kind}, on {wish.entity}s)"
        if refusal is None:
            created.append(f"{wish.entity} field {wish.name!r}")
        else:
            by_hand.append(f"{name}: {refusal}")
    with batch.state.commit():
        batch.state.book.note("reference_doubt:crm", "1")
    return FieldsReport(created=tuple(created), by_hand=tuple(by_hand))


def _still_open(batch: Batch) -> RetryLater | None:
    """Close what an earlier run left open, once it can no longer appear; until then, why the fields
    that are missing now are not asked for again."""
    calls = batch.state.journal.open_without_intents("crm")
    late = [c for c in calls if c.sends and not is_patient(batch, c, batch.crm)]
    with batch.state.commit():
        batch.lease.check(batch.state)
        batch.state.journal.close_calls([c.id for c in calls if c not in late])
    if not late:
        return None
    until = max(map(sent_from, late)) + batch.crm.capabilities.patience
    return RetryLater(
        f"Whether {batch.crm.name} made the field that it was last asked for is not known yet: "
        "no answer says so.",
        resume_at=until, where="crm",
        next_step=f"Run `syncjob init` again after {until:%H:%M} UTC: it makes only what is not "
        "there by then.",
    )  # fmt: skip


def _create(batch: Batch, wish: FieldWish) -> str | None:
    """Create one field; None if done, else the vendor's words."""
    for request in batch.crm.create_fields([wish]):
        with batch.state.commit():
            batch.lease.check(batch.state)
            opened = batch.state.journal.open(
                "crm", [(request, (), None)], batch=batch.id, fence=batch.lease.fence,
                now=batch.clock.now(),
            )  # fmt: skip
            call = opened[0].call
        try:
            answer = _write(batch, call)
        except (RetryLater, Stop):  # certainly without effect
            with batch.state.commit():
                batch.state.journal.close_calls([call.id])
            raise
        told = _is_told(answer)
        with batch.state.commit():
            batch.state.journal.answered([(call.id, answer.status, excerpt(answer.body))])
            batch.state.journal.close_calls([call.id] if told else [])
            if told and answer.status < 300:
                batch.state.book.record(
                    batch=batch.id, at=batch.clock.now(), side="crm",
                    target=f"field:{wish.entity}:{wish.name}", subject="connection",
                    changes={"field": (None, wish.kind)}, reason=wish.purpose, intent=None,
                    rules="the fields that the config names (syncjob init)",
                )  # fmt: skip
        if not told:
            raise OutcomeUnknown(
                f"Whether {batch.crm.name} made the field {wish.name!r} is not known: it answered "
                f"{answer.status} and nothing about it.", where="crm",
                next_step="Run `syncjob init` again: it looks for the field before it asks again.",
            )  # fmt: skip
        if answer.status >= 300:
            return f"the CRM answered {answer.status}: {batch.crm.refusal(answer)}"
    return None


def _is_told(answer: Answer) -> bool:
    """Whether the answer says what became of the field: a gateway's says nothing, and its server
    may make the field yet."""
    if answer.no_word:
        return False
    try:
        answer.json()
    except SchemaDrift:
        return answer.status >= 400
    return True


def _write(batch: Batch, call: Call) -> Answer:
    """Send the call; a burst limit is sat out once, since many small fields are created at once."""
    channel = batch.channels["crm"]
    try:
        return channel.write(call)
    except Throttled as throttled:
        if not wait_shortly(batch, throttled, "crm"):
            raise
    return channel.write(call)
