"""Issue 5, "What it must show", 3: a share of the real orders under four kinds of tax."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine import northwind
from tests.engine.northwind_taxes import FIRMS, ORDERS, Firm, play

#: Enough to have every rate and country; `make northwind-taxes` plays all 830 of each firm.
SHARE = 150


@pytest.mark.parametrize("firm", FIRMS, ids=lambda firm: firm.name)
def test_real_orders_are_right_to_the_cent_under_this_tax(firm: Firm, tmp_path: Path) -> None:
    northwind.require_data()
    wrong = play(firm, tmp_path, SHARE)
    assert not wrong, "\n".join(wrong[:10])


@pytest.mark.slow
@pytest.mark.parametrize("firm", FIRMS, ids=lambda firm: firm.name)
def test_all_real_orders_are_right_to_the_cent(firm: Firm, tmp_path: Path) -> None:
    northwind.require_data()
    assert len(northwind.rows("Orders.csv")) == ORDERS
    wrong = play(firm, tmp_path)
    assert not wrong, "\n".join(wrong[:10])
