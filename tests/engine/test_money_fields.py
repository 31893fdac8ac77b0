"""Pipedrive's fields of money: each amount has a currency of its own beside it."""

from __future__ import annotations

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import codes, invoice_of, minutes, sell
from tests.engine.world import World

LINE = {"name": "Widget", "price": 100, "quantity": 1, "tax": 10}


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return make_world(crm_options={"value_includes_tax": False})


def freight(world: World) -> None:
    """A line from a field of money."""
    world.crm("create_field", name="Freight", type="monetary")
    extra = {"field": "Freight", "description": "Freight", "account": "215"}
    world.overrides["invoices"] = {"value_is": "net", "extra_lines": [extra]}


def test_freight_in_another_currency_than_the_deals_is_asked_about(world: World) -> None:
    """A field of money has a currency of its own, which a change of the deal's leaves as it is."""
    freight(world)
    euros = {"value": 50, "currency": "EUR"}
    deal = sell(world, lines=[LINE], fields={"Freight": euros})
    report = world.run()
    assert [(i.code, i.subject) for i in report.issues] == [("extra_line_invalid", f"deal:{deal}")]
    assert '"Freight" says "50 EUR", and the deal is in AUD' in report.issues[0].what
    assert report.issues[0].next_step.startswith("Give the amount in AUD in the CRM, or empty ")
    assert world.invoices() == []
    world.crm("edit_deal", deal=deal, fields={"Freight": {"value": 80, "currency": "AUD"}})
    minutes(world, 5)
    assert codes(world.run()) == []
    amounts = [line["line_amount"] for line in invoice_of(world, deal)["lines"]]
    assert amounts == ["100.00", "80.00"]


def test_nothing_in_another_currency_is_no_line(world: World) -> None:
    freight(world)
    deal = sell(world, lines=[LINE], fields={"Freight": {"value": 0, "currency": "EUR"}})
    assert codes(world.run()) == []
    assert len(invoice_of(world, deal)["lines"]) == 1
