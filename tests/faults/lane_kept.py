"""Every seed that was ever red, played as it was found."""

from __future__ import annotations

from tests.faults.lane_seeds import play_all
from tests.faults.lanes import Budget, LaneResult, Size
from tests.sim import tally
from tests.sim.kept import kept_seeds

#: Two processes share them.
PIECES = 2


def pieces(size: Size) -> int:
    """The same at each size: all of them are played."""
    return PIECES


def run(budget: Budget) -> LaneResult:
    """Play this piece's share."""
    mine = [(seed, dict(how)) for n, (seed, how) in enumerate(kept_seeds()) if budget.mine(n)]
    return play_all("kept", mine)


def table(total: LaneResult) -> str:
    """How many, and what they had."""
    mean = tally.means(total.counts)
    return (f"{total.cases} seeds that once were red; a mean one has {mean['faults']:.1f} faults, "
            f"{mean['edits']:.1f} edits and {mean['writes']:.1f} writes.")  # fmt: skip
