"""What a batch asks of its own state: counted and explained statement by statement.

Nothing to do asks the same of a small state and a large one, and walks no table that grows; a
first load asks for groups, not deal by deal.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from syncjob.core.plan import needs_lines
from syncjob.core.reports import RunOptions
from syncjob.engine.cases import in_outline, load_case, load_cases, load_context
from syncjob.state import book, journal, links, matches, merges, papers, relinks, snapshots, told
from syncjob.state.database import State
from syncjob.state.reads import Ask
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import answer, awaiting, minutes, sell
from tests.engine.world import World

#: Tables that have a row for each record, write or decision that there ever was.
GROWING = {
    "snapshot", "lookup", "wake", "contact_link", "part", "base", "call", "intent", "parked",
    "issue", "audit", "batch", "inbox", "near", "apart", "told", "template", "repeat", "mailed",
    "address_change", "online_link", "contact_person", "contact_ended", "noted", "cancelled",
    "ruling", "finding", "merged", "waited", "relinked", "left_link",
}  # fmt: skip
#: These name only what waits right now.
WAITING = {"todo", "contact_todo"}
EVERYTHING: dict[str, Any] = {
    "contacts": {"update": "owners", "which": "all"},
    "notices": {"steps": [1, 7], "paid": True, "to": "deal_owner", "by": ["task"]},
    "invoices": {"recurring": "template"},
}


def statements(w: World) -> tuple[list[str], Callable[[str], list[str]]]:
    """What one batch asks, and what explains a statement; the connection stays open with it."""
    said: list[str] = []
    with w.connection() as handle:
        handle.state.db.conn.set_trace_callback(said.append)
        report = handle.run(RunOptions(who="a test"))
        handle.state.db.conn.set_trace_callback(None)
        assert report.exit_code == 0, report
        plans = {s: _plan(handle.state, s) for s in said if s.startswith(("SELECT", "UPDATE"))}
    return said, lambda statement: plans.get(statement, [])


def _plan(state: State, statement: str) -> list[str]:
    rows = state.db.conn.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
    return [str(row[3]) for row in rows]


def at_rest(w: World) -> None:
    """Long after the last change: nothing is read again, and no chore of the hour is due."""
    for wait in (20, 20, 40, 10):
        minutes(w, wait)
        w.run()
    minutes(w, 5)


def sold(w: World, count: int) -> None:
    for number in range(count):
        sell(w, f"Firm {number} Pty", title=f"Order {number}")


@pytest.mark.parametrize("config", [{}, EVERYTHING], ids=["plain", "everything"])
def test_nothing_to_do_asks_the_same_of_any_state(
    make_world: MakeWorld, config: dict[str, Any]
) -> None:
    asked = []
    for count in (2, 20):
        world = make_world(config=config)
        sold(world, count)
        world.run()
        at_rest(world)
        asked.append(len(statements(world)[0]))
    assert asked[0] == asked[1]


@pytest.mark.parametrize("config", [{}, EVERYTHING], ids=["plain", "everything"])
def test_nothing_to_do_walks_no_table_that_grows(
    make_world: MakeWorld, config: dict[str, Any]
) -> None:
    world = make_world(config=config)
    sold(world, 3)
    world.run()
    at_rest(world)
    said, explain = statements(world)
    assert len(said) > 50  # it was listened to
    walked = [s for s in said if any(_walks(s, line) for line in explain(s))]
    assert walked == []


def _walks(statement: str, line: str) -> bool:
    """Whether this line of a plan is a walk over a growing table with no end in sight."""
    found = re.match(r"SCAN (\w+)", line)
    if found is None or re.search(r"LIMIT \d+$", statement):
        return False
    names = {alias: table for table, alias in re.findall(r"(?:FROM|JOIN) (\w+) (\w+)", statement)}
    return names.get(found[1], found[1]) in GROWING


def test_the_walk_would_be_seen(world: World) -> None:
    with world.connection() as handle:
        walk = "SELECT id FROM intent WHERE outcome = 'stored'"
        assert any(_walks(walk, line) for line in _plan(handle.state, walk))
        short = "SELECT id FROM batch ORDER BY id DESC LIMIT 20"
        assert not any(_walks(short, line) for line in _plan(handle.state, short))


def _asks() -> list[Ask]:
    modules = (book, journal, links, matches, merges, papers, relinks, snapshots, told)
    known = [value for module in modules for value in vars(module).values()]
    flat = [v for k in known for v in (k.values() if isinstance(k, dict) else [k])]
    flat += [v for k in known if isinstance(k, tuple) for v in k]
    kinds = [snapshots._snapshot("crm", "deals"), snapshots._key("contact.name")]
    return [one for one in (*flat, *kinds, snapshots._key("x", first=True)) if isinstance(one, Ask)]


def test_each_look_up_goes_by_an_index(tmp_path: Any) -> None:
    state = State(tmp_path / "state.db")
    asks = _asks()
    assert len(asks) > 20
    for ask in asks:
        for sql in (ask.one, ask.many):
            plan = [str(r[3]) for r in state.db.conn.execute(f"EXPLAIN QUERY PLAN {sql}", ("[]",))]
            walks = [line for line in plan if line.startswith("SCAN") and "json_each" not in line]
            assert [line for line in walks if "CONSTANT" not in line] == [], sql
    state.close()


def test_a_group_reads_what_each_deal_alone_would(world: World) -> None:
    awaiting(world)
    sold(world, 4)
    sell(world, "Firm 0 Pty", title="Again")
    sell(world, None, title="Nobody's")
    sell(world, lines=[], title="Empty")
    world.run()
    sell(world, title="New")
    with world.connection() as handle, handle._batch(handle.state, RunOptions(), write=False) as b:
        from syncjob.engine.identify import identify

        identify(b)
        deals = handle.state.snapshots.ids("crm", "deals")
        together = load_cases(b, deals)
        alone = [load_case(b, deal) for deal in deals]
        assert len(together) > 6
        assert together == alone


def test_which_lines_are_read_is_asked_of_little_and_answered_alike(make_world: MakeWorld) -> None:
    world = make_world(config={"invoices": {"exclude": {"organizations": ["Kept Out"]}}})
    awaiting(world)
    sell(world, won=False, title="Lost")
    ours = [sell(world, f"Held {number}", title="New", lines=[]) for number in range(2)]
    out = [sell(world, "Kept Out"), sell(world, None, title="Nobody's", lines=[])]
    world.run()
    answer(world, "never", ours[1])
    world.run()
    with world.connection() as handle, handle._batch(handle.state, RunOptions(), write=False) as b:
        from syncjob.engine.identify import identify

        identify(b)
        context, deals = load_context(b), handle.state.snapshots.ids("crm", "deals")
        full = load_cases(b, deals)
        brief = list(in_outline(b, deals))
        asked = {case.deal.id: needs_lines(case, context) for case in full}
        assert {case.deal.id: needs_lines(case, context) for case in brief} == asked
        assert [case.deal.id for case in brief] == [case.deal.id for case in full]
        assert [case for case in brief if case.parts] == [case for case in full if case.parts]
        assert [asked[str(deal)] for deal in (ours[0], ours[1], out[0])] == [True, False, False]


def test_a_first_load_asks_for_groups(make_world: MakeWorld) -> None:
    counts = []
    for count in (5, 25):
        world = make_world()
        sold(world, count)
        said, _ = statements(world)
        counts.append(sum(s.startswith("SELECT") for s in said))
    each = (counts[1] - counts[0]) / 20
    assert each < SELECTS_A_DEAL_MAX, each


#: Measured: a deal with a customer of its own, from the list to its fields written.
SELECTS_A_DEAL_MAX = 66


@pytest.mark.parametrize("config", [{}, EVERYTHING], ids=["plain", "everything"])
def test_a_write_leaves_one_row_in_the_base_and_one_in_the_audit(
    make_world: MakeWorld, config: dict[str, Any]
) -> None:
    world = make_world(config=config)
    sold(world, 3)
    said, _ = statements(world)
    with world.connection() as handle:
        ask = handle.state.db.conn.execute
        done = ask("SELECT count(*) FROM intent WHERE state = 'done'").fetchone()[0]
        assert done >= 9  # a customer, a draft and the deal's fields, thrice
        rows = "SELECT count(*), count(DISTINCT intent) FROM audit WHERE intent IS NOT NULL"
        assert ask(rows).fetchone() == (done, done)
        assert len([r for r in handle.state.audit.rows_of() if r.intent]) > 5 * done
        pairs = ask("SELECT count(*) FROM base WHERE side = 'pair'").fetchone()[0]
    assert pairs == (3 if config else 0)  # what both sides of a customer say
    assert 0 < sum(s.startswith("INSERT INTO base") for s in said) <= done + pairs


def test_kept_counts_are_true(world: World) -> None:
    deal = awaiting(world)
    sold(world, 3)
    world.run()
    world.crm("reopen", deal=deal)
    minutes(world, 5)
    world.run()
    with world.connection() as handle:
        state = handle.state
        ask = state.db.conn.execute
        assert state.links.live_count() == len(state.links.live_invoices()) == 4
        kept = dict(ask("SELECT name, count FROM tally WHERE count > 0").fetchall())
        true = ask("SELECT side || '.' || stream, count(*) FROM snapshot GROUP BY 1").fetchall()
        assert kept == {"part": 4, **dict(true)}
