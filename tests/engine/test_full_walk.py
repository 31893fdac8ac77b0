"""Once a week everything is walked again: what moved no stamp, or left the lists, is seen then."""

from __future__ import annotations

from datetime import timedelta

from .scenes import awaiting, invoice_of, quiet
from .world import World

WEEK = timedelta(days=7, minutes=1)


def batches_for_a_week(world: World) -> None:
    """A batch a day, so that no silence looks like a lost state."""
    for _ in range(7):
        world.advance(timedelta(days=1))
        world.run()
    world.advance(timedelta(minutes=1))


def test_a_due_date_that_moved_no_stamp_is_seen(make_world) -> None:
    world = make_world(config={"schedule": {"every_minutes": 1440}})
    deal = awaiting(world)
    invoice = invoice_of(world, deal)
    world.books("pay", invoice=invoice["id"], amount="10")
    world.advance(timedelta(minutes=20))
    world.run()
    world.advance(timedelta(minutes=20))
    world.run()
    fields = {"DueDate": "2026-12-30"}
    world.books("edit_invoice", invoice=invoice["id"], fields=fields)  # facts: moves no stamp
    world.advance(timedelta(minutes=20))
    world.run()
    before = world.deal_fields(deal)["Invoice due date"]
    assert before != "2026-12-30"
    batches_for_a_week(world)
    world.run()
    assert world.deal_fields(deal)["Invoice due date"] == "2026-12-30"
    quiet(world)


def test_a_draft_that_vanished_from_the_lists_is_asked_for(make_world) -> None:
    world = make_world(config={"schedule": {"every_minutes": 1440}}, ledger={"hide_deleted": True})
    world.crm("create_org", name="Acme Pty")
    lines = [{"name": "Widget", "price": 100, "quantity": 1, "tax": 10}]
    deal = world.crm("create_deal", title="S", org="Acme Pty", currency="AUD", lines=lines)["id"]
    world.init()
    world.crm("win", deal=deal)
    world.run()
    world.books("delete", invoice=invoice_of(world, deal)["id"])
    world.advance(timedelta(minutes=20))
    world.run()
    assert world.deal_fields(deal)["Invoice status"] == "draft"  # nobody can know yet
    batches_for_a_week(world)
    world.run()
    assert world.deal_fields(deal)["Invoice status"] == "deleted"
    assert "reissue" in world.deal_fields(deal)["Invoice note"]
    quiet(world)
