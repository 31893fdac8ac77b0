"""A deal's own untouched drafts taken back at a person's word, and the deal held until reissue."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncjob.core.cancelling import CancelReport
from syncjob.engine.rounds import Rounds
from syncjob.errors import Park, Paused, RetryLater
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import (
    answer,
    awaiting,
    billed,
    codes,
    invoice_of,
    minutes,
    number_of,
    only,
    quiet,
    sell,
)
from tests.engine.world import World

MONTHLY = {
    "name": "Support", "price": 40, "quantity": 2, "tax": 10, "billing_frequency": "monthly",
}  # fmt: skip


def cancel(
    w: World, deal: int, *, write: bool = True, reason: str = "ordered twice"
) -> CancelReport:
    with w.connection() as handle:
        return handle.cancel(str(deal), reason=reason, write=write, who="Ann")


def fates(report: CancelReport) -> list[str]:
    return [paper.fate for paper in report.papers]


def statuses(w: World) -> list[str]:
    return [str(i["status"]) for i in w.invoices()]


def test_an_untouched_draft_goes_and_the_deal_says_so(world: World) -> None:
    deal = billed(world)
    mark = world.mark()
    assert fates(cancel(world, deal, write=False)) == ["delete"]
    assert world.writes(mark) == []
    assert fates(cancel(world, deal)) == ["delete"]
    assert statuses(world) == ["DELETED"]
    assert len(world.writes(mark)) == 1
    minutes(world, 5)
    assert codes(world.run()) == ["cancelled"]
    fields = world.deal_fields(deal)
    assert fields["Invoice status"] == "deleted"
    assert "cancelled by Ann" in fields["Invoice note"]
    assert "ordered twice" in fields["Invoice note"]
    quiet(world)
    again = cancel(world, deal)
    assert (fates(again), again.written, "by Ann" in again.known) == (["gone"], False, True)


def test_it_is_issued_anew_by_reissue_alone(world: World) -> None:
    deal = billed(world)
    cancel(world, deal)
    world.crm("lose", deal=deal)
    minutes(world, 5)
    world.run()
    world.crm("win", deal=deal)
    minutes(world, 5)
    assert codes(world.run()) == ["cancelled"]
    assert statuses(world) == ["DELETED"]
    answer(world, "reissue", deal)
    minutes(world, 5)
    assert codes(world.run()) == []
    assert sorted(statuses(world)) == ["DELETED", "DRAFT"]
    assert "-A2" in invoice_of(world, deal)["url"]
    quiet(world)
    assert fates(cancel(world, deal))[-1] == "delete"
    minutes(world, 5)
    assert codes(world.run()) == ["cancelled"]


def test_a_draft_that_waits_for_approval_goes_too(world: World) -> None:
    deal = billed(world)
    world.books("submit", invoice=number_of(world, deal))
    minutes(world, 5)
    world.run()
    assert fates(cancel(world, deal)) == ["delete"]
    assert statuses(world) == ["DELETED"]


def test_what_is_approved_is_left_to_a_credit_note(world: World) -> None:
    deal = awaiting(world)
    mark = world.mark()
    (paper,) = cancel(world, deal).papers
    assert paper.fate == "stays"
    assert f"syncjob credit {deal} --full" in paper.next_step
    assert world.writes(mark) == []


def test_what_a_person_touched_is_theirs(world: World) -> None:
    deal = billed(world)
    world.books("edit_invoice", invoice=number_of(world, deal), fields={"Reference": "mine"})
    mark = world.mark()
    (paper,) = cancel(world, deal).papers  # no batch has seen the edit
    assert (paper.fate, "reference" in paper.why) == ("stays", True)
    assert world.writes(mark) == []


def test_nothing_to_cancel_and_no_such_deal(world: World) -> None:
    deal = sell(world, won=False)
    world.run()
    with pytest.raises(Park):
        cancel(world, deal)
    with pytest.raises(Park, match="No batch has read"):
        cancel(world, 99)


def test_read_only_paused_and_closed_books(make_world: MakeWorld) -> None:
    w = make_world()
    deal = billed(w)
    mark = w.mark()
    w.overrides = {"mode": "read_only"}
    assert fates(cancel(w, deal, write=False)) == ["delete"]
    with pytest.raises(Park, match="read_only"):
        cancel(w, deal)
    w.overrides = {"ledger": {"books_closed_through": "2026-11-23"}}
    (paper,) = cancel(w, deal).papers
    assert (paper.fate, "closed" in paper.why) == ("stays", True)
    w.overrides = {}
    with w.connection() as handle:
        handle.pause(only="invoices", until=None, reason="stop", who="Zoe")
    with pytest.raises(Paused):
        cancel(w, deal)
    assert w.writes(mark) == []
    assert statuses(w) == ["DRAFT"]


@pytest.mark.parametrize("kind", ["lost", pytest.param("late", marks=pytest.mark.slow)])
def test_a_lost_answer(world: World, kind: str) -> None:
    deal = billed(world)
    for _ in range(2):
        world.fault(kind=kind, method="POST", path="/Invoices", delay_s=60 * (kind == "late"))
    assert fates(cancel(world, deal)) == ["open"]
    with pytest.raises(RetryLater) if kind == "late" else _nothing():
        cancel(world, deal)
    for _ in range(3):
        world.advance(timedelta(minutes=16))
        world.run()
    cancel(world, deal)
    assert statuses(world) == ["DELETED"]
    minutes(world, 5)
    assert codes(world.run()) == ["cancelled"]
    quiet(world)


def _nothing() -> Any:
    from contextlib import nullcontext

    return nullcontext()


def test_killed_before_the_answer_is_written_down(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal = billed(world)

    def killed(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Rounds, "_kept", killed)
        cancel(world, deal)
    minutes(world, 20)
    assert codes(world.run()) == ["cancelled"]
    assert statuses(world) == ["DELETED"]
    quiet(world)


def test_parts_and_what_is_still_to_come(make_world: MakeWorld) -> None:
    parts = [
        {"name": "first", "percent": 50, "on": "win"},
        {"name": "second", "rest": True, "on": "+3 days"},
    ]
    schedules = [{"name": "halves", "parts": parts}]
    w = make_world(config={"invoices": {"deposit": {"progressive": True}, "schedules": schedules}})
    deal = sell(w)
    assert w.run().exit_code == 0
    assert statuses(w) == ["DRAFT"]
    assert fates(cancel(w, deal)) == ["delete"]
    w.advance(timedelta(days=4))
    for _ in range(2):
        w.run()
        minutes(w, 20)
    assert statuses(w) == ["DELETED"]
    answer(w, "reissue", deal)
    minutes(w, 5)
    w.run()
    assert sorted(statuses(w)) == ["DELETED", "DRAFT", "DRAFT"]


def test_its_repeating_invoice_goes_with_it(make_world: MakeWorld) -> None:
    w = make_world(config={"invoices": {"recurring": "template"}})
    deal = sell(w, lines=[MONTHLY])
    w.run()
    report = cancel(w, deal)
    assert [(p.kind, p.fate) for p in report.papers] == [
        ("invoice", "delete"), ("repeating invoice", "delete"),
    ]  # fmt: skip
    assert statuses(w) == ["DELETED"]
    assert only(w.organisation()["templates"])["document"]["status"] == "DELETED"
    minutes(w, 5)
    assert codes(w.run()) == ["cancelled"]
    quiet(w)


def test_an_approved_repeating_invoice_stays(make_world: MakeWorld) -> None:
    w = make_world(config={"invoices": {"recurring": "template"}})
    deal = sell(w, lines=[MONTHLY])
    w.run()
    w.books("approve_template", template=f"SJ-{deal}-r1")
    report = cancel(w, deal)
    assert [p.fate for p in report.papers] == ["delete", "stays"]
    assert only(w.organisation()["templates"])["document"]["status"] == "AUTHORISED"


def test_it_is_found_again_by_who_and_why(world: World, tmp_path: Path) -> None:
    deal = billed(world)
    cancel(world, deal, reason="wrong customer")
    with world.connection() as handle:
        (said,) = handle.state.decisions.of(f"deal:{deal}")
        rows = handle.state.audit.rows_of(batch=said.batch)
    assert (said.kind, said.who, said.reason) == ("cancel", "Ann", "wrong customer")
    assert [(r.field, r.before, r.after, r.rule) for r in rows] == [
        ("status", "draft", "deleted", "a person (syncjob cancel)")
    ]


@pytest.mark.parametrize("kind", ["lost", pytest.param("late", marks=pytest.mark.slow)])
def test_a_lost_deletion_of_a_repeating_invoice(make_world: MakeWorld, kind: str) -> None:
    w = make_world(config={"invoices": {"recurring": "template"}})
    deal = sell(w, lines=[MONTHLY])
    w.run()
    for _ in range(2):
        w.fault(kind=kind, method="POST", path="/RepeatingInvoices", delay_s=60 * (kind == "late"))
    assert [p.fate for p in cancel(w, deal).papers] == ["delete", "open"]
    for _ in range(3):
        w.advance(timedelta(minutes=16))
        w.run()
    cancel(w, deal)
    assert only(w.organisation()["templates"])["document"]["status"] == "DELETED"
    quiet(w)


def test_a_repeating_invoice_alone_after_the_invoice_was_approved(make_world: MakeWorld) -> None:
    w = make_world(config={"invoices": {"recurring": "template"}})
    deal = sell(w, lines=[MONTHLY])
    w.run()
    w.books("approve", invoice=number_of(w, deal))
    minutes(w, 5)
    w.run()
    assert [p.fate for p in cancel(w, deal).papers] == ["stays", "delete"]
    assert only(w.organisation()["templates"])["document"]["status"] == "DELETED"
    minutes(w, 5)
    assert codes(w.run()) == []
    quiet(w)
    assert len(w.organisation()["templates"]) == 1
