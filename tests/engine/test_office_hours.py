"""Office hours where they count: in each batch, whoever starts it, and in `status`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from syncjob.core.reports import BatchReport, StatusReport
from syncjob.engine.heartbeat import news
from syncjob.engine.status import status_report
from syncjob.errors import Exit
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import sell
from tests.engine.world import World

#: Friday, 20 November 2026, 17:30 in Sydney, which is eleven hours ahead of UTC then.
FRIDAY = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
CLOSES, OPENS = FRIDAY + timedelta(minutes=30), datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
WORKDAYS = ["mon", "tue", "wed", "thu", "fri"]


def firm(make_world: MakeWorld, **hours: Any) -> World:
    """A firm at work since a while, at half past five on a Friday."""
    schedule = {"office_hours": {"days": WORKDAYS, **hours}}
    world = make_world(config={"schedule": schedule}, start=FRIDAY - timedelta(minutes=30))
    while world.time.now() < FRIDAY:
        assert world.run().exit_code == 0
        world.advance(timedelta(minutes=5))
    return world


def status(world: World) -> StatusReport:
    with world.connection() as handle:
        return status_report(handle.config, handle.state, world.time.now())


def until(world: World, end: datetime) -> list[BatchReport]:
    """What a timer of five minutes gets until then."""
    reports = []
    while world.time.now() < end:
        reports.append(world.run())
        world.advance(timedelta(minutes=5))
    return reports


def test_after_hours_a_run_says_so_and_asks_nobody(make_world: MakeWorld) -> None:
    world = firm(make_world, outside_minutes=0)
    until(world, CLOSES)
    mark = world.mark()
    (report,) = {(r.result, r.exit_code, r.resume_at) for r in until(world, CLOSES + hours(2))}
    assert report == ("outside_hours", Exit.DONE, OPENS)
    assert world.since(mark) == []
    shown = status(world)
    assert (shown.outside_hours, shown.next_run, shown.troubles) == (True, OPENS, ())
    deal = sell(world)
    assert world.run(deal=str(deal)).result != "outside_hours", "a person tries a deal at any hour"
    assert world.run(now=True).exit_code == 0
    assert len(world.invoices()) == 1


def test_a_weekend_without_batches_is_no_surprise_on_monday(make_world: MakeWorld) -> None:
    """Nothing is rebuilt, nobody is alarmed, and what was won on Sunday has its draft at eight."""
    world = firm(make_world, outside_minutes=0)
    until(world, CLOSES)
    world.time.set(OPENS - timedelta(minutes=5))
    deal = sell(world)
    assert world.run().result == "outside_hours"
    world.time.set(OPENS)
    assert status(world).troubles == ()
    report = world.run()
    assert (report.exit_code, report.waits) == (0, {})
    assert len(world.invoices()) == 1
    assert world.deal_fields(deal)["Invoice status"] == "draft"


def test_a_monday_on_which_nothing_starts_is_told_of(make_world: MakeWorld) -> None:
    world = firm(make_world, outside_minutes=0)
    until(world, CLOSES)
    world.time.set(OPENS + hours(5))
    assert status(world).troubles == ()
    world.time.set(OPENS + hours(7))
    assert any("No batch has ended well" in text for text in status(world).troubles)


def test_a_longer_interval_holds_after_hours(make_world: MakeWorld) -> None:
    world = firm(make_world, outside_minutes=60)
    until(world, CLOSES)
    reports = until(world, CLOSES + hours(6))
    ran = [r.started for r in reports if r.result != "outside_hours"]
    assert len(ran) == 6
    assert {later - first for first, later in pairwise(ran)} == {hours(1)}
    assert {r.result for r in reports} == {"done", "outside_hours"}


def test_after_hours_what_is_urgent_alone_is_done_where_that_is_chosen(
    make_world: MakeWorld,
) -> None:
    world = firm(make_world, outside_minutes=60, outside_urgent_only=True)
    until(world, CLOSES)
    sell(world)
    mark = world.mark()
    reports = [r for r in until(world, CLOSES + hours(3)) if r.result != "outside_hours"]
    assert len(world.invoices()) == 1
    left = {what for report in reports for what in report.left_out}
    assert "contacts (xero)" in left
    assert {why for r in reports for why in r.left_out.values()} == {
        "they wait for the office hours"
    }
    paths = [c["path"] for c in world.since(mark) if c["method"] == "GET"]
    assert sum(path.endswith("/Contacts") for path in paths) == 1, "for the draft"
    assert sum(path.endswith("/Invoices") for path in paths) >= 3, "for payments"
    world.time.set(OPENS)
    assert world.run().left_out == {}


@pytest.mark.parametrize(("stopped_by", "code"), [("", 0), ("it failed", Exit.UNREACHABLE)])
def test_a_monitor_hears_a_success_after_hours_unless_the_last_batch_failed(
    stopped_by: str, code: int
) -> None:
    report = BatchReport(
        batch="", connection="c", started=FRIDAY, ended=FRIDAY, result="outside_hours",
        exit_code=0, stopped_by=stopped_by,
    )  # fmt: skip
    assert news(report) == code


def heard(world: World) -> list[int]:
    """What a monitor hears of the runs of the next hour."""
    return sorted({news(r) for r in until(world, world.time.now() + hours(1))})


def test_a_batch_that_was_asked_to_end_silences_no_monitor_for_the_weekend(
    make_world: MakeWorld,
) -> None:
    """The service is started anew just before the office closes."""
    world = firm(make_world, outside_minutes=0)
    until(world, CLOSES)
    world.time.set(CLOSES - timedelta(minutes=2))
    assert world.run(should_stop=lambda: True).result == "interrupted"
    world.time.set(CLOSES)
    assert heard(world) == [Exit.DONE]
    assert status(world).unwell_since is None


def test_a_batch_that_was_asked_to_end_hides_no_failure_before_it(make_world: MakeWorld) -> None:
    """Who sees a failure often starts the service anew: that alone has mended nothing."""
    world = firm(make_world, outside_minutes=0)
    until(world, CLOSES - timedelta(minutes=6))
    failed = world.time.now()
    world.fault(server="xero", path="/Invoices", kind="status", status=503, times=99)
    assert world.run().result not in ("done", "issues")
    world.time.set(CLOSES - timedelta(minutes=2))
    assert world.run(should_stop=lambda: True).result == "interrupted"
    world.time.set(CLOSES)
    assert heard(world) == [Exit.UNREACHABLE]
    assert status(world).unwell_since == failed


def hours(number: int) -> timedelta:
    return timedelta(hours=number)
