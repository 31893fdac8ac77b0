"""Writes can be stopped at any moment; reading goes on and queued deals keep their place."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from syncjob.errors import Park
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import awaiting, billed, minutes, number_of, only, quiet, sell
from tests.engine.world import World


def pause(w: World, only: Any, until: timedelta | None = None) -> None:
    with w.connection() as handle:
        handle.pause(
            only=only, until=until and w.clock.now() + until, reason="month end", who="Ann"
        )


def resume(w: World, only: Any = "all") -> None:
    with w.connection() as handle:
        handle.resume(only=only, who="Ann")


def test_a_full_pause_reads_and_writes_nothing(world: World) -> None:
    first = awaiting(world)
    pause(world, "all")
    deal = sell(world, "Good Pty")
    world.books("pay", invoice=number_of(world, first))
    minutes(world, 5)
    mark = world.mark()
    report = world.run()
    assert (report.result, report.exit_code) == ("paused", 7)
    assert "month end" in report.stopped_by
    assert world.writes(mark) == []
    assert [c for c in world.since(mark) if c["path"].endswith("/Invoices")]  # read all the same
    resume(world)
    assert world.plan().counts == {"contact.create": 1, "invoice.create": 1, "deal.update": 2}
    assert world.run().exit_code == 0
    assert world.deal_fields(first)["Invoice status"] == "paid"
    assert world.deal_fields(deal)["Invoice status"] == "draft"
    quiet(world)


@pytest.mark.parametrize(
    ("kind", "done"),
    [("invoices", "Contacts"), ("status", "Contacts Invoices"), ("contacts", "")],
)
def test_one_kind_can_be_paused(world: World, kind: str, done: str) -> None:
    deal = sell(world)
    pause(world, kind)
    mark = world.mark()
    report = world.run()
    assert report.exit_code == 7
    wrote = [c["path"].rstrip(f"/{deal}").rsplit("/", 1)[1] for c in world.writes(mark)]
    assert wrote == done.split()
    resume(world, kind)
    minutes(world, 1)
    assert world.run().exit_code == 0
    assert world.deal_fields(deal)["Invoice status"] == "draft"
    only(world.contacts())
    only(world.invoices())
    quiet(world)


def test_a_pause_ends_by_itself(world: World) -> None:
    pause(world, "all", until=timedelta(minutes=10))
    sell(world)
    assert world.run().exit_code == 7
    minutes(world, 11)
    assert world.run().exit_code == 0
    only(world.invoices())


def test_the_stop_file_stops_writes(world: World) -> None:
    stop = world.folder / "state" / "STOP"
    stop.touch()
    sell(world)
    mark = world.mark()
    report = world.run()
    assert report.exit_code == 7
    assert "STOP" in report.stopped_by
    assert world.writes(mark) == []
    stop.unlink()
    assert world.run().exit_code == 0
    only(world.invoices())
    quiet(world)


def test_a_stop_file_set_between_two_writes_stops_the_second(world: World) -> None:
    sell(world)
    stop = world.folder / "state" / "STOP"

    def progress(stage: str, done: int, total: int | None) -> None:
        if stage == "push" and done:
            stop.touch()

    mark = world.mark()
    assert world.run(progress=progress).exit_code == 7
    assert [c["path"].rsplit("/", 1)[1] for c in world.writes(mark)] == ["Contacts"]
    stop.unlink()
    assert world.run().exit_code == 0
    only(world.contacts())
    only(world.invoices())
    quiet(world)


def test_read_only_writes_nothing(world: World) -> None:
    billed(world)
    world.overrides = {"mode": "read_only"}
    sell(world, "Good Pty")
    mark = world.mark()
    world.run()
    assert world.writes(mark) == []
    world.overrides = {}
    minutes(world, 5)
    world.run()
    assert len(world.invoices()) == 2
    quiet(world)


def test_what_was_only_read_in_read_only_reaches_the_deal_afterwards(world: World) -> None:
    deal = billed(world)
    number = number_of(world, deal)
    world.books("approve", invoice=number)
    world.books("pay", invoice=number)
    world.overrides = {"mode": "read_only"}
    minutes(world, 5)
    world.run()
    assert world.deal_fields(deal)["Invoice status"] == "draft"
    world.overrides = {}
    minutes(world, 5)
    world.run()
    assert world.deal_fields(deal)["Invoice status"] == "paid"
    quiet(world)


def test_what_fell_due_in_read_only_is_overdue_once_the_mode_writes(world: World) -> None:
    deal = awaiting(world)
    world.overrides = {"mode": "read_only"}
    world.run()
    for _ in range(3):
        world.advance(timedelta(days=15))
        world.run()
    assert world.deal_fields(deal)["Invoice overdue"] == "no"
    world.overrides = {}
    minutes(world, 5)
    world.run()  # after so long nothing is created yet, but the deal is told
    assert world.deal_fields(deal)["Invoice overdue"] == "yes"
    minutes(world, 20)
    quiet(world)


@pytest.mark.parametrize("crm", ["pipedrive", "hubspot"])
def test_fields_are_not_created_in_read_only(make_world: MakeWorld, crm: str) -> None:
    world = make_world(init=False, crm=crm)
    world.overrides = {"mode": "read_only"}
    with world.connection() as handle:
        assert handle.init_fields(create=False).wanted
        with pytest.raises(Park, match="read_only") as refused:
            handle.init_fields(create=True)
        assert "drafts_only" in refused.value.next_step
    assert world.writes(0) == []
    world.overrides = {}
    with world.connection() as handle:
        assert handle.init_fields(create=True).created
    world.overrides = {"mode": "read_only"}
    with world.connection() as handle:  # nothing is left to create
        assert handle.init_fields(create=True).created == ()
