"""Many deals in every state of their invoices go over to HubSpot, in any order and with gaps in the
map: judged from the books, one invoice a deal before, after, and with the state lost.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from tests.engine.moving import Moving, patience
from tests.engine.scenes import WIDGET, minutes, quiet, sell

DEALS, CUSTOMERS = 24, 7
STATES = ("open", "draft", "approved", "part-paid", "paid", "voided", "late")
SAID = {"draft": "draft", "approved": "awaiting payment", "part-paid": "part-paid", "paid": "paid",
        "voided": "voided", "late": "draft"}  # fmt: skip
#: Of a voided invoice a person must say whether it is made anew; "late" is invoiced afterwards.
NEW_ONES = ("open", "late")


def _sold(w: Moving, rng: Random) -> dict[int, tuple[str, str]]:
    """The old deals: (state, customer). Those that are late were won after the last batch."""
    sold = {}
    for n in range(DEALS):
        state, org = rng.choice(STATES), f"Customer {rng.randrange(CUSTOMERS)}"
        line = {**WIDGET, "price": 100 + n}  # no two are alike
        sold[sell(w, org, title=f"deal {n}", lines=[line], won=False)] = (state, org)
    for deal, (state, _) in sold.items():
        if state not in NEW_ONES:
            w.crm("win", deal=deal)
    assert w.run().exit_code == 0
    for deal, (state, _) in sold.items():
        if state in ("approved", "part-paid", "paid", "voided"):
            w.books("approve", invoice=w.number(deal))
        if state == "part-paid":
            w.books("pay", invoice=w.number(deal), amount="10.00")
        if state == "paid":
            w.books("pay", invoice=w.number(deal))
        if state == "voided":
            w.books("void", invoice=w.number(deal))
        if state == "late":
            w.crm("win", deal=deal)
    return sold


def _brought_over(w: Moving, sold: dict[int, tuple[str, str]], rng: Random) -> dict[int, int]:
    """What the import made of them, in another order: old -> new."""
    for org in sorted({org for _, org in sold.values()}):
        w.crm("create_org", name=org)
    made = {}
    order = list(enumerate(sold.items()))
    rng.shuffle(order)
    for n, (deal, (state, org)) in order:
        line = {**WIDGET, "price": 100 + n}
        status = "open" if state == "open" else "won"
        new = w.crm("create_deal", title=f"deal {n}", org=org, currency="AUD", lines=[line],
                    status=status)  # fmt: skip
        made[deal] = int(new["id"])
    return made


def _live(w: Moving) -> Counter[str]:
    """Live invoices by the line's price, which tells the deals apart in both CRMs."""
    live = [i for i in w.invoices() if i["status"] not in ("VOIDED", "DELETED")]
    return Counter(str(i["total"]) for i in live)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_every_deal_has_one_invoice_throughout(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    w = Moving(tmp_path)
    try:
        w.init()
        sold = _sold(w, rng)
        before = _live(w)
        w.advance(timedelta(hours=6))
        w.change()
        new = _brought_over(w, sold, rng)
        w.advance(timedelta(days=1))
        mapped = [deal for deal in sold if rng.random() < 0.8]
        rows = "\n".join(f"{deal},{new[deal]}" for deal in mapped)
        done = w.relink(f"old,new\n{rows}")
        assert done.deals == len(mapped) and not done.refused
        w.settle_in()
        late = sum(sold[deal][0] == "late" for deal in mapped)
        _one_each(w, sum(before.values()) + late)
        for deal in mapped:
            said = w.deal_fields(new[deal]).get("Invoice status")
            assert said == SAID.get(sold[deal][0]), (deal, sold[deal])
        opened = [deal for deal, (state, _) in sold.items() if state == "open"]
        w.lose_state()
        w.relink(f"old,new\n{rows}")
        for deal in opened:
            w.crm("win", deal=new[deal])
        for _ in range(3):
            patience(w)
            w.accept()
        _one_each(w, sum(before.values()) + late + len(opened))
        minutes(w, 5)
        w.run()
        quiet(w)
    finally:
        w.close()


def _one_each(w: Moving, count: int) -> None:
    live = _live(w)
    assert max(live.values()) == 1, [t for t, n in live.items() if n > 1]
    assert sum(live.values()) == count
