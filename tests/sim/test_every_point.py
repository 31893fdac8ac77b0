"""A few histories with a few faults each; `make faults` plays them at length."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.sim.every_point import (
    Case,
    Played,
    by_name,
    every_case,
    pair_of,
    play,
    run_case,
    statement_cases,
)
from tests.sim.histories_hubspot import EVERY
from tests.sim.kinds import Point, kinds_of
from tests.sim.world import World

NAMES = ("first load", "hubspot: won, then another", "tokens rotate", "first load, small pages",
         "two connections on one organisation")  # fmt: skip
EACH = 2


@pytest.fixture(scope="module")
def first_load() -> Iterator[Played]:
    """A history of one batch with several writes."""
    played = play(by_name("first load"))
    yield played
    played.close()


@pytest.mark.parametrize("name", NAMES)
def test_faults_of_drawn_kinds(name: str) -> None:
    played = play(by_name(name))
    chosen = Random(name).sample(list(every_case(played)), EACH)
    try:
        for case in chosen:
            assert run_case(played, case)[1], case.replay
    finally:
        played.close()


def test_two_faults(first_load: Played) -> None:
    case = next(c for c in every_case(first_load) if c.kind == "lost twice")
    pair = pair_of(case, Random(1), first_load.points)._replace(second=3)
    world, fired = run_case(first_load, pair)
    assert fired
    assert len(world.faults.fired) == 2
    assert Case.of_key(pair.key) == pair


def test_every_key_names_its_case(first_load: Played) -> None:
    for case in every_case(first_load):
        assert Case.of_key(case.key) == case


def test_histories_have_names_of_their_own() -> None:
    assert len({history.name for history in EVERY}) == len(EVERY)
    assert sum(history.crm == "pipedrive" for history in EVERY) >= 24


def test_no_kind_is_offered_where_it_means_nothing() -> None:
    read = Point(0, "read", "GET /xero/api.xro/2.0/Invoices")
    assert not {"lost twice", "429 burst", "page shifts", "disk full"} & {*kinds_of(read)}
    several = Point(0, "write", "PUT /xero/api.xro/2.0/Invoices", many=3)
    assert {"some refused", "whole refused", "fewer", "key expired"} <= {*kinds_of(several)}
    one = Point(0, "write", "PATCH /pipedrive/api/v2/deals/1")
    assert not {"some refused", "key expired", "token renewed"} & {*kinds_of(one)}
    assert "locked" not in kinds_of(Point(0, "statement", "INSERT", first=False))


def _content(world: World) -> list[str]:
    """All that the state holds."""
    with sqlite3.connect(world.folder / "state" / "syncjob.db") as db:
        return list(db.iterdump())


def test_a_kill_within_a_transaction_leaves_nothing_of_it(first_load: Played) -> None:
    """Statements of one transaction differ in nothing that a kill leaves: the next batch sees the
    state of the last commit, whichever of them it was."""
    statements = first_load.statements[0]
    begins = next(n for n, point in enumerate(statements) if point.first and n > 40)
    ends = next(n for n in range(begins + 1, len(statements)) if statements[n].first)
    assert ends > begins + 1
    left = []
    for number in range(begins, ends):
        world = first_load.before[0].copy()
        world.faults.at_statements = {number: "kill before"}
        assert world.run() is None
        left.append(_content(world))
        world.close()
    assert all(content == left[0] for content in left)


@pytest.mark.parametrize("kind", ["kill before", "disk full", "locked"])
def test_a_statement_is_met(first_load: Played, kind: str) -> None:
    case = next(c for c in statement_cases(first_load) if c.kind == kind)
    world, fired = run_case(first_load, case)
    assert fired
    assert [(point.kind, met) for point, met in world.faults.fired] == [("statement", kind)]


def test_a_world_leaves_no_files(first_load: Played) -> None:
    case = next(c for c in every_case(first_load) if c.kind == "lost")
    world, _ = run_case(first_load, case)
    assert not Path(world.folder).exists()
