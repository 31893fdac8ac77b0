"""Exactly the plan that a person saw is written, and of what changed meanwhile nothing."""

from __future__ import annotations

from tests.engine.applying import apply, codes_of, fates, plan_text
from tests.engine.scenes import quiet, sell
from tests.engine.world import World


def test_a_plan_is_applied_as_it_was_shown(world: World) -> None:
    deal = sell(world)
    text = plan_text(world)
    mark = world.mark()
    report = apply(world, text)
    print(fates(report), report.batch.issues, [i for i in report.items if i.fate != "done"])
    assert set(report.counts) == {"done"}
    assert len(world.invoices()) == 1
    assert world.deal_fields(deal)["Invoice status"] == "draft"
    assert codes_of(report) == {}
    assert len(world.writes(mark)) == 3
    quiet(world)
