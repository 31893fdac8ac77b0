"""How much one batch decides: so many deals and customers at most, each in its turn.

So memory does not grow with the size of a load, and a large load goes in steps, each of them read,
planned, guarded and written whole. Nothing is left behind: what is not decided now stays wanted,
and the next batch goes on behind it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from typing import Literal

from syncjob.engine.batch import Batch
from syncjob.errors import RetryLater

Kind = Literal["deals", "customers"]

#: A deal of some lines takes up to 20 KB from its plan until it is written (measured), so these
#: take 50 MB at most. They are as many as Pipedrive's smaller plans let through in a batch's
#: default quarter of an hour; a further batch costs four calls to poll.
DECIDED_MAX = 2_500


def take(
    batch: Batch,
    kind: Kind,
    wanted: Sequence[str],
    *,
    known: Callable[[Sequence[str]], Collection[str]],
    first: Collection[str] = (),
) -> list[str]:
    """Those of the wanted (in order) that this batch decides, in order.

    If they are too many, `first` go first, and those that the ledger knows (`known` tells which)
    have at least half of the room: a large load makes nobody wait for news of a payment.
    """
    if len(wanted) <= DECIDED_MAX:
        return list(wanted)
    there, asked = set(known(wanted)), set(first)
    chosen = [key for key in wanted if key in asked]
    old = [key for key in wanted if key in there and key not in asked]
    new = [key for key in wanted if key not in there and key not in asked]
    room = max(DECIDED_MAX - len(chosen), 0)
    for name, keys, share in (
        ("known", old, room - min(len(new), room // 2)), ("new", new, room),
    ):  # fmt: skip
        turn = _in_turn(keys, batch.state.book.fact(f"turn:{kind}.{name}") or "")[:share]
        if turn:
            batch.turns[f"turn:{kind}.{name}"] = turn[-1]
        chosen += turn
        room -= len(turn)
    batch.more += len(wanted) - len(chosen)
    return sorted(chosen)


def _in_turn(keys: Sequence[str], after: str) -> list[str]:
    start = bisect_right(keys, after)
    return [*keys[start:], *keys[:start]]


def more_in_words(batch: Batch) -> str:
    """What the next batches have to do, for the plan of this one."""
    return f"{batch.more:,} more are decided by the next batches, {DECIDED_MAX:,} at a time"


def pass_on(batch: Batch) -> None:
    """The plan of this batch was carried out, or only shown: the next batch goes on behind it."""
    if batch.turns:
        with batch.state.commit():
            for fact, last in batch.turns.items():
                batch.state.book.note(fact, last)


def goes_on(batch: Batch) -> RetryLater | None:
    """Why another batch is due at once: more is wanted, and this one came forward."""
    if not (batch.more and batch.done):
        return None
    return RetryLater(
        f"This batch has done its share; {more_in_words(batch)}.",
        resume_at=batch.clock.now(),
        next_step="The next run goes on from here.",
    )
