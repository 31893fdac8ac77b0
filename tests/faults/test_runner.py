"""The runner of the fault harness: results add up, are kept, and a long run goes on."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.lane_pairs import EACH
from tests.faults.lanes import NAMES, Budget, LaneResult, Red, lane
from tests.faults.page import page_of
from tests.faults.running import Done, Keeper, Piece, all_pieces, play_apart, summed
from tests.sim.leftovers import sweep

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
    done = Done(Piece("points", 1, 4), result(3, RED), 2.5)
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


def test_another_commit_begins_anew(tmp_path: Path) -> None:
    Keeper("a" * 40, tmp_path).keep(Done(Piece("points", 0, 1), result(1), 1.0))
    assert Keeper("b" * 40, tmp_path).known() == []


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


def test_the_page_names_the_commit_and_what_was_counted() -> None:
    found = [Done(Piece("points", 0, 1), result(1200), 60.0)]
    page = page_of(summed(found), "0123456789abcdef")
    assert "`0123456789ab`" in page
    assert "| Every point | 1,200 | 0 | 1 |" in page
    assert "| lost | 1,200 |" in page


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
        assert lane(name).pieces("ci") >= 1
