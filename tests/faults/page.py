"""The tables of docs/faults.md: what the full size has shown so far, and what was not yet run."""

from __future__ import annotations

from collections.abc import Sequence

from tests.faults.lanes import NAMES, LaneResult, lane
from tests.faults.running import ROOT, Done, all_pieces, summed

PAGE = ROOT / "docs" / "faults.md"
#: Between these two lines of the page stands what is written here; the rest is a person's.
BEGIN = "<!-- from here: python -m tests.faults page -->"
END = "<!-- to here -->"

TITLES = {
    "scope": "Small scope, complete",
    "kept": "Seeds that were red once",
    "crashes": "Real crashes",
    "planted": "Planted bugs",
    "points": "Every point",
    "pairs": "Pairs of faults",
    "slow": "Slow tests",
    "seeds": "Random worlds",
}
NOT_YET = "not yet run"


def page_of(page: str, found: Sequence[Done], content: str) -> str:
    """The page with its tables anew, from the pieces of the full size that were played of the
    program and the harness with this hash."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin and end, f"{PAGE} has no place for the tables"
    return f"{before}{BEGIN}\n\n{tables(found, content)}\n\n{END}{after}"


def tables(found: Sequence[Done], content: str) -> str:
    """What was played of what, at which commits; a section a lane."""
    sums = summed(found)
    rows = [_row(name, sums.get(name), _played(name, found)) for name in NAMES]
    sections = [_section(name, sums.get(name), _played(name, found)) for name in NAMES]
    return "\n".join([*_said(found, content), *rows, *sections])


def _said(found: Sequence[Done], content: str) -> list[str]:
    commits = ", ".join(f"`{one[:12]}`" for one in dict.fromkeys(d.commit for d in found))
    at = f"played at {commits}" if found else "of which nothing was played yet"
    return [
        f"`make faults-full` of the program and the harness with the hash `{content[:12]}`, {at}.",
        "",
        "| lane | pieces played | cases | violations | minutes of a core |",
        "|---|---:|---:|---:|---:|",
    ]


def _played(name: str, found: Sequence[Done]) -> tuple[int, int]:
    """The pieces of a lane that were played, and all."""
    return sum(d.piece.lane == name for d in found), len(all_pieces([name], "full"))


def _row(name: str, total: tuple[LaneResult, float] | None, played: tuple[int, int]) -> str:
    if total is None:
        return f"| {TITLES[name]} | 0 of {played[1]} | {NOT_YET} | | |"
    result, seconds = total
    return (f"| {TITLES[name]} | {played[0]} of {played[1]} | {result.cases:,} "
            f"| {len(result.violations)} | {seconds / 60:.0f} |")  # fmt: skip


def _section(name: str, total: tuple[LaneResult, float] | None, played: tuple[int, int]) -> str:
    head = f"\n## {TITLES[name]}\n\n"
    if total is None:
        return f"{head}In full {NOT_YET}."
    part = "" if played[0] == played[1] else f"Only {played[0]} of {played[1]} pieces so far.\n\n"
    return f"{head}{part}{lane(name).table(total[0])}"
