"""A draft that follows its deal is measured as one that is made: a mistyped price is held."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import answer, billed, codes, invoice_of, minutes, quiet, sell
from tests.engine.test_recurring import MONTHLY, templates
from tests.engine.test_revision import change_price
from tests.engine.test_schedules import PROGRESSIVE, THIRDS, parts_of
from tests.engine.world import World


def raised(w: World) -> None:
    """The mode is full from now on."""
    w.overrides["mode"] = "full"
    for _ in range(3):
        minutes(w, 61)  # a held deal is looked at again each hour
        w.run()


def in_whole(make_world: MakeWorld) -> tuple[World, int]:
    w = make_world(config={"invoices": {"status": "authorised"}})
    return w, billed(w)


def in_parts(make_world: MakeWorld) -> tuple[World, int]:
    rules = {"status": "authorised", "schedules": THIRDS, "deposit": PROGRESSIVE}
    w = make_world(config={"invoices": rules})
    deal = sell(w)
    assert codes(w.run()) == []
    return w, deal


@pytest.mark.parametrize("made", [in_whole, in_parts])
def test_a_draft_that_would_become_unusually_large_is_left_and_held(
    make_world: MakeWorld, made: Any
) -> None:
    w, deal = made(make_world)
    (before,) = parts_of(w, deal)
    change_price(w, deal, 100000)
    w.run()
    (told,) = quiet(w).issues
    assert (told.code, told.state) == ("unusually_large", "held")
    assert f"its draft {before['number']} would come to" in told.what
    assert w.deal_fields(deal)["Invoice status"] == "draft"
    assert "times the largest so far" in w.deal_fields(deal)["Invoice note"]
    raised(w)
    assert parts_of(w, deal) == [before]
    assert codes(quiet(w)) == ["unusually_large"]
    change_price(w, deal, 110)
    raised(w)
    (after,) = parts_of(w, deal)
    assert (after["id"], after["status"]) == (before["id"], "AUTHORISED")
    assert codes(quiet(w)) == []


def test_sums_of_two_currencies_are_not_compared(make_world: MakeWorld) -> None:
    """5,000 euros are not "as large already" because the draft said 100,000 dollars."""
    rules = {"status": "authorised", "without_products": "one_line", "value_is": "gross"}
    w = make_world(config={"invoices": rules})
    billed(w, currency="EUR")
    deal = billed(w, title="Dollars", lines=[], value=100000)
    before = invoice_of(w, deal)
    minutes(w, 5)
    w.crm("edit_deal", deal=deal, currency="EUR", value=5000)
    w.run()
    assert "unusually_large" in codes(quiet(w))
    raised(w)
    assert invoice_of(w, deal) == before


@pytest.mark.parametrize("made", [in_whole, in_parts])
def test_a_person_releases_it_and_the_next_one_is_asked_about_anew(
    make_world: MakeWorld, made: Any
) -> None:
    w, deal = made(make_world)
    (before,) = parts_of(w, deal)
    change_price(w, deal, 1000)
    assert codes(w.run()) == ["unusually_large"]
    answer(w, "create", deal)
    assert codes(w.run()) == []
    (after,) = parts_of(w, deal)
    assert float(after["total"]) == pytest.approx(10 * float(before["total"]))
    quiet(w)
    change_price(w, deal, 1000000)
    assert codes(w.run()) == ["unusually_large"]
    assert parts_of(w, deal) == [after]
    change_price(w, deal, 1000)
    raised(w)
    assert codes(quiet(w)) == []
    assert invoice_of(w, deal)["status"] == "AUTHORISED"


def test_no_repeating_invoice_is_made_of_the_sum_that_is_asked_about(
    make_world: MakeWorld,
) -> None:
    w = make_world(config={"invoices": {"recurring": "template"}})
    path = "/RepeatingInvoices$"
    w.fault(kind="status", server="xero", method="PUT", path=path, status=503, times=0)
    deal = sell(w, lines=[MONTHLY])
    w.run()
    w.faults.clear()
    change_price(w, deal, 100000)
    for _ in range(3):
        minutes(w, 20)
        w.run()
    assert codes(quiet(w)) == ["unusually_large"]
    assert templates(w) == []
    answer(w, "create", deal)
    for _ in range(3):
        minutes(w, 20)
        w.run()
    assert codes(quiet(w)) == ["template_to_approve"]
    assert len(templates(w)) == 1


def test_what_was_large_when_it_was_made_may_change_in_other_ways(make_world: MakeWorld) -> None:
    w = make_world()
    billed(w, title="A small one")
    deal = sell(w, lines=[{"name": "Plant", "price": 5000, "quantity": 1, "tax": 10}])
    assert codes(w.run()) == ["unusually_large"]
    answer(w, "create", deal)
    w.run()
    w.overrides["guard"] = {"times_largest": "0.5"}
    change_price(w, deal, 4900)
    assert codes(w.run()) == []
    assert invoice_of(w, deal)["total"] == "5390.00"
