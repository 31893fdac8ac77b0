"""A fault of every kind at every point of every history; then recovery, the judge, and rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import NamedTuple

from tests.sim import happenings, meddling, people, people_hubspot, stopping
from tests.sim.faults import Point, kinds_of
from tests.sim.histories import Deeds, History
from tests.sim.histories_hubspot import EVERY
from tests.sim.judge_calls import judge_calls
from tests.sim.kinds import LASTING, REFUSALS
from tests.sim.sameness import mark_of
from tests.sim.world import World

#: Between two batches of a history.
INTERVAL = timedelta(minutes=5)
#: Where life goes on after a fault, it does so while a late request is still under way.
SOON = timedelta(minutes=1)
A_DAY = timedelta(hours=25)
#: Counted in a world's turns: what the faulted batch left was already played to its end.
KNOWN = "known end"


class Case(NamedTuple):
    """A history, the batch, the point in it, the fault, and whether life goes on at once.

    `statement`: the point is a statement's number. `second`: the point of the batch after it at
    which a second fault happens, of a kind drawn from those that fit there.
    """

    history: str
    batch: int
    point: int
    kind: str
    goes_on: bool
    statement: bool = False
    second: int | None = None

    @property
    def key(self) -> str:
        """What `python -m tests.sim --case` takes."""
        point = f"s{self.point}" if self.statement else str(self.point)
        on = "on" if self.goes_on else "off"
        then = () if self.second is None else (f"+{self.second}",)
        return "|".join((self.history, str(self.batch), point, self.kind, on, *then))

    @property
    def fault(self) -> tuple[str, int, bool, int, str]:
        """History, point and kind: life that goes on at once makes no other case of it."""
        return (self.history, self.batch, self.statement, self.point, self.kind)

    @property
    def replay(self) -> str:
        """The command that plays just this case."""
        return f"python -m tests.sim --case '{self.key}'"

    @classmethod
    def of_key(cls, key: str) -> Case:
        """The case of that key."""
        history, batch, point, kind, on, *then = key.split("|")
        second = int(then[0][1:]) if then else None
        return cls(history, int(batch), int(point.lstrip("s")), kind, on == "on",
                   point.startswith("s"), second)  # fmt: skip

    def __str__(self) -> str:
        on = ", life goes on" if self.goes_on else ""
        door = "statement" if self.statement else "point"
        then = "" if self.second is None else f", then a fault at point {self.second}"
        return f"{self.history}: batch {self.batch}, {door} {self.point}, {self.kind}{on}{then}"


@dataclass
class Played:
    """A history without faults, with a copy of its world before each batch."""

    history: History
    before: list[World]
    points: list[list[Point]]
    #: Of each batch the writing statements, those of its listing.
    statements: list[list[Point]] = field(default_factory=list)
    #: The marks of worlds that were played from a faulted batch to their end, and were well.
    well: set[tuple[int, bytes]] = field(default_factory=set)

    def close(self) -> None:
        """Remove the copies."""
        for world in self.before:
            world.close()


def play(history: History) -> Played:
    """Play it once without faults; it must end well, too."""
    world = history.world()
    played = Played(history, [], [])
    world.faults.listing = True
    try:
        for step, deeds in enumerate(history.steps):
            deeds(world)
            world.advance(INTERVAL)
            played.before.append(world.copy())
            assert history.run(world, step, {}) is not None, history.name
            played.points.append(list(world.faults.points))
            played.statements.append(list(world.faults.listed))
        history.ends(world)
    except BaseException as error:
        error.world = world  # type: ignore[attr-defined]
        played.close()
        raise
    finally:
        world.close()
    return played


def cases(played: Played) -> Iterator[Case]:
    """All at exchanges and commits; where life goes on, before the recovery the next deeds are
    done."""
    name = played.history.name
    for batch, points in enumerate(played.points):
        more = batch + 1 < len(played.history.steps)
        for point in points:
            for kind in kinds_of(point):
                yield Case(name, batch, point.n, kind, False)
                if more and point.kind in ("write", "commit"):
                    yield Case(name, batch, point.n, kind, True)


def statement_cases(played: Played) -> Iterator[Case]:
    """At each distinct statement of the history, by its text and its place in the program, in the
    batch where it first stands: a transaction that is cut off anywhere is rolled back whole."""
    known: set[tuple[str, str, bool]] = set()
    for batch, statements in enumerate(played.statements):
        for point in statements:
            same = (point.words, point.place, point.first)
            if same not in known:
                known.add(same)
                for kind in kinds_of(point):
                    yield Case(played.history.name, batch, point.n, kind, False, statement=True)


def every_case(played: Played) -> Iterator[Case]:
    """All single faults of a history."""
    yield from cases(played)
    yield from statement_cases(played)


def pair_of(case: Case, rng: Random, points: list[list[Point]]) -> Case:
    """The same with a second fault in the batch that recovers from the first."""
    batch = min(case.batch + case.goes_on, len(points) - 1)
    return case._replace(second=rng.randrange(max(1, len(points[batch]))))


def run_case(played: Played, case: Case) -> tuple[World, bool]:
    """Raises Violation; returns the world and whether its faults fired."""
    world = played.before[case.batch].copy()
    try:
        world.faults.edit = _edit_at(played, case, world)
        fired = _first_fault(played, case, world)
        stopping.go_on(world)
        if case.goes_on:
            world.advance(SOON)
            world.attempt(played.history.steps[case.batch + 1])
        mark = _mark(case, world)
        if mark in played.well:
            world.turns[KNOWN] += 1
            return world, fired
        if case.goes_on or case.second is not None:
            world.advance(SOON)
            fired = _run_after(played, case, world) and fired
            stopping.go_on(world)
        if world.faults.met(*LASTING, *REFUSALS):
            happenings.mend(world)
        if world.faults.met(*REFUSALS):  # the accounts' names are read anew once a day
            world.advance(A_DAY)
            world.run()
        played.history.ends(world)
        if mark is not None:
            played.well.add(mark)
    except BaseException as error:
        error.world = world  # type: ignore[attr-defined]
        raise
    finally:
        world.close()
    return world, fired


def _mark(case: Case, world: World) -> tuple[int, bytes] | None:
    """The world that the faulted batch left, once its calls are judged; None where another fault
    or more deeds follow. Raises Violation."""
    if case.second is not None or case.goes_on:
        return None
    judge_calls(world)
    mark = mark_of(world)
    return None if mark is None else (case.batch, mark)


def _first_fault(played: Played, case: Case, world: World) -> bool:
    if case.statement:
        world.faults.at_statements = {case.point: case.kind}
        played.history.run(world, case.batch, {})
        world.faults.at_statements = {}
    else:
        played.history.run(world, case.batch, {case.point: case.kind})
    return bool(world.faults.fired)


def _run_after(played: Played, case: Case, world: World) -> bool:
    """The batch that recovers, perhaps with a second fault in it. False if that did not happen."""
    before = len(world.faults.fired)
    if case.second is not None:
        world.faults.drawn = (case.second, Random(case.key))
    if case.goes_on:
        played.history.run(world, case.batch + 1, {})
    else:
        played.history.again(world, case.batch)
    world.faults.drawn = None
    return case.second is None or len(world.faults.fired) > before


def _edit_at(played: Played, case: Case, world: World) -> Callable[[], None]:
    """What a person does at an edit point: the history's next deeds, or something common."""
    steps: tuple[Deeds, ...] = played.history.steps
    rng = Random(f"{case}")
    later = case.batch + 1
    if later < len(steps) and later not in played.history.machine and rng.random() < 0.5:
        return lambda: _attempt(world, steps[later])

    act = people_hubspot.act if world.vendor.name == "hubspot" else people.act

    def common() -> None:
        if rng.random() < 0.5 and world.attempt(lambda w: meddling.at_hand(w, rng)):
            return
        for _ in range(3):
            act(world, rng, rare=False)

    return common


def _attempt(world: World, deeds: Deeds) -> None:
    world.attempt(deeds)


def by_name(name: str) -> History:
    """The history of that name."""
    return next(h for h in EVERY if h.name == name)
