"""The runner of the fault harness: results add up, are kept, and a long run goes on."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.lane_pairs import EACH
from tests.faults.lane_slow import FILES, played
from tests.faults.lanes import NAMES, Budget, LaneResult, Red, lane
from tests.faults.page import BEGIN, END, PAGE, page_of
from tests.faults.running import ROOT, Done, Keeper, Piece, all_pieces, content, play_apart
from tests.sim.leftovers import sweep

#: Apart, so that this file is not taken for one with slow tests.
SLOW = "mark." + "slow"
RED = Red("one_invoice", "deal 1 has two", "python -m tests.sim 7", ("a", "b"))


def result(cases: int, *reds: Red) -> LaneResult:
    """A result of the lane of points."""
    counts = Counter({"kind: lost": cases, "possible": 0})
    return LaneResult("points", cases, counts, [*reds])


def test_results_add_up_and_keep_what_is_zero() -> None:
    total = result(2) + result(3, RED)
    assert (total.cases, total.violations) == (5, [RED])
    assert dict(total.counts) == {"kind: lost": 5, "possible": 0}


def test_a_result_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    keeper = Keeper("a" * 40, tmp_path)
    done = Done(Piece("points", 1, 4), result(3, RED), 2.5, "c" * 40)
    keeper.keep(done)
    assert keeper.known() == [done]


def test_a_run_that_was_killed_while_it_wrote_repeats_that_piece_only(tmp_path: Path) -> None:
    keeper = Keeper("a" * 40, tmp_path)
    first, second = (Done(Piece("points", n, 4), result(n), 1.0) for n in (1, 2))
    keeper.keep(first)
    with keeper.path.open("a") as file:
        file.write('{"piece": ["points", 3')
    assert keeper.known() == [first]
    keeper.keep(second)
    assert keeper.known() == [first, second]


def test_another_content_begins_anew(tmp_path: Path) -> None:
    Keeper("a" * 64, tmp_path).keep(Done(Piece("points", 0, 1), result(1), 1.0))
    assert Keeper("b" * 64, tmp_path).known() == []


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("syncjob/engine/run.py", False),
        ("tests/sim/world.py", False),
        ("tests/engine/world.py", False),
        ("tests/planted/patches/one.patch", False),
        ("tests/crash/test_kill.py", False),
        ("docs/faults.md", True),
        ("tests/engine/test_invoice.py", True),
        ("tests/cli/kit.py", True),
        ("tests/faults/page.py", True),
    ],
)
def test_what_is_kept_holds_until_what_is_played_changes(
    tmp_path: Path, name: str, same: bool
) -> None:
    file = tmp_path / name
    file.parent.mkdir(parents=True)
    file.write_text("1")
    before = content(tmp_path)
    file.write_text("2")
    assert (content(tmp_path) == before) is same


@pytest.mark.parametrize("size", ["ci", "full"])
def test_each_case_falls_to_one_piece(size: str) -> None:
    budgets = [Budget(size, piece, 3) for piece in range(3)]  # type: ignore[arg-type]
    assert [sum(b.mine(n) for b in budgets) for n in range(10)] == [1] * 10


def test_pieces_are_those_that_the_lanes_ask_for() -> None:
    pieces = all_pieces(("points", "pairs"), "ci")
    assert [p.lane for p in pieces].count("points") == lane("points").pieces("ci")


def test_a_piece_is_played_in_a_process_of_its_own() -> None:
    done = play_apart(Piece("pairs", 0, 100), "ci", "0" * 40)
    assert done.result.cases == EACH["ci"]
    assert done.result.violations == []


def test_the_page_keeps_its_words_and_says_what_was_counted() -> None:
    found = [
        Done(Piece("points", 0, 150), result(1200), 60.0, "0123456789abcdef"),
        Done(Piece("points", 1, 150), result(34), 60.0, "fedcba9876543210"),
    ]
    page = page_of(f"# Words\n\n{BEGIN}\nof before\n{END}\n\nmore words\n", found, "c0ffee" * 10)
    assert page.startswith("# Words\n") and page.endswith(f"{END}\n\nmore words\n")
    assert "of before" not in page
    assert "hash `c0ffeec0ffee`, played at `0123456789ab`, `fedcba987654`." in page
    of = len(all_pieces(["points"], "full"))
    assert f"| Every point | 2 of {of} | 1,234 | 0 | 2 |" in page
    assert f"Only 2 of {of} pieces so far." in page
    assert "| lost | 1,234 |" in page
    assert "| Random worlds | 0 of 100 | not yet run | | |" in page
    assert "## Real crashes\n\nIn full not yet run." in page


def test_the_page_has_a_place_for_the_tables() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page_of(page, [], "a" * 64).startswith(page.partition(BEGIN)[0])


def test_every_slow_test_has_its_piece() -> None:
    """But for those of the benchmarks, which measure and judge no guarantee."""
    slow = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("test_*.py")
        if SLOW in path.read_text(encoding="utf-8") and path.parent.name != "benchmarks"
    }
    assert slow == set(FILES)


def test_slow_tests_are_played_and_a_failure_is_a_violation(tmp_path: Path) -> None:
    file = tmp_path / "test_two.py"
    file.write_text(
        f"import pytest\npytestmark = pytest.{SLOW}\n"
        "def test_good(): pass\ndef test_bad(): assert 1 == 2\n"
        "def test_later(): pytest.skip('no data')\n"
    )
    done = played(str(file), "-c", str(ROOT / "pyproject.toml"))
    assert done.cases == 2
    assert done.counts[f"skipped: {file}"] == 1
    assert [red.invariant for red in done.violations] == ["test_bad"]


def test_what_dead_processes_left_is_removed(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    names = (f"syncjob-sim-{dead.pid}-a1", f"syncjob-crash-{os.getpid()}-b2", "syncjob-sim-c3",
             "syncjob-drift-d4", "another-thing")  # fmt: skip
    for name in names:
        (tmp_path / name).mkdir()
    os.utime(tmp_path / names[3], (0, 0))
    os.utime(tmp_path / names[4], (0, 0))
    assert sweep(tmp_path) == 2
    assert {path.name for path in tmp_path.iterdir()} == {names[1], names[2], names[4]}


def test_each_lane_has_its_module() -> None:
    for name in NAMES:
        assert lane(name).pieces("full") >= 1
        assert lane(name).pieces("ci") >= 1 or name == "slow"
