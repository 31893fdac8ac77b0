"""What people decide: kept with who, when and why, and never in the way of a batch that runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syncjob.state.database import State

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    made = State(tmp_path / "state.db")
    yield made
    made.close()


def test_what_waits_and_what_took_effect_at_once(state: State) -> None:
    with state.commit():
        asked = state.decisions.ask("never", "deal:7", who="maria", reason="a test", at=NOW)
        state.decisions.done("pause:all", "connection", who="tom", reason="audit", at=NOW)
    assert [d.kind for d in state.decisions.waiting()] == ["never"]
    with state.commit():
        state.decisions.applied(asked, 12, "never")
    assert state.decisions.waiting() == []
    one, two = state.decisions.since()
    assert (one.who, one.reason, one.batch, one.outcome) == ("maria", "a test", 12, "never")
    assert (two.verb, two.batch, two.at) == ("pause", 0, NOW)
    assert state.decisions.in_batch(12) == [one]
    assert state.decisions.since(NOW + timedelta(seconds=1)) == []


def test_either_record_of_a_match_finds_it(state: State) -> None:
    with state.commit():
        state.decisions.ask("match.same:c1", "contact:org:12", who="m", reason="", at=NOW)
        state.decisions.ask("link:INV-7", "deal:7", who="m", reason="", at=NOW)
    assert [d.subject for d in state.decisions.of("contact:ledger:x", "contact:c1")] == [
        "contact:org:12"
    ]
    assert state.decisions.of("invoice:INV-7") == state.decisions.of("deal:7")
    assert state.decisions.of("deal:8") == []


def test_a_command_may_decide_while_a_batch_commits(state: State) -> None:
    """A transaction that reads before it writes must not fail for what another process wrote."""
    done = threading.Event()

    def decide() -> None:
        other = State(state.path)
        with other.commit():
            other.decisions.done("pause:all", "connection", who="m", reason="", at=NOW)
        other.close()
        done.set()

    with state.commit():
        assert state.book.fact("mode") is None
        thread = threading.Thread(target=decide)
        thread.start()
        assert not done.wait(0.1)
        state.book.note("mode", "full")
    thread.join(5)
    assert done.is_set()
    assert state.book.fact("mode") == "full"
    assert len(state.decisions.since()) == 1
