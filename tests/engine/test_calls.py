"""What a batch costs in calls, counted at the servers."""

from __future__ import annotations

from tests.engine.scenes import awaiting, minutes, sell
from tests.engine.world import World


def read(w: World, mark: int) -> list[tuple[str, str]]:
    """Method and last word of the path of each call since then, tokens left out."""
    return sorted(
        (c["method"], c["path"].rsplit("/", 1)[1])
        for c in w.since(mark)
        if "/connect/token" not in c["path"]
    )


POLL = [("GET", "Contacts"), ("GET", "Invoices"), ("GET", "deals")]


def at_rest(w: World) -> None:
    """Half an hour on, so that our own writes lie before the lookback."""
    minutes(w, 20)
    w.run()
    minutes(w, 20)
    w.run()
    minutes(w, 5)


def test_nothing_to_do_costs_one_call_a_stream(world: World) -> None:
    awaiting(world)
    for _ in range(13):  # archived deals were read an hour ago: they are due once an hour
        minutes(world, 5)
        world.run()
    costs = []
    for _ in range(12):
        minutes(world, 5)
        mark = world.mark()
        world.run()
        assert world.writes(mark) == []
        cost = read(world, mark)
        if any("/connect/token" in c["path"] for c in world.since(mark)):
            cost.remove(("GET", "Organisation"))  # a new token is met before it is used
        costs.append(cost)
    with_archived = sorted([*POLL, ("GET", "archived")])
    assert [c for c in costs if c not in (POLL, with_archived)] == []
    assert costs.count(with_archived) == 1


def test_a_hundred_open_deals_cost_nothing_more(world: World) -> None:
    for n in range(100):
        sell(world, title=f"Open {n}", won=False)
    world.run()
    at_rest(world)
    mark = world.mark()
    world.run()
    assert read(world, mark) == POLL


def test_held_deals_cost_calls_once_an_hour_and_not_each_batch(world: World) -> None:
    for n in range(3):
        sell(world, title=f"Held {n}", lines=[])
    world.run()
    at_rest(world)
    mark = world.mark()
    world.run()
    assert read(world, mark) == POLL


def test_one_payment_costs_one_patch(world: World) -> None:
    deal = awaiting(world)
    at_rest(world)
    world.books("pay", invoice="INV-0001")
    mark = world.mark()
    world.run()
    assert read(world, mark) == sorted([*POLL, ("GET", "me"), ("PATCH", str(deal))])
