"""The judge can say no: for each invariant a world that somebody has doctored to break just that.

What "we" do here is done to the servers as the program could do it; what people do goes through
their acts. Planted bugs (tests/planted) show the same of the program's own faults.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from syncjob.core.reports import RunOptions
from syncjob.engine.connection import ConnectionHandle
from syncjob.sandbox.kernel import Request
from syncjob.sandbox.xero.models import Document
from tests.sim.features import Features
from tests.sim.judge import judge, recover
from tests.sim.judge_calls import LEDGER_PATIENCE, REPLAY_MAX
from tests.sim.kinds import Point
from tests.sim.plans import seen_first
from tests.sim.watch import Violation
from tests.sim.world import World, new_world

WIDGET = {"name": "Widget", "price": 100, "quantity": 1, "tax": 10}
INVOICES = "/xero/api.xro/2.0/Invoices"
Doctor = Callable[[World], object]


def sold(**kind: Any) -> World:
    """One deal won, one batch, and all is well."""
    world = new_world(**kind)
    org = world.crm("create_org", name="Acme Pty", fields={})["id"]
    deal = world.crm("create_deal", title="Spring", org=org, currency="AUD", lines=[WIDGET])
    world.crm("win", deal=deal["id"])
    world.advance(timedelta(minutes=5))
    world.run()
    world.advance(timedelta(minutes=5))
    judge(world)
    return world


@pytest.fixture
def world() -> Iterator[World]:
    made = sold()
    yield made
    made.close()


def invoice(w: World) -> Document:
    return list(w.xero.organisation.invoices)[-1]


def put(w: World, **changes: Any) -> None:
    """The invoice as it should not be, unseen by the watch."""
    w.xero.organisation.invoices.put(replace(invoice(w), **changes))
    w.watch._remember(w)


def we(w: World, act: str, **payload: Any) -> None:
    """Something that our program does to the books, judged at its batch's end."""
    w.watch.batch_begins(w)
    w.xero.people(act, payload)
    w.watch.batch_ended(w)


def call(w: World, body: bytes, *, key: str = "k", path: str = INVOICES, method: str = "PUT",
         status: int = 200, fault: str | None = None, server: str = "xero") -> None:  # fmt: skip
    headers = (("Idempotency-Key", key),) if server == "xero" else ()
    made = w.host.log.open(server, Request(method, path, (), headers, body), w.time.now())
    made.status, made.fault = status, fault


def create(w: World, marker: str = "SJ-9-A1", **more: Any) -> bytes:
    day = w.xero.organisation.today().isoformat()
    given = {"Url": f"https://x.test/?syncjob={marker}", "Date": day, "DueDate": day, **more}
    text = ", ".join(f'"{name}": "{value}"' for name, value in given.items())
    return f'{{"Invoices": [{{{text}}}]}}'.encode()


# --- what the books show --------------------------------------------------------------------------


def second_invoice(w: World) -> None:
    org = w.xero.organisation
    org.invoices.put(replace(invoice(w), id="other", number="INV-7777"))


def skipped_generation(w: World) -> None:
    put(w, url=str(invoice(w).url).replace("-A1", "-A3"))


def second_contact(w: World) -> None:
    contacts = w.xero.organisation.contacts
    contacts.put(replace(next(iter(contacts)), id="other", name="Somebody else"))


def approved_by_us(w: World) -> None:
    we(w, "approve", invoice=invoice(w).id)


def approved_one_changed(w: World) -> None:
    w.books("approve", invoice=invoice(w).id)
    w.advance(timedelta(minutes=1))
    we(w, "edit_invoice", invoice=invoice(w).id, fields={"Reference": "ours"})


def touched_one_changed(w: World) -> None:
    w.books("edit_invoice", invoice=invoice(w).id, fields={"Reference": "PO 7"})
    w.advance(timedelta(minutes=1))
    we(w, "edit_invoice", invoice=invoice(w).id, fields={"Reference": "ours"})


def other_marker(w: World) -> None:
    w.watch.batch_begins(w)
    url = str(invoice(w).url).replace("-A1", "-A2")
    w.xero.organisation.invoices.put(replace(invoice(w), url=url, reference="changed"))
    w.watch.batch_ended(w)


def other_total(w: World) -> None:
    put(w, total=Fraction(7))


def other_customer(w: World) -> None:
    made = w.books("create_contact", fields={"Name": "Somebody else"})
    put(w, contact_id=made["done"]["id"])


def lost_without_us(w: World) -> None:
    w.crm("lose", deal=1)


def won_without_us(w: World) -> None:
    made = w.crm("create_deal", title="New", org=1, currency="AUD", lines=[WIDGET])
    w.crm("win", deal=made["id"])


def twin_ended_untold(w: World) -> None:
    """A person deleted one of two drafts of one generation, we the other; nobody is told."""
    w.faults.fired.append((Point(0, "write", f"PUT {INVOICES}"), "late twice"))
    second_invoice(w)
    w.watch._remember(w)
    w.books("delete", invoice="other")
    put(w, status="DELETED")
    ours = next(iter(w.xero.organisation.invoices))
    w.xero.organisation.invoices.put(replace(ours, status="DELETED"))
    w.watch._remember(w)


def line_without_us(w: World) -> None:
    w.vendor.be(w.server, lag_s=0, lines_stamp=True)
    w.crm("add_line", deal=1, **WIDGET)


def field_without_us(w: World) -> None:
    w.crm("edit_deal", deal=1, fields={"Invoice status": "paid"})


def won_long_ago(w: World) -> None:
    made = w.crm("create_deal", title="Old", org=1, currency="AUD", lines=[WIDGET])
    w.crm("win", deal=made["id"], won_time="2026-10-01T09:00:00Z")
    url = str(invoice(w).url).replace("SJ-1-", f"SJ-{made['id']}-")
    w.xero.organisation.invoices.put(replace(invoice(w), id="other", number="INV-7", url=url))


def credit_unasked(w: World) -> None:
    w.books("approve", invoice=invoice(w).id)
    note = w.books("credit", invoice=invoice(w).id, amount=5)["done"]["id"]
    credits = w.xero.organisation.credits
    credits.put(replace(credits[note], reference="Spring SJ-1-c1"))


# --- what the calls show --------------------------------------------------------------------------


def other_bytes(w: World) -> None:
    call(w, create(w))
    call(w, create(w, Reference="changed"))


def sent_three_times(w: World) -> None:
    for _ in range(3):
        call(w, create(w), fault="lost")


def sent_after_500_under_another_token(w: World) -> None:
    call(w, create(w), status=401)
    sent_after_500(w)


def sent_late_again(w: World) -> None:
    call(w, create(w), fault="lost")
    w.advance(REPLAY_MAX + timedelta(seconds=1))
    call(w, create(w))


def sent_after_500(w: World) -> None:
    call(w, create(w), status=500)
    call(w, create(w))


def impatient(w: World) -> None:
    call(w, create(w), key="one", fault="lost")
    w.advance(LEDGER_PATIENCE - timedelta(seconds=1))
    call(w, create(w), key="two")


def deleted(w: World) -> None:
    call(w, b"", method="DELETE")
    we(w, "add_account", code="299", name="X", tax_type="OUTPUT")


def hot_loop(w: World) -> None:
    for n in range(4):
        call(w, b"", key=f"{n}", method="GET", status=429)


def refused_round(w: World, first: int, count: int = 8) -> None:
    """Deals that are written at once, and refused at once."""
    for n in range(first, first + count):
        call(w, b"", path=f"/pipedrive/api/v2/deals/{n}", method="PATCH", status=429,
             server="pipedrive")  # fmt: skip


def hot_rounds(w: World) -> None:
    for first in (10, 20, 30, 40):
        refused_round(w, first)


def same_deal_again(w: World) -> None:
    for _ in range(4):
        refused_round(w, 10, 1)


CASES: tuple[tuple[str, Doctor], ...] = (
    ("one_invoice", second_invoice),
    ("one_effect", skipped_generation),
    ("one_contact", second_contact),
    ("no_delete", deleted),
    ("mode", approved_by_us),
    ("mode", lambda w: call(w, b"", path=f"{INVOICES}/1/Email", method="POST")),
    ("approved_untouched", approved_one_changed),
    ("touched_draft", touched_one_changed),
    ("rewrite", other_marker),
    ("totals", other_total),
    ("customer", other_customer),
    ("withdrawn", lost_without_us),
    ("nothing_forgotten", won_without_us),
    ("nothing_forgotten", twin_ended_untold),
    ("follows", line_without_us),
    ("fields", field_without_us),
    ("won_since", won_long_ago),
    ("credit", credit_unasked),
    ("write_ahead", other_bytes),
    ("write_ahead", sent_three_times),
    ("write_ahead", sent_late_again),
    ("write_ahead", sent_after_500),
    ("write_ahead", sent_after_500_under_another_token),
    ("patience", impatient),
    ("tax", lambda w: call(w, create(w, TaxAmount="1"))),
    ("dates", lambda w: call(w, create(w, Date="2026-11-01"))),
    ("dates", lambda w: call(w, create(w, DueDate=""))),
    ("limits", hot_loop),
    ("limits", hot_rounds),
    ("limits", same_deal_again),
    ("expected", lambda w: call(w, b"(assigned by the ledger)", path="/x", method="PATCH")),
    ("secrets", lambda w: w.tell("refused: sandbox-secret")),
    ("secrets", lambda w: call(w, b"sandbox-token", server="pipedrive", path="/pipedrive/x")),
)  # fmt: skip


@pytest.mark.parametrize(
    ("invariant", "doctor"), CASES, ids=[f"{n} {name}" for n, (name, _) in enumerate(CASES)]
)
def test_each_check_can_fail(world: World, invariant: str, doctor: Doctor) -> None:
    with pytest.raises(Violation) as caught:
        doctor(world)
        judge(world)
    assert caught.value.invariant == invariant, caught.value


def test_what_was_sent_at_once_is_refused_at_once(world: World) -> None:
    for first in (10, 20, 30):
        refused_round(world, first)
    judge(world)


def test_a_refused_token_is_no_sending(world: World) -> None:
    call(world, create(world), status=401)
    call(world, create(world), fault="lost")
    call(world, create(world))
    judge(world)


def test_what_is_well_passes(world: World) -> None:
    recover(world)


def test_a_rule_that_approves_leaves_no_draft() -> None:
    with sold(mode="full", status="authorised") as world:
        put(world, status="DRAFT")
        with pytest.raises(Violation, match=r"^approved"):
            judge(world)


def test_writes_at_rest_are_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(World, "last_call", lambda self: 0)
    with pytest.raises(Violation, match=r"^quiet"):
        recover(world)


def test_a_program_that_does_not_recover_is_seen(world: World) -> None:
    world.faults.barred["xero"] = "401 for ever"
    with pytest.raises(Violation, match=r"^recovers"):
        recover(world)


def test_a_plan_that_writes_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    line_without_us(world)
    world.crm("reopen", deal=1)
    plan = ConnectionHandle.plan

    def careless(handle: ConnectionHandle, options: RunOptions) -> Any:
        handle.run(RunOptions())
        return plan(handle, options)

    monkeypatch.setattr(ConnectionHandle, "plan", careless)
    with pytest.raises(Violation, match=r"^dry_run"):
        seen_first(world, world.rng, lambda: None, {}, {})


def test_a_tripped_guard_that_writes_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run = ConnectionHandle.run

    def careless(handle: ConnectionHandle, options: RunOptions) -> Any:
        run(handle, options)
        call(world, b"{}", method="POST")
        return type("Tripped", (), {"exit_code": 6, "stopped_by": "too much"})()

    monkeypatch.setattr(ConnectionHandle, "run", careless)
    with pytest.raises(Violation, match=r"^guard"):
        world.run()


def test_customers_that_differ_untold_are_seen() -> None:
    with sold(features=Features(contacts="crm")) as world:
        world.crm("edit_org", org=1, fields={"VAT number": "GB 1"})
        with pytest.raises(Violation, match=r"^customer_fields"):
            judge(world)


@pytest.mark.parametrize(("lag_s", "shown_late"), [(0, False), (600, True)])
def test_a_lost_edit_is_seen_unless_no_read_showed_it(lag_s: int, shown_late: bool) -> None:
    with sold(features=Features(contacts="ask")) as world:
        contacts = world.xero.organisation.contacts
        contact = next(iter(contacts))
        contacts._lag_max_s = lag_s
        world.books("edit_contact", contact=contact.id, fields={"TaxNumber": "GB 1"})
        assert shown_late == (contact in contacts.visible())
        call(world, contact.id.encode(), path="/xero/api.xro/2.0/Contacts", method="POST")
        contacts.put(replace(contacts[contact.id], fields=contact.fields))
        if shown_late:
            judge(world)
        else:
            with pytest.raises(Violation, match=r"^nothing_lost"):
                judge(world)


def test_an_overdue_invoice_of_which_nobody_is_told_is_seen() -> None:
    with sold(features=Features(notices=True)) as world:
        world.books("edit_invoice", invoice=invoice(world).id, fields={"DueDate": "2026-11-24"})
        world.books("approve", invoice=invoice(world).id)
        world.advance(timedelta(minutes=5))
        world.run()
        world.advance(timedelta(days=3))
        with pytest.raises(Violation, match=r"^(notice|fields)"):
            judge(world)
