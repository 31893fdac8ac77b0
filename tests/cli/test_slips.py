"""Slips of the hand are messages with the exit code of a mistake, and never a bug's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import syncjob.cli
from tests.engine.world import World


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    world = World(tmp_path_factory.mktemp("slips"))
    with contextlib.closing(world):
        world.init()
        world.run()
        yield world.folder / "config.yaml"


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("issues retry 99999999999999999999999", 1, "no open issue"),
        ("issues --closed --since 0001-01-01", 2, "the year is to be"),
        ("reconcile --since 0001-01-01", 2, "the year is to be"),
        ("run --since 9999-12-31", 2, "the year is to be"),
        ("history 1 --since 0001-01-01", 2, "the year is to be"),
        ("pause --reason x --until 0001-01-01", 2, "Invalid value"),
        ("pause --reason=", 2, "say why"),
        ("cancel 1 --reason=", 2, "say why"),
        ("undo 999", 1, "`syncjob log` lists the batches"),
        ("backup --to /proc/x.tgz", 9, "Name a file in a folder"),
        ("report -o /proc/x.html", 9, "Name a file in a folder"),
        ("restore /dev/zero --yes", 2, "no backup that syncjob can read"),
        ("apply /dev/null", 10, "no whole plan file"),
    ],
)
def test_a_slip(
    config: Path, capsys: pytest.CaptureFixture[str], line: str, code: int, words: str
) -> None:
    assert syncjob.cli.run(["-c", str(config), *line.split()]) == code
    said = capsys.readouterr()
    assert words in " ".join((said.out + said.err).split())
