"""A large load is weighed whole and goes in steps, within one batch (engine/share, weighing)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncjob.core.reports import BatchReport
from syncjob.engine import fill, share
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import WIDGET, awaiting, minutes, quiet, sell
from tests.engine.test_notices import LATE, by_mail, world_with
from tests.engine.test_pause import pause, resume
from tests.engine.world import World
from tests.transport.mailserver import mail_server

ROOM = 3
STRICT: dict[str, Any] = {"guard": {"creates_first_week": 4, "creates": 4, "updates": 4}}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "STEP", ROOM)
    monkeypatch.setattr(fill, "GROUP", ROOM)


def _sold(w: World, count: int) -> list[int]:
    return [sell(w, f"Firm {number} Pty", title=f"Order {number}") for number in range(count)]


def _references(w: World) -> list[str]:
    return sorted(invoice["reference"] for invoice in w.invoices())


def test_a_load_goes_in_steps_within_one_batch(world: World) -> None:
    deals = _sold(world, 8)
    mark = world.mark()
    report = world.run()
    assert report.result == "done"
    assert report.counts["invoice.create"] == 8
    sent = [call for call in world.writes(mark) if call["path"].endswith("/Invoices")]
    assert len(sent) == 3  # steps of three, three and two
    assert {world.deal_fields(deal)["Invoice status"] for deal in deals} == {"draft"}
    assert len(report.rows) == 8
    quiet(world)


def test_a_plan_shows_all_of_it_and_its_name_is_that_of_the_run(world: World) -> None:
    _sold(world, 8)
    seen = world.plan()
    assert seen.counts["invoice.create"] == 8
    assert len([a for a in seen.actions if a.kind == "invoice.create"]) == 8
    assert "connection" not in seen.waits
    assert world.run().plan_hash == seen.hash


def test_the_guard_weighs_the_whole_and_one_acceptance_lets_it_through(
    make_world: MakeWorld,
) -> None:
    world = make_world(config=STRICT)
    deals = _sold(world, 8)
    seen, mark = world.plan(), world.mark()
    assert any("8 invoices would be created" in words for words in seen.guard)
    tripped = world.run()
    assert (tripped.result, tripped.plan_hash) == ("guard", seen.hash)
    assert "8 invoices would be created" in tripped.stopped_by
    assert world.run(accept="0" * 12).result == "guard"
    assert world.writes(mark) == []
    done = world.run(accept=seen.hash)
    assert (done.result, done.counts["invoice.create"]) == ("done", 8)
    assert {world.deal_fields(deal)["Invoice status"] for deal in deals} == {"draft"}
    quiet(world)


def test_no_step_is_measured_by_the_invoices_of_the_one_before(world: World) -> None:
    small = _sold(world, ROOM)
    large = sell(world, "Large Pty", title="Large", lines=[{**WIDGET, "price": 9000}])
    seen = world.plan()
    report = world.run(accept=seen.hash)
    assert report.counts["invoice.create"] == seen.counts["invoice.create"] == 4
    assert {world.deal_fields(deal)["Invoice status"] for deal in (*small, large)} == {"draft"}
    larger = sell(world, "Larger Pty", title="Larger", lines=[{**WIDGET, "price": 90000}])
    minutes(world, 5)
    assert [(i.subject, i.code) for i in world.run().issues] == [
        (f"deal:{larger}", "unusually_large")
    ]


def test_updates_of_many_steps_are_counted_together(make_world: MakeWorld) -> None:
    world = make_world(config={"guard": {**STRICT["guard"], "creates_first_week": 9}})
    _sold(world, 6)
    world.run()
    for number in range(6):
        world.books("approve", invoice=f"INV-{number + 1:04}")
    minutes(world, 5)
    report = world.run()
    assert report.result == "guard"
    assert "6 deals would be changed; the limit is 4." in report.stopped_by


def test_a_double_of_another_step_is_judged_by_the_first(world: World) -> None:
    sell(world, "Harbour Bakery Pty Ltd", title="One")
    _sold(world, 4)
    sell(world, "Harbour Bakery Pty. Limited", title="Two")
    report = world.run()
    names = [c["name"] for c in world.contacts() if c["name"].startswith("Harbour")]
    assert names == ["Harbour Bakery Pty Ltd"]
    assert report.counts["invoice.create"] == 5
    assert len(world.invoices()) == 5
    minutes(world, 1)
    world.run()
    assert len([c for c in world.contacts() if c["name"].startswith("Harbour")]) == 1


def test_one_customer_of_many_steps_is_made_once(world: World) -> None:
    for number in range(8):
        sell(world, "One Pty", title=f"Order {number}")
    seen = world.plan()
    assert seen.counts["contact.create"] == 1
    report = world.run()
    assert report.plan_hash == seen.hash
    assert (report.counts["contact.create"], report.counts["invoice.create"]) == (1, 8)


def test_max_creates_counts_over_all_steps(make_world: MakeWorld) -> None:
    world = make_world()
    world.run()
    _sold(world, 7)
    assert world.plan(max_creates=4).counts["invoice.create"] == 4
    report = world.run(max_creates=4)  # each step is decided again, and sends what was foreseen
    assert report.counts["invoice.create"] == 4
    assert len(report.waits) == 3
    minutes(world, 1)
    world.run()
    assert len(world.invoices()) == 7


def test_one_person_is_told_of_all_steps_in_one_message(tmp_path: Path) -> None:
    with mail_server() as mail:
        w = world_with(tmp_path, {**by_mail(mail), "digest": True})
        try:
            for number in range(5):
                awaiting(w, org=f"Firm {number} Pty")
            w.time.set(LATE)
            w.run()
            w.run()
            ((_, _, message),) = mail.taken
            text = message.get_payload(decode=True)
            assert isinstance(text, bytes)
            assert all(f"INV-{number + 1:04}".encode() in text for number in range(5))
        finally:
            w.close()


def test_a_paused_kind_stops_it_alone_in_every_step(world: World) -> None:
    deals = _sold(world, 7)
    pause(world, "status")
    assert world.run().result == "paused"
    assert len(world.invoices()) == 7
    resume(world, "status")
    minutes(world, 1)
    assert world.run().exit_code == 0
    assert {world.deal_fields(deal)["Invoice status"] for deal in deals} == {"draft"}


def test_a_full_pause_writes_nothing_of_any_step(world: World) -> None:
    _sold(world, 7)
    pause(world, "all")
    mark = world.mark()
    assert world.run().result == "paused"
    assert world.writes(mark) == []


def test_where_nothing_may_be_written_all_of_it_is_weighed(make_world: MakeWorld) -> None:
    world = make_world()
    world.overrides = {"mode": "read_only"}
    _sold(world, 7)
    report = world.run()
    assert (report.result, report.counts.get("invoice.create")) == ("done", None)


def test_new_rules_of_which_a_load_has_nothing_to_write_are_guarded_once(
    make_world: MakeWorld,
) -> None:
    world = make_world()
    _sold(world, 7)
    world.run()
    minutes(world, 5)
    world.overrides = {"invoices": {"double_days": 61}}
    mark = world.mark()
    assert world.run().result == "done"  # all drafts are decided again, in steps
    assert world.writes(mark) == []
    sell(world, "New Pty", title="New")
    minutes(world, 5)
    assert world.run().counts["invoice.create"] == 1


def test_customers_go_in_steps_too(make_world: MakeWorld) -> None:
    world = make_world(config={"contacts": {"update": "owners", "which": "all"}})
    for number in range(8):
        world.crm("create_org", name=f"Firm {number} Pty")
    seen = world.plan()
    report = world.run()
    assert report.plan_hash == seen.hash
    assert seen.counts == {"contact.create": 8}
    assert len(world.contacts()) == 8
    quiet(world)


# --- where the time is over -------------------------------------------------------------------


def _slow(w: World, call_s: float) -> None:
    for server in (w.xero, w.pipedrive):
        handle = server.handle

        def slowly(request: Any, handle: Callable[[Any], Any] = handle) -> Any:
            w.time.advance(call_s)
            return handle(request)

        server.handle = slowly  # type: ignore[method-assign]


def _until_done(w: World, most: int = 30) -> list[BatchReport]:
    reports = [w.run()]
    while reports[-1].result == "later":
        assert len(reports) < most
        assert reports[-1].resume_at is not None
        minutes(w, 1)
        reports.append(w.run())
    return reports


def test_half_of_the_time_is_for_writing_and_the_rest_goes_on(make_world: MakeWorld) -> None:
    world = make_world(config={"schedule": {"run_seconds_max": 60}})
    deal = awaiting(world)
    _sold(world, 12)
    world.books("pay", invoice="INV-0001")
    _slow(world, 4)
    first = world.run()
    assert first.result == "later"
    assert world.deal_fields(deal)["Invoice status"] == "paid"  # a load makes no payment wait
    minutes(world, 1)
    reports = _until_done(world)
    assert reports[-1].result == "done"
    assert len(world.invoices()) == 13
    quiet(world)


def test_a_plan_and_an_accepted_load_are_read_whole_however_long_it_takes(
    make_world: MakeWorld,
) -> None:
    world = make_world(config={**STRICT, "schedule": {"run_seconds_max": 120}})
    world.run()
    _sold(world, 9)
    _slow(world, 6)
    seen = world.plan()
    assert seen.counts["invoice.create"] == 9
    assert world.run(accept=seen.hash).counts["invoice.create"] >= ROOM


def test_the_next_batch_goes_on_behind_what_only_waits(make_world: MakeWorld) -> None:
    world = make_world(config={"schedule": {"run_seconds_max": 60}})
    world.run()
    _sold(world, 9)
    _slow(world, 7)
    seen = set()
    for _ in range(8):
        report = world.run(max_creates=1)
        seen |= set(_references(world))
        minutes(world, 1)
    assert len(seen) > 3, report
