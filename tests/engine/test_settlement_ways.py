"""The ways in which money and credit reach invoices, and leave them again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import awaiting, billed, codes, minutes, number_of, quiet, sell
from tests.engine.test_settlement import later, says
from tests.engine.world import World

HALVES = [
    {
        "name": "halves",
        "parts": [
            {"name": "deposit", "percent": 50, "on": "win"},
            {"name": "balance", "rest": True, "on": "+1 days"},
        ],
    }
]


def word(w: World, deal: int) -> tuple[Any, ...]:
    said = says(w, deal)
    return tuple(said[key] for key in ("status", "paid", "credited", "due"))


def test_a_batch_payment_pays_several_deals_and_is_deleted_whole(world: World) -> None:
    deals = [awaiting(world), awaiting(world, title="Summer"), awaiting(world, org="Bolt Ltd")]
    numbers = [number_of(world, deal) for deal in deals]
    made = world.books("pay_batch", invoices=numbers, date="2026-11-22")["done"]
    minutes(world, 5)
    world.run()
    assert {word(world, deal) for deal in deals} == {("paid", 110, 0, 0)}
    assert {says(world, deal)["paid on"] for deal in deals} == {"2026-11-22"}
    quiet(world)
    world.books("remove_batch", batch=made["batch"])
    minutes(world, 5)
    world.run()
    assert {word(world, deal) for deal in deals} == {("awaiting payment", 0, 0, 110)}
    assert {says(world, deal)["paid on"] for deal in deals} == {None}
    quiet(world)


def test_a_payment_that_is_moved_to_another_invoice(world: World) -> None:
    wrong, right = awaiting(world), awaiting(world, title="Summer")
    world.books("pay", invoice=number_of(world, wrong), date="2026-11-20")
    later(world)
    assert word(world, wrong) == ("paid", 110, 0, 0)
    world.books("remove_payment", invoice=number_of(world, wrong))
    world.books("pay", invoice=number_of(world, right), date="2026-11-20")
    minutes(world, 5)
    world.run()
    assert word(world, wrong) == ("awaiting payment", 0, 0, 110)
    assert word(world, right) == ("paid", 110, 0, 0)
    quiet(world)


def test_a_prepayment_that_is_taken_off_again(world: World) -> None:
    deal = awaiting(world)
    made = world.books("allocate_prepayment", invoice=number_of(world, deal))["done"]
    later(world)
    assert word(world, deal) == ("paid", 110, 0, 0)
    world.books("remove_allocation", allocation=made["applied"][0]["id"])
    later(world)
    assert word(world, deal) == ("awaiting payment", 0, 0, 110)
    quiet(world)


@pytest.mark.parametrize(
    ("account", "credited", "expected"),
    [
        ("408", "110", ("written off", 0, 110, 0)),
        ("408", "60", ("part-credited", 0, 60, 50)),  # not before nothing is due
        ("200", "110", ("credited", 0, 110, 0)),
    ],
)
def test_a_write_off_needs_its_account_and_all_of_the_debt(
    make_world: MakeWorld, account: str, credited: str, expected: tuple[Any, ...]
) -> None:
    w = make_world(config={"invoices": {"bad_debt_accounts": ["408"]}})
    deal = awaiting(w)
    w.books("credit", invoice=number_of(w, deal), amount=credited, account=account)
    later(w)
    assert word(w, deal) == expected
    quiet(w)


def test_a_part_that_was_paid_before_the_rest_was_written_off(make_world: MakeWorld) -> None:
    w = make_world(config={"invoices": {"bad_debt_accounts": ["408"]}})
    deal = awaiting(w)
    w.books("pay", invoice=number_of(w, deal), amount="50")
    w.books("credit", invoice=number_of(w, deal), amount="60", account="408")
    later(w)
    assert word(w, deal) == ("written off", 50, 60, 0)
    quiet(w)


# --- several invoices of a deal ---------------------------------------------------------------


@pytest.fixture
def parts(make_world: MakeWorld) -> Iterator[tuple[World, int, list[str]]]:
    """A deal in two halves, both approved: the world, the deal, the numbers."""
    rules = {"schedules": HALVES, "deposit": {"progressive": True},
             "bad_debt_accounts": ["408"]}  # fmt: skip
    w = make_world(config={"invoices": rules, "guard": {"times_largest": 100}})
    deal = billed(w)
    w.advance(timedelta(days=1))
    w.run()
    minutes(w, 16)
    w.run()
    numbers = [str(i["number"]) for i in w.invoices()]
    assert len(numbers) == 2
    for number in numbers:
        w.books("approve", invoice=number)
    minutes(w, 5)
    w.run()
    yield w, deal, numbers


def test_a_deal_in_parts_is_paid_when_all_of_it_is(parts: tuple[World, int, list[str]]) -> None:
    w, deal, (first, second) = parts
    assert word(w, deal) == ("awaiting payment", 0, 0, 110)
    w.books("pay", invoice=first, date="2026-11-23")
    later(w)
    assert word(w, deal) == ("part-paid", 55, 0, 55)
    w.books("pay", invoice=second, date="2026-11-24")
    later(w)
    assert word(w, deal) == ("paid", 110, 0, 0)
    assert says(w, deal)["paid on"] == "2026-11-24"
    w.books("remove_payment", invoice=first)
    later(w)
    assert word(w, deal) == ("part-paid", 55, 0, 55)
    quiet(w)


def test_one_part_is_paid_and_the_other_voided(parts: tuple[World, int, list[str]]) -> None:
    w, deal, (first, second) = parts
    w.books("pay", invoice=first)
    w.books("void", invoice=second)
    minutes(w, 5)
    report = w.run()
    assert "reissue_needed" in codes(report)
    assert word(w, deal)[1:] == (55, 0, 0)
    quiet(w)


def test_one_part_is_paid_and_the_other_written_off(parts: tuple[World, int, list[str]]) -> None:
    w, deal, (first, second) = parts
    w.books("pay", invoice=first)
    w.books("credit", invoice=second, account="408")
    later(w)
    assert word(w, deal) == ("written off", 55, 55, 0)
    quiet(w)


def test_only_what_is_late_counts_as_overdue(parts: tuple[World, int, list[str]]) -> None:
    w, deal, (first, _) = parts
    w.books("edit_invoice", invoice=first, fields={"DueDate": "2026-11-25"})
    minutes(w, 5)
    w.run()
    w.advance(timedelta(days=2))
    w.run()
    fields = w.deal_fields(deal)
    assert (fields["Invoice overdue"], fields["Invoice overdue amount"]) == ("yes", 55)
    assert fields["Invoice due"] == 110
    quiet(w)


def test_a_link_to_an_invoice_that_was_paid_long_ago(world: World, tmp_path: Path) -> None:
    """What people settled before the deal was known here is told at once."""
    deal = sell(world)
    world.run()
    number = number_of(world, deal)
    world.books("approve", invoice=number)
    world.books("pay", invoice=number, amount="10")
    world.books("credit", invoice=number, amount="100")
    later(world)
    assert word(world, deal) == ("paid", 10, 100, 0)
    quiet(world)
