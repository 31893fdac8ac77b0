"""Random weeks of a HubSpot account with faults on the way: one invoice a deal, then rest."""

from __future__ import annotations

from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import WIDGET, invoice_of, minutes
from tests.engine.world import World

FAULTS = ("lost", "truncate", "refuse", "late")
PLACES = ("/deals/batch/update$", "/deals/search$", "/batch/read$", "/Invoices$", "/Contacts$")


def options(rng: Random) -> dict[str, Any]:
    """What nobody knows of HubSpot, drawn."""
    return {
        "index_lag_max_s": rng.choice((0, 20, 120)),
        "lines_bump_deal": rng.random() < 0.5,
        "associations_bump": rng.random() < 0.5,
        "idle_patch_bumps": rng.random() < 0.5,
        "merged_in_read": rng.choice(("resolved", "missing")),
        "merged_in_batch": rng.choice(("error", "silent")),
        "multi_status": rng.choice(("207", "200")),
        "terse_errors": rng.random() < 0.5,
        "first_id": rng.choice((1, 41_200_000_001)),
        "id_stride_max": rng.choice((1, 5_000)),
        "seed": rng.randint(0, 99),
    }


def deed(w: World, rng: Random, merged: set[int]) -> None:
    """One thing that a sales person does to one deal; what cannot be done is left."""
    state = w.crm_state()
    live = [d["id"] for d in state["deals"].values() if not d["is_deleted"]]
    gone = [d["id"] for d in state["deals"].values() if d["is_deleted"] and not d["merged_into"]]
    draw = rng.random()
    if draw < 0.35 or len(live) < 3:
        line = {**WIDGET, "price": rng.randint(10_000, 15_000) / 100, "quantity": 1.5}
        org = rng.choice(("Acme Pty", "Good Pty"))
        w.crm("create_deal", title=f"Order {len(live)}", currency="AUD", org=org, lines=[line])
        return
    deal = rng.choice(live)
    if draw < 0.65:
        w.crm(rng.choice(("win", "win", "lose", "reopen")), deal=deal)
    elif draw < 0.75:
        w.crm("edit_deal", deal=deal, title=f"Renamed {rng.randint(1, 99)}")
    elif draw < 0.85:
        w.crm("add_line", deal=deal, **{**WIDGET, "price": rng.randint(100, 3_000) / 100})
    elif draw < 0.9:
        w.crm("delete_deal", deal=deal)
    elif draw < 0.95 and gone:
        w.crm("restore_deal", deal=rng.choice(gone))
    elif len(live) > 4:
        other = rng.choice([d for d in live if d != deal])
        made = w.crm("merge_deals", winner=deal, loser=other)
        merged |= {deal, other, int(made["id"])}


def total(state: dict[str, Any], deal: dict[str, Any]) -> Decimal:
    """The lines' nets, each with its tenth of tax rounded half up to the cent."""
    rows = [state["rows"][str(key)] for key in deal["lines"]]
    nets = [Decimal(row["properties"]["amount"]) for row in rows if not row["is_deleted"]]
    return sum((n + (n / 10).quantize(Decimal("0.01"), ROUND_HALF_UP) for n in nets), Decimal(0))


def judge(w: World, merged: set[int], issues: dict[str, str]) -> None:
    """No deal has two live invoices; each won one has its own, with its sum, and says so."""
    live = [i for i in w.invoices() if i["status"] not in ("DELETED", "VOIDED")]
    owners = Counter(int(i["url"].split("SJ-")[1].split("-")[0]) for i in live)
    assert max(owners.values(), default=0) <= 1, owners
    state = w.crm_state()
    for deal in state["deals"].values():
        if deal["is_deleted"] or deal["id"] in merged:
            continue
        assert owners[deal["id"]] == (deal["status"] == "won"), (deal, issues)
        if deal["status"] == "won":
            assert w.deal_fields(deal["id"])["Invoice status"] == "draft"
            assert Decimal(invoice_of(w, deal["id"])["total"]) == total(state, deal), (deal, issues)


@pytest.mark.parametrize(
    "seed", [pytest.param(n, marks=() if n < 1 else pytest.mark.slow) for n in range(25)]
)
def test_a_random_week_ends_with_one_invoice_a_deal(make_world: MakeWorld, seed: int) -> None:
    rng, merged = Random(seed), set[int]()
    w = make_world(crm="hubspot", crm_options=options(rng))
    for name in ("Acme Pty", "Good Pty"):
        w.crm("create_org", name=name)
    for _ in range(12):
        for _ in range(rng.randint(0, 4)):
            deed(w, rng, merged)
        if rng.random() < 0.4:
            path, kind = rng.choice(PLACES), rng.choice(FAULTS)
            w.fault(kind=kind, path=path, times=rng.randint(1, 2), delay_s=rng.randint(1, 200))
        w.run()
        w.faults.clear()
        minutes(w, rng.choice((1, 5, 20)))
    for _ in range(3):
        minutes(w, 20)
        report = w.run()
    judge(w, merged, {i.subject: f"{i.code}: {i.what}" for i in report.issues})
    mark = w.mark()
    minutes(w, 5)
    w.run()
    assert [(c["path"], c["body"]) for c in w.writes(mark)] == []
