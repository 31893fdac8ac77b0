"""The calendar day of four organisations, reckoned by hand: nothing here knows a time zone file.

The rules of summer time in 2026 and 2027 are those that the four countries publish.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

HOUR = timedelta(hours=1)
_SUNDAY = 6


def _sunday(year: int, month: int, number: int) -> date:
    """The number-th Sunday of a month; 0 is the last."""
    first = date(year, month, 1)
    sunday = first + timedelta(days=(_SUNDAY - first.weekday()) % 7)
    if number:
        return sunday + timedelta(weeks=number - 1)
    while (sunday + timedelta(weeks=1)).month == month:
        sunday += timedelta(weeks=1)
    return sunday


def _at(day: date, standard: int, hour: int) -> datetime:
    """An hour of standard time on that day, as an instant."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + HOUR * (hour - standard)


def _summer(region: str, year: int) -> tuple[datetime, datetime]:
    """When clocks go forward and back in that year, all in hours of standard time."""
    if region == "AU":  # first Sunday in October at 2, back on the first in April at 3 (2 standard)
        return _at(_sunday(year, 10, 1), 10, 2), _at(_sunday(year, 4, 1), 10, 2)
    if region == "NZ":  # last Sunday in September at 2, back on the first in April
        return _at(_sunday(year, 9, 0), 12, 2), _at(_sunday(year, 4, 1), 12, 2)
    if region == "UK":  # last Sundays in March and October at 1 UTC
        return _at(_sunday(year, 3, 0), 0, 1), _at(_sunday(year, 10, 0), 0, 1)
    return _at(_sunday(year, 3, 2), -5, 2), _at(_sunday(year, 11, 1), -5, 1)  # US, Eastern


STANDARD = {"AU": 10, "NZ": 12, "UK": 0, "US": -5}


def offset(region: str, moment: datetime) -> timedelta:
    """How far the region's clocks are from UTC at that moment."""
    forward, back = _summer(region, moment.year)
    north = forward < back
    summer = forward <= moment < back if north else not back <= moment < forward
    return HOUR * (STANDARD[region] + summer)


def day_of(region: str, moment: datetime) -> date:
    """The calendar day of an organisation in that region."""
    return (moment + offset(region, moment)).date()


def hour_of(region: str, moment: datetime) -> float:
    """The hour of its day."""
    local = moment + offset(region, moment)
    return local.hour + local.minute / 60
