"""A fault of every kind at every point of every history; then recovery, the judge, and rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import NamedTuple

from tests.sim import people, people_hubspot
from tests.sim.faults import Point, kinds_of
from tests.sim.histories import Deeds, History
from tests.sim.histories_hubspot import EVERY
from tests.sim.judge import recover
from tests.sim.world import World

#: Between two batches of a history.
INTERVAL = timedelta(minutes=5)
#: Where life goes on after a fault, it does so while a late request is still under way.
SOON = timedelta(minutes=1)


class Case(NamedTuple):
    """A history, the batch, the point in it, the fault, and whether life goes on at once."""

    history: str
    batch: int
    point: int
    kind: str
    goes_on: bool

    @property
    def key(self) -> str:
        """What `python -m tests.sim --case` takes."""
        return "|".join(map(str, (*self[:4], "on" if self.goes_on else "off")))

    @classmethod
    def of_key(cls, key: str) -> Case:
        """The case of that key."""
        history, batch, point, kind, on = key.split("|")
        return cls(history, int(batch), int(point), kind, on == "on")

    def __str__(self) -> str:
        on = ", life goes on" if self.goes_on else ""
        return f"{self.history}: batch {self.batch}, point {self.point}, {self.kind}{on}"


@dataclass
class Played:
    """A history without faults, with a copy of its world before each batch."""

    history: History
    before: list[World]
    points: list[list[Point]]

    def close(self) -> None:
        """Remove the copies."""
        for world in self.before:
            world.close()


def play(history: History) -> Played:
    """Play it once without faults; it must end well, too."""
    world = history.world()
    played = Played(history, [], [])
    for step, deeds in enumerate(history.steps):
        deeds(world)
        world.advance(INTERVAL)
        played.before.append(world.copy())
        assert history.run(world, step, {}) is not None, history.name
        played.points.append(list(world.faults.points))
    recover(world)
    world.close()
    return played


def cases(played: Played) -> Iterator[Case]:
    """All of them; where life goes on, before the recovery the next deeds are done."""
    name = played.history.name
    for batch, points in enumerate(played.points):
        more = batch + 1 < len(played.history.steps)
        for point in points:
            for kind in kinds_of(point):
                yield Case(name, batch, point.n, kind, False)
                if more and point.kind in ("write", "commit"):
                    yield Case(name, batch, point.n, kind, True)


def run_case(played: Played, case: Case) -> tuple[World, bool]:
    """Raises Violation; returns the world and whether the fault fired."""
    world = played.before[case.batch].copy()
    try:
        world.faults.edit = _edit_at(played, case, world)
        played.history.run(world, case.batch, {case.point: case.kind})
        fired = bool(world.faults.fired)
        if case.goes_on:
            world.advance(SOON)
            world.attempt(played.history.steps[case.batch + 1])
            world.advance(SOON)
            played.history.run(world, case.batch + 1, {})
        recover(world)
    except BaseException as error:
        error.world = world  # type: ignore[attr-defined]
        raise
    finally:
        world.close()
    return world, fired


def _edit_at(played: Played, case: Case, world: World) -> object:
    """What a person does at an edit point: the history's next deeds, or something common."""
    steps: tuple[Deeds, ...] = played.history.steps
    rng = Random(f"{case}")
    if case.batch + 1 < len(steps) and rng.random() < 0.5:
        return lambda: world.attempt(steps[case.batch + 1])

    act = people_hubspot.act if world.vendor.name == "hubspot" else people.act

    def common() -> None:
        for _ in range(3):
            act(world, rng, rare=False)

    return common


def by_name(name: str) -> History:
    """The history of that name."""
    return next(h for h in EVERY if h.name == name)
