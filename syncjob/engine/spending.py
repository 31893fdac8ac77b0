"""What this batch has calls for: asked before each piece of work that can wait (core/budget).

Keeps invariant 11. What is left out here keeps its place: a stream that is not read keeps its
cursor, a deal or customer with something to do stays wanted. It is said in the report, the log and
`status`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from syncjob.core.actions import Action
from syncjob.core.budget import (
    WORDS,
    Purse,
    Work,
    kept,
    may,
    poll_every,
    polls_need,
    work_of_kind,
    work_of_stream,
)
from syncjob.core.hours import SLACK
from syncjob.core.records import Side
from syncjob.engine.batch import Batch
from syncjob.engine.identify import verify
from syncjob.engine.purses import keep_purses

SIDES: tuple[Side, ...] = ("ledger", "crm")
#: What outside the office hours is left to them, where the config wants it so.
_CAN_WAIT = frozenset({Work.CONTACTS, Work.WALKS, Work.TIMELINE})
#: Where calls are few, none may be made whose answer tells how the day stands: HubSpot's searches
#: do not (facts: hubspot, 5f). That a day has begun anew is to be seen within this time.
ASK_EVERY = timedelta(hours=1)


def purses(batch: Batch, side: Side) -> list[Purse]:
    """The long windows of a side as they stand now."""
    vendor = batch.side(side).name
    return [
        Purse(
            vendor=vendor, side=side, counts=one.counts, allowed=one.allowed, cap=one.cap,
            left=one.left, used=one.used, resets_at=one.resets_at, again=one.again,
            reset_seen=one.reset_seen, sliding=one.sliding, spent=one.spent, frees=one.frees,
        )
        for one in batch.channels[side].allowances()
    ]  # fmt: skip


def ask_again(batch: Batch) -> None:
    """Where something would be left out of a day of which nothing was told for an hour, one call
    asks how it stands now. Raises as any read does."""
    now = batch.clock.now()
    for side in SIDES:
        told = [one.told_at for one in batch.channels[side].allowances() if one.told_at]
        asked = batch.state.book.fact(f"day_asked:{side}")
        since = max([*told, *([datetime.fromisoformat(asked)] if asked else [])], default=now)
        if told and now - since >= ASK_EVERY and _scarce(batch, side, now):
            with batch.state.commit():
                batch.state.book.note(f"day_asked:{side}", now.isoformat())
            verify(batch, side)


def _scarce(batch: Batch, side: Side, now: datetime) -> bool:
    """Whether there is work that would be left out, but a call may be made."""
    found = [(purse, _need(batch, side, purse, now)) for purse in purses(batch, side)]
    if any(purse.left < 1 and now < purse.again for purse, _ in found):
        return False
    return any(not may(work, purse, need, now) for purse, need in found for work in Work)


def allowed(batch: Batch, side: Side, work: Work) -> bool:
    """Whether this work may be done on this side now; if not, it is noted as left out."""
    if work <= Work.POLLS:
        return True
    if batch.urgent_only and work in _CAN_WAIT:
        _leave_out(batch, side, work, "they wait for the office hours")
        return False
    now = batch.clock.now()
    for purse in purses(batch, side):
        if not may(work, purse, _need(batch, side, purse, now), now):
            _leave_out(batch, side, work, _why(purse))
            return False
    return True


def reads(batch: Batch, side: Side, stream: str, polled: datetime | None) -> bool:
    """Whether this list of changes is read now; `polled` is when it last was.

    What was never read is; so is everything while links are rebuilt.
    """
    if polled is None or batch.state.book.fact("recovering_since") is not None:
        return True
    work = work_of_stream(side, stream)
    if work != Work.POLLS:
        return allowed(batch, side, work)
    now = batch.clock.now()
    every = batch.pace.every
    for purse in purses(batch, side):
        if purse.left < _poll_cost(batch, side, purse) and now < purse.again:
            _leave_out(batch, side, work, f"the day is used up until {purse.again:%H:%M} UTC")
            return False
        apart = poll_every(every, purse, _need(batch, side, purse, now))
        if apart > every and now - polled < apart - SLACK:
            _leave_out(batch, side, work, f"read each {_minutes(apart)} until the day is over")
            return False
    return True


def reads_new_deals(batch: Batch) -> bool:
    """Whether the CRM's day has room to read what a draft needs: half of what first words on
    deals leave is for the drafts themselves."""
    now = batch.clock.now()
    for purse in purses(batch, "crm"):
        least = kept(Work.DEALS, purse, _need(batch, "crm", purse, now), now) // 2
        if purse.left < max(least, _poll_cost(batch, "crm", purse)):
            _leave_out(batch, "crm", Work.DEALS, _why(purse))
            return False
    return True


def affordable(batch: Batch, actions: Sequence[Action]) -> list[Action]:
    """Those of a plan's writes that there are calls for, in their order; the others are decided
    again by a later batch. News of a deal that was written to before, such as a payment, goes
    before the first word on a deal: a large load makes nobody wait for money."""
    late: set[int] = set()
    left: dict[tuple[Side, Work], float] = {}
    for number in sorted(range(len(actions)), key=lambda n: not any(actions[n].before.values())):
        action = actions[number]
        if action.side == "people":
            continue
        key = (action.side, work_of_kind(action.kind))
        if key not in left:
            left[key] = _room(batch, *key)
        can = batch.side(action.side).capabilities
        left[key] -= can.write_cost / can.batch.get(action.kind, 1)
        if left[key] < 0 or (batch.lists_stale and action.side == "ledger"):
            late.add(number)
            batch.counts["left_out"] += 1
            _leave_out(batch, *key, _kept_words(batch, key[0]))
    return _without(actions, late)


def _without(actions: Sequence[Action], late: set[int]) -> list[Action]:
    """The actions but these and what follows them: no deal is told of a draft that waits."""
    stops: dict[str, int] = {}
    for number in late:
        action = actions[number]
        stops[action.subject] = min(action.wave, stops.get(action.subject, action.wave))
    return [
        action
        for number, action in enumerate(actions)
        if number not in late and action.wave <= stops.get(action.subject, action.wave)
    ]


def _room(batch: Batch, side: Side, work: Work) -> float:
    """How much this work may use on this side."""
    if not allowed(batch, side, work):
        return 0.0
    now, room = batch.clock.now(), math.inf
    for purse in purses(batch, side):
        need = _need(batch, side, purse, now)
        room = min(room, purse.left - kept(work, purse, need, now))
    return room


def _poll_cost(batch: Batch, side: Side, purse: Purse) -> int:
    """What one poll of the urgent lists takes."""
    cost = batch.side(side).capabilities.poll_cost if purse.counts == "cost" else 1
    return cost * (2 if side == "crm" and "touched_deals" in _deal_lists(batch) else 1)


def _need(batch: Batch, side: Side, purse: Purse, now: datetime) -> float:
    return polls_need(purse, batch.pace, _poll_cost(batch, side, purse), now)


def _deal_lists(batch: Batch) -> tuple[str, ...]:
    return tuple(batch.crm.capabilities.deal_streams)


# --- what is said -------------------------------------------------------------------------------


def _leave_out(batch: Batch, side: Side, work: Work, why: str) -> None:
    name = f"{WORDS[work]} ({batch.side(side).name})"
    if name not in batch.left_out:
        batch.left_out[name] = why
        batch.log.info("work.postponed", side=side, work=WORDS[work], why=why)


def _why(purse: Purse) -> str:
    unit = "calls" if purse.counts == "calls" else "tokens"
    return f"{purse.left:,} {unit} of the day are left, kept for what is more urgent"


def _kept_words(batch: Batch, side: Side) -> str:
    return next((_why(purse) for purse in purses(batch, side)), "")


def _minutes(apart: timedelta) -> str:
    return f"{round(apart.total_seconds() / 60)} min"


def done_after_all(batch: Batch, side: Side, work: Work) -> None:
    """What was to be left out turned out to be needed."""
    batch.left_out.pop(f"{WORDS[work]} ({batch.side(side).name})", None)


def note_purses(batch: Batch) -> None:
    """Keep how the days stand and what was left out, for `status`; call it inside a commit."""
    found = [purse for side in SIDES for purse in purses(batch, side)]
    keep_purses(batch.state, found, batch.left_out)
