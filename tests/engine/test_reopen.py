"""A deal is re-opened, won again, or loses its invoice to a person."""

from __future__ import annotations

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import (
    answer,
    awaiting,
    billed,
    codes,
    invoice_of,
    minutes,
    number_of,
    quiet,
    sell,
    writes_to,
)
from tests.engine.world import World


def markers(w: World) -> list[tuple[str, str]]:
    """Status and marker of each invoice of ours, oldest first."""
    return [(i["status"], i["url"].rpartition("=")[2]) for i in w.invoices() if i["url"]]


@pytest.mark.parametrize("act", ["reopen", "lose"])
def test_our_untouched_draft_goes_and_comes_again(world: World, act: str) -> None:
    deal = billed(world)
    world.crm(act, deal=deal)
    minutes(world, 5)
    mark = world.mark()
    assert world.run().exit_code == 0
    assert [c["method"] for c in writes_to(world, mark, "/xero/")] == ["POST"]
    assert markers(world) == [("DELETED", f"SJ-{deal}-A1")]
    fields = world.deal_fields(deal)
    assert fields["Invoice status"] == "deleted"
    assert not fields.get("Invoice total")
    quiet(world)
    world.crm("win", deal=deal)
    minutes(world, 5)
    assert world.run().exit_code == 0
    assert markers(world) == [("DELETED", f"SJ-{deal}-A1"), ("DRAFT", f"SJ-{deal}-A2")]
    assert world.deal_fields(deal)["Invoice status"] == "draft"
    quiet(world)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["lost", "html", "status", "truncate", "late"])
def test_each_fault_while_our_draft_is_deleted(world: World, kind: str, when: str) -> None:
    deal = billed(world)
    world.crm("reopen", deal=deal)
    minutes(world, 5)
    world.fault(kind=kind, when=when, server="xero", method="POST", path="/Invoices$", delay_s=300,
                times=2)  # fmt: skip
    world.run()
    world.crm("win", deal=deal)
    for _ in range(3):
        minutes(world, 20)
        world.run()
    live = [i for i in world.invoices() if i["status"] != "DELETED"]
    assert [i["status"] for i in live] == ["DRAFT"]
    assert world.deal_fields(deal)["Invoice status"] == "draft"
    assert codes(quiet(world)) == []


def test_a_touched_draft_stays_with_an_issue(world: World) -> None:
    deal = billed(world)
    world.books("edit_invoice", invoice=number_of(world, deal), fields={"Reference": "call Jo"})
    world.crm("reopen", deal=deal)
    minutes(world, 5)
    report = world.run()
    assert codes(report) == ["reopened_after_invoice"]
    assert invoice_of(world, deal)["status"] == "DRAFT"
    quiet(world)
    world.crm("win", deal=deal)
    minutes(world, 5)
    assert codes(world.run()) == []
    assert markers(world) == [("DRAFT", f"SJ-{deal}-A1")]
    quiet(world)


def test_an_approved_invoice_is_never_touched(world: World) -> None:
    deal = awaiting(world)
    world.crm("lose", deal=deal)
    minutes(world, 5)
    mark = world.mark()
    assert codes(world.run()) == ["reopened_after_invoice"]
    assert writes_to(world, mark, "/xero/") == []
    assert invoice_of(world, deal)["status"] == "AUTHORISED"
    quiet(world)


@pytest.mark.parametrize("act", ["delete", "void"])
def test_what_a_person_ended_is_issued_anew_only_when_asked(world: World, act: str) -> None:
    deal = billed(world) if act == "delete" else awaiting(world)
    world.books(act, invoice=number_of(world, deal))
    minutes(world, 5)
    assert codes(world.run()) == ["reissue_needed"]
    world.crm("reopen", deal=deal)
    minutes(world, 5)
    world.run()
    world.crm("win", deal=deal)
    minutes(world, 5)
    assert codes(world.run()) == ["reissue_needed"]
    assert len(world.invoices()) == 1
    quiet(world)
    answer(world, "reissue", deal)
    minutes(world, 1)
    report = world.run()
    assert (report.exit_code, codes(report)) == (0, [])
    assert markers(world)[1] == ("DRAFT", f"SJ-{deal}-A2")
    assert world.deal_fields(deal)["Invoice status"] == "draft"
    quiet(world)


def _linked_draft(world: World) -> int:
    """A deal tied by a person to a draft that was made by hand."""
    line = {"Description": "By hand", "Quantity": 1, "UnitAmount": 100, "AccountCode": "200"}
    world.books("create_contact", fields={"Name": "Acme Pty"})
    made = world.books("create_invoice", fields={
        "Contact": {"Name": "Acme Pty"}, "Date": "2026-11-23", "DueDate": "2026-12-23",
        "LineItems": [line], "Status": "DRAFT",
    })["done"]  # fmt: skip
    deal = sell(world)
    assert codes(world.run()) == ["possible_double"]
    answer(world, f"link:{made['number']}", deal)
    assert codes(world.run()) == []
    return deal


def test_a_draft_linked_by_a_person_is_never_deleted_by_us(world: World) -> None:
    deal = _linked_draft(world)
    world.crm("reopen", deal=deal)
    minutes(world, 5)
    assert codes(world.run()) == ["reopened_after_invoice"]
    assert [i["status"] for i in world.invoices()] == ["DRAFT"]
    quiet(world)


def test_a_draft_linked_by_a_person_is_never_approved_by_us(make_world: MakeWorld) -> None:
    world = make_world(config={"mode": "full", "invoices": {"status": "authorised"}})
    deal = _linked_draft(world)
    minutes(world, 5)
    world.run()
    assert [i["status"] for i in world.invoices()] == ["DRAFT"]
    assert world.deal_fields(deal)["Invoice status"] == "draft"
    quiet(world)


def test_a_deal_reopened_before_its_first_batch_is_nothing(world: World) -> None:
    deal = sell(world)
    world.crm("reopen", deal=deal)
    mark = world.mark()
    assert world.run().exit_code == 0
    assert world.writes(mark) == []
