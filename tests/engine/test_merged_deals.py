"""Two deals with an invoice each that became one, where a person lets both stand: each invoice
counts as the deal's own would, for what the deal says, for whoever is told, and in the timeline."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import (
    answer,
    awaiting,
    number_of,
    quiet,
)
from tests.engine.test_rare_together import steps
from tests.engine.world import World

MERGED: dict[str, Any] = {"mode": "full", "schedule": {"nightly_at": "off"}}


def both_stand(w: World) -> tuple[int, int, int]:
    """Two deals, each with an approved invoice, and what they became: a person keeps both. The
    first invoice is the new deal's own by then, the second stays where it was made."""
    one, other = awaiting(w), awaiting(w, title="Other order")
    steps(w, 2)
    new = int(w.crm("merge_deals", loser=one, winner=other)["id"])
    steps(w, 2, 5)
    answer(w, "never", new)
    steps(w, 2, 5)
    return one, other, new


def until_late(w: World) -> None:
    """The weeks before the invoices are overdue; their day is twelve hours off."""
    for _ in range(3):
        w.advance(timedelta(days=10))
        w.run()


def says(w: World, deal: int, *names: str) -> list[Any]:
    """Some of the deal's fields."""
    return [w.deal_fields(deal)[f"Invoice {name}"] for name in names]


# --- what the deal says -------------------------------------------------------------------------


def test_it_is_read_again_before_it_is_called_overdue(make_world: MakeWorld) -> None:
    """A payment a minute ago, which no list shows yet."""
    w = make_world(crm="hubspot", config=MERGED, ledger={"lag_max_s": 240})
    own, rival, new = both_stand(w)
    until_late(w)
    w.books("pay", invoice=number_of(w, own))
    steps(w, 2, 5)
    assert says(w, new, "status", "overdue") == ["part-paid", "no"]
    w.advance(timedelta(hours=12))
    w.books("pay", invoice=number_of(w, rival))
    w.run()
    assert says(w, new, "status", "overdue") == ["paid", "no"]


def test_a_debt_that_was_written_off_says_so(make_world: MakeWorld) -> None:
    w = make_world(crm="hubspot", config=MERGED | {"invoices": {"bad_debt_accounts": ["408"]}})
    own, rival, new = both_stand(w)
    w.books("pay", invoice=number_of(w, own))
    w.books("credit", invoice=number_of(w, rival), account="408")
    steps(w, 2, 5)
    assert says(w, new, "status") == ["written off"]
    quiet(w)


def test_money_that_was_given_back_says_so(make_world: MakeWorld) -> None:
    """A refund moves no invoice: the credit note's change alone tells of it."""
    w = make_world(crm="hubspot", config=MERGED)
    own, rival, new = both_stand(w)
    for deal in (own, rival):
        w.books("pay", invoice=number_of(w, deal))
    steps(w, 2, 5)
    assert says(w, new, "status") == ["paid"]
    for deal in (own, rival):
        credit = w.books("credit", invoice=number_of(w, deal), total="110", amount="110",
                         allocate=False)  # fmt: skip
        w.books("refund_credit", credit=credit["done"]["id"])
        w.advance(timedelta(days=8))
        steps(w, 2, 5)
        said = says(w, new, "status")
        assert said == ["refunded" if deal == rival else "paid"]
    quiet(w)


def test_a_discount_that_was_taken_in_time_is_no_debt(make_world: MakeWorld) -> None:
    terms = {"default": "2/10 net 30"}
    w = make_world(crm="hubspot", config=MERGED | {"invoices": {"terms": terms}})
    own, rival, new = both_stand(w)
    w.books("pay", invoice=number_of(w, own))
    w.books("pay", invoice=number_of(w, rival), amount="107.80")
    until_late(w)
    w.advance(timedelta(hours=12))
    steps(w, 2, 5)
    assert says(w, new, "status", "overdue") == ["part-paid", "no"]
