"""Random worlds: seeds drawn by the commit, over all CRMs, one in fifty over real HTTP."""

from __future__ import annotations

from typing import Any

from tests.faults.lanes import Budget, LaneResult, Red, Size
from tests.sim import tally
from tests.sim.holdings import holdings
from tests.sim.seeds import play, replay

SEEDS: dict[Size, int] = {"ci": 300, "full": 20_000}
#: Seeds of one piece: about a minute, and enough that making its worlds first is a tenth of it.
PIECE: dict[Size, int] = {"ci": 50, "full": 200}
#: One in so many is played over real sockets.
HTTP_EACH = 50
#: One in so many has people who look at a plan before most batches.
PLANS_EACH = 25
#: Seeds of two commits overlap seldom: each commit has a stretch of so many for itself.
STRETCH = 100_000


def pieces(size: Size) -> int:
    """How many; each seed belongs to one."""
    return -(-SEEDS[size] // PIECE[size])


def run(budget: Budget) -> LaneResult:
    """Play this piece's seeds."""
    count = SEEDS[budget.size]
    first = budget.drawn * STRETCH
    mine = [first + n for n in range(count) if n * budget.pieces // count == budget.piece]
    return play_all("seeds", [(seed, how_of(seed)) for seed in mine])


def how_of(seed: int) -> dict[str, Any]:
    """Over real HTTP, or with plans: some, each for itself."""
    return {"http": seed % HTTP_EACH == 0, "plans": seed % PLANS_EACH == 7}


def play_all(name: str, seeds: list[tuple[int, dict[str, Any]]]) -> LaneResult:
    """Play these seeds and count what they had."""
    result = LaneResult(name)
    for seed, how in seeds:
        try:
            played = play(seed, **how)
        except Exception as error:
            played = error.played  # type: ignore[attr-defined]
            result.violations.append(_red(error, replay(seed, **how)))
        counts = tally.counts_of(played)
        result.counts.update(counts)
        result.cases += 1
    return result


def table(total: LaneResult) -> str:
    """What was played, a mean seed, each kind's share; and what falls short of what must be."""
    short = tally.too_few(total.counts)
    said = "".join(f"\n- too few: {words}" for words in short)
    return tally.table(total.counts) + said


def _red(error: Exception, command: str) -> Red:
    played = error.played  # type: ignore[attr-defined]
    invariant = getattr(error, "invariant", type(error).__name__)
    story = (*played.world.story, *holdings(played.world))
    return Red(invariant, str(error)[:1000], command, story)
