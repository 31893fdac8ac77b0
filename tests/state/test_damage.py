"""Files that are damaged, gone or on a full disk: an error with words, and nothing left over."""

from __future__ import annotations

import contextlib
import io
import resource
import sqlite3
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncjob.errors import StateError, WrongFile
from syncjob.state.backup import read_manifest
from syncjob.state.database import State
from syncjob.state.files import replace_private
from syncjob.state.lock import Lease
from syncjob.state.vault import Vault
from syncjob.transport.ports import Token

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@contextlib.contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """As on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    replace_private(path, b"as it was")
    with no_file_larger_than(4096), pytest.raises(OSError):
        replace_private(path, b"x" * 8192)
    assert path.read_bytes() == b"as it was"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", ["on a full disk", "that is no file"])
def test_a_lock_that_cannot_be_written_is_not_kept(tmp_path: Path, place: str) -> None:
    """Nobody can read who holds it, so nobody does."""
    full = place == "on a full disk"
    lease = Lease(tmp_path / "syncjob.db")
    if not full:
        lease.path.symlink_to("/dev/null")
    for _ in range(2):  # the second time StateError again, and not LockHeld
        with no_file_larger_than(0), pytest.raises(StateError) as told:
            lease.take("syncjob 1")
        assert str(lease.path) in str(told.value)
    if full:
        lease.take("syncjob 2")
        lease.release()


def test_a_state_that_is_gone_while_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "syncjob.db"
    state = State(path)
    path.unlink()
    with pytest.raises(StateError) as told, state.commit():
        pytest.fail("it was committed to a file that nobody will ever read")
    assert str(path) in str(told.value)
    assert not path.exists()


def test_a_token_with_a_date_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "vault.db"
    token = Token(access="a", refresh="r", scope="", expires_at=NOW, refreshed_at=NOW, generation=1)
    Vault(path).save("k", token)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE tokens SET expires_at = 'soon'")
    with pytest.raises(StateError) as told:
        Vault(path).token("k")
    assert "a date in it is none" in str(told.value)
    assert "soon" not in str(told.value)


def backup(file: Path, **members: bytes) -> Path:
    with tarfile.open(file, "w:gz") as tar:
        for name, content in members.items():
            one = tarfile.TarInfo(name.replace("_", "."))
            one.size = len(content)
            tar.addfile(one, io.BytesIO(content))
    return file


@pytest.mark.parametrize("manifest", [b"", b"{", b"[]", b'{"format": "one"}'])
def test_a_backup_whose_manifest_says_nothing(tmp_path: Path, manifest: bytes) -> None:
    file = backup(tmp_path / "b.tar.gz", manifest_json=manifest, config_yaml=b"", syncjob_db=b"")
    with pytest.raises(WrongFile) as told:
        read_manifest(file)
    assert "manifest" in str(told.value)
