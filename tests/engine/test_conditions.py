"""Servers that lag and throttle, batches that are cut short, other currencies: the same end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncjob.sandbox.xero.options import Limits
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import (
    awaiting,
    codes,
    invoice_of,
    minutes,
    number_of,
    only,
    quiet,
    sell,
    writes_to,
)
from tests.engine.world import World


def sold(w: World, count: int) -> list[int]:
    return [sell(w, f"Firm {n % 7}", title=f"Order {n}") for n in range(count)]


@pytest.mark.parametrize("lag_s", [5, 600])
def test_lists_that_lag_behind_the_writes(make_world: MakeWorld, lag_s: int) -> None:
    world = make_world(ledger={"lag_max_s": lag_s}, crm={"lag_max_s": min(lag_s, 60)})
    deals = sold(world, 10)
    minutes(world, 2)
    for _ in range(8):
        world.run()
        minutes(world, 3)
    assert (len(world.invoices()), len(world.contacts())) == (10, 7)
    for deal in deals[:3]:
        world.books("approve", invoice=number_of(world, deal))
        world.books("pay", invoice=number_of(world, deal), amount="10")
    for _ in range(5):
        minutes(world, 5)
        world.run()
    assert {world.deal_fields(d)["Invoice status"] for d in deals[:3]} == {"part-paid"}
    assert codes(quiet(world)) == []


def test_the_vendors_own_limits_are_kept(make_world: MakeWorld) -> None:
    world = make_world(
        ledger={"limits": Limits(minute=10, day=5_000, app_minute=10_000, concurrent=5)},
        crm={"limits": True, "bursts_in_real_time": False},
    )
    deals = sold(world, 120)
    for _ in range(4):
        world.run()
        minutes(world, 16)
    assert len(world.invoices()) == 120
    assert {world.deal_fields(d)["Invoice status"] for d in deals} == {"draft"}
    assert [c for c in world.calls() if c["status"] == 429] == []
    quiet(world)


def test_a_batch_that_is_asked_to_stop_finishes_its_round_and_goes_on_next_time(
    world: World,
) -> None:
    deals = sold(world, 10)

    def should_stop() -> bool:
        return len(world.writes(mark)) > 2  # the customers, the drafts, and the first deals

    mark = world.mark()
    report = world.run(should_stop=should_stop)
    assert (report.result, report.exit_code) == ("interrupted", 1)
    assert len(world.writes(mark)) == 2 + 8
    minutes(world, 1)
    assert world.run().exit_code == 0
    assert {world.deal_fields(d)["Invoice status"] for d in deals} == {"draft"}
    assert len(world.writes(mark)) == 2 + 10
    quiet(world)


def test_a_foreign_currency_stays_in_its_own(world: World) -> None:
    deal = awaiting(world, currency="EUR")
    invoice = invoice_of(world, deal)
    assert (invoice["currency"], invoice["total"]) == ("EUR", "110.00")
    state = world.crm_state()
    codes_by_name = {f["field_name"]: code for code, f in state["fields"]["deals"].items()}
    stored = state["deals"][str(deal)]["custom_fields"][codes_by_name["Invoice total"]]
    assert stored == {"value": 110, "currency": "EUR"}
    world.books("pay", invoice=invoice["number"], amount="50")
    minutes(world, 5)
    world.run()
    assert world.deal_fields(deal)["Invoice due"] == 60
    quiet(world)


def test_an_interval_of_a_day_is_no_gap(make_world: MakeWorld) -> None:
    world = make_world(config={"schedule": {"every_minutes": 1440}})
    for number in range(3):
        sell(world, title=f"Order {number}")
        assert world.run().exit_code == 0
        assert len(world.invoices()) == number + 1
        world.advance(timedelta(days=1))


def test_a_long_silence_creates_nothing_until_the_lists_can_be_trusted(world: World) -> None:
    awaiting(world)
    world.advance(timedelta(hours=5))
    sell(world, title="Next")
    mark = world.mark()
    world.run()
    assert writes_to(world, mark, "/Invoices") == []
    minutes(world, 16)
    assert world.run().exit_code == 0
    assert len(world.invoices()) == 2
    quiet(world)


def test_discounts_and_many_lines_to_the_cent(world: World) -> None:
    lines = [{"name": f"Item {n}", "price": 0.35, "quantity": n, "tax": 10,
              "discount": 7.5, "discount_type": "percentage"} for n in range(1, 8)]  # fmt: skip
    deal = sell(world, lines=lines)
    world.crm("add_discount", deal=deal, type="percentage", amount=10, description="Loyalty")
    report = world.run()
    invoice = only(world.invoices())
    assert len(invoice["lines"]) == 8
    assert invoice["lines"][-1]["description"] == "Loyalty"
    value = world.crm_state()["deals"][str(deal)]["value"]
    assert abs(float(invoice["total"]) - value) <= 0.05
    assert codes(report) == []
    quiet(world)
