"""More than one batch decides: it goes in steps, and nobody is left behind (engine/share.py)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from syncjob.core.reports import BatchReport
from syncjob.engine import share
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import awaiting, minutes, quiet, sell
from tests.engine.world import World

ROOM = 3


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "DECIDED_MAX", ROOM)


def _until_done(w: World, most: int = 12) -> list[BatchReport]:
    reports = [w.run()]
    while reports[-1].result == "later":
        assert len(reports) < most
        assert reports[-1].resume_at is not None
        minutes(w, 1)
        reports.append(w.run())
    return reports


def _sold(w: World, count: int) -> list[int]:
    return [sell(w, f"Firm {number} Pty", title=f"Order {number}") for number in range(count)]


def test_a_load_goes_in_steps_until_all_is_done(world: World) -> None:
    deals = _sold(world, 8)
    reports = _until_done(world)
    assert [r.result for r in reports] == ["later", "later", "done"]
    assert [r.counts["invoice.create"] for r in reports] == [3, 3, 2]
    assert "5 more are decided by the next batches" in reports[0].stopped_by
    assert len(world.invoices()) == 8
    assert {world.deal_fields(deal)["Invoice status"] for deal in deals} == {"draft"}
    quiet(world)


def test_a_plan_shows_what_the_next_batch_does(world: World) -> None:
    _sold(world, 5)
    seen = world.plan()
    assert seen.counts["invoice.create"] == ROOM
    assert seen.waits["connection"] == "2 more are decided by the next batches, 3 at a time"
    report = world.run()
    assert report.plan_hash == seen.hash


def test_news_of_a_payment_does_not_wait_for_a_load(world: World) -> None:
    deal = awaiting(world)
    _sold(world, 8)
    world.books("pay", invoice="INV-0001")
    report = world.run()
    assert report.result == "later"
    assert world.deal_fields(deal)["Invoice status"] == "paid"
    assert _until_done(world)[-1].result == "done"
    assert len(world.invoices()) == 9


def test_what_only_waits_holds_up_nobody_behind_it(make_world: MakeWorld) -> None:
    world = make_world()
    world.run()
    _sold(world, 7)
    for _ in range(4):
        world.run(max_creates=1)  # the others of each share keep their place
        minutes(world, 1)
    titles = {invoice["reference"].split()[0] for invoice in world.invoices()}
    assert len(world.invoices()) == 4, titles
    _until_done(world)
    assert len(world.invoices()) == 7


def test_where_nothing_may_be_written_no_batch_asks_for_another(make_world: MakeWorld) -> None:
    world = make_world()
    world.overrides = {"mode": "read_only"}
    _sold(world, 7)
    for _ in range(4):
        report = world.run()
        assert (report.result, report.counts.get("invoice.create")) == ("done", None)
        minutes(world, 1)


def test_an_accepted_plan_is_that_of_the_next_batch(make_world: MakeWorld) -> None:
    strict: dict[str, Any] = {"guard": {"creates_first_week": 1, "creates": 1, "updates": 1}}
    world = make_world(config=strict)
    _sold(world, 5)
    tripped = world.run()
    assert tripped.result == "guard"
    again = world.run()
    assert again.plan_hash == tripped.plan_hash
    world.advance(timedelta(minutes=1))
    done = world.run(accept=tripped.plan_hash)
    assert done.counts["invoice.create"] == ROOM
    assert done.result == "later"
    assert world.run().result == "guard"  # the next step is another plan


def test_customers_go_in_steps_too(make_world: MakeWorld) -> None:
    world = make_world(config={"contacts": {"update": "owners", "which": "all"}})
    for number in range(8):
        world.crm("create_org", name=f"Firm {number} Pty")
    reports = _until_done(world)
    assert len(reports) > 2
    assert len(world.contacts()) == 8
