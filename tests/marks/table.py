"""Which test reaches which mark: the committed table, and what a run says of it."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.marks.source import ROOT, Mark

FILE = Path(__file__).with_name("table.txt")

#: Branches that no test reaches, each with the reason.
UNREACHABLE: dict[str, str] = {
    "engine.firststeps.keeping:keep:except OSError #2": "a file that the same command made a "
    "moment ago cannot be removed only if its disk turns read-only in between",
}
#: More than this is an excuse.
UNREACHABLE_MAX = 1

#: What they play differs from commit to commit, so that they cannot stand for a mark.
DRAWN = ("tests/sim/", "tests/faults/", "tests/drift/", "tests/notices/", "no test")

Reached = Mapping[str, set[str]]


def read(file: Path = FILE) -> dict[str, str]:
    """The committed table: mark to test."""
    rows = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()]
    return {mark: test for mark, test in rows}


def write(rows: Mapping[str, str], file: Path = FILE) -> None:
    """Store the table."""
    lines = [f"{mark}\t{test}\n" for mark, test in sorted(rows.items())]
    file.write_text("".join(lines), encoding="utf-8")


def reached(folder: Path) -> Reached:
    """What the processes of a run noted: the tests by mark."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in sorted((folder / "reached").iterdir()):
        for line in path.read_text(encoding="utf-8").splitlines():
            mark, _, test = line.partition("\t")
            found[mark].add(test)
    return found


def unreached(marks: list[Mark], noted: Reached) -> list[Mark]:
    """The marks that nothing reached."""
    return [one for one in marks if one.name not in noted and one.name not in UNREACHABLE]


def untrue(rows: Mapping[str, str], noted: Reached) -> dict[str, str]:
    """The rows whose test ran and did not reach the mark."""
    ran = set().union(*noted.values()) if noted else set()
    return {m: test for m, test in rows.items() if test in ran and test not in noted.get(m, ())}


def renewed(rows: Mapping[str, str], marks: list[Mark], noted: Reached) -> dict[str, str]:
    """The table after a run: a true row stays, others name the test that reaches fewest marks.

    A test that reaches few marks is about them; one that happens to pass by reaches many.
    """
    many = Counter(test for tests in noted.values() for test in tests)
    false = untrue(rows, noted)
    found: dict[str, str] = {}
    for mark in marks:
        test = rows.get(mark.name, "")
        if not exists(test) or mark.name in false:
            steady = [t for t in noted.get(mark.name, ()) if not t.startswith(DRAWN) and exists(t)]
            test = min(steady, key=lambda t: (many[t], t), default="")
        if test and mark.name not in UNREACHABLE:
            found[mark.name] = test
    return found


@cache
def exists(test: str) -> bool:
    """Whether `tests/x/test_y.py::test_z` stands in the source (a class's tests in its bases)."""
    path, *names = test.split("::")
    file = ROOT / path
    if not names or not file.is_file():
        return False
    return _has(ast.parse(file.read_bytes()), names)


def _has(tree: ast.Module | ast.ClassDef, names: list[str]) -> bool:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == names[0]:
            return len(names) == 1 or bool(node.bases) or _has(node, names[1:])
        if isinstance(node, ast.FunctionDef) and node.name == names[0]:
            return len(names) == 1
    return False
