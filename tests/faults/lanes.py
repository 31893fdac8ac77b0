"""What a lane of the fault harness is: pieces of work whose counts add up, and a table of them.

A lane is the module `tests/faults/lane_<name>.py` with three functions:

- `pieces(size) -> int`: into how many pieces its work falls, for "ci" or "full". One piece takes
  a minute or less where that can be, since an interrupted full run repeats the piece it was in.
- `run(budget) -> LaneResult`: plays the piece `budget.piece` of `budget.pieces`, in a process of
  its own. What a piece plays follows from the budget alone. A case that fails is a `Red` in the
  result and not an exception; an exception is a fault of the harness, and ends the run.
- `table(total) -> str`: the Markdown of the lane's section of docs/faults.md, from the sum of
  all its pieces.
"""

from __future__ import annotations

import importlib
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

Size = Literal["ci", "full"]

#: All lanes, the quick ones first: what is broken shows early.
NAMES = ("scope", "kept", "crashes", "planted", "points", "pairs", "slow", "seeds")


@dataclass(frozen=True)
class Budget:
    """Which piece of a lane's work to play, and at which size."""

    size: Size
    piece: int = 0
    pieces: int = 1
    #: The commit's hash, 40 hex digits: "ci" draws its samples from it.
    commit: str = "0" * 40

    @property
    def drawn(self) -> int:
        """A number from the commit: each commit plays other samples, and always the same ones."""
        return int(self.commit[:7], 16)

    def mine(self, number: int) -> bool:
        """Whether the case of this number, counted over the whole lane, falls to this piece."""
        return number % self.pieces == self.piece


@dataclass(frozen=True)
class Red:
    """One case that failed: which invariant, in words, and the command that replays it."""

    invariant: str
    words: str
    #: A shell command, run from the checkout.
    replay: str
    #: The case's history in words: who did what, which call failed how, what each side holds.
    story: tuple[str, ...] = ()


@dataclass
class LaneResult:
    """What was played. Results add up: `counts` are sums of anything a table wants to show."""

    name: str
    #: Distinct cases that counted: of a fault only those in which it fired.
    cases: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[Red] = field(default_factory=list)

    def __add__(self, other: LaneResult) -> LaneResult:
        assert self.name == other.name
        return LaneResult(
            self.name, self.cases + other.cases, Counter(_sum(self.counts, other.counts)),
            [*self.violations, *other.violations],
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Plain values, for the file of a long run."""
        reds = [asdict(red) for red in self.violations]
        return {"name": self.name, "cases": self.cases, "counts": dict(self.counts),
                "violations": reds}  # fmt: skip

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> LaneResult:
        """The other way."""
        reds = [Red(**{**red, "story": tuple(red["story"])}) for red in given["violations"]]
        return cls(given["name"], given["cases"], Counter(given["counts"]), reds)


class Lane(Protocol):
    """The functions of a lane's module."""

    def pieces(self, size: Size) -> int: ...

    def run(self, budget: Budget) -> LaneResult: ...

    def table(self, total: LaneResult) -> str: ...


def lane(name: str) -> Lane:
    """The lane of that name."""
    assert name in NAMES, name
    module: Any = importlib.import_module(f"tests.faults.lane_{name}")
    return module  # type: ignore[no-any-return]


def _sum(one: Counter[str], other: Counter[str]) -> dict[str, int]:
    """Counts of both; unlike Counter's own sum it keeps a zero."""
    return {key: one[key] + other[key] for key in {**one, **other}}
