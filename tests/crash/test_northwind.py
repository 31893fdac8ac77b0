"""The Northwind load (830 deals of 89 customers), killed at ten named points and restarted."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from syncjob.sandbox.pipedrive.load import load_directory
from tests.crash.kit import CrashWorld, truth
from tests.crash.test_kill import CONTACTS, DEAL, INVOICES, ids
from tests.engine import northwind

pytestmark = pytest.mark.slow

CONFIG: dict[str, Any] = {"invoices": {"tax": {"amounts": "no_tax"}}}
#: Five and more of them between a commit and the answer; 17 groups of invoices, 2 of contacts.
POINTS = [
    ("after a page's commit", "crm deals", 1),
    ("answered", CONTACTS, 2),
    ("call committed", INVOICES, 1),
    ("send recorded", INVOICES, 5),
    ("answered", INVOICES, 1),
    ("answered", INVOICES, 9),
    ("answered", INVOICES, 17),
    ("before the outcomes' commit", INVOICES, 12),
    ("answered", DEAL, 400),
    ("before the sidecar", "", 1),
]


def load(folder: Path, *, lag_s: float = 0) -> CrashWorld:
    w = CrashWorld(folder, config=CONFIG, ledger={"lag_max_s": lag_s})
    load_directory(w.pipedrive, northwind.write_csv(folder / "csv"))
    w.init()
    return w


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The load as it ends undisturbed, to the cent what the orders' own lines say."""
    northwind.require_data()
    w = load(tmp_path_factory.mktemp("undisturbed"))
    assert w.run().exit_code in (0, 1)
    held = truth(w)
    w.close()
    assert len(held["invoices"]) == 830
    assert len(held["contacts"]) == 89
    totals = sorted(Fraction(invoice[4]) for invoice in held["invoices"])
    assert totals == sorted(northwind.order_totals().values())
    return held


@pytest.mark.parametrize(("point", "match", "nth"), POINTS, ids=ids(POINTS))
def test_northwind_killed_and_restarted(expected, tmp_path: Path, point, match, nth):
    lag_s = 300 if nth % 2 else 0
    w = load(tmp_path, lag_s=lag_s)
    try:
        w.kill(point, match, nth)
        w.recover(expected)
    finally:
        w.close()
