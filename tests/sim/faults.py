"""Every exchange, commit and statement is a numbered point, at which a fault can be put.

The doors themselves stand in tests/sim/doors.py and wire.py. A killed run unwinds by `Killed`;
whatever still runs while it unwinds meets `Killed` again at the next door, so that only what was
committed survives, as after SIGKILL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from syncjob.sandbox.kernel import Request
from tests.sim.aims import Aims
from tests.sim.kinds import (
    COMMIT_KINDS,
    EXCHANGE_KINDS,
    HUBSPOT_KINDS,
    Point,
    PointKind,
    kinds_of,
)

if TYPE_CHECKING:
    from tests.sim.world import World

__all__ = [
    "COMMIT_KINDS", "EXCHANGE_KINDS", "HUBSPOT_KINDS", "Faults", "Killed", "Point", "PointKind",
    "active", "kinds_of", "watching",
]  # fmt: skip


class Killed(BaseException):
    """The process ends here; nothing after it happens."""


@dataclass
class Faults:
    """The faults that are armed for the current batch, and what was met."""

    armed: dict[int, str] = field(default_factory=dict)
    #: The same by the number of the write in the batch, from 0.
    at_writes: dict[int, str] = field(default_factory=dict)
    #: The same by the number of the statement in the batch, from 0.
    at_statements: dict[int, str] = field(default_factory=dict)
    #: Faults that wait for a point that they fit, over several batches.
    aims: Aims = field(default_factory=Aims)
    #: At the point of this number a fault that fits it, drawn by that chance.
    drawn: tuple[int, Random] | None = None
    #: What a person does at an "edit" point.
    edit: Callable[[], None] | None = None
    tell: Callable[[str], None] = lambda words: None
    #: The world that all this happens in.
    world: World | None = None
    points: list[Point] = field(default_factory=list)
    #: How many statements the batch has made, and each of them where `listing`.
    statements: int = 0
    listing: bool = False
    listed: list[Point] = field(default_factory=list)
    fired: list[tuple[Point, str]] = field(default_factory=list)
    dead: bool = False
    #: Vendors that refuse every request until a person mends it, with the fault's name.
    barred: dict[str, str] = field(default_factory=dict)
    #: Vendors that cannot be reached for the rest of the batch.
    gone: set[str] = field(default_factory=set)
    #: Lists of which a page was read that is not the last, by path.
    more: set[str] = field(default_factory=set)
    #: The record for which its vendor refuses whole calls, as it stands in their bodies.
    culprit: object = None
    #: The newest request of the batch.
    under_way: Request | None = None

    def begin(self) -> None:
        """A new batch: points count from 0."""
        self.points, self.dead, self.under_way = [], False, None
        self.statements, self.listed = 0, []
        self.gone.clear()
        self.more.clear()

    def meet(
        self, kind: PointKind, words: str, *, many: int = 0, later_page: bool = False
    ) -> str | None:
        """Pass a door; returns the fault that is armed there."""
        if self.dead:
            raise Killed
        point = Point(len(self.points), kind, words, many, later_page)
        self.points.append(point)
        fault = self.armed.get(point.n)
        if kind == "write":
            writes = sum(p.kind == "write" for p in self.points) - 1
            fault = fault or self.at_writes.get(writes)
        if fault is None and self.aims.waiting:
            fault = self.aims.at(point)
        if self.drawn is not None and self.drawn[0] == point.n:
            fault = self.drawn[1].choice(kinds_of(point))
        if fault is None or fault not in kinds_of(point):
            return None
        return self._fire(point, fault)

    def meet_statement(self, words: str, place: Callable[[], str], *, first: bool) -> str | None:
        """Pass a statement that writes; as `meet`."""
        if self.dead:
            raise Killed
        number, self.statements = self.statements, self.statements + 1
        fault = self.at_statements.get(number)
        if not self.listing and fault is None:
            return None
        point = Point(number, "statement", words, place=place(), first=first)
        if self.listing:
            self.listed.append(point)
        if fault is None or fault not in kinds_of(point):
            return None
        return self._fire(point, fault)

    def _fire(self, point: Point, fault: str) -> str:
        self.fired.append((point, fault))
        self.tell(f"    fault at {point.kind} {point.n} ({point.words}): {fault}")
        return fault

    def kill(self) -> None:
        """End the process."""
        self.dead = True
        raise Killed

    def do_edit(self) -> None:
        """A person acts just now."""
        if self.edit is not None:
            self.edit()

    def met(self, *kinds: str) -> bool:
        """Whether a fault of one of these kinds has happened."""
        return any(kind in kinds for _, kind in self.fired)


_active: list[Faults] = []


def active() -> Faults | None:
    """The faults of the batch that runs now."""
    return _active[-1] if _active else None


@contextmanager
def watching(faults: Faults) -> Iterator[None]:
    """Let these faults happen at the doors of whatever runs inside."""
    _active.append(faults)
    try:
        yield
    finally:
        _active.pop()
