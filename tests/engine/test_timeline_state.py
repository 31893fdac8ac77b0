"""A state that is older than the world writes no note twice."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import awaiting, billed, minutes, number_of, quiet
from tests.engine.test_timeline import ALL, later, said
from tests.engine.world import World


def put_back(w: World, copy: Path) -> None:
    """The copy takes the place of the state."""
    for file in (w.folder / "state").glob("syncjob.db-*"):
        file.unlink()
    shutil.copy(copy, w.folder / "state" / "syncjob.db")


def test_an_older_copy_of_the_state_notes_nothing_again(make_world: MakeWorld) -> None:
    w = make_world(config={"crm": {"timeline": ALL}})
    deal = awaiting(w)
    copy = w.folder / "copy.db"
    shutil.copy(w.folder / "state" / "syncjob.db", copy)
    w.books("pay", invoice=number_of(w, deal), amount="40")
    later(w)
    before = said(w, deal)
    assert "paid in part" in before[-1]
    put_back(w, copy)
    for _ in range(4):
        later(w, 16)
    assert said(w, deal) == before
    w.advance(timedelta(days=1))
    w.run()
    minutes(w, 16)
    w.run()
    w.books("pay", invoice=number_of(w, deal))
    later(w)
    assert "is paid: 110.00 AUD" in said(w, deal)[-1]
    assert said(w, deal)[: len(before)] == before
    quiet(w)


def test_nor_once_somebody_edits_the_invoice(make_world: MakeWorld) -> None:
    """That it was approved has no day of its own: the invoice's stamp is all that says when, and
    a later edit moves it past the day from which an older copy notes again."""
    w = make_world(config={"crm": {"timeline": ALL}})
    deal = billed(w)
    copy = w.folder / "copy.db"
    shutil.copy(w.folder / "state" / "syncjob.db", copy)
    w.books("approve", invoice=number_of(w, deal))
    later(w)
    before = said(w, deal)
    assert "was approved" in before[-1]
    put_back(w, copy)
    later(w, 16)
    later(w, 16)
    w.advance(timedelta(days=2))
    later(w)
    w.books("pay", invoice=number_of(w, deal), amount="40")
    later(w)
    later(w, 16)
    assert said(w, deal)[:-1] == before
    assert "paid in part" in said(w, deal)[-1]
    quiet(w)
