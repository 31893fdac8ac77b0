"""docs/guarantees.md names modules, tests, lanes and planted bugs that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.lanes import NAMES

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs/guarantees.md").read_text(encoding="utf-8")
#: A row of the promises: its number, what keeps it, what shows it.
ROWS = re.findall(r"^\| (\d+) \| .+ \| ([^|]+) \| ([^|]+) \|$", TEXT, re.M)
PLANTED = re.findall(r"^\| (\d+) \| ((?:`\w+`(?:, )?)+) \|$", TEXT, re.M)


def paths(cell: str) -> list[str]:
    return re.findall(r"`([\w./*]+/(?:[\w.*]+)?|[\w/]+\.py)`", cell)


def stands(folder: str, name: str) -> bool:
    """A file or folder of that name, in the named folder or from the root."""
    return any(any(base.glob(name.rstrip("/"))) for base in (ROOT / folder, ROOT))


def test_every_promise_has_its_row() -> None:
    assert [int(number) for number, _, _ in ROWS] == list(range(1, len(ROWS) + 1))
    assert len(ROWS) >= 18


@pytest.mark.parametrize("row", ROWS, ids=[number for number, _, _ in ROWS])
def test_what_keeps_and_what_shows_a_promise_is_there(row: tuple[str, str, str]) -> None:
    _, keeps, shows = row
    assert paths(keeps) and paths(shows)
    assert not [name for name in paths(keeps) if not stands("syncjob", name)]
    assert not [name for name in paths(shows) if not stands("tests", name)]


def test_whatever_else_it_names_is_there() -> None:
    rest = "\n".join(line for line in TEXT.splitlines() if not re.match(r"\| \d+ \|", line))
    missing = [n for n in paths(rest) if not (stands("tests", n) or stands("syncjob", n))]
    assert not missing


def test_every_lane_is_told_of() -> None:
    told = re.findall(r"^  \| (\w+) \|", TEXT, re.M)
    assert sorted(set(told) - {"lane"}) == sorted(NAMES)


def test_planted_bugs_are_there_and_beside_a_promise() -> None:
    named = [name for _, cell in PLANTED for name in re.findall(r"`(\w+)`", cell)]
    assert len(named) == len(set(named)) >= 25
    patches = {path.stem for path in (ROOT / "tests/planted/patches").glob("*.patch")}
    assert not [name for name in named if name not in patches]
    assert {number for number, _ in PLANTED} <= {number for number, _, _ in ROWS}
