"""Deals in several invoices: each made on its day, all of them tied to the deal and paid back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.engine.scenes import codes, minutes, only, quiet, sell
from tests.engine.world import World

THIRDS: list[dict[str, Any]] = [
    {
        "name": "standard",
        "when": {"total_from": 50},
        "parts": [
            {"name": "deposit", "percent": 30, "on": "win"},
            {"name": "delivery", "percent": 40, "on": "+30 days"},
            {"name": "balance", "rest": True, "on": "+60 days"},
        ],
    }
]
PROGRESSIVE = {"progressive": True}
#: 1,000.01 net at two rates, so that thirds leave cents.
LINES = [
    {"name": "Machine", "price": 900.01, "quantity": 1, "tax": 10},
    {"name": "Manual", "price": 100, "quantity": 1, "tax": 0},
]
RULES = [
    {"name": "free", "when": {"percent": 0}, "rate": "GST Free Income"},
    {"name": "standard", "when": {"percent": 10}, "rate": "GST on Income"},
]


def world(folder: Path, **config: Any) -> Iterator[World]:
    invoices = {
        "schedules": THIRDS, "deposit": PROGRESSIVE,
        "tax": {"amounts": "exclusive", "rules": RULES}, **config.pop("invoices", {}),
    }  # fmt: skip
    made = World(folder, config={"invoices": invoices, **config})
    made.init()
    yield made
    made.close()


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    yield from world(tmp_path)


@pytest.fixture
def crm_w(tmp_path: Path) -> Iterator[World]:
    yield from world(tmp_path, invoices={"schedules": []}, crm={"read_instalments": True})


def days(w: World, count: int) -> None:
    w.advance(timedelta(days=count))


def caught_up(w: World) -> Any:
    """Batches after a long pause: the first may only look (recovery), then the patience passes."""
    w.run()
    minutes(w, 16)
    report = w.run()
    quiet(w)
    return report


def parts_of(w: World, deal: int) -> list[dict[str, Any]]:
    """The live invoices of the deal as the books hold them, by marker."""
    ours = [i for i in w.invoices() if f"SJ-{deal}-" in (i["url"] or "")]
    live = [i for i in ours if i["status"] not in ("VOIDED", "DELETED")]
    return sorted(live, key=lambda i: str(i["reference"]))


def nets(invoices: list[dict[str, Any]]) -> dict[str, Decimal]:
    """Net sums by tax type over all lines."""
    found: dict[str, Decimal] = {}
    for invoice in invoices:
        for line in invoice["lines"]:
            code = str(line["tax_type"])
            found[code] = found.get(code, Decimal(0)) + Decimal(str(line["line_amount"]))
    return found


def test_a_deposit_and_two_parts_over_two_months(w: World) -> None:
    deal = sell(w, lines=LINES)
    assert w.run().exit_code == 0
    first = only(parts_of(w, deal))
    assert "SJ-%d-B1" % deal in first["url"]
    print(first)
    quiet(w)
