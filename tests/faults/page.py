"""docs/faults.md: what the long run of the fault harness has shown, with what it cannot show."""

from __future__ import annotations

from collections.abc import Mapping

from tests.faults.lanes import NAMES, LaneResult, lane
from tests.faults.running import ROOT

PAGE = ROOT / "docs" / "faults.md"

TITLES = {
    "scope": "Small scope, complete",
    "kept": "Seeds that were red once",
    "crashes": "Real crashes",
    "planted": "Planted bugs",
    "points": "Every point",
    "pairs": "Pairs of faults",
    "seeds": "Random worlds",
}

HEAD = """# What the fault harness has shown

Written by `make faults-full`, at the commit `{commit}`. `make faults` plays a share of the same in
about five minutes, other samples with each commit; both end with exit code 1 at the first
violation of what [guarantees.md](guarantees.md) promises. A long run that was interrupted goes on
where it stopped (`.faults/`, one file a commit).

The whole program runs against the sandbox's servers in one process: every exchange, commit and
statement is a numbered point, and a fault of each kind that means something there is put at each.
After it the program runs until it is at rest, all that both servers hold is judged, and it runs
once more: no write may follow. A case that fails prints its history in words and the one command
that replays it, such as `python -m tests.sim --case 'first load|0|32|lost|off'`.

What counts as one case, and what is left out:

- **Exchanges and commits** are taken one by one, each occurrence in each batch of each history.
- **Statements**: only those that write, since a process that is killed at a read leaves what one
  leaves that is killed at its last commit. In a batch many statements have one text and one place
  in the program; each such one is taken where it first stands in its history, with a kill, a full
  disk, and a lock where it is the one that asks for the file's lock. A transaction that is cut off
  anywhere is rolled back whole, so its statements differ only in what runs before them.
- **A fault that lasts** (credentials refused for ever, a record that is refused for itself) ends
  when a person mends it; then the program must mend the rest by itself.
- **Time** is the simulation's. A process that is killed loses what it has not committed; what a
  computer loses that loses power is not played.

| lane | cases | violations | minutes of a core |
|---|---:|---:|---:|
"""


def page_of(sums: Mapping[str, tuple[LaneResult, float]], commit: str) -> str:
    """The page in Markdown."""
    known = [name for name in NAMES if name in sums]
    rows = [
        f"| {TITLES[name]} | {sums[name][0].cases:,} | {len(sums[name][0].violations)} | "
        f"{sums[name][1] / 60:.0f} |\n"
        for name in known
    ]
    sections = [f"\n## {TITLES[name]}\n\n{lane(name).table(sums[name][0])}\n" for name in known]
    return HEAD.format(commit=commit[:12]) + "".join([*rows, *sections])
