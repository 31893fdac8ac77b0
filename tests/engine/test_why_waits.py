"""`why` tells what a deal waits for, what a vendor answered, and what a state no longer knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from syncjob.errors import LockHeld, Park
from syncjob.state.lock import Lease
from tests.engine.conftest import MakeWorld
from tests.engine.contacts.kit import acme, batch, edit, forget, take
from tests.engine.contacts.kit import world as synced
from tests.engine.scenes import answer, awaiting, billed, codes, minutes, number_of, sell
from tests.engine.test_why import ask, story
from tests.engine.world import NOON, World

MADE = "No invoice yet: the next batch makes it (110.00 AUD)."


def test_before_any_batch_nothing_is_known(make_world: MakeWorld) -> None:
    w = make_world(init=False)
    with w.connection() as handle, pytest.raises(Park, match="No batch has read"):
        handle.why("deal 1")


def test_a_lost_answer_is_awaited_with_its_patience(world: World) -> None:
    deal = sell(world)
    world.fault(kind="lost", server="xero", method="PUT", path="/Invoices$", times=2)
    world.run()
    told = story(world, deal)
    assert "No invoice yet: what became of the last write (invoice.create)" in told.answer
    waits = next(one for one in told.awaited if one.kind == "write")
    assert waits.until is not None
    assert NOON < waits.until - timedelta(minutes=15) <= world.clock.now()
    assert "Nothing: the next batch looks" in told.next_step
    assert any("no answer of Xero is known" in event.text for event in told.events)
    minutes(world, 20)
    world.run()
    told = story(world, deal)
    assert any("answer was lost; it was found done" in event.text for event in told.events)
    assert "is a draft" in told.answer


def test_what_the_vendor_refused_is_told_in_its_words(world: World) -> None:
    deal = sell(world)
    world.books("set_lock_date", period="2026-11-23")  # the names were read before it
    report = world.run()
    words = report.issues[0].what.partition("refused to create the invoice: ")[2]
    assert words
    told = story(world, deal)
    assert told.answer.startswith("No invoice, held:")
    refused = next(event for event in told.events if "Xero refused it" in event.text)
    assert words.rstrip(".") in refused.text
    with world.connection() as handle:
        rows = [r for r in handle.history(f"deal {deal}").rows if not r.stored]
    assert {(row.target, row.stored) for row in rows} == {(f"invoice:SJ-{deal}-A1", False)}
    assert words.rstrip(".") in rows[0].answer
    assert "(400)" in rows[0].answer or "(200)" in rows[0].answer


def test_what_holds_everything_back(world: World) -> None:
    billed(world)
    deal = sell(world, "Good Pty")
    with world.connection() as handle:
        handle.pause(only="invoices", until=None, reason="month end", who="Ann")
    world.run()
    told = story(world, deal)
    assert told.answer == "No invoice yet: writing of invoices is paused by Ann: month end."
    assert told.next_step.startswith("`syncjob resume`")
    with world.connection() as handle:
        handle.resume(only="all", who="Ann")
    assert story(world, deal).answer == MADE
    stop = world.folder / "state" / "STOP"
    stop.touch()
    assert "a file named STOP" in story(world, deal).answer
    stop.unlink()
    world.overrides = {"mode": "read_only"}
    assert "the mode is read_only" in story(world, deal).answer
    world.overrides = {"invoices": {"terms": {"default": "net 14"}}}
    told = story(world, deal)
    assert "rules have changed since the last batch" in told.answer
    assert "run --accept HASH" in told.next_step
    world.overrides = {"guard": {"creates_first_week": 0, "creates": 0}}
    assert world.run().result == "guard"
    told = story(world, deal)
    assert "the guard stopped the last batch" in told.answer
    assert "run --accept HASH" in told.next_step


def test_a_day_limit_says_until_when(world: World) -> None:
    deal = sell(world)
    day = {"Retry-After": "40000", "X-Rate-Limit-Problem": "day"}
    world.fault(
        kind="status", status=429, server="xero", method="PUT", path="/Contacts$", headers=day
    )
    report = world.run()
    assert report.result == "later"
    told = story(world, deal)
    waits = next(one for one in told.awaited if one.kind == "later")
    assert waits.until == report.resume_at == told.next_batch
    assert told.answer.startswith("No invoice yet: a vendor's limit")


def test_a_silence_makes_it_careful(world: World) -> None:
    billed(world)
    minutes(world, 90)
    deal = sell(world, "Good Pty")
    world.run()
    told = story(world, deal)
    assert told.answer.startswith("No invoice yet: no batch has run for")
    assert [one.kind for one in told.awaited] == ["recovery"]


def test_it_works_while_a_batch_runs_and_both_vendors_are_down(world: World) -> None:
    deal = billed(world)
    file = world.folder / "state" / "syncjob.db"
    before = file.read_bytes()
    with world.connection() as handle:
        lease = Lease(handle.path)
        lease.take("another process")
        world.box.stop()
        try:
            assert handle.why(f"deal {deal}").story is not None
            assert handle.history(f"deal {deal}").rows
            with pytest.raises(LockHeld):
                handle.why(f"deal {deal}", fresh=True)
        finally:
            lease.release()
            world.box.start()
    assert file.read_bytes() == before


def test_fresh_reads_one_deal_anew_and_writes_nothing(world: World) -> None:
    billed(world)
    deal = sell(world, "New Pty")
    assert ask(world, f"deal {deal}").story is None
    mark = world.mark()
    told = story(world, f"deal {deal}", fresh=True)
    assert (told.fresh, told.answer) == (True, MADE)
    assert any("read the deal now" in event.text for event in told.events)
    assert world.since(mark)
    assert world.writes(mark) == []
    assert ask(world, f"deal {deal}").story is None  # nothing of it stayed
    customer = story(world, "org:1", fresh=True)
    assert any("read org:1 of the CRM now" in event.text for event in customer.events)
    with world.connection() as handle, pytest.raises(Park, match="shows no deal 4711"):
        handle.why("deal 4711", fresh=True)
    bill = world.books("create_invoice", fields={
        "Type": "ACCPAY", "Contact": {"Name": "Acme Pty"}, "InvoiceNumber": "B-1",
        "LineItems": [{"Description": "x", "UnitAmount": 5, "AccountCode": "200"}],
    })["done"]["id"]  # fmt: skip
    page = f"https://go.xero.com/AccountsPayable/View.aspx?InvoiceID={bill}"
    assert story(world, page, fresh=True).answer == "It is a bill: syncjob never touches those."


def test_lines_that_changed_since_are_not_guessed(world: World) -> None:
    deal = sell(world, org=None)
    world.run()
    minutes(world, 1)
    world.crm("edit_deal", deal=deal, title="Other title")
    world.fault(kind="status", status=500, server="pipedrive", path="/deals/products", times=20)
    minutes(world, 1)
    world.run()
    told = story(world, deal)
    assert any("its lines" in one.text for one in told.awaited), told.awaited
    assert told.answer.startswith("No invoice, held: The deal has neither"), told.answer


def test_a_lost_state_says_what_it_no_longer_knows(world: World) -> None:
    deal = awaiting(world)
    for path in (world.folder / "state").glob("syncjob.db*"):
        path.unlink()
    world.run()
    minutes(world, 20)
    world.run()
    told = story(world, deal)
    assert "is unpaid" in told.answer
    assert any(f"This state did not make SJ-{deal}-A1" in one for one in told.unknown)
    assert any("This state began on" in one for one in told.unknown)
    tied = next(event for event in told.events if event.text.startswith("tied "))
    assert "bears our key" in tied.text


def test_the_rules_of_then_are_told_though_the_config_says_other_things_now(world: World) -> None:
    deal = awaiting(world)
    world.overrides = {"invoices": {"account": "260", "terms": {"default": "net 14"}}}
    told = story(world, deal)
    ruled = [event for event in told.events if event.kind == "ruled"]
    said = " ".join(line for event in ruled for line in event.details)
    assert 'account 200 "Sales"' in said
    assert 'invoices.terms.default says "net 30"' in said


def test_who_is_forgotten_is_not_named(world: World) -> None:
    world.crm("create_org", name="Quentin Quick")
    deal = awaiting(world, org="Quentin Quick", title="Order of Quentin Quick")
    forget(world, "org:1")
    world.run()
    for text in (f"deal {deal}", "org:1", number_of(world, deal)):
        for fresh in (False, True):
            with world.connection() as handle:
                report = handle.why(text, fresh=fresh)
                rows = handle.history(text)
            assert report.story is not None
            assert report.story.hidden, text
            assert "Quentin" not in f"{report} {rows}", (text, fresh)
    assert "asked to be forgotten" in story(world, "org:1").answer


def test_decisions_stand_in_the_story_and_the_history(world: World) -> None:
    deal = sell(world, org=None)
    world.run()
    answer(world, "never", deal)
    told = story(world, deal)
    waiting = next(event for event in told.events if event.kind == "person")
    assert waiting.text == "Ann said that it is never invoiced"
    assert waiting.details == ("reason: a test", "it waits for the next batch")
    assert told.next_step.startswith("Nothing: the next batch applies what was decided.")
    minutes(world, 5)
    world.run()
    with world.connection() as handle:
        report = handle.history(f"deal {deal}")
        decided = [row for row in report.rows if row.by == "Ann"]
        assert [(row.field, row.reason, row.rule) for row in decided] == [
            ("never", "a test", "a person")
        ]
        assert decided[0].batch > 0
        none = handle.history(f"deal {deal}", field="status")
        assert {row.field for row in none.rows} == {"Invoice status"}
        assert none.total == len(report.rows)
        later = handle.history(f"deal {deal}", since=datetime(2027, 1, 1, tzinfo=UTC).date())
        assert later.rows == ()


def test_the_history_of_an_invoice_names_rule_answer_and_values(world: World) -> None:
    deal = awaiting(world)
    with world.connection() as handle:
        of_invoice = handle.history(number_of(world, deal)).rows
        of_deal = handle.history(f"deal {deal}").rows
        of_customer = handle.history("org:1").rows
    made = {row.field: row for row in of_invoice}
    assert (made["status"].before, made["status"].after) == (None, "draft")
    assert made["status"].rule
    assert made["status"].reason == "the deal is won"
    assert made["status"].answer == "Xero stored it (200)"
    statuses = [(row.before, row.after) for row in of_deal if row.field == "Invoice status"]
    assert statuses == [(None, "draft"), ("draft", "awaiting payment")]
    assert [row.at for row in of_deal] == sorted(row.at for row in of_deal)
    assert {row.field for row in of_customer} >= {"name", "link"}
    assert codes(world.run()) == []


def test_totals_that_differ_name_the_line(make_world: MakeWorld) -> None:
    w = make_world(config={"invoices": {"value_is": "net"}}, crm={"value_includes_tax": False})
    org = w.xero.organisation
    org.tax_rates = [
        replace(r, percent=Fraction("12.5")) if r.tax_type == "OUTPUT" else r for r in org.tax_rates
    ]
    deal = sell(w)
    assert codes(w.run()) == ["totals_differ"]
    told = story(w, deal)
    assert "the tax of line 1 is 12.50, not 10.00" in told.answer
    assert "approve the draft there" in told.next_step


def test_a_schedule_says_what_comes_next(make_world: MakeWorld) -> None:
    parts = [
        {"name": "deposit", "percent": 30, "on": "win"},
        {"name": "rest", "rest": True, "on": "+30 days"},
    ]
    schedules = {"schedules": [{"name": "halves", "parts": parts}]}
    w = make_world(
        config={
            "mode": "full",
            "invoices": {"status": "authorised", "deposit": {"progressive": True}, **schedules},
        }
    )
    deal = sell(w)
    w.run()
    minutes(w, 5)
    w.run()
    told = story(w, deal)
    assert told.answer.startswith("INV-0001 of 33.00 AUD is unpaid")
    assert told.answer.endswith("Its next invoice: rest, on 2026-12-23.")
    texts = [event.text for event in told.events]
    assert any(text.startswith("approve invoice INV-0001, because mode and rule") for text in texts)
    ruled = next(event for event in told.events if event.kind == "ruled")
    assert 'in 2 parts, as the schedule "halves" says' in ruled.details


def test_a_customer_of_contact_sync(tmp_path: Path) -> None:
    with synced(tmp_path, update="blanks") as w:
        acme(w)
        person = next(iter(w.crm_state()["persons"]))
        w.crm("edit_org", org="Acme Pty", address="2 Other Street, Perth WA 6000, Australia")
        edit(w, Addresses=[{"AddressType": "POBOX", "AddressLine1": "PO Box 1", "City": "Hobart"}])
        batch(w)
        told = story(w, "org:1")
        assert "are linked as one. CRM and ledger differ: billing address" in told.answer
        assert "--take" in told.next_step
        assert any(line.startswith("deal 1 Spring order (won): INV-0001") for line in told.rules)
        part = story(w, f"person:{person}")
        assert "It is a person of org:1, and crosses with it" in part.answer
        take(w, "ledger")
        waiting = story(w, "org:1")
        assert any("Zoe said whose values count: ledger" in e.text for e in waiting.events)
        assert waiting.next_step.startswith("Nothing: the next batch applies what was decided.")


def test_a_page_of_another_account_is_not_taken_for_ours(world: World) -> None:
    deal = billed(world)
    theirs, ours = "https://other.pipedrive.com/deal/{}", "https://acme.pipedrive.com/deal/{}"
    with world.connection() as handle, handle.state.commit():
        handle.state.db.execute(
            "UPDATE snapshot SET body = CAST(replace(CAST(body AS TEXT), ?, ?) AS BLOB) "
            "WHERE stream = 'deals'",
            (f"{world.base}/pipedrive/deal/{deal}", ours.format(deal)),
        )
    found = ask(world, theirs.format(deal))
    assert found.story is None
    assert found.words == (
        "This page is of another account (other.pipedrive.com), not of acme.pipedrive.com."
    )
    assert story(world, ours.format(deal)).subject == f"deal:{deal}"
    hubspot = ask(world, f"https://app.hubspot.com/contacts/1/record/0-3/{deal}")
    assert hubspot.story is None


def test_a_title_like_another_deals_number_is_offered_beside_it(world: World) -> None:
    first = billed(world)
    second = sell(world, "Other Pty", title=f"Deal {first}")
    minutes(world, 5)
    world.run()
    found = ask(world, f"deal {first}")
    assert {one.ask for one in found.candidates} == {f"deal {first}", f"deal {second}"}
    assert story(world, f"deal:{first}").subject == f"deal:{first}"
    assert story(world, str(first)).subject == f"deal:{first}"


def test_a_merged_deal_is_told_as_what_it_became(world: World) -> None:
    deal = billed(world)
    answer(world, "mute", deal)
    with world.connection() as handle, handle.state.commit():
        handle.state.merges.note("deals", "4000", str(deal), batch=3)
        handle.state.rulings.keep("deal:4000", ["as it was"], batch=2, at=NOON)
    told = story(world, "deal 4000")
    assert told.subject == f"deal:{deal}"
    assert ("as it was",) in {event.details for event in told.events}
    with world.connection() as handle:
        assert handle.history("4000").rows == handle.history(str(deal)).rows
