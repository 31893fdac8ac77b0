"""Faults that wait for a point which they fit, so that each kind a seed draws does happen.

A number of a point drawn blindly mostly meets a point at which the kind means nothing: a batch that
writes many records in one call is rare, and so is a second page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from random import Random

from tests.sim.kinds import Point, PointKind, kinds_of

#: How many points that fit pass before the fault; writes are few, reads and commits are many.
PASS_MANY = (0, 1, 3, 8, 15, 30)
PASS_FEW = (0, 0, 0, 1, 2)
#: Where a fault can be at a write it is aimed there as often as anywhere.
AT_WRITES = 0.5
_VENDORS = ("xero", "pipedrive", "hubspot")


@dataclass
class Aim:
    """One fault to come: its kind, how many fitting points pass first, whether only a write, or
    only a commit, fits, the words that its point begins with, and those of a point that passes
    before it."""

    kind: str
    skip: int
    write: bool = False
    commit: bool = False
    place: str = ""
    after: str = ""

    def meets(self, point: Point) -> bool:
        """Whether it happens here."""
        if self.after and point.words.startswith(self.after):
            self.after = ""
            return False
        if self.after or not point.words.startswith(self.place):
            return False
        if self.write and point.kind != "write":
            return False
        if self.commit and point.kind != "commit":
            return False
        many = min(point.many, 2)
        if self.kind not in _fitting(point.kind, point.vendor, many, point.later_page):
            return False
        self.skip -= 1
        return self.skip < 0


@dataclass
class Aims:
    """All that wait, in the order in which they were drawn."""

    waiting: list[Aim] = field(default_factory=list)
    #: How many were drawn so far.
    drawn: int = 0

    def draw(self, rng: Random, kind: str) -> None:
        """Another one of that kind."""
        self.drawn += 1
        somewhere = [p for p in _examples() if kind in _fitting(*p)]
        write = any(p[0] == "write" for p in somewhere)
        often = any(p[0] == "commit" or (p[0] == "read" and not p[3]) for p in somewhere)
        write = write and (not often or rng.random() < AT_WRITES)
        passing = PASS_MANY if often and not write else PASS_FEW
        self.waiting.append(Aim(kind, rng.choice(passing), write))

    def at(self, point: Point) -> str | None:
        """The fault that happens at this point, if one does; it no longer waits then."""
        for aim in self.waiting:
            if aim.meets(point):
                self.waiting.remove(aim)
                return aim.kind
        return None


def kinds_with(crm: str) -> tuple[str, ...]:
    """Every kind that fits some point of a world with this CRM, in the order of their names."""
    vendors = ("", "xero", crm)
    return tuple(sorted({k for p in _examples() if p[1] in vendors for k in _fitting(*p)}))


_Shape = tuple[PointKind, str, int, bool]


@cache
def _examples() -> tuple[_Shape, ...]:
    """One point of each shape that `kinds_of` tells apart."""
    shapes: list[_Shape] = [("commit", "", 0, False), ("token", "xero", 0, False)]
    for vendor in _VENDORS:
        shapes += [("read", vendor, 0, False), ("read", vendor, 0, True)]
        shapes += [("write", vendor, many, False) for many in (0, 1, 2)]
    return tuple(shapes)


@cache
def _fitting(kind: PointKind, vendor: str, many: int, later_page: bool) -> frozenset[str]:
    """`kinds_of` for every point of this shape."""
    return frozenset(kinds_of(Point(0, kind, f"GET /{vendor}/", many, later_page)))
