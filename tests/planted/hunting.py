"""Look for a planted bug by what the harness plays anyway: fresh random worlds, drawn cases.

Half of the addresses are seeds, half are cases of histories drawn at random, each number used
once; so what is counted here is what the lanes `seeds` and `points` would see of the bug.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from tests.planted.engines import Engine
from tests.planted.verdict import Verdict

#: Cases that are drawn of a history at once: playing it costs as much as some cases.
CASES_AT_ONCE = 8
#: Where the seeds begin: none of these is played by another lane.
FIRST_SEED = 50_000_000


@dataclass
class Hunt:
    """What was played against one mutant, and what came of it."""

    seeds: int = 0
    cases: int = 0
    seed_kills: list[Verdict] = field(default_factory=list)
    case_kills: list[Verdict] = field(default_factory=list)
    errors: list[Verdict] = field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        """Count one verdict."""
        seed = verdict.address.startswith("seed ")
        self.seeds += seed
        self.cases += not seed and verdict.how != "missed"
        if verdict.how == "violation":
            (self.seed_kills if seed else self.case_kills).append(verdict)
        if verdict.how == "error":
            self.errors.append(verdict)

    @property
    def kills(self) -> list[Verdict]:
        """Cases first: they stand for longer than seeds."""
        return [*self.case_kills, *self.seed_kills]

    @property
    def alone(self) -> int:
        """Errors that another engine would not show: what the mutant breaks by itself."""
        return len(self.errors)


def hunt(engine: Engine, number: int, histories: list[str]) -> Iterator[Verdict]:
    """Verdicts without end, drawn by this number."""
    rng = Random(f"{engine.name} {number}")
    seed = FIRST_SEED + rng.randrange(10_000_000) * 1000
    while True:
        order = rng.sample(histories, len(histories))
        for history in order:
            yield from engine.all(f"draw {history} | {rng.getrandbits(32)} | {CASES_AT_ONCE}")
            for _ in range(CASES_AT_ONCE // 2):
                yield engine.play(f"seed {seed}")
                seed += 1
