"""Comparisons of reconcile, and the night: pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.nightly import is_due, last_night
from syncjob.core.reconcile import named, sequences

ZONES = ("UTC", "Australia/Sydney", "Europe/London", "America/New_York", "Pacific/Auckland")


@given(
    standing=st.sets(st.integers(1, 60), min_size=1),
    dead=st.sets(st.integers(1, 60)),
    ours=st.data(),
)
def test_a_sequence_is_what_stands_is_dead_and_is_missing(
    standing: set[int], dead: set[int], ours: st.DataObject
) -> None:
    first = ours.draw(st.sampled_from(sorted(standing)))
    known = {f"INV-{n:04}": False for n in dead} | {f"INV-{n:04}": True for n in standing}
    (made,) = sequences(known, [f"INV-{first:04}"])
    top = max(standing | dead)
    whole = set(range(first, top + 1))
    seen = (standing | dead) & whole
    assert made.missing_count == len(whole - seen)
    assert set(made.missing) <= {f"INV-{n:04}" for n in whole - seen}
    assert set(made.dead) == {f"INV-{n:04}" for n in (dead - standing) & whole}
    assert (made.first, made.last) == (f"INV-{first:04}", f"INV-{top:04}")


def test_what_is_no_sequence_is_left_out() -> None:
    known = {"NW-1042-A1": True, "20260101": True, "29991231": True, "By hand": True}
    assert sequences(known, ["NW-1042-A1", "20260101", "By hand"]) == []
    assert sequences({"INV-1": True}, []) == []


def test_fields_are_named_and_the_rest_counted() -> None:
    assert named(("due_date", "paid")) == "due date, paid"
    assert named([str(n) for n in range(9)]) == "0, 1, 2, 3, 4, 5 and 3 more"


@given(
    minutes=st.integers(0, 3_000_000),
    at=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
)
def test_a_night_comes_once_a_day(minutes: int, at: time, zone: ZoneInfo) -> None:
    instant = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    night = last_night(instant, at, zone)
    assert night <= instant
    assert instant - night <= timedelta(hours=26)  # a day with a change of the clocks
    assert is_due(instant, at, zone, since=night - timedelta(seconds=1))
    assert not is_due(instant, at, zone, since=instant)
    assert not is_due(instant, at, zone, since=None)


def test_a_day_without_that_time_has_its_night() -> None:
    sydney = ZoneInfo("Australia/Sydney")  # on 2026-10-04 clocks go from 2:00 to 3:00
    after = datetime(2026, 10, 3, 17, 0, tzinfo=UTC)
    before = datetime(2026, 10, 3, 15, 0, tzinfo=UTC)
    assert last_night(after, time(2, 30), sydney).date() == date(2026, 10, 4)
    assert last_night(before, time(2, 30), sydney).date() == date(2026, 10, 3)


@pytest.mark.parametrize("at", [time(0, 0), time(2, 30), time(23, 30), time(23, 59)])
@pytest.mark.parametrize("zone", ["America/Nuuk", "Africa/Cairo", "Australia/Lord_Howe"])
def test_each_night_of_a_year_comes_once(zone: str, at: time) -> None:
    """Also where the clocks leave out the hour before midnight: there a night that was still to
    come was due in every batch, and its backups pushed the older ones out."""
    home, runs = ZoneInfo(zone), 0
    now = since = datetime(2026, 1, 1, 12, tzinfo=UTC)
    while now < datetime(2027, 1, 1, 12, tzinfo=UTC):
        assert last_night(now, at, home) <= now
        if is_due(now, at, home, since=since):
            runs, since = runs + 1, now
        now += timedelta(minutes=20)
    assert runs == 365
