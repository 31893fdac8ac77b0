"""A pass in pieces: what it costs, where it gives way, and that it goes on where it stopped."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from syncjob.core.reports import RunOptions
from syncjob.engine import reconciling
from syncjob.engine.identify import identify
from syncjob.engine.reconcile import session
from syncjob.engine.reconcile.passing import go_on
from syncjob.errors import LockHeld
from syncjob.state.lock import Lease
from tests.engine.scenes import awaiting, minutes, quiet, sell
from tests.engine.world import World

from .kit import invoice, issue_codes, number, one, reconcile, settle_down, skip_changes, town


def reads(w: World, mark: int) -> list[str]:
    """The last words of the paths of the reads since then."""
    return [c["path"].rsplit("/", 1)[1] for c in w.since(mark) if c["method"] == "GET"]


def test_a_pass_costs_the_fewest_pages(make_world: Any) -> None:
    w = make_world()
    fields = {"Status": "AUTHORISED", "DueDate": "2026-12-30"}
    line = {"Description": "x", "Quantity": 1, "UnitAmount": 5, "AccountCode": "200"}
    w.books("create_contact", fields={"Name": "By hand"})
    for _ in range(1_050):
        w.books("create_invoice", fields={**fields, "Contact": {"Name": "By hand"},
                                          "LineItems": [line]})  # fmt: skip
    for n in range(510):
        w.crm("create_deal", title=f"Open {n}", currency="AUD")
    for n in range(3):
        sell(w, f"Firm {n}")
    w.run()
    settle_down(w)
    mark = w.mark()
    report = reconcile(w)
    assert report.complete
    assert not report.findings
    found = [r for r in reads(w, mark) if r != "Organisation"]
    invoices, deals = report.read["ledger invoices"], report.read["crm deals"]
    fewest = math.ceil(invoices / 1000) + 1 + math.ceil(deals / 500) + 1 + 1 + 1
    # two lists a side, and of linked records lines and customers: one call each
    assert (invoices, deals) == (1_053, 513)
    assert len(found) <= fewest * 1.1


class _Short:
    """Ends a piece at its next pause but so many."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
        self.left = most
        real = session.Session.pause

        def pause(given: session.Session, *more: object) -> None:
            if self.left <= 0:
                given._until = 0
            self.left -= 1
            real(given, *more)

        monkeypatch.setattr(session.Session, "pause", pause)


def test_it_goes_on_where_it_stopped_with_batches_in_between(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = town(world)
    world.books("pay", invoice=number(world, deals["awaiting"]), amount="40")
    skip_changes(world)
    stop = _Short(monkeypatch, 1)
    stages: list[str] = []
    mark = world.mark()
    for _ in range(40):
        stop.left = 1
        with (
            world.connection() as handle,
            handle._batch(handle.state, RunOptions(), write=False) as batch,
        ):
            identify(batch)
            report = go_on(batch, since=None, until=batch.clock.monotonic() + 60)
        if report.complete:
            break
        stages.append(report.stopped_by)
        stop.left = 1000
        if len(stages) % 3 == 0:
            minutes(world, 1)
            world.run()
    assert report.complete
    assert len(stages) > 5
    assert [f.kind for f in report.findings] == ["payment"]
    walked = [c for c in world.since(mark) if "Invoices" in c["path"] and "order" in str(c)]
    assert walked
    world.run()
    assert world.deal_fields(deals["awaiting"])["Invoice status"] == "part-paid"
    stop.left = 1000
    assert not reconcile(world).findings


def test_a_killed_pass_forgets_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each commit of a pass in turn: what was found stays found, and is found once."""
    deals = town(world)
    world.books("pay", invoice=number(world, deals["awaiting"]), amount="40")
    skip_changes(world)

    class Killed(BaseException):
        pass

    left = 0
    real = session.Session.save

    def save(given: session.Session) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        real(given)

    monkeypatch.setattr(session.Session, "save", save)
    for at in range(1, 30):
        left = at
        try:
            report = reconcile(world)
        except Killed:
            continue
        break
    assert report.complete
    assert one(report).kind == "payment"


def test_the_days_share_is_kept_and_the_rest_goes_on(make_world: Any) -> None:
    w = make_world(
        ledger={"limits": None}, config={"schedule": {"reconcile_share_percent": 1},
                                         "ledger": {"day_limit": 1000}},
    )  # fmt: skip
    awaiting(w)
    settle_down(w)
    reports = []
    for _ in range(8):
        report = reconcile(w)
        reports.append(report)
        if not report.complete:
            break
    assert not report.complete
    assert "1%" in report.stopped_by
    assert report.resume_at is not None
    assert sum(r.calls["xero"] for r in reports) <= 10
    assert w.run().exit_code == 0  # ordinary batches are not touched by that
    w.time.set(report.resume_at + timedelta(minutes=1))
    w.run()
    assert reconcile(w).complete


def test_a_batch_that_comes_between_two_pieces_has_its_turn(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = town(world)
    monkeypatch.setattr(reconciling, "PIECE_SECONDS", 1.0)
    calls = []
    real = session.Session.pause

    def pause(given: session.Session, *more: object) -> None:
        given.batch.clock.sleep(0.4)
        real(given, *more)

    def give_way(handle: Any, seconds: float, should_stop: object) -> None:
        calls.append(seconds)
        if len(calls) == 1:
            world.books("pay", invoice=number(world, deals["awaiting"]))
            assert world.run().exit_code in (0, 1)

    monkeypatch.setattr(session.Session, "pause", pause)
    monkeypatch.setattr(reconciling.Reconciling, "_give_way", give_way)
    report = reconcile(world)
    assert report.complete
    assert calls
    assert not report.findings
    monkeypatch.undo()
    quiet(world)


def test_nightly_after_the_first_batch_of_the_night(make_world: Any) -> None:
    w = make_world(config={"schedule": {"every_minutes": 60}})
    deal = awaiting(w)
    settle_down(w)
    w.books("edit_invoice", invoice=number(w, deal), fields={"Reference": ""})
    minutes(w, 30)
    w.run()
    with w.connection() as handle:
        before = {c.name: c for c in handle.status().chores}["reconcile"]
    assert before.done is None
    assert not before.due
    while w.clock.now().hour != 15 or w.clock.now().minute < 31:  # 02:31 in Sydney
        minutes(w, 30)
        mark = w.mark()
        w.run()
    assert "archived" in reads(w, mark)
    with w.connection() as handle:
        after = {c.name: c for c in handle.status().chores}["reconcile"]
        report = handle.last_reconcile()
    assert after.done is not None
    assert "nothing found" in after.said
    assert [f.kind for f in report.findings] == ["marker"]
    minutes(w, 30)
    mark = w.mark()
    w.run()
    assert len(reads(w, mark)) <= 4  # not again tonight
    assert w.writes(mark) == []


def test_a_chore_that_fails_is_an_issue_and_no_failure(
    make_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from syncjob.errors import AuthFailed

    w = make_world(config={"schedule": {"every_minutes": 60}})
    awaiting(w)
    while w.clock.now().hour != 15:
        minutes(w, 55)
        w.run()
    minutes(w, 31)

    def refuse(*_: object, **__: object) -> None:
        raise AuthFailed("The CRM refuses its list of deals.", next_step="Ask an admin.")

    with monkeypatch.context() as patch:
        patch.setattr("syncjob.engine.reconcile.nightly.go_on", refuse)
        report = w.run()
    assert report.exit_code == 1
    assert report.stopped_by == ""
    assert "chore_failed" in issue_codes(w)
    minutes(w, 61)
    w.run()
    assert "chore_failed" not in issue_codes(w)


def test_off_is_off(make_world: Any) -> None:
    w = make_world(config={"schedule": {"every_minutes": 1440, "nightly_at": "off"}})
    awaiting(w)
    for _ in range(3):
        w.advance(timedelta(days=1))
        mark = w.mark()
        w.run()
        assert reads(w, mark).count("Invoices") == 1
    with w.connection() as handle:
        assert handle.status().chores == ()


def test_a_side_that_shows_next_to_nothing_is_not_believed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = town(world)
    monkeypatch.setattr("syncjob.engine.reconcile.links.HIDDEN_MIN", 3)
    for deal in deals.values():
        world.pipedrive.company.tables["deals"].rows.pop(deal)
    found = one(reconcile(world))
    assert (found.kind, found.mends) == ("empty_side", "person")
    assert invoice(world, deals["paid"])["status"] == "PAID"


def test_between_two_pieces_the_lock_is_free_and_a_batch_is_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that takes the lock in a gap ends first; one that never ends, ends the command."""
    town(world)
    monkeypatch.setattr(reconciling, "PIECE_SECONDS", 1.0)
    real = session.Session.pause

    def pause(given: session.Session, *more: object) -> None:
        given.batch.clock.sleep(0.7)
        real(given, *more)

    monkeypatch.setattr(session.Session, "pause", pause)
    other, naps, ends = Lease(world.folder / "state" / "syncjob.db"), [0], 5
    sleep = type(world.clock).sleep

    def nap(clock: Any, seconds: float) -> None:
        if seconds != 0.7:
            naps[0] += 1
            if naps[0] == 1:
                other.take("a batch")
            if naps[0] == ends:
                other.release()
        sleep(clock, seconds)

    monkeypatch.setattr(type(world.clock), "sleep", nap)
    assert reconcile(world).complete
    assert naps[0] > ends
    naps[0], ends = 0, -1
    with pytest.raises(LockHeld, match="a batch"):
        reconcile(world)
    other.release()
