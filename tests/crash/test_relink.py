"""`syncjob relink` as a real command: shown, carried out, repeated, killed half-way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from syncjob.errors import Exit
from tests.engine.moving import MovingCrash, map_of


@pytest.fixture
def moving(tmp_path: Path) -> Iterator[MovingCrash]:
    """A firm that has gone over to HubSpot and has told syncjob nothing yet."""
    world = MovingCrash(tmp_path)
    world.init()
    yield world
    world.close()


def test_a_kill_in_the_middle_leaves_all_or_nothing(moving: MovingCrash) -> None:
    w = moving
    old = w.history()
    before = {i["id"] for i in w.invoices()}
    w.change()
    new = w.imported(old)
    w.advance(timedelta(days=1))
    file = w.folder / "old,new.csv"
    file.write_text(map_of(old, new), encoding="cp1252")
    asked = ("relink", "--map", str(file))
    seen = w.child(*asked, "--plan", "--json")
    assert seen.returncode == Exit.DONE, seen.stdout + seen.stderr
    assert json.loads(seen.stdout)["deals"] == 6
    assert w.child(*asked).returncode == Exit.ISSUES  # nobody to ask
    w.kill_at("a row taken over", *asked, "--yes")
    assert w.child().returncode == Exit.WRONG_ORGANISATION
    done = w.child(*asked, "--yes", "--reason", "we left Pipedrive")
    assert done.returncode == Exit.DONE, done.stdout + done.stderr
    for said in ("deals: 6, 4 with an invoice", "syncjob init", "The map is kept"):
        assert said in done.stdout
    assert "rows that were taken before: 6" in w.child(*asked, "--plan").stdout
    w.settle_in()
    assert {i["id"] for i in w.invoices()} == before
    assert w.deal_fields(new["paid"])["Invoice status"] == "paid"
    told = w.child("history", str(new["paid"])).stdout
    assert w.number(old["paid"]) in told


def test_a_map_that_is_none_says_so(moving: MovingCrash) -> None:
    w = moving
    w.change()
    for text, said in (("a,b\n1,2\n", "column old"), ("", "empty"), ("<html>", "web page")):
        (w.folder / "map.csv").write_text(text)
        ended = w.child("relink", "--map", str(w.folder / "map.csv"))
        assert ended.returncode == Exit.CONFIG and said in ended.stderr, ended.stderr
    assert w.child("relink", "--map", str(w.folder / "none.csv")).returncode == Exit.CONFIG
