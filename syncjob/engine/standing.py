"""What holds everything back at present, whatever the record: pauses, the guard, the last batch.

From the state alone, for `why`: each with what a person can do about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from datetime import datetime, timedelta

from syncjob.core.story import Awaited
from syncjob.engine.batch import Batch, mapping_hash
from syncjob.engine.door import PAUSE_KINDS, pauses, stop_file

#: How many batches are looked through for the last that ended: a check begins one and ends none.
_BATCHES_SEEN = 20
_ACCEPT = "`syncjob plan` shows the plan; if it is right, `syncjob run --accept HASH` releases it."
#: How the last batch ended, where that keeps the next one from writing: in words, and what to do.
_ENDINGS = {
    "guard": ("the guard stopped the last batch before its first write", _ACCEPT),
    "credentials": (
        "the credentials were refused in the last batch",
        "`syncjob check` says which, and how to renew them.",
    ),
    "wrong_organisation": (
        "the credentials opened another organisation in the last batch",
        "Connect the right one again: `syncjob connect`.",
    ),
    "failed": ("the last batch failed", "`syncjob log -n 1` says why."),
    "later": ("a vendor's limit, or one that was down, ended the last batch early", ""),
    "interrupted": ("the last batch was stopped by hand", ""),
}


def last_batch(batch: Batch) -> dict[str, object] | None:
    """The newest batch that ended, as plain values."""
    found = batch.state.book.last_batches(_BATCHES_SEEN)
    return next((one for one in found if one["ended"] and one["id"] != batch.id), None)


def last_began(batch: Batch) -> datetime | None:
    """When the newest batch that ended had begun."""
    last = last_batch(batch)
    return datetime.fromisoformat(str(last["started"])) if last else None


def next_batch(batch: Batch) -> datetime | None:
    """When the next batch is expected: the interval after the last, or when a vendor said."""
    last = last_batch(batch)
    if last is None:
        return None
    usual = datetime.fromisoformat(str(last["started"]))
    usual += timedelta(minutes=batch.config.schedule.every_minutes)
    resume = last["resume_at"]
    return max(usual, datetime.fromisoformat(str(resume))) if resume else usual


def standing(batch: Batch, kinds: Set[str]) -> tuple[Awaited, ...]:
    """What keeps these kinds of writes back now."""
    return (*_by_people(batch, kinds), *_by_config(batch), *_by_the_last(batch))


def _by_people(batch: Batch, kinds: Set[str]) -> Iterator[Awaited]:
    state, now = batch.state, batch.clock.now()
    if stop_file(state.path).exists():
        yield Awaited(
            kind="stop_file",
            text="a file named STOP stands beside the state, so nothing is written",
            step=f"Delete {stop_file(state.path)} to let writes go on.",
        )  # fmt: skip
    groups = {PAUSE_KINDS.get(kind) for kind in kinds}
    for pause in pauses(state, now):
        if pause.only == "all" or pause.only in groups or not kinds:
            what = "everything is" if pause.only == "all" else f"writing of {pause.only} is"
            yield Awaited(
                kind="pause", until=pause.until,
                text=f"{what} paused by {pause.who or 'somebody'}: {pause.reason}",
                step="`syncjob resume` shows the plan and lets writes go on.",
            )  # fmt: skip
    if state.book.fact("another_instance") is not None:
        yield Awaited(
            kind="instance", text="another instance seems to be running, so nothing is created",
            step="Stop the other one, then `syncjob resolve connection --only-instance`.",
        )  # fmt: skip


def _by_config(batch: Batch) -> Iterator[Awaited]:
    if batch.config.mode == "read_only":
        yield Awaited(
            kind="mode", text="the mode is read_only, so nothing is ever written",
            step="Set `mode: drafts_only` in the config once the plan is right.",
        )  # fmt: skip
    known = batch.state.book.fact("mapping_hash")
    if known is not None and known != mapping_hash(batch.config):
        yield Awaited(
            kind="rules", step=_ACCEPT,
            text="the config's rules have changed since the last batch, so the next one first "
            "reports what they would do and writes nothing",
        )  # fmt: skip


def _by_the_last(batch: Batch) -> Iterator[Awaited]:
    last = last_batch(batch)
    result = str(last["result"]) if last else ""
    if last is None or result not in _ENDINGS:
        return
    words, step = _ENDINGS[result]
    resume = last["resume_at"]
    yield Awaited(
        kind=result, text=f"{words} (batch {last['id']})", step=step,
        until=datetime.fromisoformat(str(resume)) if resume else None,
    )  # fmt: skip
