"""What happened to an invoice stands in its deal's timeline, each thing once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import awaiting, billed, codes, minutes, number_of, quiet, sell
from tests.engine.world import World

ALL = ["created", "approved", "part_paid", "paid", "overdue", "credited", "written_off",
       "refunded", "voided", "deleted"]  # fmt: skip


@pytest.fixture
def w(make_world: MakeWorld) -> World:
    return make_world(config={"crm": {"timeline": ALL}})


def said(w: World, deal: int) -> list[str]:
    """The deal's notes, oldest first, the first line of each."""
    notes = [n for n in w.crm_state()["notes"].values() if n["deal_id"] == deal]
    return [str(n["content"]).partition("<br>")[0] for n in notes]


def later(w: World, count: int = 5) -> None:
    minutes(w, count)
    assert w.run().exit_code in (0, 1)


def test_the_life_of_an_invoice(w: World) -> None:
    deal = billed(w)
    assert said(w, deal) == ["An invoice over 110.00 AUD was drafted, due on 2026-12-23."]
    quiet(w)
    number = number_of(w, deal)
    w.books("approve", invoice=number)
    later(w)
    w.books("pay", invoice=number, amount="40", date="2026-11-22")
    later(w)
    w.books("pay", invoice=number, date="2026-11-23")
    later(w)
    assert said(w, deal)[1:] == [
        f"Invoice {number} over 110.00 AUD was approved, due on 2026-12-23.",
        f"Invoice {number} is paid in part: 40.00 AUD received, last payment on 2026-11-22; "
        "70.00 AUD is still due.",
        f"Invoice {number} is paid: 110.00 AUD received, last payment on 2026-11-23.",
    ]
    quiet(w)


def test_one_batch_for_all_that_it_does_itself(make_world: MakeWorld) -> None:
    rules = {"mode": "full", "invoices": {"status": "authorised"}}
    w = make_world(config={"crm": {"timeline": ALL}, **rules})
    deal = sell(w)
    w.run()
    assert len(said(w, deal)) == 2
    assert number_of(w, deal) in said(w, deal)[1]
    quiet(w)


def test_a_payment_that_is_removed_and_made_again(w: World) -> None:
    deal = awaiting(w)
    for day in ("2026-11-20", "2026-11-20", "2026-11-21"):
        w.books("pay", invoice=number_of(w, deal), date=day)
        later(w)
        w.books("remove_payment", invoice=number_of(w, deal))
        later(w)
    paid = [text for text in said(w, deal) if "is paid:" in text]
    assert [text[-11:-1] for text in paid] == ["2026-11-20", "2026-11-21"]


@pytest.mark.parametrize(
    ("act", "told"),
    [("void", "was voided"), ("credit", "was credited: 110.00 AUD, nothing is due")],
)
def test_other_ends(w: World, act: str, told: str) -> None:
    deal = awaiting(w)
    w.books(act, invoice=number_of(w, deal))
    later(w)
    assert told in said(w, deal)[-1]
    quiet(w)


def test_a_draft_that_was_deleted(w: World) -> None:
    deal = billed(w)
    w.books("delete", invoice=number_of(w, deal))
    later(w)
    assert said(w, deal)[-1] == "The invoice over 110.00 AUD was deleted."
    quiet(w)


def test_our_own_withdrawal_is_told_too(w: World) -> None:
    deal = billed(w)
    w.crm("reopen", deal=deal)
    later(w)
    assert said(w, deal)[-1] == "The invoice over 110.00 AUD was deleted."
    quiet(w)


def test_overdue_is_told_after_the_second_look(w: World) -> None:
    deal, paid = awaiting(w), awaiting(w, title="Paid")
    for _ in range(30):
        w.advance(timedelta(days=1))
        w.run()
    w.books("pay", invoice=number_of(w, paid))
    w.advance(timedelta(days=1))
    w.run()
    later(w)
    assert [t for t in said(w, deal) if "overdue" in t] == [
        f"Invoice {number_of(w, deal)} is overdue: 110.00 AUD was due on 2026-12-23."
    ]
    assert not [t for t in said(w, paid) if "overdue" in t]


@pytest.mark.parametrize("kind", ["lost", "late", "timeout"])
def test_a_lost_answer_is_looked_up(w: World, kind: str) -> None:
    deal = sell(w)
    w.fault(server="pipedrive", method="POST", path="/notes", kind=kind)
    w.run()
    for _ in range(3):
        later(w)
    assert len(said(w, deal)) == 1
    quiet(w)


def test_a_note_that_never_arrived_is_written_after_the_patience(w: World) -> None:
    deal = sell(w)
    w.fault(server="pipedrive", method="POST", path="/notes", kind="status", status=502)
    w.run()
    for _ in range(3):
        later(w)
    assert len(said(w, deal)) == 1
    quiet(w)


def test_only_what_is_asked_for_and_nothing_of_the_time_before(make_world: MakeWorld) -> None:
    w = make_world()
    old = awaiting(w)
    w.advance(timedelta(days=1))
    w.run()
    w.overrides = {"crm": {"timeline": ["paid"]}}
    later(w, 20)
    assert said(w, old) == []
    new = awaiting(w, title="Summer")
    w.books("pay", invoice=number_of(w, new))
    w.books("pay", invoice=number_of(w, old))
    later(w)
    assert [len(said(w, deal)) for deal in (old, new)] == [1, 1]
    quiet(w)


@pytest.mark.parametrize("lost", [False, True])
def test_a_refund_of_what_was_paid_before_notes_began_is_noted(
    make_world: MakeWorld, lost: bool
) -> None:
    """A refund moves no invoice: its stamp is that of the payment."""
    wanted = {"crm": {"timeline": ["paid", "refunded"]}}
    w = make_world(config=wanted if lost else {})
    deal = awaiting(w)
    number = number_of(w, deal)
    w.books("pay", invoice=number)
    later(w)
    before = said(w, deal)
    w.advance(timedelta(days=9))
    if lost:
        for file in (w.folder / "state").glob("syncjob.db*"):
            file.unlink()
    w.overrides = wanted
    later(w, 20)
    later(w, 20)
    assert said(w, deal) == before
    w.advance(timedelta(days=2))
    credit = w.books("credit", invoice=number, total="110", amount="110", allocate=False)
    w.books("refund_credit", credit=credit["done"]["id"])
    for _ in range(2):
        w.advance(timedelta(days=8))
        later(w, 20)
    assert said(w, deal)[len(before) :] == [
        f"Invoice {number} was refunded: 110.00 AUD was given back."
    ]
    quiet(w)


def test_a_refund_of_the_time_before_is_not_noted(make_world: MakeWorld) -> None:
    w = make_world()
    deal = awaiting(w)
    number = number_of(w, deal)
    w.books("pay", invoice=number)
    later(w)
    credit = w.books("credit", invoice=number, total="110", amount="110", allocate=False)
    w.books("refund_credit", credit=credit["done"]["id"])
    w.advance(timedelta(days=9))
    w.overrides = {"crm": {"timeline": ["refunded"]}}
    for _ in range(3):
        later(w, 20)
    w.advance(timedelta(days=8))
    later(w, 20)
    later(w, 20)
    assert w.deal_fields(deal)["Invoice status"] == "refunded"
    assert said(w, deal) == []


def test_off_by_default(world: World) -> None:
    deal = awaiting(world)
    assert said(world, deal) == []


def test_a_lost_state_writes_nothing_again(w: World, tmp_path: Path) -> None:
    deal = awaiting(w)
    before = said(w, deal)
    for file in (w.folder / "state").glob("syncjob.db*"):
        file.unlink()
    minutes(w, 5)
    w.run()
    later(w, 20)
    later(w)
    assert said(w, deal) == before


def test_a_pause_of_status_stops_notes(w: World) -> None:
    deal = sell(w)
    with w.connection() as handle:
        handle.pause(only="status", until=None, reason="a look", who="Ann")
    w.run()
    assert said(w, deal) == []
    with w.connection() as handle:
        handle.resume(only="status", who="Ann")
    later(w)
    assert len(said(w, deal)) == 1


def test_a_refused_note_is_an_issue_of_its_own(w: World) -> None:
    deal = sell(w)
    answer: dict[str, Any] = {"status": 400, "body": '{"success":false,"error":"no notes here"}'}
    w.fault(server="pipedrive", method="POST", path="/notes", kind="status", times=9, **answer)
    w.run()
    later(w)
    assert codes(quiet(w)) == ["refused"]
    assert w.deal_fields(deal)["Invoice status"] == "draft"


def test_what_holds_a_deal_is_noted_once_it_has_stood(make_world: MakeWorld) -> None:
    w = make_world(config={"crm": {"timeline": ["held"]}})
    deal = sell(w, org=None)
    w.run()
    minutes(w, 5)
    quiet(w)
    assert said(w, deal) == [], "whoever won it may still be at it"
    minutes(w, 60)
    w.run()
    (text,) = said(w, deal)
    assert text.startswith("Not invoiced yet: The deal has ")
    for _ in range(3):
        minutes(w, 65)
        quiet(w)
    assert len(said(w, deal)) == 1


def test_a_cause_that_goes_and_comes_again_is_noted_again(make_world: MakeWorld) -> None:
    w = make_world(config={"crm": {"timeline": ["held"]}})
    deal = sell(w, org=None)
    for _ in range(2):
        later(w)
        later(w, 30)
        later(w, 35)
        w.crm("reopen", deal=deal)
        later(w)
        w.crm("win", deal=deal)
    assert len(said(w, deal)) == 2


def test_a_command_in_the_next_step_is_for_whoever_runs_it(make_world: MakeWorld) -> None:
    w = make_world(config={"crm": {"timeline": ["held"]}, "guard": {"times_largest": 2}})
    billed(w)
    deal = sell(w, "Big Pty", lines=[{"name": "Widget", "price": 9000, "quantity": 1, "tax": 10}])
    later(w)
    later(w, 30)
    later(w, 35)
    (text,) = [str(n["content"]) for n in w.crm_state()["notes"].values()]
    assert "ask whoever runs syncjob: " in text
    w.time.advance(60)
    with w.connection() as handle:
        handle.answer(kind="create", subject=f"deal:{deal}", who="Ann", reason="a big order")
    assert w.run().exit_code == 0
    assert len(said(w, deal)) == 1
