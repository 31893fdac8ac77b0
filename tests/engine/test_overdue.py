"""An unpaid invoice is overdue on its day, though nothing has changed on either side."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.engine.scenes import awaiting, billed, invoice_of, minutes, number_of, quiet
from tests.engine.world import World

#: Due on 23 December in Sydney; the day after begins at 13:00 UTC.
LAST_HOUR = datetime(2026, 12, 23, 12, 0, tzinfo=UTC)


def flag(w: World, deal: int) -> Any:
    return w.deal_fields(deal)["Invoice overdue"]


def at(w: World, instant: datetime) -> None:
    w.time.set(instant)


def test_it_comes_on_its_day_after_a_second_look(world: World) -> None:
    deal = awaiting(world)
    at(world, LAST_HOUR)
    mark = world.mark()
    world.run()
    assert world.writes(mark) == []
    assert flag(world, deal) == "no"
    minutes(world, 61)
    mark = world.mark()
    world.run()
    assert flag(world, deal) == "yes"
    patch = world.writes(mark)
    assert [c["method"] for c in patch] == ["PATCH"]
    invoice = invoice_of(world, deal)["id"]
    reread = [c for c in world.since(mark) if invoice in f"{c['path']} {c['query']}"]
    assert [c["method"] for c in reread] == ["GET"]
    assert reread[0]["n"] < patch[0]["n"]
    quiet(world)


def test_the_second_look_sees_a_payment_that_the_list_hid(world: World) -> None:
    deal = awaiting(world)
    at(world, LAST_HOUR)
    world.run()
    minutes(world, 61)
    world.books("pay", invoice=number_of(world, deal))
    world.run()
    assert (flag(world, deal), world.deal_fields(deal)["Invoice status"]) == ("no", "paid")
    quiet(world)


def test_payment_clears_it(world: World) -> None:
    deal = awaiting(world)
    at(world, LAST_HOUR + timedelta(hours=2))
    world.run()
    assert flag(world, deal) == "yes"
    world.books("pay", invoice=number_of(world, deal), amount="100")
    minutes(world, 5)
    world.run()
    assert (flag(world, deal), world.deal_fields(deal)["Invoice status"]) == ("yes", "part-paid")
    world.books("pay", invoice=number_of(world, deal), amount="6")
    minutes(world, 5)
    world.run()
    assert flag(world, deal) == "no"  # 4.00 left is not worth a reminder
    quiet(world)


def test_an_expected_payment_date_postpones(world: World) -> None:
    deal = awaiting(world)
    world.books("set_expected_payment_date", invoice=number_of(world, deal), date="2026-12-30")
    at(world, LAST_HOUR + timedelta(hours=2))
    world.run()
    assert flag(world, deal) == "no"
    at(world, datetime(2026, 12, 30, 14, 0, tzinfo=UTC))
    world.run()
    assert flag(world, deal) == "yes"
    quiet(world)


def test_another_rule_holds_for_what_is_open(world: World) -> None:
    deal = awaiting(world)
    world.advance(timedelta(days=40))
    for rule, word in (
        ({}, "yes"), ({"grace_days": 60}, "no"), ({"grace_days": 5}, "yes"),
        ({"ignore_due_below": 500}, "no"), ({"ignore_due_below": 5}, "yes"),
    ):  # fmt: skip
        world.overrides = {"overdue": rule}
        minutes(world, 5)
        if world.run().result == "guard":  # changed rules are looked at before they write
            world.run(accept=world.plan().hash)
        assert flag(world, deal) == word, rule
        quiet(world)


def test_a_draft_is_never_overdue(world: World) -> None:
    deal = billed(world)
    at(world, LAST_HOUR + timedelta(days=30))
    mark = world.mark()
    world.run()
    assert flag(world, deal) == "no"
    assert world.writes(mark) == []


def test_nothing_due_costs_no_call(world: World) -> None:
    awaiting(world)
    minutes(world, 55)
    world.run()
    minutes(world, 30)
    mark = world.mark()
    world.run()
    assert len([c for c in world.since(mark) if c["path"].endswith("/Invoices")]) == 1


def test_the_flag_comes_once_and_a_day_later_costs_nothing_more(world: World) -> None:
    deal = awaiting(world)
    at(world, LAST_HOUR + timedelta(hours=2))
    world.run()
    at(world, LAST_HOUR + timedelta(days=1, hours=2))
    mark = world.mark()
    world.run()
    assert world.writes(mark) == []
    assert flag(world, deal) == "yes"
