"""Two faults: the second while the program recovers from the first, in the batch after it."""

from __future__ import annotations

from random import Random

from tests.faults.lane_points import judge_case, kinds_table, mine, well_played
from tests.faults.lanes import Budget, LaneResult, Size
from tests.sim.every_point import Played, every_case, pair_of
from tests.sim.histories_hubspot import EVERY

#: Pairs that must count, of each history, by size; in all 10,000 at least in the full one.
EACH: dict[Size, int] = {"ci": 2, "full": 10_000 // len(EVERY) + 2}
#: The quick size plays one history in so many, others with each commit.
CI_SKIP = 4
#: A second fault may find no point, where the first one keeps the next batch from working.
TRIES = 3
CI_PIECES = 1


def pieces(size: Size) -> int:
    """See lanes.py."""
    return CI_PIECES if size == "ci" else len(EVERY)


def run(budget: Budget) -> LaneResult:
    """See lanes.py."""
    result = LaneResult("pairs")
    skip = CI_SKIP if budget.size == "ci" else 1
    for history in mine(budget)[budget.drawn % skip :: skip]:
        with well_played(history, result) as played:
            _pairs(result, played, budget)
    return result


def _pairs(result: LaneResult, played: Played, budget: Budget) -> None:
    """Pairs drawn from all of a history, until enough of them count. The full size draws the same
    ones each time, so that a piece that is played again plays what it did."""
    most = EACH[budget.size]
    drawn = budget.drawn if budget.size == "ci" else 0
    rng = Random(f"pairs {drawn} {played.history.name}")
    every = list(every_case(played))
    known: set[str] = set()
    for case in rng.sample(every, min(len(every), most * TRIES)):
        if most == 0:
            return
        pair = pair_of(case, rng, played.points)
        if pair.key in known:
            continue
        known.add(pair.key)
        if judge_case(result, played, pair):
            most -= 1
        else:
            result.counts["one fault only"] += 1


def table(total: LaneResult) -> str:
    """See lanes.py."""
    lines = [
        f"{total.cases:,} distinct pairs, drawn from all single faults and from the points of the "
        f"batch after each. Violations: {len(total.violations)}. The kinds of both:",
        "",
        *kinds_table(total.counts),
    ]
    return "\n".join(lines)
