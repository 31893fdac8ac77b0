"""Whoever looks on is told for whose limit a batch waits, and until when."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import sell
from tests.engine.world import World

Told = list[tuple[str, datetime | None]]
SLOW = {"Retry-After": "30", "X-Rate-Limit-Problem": "minute"}


def listen(w: World) -> Told:
    """A batch, and what it said of its waits; each that begins ends before the next."""
    told: Told = []
    w.run(waiting=lambda what, until: told.append((what, until)))
    for (begun, until), (ended, none) in zip(told[::2], told[1::2], strict=True):
        assert (begun, until is not None, none) == (ended, True, None)
    return told


def test_a_limit_that_a_write_meets_is_told(world: World) -> None:
    sell(world)
    world.fault(
        kind="status", status=429, server="xero", method="PUT", path="/Invoices$", headers=SLOW
    )
    began = world.clock.now()
    (what, until), _ = listen(world)
    assert (what, until is not None) == ("Xero's limit", True)
    assert until is not None
    assert timedelta(seconds=30) <= until - began <= timedelta(seconds=33)
    assert len(world.invoices()) == 1


def test_a_vendor_that_is_away_for_a_moment_is_told(world: World) -> None:
    sell(world)
    world.fault(kind="status", status=503, server="pipedrive", method="GET", path="/deals$")
    assert {what for what, _ in listen(world)} == {"Pipedrive, which gives no answer,"}


def test_our_own_count_of_a_minutes_calls_is_told(make_world: MakeWorld) -> None:
    w = make_world(config={"ledger": {"day_limit": 1000}})
    for number in range(4):
        sell(w, f"Firm {number} Pty")
    w.books("set_limits", minute=3, day=1000)
    w.run()
    w.advance(timedelta(seconds=1))
    sell(w, "Late Pty")
    told = listen(w)
    assert "Xero's limit" in {what for what, _ in told}


def test_nothing_is_said_where_nothing_is_waited_for(world: World) -> None:
    sell(world)
    assert listen(world) == []
