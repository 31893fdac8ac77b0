"""The night's work: what is done once a night, after the ordinary batch that comes first.

A chore that fails is an issue and never the batch's failure; one that has not done all of its work
goes on after the next batch. When each was last done stands in the state.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from syncjob.config import Config
from syncjob.core.actions import Issue
from syncjob.core.nightly import is_due
from syncjob.core.records import LedgerReference
from syncjob.core.reports import ChoreStatus
from syncjob.engine.batch import Batch
from syncjob.engine.keeping import backup_tonight
from syncjob.engine.reconcile.nightly import reconcile_tonight
from syncjob.errors import Interrupted, RetryLater, SyncJobError
from syncjob.state.database import State

#: A chore that failed is tried again so much later.
RETRY = timedelta(hours=1)
#: The chores of one batch take this share of the interval at most, so that the next batch is not
#: late; where the interval is short, at least so many seconds.
SHARE_PERCENT, SECONDS_MIN = 50, 30

#: What lies further ahead was written by a clock that was wrong, and is not waited for.
AHEAD_MAX = timedelta(days=2)


class Chore(NamedTuple):
    """`work` gets the batch and the monotonic time at which it must come to a pause. It may raise
    any SyncJobError."""

    name: str
    wanted: Callable[[Config], bool]
    work: Callable[[Batch, float], tuple[str, datetime | None]]


CHORES: tuple[Chore, ...] = (
    Chore("backup", lambda config: True, backup_tonight),
    Chore("reconcile", lambda config: config.schedule.reconcile, reconcile_tonight),
)


class _Known(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the state remembers of a chore."""

    done: datetime | None = None
    said: str = ""
    again: datetime | None = None


def run_due(batch: Batch) -> None:
    """Each chore that is due, one after the other, while the batch has time."""
    if batch.options.deal is not None or batch.options.dry_run:
        return
    seconds = max(SECONDS_MIN, batch.config.schedule.every_minutes * 60 * SHARE_PERCENT // 100)
    until = min(batch.deadline, batch.clock.monotonic() + seconds)
    for chore in CHORES:
        known = _known(batch.state, chore)
        if not _is_due(batch.config, batch.state, chore, known, batch.clock.now(), batch.zone):
            continue
        if batch.clock.monotonic() >= until or batch.options.should_stop():
            return
        _run(batch, chore, known, until)


def _run(batch: Batch, chore: Chore, known: _Known, until: float) -> None:
    batch.log.info("chore.started", chore=chore.name)
    began = batch.clock.monotonic()
    try:
        said, again = chore.work(batch, until)
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
        _note(batch.state, chore, known)
        batch.state.book.close_issues(f"chore:{chore.name}", keep=set(), at=now)
    batch.log.info(
        "chore.ended", chore=chore.name, result=said, goes_on=again.isoformat() if again else None,
        seconds=batch.clock.monotonic() - began,
    )  # fmt: skip


def _failed(batch: Batch, chore: Chore, known: _Known, error: SyncJobError) -> None:
    """An issue; the batch has nothing to do with it."""
    known.said, known.again = f"failed: {error.what}", batch.clock.now() + RETRY
    where = f"{error.where}: " if error.where else ""
    with batch.state.commit():
        _note(batch.state, chore, known)
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


# --- when -----------------------------------------------------------------------------------------


def _is_due(
    config: Config, state: State, chore: Chore, known: _Known, now: datetime, zone: ZoneInfo
) -> bool:
    at = config.schedule.nightly_at
    if at == "off" or not chore.wanted(config) or _to_come(known.again, now):
        return False
    since = known.done
    if since is None or since - now > AHEAD_MAX:
        since = state.book.instant("born")
    return is_due(now, time.fromisoformat(at), zone, since=since)


def _to_come(again: datetime | None, now: datetime) -> bool:
    """Whether a chore waits for this moment; none waits for longer than a vendor's day."""
    return again is not None and timedelta() < again - now <= AHEAD_MAX


def chore_statuses(config: Config, state: State, now: datetime) -> tuple[ChoreStatus, ...]:
    """Each chore that is wanted: when it was last done, what it said, whether it is due."""
    reference = state.book.reference("ledger", LedgerReference)
    zone = ZoneInfo(reference[0].organisation.time_zone) if reference else ZoneInfo("UTC")
    at = config.schedule.nightly_at
    wanted = [c for c in CHORES if at != "off" and c.wanted(config)]
    known = {chore.name: _known(state, chore) for chore in wanted}
    return tuple(
        ChoreStatus(
            name=chore.name, done=found.done, said=found.said, again=found.again, at=at,
            due=_is_due(config, state, chore, found, now.astimezone(UTC), zone),
        )
        for chore in wanted
        for found in (known[chore.name],)
    )  # fmt: skip


def _known(state: State, chore: Chore) -> _Known:
    body = state.book.fact(f"chore:{chore.name}")
    return msgspec.json.decode(body, type=_Known) if body else _Known()


def _note(state: State, chore: Chore, known: _Known) -> None:
    state.book.note(f"chore:{chore.name}", msgspec.json.encode(known).decode())


def note_done(state: State, name: str, said: str, now: datetime) -> None:
    """A person has just done this by hand, so tonight's need not be done; inside a commit."""
    chore = next(one for one in CHORES if one.name == name)
    _note(state, chore, _Known(done=now, said=said))
