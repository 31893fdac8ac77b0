"""Write a plan: whole, or where it is large step by step, each decided again before its writes.

All steps are one batch: the guard has weighed the whole, and a write that was not foreseen then is
left to the next batch. Deals of which somebody is told come last, once more: what one person is
told may be one message.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncjob.engine.batch import Batch, mapping_hash
from syncjob.engine.contacts.stage import COMPARED, settle_contacts, takes_part
from syncjob.engine.door import check_pause
from syncjob.engine.identify import verify
from syncjob.engine.planning import Plan, settle_quiet
from syncjob.engine.push import Push
from syncjob.engine.share import Step
from syncjob.engine.spending import affordable
from syncjob.engine.weighing import Weighing
from syncjob.errors import Paused


def write_whole(batch: Batch, plan: Plan) -> None:
    """Write a plan that is kept whole, as far as the day has calls for it."""
    _within_the_day(batch, plan)
    plan.size = len(plan.actions)
    send(batch, plan)
    _note_rules(batch)


def write_steps(batch: Batch, steps: Sequence[Step], weighing: Weighing, plan: Plan) -> None:
    """Write what was weighed; of `plan` only what is sent at the end is left.

    Raises Paused at the end if a part was paused, else as the push does.
    """
    before, held = 0, None
    for number, step in enumerate(steps):
        batch.breathe(heed_time=number > 0)  # each batch comes forward by a step
        check_pause(batch.state, set(), batch.clock.now())
        part = weighing.again(step, first=number == 0)
        part.size, part.before = plan.size, before
        before += len(part.actions)
        _within_the_day(batch, part)
        try:
            send(batch, part, whole=False)
        except Paused as paused:  # of one kind of write; the others go on
            held = paused
    plan.before, plan.partial, plan.subjects = before, True, weighing.told
    send(batch, plan, whole=False)
    settle_contacts(batch, ())
    if held is not None:
        raise held
    _note_rules(batch)


def _within_the_day(batch: Batch, plan: Plan) -> None:
    """Leave out of the plan what the day has no calls for; it stays wanted."""
    fit = affordable(batch, plan.actions)
    if len(fit) < len(plan.actions):
        subjects = {action.subject for action in fit}
        plan.subjects = [deal for deal in plan.subjects if f"deal:{deal}" in subjects]
        plan.customers = [key for key in plan.customers if f"contact:{key}" in subjects]
        plan.actions, plan.partial = fit, True


def _note_rules(batch: Batch) -> None:
    """Note that these rules have written, as far as that is not known."""
    book, rules = batch.state.book, mapping_hash(batch.config)
    whole = takes_part(batch) and not (batch.late or batch.more)
    compared = whole and book.fact(COMPARED) is None
    if book.fact("mapping_hash") == rules and book.fact("code") is not None and not compared:
        return
    with batch.state.commit():
        book.note("mapping_hash", rules)
        if book.fact("code") is None:  # from the first marker on it is this one
            book.note("code", batch.state.relinks.code())
        if compared:
            book.note(COMPARED, batch.clock.now().isoformat())


def send(batch: Batch, plan: Plan, *, whole: bool = True) -> None:
    """Write the plan, after one more look at whose books these are. `whole`: what our own writes
    concern besides the plan's customers is decided again, too."""
    if plan.actions:
        for side in dict.fromkeys(action.side for action in plan.actions):
            if side != "people":
                verify(batch, side)
        Push(batch, plan).run()
        settle_quiet(batch, plan.subjects)
        settle_contacts(batch, plan.customers, others=whole)
