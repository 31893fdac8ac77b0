"""The tests that take minutes: big loads killed by SIGKILL, killed twice, real orders, more draws.

`make test` leaves out what is marked as slow (tests/conftest.py), and so does the quick size; the
full size plays all of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from tests.faults.lanes import Budget, LaneResult, Red, Size

ROOT = Path(__file__).resolve().parents[2]
#: The files that hold slow tests (tests/faults/test_runner.py finds those that are missing here).
FILES = (
    "tests/crash/test_disk.py",
    "tests/crash/test_kill.py",
    "tests/crash/test_lost_state.py",
    "tests/crash/test_northwind.py",
    "tests/engine/contacts/test_undo.py",
    "tests/engine/test_cancel.py",
    "tests/engine/test_cents.py",
    "tests/engine/test_hubspot_faults.py",
    "tests/engine/test_hubspot_northwind.py",
    "tests/engine/test_hubspot_random.py",
    "tests/engine/test_moves.py",
    "tests/engine/test_northwind_taxes.py",
    "tests/engine/test_relink_many.py",
)
#: Exit codes of pytest that leave a report: all passed, some failed.
_REPORTED = (0, 1)


def pieces(size: Size) -> int:
    """A piece a file in full, none else."""
    return len(FILES) if size == "full" else 0


def run(budget: Budget) -> LaneResult:
    """The slow tests of this piece's file."""
    return played(FILES[budget.piece])


def played(file: str, *chosen: str) -> LaneResult:
    """The slow tests of a file; `chosen` are further words for pytest."""
    result = LaneResult("slow")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        words = ["-m", "slow", "-p", "no:cacheprovider", f"--junitxml={report}", file, *chosen]
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", *words], cwd=ROOT, capture_output=True, text=True,
            check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert ended.returncode in _REPORTED, ended.stdout[-2000:] + ended.stderr[-2000:]
        for case in ElementTree.parse(report).iter("testcase"):
            _count(file, case, result)
    return result


def _count(file: str, case: ElementTree.Element, result: LaneResult) -> None:
    if case.find("skipped") is not None:
        result.counts[f"skipped: {file}"] += 1
        return
    result.cases += 1
    result.counts[f"played: {file}"] += 1
    for wrong in (*case.findall("failure"), *case.findall("error")):
        name = case.get("name", "")
        again = f"pytest -m slow '{file}' -k '{name.partition('[')[0]}'"
        story = (wrong.text or "").splitlines()[-60:]
        result.violations.append(Red(name, wrong.get("message", "")[:600], again, tuple(story)))


def table(total: LaneResult) -> str:
    """Tests by file."""
    lines = ["| tests marked as slow | played | skipped |", "|---|---:|---:|"]
    lines += [
        f"| `{file}` | {total.counts[f'played: {file}']} | {total.counts[f'skipped: {file}']} |"
        for file in FILES
    ]
    return "\n".join([*lines, "", "Skipped are those whose data a checkout does not bring along."])
