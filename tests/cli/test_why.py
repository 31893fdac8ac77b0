"""`why` and `history` as a person types them, on a real state that a batch has left."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

import syncjob.cli
from syncjob.errors import Exit
from syncjob.logs import configure
from syncjob.reports.why_words import show_history, show_why
from tests.engine.scenes import awaiting, sell
from tests.engine.world import World

Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Path]]:
    """What batches left: deal 1 with its invoice, deal 2 held; the vendors are gone."""
    w = World(tmp_path_factory.mktemp("left"))
    w.init()
    awaiting(w, title="Order [red]for[/] all")
    sell(w, org=None, title="Orphan order")
    w.run()
    path = w.write_config()
    path.chmod(0o600)
    w.box.stop()
    yield w, path
    w.box.start()
    w.close()


@pytest.fixture
def typed(left: tuple[World, Path], capsys: pytest.CaptureFixture[str]) -> Iterator[Typed]:
    """(exit code, stdout, stderr) of a command line on that state."""

    def command(*words: str) -> tuple[int, str, str]:
        code = syncjob.cli.run(["-c", str(left[1]), *words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    yield command
    for handler in list(logging.getLogger("syncjob").handlers):
        logging.getLogger("syncjob").removeHandler(handler)
    configure(terminal=io.StringIO())


def test_the_story_in_order(typed: Typed) -> None:
    code, out, err = typed("why", "deal", "1")
    assert (code, err) == (Exit.DONE, "")
    lines = out.splitlines()
    assert lines[0] == "deal 1 Order [red]for[/] all (Acme Pty)"
    assert lines[1].endswith("/pipedrive/deal/1")
    assert lines[2].startswith("INV-0001 of 110.00 AUD is unpaid: no payment stands on it")
    heads = ["What happened", "As last read", "What the rules say now", "Awaited"]
    places = [lines.index(head) for head in heads]
    assert places == sorted(places)
    assert "From the state alone, as of the batch of" in lines[-2]
    assert lines[-1].startswith("Next: Nothing here: once a payment stands on INV-0001")
    assert "sandbox-token" not in out
    assert "sandbox-secret" not in out


def test_a_held_deal_and_one_word_for_it(typed: Typed) -> None:
    code, out, _ = typed("why", "2")
    assert code == Exit.DONE
    assert "No invoice, held: The deal has neither an organization nor a person" in out
    assert out.splitlines()[-1] == "Next: Set the deal's organization (or person) in the CRM."


def test_json_is_the_same_in_typed_values(typed: Typed) -> None:
    code, out, _ = typed("why", "1", "--json")
    found = json.loads(out)
    assert code == Exit.DONE
    assert found["story"]["subject"] == "deal:1"
    assert found["story"]["invoices"][0]["total"] == "110.00"
    assert {"record", "read", "ruled", "wrote", "linked"} <= {
        event["kind"] for event in found["story"]["events"]
    }
    code, out, _ = typed("history", "1", "--json", "--field", "invoice status")
    rows = json.loads(out)["rows"]
    assert [(row.get("before"), row["after"]) for row in rows] == [
        (None, "draft"), ("draft", "awaiting payment"),
    ]  # fmt: skip


def test_nothing_and_several(typed: Typed) -> None:
    code, out, _ = typed("why", "deal", "77")
    assert code == Exit.ISSUES
    assert out.startswith("No batch has read deal 77.\n- ")
    assert out.splitlines()[-1].startswith("Next: `syncjob why deal 77 --fresh`")
    code, out, _ = typed("why", "order")
    assert code == Exit.ISSUES
    assert "deal 1 Order [red]for[/] all (won)" in out
    assert "deal 2 Orphan order (won)" in out
    code, out, _ = typed("history", "order")
    assert (code, "deal 2 Orphan order (won)" in out) == (Exit.ISSUES, True)


def test_the_history_names_rule_and_answer(typed: Typed, left: tuple[World, Path]) -> None:
    code, out, _ = typed("history", "INV-0001")
    assert code == Exit.DONE
    assert "create draft SJ-1-A1 of 110.00 AUD" in out
    assert "because the deal is won [" in out
    assert "reference: (empty) -> SJ-1-A1" in out
    assert "Xero stored it (200)" in out
    code, out, _ = typed("history", "1", "--since", "2027-01-01")
    assert (code, "rows; the others were filtered out." in out) == (Exit.DONE, True)
    code, _, err = typed("history", "1", "--since", "soon")
    assert code == Exit.CONFIG
    assert "soon" in err


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_narrow_terminal_loses_nothing(left: tuple[World, Path], width: int) -> None:
    w, _ = left
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False)
    with w.connection() as handle:
        show_why(console, handle.why("1"), every=True)
        show_history(console, handle.history("1"), every=True)
    said = " ".join(out.getvalue().split())
    assert "no payment stands on it in the ledger; 110.00 AUD is due on 2026-12-23" in said
    assert max(map(len, out.getvalue().splitlines())) <= width
