"""What a person touched or made is left alone, though the ledger's list does not show it yet."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import answer, billed, codes, invoice_of, minutes, number_of, quiet, sell
from tests.engine.test_doubles import held_double, won_again_beside
from tests.engine.world import World


def copied(w: World, deal: int) -> dict[str, Any]:
    """A bookkeeper's copy of the deal's invoice: the same in all but its Url."""
    line = {"Description": "Widget", "Quantity": 1, "UnitAmount": 100, "AccountCode": "200",
            "TaxType": "OUTPUT"}  # fmt: skip
    made = w.books("create_invoice", fields={
        "Contact": {"Name": "Acme Pty"}, "Date": "2026-11-23", "DueDate": "2026-12-23",
        "Reference": invoice_of(w, deal)["reference"], "LineItems": [line], "Status": "DRAFT",
    })["done"]  # fmt: skip
    return dict(made)


def test_an_edit_that_lists_still_hide_keeps_the_draft_of_a_reopened_deal(
    make_world: MakeWorld,
) -> None:
    world = make_world(ledger={"lag_max_s": 600})
    deal = sell(world)
    world.run()
    minutes(world, 30)
    world.run()
    for order in range(6):  # each edit draws its own lag; one of them is long
        fields = {"Reference": f"PO {order} SJ-{deal}-A1"}
        world.books("edit_invoice", invoice=number_of(world, deal), fields=fields)
    world.crm("reopen", deal=deal)
    minutes(world, 1)
    assert codes(world.run()) == ["reopened_after_invoice"]
    assert [i["status"] for i in world.invoices()] == ["DRAFT"]


def test_a_copy_made_by_a_person_is_told_and_not_deleted(world: World) -> None:
    deal = billed(world)
    copy = copied(world, deal)
    minutes(world, 5)
    assert codes(world.run()) == ["duplicate_effect"]
    quiet(world)
    assert [i["status"] for i in world.invoices()] == ["DRAFT", "DRAFT"]
    world.books("edit_invoice", invoice=copy["number"], fields={"Reference": "Summer order"})
    minutes(world, 5)
    assert codes(world.run()) == []
    quiet(world)


@pytest.mark.parametrize("edited", [True, False])
def test_a_lost_state_approves_a_draft_only_if_nobody_can_have_touched_it(
    make_world: MakeWorld, edited: bool
) -> None:
    world = make_world(config={"mode": "full", "invoices": {"status": "authorised"}})
    world.fault(kind="status", server="xero", method="POST", path="Invoices", status=503, times=0)
    lines = [
        {"name": "Café  chair", "price": 33.333, "quantity": 1.5, "tax": 10,
         "discount": 12.5, "discount_type": "percentage"},
        {"name": "Table", "price": 100, "quantity": 2, "tax": 10, "discount": 5,
         "discount_type": "amount"},
    ]  # fmt: skip
    deal = sell(world, lines=lines)
    world.run()
    world.faults.clear()
    if edited:  # to another account: no sum tells it
        rows = [
            {"LineItemID": row["id"], "AccountCode": "260" if n else "200"}
            for n, row in enumerate(invoice_of(world, deal)["lines"])
        ]
        fields = {"LineItems": rows}
        world.books("edit_invoice", invoice=number_of(world, deal), fields=fields)
    for path in (world.folder / "state").glob("syncjob.db*"):
        path.unlink()
    for _ in range(4):
        minutes(world, 16)
        world.run()
    assert invoice_of(world, deal)["status"] == ("DRAFT" if edited else "AUTHORISED")
    quiet(world)


def test_the_answer_that_it_is_no_double_holds_for_one_invoice(world: World) -> None:
    deal, _ = held_double(world)
    answer(world, "create", deal)
    world.run()
    quiet(world)
    assert codes(won_again_beside(world, deal)) == ["possible_double"]
    assert [i["status"] for i in world.invoices()].count("DRAFT") == 0
    quiet(world)
