"""How the vendors' days stood after the last batch, from the state alone: no call, no vault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from syncjob.config import Config
from syncjob.core.budget import DAY, Forecast, Purse, forecast
from syncjob.core.hours import Pace
from syncjob.core.records import LedgerReference
from syncjob.core.reports import Budget
from syncjob.state.database import State

#: The facts: the purses, and what the last batch left out, each with why.
_PURSES, _LEFT_OUT = "purses", "left_out"


def pace_in(config: Config, organisation_zone: str | None) -> Pace:
    """How often batches run, by the clocks of the configured zone, or else the organisation's
    (UTC before that is known)."""
    hours = config.schedule.office_hours
    return Pace(
        every=timedelta(minutes=config.schedule.every_minutes), hours=hours,
        zone=ZoneInfo(hours.time_zone or organisation_zone or "UTC"),
    )  # fmt: skip


def pace_of(config: Config, state: State) -> Pace:
    """The same from what the state knows of the organisation."""
    known = None
    if config.schedule.office_hours.bounded and config.schedule.office_hours.time_zone is None:
        known = state.book.reference("ledger", LedgerReference)
    return pace_in(config, known[0].organisation.time_zone if known else None)


def keep_purses(state: State, found: Sequence[Purse], left_out: Mapping[str, str]) -> None:
    """Write down how the days stand; call it inside a commit."""
    state.book.note(_PURSES, msgspec.json.encode(found).decode())
    state.book.note(_LEFT_OUT, msgspec.json.encode(left_out).decode() if left_out else None)


def left_out(state: State) -> dict[str, str]:
    """What the last batch left out for want of calls, and why."""
    body = state.book.fact(_LEFT_OUT)
    return msgspec.json.decode(body, type=dict[str, str]) if body else {}


def budgets(config: Config, state: State, now: datetime) -> tuple[Budget, ...]:
    """Each vendor's day as it is now as far as this state knows, with its forecast."""
    body = state.book.fact(_PURSES)
    if body is None:
        return ()
    pace, batches = pace_of(config, state), state.book.calls_since(now - DAY)
    found = [purse.at(now.astimezone(UTC)) for purse in msgspec.json.decode(body, type=list[Purse])]
    return tuple(
        _budget(purse, forecast(purse, pace, [made.get(purse.vendor, 0) for made in batches], now))
        for purse in found
    )


def _budget(purse: Purse, ahead: Forecast | None) -> Budget:
    return Budget(
        vendor=purse.vendor, counts="calls" if purse.counts == "calls" else "tokens",
        allowed=purse.allowed, cap=purse.cap, used=purse.used, left=max(0, purse.left),
        resets_at=None if purse.sliding else purse.resets_at, reset_seen=purse.reset_seen,
        polls=ahead.polls if ahead else None, need=ahead.need if ahead else None,
        lasts_until=ahead.lasts_until if ahead else None,
    )  # fmt: skip
