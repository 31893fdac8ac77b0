"""Northwind's customers on both sides: every true pair linked or asked, none wrong."""

from __future__ import annotations

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.matchkit import answered, apply, links, match, proposed
from tests.engine.northwind import require_data
from tests.engine.northwind_contacts import GROUP, fill, truth, twins
from tests.engine.scenes import invoice_of, minutes, sell

SEEDS = (1, 2)


@pytest.fixture(autouse=True)
def _data() -> None:
    require_data()


@pytest.mark.parametrize("seed", SEEDS)
def test_every_true_pair_is_linked_or_asked_and_none_is_wrong(
    make_world: MakeWorld, seed: int
) -> None:
    world = make_world()
    made = twins(seed)
    fill(world, made)
    true = truth(made)
    mark = world.mark()
    report = match(world, accept_certain=True)
    assert world.writes(mark) == []
    linked = links(world)
    assert {crm: ledger for crm, ledger in linked.items() if true[crm] != ledger} == {}
    asked = set(proposed(report))
    missing = {pair for pair in true.items() if pair not in {*linked.items(), *asked}}
    assert missing == set()
    # a person's work: few, and never more than one in ten
    assert len(report.rows) <= len(made) // 10
    assert len(linked) >= len(made) * 9 // 10
    taken = apply(
        world,
        answered(report, lambda p: "same" if true.get(p.first) == p.second else "different"),
    ) if report.rows else None  # fmt: skip
    assert taken is None or taken.refused == ()
    world.run()
    assert links(world) == true
    again = match(world, every=True)
    assert proposed(again) == {}


def test_deals_are_billed_to_the_twin_and_nobody_is_doubled(make_world: MakeWorld) -> None:
    world = make_world()
    made = twins(3)
    fill(world, made)
    report = match(world, accept_certain=True)
    true = truth(made)
    apply(world, answered(report, lambda p: "same" if true.get(p.first) == p.second else "leave"))
    keys = {"ALFKI", "AROUT", "AROUT-namesake", "SAVEA-Boise", "SAVEA-Portland", *GROUP}
    sold = {t.key: sell(world, t.in_crm.name) for t in made if t.key in keys}
    world.run()
    billed = {key: invoice_of(world, deal)["contact_id"] for key, deal in sold.items()}
    assert billed == {t.key: t.ledger for t in made if t.key in keys}
    assert len(world.contacts()) == len(made)


def test_without_any_match_a_run_doubles_nobody(make_world: MakeWorld) -> None:
    """What differs is held and asked; what is named alike is found by its name."""
    world = make_world()
    made = twins(4)
    fill(world, made)
    sold = {t.key: sell(world, t.in_crm.name) for t in made}
    report = world.run()
    assert len(world.contacts()) == len(made)
    by_deal = {f"deal:{deal}": key for key, deal in sold.items()}
    held = {by_deal[i.subject] for i in report.issues}
    true = {t.key: t.ledger for t in made}
    for key, deal in sold.items():
        if key not in held:
            assert invoice_of(world, deal)["contact_id"] == true[key]
    assert len(held) < len(made)
    minutes(world, 1)
    mark = world.mark()
    world.run()
    assert world.writes(mark) == []
