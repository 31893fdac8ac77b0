"""More errors that no scene of its own meets: of the night's work, walks, first steps, matches."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import syncjob.cli
from syncjob.connectors.xero.connector import XeroConnector
from syncjob.engine import chores
from syncjob.engine.firststeps.trying import options_of
from syncjob.engine.verdicts import taken
from syncjob.errors import ConfigError, Interrupted, Overflow, Unreachable
from tests.engine.scenes import awaiting, codes, sell
from tests.engine.test_notices import Hook, late, webhook, world_with
from tests.engine.world import World


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    with contextlib.closing(World(tmp_path)) as world:
        world.init()
        yield world


@pytest.mark.parametrize("why", [Unreachable("Xero is away."), Interrupted("Stopped.")])
def test_the_nights_work_that_cannot_go_on_is_no_issue(
    w: World, monkeypatch: pytest.MonkeyPatch, why: Exception
) -> None:
    """It goes on in a later batch; the batch itself is well."""
    tried: list[str] = []

    def work(*_: Any) -> Any:
        tried.append("once")
        raise why

    for name in chores.WORK:
        monkeypatch.setitem(chores.WORK, name, work)
    w.run()
    for _ in range(3):
        w.advance(timedelta(hours=9))
        report = w.run()
        assert not [code for code in codes(report) if "chore" in code or "night" in code]
    assert len(tried) > 1


def test_a_list_that_shrinks_while_it_is_read_is_read_in_full(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell(w)
    w.run()
    real, asked = XeroConnector.changes, list[Any]()

    def changes(self: XeroConnector, *given: Any, **named: Any) -> Any:
        asked.append(given)
        if len(asked) == 1:
            raise Overflow("Xero's list of Invoices shrinks while it is read.")
        return real(self, *given, **named)

    monkeypatch.setattr(XeroConnector, "changes", changes)
    sell(w, "Bolt Pty")
    w.advance(timedelta(minutes=5))
    assert not w.run().stopped_by
    assert len(asked) > 1
    assert len(w.invoices()) == 2


@pytest.mark.parametrize(
    "values", [{"api_url": 5}, {"api_url": "https://a.test", "api_token": "t", "plan": "?"}]
)
def test_what_was_answered_in_init_and_is_no_option(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as told:
        options_of("pipedrive", values)
    assert "api_url" in str(told.value) or "plan" in str(told.value)


def test_an_invoice_that_is_another_deals_is_taken(w: World) -> None:
    sell(w)
    w.run()
    with w.connection() as handle:
        state = handle.state
        (part,) = state.links.parts("1")
        why = taken(state, "invoice", "2", f"invoice:{part.ledger_id}")
    assert why is not None and not why.endswith(".")


@pytest.mark.parametrize(("status", "posts"), [(400, 1), (503, 1), (200, 1)])
def test_a_webhook_that_answers_with_an_error_is_not_asked_again(
    tmp_path: Path, status: int, posts: int
) -> None:
    """400: this message is refused, and told; 503: nobody knows, so it is not sent again."""
    with webhook() as address:
        w = world_with(tmp_path, {"by": ["slack"], "ways": {"slack": address}})
        try:
            awaiting(w)
            Hook.status = status
            late(w)
            told = codes(w.run())
            Hook.status = 200
            w.run()
            assert len(Hook.bodies) == posts
            assert bool(told) == (status == 400), told
        finally:
            w.close()


def test_why_tells_what_settled_a_write_in_its_own_words(
    w: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a look-up found is a sentence, and not a vendor's answer."""
    sell(w)
    w.run()
    with contextlib.closing(sqlite3.connect(w.folder / "state" / "syncjob.db")) as db, db:
        db.execute("UPDATE intent SET state = 'void', outcome = 'it was found nowhere'")
    assert syncjob.cli.run(["-c", str(w.write_config()), "history", "deal", "1"]) == 0
    assert "not done: it was found nowhere" in " ".join(capsys.readouterr().out.split())
