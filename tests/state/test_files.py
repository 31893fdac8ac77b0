"""What names customers is for nobody else's eyes, whatever stood in its place."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from syncjob.state.files import replace_private


def test_a_file_that_stood_there_lends_neither_its_mode_nor_its_place(tmp_path: Path) -> None:
    path, victim = tmp_path / "report.json", tmp_path / "victim"
    path.write_text("older")
    path.chmod(0o644)
    replace_private(path, b"new")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", 0o600)
    victim.write_text("mine")
    path.unlink()
    path.symlink_to(victim)
    (tmp_path / "report.json.new").symlink_to(victim)
    replace_private(path, b"newer")
    assert (victim.read_text(), path.read_bytes(), path.is_symlink()) == ("mine", b"newer", False)
    assert not list(tmp_path.glob(".report*"))


def test_what_is_no_file_is_written_to(tmp_path: Path) -> None:
    replace_private(Path("/dev/null"), b"gone")
    assert Path("/dev/null").is_char_device()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    replace_private(pipe, b"told")
    assert os.read(reader, 10) == b"told"
    os.close(reader)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        replace_private(tmp_path / "file" / "report.json", b"")
