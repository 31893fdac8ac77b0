"""Credit of a deal's parts: it makes up for a deal that came to less, and is never billed again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.scenes import answer, codes, minutes, only, quiet, sell
from tests.engine.test_held_parts import MACHINE, price
from tests.engine.test_schedules import caught_up, days, nets, parts_of, world
from tests.engine.world import World


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    yield from world(tmp_path)


def invoiced(w: World, *, pay: bool = False) -> int:
    """A deal of 1,000.00 net in three parts, each of them approved."""
    deal = sell(w, lines=[MACHINE])
    w.run()
    days(w, 61)
    caught_up(w)
    for part in parts_of(w, deal):
        w.books("approve", invoice=part["id"])
        if pay:
            w.books("pay", invoice=part["id"])
    minutes(w, 5)
    assert codes(w.run()) == []
    return deal


def credit(w: World, deal: int, gross: str, **more: Any) -> str:
    """A credit note of this sum, with its tax, of the last part."""
    last = parts_of(w, deal)[-1]["id"]
    made = w.books("credit", invoice=last, amount=gross, **more)["done"]
    minutes(w, 5)
    return str(made["id"])


def test_credit_of_the_difference_ends_it(w: World) -> None:
    deal = invoiced(w)
    price(w, deal, 950)
    (issue,) = w.run().issues
    assert issue.code == "parts_differ"
    assert "come to 1,000.00 AUD net, and the deal itself to 950.00" in issue.what
    assert "credit the difference" in issue.next_step
    credit(w, deal, "55")
    assert codes(w.run()) == []
    quiet(w)
    credit(w, deal, "22")
    (issue,) = w.run().issues
    assert issue.code == "parts_differ"
    assert "1,000.00 AUD net, 70.00 of it credited, and the deal itself to 950.00" in issue.what
    answer(w, "never", deal)
    assert codes(w.run()) == []
    quiet(w)


def test_credit_of_paid_parts_that_was_paid_back_ends_it(w: World) -> None:
    deal = invoiced(w, pay=True)
    price(w, deal, 950)
    assert codes(w.run()) == ["parts_differ"]
    note = credit(w, deal, "55", allocate=False)
    minutes(w, 5)
    assert codes(w.run()) == ["parts_differ"], "nobody has it yet"
    w.books("refund_credit", credit=note)
    for _ in range(2):
        days(w, 8)
        w.run()
    minutes(w, 16)
    assert codes(w.run()) == []
    quiet(w)


def test_a_favour_is_no_difference_and_is_not_billed_by_the_last_part(w: World) -> None:
    deal = sell(w, lines=[MACHINE])
    w.run()
    w.books("approve", invoice=only(parts_of(w, deal))["id"])
    credit(w, deal, "33")
    days(w, 61)
    assert codes(caught_up(w)) == []
    assert sum(nets(parts_of(w, deal)).values()) == 1000
    for part in parts_of(w, deal)[1:]:
        w.books("approve", invoice=part["id"])
    minutes(w, 5)
    assert codes(w.run()) == []
    quiet(w)


def test_too_much_that_was_invoiced_and_credited_says_so_and_how_it_ends(w: World) -> None:
    deal = sell(w, lines=[MACHINE])
    w.run()
    w.books("approve", invoice=only(parts_of(w, deal))["id"])
    price(w, deal, 250)
    credit(w, deal, "55")
    days(w, 61)
    report = caught_up(w)
    assert codes(report) == ["parts_exceed_deal"]
    (issue,) = report.issues
    assert "300.00 AUD net are invoiced already, 50.00 of it credited, and the" in issue.what
    assert f"resolve deal {deal} --never" in issue.next_step
    only(parts_of(w, deal))
    answer(w, "never", deal)
    minutes(w, 5)
    assert codes(w.run()) == []
    only(parts_of(w, deal))
    quiet(w)
