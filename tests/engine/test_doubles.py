"""Deals that were already invoiced by hand, and invoices of a size that nobody expected."""

from __future__ import annotations

from typing import Any

from syncjob.core.reports import BatchReport
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import (
    answer,
    awaiting,
    billed,
    codes,
    invoice_of,
    minutes,
    only,
    quiet,
    sell,
)
from tests.engine.world import World


def by_hand(w: World, amount: int = 100, **fields: Any) -> str:
    """An invoice that a bookkeeper made for Acme; its number."""
    if "Acme Pty" not in {c["name"] for c in w.contacts()}:
        w.books("create_contact", fields={"Name": "Acme Pty"})
    line = {"Description": "By hand", "Quantity": 1, "UnitAmount": amount, "AccountCode": "200"}
    made = w.books("create_invoice", fields={
        "Contact": {"Name": "Acme Pty"}, "Date": "2026-11-02", "DueDate": "2026-12-02",
        "LineItems": [line], "Status": "AUTHORISED", **fields,
    })["done"]  # fmt: skip
    return str(made["number"])


def won_again_beside(w: World, deal: int) -> BatchReport:
    """The batch that sees the deal won again, after a bookkeeper has made the like by hand."""
    w.crm("reopen", deal=deal)
    minutes(w, 5)
    w.run()
    by_hand(w)
    w.crm("win", deal=deal)
    minutes(w, 5)
    return w.run()


def held_double(w: World) -> tuple[int, str]:
    number, deal = by_hand(w), sell(w)
    report = w.run()
    assert codes(report) == ["possible_double"]
    assert number in report.issues[0].what
    assert w.deal_fields(deal)["Invoice status"] == "held"
    assert len(w.invoices()) == 1
    quiet(w)
    return deal, number


def test_create_makes_another(world: World) -> None:
    deal, _ = held_double(world)
    answer(world, "create", deal)
    assert codes(world.run()) == []
    assert len(world.invoices()) == 2
    assert world.deal_fields(deal)["Invoice status"] == "draft"
    quiet(world)


def test_never_makes_none(world: World) -> None:
    deal, _ = held_double(world)
    answer(world, "never", deal)
    assert codes(world.run()) == []
    assert len(world.invoices()) == 1
    quiet(world)


def test_link_ties_them_together_and_payments_follow(world: World) -> None:
    deal, number = held_double(world)
    answer(world, f"link:{number}", deal)
    assert codes(world.run()) == []
    fields = world.deal_fields(deal)
    assert (fields["Invoice status"], fields["Invoice number"]) == ("awaiting payment", number)
    world.books("pay", invoice=number)
    minutes(world, 5)
    world.run()
    assert world.deal_fields(deal)["Invoice status"] == "paid"
    assert len(world.invoices()) == 1
    quiet(world)


def test_voiding_the_one_by_hand_lets_the_deal_go_on(world: World) -> None:
    deal, number = held_double(world)
    world.books("void", invoice=number)
    minutes(world, 5)
    assert codes(world.run()) == []
    assert invoice_of(world, deal)["status"] == "DRAFT"
    quiet(world)


def test_another_total_another_day_or_a_linked_invoice_is_no_double(world: World) -> None:
    by_hand(world, amount=101)
    by_hand(world, Date="2026-09-01")
    first = billed(world)
    second = billed(world, title="The same again")
    assert {invoice_of(world, d)["status"] for d in (first, second)} == {"DRAFT"}
    quiet(world)


def test_a_deal_that_names_an_invoice_is_held(world: World) -> None:
    number = by_hand(world, amount=7)
    deal = sell(world, fields={"Invoice number": number})
    assert codes(world.run()) == ["invoice_field_filled"]
    assert len(world.invoices()) == 1
    assert world.deal_fields(deal)["Invoice number"] == number  # what a person wrote stays
    quiet(world)
    answer(world, f"link:{number}", deal)
    assert codes(world.run()) == []
    assert world.deal_fields(deal)["Invoice status"] == "awaiting payment"
    quiet(world)


def test_an_unusually_large_invoice_is_held_until_released(world: World) -> None:
    awaiting(world)
    big = {"name": "Plant", "price": 301, "quantity": 1, "tax": 10}
    deal = sell(world, title="Big order", lines=[big])
    assert codes(world.run()) == ["unusually_large"]
    assert len(world.invoices()) == 1
    quiet(world)
    answer(world, "create", deal)
    assert codes(world.run()) == []
    assert invoice_of(world, deal)["total"] == "331.10"
    quiet(world)


def test_three_times_as_large_is_not_unusual(make_world: MakeWorld) -> None:
    world = make_world()
    awaiting(world)
    billed(world, lines=[{"name": "Plant", "price": 300, "quantity": 1, "tax": 10}])
    assert len(world.invoices()) == 2


def test_second_invoices_with_our_url_are_told(world: World) -> None:
    """Only an app can write the Url: it is another instance, or another app that copies it."""
    deal = billed(world)
    url = invoice_of(world, deal)["url"]
    by_hand(world, amount=5, Url=url)
    minutes(world, 5)
    mark = world.mark()
    assert codes(world.run()) == ["another_instance", "duplicate_effect"]
    assert [c for c in world.writes(mark) if "/xero/" in c["path"]] == []
    assert len([i for i in world.invoices() if i["status"] != "DELETED"]) == 2
    only([i for i in world.invoices() if i["total"] == "110.00"])
    quiet(world)


def test_a_number_that_looks_like_our_marker_is_nobodys_marker(world: World) -> None:
    world.books(
        "create_invoice",
        fields={
            "Type": "ACCREC", "Contact": {"Name": "Somebody Else"}, "InvoiceNumber": "SJ-1-A1",
            "LineItems": [
                {"Description": "x", "Quantity": 1, "UnitAmount": 5, "AccountCode": "200"}
            ],
        },
    )  # fmt: skip
    deal = billed(world)
    assert deal == 1
    assert invoice_of(world, deal)["total"] == "110.00"
    assert len(world.invoices()) == 2
    quiet(world)
