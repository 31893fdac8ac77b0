"""With the vendors' rate limits on, a first load ends complete, and no 429 is ever received."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import minutes, quiet, sell
from tests.engine.world import World

DEALS, CUSTOMERS = 60, 20
#: One of a firm's smallest plan: 30,000 tokens a day, of which so few percent are ours.
LITE: dict[str, Any] = {"plan": "lite", "seats": 1}


def _load(w: World) -> None:
    for number in range(DEALS):
        sell(w, f"Firm {number % CUSTOMERS} Pty", title=f"Order {number}")


def _run_until_done(w: World) -> list[timedelta]:
    """Batches until one is done, each when the one before says; how long each asked to wait."""
    waits = []
    while (report := w.run()).exit_code != 0:
        assert (report.exit_code, report.resume_at is not None) == (4, True), report
        assert report.resume_at is not None
        waits.append(report.resume_at - w.clock.now())
        w.time.set(max(report.resume_at, w.clock.now() + timedelta(minutes=1)))
        assert len(waits) < 10
    assert [call for call in w.calls() if call["status"] == 429] == []
    assert len(w.invoices()) == DEALS
    assert {w.deal_fields(n + 1)["Invoice status"] for n in range(DEALS)} == {"draft"}
    return waits


def test_a_few_calls_a_minute_are_waited_for(make_world: MakeWorld) -> None:
    world = make_world(config={"ledger": {"day_limit": 1000}})
    _load(world)
    world.books("set_limits", minute=3, day=1000)
    assert _run_until_done(world) == []
    assert world.clock.slept > 60
    minutes(world, 1)
    world.run()
    quiet(world)


def test_a_small_share_of_the_crms_day_spreads_a_load_while_new_deals_get_their_drafts(
    make_world: MakeWorld,
) -> None:
    """600 tokens a day of ours, and not enough for the load and a poll each hour: polls go on
    further apart, so that a deal won in mid-load has its draft within hours; the statuses come as
    there is room, the last of them the next day."""
    world = make_world(
        init=False, crm={**LITE, "limits": True, "bursts_in_real_time": False},
        config={"crm": {**LITE, "budget_share_percent": 2}, "schedule": {"every_minutes": 60}},
    )  # fmt: skip
    world.init()
    _load(world)
    first = world.run()
    assert first.exit_code == 0 and len(world.invoices()) == DEALS
    assert "drafts and statuses (pipedrive)" in first.left_out
    late = sell(world, "Firm 1 Pty", title="Won meanwhile")
    hours, waits = 0, True
    while waits:
        minutes(world, 60)
        hours += 1
        report = world.run()
        waits = "drafts and statuses (pipedrive)" in report.left_out
        assert report.stopped_by == ""
        if hours == 3:
            assert len(world.invoices()) == DEALS + 1, "its draft waits for no status"
            assert waits
        assert hours <= 28, report.left_out
    assert hours > 4
    assert [call for call in world.calls() if call["status"] == 429] == []
    assert {world.deal_fields(n + 1)["Invoice status"] for n in range(DEALS)} == {"draft"}
    assert world.deal_fields(late)["Invoice status"] == "draft"
    minutes(world, 60)
    world.run()
    quiet(world)
