"""Random worlds: a few new seeds for each commit, and the latest that were red.

`make faults` plays 300 new ones, people with plans among them, and every seed that was ever red
(tests/faults/lane_seeds.py, lane_kept.py); CI plays both.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.sim.kept import kept_seeds
from tests.sim.seeds import play, replay

#: How many new seeds are played (SYNCJOB_SEEDS for more).
SEEDS = int(os.environ.get("SYNCJOB_SEEDS", "5"))
#: Groups, so that workers can share them.
GROUPS = 2
#: Of the seeds that were red once so many, the latest.
KEPT = 4


def _drawn() -> int:
    """A number from the commit's hash: each commit plays other seeds, and always the same ones."""
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return int(found.stdout[:7] or "0", 16) if found.returncode == 0 else 0


@pytest.mark.parametrize("group", range(GROUPS))
def test_new_seeds(group: int) -> None:
    first = 1_000_000 + _drawn() % 10_000_000 * 100
    _play([(seed, {}) for seed in range(first + group, first + SEEDS, GROUPS)])


def test_plans_that_are_applied() -> None:
    """A share of other seeds, whose people look at a plan before most of their batches."""
    first = 3_000_000 + _drawn() % 10_000_000 * 100
    _play([(seed, {"plans": True}) for seed in range(first, first + SEEDS // 5)])


def test_seeds_that_were_red_of_late() -> None:
    _play([(seed, dict(how)) for seed, how in kept_seeds()[-KEPT:]])


def test_a_seed_plays_the_same_history_each_time() -> None:
    for crm in ("pipedrive", "hubspot"):
        assert play(5, crm=crm).world.story == play(5, crm=crm).world.story


def test_over_real_sockets_a_seed_plays_the_same_history() -> None:
    for seed, crm in ((21, "pipedrive"), (24, "hubspot")):
        over_sockets = play(seed, crm=crm, http=True).world.story
        assert over_sockets == play(seed, crm=crm).world.story


def test_nothing_is_left_behind() -> None:
    assert not play(6).world.folder.exists()


def _play(seeds: list[tuple[int, dict[str, Any]]]) -> None:
    for seed, how in seeds:
        try:
            play(seed, **how)
        except Exception as error:
            error.add_note(f"replay: {replay(seed, **how)}")
            raise
