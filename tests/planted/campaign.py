"""How far one planted bug gets: by its stored killer, and against what the harness plays anyway."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.planted.engines import Engine
from tests.planted.hunting import Hunt, hunt
from tests.planted.verdict import Verdict

#: So many kills say enough about how often a bug is seen.
KILLS = 3
#: So many fresh seeds and drawn cases each are played for a bug that is seen less often. The rarest
#: bug of the first experiments showed once in 690 seeds.
SEEDS_MAX, CASES_MAX = 1_500, 3_000


@dataclass
class Campaign:
    """One mutant on fresh draws. `wrong`: verdicts that the shipped engine gives as well."""

    name: str
    found: Hunt = field(default_factory=Hunt)
    wrong: list[Verdict] = field(default_factory=list)

    def run(self, number: int, histories: list[str], *, most: int = SEEDS_MAX) -> None:
        """Play until it is seen often enough, or `most` seeds were played and twice as many
        cases."""
        with Engine(self.name) as mutant, Engine() as shipped:
            for verdict in hunt(mutant, number, histories):
                if verdict.how == "violation" and shipped.play(verdict.address).how != "passed":
                    self.wrong.append(verdict)
                    continue
                self.found.add(verdict)
                enough = len(self.found.kills) >= KILLS
                if enough or (self.found.seeds >= most and self.found.cases >= 2 * most):
                    return

    def counts(self) -> dict[str, Any]:
        """Sums, by names that carry the patch's own."""
        found = self.found
        return {
            f"{self.name}: seeds": found.seeds, f"{self.name}: cases": found.cases,
            f"{self.name}: seed kills": len(found.seed_kills),
            f"{self.name}: case kills": len(found.case_kills),
            f"{self.name}: own errors": len(found.errors),
        }  # fmt: skip
