"""More errors that no scene of its own meets: of the night's work, walks, first steps, matches."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncjob.connectors.xero.connector import XeroConnector
from syncjob.engine import chores
from syncjob.engine.firststeps.trying import options_of
from syncjob.engine.verdicts import taken
from syncjob.errors import ConfigError, Interrupted, Overflow, Unreachable
from tests.engine.scenes import codes, sell
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
