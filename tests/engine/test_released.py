"""`--create` is given for what a person was asked about: that sum, that invoice, and once."""

from __future__ import annotations

from typing import Any

import pytest

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
from tests.engine.test_doubles import by_hand, held_double, won_again_beside
from tests.engine.test_revision import change_price
from tests.engine.world import World

BIG = {"name": "Plant", "price": 1000, "quantity": 1, "tax": 10}


def paused(w: World) -> None:
    with w.connection() as handle:
        handle.pause(only="invoices", until=None, reason="the auditors are here", who="Ann")


def resumed(w: World) -> Any:
    with w.connection() as handle:
        handle.resume(only="all", who="Ann")
    minutes(w, 5)
    return w.run()


def held_as_large(w: World) -> int:
    awaiting(w)
    deal = sell(w, title="Big order", lines=[BIG])
    assert codes(w.run()) == ["unusually_large"]
    return deal


def made_for(w: World, deal: int) -> list[dict[str, Any]]:
    return [i for i in w.invoices() if f"SJ-{deal}-" in (i["url"] or "")]


def test_it_waits_for_the_end_of_a_pause(world: World) -> None:
    deal = held_as_large(world)
    paused(world)
    answer(world, "create", deal)
    world.run()
    assert made_for(world, deal) == []
    resumed(world)
    assert codes(quiet(world)) == []
    assert invoice_of(world, deal)["total"] == "1100.00"


def test_an_invoice_by_hand_of_that_sum_is_asked_about(world: World) -> None:
    """The sum is right, and while invoices were paused the bookkeeper billed it by hand."""
    deal = held_as_large(world)
    paused(world)
    answer(world, "create", deal)
    world.run()
    number = by_hand(world, 1000, Date="2026-11-23", DueDate="2026-12-23")
    report = resumed(world)
    assert codes(report) == ["possible_double"]
    assert number in report.issues[0].what
    assert made_for(world, deal) == []
    answer(world, "create", deal)  # it is another sale, and its sum was found right before
    minutes(world, 5)
    assert codes(world.run()) == []
    only(made_for(world, deal))
    quiet(world)


def test_another_sum_is_asked_about(world: World) -> None:
    deal = held_as_large(world)
    paused(world)
    answer(world, "create", deal)
    world.run()
    change_price(world, deal, 1000000)
    report = resumed(world)
    assert codes(report) == ["unusually_large"]
    assert "1,100,000.00 AUD" in report.issues[0].what
    assert made_for(world, deal) == []


def test_what_was_typed_since_the_person_was_told_is_asked_about(world: World) -> None:
    """No batch has seen the three more zeros when the answer is given, nor had the person."""
    deal = held_as_large(world)
    answer(world, "create", deal)
    change_price(world, deal, 1000000)
    assert codes(world.run()) == ["unusually_large"]
    assert made_for(world, deal) == []


def test_a_second_possible_double_is_asked_about(world: World) -> None:
    deal, _ = held_double(world)
    paused(world)
    answer(world, "create", deal)
    world.run()
    number = by_hand(world, Date="2026-11-23", DueDate="2026-12-23")
    report = resumed(world)
    assert codes(report) == ["possible_double"]
    assert number in report.issues[0].what
    answer(world, "create", deal)
    minutes(world, 5)
    assert codes(world.run()) == []
    assert len(made_for(world, deal)) == 1


def test_all_that_may_be_the_sale_already_are_asked_about_at_once(world: World) -> None:
    """A customer who is billed the same sum each fortnight: one sale, one question."""
    deal = sell(world, won=False)
    awaiting(world, title="The order before")
    days = ("2026-11-09", "2026-10-26", "2026-10-12")
    numbers = [by_hand(world, Date=day, DueDate="2026-12-23") for day in days]
    world.crm("win", deal=deal)
    minutes(world, 5)
    (told,) = world.run().issues
    assert told.code == "possible_double"
    assert (numbers[0] in told.what, "So are 2 more." in told.what) == (True, True)
    answer(world, "create", deal)
    minutes(world, 5)
    assert codes(world.run()) == []
    only(made_for(world, deal))
    quiet(world)


def test_another_number_on_the_deal_is_asked_about(world: World) -> None:
    deal = sell(world, fields={"Invoice number": "INV-4711"})
    assert codes(world.run()) == ["invoice_field_filled"]
    paused(world)
    answer(world, "create", deal)
    world.run()
    world.crm("edit_deal", deal=deal, fields={"Invoice number": "INV-4712"})
    report = resumed(world)
    assert codes(report) == ["invoice_field_filled"]
    answer(world, "create", deal)
    minutes(world, 5)
    assert codes(world.run()) == []
    only(made_for(world, deal))


def test_what_takes_never_back_releases_nothing(world: World) -> None:
    """Its next generation is asked about like any other."""
    deal = billed(world)
    answer(world, "never", deal)
    world.run()
    answer(world, "create", deal)
    minutes(world, 5)
    world.run()
    assert codes(won_again_beside(world, deal)) == ["possible_double"]


def test_what_is_given_before_anything_holds_the_deal_is_used_up_by_its_invoice(
    make_world: MakeWorld,
) -> None:
    """As after a plan, which shows the hold and opens no issue; the invoice that it has by then
    leaves nothing to give an answer for."""
    w = make_world()
    awaiting(w)
    deal = sell(w, title="Big order", lines=[BIG], won=False)
    w.run()
    w.crm("win", deal=deal)
    assert [issue.code for issue in w.plan().issues] == ["unusually_large"]
    answer(w, "create", deal)
    minutes(w, 5)
    assert codes(w.run()) == []
    answer(w, "create", deal)
    change_price(w, deal, 1000000)
    assert codes(w.run()) == ["unusually_large"]


@pytest.mark.parametrize("fact", ["answer", "issue"])
def test_what_an_older_version_has_written_is_understood(world: World, fact: str) -> None:
    """The bare word of an answer, or an issue of which nobody wrote down what it is about."""
    deal = held_as_large(world)
    with world.connection() as handle, handle.state.commit():
        if fact == "answer":
            handle.state.book.note(f"answer:deal:{deal}", "create")
        handle.state.db.execute("UPDATE issue SET about = ''")
    if fact == "issue":
        answer(world, "create", deal)
    for _ in range(4):
        minutes(world, 20)
        world.run()
    only(made_for(world, deal))
    assert codes(quiet(world)) == []
