"""The 830 orders through HubSpot: every invoice once, to the cent, in the fewest calls; 25,000
deals changed at once: all seen, within the limits of searches.

The judge reads only what the servers hold and logged, and computes the sums itself in fractions.
"""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from syncjob.sandbox.hubspot import life
from syncjob.sandbox.hubspot.load import load_directory
from tests.engine import northwind
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import minutes
from tests.engine.test_northwind import CUSTOMERS, ORDERS
from tests.engine.world import World

#: The fewest calls of the first load (facts: hubspot, 5b to 5d): 200 deals a search, 1,000 deals
#: an associations read, 100 records of any other read or write; 2,155 lines. The ledger's as in
#: test_northwind.py.
FEWEST = {
    "deals/search": 5, "deals/line_items/batch/read": 1, "deals/companies/batch/read": 1,
    "deals/contacts/batch/read": 1, "line_items/batch/read": 22, "companies/batch/read": 1,
    "contacts/batch/read": 1, "deals/batch/update": 9, "line_items/search": 1,
    "objects/deals": 1, "account-info/details": 1, "Contacts": 3, "Invoices": 18,
    "Organisation": 1,
}  # fmt: skip


def counted(w: World, mark: int) -> Counter[str]:
    """Calls by what they ask for, without the version."""
    paths = (re.sub(r"/20\d\d-\d\d", "", c["path"]) for c in w.since(mark))
    last = [max((k for k in FEWEST if p.endswith(f"/{k}")), key=len, default=p) for p in paths]
    return Counter(last)


def test_the_whole_load_to_the_cent_in_the_fewest_calls(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    northwind.require_data()
    world = make_world(
        init=False, crm="hubspot", crm_options={"first_id": 41_200_000_001},
        config={"invoices": {"tax": {"amounts": "no_tax"}}},
    )  # fmt: skip
    load_directory(world.hubspot, northwind.write_csv(tmp_path / "csv"))
    world.init()
    mark = world.mark()
    assert world.run().exit_code == 0
    titles = {str(d["id"]): d["title"] for d in world.crm_state()["deals"].values()}
    totals: dict[str, Fraction] = {}
    for invoice in world.invoices():
        found = re.search(r"SJ-(\d+)-", invoice["url"])
        assert found is not None
        order = titles[found[1]].split()[1]
        assert order not in totals, f"two invoices of order {order}"
        totals[order] = Fraction(invoice["total"])
    assert totals == northwind.order_totals() and len(totals) == ORDERS
    assert len(world.contacts()) == CUSTOMERS
    calls = counted(world, mark)
    assert set(calls) <= {*FEWEST}
    assert sum(calls.values()) <= sum(FEWEST.values()) * 11 // 10
    minutes(world, 1)
    mark = world.mark()
    world.run()
    assert world.writes(mark) == []


@pytest.mark.slow
def test_an_import_of_25000_deals_is_seen_whole_within_the_limits(make_world: MakeWorld) -> None:
    w = make_world(
        init=False, crm="hubspot", crm_options={"index_lag_max_s": 20, "limits": True},
        config={"guard": {"creates": 100_000, "creates_first_week": 100_000}},
    )  # fmt: skip
    org = w.crm("create_org", name="Acme Pty")["id"]
    store = w.hubspot.store
    for n in range(25_000):
        life.create(store, "deals", {"dealname": f"Deal {n}", "amount": "0"})
    w.init()
    for _ in range(3):
        w.run()
        minutes(w, 16)
    w.crm("import_deals", text="a new description")
    sold = sorted(store.tables["deals"].rows)[::2500]
    for deal in sold:
        w.crm("edit_deal", deal=deal, org=org)
        w.crm("add_line", deal=deal, name="Widget", price=100, quantity=1, tax=10)
        w.crm("win", deal=deal)
    for _ in range(6):
        w.run()
        minutes(w, 10)
    made = Counter(re.findall(r"SJ-(\d+)-", "".join(i["url"] for i in w.invoices())))
    assert made == Counter({str(deal): 1 for deal in sold})
    assert [c for c in w.calls() if c["status"] == 429] == []
