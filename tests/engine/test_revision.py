"""A deal that was changed after its invoice: our untouched draft follows, anything else is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import (
    awaiting,
    billed,
    codes,
    invoice_of,
    minutes,
    number_of,
    only,
    quiet,
    writes_to,
)
from tests.engine.world import World


def rows(world: World, deal: int) -> list[dict[str, Any]]:
    state = world.crm_state()
    return [r for r in state["rows"].values() if r["deal_id"] == deal]


def change_price(world: World, deal: int, price: Any) -> None:
    minutes(world, 5)
    world.crm("edit_line", deal=deal, line=rows(world, deal)[0]["id"], price=price)


def test_an_untouched_draft_follows_its_deal(world: World) -> None:
    deal = billed(world)
    before = invoice_of(world, deal)
    change_price(world, deal, 150)
    mark = world.mark()
    report = world.run()
    assert codes(report) == []
    after = invoice_of(world, deal)
    assert (after["id"], after["number"]) == (before["id"], before["number"])
    assert (after["total"], after["status"], after["day"]) == ("165.00", "DRAFT", before["day"])
    assert len(writes_to(world, mark, "/Invoices")) == 1
    assert world.deal_fields(deal)["Invoice total"] == 165
    quiet(world)


def test_more_lines_fewer_lines_and_another_text(world: World) -> None:
    deal = billed(world)
    minutes(world, 5)
    world.crm("add_line", deal=deal, name="Gadget", price=20, quantity=2, tax=10)
    world.run()
    said = [line["description"] for line in invoice_of(world, deal)["lines"]]
    assert said == ["Widget", "Gadget"]
    minutes(world, 5)
    world.crm("remove_line", deal=deal, line=rows(world, deal)[0]["id"])
    world.run()
    line = only(invoice_of(world, deal)["lines"])
    assert (line["description"], invoice_of(world, deal)["total"]) == ("Gadget", "44.00")
    quiet(world)
    world.books("approve", invoice=number_of(world, deal))
    minutes(world, 5)
    assert codes(world.run()) == []


def test_a_persons_draft_and_an_approved_invoice_are_left_alone(world: World) -> None:
    touched, approved = billed(world), awaiting(world, org="Good Ltd")
    world.books(
        "edit_invoice", invoice=number_of(world, touched), fields={"Reference": "as agreed"}
    )
    for deal in (touched, approved):
        change_price(world, deal, 150)
    mark = world.mark()
    report = world.run()
    assert writes_to(world, mark, "/Invoices") == []
    found = {i.subject: i for i in report.issues if i.code == "changed_after_invoice"}
    assert set(found) == {f"deal:{touched}", f"deal:{approved}"}
    told = found[f"deal:{approved}"]
    assert '"Widget" is 1 x 150 = 150.00 now, 1 x 100 = 100.00 before' in told.what
    assert "total 110.00 AUD before, 165.00 now" in told.what
    assert f"syncjob credit {approved}" in told.next_step
    assert "reference" in found[f"deal:{touched}"].what
    quiet(world)
    change_price(world, approved, 100)
    world.run()
    assert f"deal:{approved}" not in {i.subject for i in world.run().issues}


def test_a_draft_whose_deal_went_to_another_customer_is_left_alone_and_told_of(
    make_world: MakeWorld,
) -> None:
    world = make_world(config={"invoices": {"status": "authorised"}})
    deal, other = billed(world), billed(world, org="Second Pty")
    before = invoice_of(world, deal)
    world.crm("edit_deal", deal=deal, org="Second Pty")
    world.overrides["mode"] = "full"  # nobody may approve it unasked now
    minutes(world, 5)
    world.run()
    report = world.run()
    (told,) = [i for i in report.issues if i.subject == f"deal:{deal}"]
    assert told.code == "changed_after_invoice"
    assert 'its customer is "Second Pty" now' in told.what
    assert invoice_of(world, deal) == before
    assert invoice_of(world, other)["status"] == "AUTHORISED"
    quiet(world)
    world.crm("edit_deal", deal=deal, org="Acme Pty")
    minutes(world, 5)
    world.run()
    assert codes(world.run()) == []
    assert invoice_of(world, deal)["status"] == "AUTHORISED"


def test_a_customer_that_nobody_has_read_is_read_before_it_is_told_of(world: World) -> None:
    deal = billed(world)
    world.crm("create_org", name="Second Pty")
    world.crm("edit_deal", deal=deal, org="Second Pty")
    minutes(world, 5)
    (told,) = world.run().issues
    assert told.code == "changed_after_invoice"
    assert 'its customer is "Second Pty" now' in told.what
    quiet(world)


@pytest.mark.parametrize("kind", ["lost", "refuse"])
def test_a_lost_update_is_settled_by_reading_again(world: World, kind: str) -> None:
    deal = billed(world)
    change_price(world, deal, 150)
    world.fault(server="xero", method="POST", path="/Invoices$", kind=kind)
    world.run()
    for _ in range(4):
        world.advance(timedelta(minutes=8))
        world.run()
    assert invoice_of(world, deal)["total"] == "165.00"
    assert len(world.invoices()) == 1
    quiet(world)


def test_our_own_writes_are_no_change_of_the_deal(world: World) -> None:
    deal = billed(world)
    world.books("approve", invoice=number_of(world, deal))
    for _ in range(3):
        minutes(world, 5)
        mark = world.mark()
        world.run()
        assert not [c for c in world.since(mark) if "deals/products" in c["path"]]
