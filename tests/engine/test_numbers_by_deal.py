"""With `numbering: deal` the number is the marker, so that Xero itself refuses a second."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import Any

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import answer, billed, codes, minutes, number_of, quiet, sell
from tests.engine.world import World

BY_DEAL: dict[str, Any] = {"invoices": {"numbering": "deal"}}


def numbers(w: World) -> list[tuple[str, str]]:
    return sorted((i["number"], i["status"]) for i in w.invoices())


def test_the_number_is_the_marker_and_is_never_used_twice(make_world: MakeWorld) -> None:
    world = make_world(config=BY_DEAL)
    deal = billed(world)
    assert numbers(world) == [(f"SJ-{deal}-A1", "DRAFT")]
    world.crm("reopen", deal=deal)
    minutes(world, 5)
    world.run()
    world.crm("win", deal=deal)
    minutes(world, 5)
    assert world.run().exit_code == 0
    world.books("approve", invoice=f"SJ-{deal}-A2")
    world.books("void", invoice=f"SJ-{deal}-A2")
    minutes(world, 5)
    assert codes(world.run()) == ["reissue_needed"]
    answer(world, "reissue", deal)
    assert codes(world.run()) == []
    assert numbers(world) == [
        (f"SJ-{deal}-A1", "DELETED"), (f"SJ-{deal}-A2", "VOIDED"), (f"SJ-{deal}-A3", "DRAFT"),
    ]  # fmt: skip
    world.books("approve", invoice=number_of(world, deal))
    minutes(world, 5)
    world.run()
    assert world.deal_fields(deal)["Invoice number"] == f"SJ-{deal}-A3"
    quiet(world)


FAULTS = [("lost", "after", 1), ("lost", "after", 9), ("html", "after", 1), ("late", "after", 2)]


@pytest.mark.parametrize(("kind", "when", "times"), FAULTS, ids=[f"{f[0]} {f[2]}" for f in FAULTS])
def test_a_lost_answer_is_settled(make_world: MakeWorld, kind: str, when: str, times: int) -> None:
    world = make_world(config=BY_DEAL, ledger={"lag_max_s": 300})
    deals = [sell(world), sell(world, "Good Pty")]
    world.fault(kind=kind, when=when, times=times, delay_s=300, server="xero", method="PUT",
                path="/Invoices$")  # fmt: skip
    world.run()
    world.faults.clear()
    for _ in range(2):
        minutes(world, 20)
        world.run()
    assert numbers(world) == [(f"SJ-{deal}-A1", "DRAFT") for deal in deals]
    assert codes(quiet(world)) == []


def test_a_lost_state_adopts_what_bears_the_number(make_world: MakeWorld) -> None:
    world = make_world(config=BY_DEAL, ledger={"lag_max_s": 800})
    deals = [sell(world), sell(world, "Good Pty")]
    world.run()
    shutil.rmtree(world.folder / "state")
    for wait in (0, 17, 5):
        minutes(world, wait)
        report = world.run()
    assert (report.exit_code, codes(report)) == (0, [])
    assert numbers(world) == [(f"SJ-{deal}-A1", "DRAFT") for deal in deals]
    quiet(world)


def _taken_long_ago(make_world: MakeWorld) -> World:
    """The number of deal 2 was used half a year ago, for an invoice that no walk reads."""
    world = make_world(init=False)
    world.books("create_contact", fields={"Name": "Other Pty"})
    line = {"Description": "Once", "Quantity": 1, "UnitAmount": 5, "AccountCode": "200"}
    world.books("create_invoice", fields={
        "Contact": {"Name": "Other Pty"}, "Date": "2026-01-02", "DueDate": "2026-02-02",
        "InvoiceNumber": "SJ-2-A1", "LineItems": [line], "Status": "AUTHORISED",
    })  # fmt: skip
    world.advance(timedelta(days=200))
    won_since = (world.clock.now() - timedelta(days=5)).date().isoformat()
    world.overrides = {"invoices": {"numbering": "deal", "won_since": won_since}}
    world.init()
    return world


def test_a_taken_number_holds_its_deal_alone_until_it_is_free(make_world: MakeWorld) -> None:
    world = _taken_long_ago(make_world)
    deals = [sell(world, f"Firm {number} Pty") for number in (1, 2, 3)]
    report = world.run()
    assert codes(report) == ["number_taken"]
    assert report.issues[0].subject == "deal:2"
    assert [n for n, status in numbers(world) if status == "DRAFT"] == ["SJ-1-A1", "SJ-3-A1"]
    quiet(world)
    world.books("edit_invoice", invoice="SJ-2-A1", fields={"InvoiceNumber": "OLD-1"})
    minutes(world, 31)
    world.run()
    minutes(world, 31)
    assert codes(world.run()) == []
    assert [n for n, status in numbers(world) if status == "DRAFT"] == [
        f"SJ-{deal}-A1" for deal in deals
    ]
    quiet(world)
