"""When the next batch is due: the interval within office hours, another one or none outside.

Days and times are those of a zone's clocks, so that 08:00 stays 08:00 when the clocks change.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from syncjob.core.policy_times import WEEKDAYS, OfficeHours

#: A timer is seldom exact: a batch that comes this much early outside the hours is on time.
SLACK = timedelta(minutes=1)
#: The hours open again within a week, or two where a change of the clocks swallows them once.
_DAYS_AHEAD = 15


class Stretch(NamedTuple):
    """A time at which the interval is the same; None: no batch begins in it."""

    begin: datetime
    end: datetime
    inside: bool
    every: timedelta | None


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How often batches run: `every` within the hours (or always, without hours), in a zone."""

    every: timedelta
    hours: OfficeHours
    zone: ZoneInfo

    def inside(self, now: datetime) -> bool:
        """Whether the usual interval counts now."""
        return not self.hours.bounded or any(b <= now < e for b, e in self._around(now))

    def due(self, now: datetime, last: datetime | None) -> datetime | None:
        """When a batch that is asked for now may begin: None for at once.

        `last` is when the last one began. Within the hours whoever asks keeps the interval.
        """
        if self.inside(now):
            return None
        opens, minutes = self._opens(now), self.hours.outside_minutes
        if not minutes:
            return opens
        after = None if last is None else last + timedelta(minutes=minutes)
        if after is None or now >= after - SLACK:
            return None
        return min(after, opens)

    def following(self, last: datetime) -> datetime:
        """When the batch after one that began then is expected."""
        usual = last + self.every
        if self.inside(usual):
            return usual
        opens, minutes = self._opens(usual), self.hours.outside_minutes
        if not minutes:
            return opens
        return min(opens, max(usual, last + timedelta(minutes=minutes)))

    def stretches(self, begin: datetime, end: datetime) -> Iterator[Stretch]:
        """The time from `begin` to `end`, cut where the interval changes."""
        outside = timedelta(minutes=self.hours.outside_minutes) or None
        now = begin
        while now < end:
            inside = self.inside(now)
            until = min(end, self._closes(now) if inside else self._opens(now))
            yield Stretch(now, until, inside, self.every if inside else outside)
            now = until

    def polls(self, begin: datetime, end: datetime) -> float:
        """How many batches fit between these instants; a fraction counts as such."""
        found = ((s.end - s.begin) / s.every for s in self.stretches(begin, end) if s.every)
        return sum(found, 0.0)

    def after_polls(self, begin: datetime, number: float, end: datetime) -> datetime | None:
        """The instant at which so many batches have run since `begin`; None: not before `end`."""
        for stretch in self.stretches(begin, end):
            if stretch.every is None:
                continue
            here = (stretch.end - stretch.begin) / stretch.every
            if number < here:
                return stretch.begin + stretch.every * number
            number -= here
        return None

    # --- hours as instants --------------------------------------------------------------------

    def _of(self, day: date) -> tuple[datetime, datetime] | None:
        """The hours that begin on this day, in UTC; None on a day that has none."""
        if WEEKDAYS[day.weekday()] not in self.hours.days:
            return None
        opens, closes = self.hours.opens, self.hours.closes
        last = day + timedelta(days=closes <= opens)
        begin, end = self._instant(day, opens), self._instant(last, closes)
        return (begin, end) if begin < end else None  # a change of the clocks may swallow them

    def _instant(self, day: date, at: time) -> datetime:
        """A time that the clocks show twice counts the first time; one that they leave out is
        reckoned by the clocks before."""
        return datetime.combine(day, at, self.zone).astimezone(UTC)

    def _around(self, now: datetime, ahead: int = 1) -> Iterator[tuple[datetime, datetime]]:
        today = now.astimezone(self.zone).date()
        for days in range(-1, ahead + 1):
            found = self._of(today + timedelta(days=days))
            if found is not None:
                yield found

    def _opens(self, now: datetime) -> datetime:
        """When the hours begin next; call it outside of them."""
        return min(b for b, _ in self._around(now, _DAYS_AHEAD) if b > now)

    def _closes(self, now: datetime) -> datetime:
        """When the hours end; a day ahead where they are never over."""
        if not self.hours.bounded:
            return now + timedelta(days=_DAYS_AHEAD)
        return max(e for b, e in self._around(now) if b <= now < e)
