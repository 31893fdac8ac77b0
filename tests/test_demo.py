"""The demo is run as a person runs it, and the README shows what it really prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"


def syncjob(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "syncjob", *words],
        cwd=cwd, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo")
    done = syncjob("demo", "--fast", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


def shown_tables() -> list[list[str]]:
    """The tables of deals that the README shows, row by row."""
    blocks = README.read_text(encoding="utf-8").split("```text\n")[1:]
    tables = [block.split("```")[0].strip().splitlines() for block in blocks]
    return [rows for rows in tables if rows[0].startswith("deal  title")]


def test_the_readme_shows_the_demos_own_tables(ran: tuple[Path, str]) -> None:
    printed = [" ".join(line.split()) for line in ran[1].splitlines()]
    tables = shown_tables()
    assert len(tables) == 2
    for table in tables:
        rows = [" ".join(row.split()) for row in table]
        start = next(i for i, line in enumerate(printed) if printed[i : i + len(rows)] == rows)
        assert printed[start] == rows[0]


def test_the_story_is_told_to_its_end(ran: tuple[Path, str]) -> None:
    _, printed = ran
    assert "writes nothing" in printed
    assert "part-paid, overdue" in printed
    assert printed.count("nothing written") >= 1
    last = printed[printed.index("7. Nothing changes") :]
    assert "deal updated" not in last
    assert "3 to xero, 1 to pipedrive" in last  # one call a polled stream


def test_state_and_log_are_left_to_look_at(ran: tuple[Path, str]) -> None:
    folder, _ = ran
    status = syncjob("-c", "demo/config.yaml", "status", cwd=folder)
    assert status.returncode == 1, status.stderr  # two deals need a person
    assert "Brightwater Ltd" in status.stdout
    assert "7 invoice" in status.stdout
    log = syncjob("-c", "demo/config.yaml", "log", cwd=folder)
    assert "created 7 drafts" in log.stdout


def test_the_same_story_is_told_with_hubspot(ran: tuple[Path, str]) -> None:
    folder, _ = ran
    done = syncjob("demo", "--fast", "--crm", "hubspot", "--dir", "hub", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    both = (ran[1], done.stdout)
    for words in ("created 7 customers, created 7 drafts", "part-paid, overdue", "nothing written"):
        assert all(words in printed for printed in both), words
    sums = [set(re.findall(r"[\d,]+\.\d\d (?:GBP|EUR)", printed)) for printed in both]
    assert sums[0] == sums[1]


def test_it_can_be_run_again_but_clears_no_folder_of_yours(
    ran: tuple[Path, str], tmp_path: Path
) -> None:
    folder, _ = ran
    assert syncjob("demo", "--fast", cwd=folder).returncode == 0
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "mine.txt").write_text("mine")
    refused = syncjob("demo", "--fast", cwd=tmp_path)
    assert refused.returncode != 0
    assert "was not made by a demo" in refused.stderr
    assert (tmp_path / "demo" / "mine.txt").read_text() == "mine"
