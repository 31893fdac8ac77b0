"""830 real orders through HubSpot: every invoice once and to the cent, in the fewest calls."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from syncjob.sandbox.hubspot.load import load_directory
from tests.engine import northwind
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import minutes
from tests.engine.world import World

ORDERS, CUSTOMERS, LINES = 830, 89, 2155

#: The fewest calls of the first load, from what the vendors take in one call (facts: xero, 3 and
#: hubspot, 5b to 5d): deals 200 a search, customers and line items of 1,000 deals, line items,
#: companies and contacts 100 a read, deals 100 a write; one page of deleted deals and one search
#: for lines that changed; Xero as with any CRM; two looks at whose accounts these are.
FEWEST = {
    "deals/search": 5, "deals/companies/batch/read": 1, "deals/contacts/batch/read": 1,
    "deals/line_items/batch/read": 1, "line_items/batch/read": 22, "companies/batch/read": 1,
    "contacts/batch/read": 1, "deals/batch/update": 9, "deals": 1, "line_items/search": 1,
    "details": 1, "Organisation": 1, "GET Contacts": 1, "GET Invoices": 1, "PUT Contacts": 2,
    "PUT Invoices": 17,
}  # fmt: skip


def counted(w: World, mark: int) -> Counter[str]:
    """Calls by what they ask for."""
    found: Counter[str] = Counter()
    for call in w.since(mark):
        path = call["path"].partition("/2026-09/")[2] or call["path"].rsplit("/", 1)[1]
        known = path in ("Contacts", "Invoices")
        found[f"{call['method']} {path}" if known else path] += 1
    return found


def judge(w: World) -> dict[str, Fraction]:
    """Every order has one invoice; returns the totals by the order's number."""
    titles = {str(d["id"]): d["title"] for d in w.crm_state()["deals"].values()}
    totals: dict[str, Fraction] = {}
    for invoice in w.invoices():
        order = titles[invoice["url"].partition("/0-3/")[2].partition("?")[0]].split()[1]
        assert order not in totals, f"two invoices of order {order}"
        totals[order] = Fraction(invoice["total"])
    return totals


@pytest.mark.slow
def test_the_whole_load_to_the_cent_in_the_fewest_calls(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    northwind.require_data()
    rules = {"invoices": {"tax": {"amounts": "no_tax"}}}
    world = make_world(init=False, crm="hubspot", config=rules)
    load_directory(world.hubspot, northwind.write_csv(tmp_path / "csv"))
    world.init()
    mark = world.mark()
    report = world.run()
    assert report.exit_code == 0, (report.issues[:3], report.stopped_by)
    assert judge(world) == northwind.order_totals()
    assert len(world.contacts()) == CUSTOMERS
    calls = counted(world, mark)
    assert set(calls) <= {*FEWEST, "token"}
    assert sum(calls.values()) <= sum(FEWEST.values()) * 11 // 10
    for call, fewest in FEWEST.items():
        assert calls[call] <= fewest + max(1, fewest // 10), call
    minutes(world, 1)
    mark = world.mark()
    world.run()
    assert world.writes(mark) == []
