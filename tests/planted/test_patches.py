"""Patches fit the source, or say loudly that they do not."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.planted.invariants import PROMISES
from tests.planted.killers import stored
from tests.planted.mutant import module_of
from tests.planted.patching import EQUIVALENT, ROOT, PatchError, every, load

#: The issue asks for so many at least.
BUGS_MIN = 30
TEXT = """breaks: What it breaks.
invariant: 3
origin: own

@@ syncjob/one.py
<<<<
A = 1
====
A = 2
>>>>
"""


def written(folder: Path, source: str, patch: str = TEXT) -> Path:
    """A checkout of one file, with a patch for it; returns the patch's path."""
    (folder / "syncjob").mkdir()
    (folder / "syncjob" / "one.py").write_text(source)
    path = folder / "bug.patch"
    path.write_text(patch)
    return path


def test_every_patch_fits_the_source() -> None:
    for patch in (*every().values(), *every(EQUIVALENT).values()):
        assert all(text for text in patch.applied().values()), patch.name


def test_there_are_enough_and_each_has_its_killer() -> None:
    patches = every()
    assert len(patches) >= BUGS_MIN
    assert set(patches) == set(stored())
    assert {patch.origin for patch in patches.values()} == {"spike", "issue 3", "own"}
    assert not any(patch.why for patch in patches.values())
    assert all(patch.why for patch in every(EQUIVALENT).values())
    assert all(patch.invariant in range(1, 18) for patch in patches.values())
    assert all(killer.invariant in PROMISES for killer in stored().values())


def test_a_patch_puts_the_new_text_in_place_of_the_old(tmp_path: Path) -> None:
    patch = load(written(tmp_path, "B = 0\nA = 1\n"))
    assert patch.applied(tmp_path) == {"syncjob/one.py": "B = 0\nA = 2\n"}


@pytest.mark.parametrize("source", ["A = 3\n", "A = 1\nA = 1\n"], ids=["gone", "twice"])
def test_a_patch_that_no_longer_applies_is_red(tmp_path: Path, source: str) -> None:
    with pytest.raises(PatchError, match=r"stands (0|2) times in syncjob/one\.py"):
        load(written(tmp_path, source)).applied(tmp_path)


def test_a_patch_that_makes_no_python_is_red(tmp_path: Path) -> None:
    path = written(tmp_path, "A = 1\n", TEXT.replace("A = 2", "A = ("))
    with pytest.raises(PatchError, match="no Python"):
        load(path).applied(tmp_path)


@pytest.mark.parametrize(
    "broken",
    [
        TEXT.replace("invariant: 3\n", ""),
        TEXT.replace(">>>>\n", ""),
        TEXT.replace("====\n", ""),
        TEXT.replace("A = 2", "A = 1"),
        TEXT.replace("origin", "colour"),
        TEXT.partition("@@")[0],
    ],
)
def test_a_patch_that_says_nothing_clear_is_red(tmp_path: Path, broken: str) -> None:
    with pytest.raises(PatchError, match="bug"):
        load(written(tmp_path, "A = 1\n", broken))


def test_modules_have_the_names_that_python_gives_them() -> None:
    assert module_of("syncjob/engine/push.py") == "syncjob.engine.push"
    assert module_of("syncjob/engine/__init__.py") == "syncjob.engine"


def test_every_violation_names_a_promise() -> None:
    """A kill names an invariant: so each name that a judge uses stands in the table, and no other
    does."""
    used = {
        name
        for part in ("sim", "planted")
        for path in (ROOT / "tests" / part).glob("*.py")
        for name in _names(path)
    }
    assert used == set(PROMISES)


def _names(path: Path) -> set[str]:
    calls = (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call))
    firsts = (
        call.args[0]
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "Violation" and call.args
    )
    return {str(arg.value) for arg in firsts if isinstance(arg, ast.Constant)}
