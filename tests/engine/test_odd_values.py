"""Absurd numbers, half characters, a currency or a tax rate that changed: each stops its own deal,
with a reason that is true, and no other."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import awaiting, codes, invoice_of, minutes, number_of, only, quiet, sell
from tests.engine.world import World

LINE = {"name": "Widget", "price": 100, "quantity": 1, "tax": 10}

#: What a deal has that no vendor means, and the code of the one issue that it gets.
ABSURD: list[tuple[dict[str, Any], str]] = [
    ({"lines": [{**LINE, "price": 1e30}]}, "amount_too_large"),
    ({"lines": [{**LINE, "price": 10**400, "quantity": 10**400}]}, "amount_too_large"),
    ({"lines": [{**LINE, "price": -1e30}]}, "amount_too_large"),
    ({"lines": [{**LINE, "quantity": 1e15}]}, "amount_too_large"),
    ({"lines": [{**LINE, "quantity": 1e-300}]}, "zero_quantity"),
    ({"lines": [{**LINE, "discount": 1e30, "discount_type": "amount"}]}, "amount_too_large"),
    ({"lines": [{**LINE, "tax": 1e30}]}, "tax_differs"),
    ({"lines": [LINE], "discounts": [{"type": "amount", "amount": 1e30}]}, "total_not_positive"),
    ({"lines": [LINE], "discounts": [{"type": "percentage", "amount": 1e30}]}, "discount_invalid"),
    ({"lines": [{**LINE, "name": "\ufffe"}]}, "line_without_product"),
    ({"lines": [], "value": 1e30}, "no_products"),
]


def test_an_absurd_number_holds_its_own_deal_and_no_other(world: World) -> None:
    held = {sell(world, f"Odd {n}", **deal): code for n, (deal, code) in enumerate(ABSURD)}
    good = sell(world)
    report = world.run()
    assert {i.subject: i.code for i in report.issues} == {f"deal:{d}": c for d, c in held.items()}
    assert only(world.invoices())["id"] == invoice_of(world, good)["id"]
    for deal in held:
        assert world.deal_fields(deal)["Invoice status"] == "held"
    quiet(world)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_listed_until_it_is_one(world: World, value: Any) -> None:
    deal, good = sell(world, "Odd Pty"), sell(world)
    rows = world.pipedrive.company.tables["deals"].rows
    right = rows[deal].record["value"]
    rows[deal].record["value"] = value
    assert codes(world.run()) == ["record_unreadable"]
    only(world.invoices())
    assert world.deal_fields(good)["Invoice status"] == "draft"
    assert codes(quiet(world)) == ["record_unreadable"]
    rows[deal].record["value"] = right
    world.crm("edit_deal", deal=deal, title="Mended")
    minutes(world, 5)
    assert codes(world.run()) == []
    assert invoice_of(world, deal)["total"] == "110.00"


def test_half_an_emoji_becomes_a_replacement_character(world: World) -> None:
    deal = sell(world, "Cut \ud83d", title="Cut \ude00", lines=[{**LINE, "name": "Cut \ud83d"}])
    whole = sell(world, "Whole 😀", lines=[{**LINE, "name": "Whole 😀 \\ud83d"}])
    assert codes(world.run()) == []
    assert only(invoice_of(world, deal)["lines"])["description"] == "Cut \ufffd"
    assert only(invoice_of(world, whole)["lines"])["description"] == "Whole 😀 \\ud83d"
    assert {c["name"] for c in world.contacts()} == {"Cut \ufffd", "Whole 😀"}
    quiet(world)


def test_a_number_with_a_nul_in_it_holds_its_own_deal_and_no_other(world: World) -> None:
    number = number_of(world, awaiting(world))
    odd = sell(world, "Odd Pty", fields={"Invoice number": f"{number}\x00 by hand"})
    good = sell(world, "Good Pty")
    report = world.run()
    assert {i.subject: i.code for i in report.issues} == {f"deal:{odd}": "invoice_field_filled"}
    assert invoice_of(world, good)["total"] == "110.00"
    quiet(world)


def test_a_currency_changed_under_its_lines_is_held(world: World) -> None:
    deal = sell(world)
    world.crm("edit_deal", deal=deal, currency="EUR")  # its line stays priced in AUD
    report = world.run()
    assert codes(report) == ["line_doubt"]
    assert "priced in AUD, the deal is in EUR" in report.issues[0].what
    assert world.invoices() == []


def test_a_tax_rate_changed_since_it_was_read_is_a_doubt(make_world: MakeWorld) -> None:
    """The rates are read once a day; the deal's own net sum agrees, so nothing else would tell."""
    settings = {"mode": "full", "invoices": {"status": "authorised", "value_is": "net"}}
    world = make_world(config=settings, crm={"value_includes_tax": False})
    deal = sell(world)
    _set_rate(world, "12.5")
    report = world.run()
    assert codes(report) == ["totals_differ"]
    assert "total tax is 12.50, 10.00 was expected" in report.issues[0].what
    assert invoice_of(world, deal)["status"] == "DRAFT"
    assert world.deal_fields(deal)["Invoice total"] == 112.5
    assert codes(quiet(world)) == ["totals_differ"]


def test_a_cent_that_the_ledger_rounds_otherwise_is_no_doubt(make_world: MakeWorld) -> None:
    settings = {"mode": "full", "invoices": {"status": "authorised", "value_is": "net"}}
    world = make_world(config=settings, crm={"value_includes_tax": False})
    deal = sell(world)
    _set_rate(world, "10.01")  # a cent, as if it took the tax from another sum
    assert codes(world.run()) == []
    assert (invoice_of(world, deal)["status"], invoice_of(world, deal)["total"]) == (
        "AUTHORISED",
        "110.01",
    )
    assert world.deal_fields(deal)["Invoice total"] == 110.01
    quiet(world)


def _set_rate(w: World, percent: str) -> None:
    org = w.xero.organisation
    org.tax_rates = [
        replace(r, percent=Fraction(percent)) if r.tax_type == "OUTPUT" else r
        for r in org.tax_rates
    ]


ROW: list[tuple[str, Any, str]] = [
    ("item_price", "100.00", "item_price is '100.00', where Pipedrive documents a number."),
    ("quantity", None, "quantity is None"),
    ("tax", float("nan"), "tax is nan"),
    ("sum", float("inf"), "sum is inf"),
    ("is_enabled", "no", "is_enabled is 'no'"),
    ("order_nr", float("-inf"), "order_nr is -inf"),
]


def test_a_row_with_a_value_of_another_kind_holds_its_own_deal(world: World) -> None:
    deals = [sell(world, f"Odd {key}") for key, _, _ in ROW]
    good = sell(world)
    for deal, (key, value, _) in zip(deals, ROW, strict=True):
        for row in world.pipedrive.company.tables["rows"].rows.values():
            if row.record["deal_id"] == deal:
                row.record[key] = value
    told = {issue.subject: issue for issue in world.run().issues}
    for deal, (_, _, words) in zip(deals, ROW, strict=True):
        assert told[f"deal:{deal}"].code == "line_doubt"
        assert words in told[f"deal:{deal}"].what
        assert ".." not in told[f"deal:{deal}"].what
    assert only(world.invoices())["id"] == invoice_of(world, good)["id"]
    quiet(world)


def test_an_invoice_due_at_the_end_of_the_calendar_is_never_overdue(world: World) -> None:
    deal = awaiting(world)
    fields = {"DueDate": "9999-12-31"}
    world.books("edit_invoice", invoice=number_of(world, deal), fields=fields)
    minutes(world, 5)
    assert codes(world.run()) == []
    assert world.deal_fields(deal)["Invoice due date"] == "9999-12-31"
    assert world.deal_fields(deal)["Invoice overdue"] == "no"
    quiet(world)


def test_a_doubt_outlives_a_lost_state(make_world: MakeWorld) -> None:
    settings = {"mode": "full", "invoices": {"status": "authorised", "value_is": "gross"}}
    world = make_world(config=settings)
    deal = sell(world)
    world.crm("edit_deal", deal=deal, value=500)
    assert codes(world.run()) == ["totals_differ"]
    for path in (world.folder / "state").rglob("*"):
        if path.is_file():
            path.unlink()
    for _ in range(3):
        minutes(world, 20)
        assert codes(world.run()) == ["totals_differ"]
    assert only(world.invoices())["status"] == "DRAFT"
    assert "the deal says 500.00 gross" in world.deal_fields(deal)["Invoice note"]
