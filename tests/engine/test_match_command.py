"""`syncjob match` as a person types it: files, words, exit codes."""

from __future__ import annotations

import csv
import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import syncjob.cli
from tests.engine.matchkit import contact, links, org
from tests.engine.scenes import codes, only, sell
from tests.engine.test_match_invoices import by_hand
from tests.engine.world import World

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """(exit code, stdout, stderr) of a command line in the world's own time."""
    monkeypatch.setattr("syncjob.engine.connection.open_connection", lambda _: world.connection())
    monkeypatch.chdir(world.folder)
    path = str(world.write_config())

    def command(*words: str) -> tuple[int, str, str]:
        code = syncjob.cli.run(["-c", path, *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    yield command


def review(w: World) -> Path:
    return only(sorted(w.folder.glob("match-*.csv")))  # type: ignore[arg-type]


def answer_all(path: Path, verdict: str) -> None:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "decision": verdict} for row in rows)


def test_match_writes_a_private_review_and_says_what_to_do(world: World, typed: Command) -> None:
    org(world, "Meridian Harbour Foods")
    contact(world, "Meridian Harbour Foods Pty Ltd")
    code, out, err = typed("match")
    assert (code, err) == (1, "")
    path = review(world)
    page = path.with_suffix(".html")
    assert "1 customers of the CRM and 1 contacts of the ledger compared" in out
    assert f"syncjob match --apply {path.name}" in out
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert {stat.S_IMODE(p.stat().st_mode) for p in (path, page)} == {0o600}
    code, out, _ = typed("match")
    assert code == 1
    assert "1 more wait in earlier reviews" in out and "Nothing new" in out
    assert review(world) == path
    answer_all(path, "SAME")
    code, out, _ = typed("match", "--apply", str(path))
    assert (code, out.splitlines()[0]) == (0, f"{path.name}: 1 same.")
    world.run()
    assert len(links(world)) == 1
    code, out, _ = typed("match")
    assert code == 0
    assert "1 were linked before" in out


def test_accept_certain_links_and_json_prints_and_writes_no_file(
    world: World, typed: Command
) -> None:
    org(world, "Meridian Harbour Foods")
    contact(world, "Meridian Harbour Foods")
    code, out, _ = typed("match", "--accept-certain", "--json")
    found = json.loads(out)
    assert (code, len(found["linked"]), found["rows"]) == (0, 1, [])
    assert sorted(world.folder.glob("match-*")) == []
    assert len(links(world)) == 1


def test_rows_that_are_refused_are_named_by_line_and_end_with_one(
    world: World, typed: Command
) -> None:
    org(world, "Meridian Harbour Foods")
    contact(world, "Meridian Harbour Foods Pty Ltd")
    typed("match")
    path = review(world)
    answer_all(path, "maybe")
    code, out, _ = typed("match", "--apply", str(path))
    assert code == 1
    assert "line 2: the decision 'maybe' is none of same, different and leave." in out


def test_files_that_are_no_review_end_with_two(world: World, typed: Command) -> None:
    page = world.folder / "page.html"
    page.write_text("<!DOCTYPE html>")
    code, _, err = typed("match", "--apply", str(page))
    assert code == 2
    assert "web page" in err and "Next:" in err
    code, _, err = typed("match", "--apply", str(world.folder / "none.csv"))
    assert code == 2
    assert "cannot be read" in err


def test_a_folder_that_cannot_be_written_loses_nothing(world: World, typed: Command) -> None:
    org(world, "Meridian Harbour Foods")
    contact(world, "Meridian Harbour Foods Pty Ltd")
    (world.folder / "taken").write_text("a file")
    code, _, err = typed("match", "--out", str(world.folder / "taken" / "below"))
    assert code == 2
    assert "--all" in err
    code, out, _ = typed("match", "--all")
    assert code == 1
    assert "To look at: 1 pair" in out


def test_match_invoices_and_its_answers(world: World, typed: Command) -> None:
    invoice, deal = by_hand(world), sell(world)
    code, out, _ = typed("match", "invoices", "--since", "2026-01-01")
    assert code == 1
    assert "1 pair of a deal and an invoice, 1 of them certain" in out
    path = review(world)
    answer_all(path, "same")
    assert typed("match", "invoices", "--apply", str(path))[0] == 0
    assert codes(world.run()) == []
    assert world.deal_fields(deal)["Invoice number"] == invoice["number"]


def test_one_customer_is_decided_by_hand(world: World, typed: Command) -> None:
    contact(world, "Meridian Harbor Foods Pty Ltd")
    sell(world, "Meridian Harbour Food")
    assert codes(world.run()) == ["contact_near_match"]
    code, _, err = typed("match", "decide", "org:1")
    assert (code, "--same or --different" in err) == (2, True)
    code, out, _ = typed("match", "decide", "org:1", "--same")
    assert code == 0
    assert "one customer" in out
    assert codes(world.run()) == []
    assert len(world.invoices()) == 1


def test_half_a_side_is_compared_with_nothing(world: World, typed: Command) -> None:
    org(world, "Meridian Harbour Foods")
    world.fault(kind="status", status=400, server="xero", path="/Contacts")
    code, _, err = typed("match")
    assert code == 1
    assert "could not be read" in err
    assert sorted(world.folder.glob("match-*")) == []
