"""What people change on either side after the invoice was made."""

from __future__ import annotations

import pytest

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


def test_our_own_fields_are_put_right_in_one_write(world: World) -> None:
    deal = awaiting(world)
    before = world.deal_fields(deal)
    world.crm("edit_deal", deal=deal, fields={
        "Invoice status": "paid", "Invoice total": 1, "Invoice number": "", "Invoice link": "x",
    })  # fmt: skip
    minutes(world, 5)
    mark = world.mark()
    assert world.run().exit_code == 0
    assert [c["method"] for c in world.writes(mark)] == ["PATCH"]
    after = world.deal_fields(deal)
    for name in ("Invoice status", "Invoice total", "Invoice number", "Invoice link"):
        assert after[name] == before[name]
    quiet(world)


def test_a_persons_other_edits_of_a_deal_change_no_invoice_and_are_told(world: World) -> None:
    deal = awaiting(world)
    world.crm("edit_deal", deal=deal, title="Renamed")
    world.crm("add_line", deal=deal, name="More", price=5, quantity=1)
    minutes(world, 5)
    mark = world.mark()
    assert codes(world.run()) == ["changed_after_invoice"]
    assert [c["path"] for c in world.writes(mark)] == [f"/pipedrive/api/v2/deals/{deal}"]
    assert '"More" (1 x 5 = 5.00) is new' in world.deal_fields(deal)["Invoice note"]
    assert world.crm_state()["deals"][str(deal)]["title"] == "Renamed"
    assert invoice_of(world, deal)["total"] == "110.00"


def test_what_a_bookkeeper_edits_in_a_draft_stands(world: World) -> None:
    deal = billed(world)
    invoice = invoice_of(world, deal)
    line = {"LineItemID": invoice["lines"][0]["id"], "Description": "Widget, blue", "Quantity": 2,
            "UnitAmount": 100, "AccountCode": "200", "TaxType": "OUTPUT"}  # fmt: skip
    world.books("edit_invoice", invoice=invoice["number"],
                fields={"Reference": "", "DueDate": "2027-02-01", "LineItems": [line]})  # fmt: skip
    minutes(world, 5)
    mark = world.mark()
    world.run()
    assert writes_to(world, mark, "/xero/") == []
    after = invoice_of(world, deal)
    assert (after["reference"], after["due_day"], after["total"]) == ("", "2027-02-01", "220.00")
    assert after["lines"][0]["description"] == "Widget, blue"
    fields = world.deal_fields(deal)
    assert (fields["Invoice total"], fields["Invoice due date"]) == (220, "2027-02-01")
    quiet(world)
    world.books("approve", invoice=invoice["number"])
    minutes(world, 5)
    world.run()
    assert world.deal_fields(deal)["Invoice status"] == "awaiting payment"
    quiet(world)


@pytest.mark.parametrize("act", ["archive_deal", "delete_deal"])
def test_a_deal_that_is_gone_gets_an_issue_and_no_write(world: World, act: str) -> None:
    deal = awaiting(world)
    world.crm(act, deal=deal)
    world.books("pay", invoice=number_of(world, deal))
    minutes(world, 60)
    mark = world.mark()
    report = world.run()
    assert writes_to(world, mark, "/pipedrive/") == []
    assert writes_to(world, mark, "/xero/") == []
    word = "archived" if act == "archive_deal" else "deleted"
    assert f"deal_{word}" in codes(report)
    answer(world, "never", deal)
    assert codes(world.run()) == []
    quiet(world)


def test_an_unarchived_deal_is_brought_up_to_date(world: World) -> None:
    deal = awaiting(world)
    world.crm("archive_deal", deal=deal)
    world.books("pay", invoice=number_of(world, deal))
    minutes(world, 60)
    assert codes(world.run()) == ["deal_archived"]
    world.crm("unarchive_deal", deal=deal)
    minutes(world, 5)
    assert codes(world.run()) == []
    assert world.deal_fields(deal)["Invoice status"] == "paid"
    quiet(world)


def test_a_won_deal_archived_before_its_first_batch_is_not_lost(world: World) -> None:
    deal = sell(world)
    world.crm("archive_deal", deal=deal)
    assert codes(world.run()) == ["won_but_archived"]
    assert world.invoices() == []
    world.crm("unarchive_deal", deal=deal)
    minutes(world, 60)
    assert codes(world.run()) == []
    assert len(world.invoices()) == 1
    assert world.deal_fields(deal)["Invoice status"] == "draft"
    quiet(world)


def test_a_deal_merged_away_is_told_and_its_invoice_left(world: World) -> None:
    deal = awaiting(world)
    other = billed(world, title="Twin")
    world.crm("merge_deals", loser=deal, winner=other)
    world.books("pay", invoice=number_of(world, deal))
    minutes(world, 60)
    mark = world.mark()
    world.run()
    assert writes_to(world, mark, "/xero/") == []
    assert invoice_of(world, deal)["status"] == "PAID"
    quiet(world)


def test_a_renamed_field_is_found_again_by_its_new_name(world: World) -> None:
    deal = awaiting(world)
    world.crm("rename_field", field="Invoice status", name="Billing status", kind="deals")
    world.overrides = {"crm": {"fields": {"status": "Billing status"}}}
    world.books("pay", invoice=number_of(world, deal))
    minutes(world, 5)
    changed = world.run()
    assert changed.exit_code == 6  # the config's field names have changed
    world.run(accept=changed.plan_hash)  # the account's names, read before, are read again
    assert codes(world.run()) == []
    assert world.deal_fields(deal)["Billing status"] == "paid"
    quiet(world)
