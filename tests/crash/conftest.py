"""Worlds that end with their test, and the truth of a load that nothing disturbed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.kit import CrashWorld, sales, truth

#: Two groups of invoices (50 a call), one of contacts, a page and a half of deals at 40 a page.
DEALS, CUSTOMERS = 60, 20

FULL: dict[str, Any] = {"mode": "full", "invoices": {"status": "authorised"}}
MODES: dict[str, dict[str, Any]] = {"drafts": {}, "full": FULL}

MakeWorld = Callable[..., CrashWorld]


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[MakeWorld]:
    """Make a world in a folder of its own; all are closed at the end."""
    made: list[CrashWorld] = []

    def make(**options: Any) -> CrashWorld:
        folder = tmp_path / f"world{len(made)}"
        folder.mkdir()
        made.append(CrashWorld(folder, **options))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def loaded(make_world: MakeWorld) -> MakeWorld:
    """Make a world with won deals in the CRM and its fields created: ready for the first batch.

    `warm`: a batch has run before the deals were won, so that the state is not a new one.
    """

    def make(mode: str = "drafts", *, warm: bool = False, **options: Any) -> CrashWorld:
        world = make_world(config=MODES[mode], **options)
        world.init()
        if warm:
            assert world.run().exit_code == 0
        sales(world, DEALS, CUSTOMERS)
        return world

    return make


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """What the servers hold after the load, by mode, if nothing goes wrong; worked out once."""
    known: dict[str, dict[str, Any]] = {}

    def look(mode: str = "drafts") -> dict[str, Any]:
        if mode not in known:
            world = CrashWorld(tmp_path_factory.mktemp(mode), config=MODES[mode])
            sales(world, DEALS, CUSTOMERS)
            world.init()
            assert world.run().exit_code == 0
            known[mode] = truth(world)
            world.close()
            assert len(known[mode]["invoices"]) == DEALS
            assert len(known[mode]["contacts"]) == CUSTOMERS
        return known[mode]

    return look
