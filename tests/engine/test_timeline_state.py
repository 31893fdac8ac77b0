"""A state that is older than the world writes no note twice."""

from __future__ import annotations

import shutil
from datetime import timedelta

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import awaiting, minutes, number_of, quiet
from tests.engine.test_timeline import ALL, later, said


def test_an_older_copy_of_the_state_notes_nothing_again(make_world: MakeWorld) -> None:
    w = make_world(config={"crm": {"timeline": ALL}})
    deal = awaiting(w)
    state, copy = w.folder / "state" / "syncjob.db", w.folder / "copy.db"
    shutil.copy(state, copy)
    w.books("pay", invoice=number_of(w, deal), amount="40")
    later(w)
    before = said(w, deal)
    assert "paid in part" in before[-1]
    for file in (w.folder / "state").glob("syncjob.db-*"):
        file.unlink()
    shutil.copy(copy, state)
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
