"""Worlds that are closed after their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.world import World

MakeWorld = Callable[..., World]


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[MakeWorld]:
    """Makes a world that is set up (`init`), unless `init=False`; several have a folder each."""
    made: list[World] = []

    def make(*, init: bool = True, **options: Any) -> World:
        folder = tmp_path / f"world{len(made)}"
        folder.mkdir()
        world = World(folder, **options)
        made.append(world)
        if init:
            world.init()
        return world

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """An Australian firm with nothing in its books."""
    return make_world()
