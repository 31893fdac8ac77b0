"""What a group reads is of one moment, and costs a commit around it nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from syncjob.state.database import State


def test_a_group_sees_one_moment(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    with state.commit():
        state.book.note("a", "before")
    with state.gathering():
        assert state.book.fact("b") is None
        with closing(sqlite3.connect(state.path)) as other, other:
            other.execute("UPDATE meta SET value = 'after'")
        assert state.book.fact("a") == "before"
    assert state.book.fact("a") == "after"
    state.close()


def test_a_group_in_a_commit_asks_nothing_of_its_own(tmp_path: Path) -> None:
    state, said = State(tmp_path / "state.db"), list[str]()
    with state.commit():
        state.book.note("a", "1")
        state.db.conn.set_trace_callback(said.append)
        with state.gathering():
            assert state.book.fact("a") == "1"
        state.db.conn.set_trace_callback(None)
        state.book.note("b", "2")
    assert [text.split()[0] for text in said] == ["SELECT"]
    assert (state.book.fact("a"), state.book.fact("b")) == ("1", "2")
    state.close()
