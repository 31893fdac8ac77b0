"""Random worlds: a few new seeds for each commit, and the latest that were red.

`make faults` plays 300 new ones, people with plans among them, and every seed that was ever red
(tests/faults/lane_seeds.py, lane_kept.py); CI plays both.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.sim import people
from tests.sim.aims import Aim
from tests.sim.kept import kept_seeds
from tests.sim.kinds import Point
from tests.sim.seeds import OFF_H, late, play, replay
from tests.sim.swarm import Swarm, crm_of, draw, manners, rarities
from tests.sim.world import new_world

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


def test_seeds_kept_before_the_last_draws_have_none_of_them() -> None:
    for seed in range(20):
        crm = crm_of(seed)
        before = rarities(draw(Random(seed), Random(seed), crm), seed, crm)
        assert not (before.rests or before.cut or before.aside)
        after = manners(before, seed, crm)
        assert replace(after, rests=0.0, cut=0.0, aside=0.0) == before


def test_a_deal_is_put_aside_and_the_machine_is_off_and_cut_off() -> None:
    """The last draws happen where they are on: what they are for, no other deed does."""
    seeds, off, cut = range(100), 0, 0
    tidy = next(seed for seed in seeds if _drawn_of(seed).aside)
    with new_world() as world:
        world.crm("create_org", name="Acme Pty")
        made = world.crm("create_deal", title="Order", org=1, currency="AUD", lines=[])
        people.put_aside(world, Random(tidy))
        found = world.truth.get("deals", made["id"])
        assert found is not None and found["is_archived"]
        swarm = replace(_drawn_of(tidy), aside=0.0, rests=1.0, cut=0.5)
        for n in range(20):
            before = world.time.now()
            late(world, swarm, Random(n))
            off += world.time.now() - before >= timedelta(hours=min(OFF_H))
            cut = len(world.faults.aims.waiting)
    assert off == 20
    assert 0 < cut < off
    read, commit = (Point(0, kind, "") for kind in ("read", "commit"))
    aim = Aim("kill after", 0, commit=True)
    assert (aim.meets(read), aim.meets(commit)) == (False, True)


def _drawn_of(seed: int) -> Swarm:
    crm = crm_of(seed)
    return manners(draw(Random(seed), Random(seed), crm), seed, crm)


def test_nothing_is_left_behind() -> None:
    assert not play(6).world.folder.exists()


def _play(seeds: list[tuple[int, dict[str, Any]]]) -> None:
    for seed, how in seeds:
        try:
            play(seed, **how)
        except Exception as error:
            error.add_note(f"replay: {replay(seed, **how)}")
            raise
