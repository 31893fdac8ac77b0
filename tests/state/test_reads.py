"""What a group of look-ups reads is read once, and is never older than the last write."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncjob.core.actions import Issue
from syncjob.state.database import State
from syncjob.state.links import Part

_NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
DEALS = [str(number) for number in range(300)]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state.db")
    yield state
    state.close()


def part(deal: str) -> Part:
    return Part(deal, "A", 1, f"SJ-{deal}-A1", f"inv-{deal}", None, "created")


def asked(state: State) -> list[str]:
    said: list[str] = []
    state.db.conn.set_trace_callback(said.append)
    return said


def test_a_table_without_rows_is_asked_once_for_all_deals(state: State) -> None:
    with state.gathering():
        said = asked(state)
        state.papers.fetch(DEALS)
        state.merges.fetch("deals", DEALS)
        found = [
            (state.papers.repeats(deal), state.merges.merged_into("deals", deal)) for deal in DEALS
        ]
    assert found == [([], [])] * len(DEALS)
    assert len([sql for sql in said if sql.startswith("SELECT")]) == 4  # templates, notes too


def test_what_is_written_within_a_group_is_seen_in_it(state: State) -> None:
    with state.commit(), state.gathering():
        assert state.papers.repeats("7") == []
        assert state.links.part_of_invoice("inv-7") is None
        state.papers.add_repeat("inv-8", "7", "t", batch=1)
        state.links.add_part(part("7"), batch=1)
        assert state.papers.repeats("7") == ["inv-8"]
        assert state.links.part_of_invoice("inv-7") == part("7")
        assert state.links.part_of_marker("SJ-7-A1") == part("7")


def test_a_group_finds_what_is_found_without_one(state: State) -> None:
    with state.commit():
        for deal in DEALS[::3]:
            state.links.add_part(part(deal), batch=1)
            state.snapshots.index(f"inv-{deal}", {"invoice.number": [f"n{int(deal) % 9}"]})
    numbers = [f"n{number}" for number in range(12)]
    alone = (
        [state.links.parts(deal) for deal in DEALS],
        [state.snapshots.find("invoice.number", number) for number in numbers],
    )
    with state.gathering():
        state.links.fetch_parts(DEALS)
        state.snapshots.fetch_keys("invoice.number", numbers)
        said = asked(state)
        together = (
            [state.links.parts(deal) for deal in DEALS],
            [state.snapshots.find("invoice.number", number) for number in numbers],
        )
        assert said == []
    assert together == alone
    assert any(alone[0]) and any(alone[1])


def test_what_is_made_of_several_look_ups_is_made_once_until_something_is_written(
    state: State,
) -> None:
    made: list[int] = []

    def count() -> int:
        made.append(len(state.papers.repeats("7")))
        return made[-1]

    assert [state.reads.once("x", count) for _ in range(2)] == [0, 0]  # no group: each time
    with state.commit(), state.gathering():
        assert [state.reads.once("x", count) for _ in range(3)] == [0, 0, 0]
        state.papers.add_repeat("inv-8", "7", "t", batch=1)
        assert [state.reads.once("x", count) for _ in range(3)] == [1, 1, 1]
    assert made == [0, 0, 0, 1]


def test_what_writes_while_it_is_made_is_not_kept(state: State) -> None:
    def making() -> int:
        before = len(state.papers.repeats("7"))
        state.papers.add_repeat(f"inv-{before}", "7", "t", batch=1)
        return before

    with state.commit(), state.gathering():
        assert [state.reads.once("x", making) for _ in range(3)] == [0, 1, 2]


def test_the_days_and_places_of_many_deals_are_those_of_each(state: State) -> None:
    with state.commit():
        state.snapshots.want(["1", "2", "3"], "a test")
        state.snapshots.wake({"4": "2026-11-24", "5": "2026-11-23", "6": None})
        state.snapshots.settled(["1", "3", "9"])
        state.snapshots.wake({"5": None, "6": "2026-11-23"})
    assert state.snapshots.wanted("2026-11-23") == ["2", "6"]
    assert state.snapshots.wanted("2026-11-24") == ["2", "4", "6"]


def test_only_deals_with_an_open_issue_are_looked_at_to_close_it(state: State) -> None:
    issue = Issue(code="x", subject="deal:2", what="w", next_step="n")
    with state.commit():
        state.book.raise_issue(issue, batch=1, at=_NOW)
    assert state.issues.told_of(f"deal:{deal}" for deal in DEALS) == {"deal:2"}
    with state.commit():
        state.book.close_issues("deal:2", keep=set(), at=_NOW)
    assert state.issues.told_of(["deal:2"]) == set()
