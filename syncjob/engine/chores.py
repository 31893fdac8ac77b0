"""The night's work: what is done once a night, after the ordinary batch that comes first.

A chore that fails is an issue and never the batch's failure; one that has not done all of its work
goes on after the next batch. When each was last done stands in the state.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from syncjob.core.actions import Issue
from syncjob.engine.batch import Batch
from syncjob.engine.keeping import backup_tonight
from syncjob.engine.nights import CHORES, Chore, Known, due, known_of, note
from syncjob.engine.reconcile.nightly import reconcile_tonight
from syncjob.errors import Interrupted, RetryLater, SyncJobError

#: A chore that failed is tried again so much later.
RETRY = timedelta(hours=1)
#: The chores of one batch take this share of the interval at most, so that the next batch is not
#: late; where the interval is short, at least so many seconds.
SHARE_PERCENT, SECONDS_MIN = 50, 30

Work = Callable[[Batch, float], tuple[str, datetime | None]]
#: What each chore of engine/nights.py does with a batch and the monotonic time at which it must
#: come to a pause: what it says, and when it goes on if it has not finished. It may raise any
#: SyncJobError.
WORK: dict[str, Work] = {"backup": backup_tonight, "reconcile": reconcile_tonight}


def run_due(batch: Batch) -> None:
    """Each chore that is due, one after the other, while the batch has time."""
    if batch.options.deal is not None or batch.options.dry_run:
        return
    seconds = max(SECONDS_MIN, batch.config.schedule.every_minutes * 60 * SHARE_PERCENT // 100)
    until = min(batch.deadline, batch.clock.monotonic() + seconds)
    for chore in CHORES:
        known = known_of(batch.state, chore)
        if not due(batch.config, batch.state, chore, known, batch.clock.now(), batch.zone):
            continue
        if batch.clock.monotonic() >= until or batch.options.should_stop():
            return
        _run(batch, chore, known, until)


def _run(batch: Batch, chore: Chore, known: Known, until: float) -> None:
    batch.log.info("chore.started", chore=chore.name)
    began = batch.clock.monotonic()
    try:
        said, again = WORK[chore.name](batch, until)
    except Interrupted:
        return
    except RetryLater as error:
        said, again = error.what, error.resume_at or batch.clock.now() + RETRY
    except SyncJobError as error:
        _failed(batch, chore, known, error)
        return
    now = batch.clock.now()
    known.said, known.again = said, again
    if again is None:
        known.done = now
    with batch.state.commit():
        note(batch.state, chore, known)
        batch.state.book.close_issues(f"chore:{chore.name}", keep=set(), at=now)
    batch.log.info(
        "chore.ended", chore=chore.name, result=said, goes_on=again.isoformat() if again else None,
        seconds=batch.clock.monotonic() - began,
    )  # fmt: skip


def _failed(batch: Batch, chore: Chore, known: Known, error: SyncJobError) -> None:
    """An issue; the batch has nothing to do with it."""
    known.said, known.again = f"failed: {error.what}", batch.clock.now() + RETRY
    where = f"{error.where}: " if error.where else ""
    with batch.state.commit():
        note(batch.state, chore, known)
        batch.raise_issues(
            [
                Issue(
                    code="chore_failed", subject=f"chore:{chore.name}", state="note",
                    what=f"The night's {chore.name} failed: {where}{error.what}",
                    next_step=error.next_step or "It is tried again within the hour.",
                )
            ]
        )  # fmt: skip
    batch.log.error("chore.failed", chore=chore.name, why=error.what)
