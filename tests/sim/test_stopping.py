"""People who stop our program in the midst of a batch, or edit what it writes just now; its judge
can say no."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from random import Random

import pytest

from syncjob.engine.connection import ConnectionHandle
from syncjob.sandbox.kernel import ActError, Request
from tests.sim import meddling, stopping
from tests.sim.judge import judge, recover
from tests.sim.test_judge import WIDGET, call, invoice, sold
from tests.sim.watch import Violation
from tests.sim.world import World, new_world


@pytest.fixture
def world() -> Iterator[World]:
    made = sold()
    yield made
    made.close()


def wins(world: World, count: int) -> None:
    for number in range(count):
        org = world.crm("create_org", name=f"Customer {number}")["id"]
        made = world.crm("create_deal", title="One", org=org, currency="AUD", lines=[WIDGET])
        world.crm("win", deal=made["id"])
    world.advance(timedelta(minutes=5))


@pytest.mark.parametrize("vendor", ["pipedrive", "hubspot"])
@pytest.mark.parametrize("write", range(4))
def test_a_file_stop_holds_from_the_next_write_on(vendor: str, write: int) -> None:
    with new_world(vendor=vendor, mode="full", status="authorised") as world:
        wins(world, 2)
        last = world.last_call()
        report = world.run(at_writes={write: "stopped"})
        assert report is not None and world.faults.met("stopped")
        before = len(world.writes_since(last))
        assert before >= write + 1
        world.run()
        assert len(world.writes_since(last)) == before
        stopping.go_on(world)
        recover(world)


def test_a_write_after_stop_is_a_violation(world: World) -> None:
    last = world.last_call()
    stopping.stop(world)
    call(world, b"{}", path="/xero/api.xro/2.0/Contacts")
    world.advance(timedelta(seconds=1))
    call(world, b"{}", path="/xero/api.xro/2.0/Contacts")  # sent together with the first
    stopping.obeyed(world, last)
    call(world, b"{}")
    with pytest.raises(Violation, match=r"stop: PUT .*/Invoices"):
        stopping.obeyed(world, last)
    stopping.go_on(world)
    stopping.obeyed(world, last)


def test_a_batch_in_read_only_writes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    wins(world, 1)
    stopping.only_reads(world)
    assert world.turns["read only"] == 1 and world.config.mode == "drafts_only"
    recover(world)

    def writes(handle: ConnectionHandle, *, create: bool) -> None:
        call(world, b"{}")

    monkeypatch.setattr(ConnectionHandle, "init_fields", writes)
    with pytest.raises(Violation, match="mode: read_only, and written"):
        stopping.only_reads(world)


def test_who_runs_init_after_a_batch_was_killed_starts_a_process_anew(world: World) -> None:
    wins(world, 1)
    world.run({0: "kill before"})
    assert world.faults.dead
    stopping.only_reads(world)
    assert not world.faults.dead
    recover(world)


def test_an_approval_that_changes_more_than_the_status_is_a_violation() -> None:
    with sold(mode="full", status="draft") as world:
        world.watch.batch_begins(world)
        made = invoice(world)
        world.books("edit_invoice", invoice=made.id, fields={"Reference": "PO 9"})
        both = {"Reference": made.reference, "Status": "AUTHORISED"}
        world.xero.people("edit_invoice", {"invoice": made.id, "fields": both})
        with pytest.raises(Violation, match=r"approval_only: .* changed its reference"):
            world.watch.batch_ended(world)


def test_an_approval_of_what_is_edited_just_then_leaves_the_edit() -> None:
    with sold(mode="full", status="draft") as world:
        world.watch.batch_begins(world)
        made = invoice(world)
        world.books("edit_invoice", invoice=made.id, fields={"Reference": "PO 9"})
        world.xero.people("approve", {"invoice": made.id})
        world.watch.batch_ended(world)
        assert invoice(world).reference == "PO 9"


@pytest.mark.parametrize(
    ("edit", "earlier", "lasts"),
    [
        ({"Reference": "PO 9"}, False, False),
        ({"Reference": "PO 9"}, True, True),
        ({"Reference": "PO 9", "InvoiceNumber": "HAND-1"}, False, True),
    ],
)
def test_an_edit_that_a_rewrite_met_is_a_touch_only_where_it_lasts(
    edit: dict[str, str], earlier: bool, lasts: bool
) -> None:
    """Seed 881000133: it was overwritten within the second, and the draft approved later."""
    with sold(mode="full", status="draft") as world:
        made = invoice(world)
        if earlier:
            world.books("edit_invoice", invoice=made.id, fields={"Reference": "PO 8"})
            world.advance(timedelta(seconds=1))
        world.watch.batch_begins(world)
        world.books("edit_invoice", invoice=made.id, fields=edit)
        ours = {"Reference": made.reference, "Date": "2026-11-24"}
        world.xero.people("edit_invoice", {"invoice": made.id, "fields": ours})
        world.watch.batch_ended(world)
        world.advance(timedelta(minutes=5))
        world.watch.batch_begins(world)
        world.xero.people("approve", {"invoice": made.id})
        with pytest.raises(Violation, match="touched_draft") if lasts else nullcontext():
            world.watch.batch_ended(world)


def test_a_number_that_a_person_gave_is_a_touch_unless_ours_was_never_read(world: World) -> None:
    made = meddling.number_draft(world, Random(1))
    assert made and str(invoice(world).number).startswith("HAND-")
    world.advance(timedelta(minutes=5))
    world.run()
    judge(world)
    world.watch.batch_begins(world)
    assert world.watch.numbered == {invoice(world).id}
    world.xero.people("delete", {"invoice": invoice(world).id})
    with pytest.raises(Violation, match="touched_draft"):
        world.watch.batch_ended(world)


def test_who_acts_at_hand_edits_a_record_of_the_request(world: World) -> None:
    world.faults.under_way = None
    with pytest.raises(ActError):
        meddling.at_hand(world, Random(1))
    key = invoice(world).id
    body = f'{{"Invoices":[{{"InvoiceID":"{key}"}}]}}'.encode()
    for number in range(8):
        world.faults.under_way = Request("POST", "/xero/api.xro/2.0/Invoices", (), (), body)
        meddling.at_hand(world, Random(number))
        assert world.deeds[-1].payload["invoice"] == key
    world.faults.under_way = Request("PATCH", "/pipedrive/api/v2/deals/1", (), (), b"{}")
    meddling.at_hand(world, Random(1))
    assert world.deeds[-1].payload["deal"] == 1
    several = b'{"inputs":[{"id":"77"},{"id":"78"}]}'
    asked = Request("POST", "/hubspot/crm/objects/2026-09/deals/batch/update", (), (), several)
    assert list(meddling.named_in(asked)) == [("deal", "77"), ("deal", "78")]
