"""Office hours: by the clocks of their zone, whatever the season; what is due outside of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from syncjob.core.hours import Pace
from syncjob.core.policy_times import WEEKDAYS, OfficeHours, Weekday

WORKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
FIVE = timedelta(minutes=5)
#: Weeks in which the clocks change, both ways and on both sides of the world, by half an hour too.
CHANGES = {
    "Europe/London": ("2026-03-26", "2026-10-22"),
    "Australia/Sydney": ("2026-04-02", "2026-10-01"),
    "Australia/Lord_Howe": ("2026-04-02", "2026-10-01"),
    "America/St_Johns": ("2026-03-05", "2026-10-29"),
    "Asia/Kathmandu": ("2026-03-26",),
}


def pace(
    zone: str = "Europe/London", days: tuple[Weekday, ...] = WORKDAYS, begin: str = "08:00",
    end: str = "18:00", outside: int = 60, every: timedelta = FIVE,
) -> Pace:  # fmt: skip
    hours = OfficeHours(days=days, begin=begin, end=end, outside_minutes=outside)
    return Pace(every=every, hours=hours, zone=ZoneInfo(zone))


@pytest.mark.parametrize("zone", CHANGES)
@pytest.mark.parametrize(("begin", "end"), [("08:00", "18:00"), ("21:30", "05:00")])
def test_the_hours_are_those_of_the_clocks_on_the_wall(zone: str, begin: str, end: str) -> None:
    given = pace(zone, begin=begin, end=end)
    for first in CHANGES[zone]:
        start = datetime.fromisoformat(first).replace(tzinfo=UTC)
        for number in range(9 * 24 * 4):
            now = start + timedelta(minutes=15 * number + 1)
            wall = now.astimezone(ZoneInfo(zone))
            clock, today = f"{wall:%H:%M}", WEEKDAYS[wall.weekday()]
            if begin < end:
                open_ = today in WORKDAYS and begin <= clock < end
            else:  # into the next morning
                before = WEEKDAYS[wall.weekday() - 1]
                open_ = (today in WORKDAYS and clock >= begin) or (
                    before in WORKDAYS and clock < end
                )
            assert given.inside(now) == open_, wall


@pytest.mark.parametrize("zone", CHANGES)
@pytest.mark.parametrize("outside", [0, 60, 240])
def test_a_timer_that_asks_each_five_minutes_gets_what_was_foreseen(
    zone: str, outside: int
) -> None:
    """Nine days by the timer: a batch each five minutes within the hours, and outside of them at
    their own interval or never; `following` names each one before it comes."""
    given = pace(zone, outside=outside)
    for first in CHANGES[zone]:
        now = datetime.fromisoformat(first).replace(tzinfo=UTC)
        last: datetime | None = None
        for _ in range(9 * 24 * 12):
            due = given.due(now, last)
            if due is None:
                if last is not None:
                    late = now - given.following(last)
                    assert timedelta(minutes=-1) <= late < FIVE, (last, now)
                assert outside or given.inside(now)
                last = now
            else:
                assert now < due
                assert not given.inside(now)
            now += FIVE


def test_without_days_all_hours_are_office_hours() -> None:
    given = pace(days=())
    now = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
    assert given.inside(now) and given.due(now, now) is None
    assert given.following(now) == now + FIVE
    assert given.polls(now, now + timedelta(days=1)) == 288


def test_polls_are_counted_by_the_interval_of_each_hour() -> None:
    monday = datetime(2026, 11, 23, tzinfo=UTC)
    day = timedelta(days=1)
    assert pace().polls(monday, monday + day) == 10 * 12 + 14
    assert pace(outside=0).polls(monday, monday + day) == 120
    assert pace(outside=0).polls(monday - 2 * day, monday) == 0
    # The tenth of a London Sunday in spring has 23 hours; the poll at noon of Monday is the 59th.
    spring = datetime(2026, 3, 29, tzinfo=UTC)
    assert pace().polls(spring, spring + timedelta(hours=23)) == 23
    assert pace(outside=0).after_polls(spring, 48, spring + 3 * day) == datetime(
        2026, 3, 30, 11, 0, tzinfo=UTC
    )
    assert pace(outside=0).after_polls(spring, 500, spring + 3 * day) is None


def test_what_makes_no_hours_is_refused() -> None:
    for wrong in (
        {"begin": "8:00"}, {"end": "24:00"}, {"days": ["monday"]}, {"time_zone": "Mars/Olympus"},
        {"begin": "08:00", "end": "08:00"}, {"outside_minutes": -1}, {"time_zone": "../etc"},
    ):  # fmt: skip
        with pytest.raises(ValidationError):
            OfficeHours.model_validate(wrong)
