"""What holds one part's standing draft is told, and leaves the draft and the other parts alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.scenes import codes, minutes, only, quiet, sell
from tests.engine.test_schedules import caught_up, days, forget, nets, parts_of, world
from tests.engine.world import World

MACHINE = {"name": "Machine", "price": 1000, "quantity": 1, "tax": 10}


def price(w: World, deal: int, net: int) -> None:
    """Sales changes what the deal comes to."""
    row = only([r for r in w.crm_state()["rows"].values() if r["deal_id"] == deal])
    w.crm("edit_line", line=row["id"], deal=deal, price=net)
    w.crm("edit_deal", deal=deal, title=f"Spring order, {net}")
    minutes(w, 5)


def as_it_stands(w: World, deal: int) -> list[tuple[Any, ...]]:
    return [(p["id"], p["status"], p["total"]) for p in parts_of(w, deal)]


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    yield from world(tmp_path, invoices={"status": "authorised"})


def test_a_draft_that_can_no_longer_follow_its_deal_stays_as_it_is(w: World) -> None:
    """The deposit of 300 is approved and the deal comes to 250: nothing that fits is left."""
    deal = sell(w, lines=[MACHINE])
    w.run()
    w.books("approve", invoice=only(parts_of(w, deal))["id"])
    days(w, 61)
    caught_up(w)
    before = as_it_stands(w, deal)
    assert len(before) == 3
    price(w, deal, 250)
    report = w.run()
    assert codes(report) == ["parts_exceed_deal"]
    assert "For delivery: 300.00 AUD net are invoiced already" in report.issues[0].what
    assert as_it_stands(w, deal) == before
    quiet(w)
    price(w, deal, 2000)
    assert codes(w.run()) == []
    assert sum(nets(parts_of(w, deal)).values()) == 2000
    quiet(w)


def test_a_draft_of_a_lost_state_that_no_longer_fits_is_not_approved(w: World) -> None:
    """What would have been sent cannot be made anew, so nobody can say whether it was touched."""
    deal = sell(w, lines=[MACHINE])
    w.run()
    days(w, 61)
    caught_up(w)
    before = as_it_stands(w, deal)
    assert [status for _, status, _ in before] == ["DRAFT"] * 3
    forget(w)
    w.overrides = {**w.overrides, "mode": "full"}
    price(w, deal, 250)
    w.run()
    minutes(w, 16)
    report = w.run()
    assert "parts_exceed_deal" in codes(report)
    assert as_it_stands(w, deal) == before
    quiet(w)
