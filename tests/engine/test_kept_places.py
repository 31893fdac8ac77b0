"""A deal that waits keeps its place: whatever stops a batch or refuses a write, it comes again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import awaiting, billed, codes, invoice_of, minutes, quiet, sell
from tests.engine.world import World

REFUSED_EMAIL = (
    '{"ErrorNumber":10,"Type":"ValidationException","Message":"A validation exception occurred",'
    '"Elements":[{"ValidationErrors":[{"Message":"Email address must be valid."}]}]}'
)


def test_a_due_day_that_met_a_stopped_batch_is_not_used_up(make_world: MakeWorld) -> None:
    config = {"invoices": {"terms": {"default": "net 1"}}, "schedule": {"every_minutes": 1440}}
    world = make_world(config=config)
    deal = awaiting(world)
    world.advance(timedelta(days=2))
    stop = world.folder / "state" / "STOP"
    stop.touch()
    assert world.run().exit_code == 7
    stop.unlink()
    minutes(world, 5)
    assert world.run().exit_code == 0
    assert world.deal_fields(deal)["Invoice overdue"] == "yes"
    quiet(world)


def test_a_refused_customer_is_told_of_each_of_its_deals(world: World) -> None:
    deals = [sell(world, title=f"Order {n}") for n in range(2)]
    world.fault(kind="status", server="xero", method="PUT", path="Contacts", status=400,
                body=REFUSED_EMAIL, times=0)  # fmt: skip
    report = world.run()
    assert [issue.subject for issue in report.issues] == [f"deal:{deal}" for deal in deals]
    world.faults.clear()
    world.crm("edit_org", org="Acme Pty", address="1 New Road, Sydney")
    for _ in range(3):
        minutes(world, 30)
        world.run()
    assert codes(world.run()) == []
    assert {invoice_of(world, deal)["status"] for deal in deals} == {"DRAFT"}
    quiet(world)


def test_two_linked_customers_merged_in_the_ledger_stop_nobody_else(world: World) -> None:
    for name in ("Acme Pty", "Beta Pty"):
        billed(world, org=name)
    world.books("merge_contacts", loser="Beta Pty", survivor="Acme Pty")
    minutes(world, 5)
    mine, other = sell(world, "Beta Pty", title="One more"), sell(world, "Gamma Pty")
    report = world.run()
    assert [(i.subject, i.code) for i in report.issues] == [
        (f"deal:{mine}", "contact_linked_elsewhere")
    ]
    assert invoice_of(world, other)["status"] == "DRAFT"
    quiet(world)


def test_a_contact_archived_before_the_invoice_left_is_billed_once_restored(world: World) -> None:
    billed(world)
    deal = sell(world, title="The next")
    archived: list[Any] = []

    def progress(stage: str, done: int, total: int | None) -> None:
        if stage == "plan" and done and not archived:
            archived.append(world.books("archive_contact", contact="Acme Pty"))

    assert codes(world.run(progress=progress)) == ["contact_archived"]
    minutes(world, 5)
    assert codes(world.run()) == ["contact_archived"]
    world.books("restore_contact", contact="Acme Pty")
    minutes(world, 5)
    assert codes(world.run()) == []
    assert invoice_of(world, deal)["status"] == "DRAFT"
    quiet(world)


def test_a_first_day_moved_back_lets_earlier_wins_in(make_world: MakeWorld) -> None:
    world = make_world(init=False, config={"invoices": {"won_since": "2026-12-20"}})
    deal = sell(world)
    world.advance(timedelta(days=40))
    world.init()
    assert world.run().exit_code == 0
    assert world.invoices() == []
    world.overrides = {"invoices": {"won_since": "2026-11-01"}}
    minutes(world, 5)
    report = world.run()
    assert report.exit_code == 6  # rules have changed: a person looks first
    assert world.run(accept=report.plan_hash).exit_code == 0
    assert invoice_of(world, deal)["status"] == "DRAFT"
    quiet(world)


def test_a_delete_that_lands_late_is_still_our_own(world: World) -> None:
    deal = billed(world)
    world.crm("reopen", deal=deal)
    late = {"kind": "late", "server": "xero", "method": "POST", "path": "Invoices"}
    world.fault(**late, delay_s=90.0)
    minutes(world, 5)
    world.run()

    def progress(stage: str, done: int, total: int | None) -> None:
        if stage == "settle" and world.invoices()[0]["status"] == "DRAFT":
            minutes(world, 2)  # it lands after it was looked for, and before the list is read

    world.run(progress=progress)
    assert [i["status"] for i in world.invoices()] == ["DELETED"]
    minutes(world, 5)
    world.run()
    world.crm("win", deal=deal)
    minutes(world, 5)
    assert codes(world.run()) == []
    assert invoice_of(world, deal)["reference"] == f"SJ-{deal}-A2"
    quiet(world)


def test_a_draft_withdrawn_says_nothing_about_the_plans_cap(make_world: MakeWorld) -> None:
    world = make_world(
        ledger={"plan_cap": 0}, config={"mode": "full", "invoices": {"status": "authorised"}}
    )
    first, _ = sell(world), sell(world, title="Another")
    assert codes(world.run()) == ["invoice_cap"]
    world.crm("reopen", deal=first)
    minutes(world, 5)
    assert codes(world.run()) == ["invoice_cap"]
    assert sorted(i["status"] for i in world.invoices()) == ["DELETED", "DRAFT"]
    quiet(world)


def test_a_refused_day_that_the_deal_gave_is_tried_again_when_the_deal_gives_another(
    make_world: MakeWorld,
) -> None:
    world = make_world(config={"crm": {"inputs": {"invoice_date": "Bill on"}}}, init=False)
    world.crm("create_field", name="Bill on")
    world.init()
    deal = sell(world, fields={"Bill on": "2026-11-20"})
    refused = REFUSED_EMAIL.replace("Email address must be valid.", "The date is not allowed.")
    world.fault(
        kind="status", server="xero", method="PUT", path="Invoices", status=400, body=refused
    )
    assert len(codes(world.run())) == 1
    quiet(world)
    world.crm("edit_deal", deal=deal, fields={"Bill on": "2026-11-22"})
    minutes(world, 5)
    assert codes(world.run()) == []
    assert invoice_of(world, deal)["day"] == "2026-11-22"
    quiet(world)
