"""A disk that is full or must not be written: exit 9 with words, and nothing sent unrecorded."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from syncjob.errors import Exit
from tests.crash.conftest import CUSTOMERS, DEALS, MakeWorld
from tests.crash.kit import CrashWorld, sales
from tests.crash.nursery import Ended

KB = 1024


def slow(*sizes: int):
    return [pytest.param(size, marks=pytest.mark.slow) for size in sizes]


def ends_with_words(ended: Ended, *words: str) -> None:
    assert ended.returncode == Exit.STATE, (ended.returncode, ended.stdout, ended.stderr)
    assert "Traceback" not in ended.stderr, ended.stderr
    last = ended.stderr.splitlines()[-1]  # a command's error with --json is an object
    told = json.loads(last)["error"]["next_step"] if last.startswith("{") else "Next: " in last
    assert told, ended.stderr
    for word in words:
        assert word in ended.stderr, ended.stderr


def sends_recorded(w: CrashWorld) -> int:
    """How often the journal says that a write's bytes left."""
    with closing(sqlite3.connect(w.state_file)) as db:
        return db.execute("SELECT coalesce(sum(sends), 0) FROM call").fetchone()[0]


@contextmanager
def mounted(folder: Path, size_kb: int) -> Iterator[Path]:
    """A small disk at this folder; skips where this machine does not let us mount one."""
    folder.mkdir(exist_ok=True)
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(folder)],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode != 0:
        pytest.skip("mounting a small disk needs rights that this user does not have")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def free_kb(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize // KB


@pytest.mark.parametrize("left_kb", [8, 400, 1000, *slow(120, 800, 1200)])
def test_the_disk_is_full(make_world: MakeWorld, undisturbed, left_kb):
    w = make_world()
    with mounted(w.folder / "state", 64 * KB) as disk:
        w.init()
        sales(w, DEALS, CUSTOMERS)
        filler = disk / "filler"
        filler.write_bytes(b"\0" * (free_kb(disk) - left_kb) * KB)
        mark = w.mark()
        ends_with_words(w.child(), "full", "Free some disk space")
        left = len(w.writes(mark))
        assert bool(left) == (left_kb > 700), "the sizes no longer meet both kinds of moments"
        ends_with_words(w.child(), "Free some disk space")
        assert len(w.writes(mark)) == left
        filler.unlink()
        assert sends_recorded(w) >= left, "a write left that is not recorded"
        w.recover(undisturbed())


@pytest.mark.parametrize("limit_kb", [60, 900, *slow(250, 500)])
def test_a_file_may_not_grow(loaded: MakeWorld, undisturbed, limit_kb):
    w = loaded()
    mark = w.mark()
    ended = w.child(file_bytes_max=limit_kb * KB)
    ends_with_words(ended)
    assert len(w.writes(mark)) <= sends_recorded(w), "a write left that is not recorded"
    w.recover(undisturbed())


@pytest.mark.parametrize("seen_before", [True, False])
def test_the_state_must_not_be_written(make_world: MakeWorld, seen_before):
    w = make_world()
    with mounted(w.folder / "state", 8 * KB) as disk:
        if seen_before:
            w.init()
        else:
            w.write_config()
        remount(disk, "ro")
        for command in (("run",), ("plan",), ("pause", "--reason", "audit")):
            mark = w.mark()
            ends_with_words(w.child(*command))
            assert w.writes(mark) == []
        remount(disk, "rw")
        assert w.child("run").returncode == Exit.DONE


def test_a_state_that_is_no_database(loaded: MakeWorld):
    w = loaded()
    w.state_file.write_bytes(b"this is not a database, it is a text that somebody put here" * 99)
    mark = w.mark()
    ends_with_words(w.child(), "Restore it from a backup")
    assert w.since(mark) == []
