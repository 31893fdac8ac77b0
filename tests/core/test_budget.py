"""What a day's calls are for: the order, what is kept for whom, and the forecast."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from syncjob.core.budget import (
    DAY,
    Forecast,
    Purse,
    Work,
    forecast,
    kept,
    may,
    poll_every,
    polls_need,
    work_of_kind,
    work_of_stream,
)
from syncjob.core.hours import Pace
from syncjob.core.policy_times import OfficeHours

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday
FIVE = timedelta(minutes=5)
ALWAYS = Pace(every=FIVE, hours=OfficeHours(), zone=ZoneInfo("UTC"))
OFFICE = Pace(
    every=FIVE, zone=ZoneInfo("UTC"),
    hours=OfficeHours(days=("mon", "tue", "wed", "thu", "fri"), outside_minutes=60),
)  # fmt: skip
XERO = Purse(
    vendor="xero", side="ledger", counts="calls", allowed=1000, cap=900, left=900, used=0,
    resets_at=NOW + DAY, again=NOW + DAY, reset_seen=True,
)  # fmt: skip


def purse(**changes: object) -> Purse:
    return msgspec.structs.replace(XERO, **changes)


def test_the_order_of_the_brief() -> None:
    order = [
        work_of_stream("ledger", "invoices"), work_of_kind("invoice.create"),
        work_of_kind("contact.update"), work_of_stream("crm", "archived_deals"),
        work_of_kind("note.create"), Work.RECONCILE,
    ]  # fmt: skip
    assert order == sorted(order) and len(set(order)) == len(order)
    for urgent in ("deal.update", "invoice.approve", "contact.create", "task.create"):
        assert work_of_kind(urgent) == Work.DEALS
    assert work_of_stream("crm", "deals") == Work.POLLS
    assert work_of_stream("ledger", "contacts") == work_of_stream("crm", "persons") == Work.CONTACTS


@pytest.mark.parametrize("hours_left", [24, 12, 3, 0])
@pytest.mark.parametrize("left", [0, 1, 50, 200, 400, 700, 900])
def test_what_is_more_urgent_is_never_left_out_for_what_is_less(hours_left: int, left: int) -> None:
    now = NOW + DAY - timedelta(hours=hours_left)
    day = purse(left=left)
    need = polls_need(day, ALWAYS, 1, now)
    allowed = [may(work, day, need, now) for work in Work]
    assert allowed == sorted(allowed, reverse=True)
    assert kept(Work.POLLS, day, need, now) == 0


def test_the_end_of_the_day_may_be_used_up() -> None:
    now = NOW + DAY - timedelta(minutes=1)
    day = purse(left=20)
    assert all(may(work, day, polls_need(day, ALWAYS, 1, now), now) for work in Work)


def test_however_short_the_interval_a_fresh_day_has_room_for_everything() -> None:
    hasty = msgspec.structs.replace(ALWAYS, every=timedelta(seconds=30))
    need = polls_need(XERO, hasty, 1, NOW)
    assert need > XERO.cap
    assert all(may(work, XERO, need, NOW) for work in Work)


def test_polls_are_further_apart_when_they_would_not_last() -> None:
    assert poll_every(FIVE, purse(left=288), 288) == FIVE
    assert poll_every(FIVE, purse(left=144), 288) == timedelta(minutes=15)
    # At that pace a third is left for what the polls lead to.
    assert 144 - DAY / timedelta(minutes=15) == 144 / 3


def test_a_sliding_day_needs_what_is_not_free_again_in_time() -> None:
    evenly = tuple((NOW + timedelta(hours=h + 1), 12) for h in range(24))
    burst = ((NOW + timedelta(hours=23), 288),)
    assert polls_need(purse(sliding=True, frees=evenly), ALWAYS, 1, NOW) == pytest.approx(12)
    assert polls_need(purse(sliding=True, frees=burst), ALWAYS, 1, NOW) == pytest.approx(276)
    assert polls_need(purse(sliding=True), ALWAYS, 10, NOW) == pytest.approx(2880)


def test_a_day_goes_on_by_itself() -> None:
    used = purse(left=10, used=890)
    assert used.at(NOW + timedelta(hours=23)) == used
    fresh = used.at(NOW + timedelta(hours=49))
    assert (fresh.left, fresh.used, fresh.resets_at) == (900, 0, NOW + 3 * DAY)
    frees = ((NOW + timedelta(hours=1), 300), (NOW + timedelta(hours=5), 590))
    slides = purse(left=10, used=890, spent=890, sliding=True, frees=frees)
    later = slides.at(NOW + timedelta(hours=2))
    assert (later.left, later.used, later.frees) == (310, 590, frees[1:])


# --- forecast -----------------------------------------------------------------------------------


def lived(pace: Pace, left: int, each: int, until: datetime) -> datetime | None:
    """Batch after batch until one finds less than it needs; None if the day ends first."""
    now = NOW
    while now < until:
        if left < each:
            return now
        left -= each
        now = pace.following(now)
    return None


@pytest.mark.parametrize("pace", [ALWAYS, OFFICE], ids=["always", "office hours"])
@pytest.mark.parametrize("each", [2, 3, 7])
@pytest.mark.parametrize("left", [30, 288, 500, 900])
def test_a_made_up_day_ends_when_it_was_foreseen(pace: Pace, each: int, left: int) -> None:
    day = purse(left=left, used=900 - left, spent=each * 100)
    ahead = forecast(day, pace, [each] * 100, NOW)
    assert ahead is not None and ahead.each == each
    ends = lived(pace, left, each, day.resets_at)
    if ends is None:
        assert ahead.lasts_until is None
    else:
        assert ahead.lasts_until is not None
        assert abs(ends - ahead.lasts_until) <= pace.following(ends) - ends
    assert ahead.polls == (288 if pace is ALWAYS else 120 + 14)
    assert ahead.need == ahead.polls * each


def test_the_words_of_the_issue() -> None:
    """288 polls need about 600 of 1,000 calls."""
    day = purse(left=600, used=300, spent=625)
    assert forecast(day, ALWAYS, [2] * 300, NOW) == Forecast(polls=288, each=625 / 300, need=600)
    assert forecast(day, ALWAYS, [], NOW) is None
    assert forecast(day, ALWAYS, [0], NOW) is None
    assert forecast(purse(spent=0), ALWAYS, [2] * 300, NOW) is None


def test_a_first_load_is_not_the_pace_of_each_batch() -> None:
    """Three batches after the install, of which one loaded all: 900 calls are expected once."""
    ahead = forecast(purse(left=100, used=800, spent=906), ALWAYS, [900, 3, 3], NOW)
    assert ahead is not None and (ahead.each, ahead.need) == (3.0, 288 * 3 + 900 - 3)


def test_a_day_on_which_no_batch_runs_needs_nothing() -> None:
    mondays = Pace(
        every=FIVE, zone=ZoneInfo("UTC"), hours=OfficeHours(days=("mon",), outside_minutes=0)
    )
    saturday = NOW - timedelta(days=2)
    ahead = forecast(purse(spent=600), mondays, [2] * 300, saturday)
    assert ahead == Forecast(polls=0, each=2.0, need=0)
