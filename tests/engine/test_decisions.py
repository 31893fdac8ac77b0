"""Whatever a person decides is found again: who, when, why, and what came of it."""

from __future__ import annotations

from syncjob.state.decisions import Decision
from tests.engine.scenes import awaiting, billed, minutes, sell
from tests.engine.world import World


def _all(world: World, verb: str) -> list[Decision]:
    with world.connection() as handle:
        return [d for d in handle.state.decisions.since() if d.verb == verb]


def test_a_mode_is_kept_with_who_raised_it_and_when(world: World) -> None:
    billed(world)
    (first,) = _all(world, "mode")
    assert (first.kind, first.outcome) == ("mode:drafts_only", "the first mode of this state")
    world.overrides = {"mode": "full"}
    with world.connection() as handle:
        handle.check()
    assert len(_all(world, "mode")) == 1, "a check is no batch"
    world.plan()
    assert len(_all(world, "mode")) == 1, "nor is a dry run"
    minutes(world, 5)
    world.run()
    minutes(world, 5)
    world.run()
    _, raised = _all(world, "mode")
    assert (raised.kind, raised.who) == ("mode:full", "a test")
    assert raised.outcome == "raised from drafts_only"
    assert (raised.at, raised.batch) != (first.at, first.batch)
    world.overrides = {"mode": "read_only"}
    minutes(world, 5)
    world.run()
    assert _all(world, "mode")[-1].outcome == "lowered from full"


def test_a_released_plan_is_kept_with_its_reason(world: World) -> None:
    world.overrides = {"guard": {"creates_first_week": 1, "creates": 1}}
    for number in range(3):
        sell(world, f"Firm {number}")
    stopped = world.run()
    assert stopped.plan_hash
    minutes(world, 1)
    world.run(accept=stopped.plan_hash, reason="the spring sale")
    (made,) = _all(world, "accept")
    assert made.kind == f"accept:{stopped.plan_hash}"
    assert (made.who, made.reason, made.subject) == ("a test", "the spring sale", "connection")
    assert made.outcome, "which limit it was released from"


def test_a_pause_and_its_end_are_kept(world: World) -> None:
    with world.connection() as handle:
        handle.pause(only="invoices", until=None, reason="audit", who="maria")
        assert handle.resume(only="notices", who="tom") == []
        handle.resume(only="invoices", who="tom")
    (paused,) = _all(world, "pause")
    assert (paused.kind, paused.who, paused.reason) == ("pause:invoices", "maria", "audit")
    (resumed,) = _all(world, "resume")
    assert (resumed.who, resumed.outcome) == ("tom", "ended: invoices")


def test_a_credit_note_is_kept_with_its_deal(world: World) -> None:
    from syncjob.core.rules.credit import Wish

    world.overrides = {"mode": "full"}
    deal = awaiting(world)
    with world.connection() as handle:
        wish = Wish(how="full", reason="goods came back")
        handle.credit(str(deal), wish, part=None, write=True, who="maria", expect=None)
        (made,) = [d for d in handle.state.decisions.of(f"deal:{deal}") if d.verb == "credit"]
    assert (made.who, made.reason) == ("maria", "goods came back")
    assert "110.00 AUD" in made.outcome
