"""Each branch that handles an error has a test that reaches it, as the source stands now."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.marks import noting, source, table

MARKS = {mark.name: mark for mark in source.marks() if mark.kind in source.KINDS}
ROWS = table.read()
HOW = (
    "write a test that reaches it, then:  SYNCJOB_MARKS=/tmp/marks pytest THE_TEST; "
    "python -m tests.marks /tmp/marks --write"
)


def test_each_branch_that_handles_an_error_has_its_test() -> None:
    bare = [
        f"{mark.path}:{mark.line}: {name}"
        for name, mark in MARKS.items()
        if name not in ROWS and name not in table.UNREACHABLE
    ]
    assert not bare, HOW


def test_the_table_names_nothing_that_is_gone() -> None:
    assert not [name for name in [*ROWS, *table.UNREACHABLE] if name not in MARKS], HOW
    assert not [row for row in ROWS.items() if not table.exists(row[1])], HOW


def test_what_cannot_be_reached_is_little_and_says_why() -> None:
    assert len(table.UNREACHABLE) <= table.UNREACHABLE_MAX
    assert not set(table.UNREACHABLE) & set(ROWS)
    assert all(len(why.split()) > 5 for why in table.UNREACHABLE.values())


def test_there_are_as_many_marks_as_branches() -> None:
    """Counted in another way: by the words of the source."""
    lines = [line.split() for path in source.modules().values()
             for line in path.read_text(encoding="utf-8").splitlines()]  # fmt: skip
    branches = [words for words in lines if words and words[0] in ("except", "except:")]
    swallowed = [words for words in lines if words[:1] == ["with"] and "suppress(" in words[1]]
    found = [name for name in MARKS if name.rpartition(":")[2].startswith("except ")]
    assert len(found) == len(branches) + len(swallowed) > 200


SMALL = '''"""A module."""
import contextlib
from syncjob.core.actions import Rejected

class Odd(ValueError):
    def __init__(self, what, *, where=""):
        super().__init__(what)
        self.where = where

class Odder(Odd): ...

def f(x):
    try:
        if x == 1:
            raise Odder("one", where="here")
        return [][x]
    except (Odd, KeyError) as error:
        return error.where
    except IndexError:
        return "no"

def g():
    with contextlib.suppress(OSError, ValueError):
        open("/nowhere")
    return "g"
'''


def test_a_marked_module_does_what_it_did_and_notes_what_it_reached() -> None:
    tree = ast.parse(SMALL)
    errors = source.error_classes({"m": tree})
    assert errors == {"Odd", "Odder"}
    noted: list[str] = []
    names = [name for name, _ in source.Marker("syncjob.m", errors).mark(tree)]

    def born(kind: type, *given: object, **_: object) -> object:
        noted.append(source.class_mark("syncjob.m", kind.__name__))
        return ValueError.__new__(kind, *given)

    def makes(mark: str, kind: type) -> type:
        noted.append(mark)
        return kind

    space: dict[str, Any] = {
        source.HANDLED: noted.append, source.BORN: born, source.MAKES: makes,
    }  # fmt: skip
    exec(compile(tree, "m", "exec"), space)
    assert (space["f"](1), space["f"](2), space["g"]()) == ("here", "no", "g")
    assert noted == [
        "m:f:raise Odder", "m:class Odder", "m:f:except Odd, KeyError", "m:f:except IndexError",
        "m:g:except OSError, ValueError",
    ]  # fmt: skip
    assert set(names) == {*noted, "m:class Odd"}


def test_marks_are_noted_in_a_process_of_its_own(tmp_path: Path) -> None:
    """By a real command, under the name of the test that started it."""
    env = {**os.environ, noting.FOLDER: str(tmp_path), noting.CURRENT: "tests/x.py::test_y (call)"}
    for _ in range(2):  # the second time with what the first has compiled
        done = subprocess.run(
            [sys.executable, "-m", "syncjob", "-c", "/nowhere.yaml", "status"],
            env={**env, "PYTHONPATH": str(noting.HOOK)}, cwd=source.ROOT, capture_output=True,
        )  # fmt: skip
        assert done.returncode == 2, done.stderr
    noted = table.reached(tmp_path)
    assert noted["errors:class ConfigError"] == {"tests/x.py::test_y"}
    assert "cli:run:except SyncJobError" in noted
    assert set(noted) <= {mark.name for mark in source.marks()}
