"""A state that was put back from a copy makes nothing twice, and a slow cron still makes things."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import minutes, only, quiet, sell
from tests.engine.test_recurring import MONTHLY, RECURRING, templates
from tests.engine.world import PATIENCE, World

#: Long enough that a list hides what was made a moment ago.
SLOW = {"lag_max_s": 800}


def copy_state(w: World, folder: Path) -> None:
    """A copy of the state file alone, as a person makes one between two batches."""
    folder.mkdir()
    for path in (w.folder / "state").glob("syncjob.db*"):
        if path.suffix != ".seq":
            shutil.copy(path, folder / path.name)


def put_back(w: World, folder: Path) -> None:
    for path in (w.folder / "state").glob("syncjob.db*"):
        if path.suffix not in (".seq", ".lock"):
            path.unlink()
    for path in folder.glob("syncjob.db*"):
        shutil.copy(path, w.folder / "state" / path.name)


def forget_a_draft(w: World, folder: Path) -> None:
    """A deal is won and its draft made, and the state is put back to before that."""
    copy_state(w, folder)
    sell(w)
    w.fault(kind="status", server="pipedrive", method="PATCH", status=503, times=0)
    w.run()  # the deal does not say that the draft is there
    only(w.invoices())
    w.faults.clear()
    put_back(w, folder)


def makes_no_other(w: World) -> None:
    """Neither the next batch nor the one after the patience makes a second invoice."""
    w.run()
    only(w.invoices())
    w.advance(PATIENCE)
    w.run()
    only(w.invoices())


@pytest.mark.parametrize("ran_before", [False, True], ids=["still-recovering", "in-use"])
def test_a_state_put_back_creates_nothing_before_it_has_seen_what_it_forgot(
    make_world: MakeWorld, tmp_path: Path, ran_before: bool
) -> None:
    world = make_world(ledger=SLOW)
    if ran_before:
        world.run()
        minutes(world, 5)
    forget_a_draft(world, tmp_path / "copy")
    minutes(world, 1)
    makes_no_other(world)
    quiet(world)


def test_a_batch_that_died_half_way_is_missed_in_an_older_state(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(ledger=SLOW)
    world.run()
    minutes(world, 5)
    copy_state(world, tmp_path / "copy")
    sell(world)

    def progress(stage: str, done: int, total: int | None) -> None:
        if stage == "push" and world.invoices():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.run(progress=progress)
    put_back(world, tmp_path / "copy")
    minutes(world, 1)
    makes_no_other(world)


def test_batches_that_are_refused_do_not_hide_that_a_state_is_older(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    """They have numbers, too: with three of them the older state had caught up with the newer."""
    world = make_world(ledger=SLOW)
    world.run()
    minutes(world, 5)
    forget_a_draft(world, tmp_path / "copy")
    world.fault(kind="status", server="xero", status=403, times=0)
    for _ in range(3):
        minutes(world, 1)
        assert world.run().exit_code == 3
    world.faults.clear()
    minutes(world, 1)
    makes_no_other(world)
    quiet(world)


def test_a_daily_cron_creates_each_day(world: World) -> None:
    made = []
    world.run()
    for day in range(5):
        sell(world, f"Firm {day} Pty")
        world.advance(timedelta(days=1))
        world.run()
        made.append(len(world.invoices()))
    assert made == [0, 2, 3, 4, 5]  # the first long pause is not yet known to be the rhythm


def test_what_it_never_knew_and_a_person_deleted_is_not_made_again(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    """A repeating invoice that the older state had yet to make, though it knew the deal's lines."""
    w = make_world(config=RECURRING)
    deal = sell(w, lines=[MONTHLY])
    w.fault(kind="status", server="xero", method="PUT", path="/Contacts$", status=503)
    w.run()
    copy_state(w, tmp_path / "copy")
    for _ in range(3):
        minutes(w, 20)
        w.run()
    w.books("delete_template", template=f"SJ-{deal}-r1")
    put_back(w, tmp_path / "copy")
    for _ in range(6):
        minutes(w, 20)
        w.run()
    assert only(templates(w))["document"]["status"] == "DELETED"
    quiet(w)
