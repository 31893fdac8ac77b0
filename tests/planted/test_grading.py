"""The grader is graded: what is no kill is not counted as one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from tests.planted.addresses import CaseAddress, Spot, spots
from tests.planted.engines import Engine
from tests.planted.hunting import Hunt
from tests.planted.killers import Killer, grade, stored
from tests.planted.patching import ROOT
from tests.planted.verdict import How, Verdict

HEAD = "breaks: Nothing much.\ninvariant: 3\norigin: own\n"
#: A scene of which each batch runs `settle`.
SCENE = "scene reopened_and_archived"
SETTLE = '    """Settle what earlier batches left open."""\n'


def patch(folder: Path, name: str, path: str, old: str, new: str) -> None:
    """Write a patch of one hunk."""
    text = f"{HEAD}\n@@ syncjob/{path}\n<<<<\n{old}====\n{new}>>>>\n"
    (folder / f"{name}.patch").write_text(text)


@pytest.fixture(scope="module")
def shipped() -> Iterator[Engine]:
    with Engine() as engine:
        yield engine


def graded(folder: Path, shipped: Engine, killer: Killer) -> str:
    """Why the patch "bug" is not caught by this killer."""
    words = grade("bug", killer, shipped, folder)
    assert words is not None
    return words


def test_a_planted_bug_is_caught_by_its_killer(shipped: Engine) -> None:
    assert grade("archived_left_out", stored()["archived_left_out"], shipped) is None


def test_a_patch_that_breaks_nothing_is_red(tmp_path: Path, shipped: Engine) -> None:
    patch(tmp_path, "bug", "engine/settle.py", SETTLE, '    """Settle."""\n')
    words = graded(tmp_path, shipped, Killer(SCENE, "withdrawn"))
    assert "no longer names withdrawn, but: passed" in words


def test_the_mutants_own_exception_is_no_kill(tmp_path: Path, shipped: Engine) -> None:
    patch(tmp_path, "bug", "engine/settle.py", SETTLE, SETTLE + "    len(batch)\n")
    words = graded(tmp_path, shipped, Killer(SCENE, "withdrawn"))
    assert "error TypeError: object of type 'Batch' has no len() (<bug>/syncjob/engine/" in words


def test_another_invariant_than_the_stored_one_is_red(shipped: Engine) -> None:
    known = stored()["archived_left_out"]
    words = grade("archived_left_out", Killer(known.address, "one_invoice"), shipped)
    assert words is not None
    assert "no longer names one_invoice, but: violation withdrawn" in words


def test_a_killer_that_the_shipped_engine_does_not_pass_is_red(shipped: Engine) -> None:
    words = grade("archived_left_out", Killer("scene of_no_such_name", "withdrawn"), shipped)
    assert words is not None
    assert "the shipped engine does not pass" in words


def test_a_killer_whose_fault_never_happens_is_red(shipped: Engine) -> None:
    address = "case first load | 0 | write PUT /xero/api.xro/2.0/Nothing | 1 | lost | off"
    words = grade("archived_left_out", Killer(address, "withdrawn"), shipped)
    assert words is not None
    assert "the shipped engine does not pass" in words


def test_a_name_that_is_no_invariant_is_red(shipped: Engine) -> None:
    words = grade("archived_left_out", Killer(SCENE, "TypeError"), shipped)
    assert words == "archived_left_out: TypeError is no invariant of the judge's"


def test_a_patch_that_no_longer_applies_is_red(tmp_path: Path, shipped: Engine) -> None:
    patch(tmp_path, "bug", "engine/settle.py", "def unsettle() -> None:\n", "pass\n")
    words = graded(tmp_path, shipped, Killer(SCENE, "withdrawn"))
    assert "stands 0 times in syncjob/engine/settle.py" in words


def test_a_patched_module_that_nobody_imports_is_red(tmp_path: Path, shipped: Engine) -> None:
    head = (ROOT / "syncjob" / "cli" / "demo.py").read_text().splitlines()[0]
    patch(tmp_path, "bug", "cli/demo.py", f"{head}\n", f'"""Another.{head[3:]}\n')
    words = graded(tmp_path, shipped, Killer(SCENE, "withdrawn"))
    assert "the patched syncjob.cli.demo was never imported" in words


def test_a_bug_without_a_killer_is_red(shipped: Engine) -> None:
    words = grade("archived_left_out", None, shipped)
    assert words is not None
    assert "no killer is stored" in words


def test_errors_and_faults_that_never_happened_are_not_counted_as_kills() -> None:
    found = Hunt()
    for how in get_args(How):
        found.add(Verdict("case x", how))
        found.add(Verdict("seed 1", how))
    assert (found.seeds, found.cases) == (4, 3)
    assert (len(found.seed_kills), len(found.case_kills), len(found.errors)) == (1, 1, 2)


def test_a_point_is_named_by_what_passes_there() -> None:
    passed = [("commit", "state"), ("read", "GET /deals"), ("commit", "state"),
              ("commit", "state"), ("write", "PUT /i/8092b4d4-2b28-4e9d-8a5b-1f2e3d4c5b6a"),
              ("read", "GET /deals")]  # fmt: skip
    assert spots(passed) == [
        Spot("start", 1, 1), Spot("read GET /deals", 1, 0), Spot("read GET /deals", 1, 1),
        Spot("read GET /deals", 1, 2), Spot("write PUT /i/*", 1, 0), Spot("read GET /deals", 2, 0),
    ]  # fmt: skip
    address = CaseAddress("won, then another", 1, Spot("read GET /deals", 1, 2), "lost", True)
    assert CaseAddress.of(str(address)) == address
