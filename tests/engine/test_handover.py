"""The page for whoever comes next: everything that they need, and no secret."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

import syncjob.cli
from syncjob.clock import SystemClock
from tests.engine.scenes import minutes, sell
from tests.engine.world import World

RULES = {
    "mode": "full",
    "invoices": {
        "when": {"pipelines": ["Sales"]},
        "exclude": {"titles": ["*TEST*"], "value_below": "10"},
        "status_rules": [
            {"name": "small ones", "when": {"total_below": 500, "new_customer": False},
             "status": "authorised"}
        ],
        "account_rules": [
            {"name": "freight", "when": {"skus": ["FR-1", "FR-2"]}, "account": "260"},
            {"name": "chosen", "from_field": "Account", "allowed": ["200", "260"]},
        ],
        "tax": {"rules": [{"name": "abroad", "when": {"outside": ["home"]}, "hold": "ask Ann"}]},
        "terms": {"default": "net 14"},
    },
    "contacts": {"update": "owners"},
    "notices": {"steps": [1, 7], "operator": {"heartbeat": "http://127.0.0.1:9/secret-ping"}},
}  # fmt: skip


@pytest.fixture
def w(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with contextlib.closing(World(tmp_path)) as world:
        world.init()
        monkeypatch.setattr(SystemClock, "now", lambda _: world.clock.now())
        yield world


def page(w: World, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert syncjob.cli.run(["-c", str(w.folder / "config.yaml"), "handover", *words]) == 0
    return capsys.readouterr().out


def test_it_says_who_what_where_and_what_to_do(w: World, capsys) -> None:
    sell(w, None)
    minutes(w, 5)
    w.run()
    w.overrides = RULES
    w.write_config()
    said = page(w, capsys)
    for text in (
        "All is well, and 1 thing waits",
        "Sandbox Company, AU, AUD",
        "Deals won on 2026-11-01 or later",
        "Only in the pipelines Sales.",
        "Never: titles *TEST*.",
        "Rule small ones: authorised, where total below is 500 and new customer is no.",
        "Rule freight: account 260, where skus is FR-1 or FR-2.",
        "Rule chosen: account as the field Account says (of 200, 260).",
        "Rule abroad: held, where outside is home.",
        "or else net 14.",
        "the ledger's value counts",
        "Of overdue invoices: the deal owner, 1, 7 days after the due date, by task.",
        "A monitor is told of each batch.",
        str(w.folder / "state" / "syncjob.db"),
        "| 9 | the state cannot be used",
        "Mode full",
    ):
        assert text in said, (text, said)
    for secret in ("sandbox-token", "sandbox-secret", "secret-ping"):
        assert secret not in said


def test_it_goes_into_a_private_file(w: World, capsys) -> None:
    file = w.folder / "handover.md"
    page(w, capsys, "-o", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "## When it stops" in file.read_text()
    code = syncjob.cli.run(["-c", str(w.folder / "config.yaml"), "handover", "-o", str(file)])
    assert code == 2, "it overwrote a file"


def test_before_the_first_batch(w: World, capsys) -> None:
    assert "No batch has run yet" in page(w, capsys)
