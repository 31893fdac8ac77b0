"""What a customer has unapplied, and what was paid back: read when it matters, and heeded."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from syncjob.core.records import CreditNote
from syncjob.core.rules.credit import Wish
from tests.engine.scenes import awaiting, codes, invoice_of, minutes, number_of, quiet
from tests.engine.test_notices import LATE, late, tasks, world_with
from tests.engine.world import World

LISTS = ("/CreditNotes", "/Prepayments", "/Overpayments")
KINDS = ("credit", "allocate_prepayment", "allocate_overpayment")


def reads(w: World, mark: int) -> list[str]:
    """Which lists of credit were asked for since then."""
    ends = (call["path"].rsplit("/", 1)[-1] for call in w.since(mark))
    return [end for end in ends if f"/{end}" in LISTS]


def give(w: World, deal: int, kind: str, amount: str) -> dict[str, Any]:
    """Credit of the deal's customer that nobody applies to an invoice."""
    done = w.books(kind, invoice=number_of(w, deal), amount=amount, allocate=False)
    return done["done"]


@pytest.mark.parametrize("kind", KINDS)
def test_credit_that_covers_the_debt_holds_the_notice(tmp_path: Path, kind: str) -> None:
    w = world_with(tmp_path, {})
    try:
        deal = awaiting(w)
        give(w, deal, kind, "110")
        late(w)
        assert tasks(w) == []
        assert w.deal_fields(deal)["Invoice overdue"] == "yes"  # it is, until it is applied
        quiet(w)
    finally:
        w.close()


@pytest.mark.parametrize("kind", KINDS)
def test_credit_that_does_not_cover_it_stands_in_the_notice(tmp_path: Path, kind: str) -> None:
    w = world_with(tmp_path, {})
    try:
        deal = awaiting(w)
        give(w, deal, kind, "109.99")
        late(w)
        (task,) = tasks(w)
        assert "Credit not yet applied: 109.99 AUD" in task["note"]
    finally:
        w.close()


def test_a_draft_credit_note_is_no_credit_yet(tmp_path: Path) -> None:
    w = world_with(tmp_path, {})
    try:
        deal = awaiting(w)
        with w.connection() as handle:
            wish = Wish(how="full", reason="damaged")
            handle.credit(str(deal), wish, part=None, write=True, who="Ann", expect=None)
        late(w)
        assert len(tasks(w)) == 1
    finally:
        w.close()


def test_one_credit_holds_the_oldest_debt_only(tmp_path: Path) -> None:
    w = world_with(tmp_path, {})
    try:
        first = awaiting(w)
        w.advance(timedelta(days=1))
        w.run()
        minutes(w, 16)
        second = awaiting(w, title="Summer order")
        give(w, first, "allocate_overpayment", "110")
        late(w, LATE + timedelta(days=1))
        (task,) = tasks(w)
        assert task["deal_id"] == second
        assert "Credit not yet applied: 110.00 AUD" in task["note"]
    finally:
        w.close()


def test_credit_in_another_currency_or_of_another_customer_holds_nothing(tmp_path: Path) -> None:
    w = world_with(tmp_path, {})
    try:
        awaiting(w)
        other = awaiting(w, org="Bolt Ltd")
        give(w, other, "allocate_overpayment", "500")
        late(w)
        (task,) = tasks(w)
        assert task["deal_id"] != other
    finally:
        w.close()


def test_credit_that_is_used_up_elsewhere_lets_the_notice_go(tmp_path: Path) -> None:
    w = world_with(tmp_path, {})
    try:
        deal = awaiting(w)
        credit = give(w, deal, "credit", "110")
        late(w)
        assert tasks(w) == []
        w.books("refund_credit", credit=credit["id"])
        w.advance(timedelta(days=1))
        late(w, w.time.now())
        (task,) = tasks(w)
        assert "2 days overdue" in task["subject"]
    finally:
        w.close()


def test_the_lists_cost_three_calls_when_a_notice_is_due_and_none_before(tmp_path: Path) -> None:
    w = world_with(tmp_path, {})
    try:
        awaiting(w)
        awaiting(w, org="Bolt Ltd")
        mark = w.mark()
        for _ in range(3):
            minutes(w, 30)
            w.run()
        assert reads(w, mark) == []
        w.time.set(LATE - timedelta(hours=14))
        w.run()
        w.time.set(LATE)
        mark = w.mark()
        w.run()
        assert len(tasks(w)) == 2
        assert sorted(reads(w, mark)) == ["CreditNotes", "Overpayments", "Prepayments"]
        mark = w.mark()
        quiet(w)
        assert reads(w, mark) == []
        w.advance(timedelta(days=6))
        w.run()
        again = [c for c in w.since(mark) if c["path"].endswith(LISTS)]
        assert len(again) == 3
        assert all("if-modified-since" in str(c["headers"]).lower() for c in again)
    finally:
        w.close()


def test_what_cannot_be_told_for_a_while_costs_no_flood_of_calls(tmp_path: Path) -> None:
    w = world_with(tmp_path, {})
    try:
        awaiting(w)
        with w.connection() as handle:
            handle.pause(only="notices", until=None, reason="holidays", who="Ann")
        w.time.set(LATE)
        mark = w.mark()
        for _ in range(13):  # an hour, and the batch after it
            w.run()
            minutes(w, 5)
        assert len(reads(w, mark)) == 6
        assert tasks(w) == []
    finally:
        w.close()


def test_a_credit_that_a_list_showed_late_is_read_by_its_id(tmp_path: Path) -> None:
    """Changed within one second, so that the stamp is the same: the list is not believed."""
    w = world_with(tmp_path, {})
    try:
        deal = awaiting(w)
        w.time.set(LATE)
        credit = give(w, deal, "credit", "110")
        w.run()
        w.advance(timedelta(minutes=16))
        w.run()
        assert tasks(w) == []
        org = w.xero.organisation
        held = org.credits[credit["id"]]
        w.books("refund_credit", credit=credit["id"], amount="60")
        changed = org.credits[credit["id"]]
        org.credits.put(replace(changed, updated=held.updated))
        for _ in range(2):
            w.advance(timedelta(days=1))
            w.run()
        (task,) = tasks(w)
        assert "Credit not yet applied: 50.00 AUD" in task["note"]
    finally:
        w.close()


def singly(w: World, mark: int = 0) -> list[str]:
    """The credit notes that were read each at its own address since then, and answered."""
    found = (c for c in w.since(mark) if "/CreditNotes/" in c["path"] and c["status"] == 200)
    return [call["path"].rsplit("/", 1)[-1] for call in found]


def walked(w: World, notes: int) -> None:
    """A state that has walked a list of so many credit notes, a week ago."""
    deal = awaiting(w)
    for _ in range(notes):
        give(w, deal, "credit", "1")
    week(w)
    assert singly(w) == []
    w.advance(timedelta(days=8))


def week(w: World) -> None:
    w.advance(timedelta(days=8))
    for _ in range(2):
        w.run()
        minutes(w, 16)


def test_what_an_older_version_stored_of_credit_is_no_contradiction(world: World) -> None:
    """It stored credit notes without their net sum: each of them was read again, a call each."""
    walked(world, 3)
    with world.connection() as handle, handle.state.commit():
        db = handle.state.db
        rows = db.execute("SELECT id, body FROM snapshot WHERE stream = 'credit_notes'").fetchall()
        assert len(rows) == 3
        for note, known in rows:
            body = json.loads(known)
            assert body.pop("sub_total")
            old = json.dumps(body, separators=(",", ":")).encode()
            digest = hashlib.blake2b(old, digest_size=12).hexdigest()
            db.execute("UPDATE snapshot SET body = ?, hash = ? WHERE id = ?", (old, digest, note))
    mark = world.mark()
    week(world)
    assert "CreditNotes" in reads(world, mark)
    assert singly(world, mark) == []
    with world.connection() as handle:
        for note, _ in rows:
            found = handle.state.snapshots.get("ledger", "credit_notes", note, CreditNote)
            assert found is not None and found.sub_total == Decimal("0.91")


def test_a_batch_that_ends_among_many_doubts_goes_on_where_it_was(world: World) -> None:
    """It began with the first again, so that more doubts than a day has calls stopped all."""
    walked(world, 25)
    with world.connection() as handle, handle.state.commit():
        handle.state.db.execute(
            "UPDATE snapshot SET hash = 'another' WHERE stream = 'credit_notes'"
        )
    mark, started = world.mark(), 0
    world.run()  # the list is not believed
    minutes(world, 16)
    for more in (4, 20, 1):  # of 25, beyond those that are read one by one too
        world.fault(server="xero", path="/CreditNotes/", kind="status", skip=more, times=99)
        world.run()
        world.faults.clear()
        started += more
        assert len(singly(world, mark)) == started
        minutes(world, 30)
    assert len(set(singly(world, mark))) == 25, "none of them twice"
    steps = [world.run() for _ in range(2)]
    assert steps[-1].result == "done"
    assert len(singly(world, mark)) == 25


def test_a_missing_right_is_told_and_stops_no_notice(tmp_path: Path) -> None:
    w = world_with(tmp_path, {})
    try:
        awaiting(w)
        w.time.set(LATE)
        scope = {"WWW-Authenticate": "Bearer error=insufficient_scope"}
        w.fault(server="xero", method="GET", path="/Overpayments", kind="status", status=401,
                headers=scope, times=9)  # fmt: skip
        assert "credits_unreadable" in codes(w.run())
        late(w)
        assert len(tasks(w)) == 1
    finally:
        w.close()


# --- money given back -----------------------------------------------------------------------


def word(w: World, deal: int) -> Any:
    return w.deal_fields(deal)["Invoice status"]


def test_a_refund_of_what_a_credit_note_left_over(world: World) -> None:
    deal = awaiting(world)
    number = number_of(world, deal)
    world.books("pay", invoice=number, amount="30")
    credit = world.books("credit", invoice=number, amount="80", total="110")["done"]
    minutes(world, 5)
    world.run()
    assert word(world, deal) == "paid"
    world.books("refund_credit", credit=credit["id"])
    world.advance(timedelta(days=8))
    world.run()
    minutes(world, 5)
    world.run()
    assert word(world, deal) == "refunded"
    quiet(world)


def test_a_refund_of_a_paid_invoice_is_found_by_its_number(world: World) -> None:
    deal = awaiting(world)
    number = number_of(world, deal)
    world.books("pay", invoice=number)
    minutes(world, 5)
    world.run()
    credit = world.books("credit", invoice=number, total="110", amount="110", allocate=False)
    world.advance(timedelta(days=8))
    world.run()
    assert word(world, deal) == "paid"
    world.books("refund_credit", credit=credit["done"]["id"])
    world.advance(timedelta(days=8))
    world.run()
    minutes(world, 5)
    world.run()
    assert word(world, deal) == "refunded"
    assert invoice_of(world, deal)["status"] == "PAID"
    quiet(world)


def test_an_overpayment_that_is_paid_back_leaves_the_invoice_paid(world: World) -> None:
    deal = awaiting(world)
    number = number_of(world, deal)
    paid = world.books("allocate_overpayment", invoice=number, amount="110", total="150")["done"]
    minutes(world, 5)
    world.run()
    world.books("refund_credit", credit=paid["id"])
    for _ in range(2):
        world.advance(timedelta(days=8))
        world.run()
    assert word(world, deal) == "paid"
