"""When each chore of the night is due and was last done: from the config and the state alone.

What the chores do stands in engine/chores.py.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from syncjob.config import Config
from syncjob.core.nightly import is_due
from syncjob.core.records import LedgerReference
from syncjob.core.reports import ChoreStatus
from syncjob.state.database import State

#: What lies further ahead was written by a clock that was wrong, and is not waited for.
AHEAD_MAX = timedelta(days=2)


class Chore(NamedTuple):
    """A chore by name, and whether the config wants it."""

    name: str
    wanted: Callable[[Config], bool]


CHORES: tuple[Chore, ...] = (
    Chore("backup", lambda config: True),
    Chore("reconcile", lambda config: config.schedule.reconcile),
)


class Known(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the state remembers of a chore."""

    done: datetime | None = None
    said: str = ""
    again: datetime | None = None


def due(
    config: Config, state: State, chore: Chore, known: Known, now: datetime, zone: ZoneInfo
) -> bool:
    """Whether the chore is to be done now."""
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
    known = {chore.name: known_of(state, chore) for chore in wanted}
    return tuple(
        ChoreStatus(
            name=chore.name, done=found.done, said=found.said, again=found.again, at=at,
            due=due(config, state, chore, found, now.astimezone(UTC), zone),
        )
        for chore in wanted
        for found in (known[chore.name],)
    )  # fmt: skip


def known_of(state: State, chore: Chore) -> Known:
    """What the state remembers of it; an empty one where it was never done."""
    body = state.book.fact(f"chore:{chore.name}")
    return msgspec.json.decode(body, type=Known) if body else Known()


def note(state: State, chore: Chore, known: Known) -> None:
    """Remember this of it; inside a commit."""
    state.book.note(f"chore:{chore.name}", msgspec.json.encode(known).decode())


def note_done(state: State, name: str, said: str, now: datetime) -> None:
    """A person has just done this by hand, so tonight's need not be done; inside a commit."""
    chore = next(one for one in CHORES if one.name == name)
    note(state, chore, Known(done=now, said=said))
