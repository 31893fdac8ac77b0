"""The judge can say no of what is on beside invoices, and of what deals said before.

As in test_judge.py: for each invariant a world that somebody has doctored to break just that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from syncjob.core.plan_file import read_plan
from syncjob.core.reports import RunOptions
from syncjob.engine.connection import ConnectionHandle
from syncjob.sandbox.pipedrive import PipedriveServer
from tests.sim import plans
from tests.sim.features import Features
from tests.sim.judge import judge
from tests.sim.judge_papers import judge_task
from tests.sim.plans import seen_first
from tests.sim.test_judge import WIDGET, invoice, line_without_us, put, sold
from tests.sim.watch import Violation
from tests.sim.world import PATIENCE, World

FULL = {"mode": "full", "status": "draft"}


@pytest.fixture
def world() -> Iterator[World]:
    with sold(**FULL) as made:
        yield made


def refused(world: World, invariant: str) -> None:
    with pytest.raises(Violation, match=rf"^{invariant}\b"):
        judge(world)


def run(world: World) -> None:
    world.advance(timedelta(minutes=5))
    world.run()


def says(world: World, status: str) -> None:
    """Our program writes this into the deal's status."""
    assert isinstance(world.server, PipedriveServer)
    world.server.people("edit_deal", {"deal": 1, "fields": {"Invoice status": status}})


# --- what is made beside invoices -----------------------------------------------------------------


def test_a_second_repeating_invoice_is_seen() -> None:
    with sold(features=Features(templates=True)) as world:
        monthly = {**WIDGET, "billing_frequency": "monthly"}
        deal = world.crm("create_deal", title="Care", org=1, currency="AUD", lines=[monthly])
        world.crm("win", deal=deal["id"])
        run(world)
        run(world)
        judge(world)
        templates = world.xero.organisation.templates
        templates.put(replace(next(iter(templates)), id="other"))
        refused(world, "one_template")


def test_a_second_credit_note_is_seen() -> None:
    with sold(features=Features(credits=True)) as world:
        world.books("approve", invoice=invoice(world).id)
        run(world)
        world.credits[1] = {"5"}
        note = world.books("credit", invoice=invoice(world).id, amount=5)["done"]["id"]
        credits = world.xero.organisation.credits
        ours = replace(credits[note], reference="Spring SJ-1-c1", status="DRAFT")
        credits.put(ours)
        credits.put(replace(ours, id="other"))
        refused(world, "one_credit")


def test_a_part_that_is_no_share_of_the_deal_is_seen() -> None:
    with sold(features=Features(schedule=True)) as world:
        put(world, total=invoice(world).total + 7)
        refused(world, "parts")


def test_what_a_person_ended_stays_ended(world: World) -> None:
    ended = invoice(world)
    world.books("delete", invoice=ended.id)
    world.watch.batch_begins(world)
    world.xero.organisation.invoices.put(
        replace(ended, id="other", number="INV-7", url=str(ended.url).replace("-A1", "-A2"))
    )
    with pytest.raises(Violation, match=r"^ended_stays"):
        world.watch.batch_ended(world)


def test_what_is_beyond_the_plan_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that a person has seen holds nothing, and yet all of the plan is applied."""
    line_without_us(world)
    world.crm("reopen", deal=1)
    read, apply = read_plan, ConnectionHandle.apply
    whole: list[Any] = []

    def emptied(*given: Any) -> Any:
        whole.append(read(*given))
        plan = msgspec.structs.replace(whole[0].plan, actions=())
        return msgspec.structs.replace(whole[0], plan=plan)

    def careless(handle: ConnectionHandle, _: Any, name: str, options: RunOptions) -> Any:
        return apply(handle, whole[0], name, options)

    monkeypatch.setattr(plans, "read_plan", emptied)
    monkeypatch.setattr(ConnectionHandle, "apply", careless)
    with pytest.raises(Violation, match=r"^applied"):
        seen_first(world, world.rng, lambda: None, {}, {})


# --- what people are told -------------------------------------------------------------------------


def overdue_world() -> World:
    """An invoice is overdue, and its deal's owner has a task."""
    world = sold(features=Features(notices=True))
    world.books("edit_invoice", invoice=invoice(world).id, fields={"DueDate": "2026-11-24"})
    world.books("approve", invoice=invoice(world).id)
    run(world)
    world.advance(timedelta(days=3))
    for _ in range(2):  # who was away for days waits for the ledger first
        world.run()
        world.advance(PATIENCE)
    run(world)
    judge(world)
    return world


def test_who_is_told_twice_is_seen() -> None:
    with overdue_world() as world:
        assert isinstance(world.server, PipedriveServer)
        task = dict(next(iter(world.server.company.all("activities"))))
        world.server.company.add("activities", {**task, "id": None})
        refused(world, "notice_once")


def test_who_is_told_in_vain_is_seen() -> None:
    with overdue_world() as world:
        task = dict(next(iter(world.truth.all("activities"))))
        judge_task(world, task, None)
        put(world, due_day=None)
        with pytest.raises(Violation, match=r"^no_false_alarm"):
            judge_task(world, task, None)


def test_what_somebody_typed_and_neither_side_has_is_seen() -> None:
    with sold(features=Features(contacts="crm")) as world:
        world.crm("edit_org", org=1, fields={"VAT number": "GB 1"})
        run(world)
        judge(world)
        assert isinstance(world.server, PipedriveServer)
        world.server.people("edit_org", {"org": 1, "fields": {"VAT number": "GB 2"}})
        contacts = world.xero.organisation.contacts
        contact = next(iter(contacts))
        contacts.put(replace(contact, fields={**contact.fields, "TaxNumber": "GB 2"}))
        refused(world, "nothing_lost")


# --- what deals said before -----------------------------------------------------------------------


def approved(world: World) -> None:
    """Its deal says what is true of the approved invoice."""
    world.books("approve", invoice=invoice(world).id)
    run(world)
    judge(world)


def test_a_true_word_that_is_taken_back_is_seen(world: World) -> None:
    approved(world)
    world.watch.batch_begins(world)
    says(world, "draft")
    with pytest.raises(Violation, match=r"^goes_back"):
        world.watch.batch_ended(world)


def test_a_word_that_became_true_again_was_no_word_of_ours(world: World) -> None:
    approved(world)
    world.books("pay", invoice=invoice(world).id, amount=5)
    world.books("remove_payment", invoice=invoice(world).id)
    world.watch.batch_begins(world)
    says(world, "part-paid")
    world.watch.batch_ended(world)


def test_a_word_that_was_late_when_it_was_written_was_none_on_how_things_are(world: World) -> None:
    world.books("approve", invoice=invoice(world).id)
    world.books("pay", invoice=invoice(world).id, amount=5)
    world.watch.batch_begins(world)
    says(world, "awaiting payment")
    world.watch.batch_ended(world)
    world.books("remove_payment", invoice=invoice(world).id)
    world.watch.batch_begins(world)
    says(world, "part-paid")
    world.watch.batch_ended(world)


def test_nobody_is_reminded_while_people_are_asked_about_a_merge() -> None:
    with overdue_world() as world:
        assert isinstance(world.server, PipedriveServer)
        world.server.company.tables["activities"].rows.clear()
        refused(world, "notice")
        world.issues = frozenset({*world.issues, ("deal:1", "merged_deals_invoiced")})
        judge(world)
