"""A vendor refuses a record: it waits alone, is told in words, and is not sent again unchanged."""

from __future__ import annotations

from datetime import timedelta

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import (
    billed,
    codes,
    invoice_of,
    minutes,
    only,
    quiet,
    sell,
    writes_to,
)
from tests.engine.world import World

FULL = {"mode": "full", "invoices": {"status": "authorised"}}


def test_an_account_archived_since_the_names_were_read(world: World) -> None:
    billed(world)
    deal = sell(world, "Good Pty")
    world.books("archive_account", account="200")
    minutes(world, 1)
    report = world.run()
    assert report.exit_code == 1
    issue = next(i for i in report.issues if i.subject == f"deal:{deal}")
    assert "200" in issue.what
    assert issue.next_step
    for _ in range(3):  # parked, or held once the names were read again: never sent again
        mark = world.mark()
        minutes(world, 5)
        world.run()
        assert writes_to(world, mark, "/xero/") == []
    world.books("add_account", code="210", name="Other sales")
    world.overrides = {"invoices": {"account": "210"}}
    with world.connection() as handle:
        handle.check()
    minutes(world, 60 * 24)
    world.run()
    minutes(world, 16)
    world.run(accept=world.plan().hash)
    assert only(invoice_of(world, deal)["lines"])["account_code"] == "210"
    assert codes(world.run()) == []


def test_a_poisoned_record_stops_itself_alone(world: World) -> None:
    deals = [sell(world, f"Firm {n}") for n in range(5)]
    world.books("create_contact", fields={"Name": "Other", "ContactNumber": "SJ-O3"})
    world.books("archive_contact", contact="Other")
    report = world.run()
    assert len(codes(report)) == 1
    held = [d for d in deals if world.deal_fields(d)["Invoice status"] == "held"]
    assert len(held) == 1
    assert len(world.invoices()) == 4
    quiet(world)


def test_a_refused_element_is_not_sent_again_until_something_changes(world: World) -> None:
    deals = [sell(world, f"Firm {n}") for n in range(3)]
    world.books("set_lock_date", period="2026-11-23")  # the names were read before it
    mark = world.mark()
    report = world.run()
    assert report.exit_code == 1
    sent = writes_to(world, mark, "/Invoices")
    assert len(sent) <= 1
    assert world.invoices() == []
    for _ in range(3):
        minutes(world, 5)
        mark = world.mark()
        world.run()
        assert writes_to(world, mark, "/Invoices") == []
    for deal in deals:
        assert world.deal_fields(deal)["Invoice status"] == "held"
    world.books("set_lock_date", period=None)
    world.overrides = {"schedule": {"every_minutes": 1440}}  # no recovery after a day
    world.advance(timedelta(hours=25))
    assert codes(world.run()) == []
    assert len(world.invoices()) == 3
    quiet(world)


def test_the_plans_cap_is_one_issue_and_the_rest_wait(make_world: MakeWorld) -> None:
    world = make_world(config={**FULL, "schedule": {"every_minutes": 1440}}, ledger={"plan_cap": 2})
    deals = [sell(world, f"Firm {n}") for n in range(4)]
    report = world.run()
    assert codes(report).count("plan_limit") <= 1
    assert len([i for i in report.issues if i.subject == "organisation"]) == 1
    assert sorted(i["status"] for i in world.invoices()) == [
        "AUTHORISED", "AUTHORISED", "DRAFT", "DRAFT",
    ]  # fmt: skip
    words = sorted(world.deal_fields(d)["Invoice status"] for d in deals)
    assert words == ["awaiting payment", "awaiting payment", "draft", "draft"]
    mark = world.mark()
    quiet(world)  # no storm of retries
    assert writes_to(world, mark, "/Invoices") == []
    world.books("set_plan_cap", cap=None)
    world.advance(timedelta(hours=25))
    world.run()
    assert {i["status"] for i in world.invoices()} == {"AUTHORISED"}
    assert codes(world.run()) == []
    quiet(world)


def test_a_locked_period_holds_new_invoices_and_keeps_drafts(world: World) -> None:
    first = billed(world)
    world.overrides = {"ledger": {"books_closed_through": "2026-11-23"}}
    deal = sell(world, "Good Pty")
    assert codes(world.run()) == ["period_locked"]
    assert len(world.invoices()) == 1
    world.crm("reopen", deal=first)
    minutes(world, 5)
    assert sorted(codes(world.run())) == ["period_locked", "reopened_after_invoice"]
    assert invoice_of(world, first)["status"] == "DRAFT"
    world.overrides = {"schedule": {"every_minutes": 1440}, **world.overrides}
    world.advance(timedelta(hours=20))  # the next day is open
    world.run()
    assert invoice_of(world, deal)["day"] == "2026-11-24"
    quiet(world)


def test_a_currency_that_is_not_enabled_is_held_then_goes_on(world: World) -> None:
    deal, other = sell(world, currency="USD"), sell(world, "Good Pty")
    report = world.run()
    assert len(codes(report)) == 1
    assert "USD" in report.issues[0].what
    assert invoice_of(world, other)["status"] == "DRAFT"
    quiet(world)
    world.books("enable_currency", currency="USD")
    world.overrides = {"schedule": {"every_minutes": 1440}}
    world.advance(timedelta(hours=25))
    assert codes(world.run()) == []
    assert invoice_of(world, deal)["currency"] == "USD"
    quiet(world)


def test_a_patch_refused_by_an_admin_rule_is_parked(world: World) -> None:
    deal = sell(world)
    world.fault(kind="status", status=400, method="PATCH", path=f"/deals/{deal}$", times=1,
                body='{"success": false, "error": "A required field is empty"}')  # fmt: skip
    report = world.run()
    assert report.exit_code == 1
    assert "A required field is empty" in report.issues[0].what
    only(world.invoices())
    mark = world.mark()
    minutes(world, 5)
    world.run()
    assert writes_to(world, mark, "/xero/") == []
    world.crm("edit_deal", deal=deal, title="Mended")
    world.books("approve", invoice=invoice_of(world, deal)["number"])
    minutes(world, 5)
    world.run()
    assert world.deal_fields(deal)["Invoice status"] == "awaiting payment"
    assert codes(world.run()) == []
    quiet(world)
