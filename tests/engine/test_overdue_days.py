"""Overdue by the organisation's own days: zones, grace, edits; days and amounts on the deal."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import awaiting, invoice_of, minutes, number_of, quiet, sell, writes_to
from tests.engine.world import World

COUNTED = {"crm": {"fields": {"overdue_days": "Days late", "part_paid_since": "Part since"}}}


def says(w: World, deal: int) -> tuple[Any, Any, Any]:
    """Overdue, days and amount, as the CRM holds them."""
    fields = w.deal_fields(deal)
    return tuple(
        fields.get(name) for name in ("Invoice overdue", "Days late", "Invoice overdue amount")
    )  # type: ignore[return-value]


def at(w: World, instant: datetime) -> None:
    """That instant, reached in days, so that no batch is a day late."""
    while w.time.now() + timedelta(days=1) < instant:
        w.advance(timedelta(days=1))
        w.run()
    w.time.set(instant)
    w.run()


def due_on(w: World, deal: int, day: date) -> None:
    """A person edits the due date in the books."""
    w.books("edit_invoice", invoice=number_of(w, deal), fields={"DueDate": day.isoformat()})


@pytest.mark.parametrize(
    ("region", "currency", "start", "due", "last_minute"),
    [
        # London's clocks go back on 25 October 2026 and forward on 28 March 2027.
        ("UK", "GBP", datetime(2026, 10, 20, 9, tzinfo=UTC), date(2026, 10, 24),
         datetime(2026, 10, 24, 22, 59, tzinfo=UTC)),
        ("UK", "GBP", datetime(2026, 10, 20, 9, tzinfo=UTC), date(2026, 10, 25),
         datetime(2026, 10, 25, 23, 59, tzinfo=UTC)),
        ("UK", "GBP", datetime(2027, 3, 22, 9, tzinfo=UTC), date(2027, 3, 28),
         datetime(2027, 3, 28, 22, 59, tzinfo=UTC)),
        # Sydney's go forward on 4 October 2026 and back on 4 April 2027.
        ("AU", "AUD", datetime(2026, 9, 28, 1, tzinfo=UTC), date(2026, 10, 3),
         datetime(2026, 10, 3, 13, 59, tzinfo=UTC)),
        ("AU", "AUD", datetime(2026, 9, 28, 1, tzinfo=UTC), date(2026, 10, 4),
         datetime(2026, 10, 4, 12, 59, tzinfo=UTC)),
        ("AU", "AUD", datetime(2027, 3, 29, 1, tzinfo=UTC), date(2027, 4, 4),
         datetime(2027, 4, 4, 13, 59, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_the_day_after_begins_at_the_organisations_midnight(
    make_world: MakeWorld, region: str, currency: str, start: datetime, due: date,
    last_minute: datetime,
) -> None:  # fmt: skip
    since = {"invoices": {"won_since": start.date().isoformat()}}
    w = make_world(region=region, crm={"currency": currency}, start=start, config=COUNTED | since)
    deal = sell(w, currency=currency, lines=[{"name": "Widget", "price": 100, "quantity": 1}])
    w.run()
    w.books("approve", invoice=number_of(w, deal))
    due_on(w, deal, due)
    minutes(w, 5)
    w.run()
    at(w, last_minute)
    assert says(w, deal) == ("no", None, None)
    minutes(w, 1)
    w.run()
    assert says(w, deal)[:2] == ("yes", 1)
    minutes(w, 25 * 60)  # the day on which clocks go back is as long as that
    w.run()
    assert says(w, deal)[:2] == ("yes", 2)


def test_grace_postpones_the_flag_and_the_days_count_from_the_due_date(
    make_world: MakeWorld,
) -> None:
    w = make_world(config={**COUNTED, "overdue": {"grace_days": 3}})
    deal = awaiting(w)
    at(w, datetime(2026, 12, 26, 12, 59, tzinfo=UTC))
    assert says(w, deal) == ("no", None, None)
    minutes(w, 1)
    w.run()
    assert says(w, deal) == ("yes", 4, 110)


def test_a_due_date_that_is_moved_clears_the_flag_and_sets_it_anew(make_world: MakeWorld) -> None:
    w = make_world(config=COUNTED)
    deal = awaiting(w)
    at(w, datetime(2026, 12, 24, 2, tzinfo=UTC))
    assert says(w, deal) == ("yes", 1, 110)
    due_on(w, deal, date(2026, 12, 30))
    minutes(w, 5)
    w.run()
    assert says(w, deal) == ("no", None, None)
    at(w, datetime(2026, 12, 31, 2, tzinfo=UTC))
    assert says(w, deal) == ("yes", 1, 110)


def test_days_amount_and_since_when_through_a_part_payment(make_world: MakeWorld) -> None:
    w = make_world(config=COUNTED)
    deal = awaiting(w)
    at(w, datetime(2026, 12, 24, 2, tzinfo=UTC))
    w.books("pay", invoice=number_of(w, deal), amount="40", date="2026-12-24")
    minutes(w, 5)
    w.run()
    assert says(w, deal) == ("yes", 1, 70)
    assert w.deal_fields(deal)["Part since"] == "2026-12-24"
    quiet(w)
    at(w, datetime(2026, 12, 26, 2, tzinfo=UTC))
    w.books("pay", invoice=number_of(w, deal), amount="10", date="2026-12-26")
    minutes(w, 5)
    w.run()
    assert says(w, deal) == ("yes", 3, 60)
    assert w.deal_fields(deal)["Part since"] == "2026-12-24"
    w.books("pay", invoice=number_of(w, deal))
    minutes(w, 5)
    w.run()
    assert says(w, deal) == ("no", None, None)
    assert w.deal_fields(deal).get("Part since") is None
    quiet(w)
    at(w, datetime(2026, 12, 28, 2, tzinfo=UTC))
    quiet(w)


def test_a_day_costs_one_patch_and_no_look_at_the_invoice(make_world: MakeWorld) -> None:
    w = make_world(config=COUNTED)
    deal = awaiting(w)
    at(w, datetime(2026, 12, 24, 2, tzinfo=UTC))
    w.advance(timedelta(hours=10))  # still the same day in Sydney
    quiet(w)
    at(w, datetime(2026, 12, 25, 14, tzinfo=UTC))
    quiet(w)
    w.time.set(datetime(2026, 12, 26, 14, tzinfo=UTC))
    mark = w.mark()
    w.run()
    (patch,) = writes_to(w, mark, "/deals/")
    assert "Invoice overdue amount" not in patch["body"]
    invoice = invoice_of(w, deal)["id"]
    assert not [c for c in w.since(mark) if invoice in f"{c['path']} {c['query']}"]
    assert says(w, deal) == ("yes", 4, 110)


def test_without_the_field_a_day_costs_nothing(world: World) -> None:
    awaiting(world)
    at(world, datetime(2026, 12, 24, 2, tzinfo=UTC))
    mark = world.mark()
    at(world, datetime(2026, 12, 29, 2, tzinfo=UTC))
    assert writes_to(world, mark, "/deals/") == []


def test_the_guard_does_not_count_days_nor_debts_that_are_paid(make_world: MakeWorld) -> None:
    guard = {"creates_first_week": 100, "creates": 100, "updates": 3}
    w = make_world(config={**COUNTED, "guard": guard})
    deals = [sell(w, title=f"Order {n}") for n in range(12)]
    w.run()
    for deal in deals:
        w.books("approve", invoice=number_of(w, deal))
    minutes(w, 5)
    w.run(accept=w.plan().hash)
    for deal in deals:
        w.books("pay", invoice=number_of(w, deal), amount="10")
    minutes(w, 5)
    w.run(accept=w.plan().hash)
    w.time.set(datetime(2026, 12, 24, 2, tzinfo=UTC))
    w.run(accept=w.plan().hash)
    assert {says(w, deal) for deal in deals} == {("yes", 1, 100)}
    w.advance(timedelta(days=1))
    assert w.run().result == "done"
    assert {says(w, deal) for deal in deals} == {("yes", 2, 100)}
    w.overrides["guard"]["updates"] = 12
    for deal in deals:
        w.books("pay", invoice=number_of(w, deal))
    minutes(w, 5)
    assert w.run().result == "done"
    assert {says(w, deal) for deal in deals} == {("no", None, None)}


def test_an_archived_deal_is_not_nagged_about_each_day(make_world: MakeWorld) -> None:
    w = make_world(config=COUNTED)
    deal = awaiting(w)
    at(w, datetime(2026, 12, 24, 2, tzinfo=UTC))
    w.crm("archive_deal", deal=deal)
    minutes(w, 61)
    w.run()
    at(w, datetime(2026, 12, 27, 2, tzinfo=UTC))
    assert [i.code for i in w.run().issues] == []


def test_nothing_due_costs_no_call_at_all(world: World) -> None:
    """An invoice that waits for its day costs what none at all would: one look at each list."""
    awaiting(world)
    minutes(world, 55)
    world.run()
    for _ in range(3):
        minutes(world, 30)
        mark = world.mark()
        world.run()
        asked = [c["path"].rsplit("/", 1)[-1] for c in world.since(mark)]
        # A token that ran out is not of a batch's making; archived deals have an hour of their own.
        asked = sorted(a for a in asked if a not in ("token", "Organisation", "archived"))
        assert asked == ["Contacts", "Invoices", "deals"]
