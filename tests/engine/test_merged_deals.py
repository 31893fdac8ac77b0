"""Two deals with an invoice each that became one, where a person lets both stand: each invoice
counts as the deal's own would, for what the deal says, for whoever is told, and in the timeline."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.reconcile.kit import reconcile
from tests.engine.scenes import (
    answer,
    awaiting,
    invoice_of,
    number_of,
    quiet,
)
from tests.engine.test_notices import tasks
from tests.engine.test_rare_together import steps
from tests.engine.test_timeline import ALL
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


def test_the_customers_page_is_that_of_the_invoice_that_asks_for_money(
    make_world: MakeWorld,
) -> None:
    pages = {"invoices": {"online_link": True}, "crm": {"fields": {"online": "Customer page"}}}
    w = make_world(crm="hubspot", config=MERGED | pages)
    own, rival, new = both_stand(w)
    steps(w, 2)
    w.books("pay", invoice=number_of(w, own))
    steps(w, 2)
    asks = str(invoice_of(w, rival)["id"]).replace("-", "")
    assert w.deal_fields(new)["Customer page"] == f"https://in.xero.com/{asks}"
    quiet(w)


# --- who is told, and what is noted --------------------------------------------------------------


def subjects(w: World) -> list[str]:
    return sorted(str(task["subject"]) for task in tasks(w))


def test_of_each_debt_somebody_is_told_once(make_world: MakeWorld) -> None:
    notices = {"by": ["task"], "steps": [1, 7]}
    w = make_world(crm="hubspot", config=MERGED | {"notices": notices})
    own, rival, new = both_stand(w)
    numbers = [number_of(w, deal) for deal in (own, rival)]
    until_late(w)
    assert tasks(w) == []
    for due in ("1 day", "7 days"):
        w.advance(timedelta(days=6 if due == "7 days" else 1))
        steps(w, 3, 10)
        told = [text for text in subjects(w) if f"{due} overdue" in text]
        assert [text.split()[0] for text in told] == numbers
    assert len(tasks(w)) == 4
    assert {str(task["deal_id"]) for task in tasks(w)} == {str(new)}
    quiet(w)


def test_nobody_is_told_before_a_person_has_decided_nor_of_what_was_told_before(
    make_world: MakeWorld,
) -> None:
    notices = {"by": ["task"], "steps": [1, 7]}
    w = make_world(crm="hubspot", config=MERGED | {"notices": notices})
    one, other = awaiting(w), awaiting(w, title="Other order")
    until_late(w)
    w.advance(timedelta(days=1))
    steps(w, 2, 5)
    assert len(tasks(w)) == 2
    new = int(w.crm("merge_deals", loser=one, winner=other)["id"])
    w.advance(timedelta(days=7))
    steps(w, 2, 5)
    assert len(tasks(w)) == 2
    answer(w, "never", new)
    steps(w, 3, 5)
    numbers = [number_of(w, deal) for deal in (one, other)]
    assert [text.split()[0] for text in subjects(w) if "8 days" in text] == numbers
    assert len(tasks(w)) == 4
    quiet(w)


def test_a_payment_is_read_before_anybody_is_told(make_world: MakeWorld) -> None:
    notices = {"by": ["task"], "steps": [1]}
    config = MERGED | {"notices": notices}
    w = make_world(crm="hubspot", config=config, ledger={"lag_max_s": 240})
    own, rival, _ = both_stand(w)
    w.books("pay", invoice=number_of(w, own))
    until_late(w)
    w.advance(timedelta(hours=12))
    w.books("pay", invoice=number_of(w, rival))
    steps(w, 3, 5)
    assert tasks(w) == []


def test_what_happened_is_noted_once(make_world: MakeWorld) -> None:
    w = make_world(crm="hubspot", config=MERGED | {"crm": {"timeline": ALL}})
    own, rival, new = both_stand(w)
    numbers = [number_of(w, deal) for deal in (own, rival)]
    assert len(notes(w)) == 4, "drafted and approved, each"
    for number in numbers:
        w.books("pay", invoice=number)
    steps(w, 3, 5)
    since = notes(w)[4:]
    assert [text.split(" is ")[0] for text in sorted(since)] == [f"Invoice {n}" for n in numbers]
    assert all("is paid: 110.00 AUD" in text for text in since)
    assert {str(note["deal_id"]) for note in w.crm_state()["notes"].values()} == {str(new)}
    quiet(w)


def notes(w: World) -> list[str]:
    """The timelines' notes, oldest first, the first line of each."""
    found = w.crm_state()["notes"].values()
    return [str(note["content"]).partition("<br>")[0] for note in found]


def test_the_page_names_the_deal_that_it_is_now_and_its_owner(make_world: MakeWorld) -> None:
    w = make_world(crm="hubspot", config=MERGED)
    owner = w.crm("create_user", name="Ann Lee", email="ann@example.com")
    _, _, new = both_stand(w)
    w.crm("edit_deal", deal=new, owner=owner["id"])
    until_late(w)
    w.advance(timedelta(days=1))
    steps(w, 2)
    with w.connection() as handle:
        money = handle.page().money
    assert money is not None
    assert {(sale.deal_id, sale.owner) for sale in money.open} == {(str(new), "Ann Lee")}
    assert len(money.open) == 2


@pytest.mark.parametrize("old", ["resolved", "missing"])
def test_the_nights_reading_misses_no_deal_that_was_merged(make_world: MakeWorld, old: str) -> None:
    """The CRM has no deal of the old id, under which an invoice still stands."""
    w = make_world(crm="hubspot", crm_options={"merged_in_read": old}, config=MERGED)
    both_stand(w)
    w.advance(timedelta(hours=20))
    w.run()
    report = reconcile(w)
    assert [(f.kind, f.what) for f in report.findings] == []
    quiet(w)
