"""New Zealand and the United States: their own rates, and days that end at another hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import codes, invoice_of, minutes, number_of, quiet, sell

#: Evening of 23 November in the American organisation's zone.
EVENING = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("region", "currency", "percent", "total", "tax"),
    [("NZ", "NZD", 15, "344.97", "45.00"), ("US", "USD", 0, "299.97", "0.00")],
)
def test_the_organisations_own_rate(
    make_world: MakeWorld, region: str, currency: str, percent: int, total: str, tax: str
) -> None:
    world = make_world(region=region, crm={"currency": currency})
    line = {"name": "Widget", "price": 99.99, "quantity": 3}
    deal = sell(world, currency=currency, lines=[{**line, "tax": percent}])
    assert world.run().exit_code == 0
    made = invoice_of(world, deal)
    assert (made["total"], made["total_tax"], made["currency"]) == (total, tax, currency)
    other = sell(world, "Good Ltd", currency=currency, lines=[{**line, "tax": 8.25}])
    report = world.run()
    assert (codes(report), report.issues[0].subject) == (["tax_differs"], f"deal:{other}")
    assert len(world.invoices()) == 1
    quiet(world)


def test_an_american_evening_belongs_to_its_own_day(make_world: MakeWorld) -> None:
    world = make_world(region="US", crm={"currency": "USD"}, start=EVENING)
    line = {"name": "Widget", "price": 100, "quantity": 1, "tax": 0}
    deal = sell(world, currency="USD", lines=[line])
    world.run()
    made = invoice_of(world, deal)
    assert (made["day"], made["due_day"]) == ("2026-11-23", "2026-12-23")
    world.books("approve", invoice=number_of(world, deal))
    minutes(world, 5)
    world.run()
    after = datetime(2026, 12, 24, tzinfo=UTC)
    for hour, flag in ((2, "no"), (9, "yes")):  # still the 23rd there, then the 24th
        world.time.set(after + timedelta(hours=hour))
        world.run()
        assert world.deal_fields(deal)["Invoice overdue"] == flag
    quiet(world)


def test_won_since_begins_at_the_organisations_midnight(make_world: MakeWorld) -> None:
    world = make_world(
        region="US", crm={"currency": "USD"}, start=EVENING,
        config={"invoices": {"won_since": "2026-11-24"}},
    )  # fmt: skip
    line = {"name": "Widget", "price": 100, "quantity": 1, "tax": 0}
    sell(world, currency="USD", title="On the evening before", lines=[line])
    world.run()
    for _ in range(14):  # through the night, so that no pause looks like a lost state
        minutes(world, 30)
        world.run()
    assert world.invoices() == []
    deal = sell(world, "Good Inc", currency="USD", title="On the day", lines=[line])
    world.run()
    assert [i["id"] for i in world.invoices()] == [invoice_of(world, deal)["id"]]
