"""A pass in pieces: what it costs, where it gives way, and that it goes on where it stopped."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncjob.core.reports import ChoreStatus, RunOptions
from syncjob.engine import reconciling
from syncjob.engine.identify import identify
from syncjob.engine.reconcile import session
from syncjob.engine.reconcile.passing import go_on
from syncjob.errors import AuthFailed, LockHeld
from syncjob.state.lock import Lease
from tests.engine.scenes import awaiting, minutes, quiet, sell
from tests.engine.world import World

from .kit import invoice, issue_codes, number, one, reconcile, settle_down, skip_changes, town


def reads(w: World, mark: int) -> list[str]:
    """The last words of the paths of the reads since then."""
    return [c["path"].rsplit("/", 1)[1] for c in w.since(mark) if c["method"] == "GET"]


def test_a_pass_costs_the_fewest_pages(make_world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncjob.connectors.xero.requests.PAGE_SIZE", 20)  # a small world
    monkeypatch.setattr("syncjob.connectors.pipedrive.reading.PAGE_SIZE", 10)
    w = make_world()
    line = {"Description": "x", "Quantity": 1, "UnitAmount": 5, "AccountCode": "200"}
    w.books("create_contact", fields={"Name": "By hand"})
    for _ in range(50):
        fields = {"Status": "AUTHORISED", "DueDate": "2026-12-30", "LineItems": [line]}
        w.books("create_invoice", fields={**fields, "Contact": {"Name": "By hand"}})
    for n in range(32):
        w.crm("create_deal", title=f"Open {n}", currency="AUD")
    for n in range(3):
        sell(w, f"Firm {n}")
    w.run()
    settle_down(w)
    mark = w.mark()
    report = reconcile(w)
    assert report.complete
    assert not report.findings
    assert (report.read["ledger invoices"], report.read["crm deals"]) == (53, 35)
    # contacts and archived deals: one page each; lines and customers of linked deals: one call each
    fewest = math.ceil(53 / 20) + math.ceil(35 / 10) + 4
    found = [r for r in reads(w, mark) if r != "Organisation"]
    assert len(found) <= fewest * 1.1, found


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


#: A machine with a batch now and then, so that no pause looks like a lost state.
SELDOM = {"schedule": {"every_minutes": 1440}}
#: 02:30 in Sydney, when its clocks are at UTC+11.
NIGHT = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)


def nightly(w: World) -> ChoreStatus:
    with w.connection() as handle:
        return {chore.name: chore for chore in handle.status().chores}["reconcile"]


def test_nightly_after_the_first_batch_of_the_night(make_world: Any) -> None:
    w = make_world(config=SELDOM)
    deal = awaiting(w)
    settle_down(w)
    w.books("edit_invoice", invoice=number(w, deal), fields={"Reference": ""})
    w.time.set(NIGHT - timedelta(minutes=1))
    w.run()
    before = nightly(w)
    assert (before.done, before.due) == (None, False)
    w.time.set(NIGHT + timedelta(minutes=1))
    assert nightly(w).due
    mark = w.mark()
    w.run()
    assert reads(w, mark).count("Invoices") == 2  # the batch's own, then the whole list
    after = nightly(w)
    assert after.done is not None
    assert "nothing found" in after.said
    with w.connection() as handle:
        assert [f.kind for f in handle.last_reconcile().findings] == ["marker"]
    minutes(w, 30)
    mark = w.mark()
    w.run()
    assert reads(w, mark).count("Invoices") == 1  # not again tonight
    assert w.writes(mark) == []


def test_a_chore_that_fails_is_an_issue_and_no_failure(
    make_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = make_world(config=SELDOM)
    awaiting(w)
    w.time.set(NIGHT + timedelta(minutes=1))

    def refuse(*_: object, **__: object) -> None:
        raise AuthFailed("The CRM refuses its list of deals.", next_step="Ask an admin.")

    with monkeypatch.context() as patch:
        patch.setattr("syncjob.engine.reconcile.nightly.go_on", refuse)
        report = w.run()
    assert report.exit_code == 1
    assert report.stopped_by == ""
    assert "chore_failed" in issue_codes(w)
    assert "failed" in nightly(w).said
    minutes(w, 61)
    w.run()
    assert "chore_failed" not in issue_codes(w)
    assert nightly(w).done is not None


def test_a_guard_that_stops_the_batch_does_not_stop_the_night(make_world: Any) -> None:
    w = make_world(config={**SELDOM, "guard": {"creates_first_week": 0}})
    sell(w)
    w.time.set(NIGHT + timedelta(minutes=1))
    assert w.run().result == "guard"
    assert nightly(w).done is not None
    assert w.invoices() == []


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
