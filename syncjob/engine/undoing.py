"""`syncjob undo`: the values that a batch wrote, put back where nobody has changed them since.

Everything is read again by its id in the batch of the undo, judged by core/undoing, and written
like any other write: journaled, through the door, settled if an answer is lost. What was put back
rests as it is until somebody changes it; a second undo finds nothing left to do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from syncjob.core.actions import Action, DealChange, Move, Wave
from syncjob.core.guard import Scale, verdict
from syncjob.core.identity import plan_hash
from syncjob.core.rulings import STAGE
from syncjob.core.undoing import (
    Change,
    Item,
    UndoReport,
    rule_for,
)
from syncjob.engine import recovery
from syncjob.engine.batch import Batch
from syncjob.engine.identify import identify, verify
from syncjob.engine.planning import empty_plan
from syncjob.engine.push import Push
from syncjob.engine.settle import settle
from syncjob.engine.undo_items import (
    changes_of,
    contact_action,
    items_of,
    read_again,
    stage_name,
    stages_of_move,
)
from syncjob.errors import GuardTripped, Park


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants undone: a batch, or of it one deal ("deal:1042") or one customer
    ("contact:org:12"). `expect` is the hash of what they have seen, `accept` releases it from the
    guard."""

    batch: int
    subject: str | None = None
    reason: str = ""
    expect: str | None = None
    accept: str | None = None


def undo(batch: Batch, asked: Asked, *, write: bool) -> UndoReport:
    """Put back what can be, or (`write` False, on a copy of the state) say what it would be.

    Raises Park where there is nothing to undo or it is not what was seen, GuardTripped, and what
    any batch raises.
    """
    identify(batch)
    recovery.begin(batch)
    settle(batch)
    changes = changes_of(batch, asked.batch, asked.subject)
    read_again(batch, changes)
    items = items_of(batch, changes, asked.batch)
    actions = _actions(batch, items, changes, asked)
    report = UndoReport(
        undoes=asked.batch, items=tuple(items), hash=plan_hash(actions) if actions else "",
        guard=tuple(verdict(actions, batch.config.guard, _scale(batch))),
    )  # fmt: skip
    if not write or not actions:
        return report
    _allowed(batch, asked, report)
    _push(batch, actions, asked)
    after = {_key(i): i for i in items_of(batch, changes, asked.batch)}
    told = tuple(_told(item, after[_key(item)]) for item in items)
    return msgspec.structs.replace(report, items=told, written=True, batch=batch.id)


def _told(planned: Item, after: Item) -> Item:
    """An item once the push is over: put back, or not (yet)."""
    if planned.fate != "undo" or after.fate == "done":
        return planned
    why = after.why or "the vendor did not take it"
    return msgspec.structs.replace(
        planned, fate="open", why=why,
        next_step="`syncjob status` shows what the vendor said; repeat the command later.",
    )  # fmt: skip


# --- putting it back ------------------------------------------------------------------------------


def _actions(
    batch: Batch, items: Sequence[Item], changes: Sequence[Change], asked: Asked
) -> list[Action]:
    """One write for each record with something to put back."""
    by_key = {(c.side, c.target, c.field): c for c in changes}
    values: dict[tuple[str, str], list[Item]] = defaultdict(list)
    found: list[Action] = []
    for item in items:
        if item.fate == "undo" and item.target.startswith("contact:"):
            values[item.side, item.target].append(item)
        elif item.fate == "undo":
            change = by_key[item.side, item.target, item.field]
            found.append(_move_back(batch, item, change, asked))
    for members in values.values():
        action = contact_action(
            members[0], {item.field: item.before for item in members},
            follows={item.field: item.other for item in members},
        )  # fmt: skip
        now = {item.field: item.now for item in members}
        rules, reason = {"": rule_for(asked.batch)}, _reason(batch, asked)
        found.append(msgspec.structs.replace(action, before=now, rules=rules, reason=reason))
    return found


def _move_back(batch: Batch, item: Item, change: Change, asked: Asked) -> Action:
    assert batch.crm_reference is not None
    back, there = stages_of_move(batch, change)
    name = stage_name(batch, back)
    assert back is not None
    assert name is not None
    pipelines = batch.crm_reference.pipelines
    home = next(p.name for p in pipelines if back in [stage_id for stage_id, _ in p.stages])
    return Action(
        side="crm", wave=Wave.DEAL_STATUS, subject=item.subject, target=item.target,
        payload=DealChange(
            deal_id=item.subject.removeprefix("deal:"), fields={},
            move=Move(when="undo", stage_id=back, stage=name, pipeline=home),
        ),
        before={STAGE: item.now, "stage_id": there}, reason=_reason(batch, asked),
        rules={"": rule_for(asked.batch)},
    )  # fmt: skip


def _reason(batch: Batch, asked: Asked) -> str:
    return f"{batch.options.who or 'somebody'}: {asked.reason or 'undone'}"


def _scale(batch: Batch) -> Scale:
    return Scale(first_week=False, linked=batch.state.links.live_count())


def _allowed(batch: Batch, asked: Asked, report: UndoReport) -> None:
    """Raises Park or GuardTripped where this is not what a person released."""
    if batch.config.mode == "read_only":
        raise Park(
            "The mode is read_only: nothing is written.", where="mode",
            next_step="Set the mode to drafts_only or full, then undo.",
        )  # fmt: skip
    for seen in (asked.expect, asked.accept):
        if seen is not None and seen != report.hash:
            raise Park(
                f"What would be undone is not what was shown any more: it is now {report.hash}.",
                where=f"batch {asked.batch}",
                next_step=f"Look again: `syncjob undo {asked.batch} --plan`.",
            )
    if report.guard and asked.accept is None:
        raise GuardTripped(
            "Nothing was undone: " + " ".join(report.guard), plan_hash=report.hash,
            next_step=f"Look at `syncjob undo {asked.batch} --plan`; if it is right, `syncjob undo "
            f"{asked.batch} --accept {report.hash}` does exactly that.",
        )  # fmt: skip


def _push(batch: Batch, actions: Sequence[Action], asked: Asked) -> None:
    """Write it wave by wave, after one more look at whose accounts these are. Raises Paused."""
    for side in dict.fromkeys(action.side for action in actions):
        verify(batch, "crm" if side == "crm" else "ledger")
    with batch.state.commit():
        batch.state.decisions.done(
            f"undo:{asked.batch}", asked.subject or "connection", reason=asked.reason,
            who=batch.options.who or "somebody", at=batch.clock.now(), batch=batch.id,
            outcome=f"{len(actions)} records were to be put back",
        )  # fmt: skip
    for wave in sorted({action.wave for action in actions}):
        plan = empty_plan()
        plan.actions = [action for action in actions if action.wave == wave]
        Push(batch, plan).run()


def _key(item: Item) -> tuple[str, str, str, str | None]:
    return item.side, item.target, item.field, item.after
