"""When a night's work is due: once after a time of day, in the organisation's time zone."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


def last_night(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The newest instant not after `now` at which the zone's clocks showed `at`.

    On a day that has this time twice the first one counts; on a day that leaves it out, the
    instant at which it would have been by the clocks before.
    """
    day = now.astimezone(zone).date()
    # More than once where the hour before midnight was left out (Nuuk): yesterday's, by the clocks
    # before, is still to come then.
    while (night := datetime.combine(day, at, zone)) > now:
        day -= timedelta(days=1)
    return night


def is_due(now: datetime, at: time, zone: ZoneInfo, *, since: datetime | None) -> bool:
    """Whether a night has come since then; a state that was never there has no nights."""
    return since is not None and since < last_night(now, at, zone)
