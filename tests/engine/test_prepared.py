"""A world that is a copy of another one's start is as one that was set up by itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.engine.prepared import Starts
from tests.engine.scenes import sell
from tests.engine.world import World


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Starts]:
    """None is kept before; and this test patches, so the worlds of all others are not touched."""
    fresh = Starts()
    fresh.on = True
    monkeypatch.setattr("tests.engine.world.STARTS", fresh)
    yield fresh
    fresh.clear()


def lived(folder: Path, **options: Any) -> tuple[list[Any], list[str], str]:
    """What all calls were and what the state held after the start, of a world with two batches."""
    folder.mkdir()
    world = World(folder, **options)
    world.init()
    with closing(sqlite3.connect(folder / "state" / "syncjob.db")) as db:
        held = list(db.iterdump())
    sell(world, "Acme Pty")
    for _ in range(2):
        assert world.run().exit_code == 0
    calls, base = world.calls(), world.base
    world.close()
    return calls, held, base


@pytest.mark.parametrize("crm", ["pipedrive", "hubspot"])
def test_a_copy_does_what_the_first_did(starts: Starts, tmp_path: Path, crm: str) -> None:
    first = lived(tmp_path / "a", crm=crm)
    assert starts.copied == 0
    assert lived(tmp_path / "b", crm=crm) == first
    assert lived(tmp_path / "c", crm=crm) == first
    assert starts.copied == 2


@pytest.mark.parametrize(
    "other",
    [{"ledger": {"lag_max_s": 5}}, {"config": {"mode": "full"}}, {"region": "UK"}],
    ids=lambda other: next(iter(other)),
)
def test_a_world_that_begins_otherwise_is_set_up_by_itself(
    starts: Starts, tmp_path: Path, other: dict[str, Any]
) -> None:
    lived(tmp_path / "a")
    folder = tmp_path / "b"
    folder.mkdir()
    world = World(folder, **other)
    world.init()
    assert starts.copied == 0
    world.close()


def test_what_people_did_before_makes_another_start(starts: Starts, tmp_path: Path) -> None:
    lived(tmp_path / "a")
    world = World(tmp_path)
    world.crm("create_org", name="Acme Pty")
    world.init()
    assert starts.copied == 0
    world.close()


def test_two_worlds_at_once_have_an_address_each(starts: Starts, tmp_path: Path) -> None:
    worlds = [World(tmp_path / name) for name in "ab"]
    for world in worlds:
        world.folder.mkdir()
        world.init()
    assert worlds[0].base != worlds[1].base
    assert starts.copied == 0
    sell(worlds[0], "Acme Pty")
    assert worlds[0].run().counts != worlds[1].run().counts
    for world in worlds:
        world.close()


def test_servers_that_a_test_has_stopped_are_not_lent_again(starts: Starts, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    world = World(folder)
    world.init()
    world.box.stop()
    world.close()
    lived(tmp_path / "b")
    assert starts.copied == 0
