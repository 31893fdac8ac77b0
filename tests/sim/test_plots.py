"""Each plot comes to its end in a plain world of either CRM, with the faults that it is made of."""

from __future__ import annotations

from random import Random

import pytest

from tests.sim import plots
from tests.sim.features import PLAIN, Features
from tests.sim.happenings import sell_at_once
from tests.sim.judge import recover
from tests.sim.swarm import crm_of, draw, manners, more, plotted, rarities
from tests.sim.world import new_world

#: What must happen in each, at a point of our program.
_FIRES = {"cut off in a walk": "kill after", "moved between pages": "edit after",
          "lands late": "late twice", "seen by one that ends": "gone"}  # fmt: skip


@pytest.mark.parametrize("crm", ["pipedrive", "hubspot"])
@pytest.mark.parametrize("name", plots.PLOTS | plots.LATER)
def test_a_plot_comes_to_its_end_and_all_is_well(name: str, crm: str) -> None:
    features = Features(contacts="ask") if name in plots.ASKS else PLAIN
    with new_world(vendor=crm, features=features) as world:
        sell_at_once(world, 2)
        for _ in range(2):
            world.advance(plots.INTERVAL)
            world.run()
        plots.play(world, name, Random(3), lambda: world.run() and None)
        assert not [words for words in world.story if "not possible" in words]
        fired = [kind for _, kind in world.faults.fired]
        assert fired == ([_FIRES[name]] if name in _FIRES else [])
        recover(world)


def test_each_plot_is_drawn_by_some_seeds_and_none_where_two_programs_are() -> None:
    drawn = []
    for seed in range(400):
        crm = crm_of(seed)
        swarm = draw(Random(seed), Random(f"features {seed}"), crm)
        before = manners(rarities(more(swarm, seed, crm), seed, crm), seed, crm)
        after = plotted(before, seed)
        if after.plot is None:
            assert after == before
        else:
            assert before.wish.second is None
            drawn.append(after.plot[1])
    assert {*drawn} == {*plots.PLOTS, *plots.LATER}
    assert 400 / 6 < len(drawn) < 400 / 2
