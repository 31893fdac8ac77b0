"""In what order a batch decides what is wanted, in steps of how many, and where it must end.

A plan of any size is weighed whole before its first write, in a pass that keeps a few bytes of each
write (engine/weighing), and is then written in steps: so memory does not grow with the size of a
load. Where the time is over, what is left stays wanted, and the next batch goes on behind it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Literal, NamedTuple

from syncjob.engine.batch import Batch
from syncjob.errors import RetryLater

Kind = Literal["deals", "customers"]
#: Which of some deals or customers the ledger knows.
Known = Callable[[Sequence[str]], Collection[str]]

#: A deal of some lines takes up to 20 KB from its plan until it is written (measured), so a step
#: takes 20 MB at most; larger ones cost memory and save no time.
STEP = 1_000


class Step(NamedTuple):
    """Deals and customers that are decided together."""

    deals: Sequence[str]
    customers: Sequence[str]


def steps(deals: Sequence[str], customers: Sequence[str]) -> list[Step]:
    """All of them in their order, cut into steps; at least one, which may be empty."""
    starts = range(0, max(len(deals), len(customers), 1), STEP)
    return [Step(deals[n : n + STEP], customers[n : n + STEP]) for n in starts]


def in_turn(
    batch: Batch, kind: Kind, wanted: Sequence[str], *, known: Known, first: Collection[str] = ()
) -> list[str]:
    """The wanted in the order in which they are read and written.

    If they are more than a step, `first` go first, and of each step those that the ledger knows
    have at least half: a large load makes nobody wait for news of a payment. Each of the two goes
    on behind where the last batch had to end.
    """
    if len(wanted) <= STEP:
        return list(wanted)
    there, asked = _known_of(wanted, known), set(first)
    order = [key for key in wanted if key in asked]
    old = _behind([key for key in wanted if key in there and key not in asked],
                  batch.state.book.fact(f"turn:{kind}.known"))  # fmt: skip
    new = _behind([key for key in wanted if key not in there and key not in asked],
                  batch.state.book.fact(f"turn:{kind}.new"))  # fmt: skip
    return order + list(_mixed(old, new))


def _known_of(keys: Sequence[str], known: Known) -> set[str]:
    """Asked in groups: a question that names a hundred thousand takes megabytes."""
    groups = (keys[start : start + STEP] for start in range(0, len(keys), STEP))
    return {key for group in groups for key in known(group)}


def _behind(keys: Sequence[str], last: str | None) -> list[str]:
    start = bisect_right(keys, last or "")
    return [*keys[start:], *keys[:start]]


def _mixed(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """Step by step half of each, as long as there are both."""
    a = b = 0
    while a < len(old) or b < len(new):
        of_new = min(len(new) - b, max(STEP // 2, STEP - (len(old) - a)))
        of_old = min(len(old) - a, STEP - of_new)
        yield from old[a : a + of_old]
        yield from new[b : b + of_new]
        a, b = a + of_old, b + of_new


def must_end(batch: Batch, read: int) -> bool:
    """Whether what was read so far is decided and written first, since the batch's time is short:
    half of it is for writing. A plan that a person has accepted, or only looks at, is read whole.
    """
    if batch.late:
        return read > 0
    if batch.options.dry_run or batch.options.accept is not None:
        return False
    left = batch.deadline - batch.clock.monotonic()
    return read >= STEP and left < batch.config.schedule.run_seconds_max / 2


def leave(batch: Batch, kind: Kind, order: Sequence[str], read: int, *, known: Known) -> None:
    """What was not read stays wanted, and has its turn before what was."""
    taken = order[:read]
    there = _known_of(taken, known)
    for name, keys in (
        ("known", [key for key in taken if key in there]),
        ("new", [key for key in taken if key not in there]),
    ):
        if keys:
            batch.turns[f"turn:{kind}.{name}"] = keys[-1]
    batch.more += len(order) - read


def more_in_words(batch: Batch) -> str:
    """What the next batches have to do, for the plan of this one."""
    return f"{batch.more:,} more are decided by the next batches"


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
        f"This batch has used its time; {more_in_words(batch)}.",
        resume_at=batch.clock.now(),
        next_step="The next run goes on from here.",
    )
