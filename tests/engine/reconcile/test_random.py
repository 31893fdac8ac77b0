"""Random worlds: some things are broken, each in another way, and exactly those are found."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from tests.engine.scenes import awaiting, billed, minutes
from tests.engine.world import World

from .kit import invoice, kinds, number, reconcile, settle_down, skip_changes, surgery

Break = Callable[[World, int], None]


def pay_unseen(w: World, deal: int) -> None:
    w.books("pay", invoice=number(w, deal), amount="30")


def edit_line_unseen(w: World, deal: int) -> None:
    row = next(r for r in w.crm_state()["rows"].values() if r["deal_id"] == deal)
    w.crm("edit_line", line=row["id"], comments="In green")


def clear_reference(w: World, deal: int) -> None:
    w.books("edit_invoice", invoice=invoice(w, deal)["id"], fields={"Reference": ""})


def edit_amount(w: World, deal: int) -> None:
    line = {"Description": "More", "Quantity": 1, "UnitAmount": 7, "AccountCode": "200"}
    w.books("edit_invoice", invoice=invoice(w, deal)["id"], fields={"LineItems": [line]})


def reopen(w: World, deal: int) -> None:
    w.crm("reopen", deal=deal)


def delete_deal(w: World, deal: int) -> None:
    w.crm("delete_deal", deal=deal)


def vanish(w: World, deal: int) -> None:
    w.pipedrive.company.tables["deals"].rows.pop(deal)


def copy_marker(w: World, deal: int) -> None:
    known = invoice(w, deal)
    line = {"Description": "Copy", "Quantity": 1, "UnitAmount": 5, "AccountCode": "200"}
    w.books("create_invoice", fields={
        "Contact": {"ContactID": known["contact_id"]}, "Reference": known["reference"],
        "LineItems": [line], "DueDate": "2026-12-30",
    })  # fmt: skip


def lose_link(w: World, deal: int) -> None:
    surgery(w, "DELETE FROM part WHERE deal = ?", str(deal))


def archive_customer(w: World, deal: int) -> None:
    w.books("archive_contact", contact=f"Firm {deal}")


#: What is broken before everything is polled once more, by what it is found as.
SEEN: dict[str, tuple[Break, ...]] = {
    "marker": (clear_reference,), "amount": (edit_amount,), "extra": (reopen,),
    "dead_link": (delete_deal, archive_customer), "duplicate": (copy_marker,),
    "missed": (edit_line_unseen,),
}  # fmt: skip
#: And what nobody polls.
UNSEEN: dict[str, tuple[Break, ...]] = {
    "payment": (pay_unseen,),
    "no_link": (lose_link,),
    "dead_link": (vanish,),
}


@pytest.mark.parametrize("seed", range(3))
def test_exactly_what_is_broken_is_found(make_world: Any, seed: int) -> None:
    rng = Random(seed)
    w = make_world()
    deals = [_deal(w, awaiting, n) for n in range(1, 12)]
    for n in range(12, 15):
        _deal(w, billed, n)
    settle_down(w)
    assert not reconcile(w).findings
    rng.shuffle(deals)
    seen = [(kind, act) for kind, acts in SEEN.items() for act in acts]
    unseen = [(kind, act) for kind, acts in UNSEEN.items() for act in acts]
    first = rng.sample(seen, rng.randint(2, len(seen)))
    second = rng.sample(unseen, rng.randint(1, len(unseen)))
    for _, act in first:
        act(w, deals.pop())
        minutes(w, rng.randint(1, 5))
    settle_down(w)
    for _, act in second:
        act(w, deals.pop())
    skip_changes(w)
    report = reconcile(w)
    assert kinds(report) == sorted(kind for kind, _ in (*first, *second)), report.findings
    settle_down(w)
    left = [f for f in reconcile(w).findings if f.mends == "next_batch"]
    assert not left


def _deal(w: World, make: Callable[..., int], number_: int) -> int:
    """A deal whose customer is called after it."""
    deal = make(w, org=f"Firm {number_}")
    assert deal == number_
    return deal
