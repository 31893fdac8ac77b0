"""A few histories with a few faults each; `make faults` plays them at length."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from tests.sim import sameness
from tests.sim.__main__ import main
from tests.sim.every_point import (
    KNOWN,
    Case,
    Played,
    by_name,
    cases,
    every_case,
    pair_of,
    play,
    run_case,
    statement_cases,
)
from tests.sim.happenings import CLOCKS
from tests.sim.histories_hubspot import EVERY
from tests.sim.kinds import FAR, FORBIDDEN, LASTING, REFUSALS, STATE_KINDS, Point, kinds_of
from tests.sim.sameness import UNASKED, mark_of
from tests.sim.two import OTHER, first_runs
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


@pytest.mark.parametrize(
    ("point", "says", "code"),
    [("0", "green", 0), ("9999", "NOT PLAYED: not all of its faults fired", 1)],
)
def test_a_case_played_again_says_whether_its_fault_fired(
    point: str, says: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--case", f"first load|0|{point}|kill before|off"]) == code
    assert capsys.readouterr().out.splitlines()[-1].startswith(says)


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


def test_an_end_that_is_known_is_not_played_twice(first_load: Played) -> None:
    first, second = [c for c in statement_cases(first_load) if c.kind == "kill before"][:2]
    first_load.well.clear()
    assert run_case(first_load, first)[0].turns[KNOWN] == 0
    assert run_case(first_load, second)[0].turns[KNOWN] == 1
    writes = [point for point in first_load.points[0] if point.kind == "write"]
    cut = Case("first load", 0, writes[0].n, "lost twice", False)
    assert run_case(first_load, cut)[0].turns[KNOWN] == 0


CHANGES: dict[str, Callable[[World], object]] = {
    "a deal": lambda w: w.crm("edit_deal", deal=1, title="Another"),
    "the books": lambda w: w.xero.organisation.invoices.put(
        replace(next(iter(w.xero.organisation.invoices)), reference="x")),
    "time": lambda w: w.time.set(w.time.now() + timedelta(seconds=1)),
    "our clock": lambda w: setattr(w.clock, "skew", timedelta(hours=1)),
    "chance": lambda w: w.rng.random(),
    "the watch": lambda w: w.watch.ended.add("x"),
    "who is barred": lambda w: w.faults.barred.update(xero="403 for ever"),
    "a call that was sent": lambda w: setattr(
        next(c for c in w.host.log.find(method="PUT")), "status", 500),
    "a row of the state": lambda w: _write(w, "UPDATE call SET sends = sends + 1"),
    "the state's counter": lambda w: (w.folder / "state" / "syncjob.db.seq").write_text("99"),
}  # fmt: skip


def _write(world: World, sql: str) -> None:
    with closing(sqlite3.connect(world.folder / "state" / "syncjob.db")) as db, db:
        assert db.execute(sql).rowcount > 0


@pytest.mark.parametrize("what", CHANGES)
def test_worlds_that_differ_have_two_marks(first_load: Played, what: str) -> None:
    one, other = (first_load.before[0].copy() for _ in range(2))
    for world in (one, other):
        assert world.run() is not None
    assert mark_of(one) == mark_of(other)
    CHANGES[what](other)
    assert mark_of(one) != mark_of(other)
    one.close()
    other.close()


def test_nobody_asks_for_a_fault_that_leaves_no_name() -> None:
    asked = {*LASTING, *REFUSALS, *FORBIDDEN, *FAR, *STATE_KINDS, *CLOCKS}
    assert not asked & {*UNASKED}
    folder = Path(sameness.__file__).parent
    for path in (*folder.glob("judge*.py"), folder / "watch.py", folder / "world.py",
                 folder / "every_point.py"):  # fmt: skip
        source = path.read_text(encoding="utf-8")
        if path.name != "judge_calls.py":  # asks the host's own faults, which the marks hold
            assert [kind for kind in UNASKED if f'"{kind}"' in source] == [], path.name


@pytest.mark.parametrize("kind", ["kill before", "disk full", "locked"])
def test_a_statement_is_met(first_load: Played, kind: str) -> None:
    case = next(c for c in statement_cases(first_load) if c.kind == kind)
    world, fired = run_case(first_load, case)
    assert fired
    assert [(point.kind, met) for point, met in world.faults.fired] == [("statement", kind)]


@pytest.mark.parametrize(
    "name", ["two connections on one organisation", "hubspot: two connections on one app"]
)
def test_of_two_connections_that_one_is_listed_which_meets_the_faults(name: str) -> None:
    """A listing of the other one's batch would put them where they mean nothing."""
    history = by_name(name)
    with closing(play(history)) as played:
        for step, command in history.commands.items():
            crm = history.crm if command is first_runs else OTHER[history.crm]
            assert {point.vendor for point in played.points[step]} - {"", "xero"} == {crm}
        for door in (cases(played), statement_cases(played)):
            last = {case.batch: case for case in door if case.kind == "kill before"}
            for case in last.values():  # at its last point, which the other one may not have
                assert run_case(played, case)[1], case.replay


def test_a_world_leaves_no_files(first_load: Played) -> None:
    case = next(c for c in every_case(first_load) if c.kind == "lost")
    world, _ = run_case(first_load, case)
    assert not Path(world.folder).exists()
