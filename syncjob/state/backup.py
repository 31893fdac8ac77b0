"""A backup of the state as one file: the database, the config without secrets, and what it is of.

Tokens stay out: an old refresh token that came back would end the access of the present one
(`state/vault.py`), and a file that people carry about is no place for secrets.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from syncjob import __version__
from syncjob.errors import StateError, WrongFile
from syncjob.state.database import State, advice, readable_errors, written
from syncjob.state.schema import MIGRATIONS

#: The layout of the file; a later program reads the earlier ones.
FORMAT = 1
SUFFIX = ".syncjob.tar.gz"
_MANIFEST, _DATABASE, _CONFIG = "manifest.json", "state.db", "config.yaml"
#: A manifest and a config are a few kilobytes; what claims more is another file.
_TEXT_BYTES_MAX = 1_000_000
_DATABASE_BYTES_MAX = 64 * 1024**3
_CHUNK_BYTES = 1024 * 1024
#: SQLite's files of one database.
_ENDINGS = ("", "-wal", "-shm")
#: What reading a file raises that is cut off, changed, or something else.
_DAMAGE = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile)


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is of. `crm` and `ledger` are the accounts' pinned ids, None before any."""

    format: int = FORMAT
    connection: str
    code: str
    made_at: datetime
    made_by: str
    program: str = __version__
    schema: int = len(MIGRATIONS)
    last_batch: int = 0
    crm: str | None = None
    ledger: str | None = None
    deals: int = 0
    invoices: int = 0
    contacts: int = 0


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """One backup in the folder of backups; `manifest` None: it cannot be read."""

    file: str
    size_bytes: int
    manifest: Manifest | None = None
    why: str = ""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What was put back, and where what stood there before is now."""

    manifest: Manifest
    state: str
    aside: str | None = None


def write_backup(state: State, manifest: Manifest, config: str, file: Path) -> None:
    """Write the backup of a state that may be in use, whole or not at all, with mode 0600.

    Raises StateError if the disk is full or the place must not be written.
    """
    with readable_errors(file), written(file), _scratch(file.parent) as folder:
        copy = folder / _DATABASE
        with contextlib.closing(sqlite3.connect(copy)) as target:
            state.db.conn.backup(target)
        part = folder / "part"
        with (
            os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as raw,
            tarfile.open(fileobj=raw, mode="w:gz", compresslevel=6) as tar,
        ):
            _add(tar, _MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2))
            _add(tar, _CONFIG, config.encode())
            tar.add(copy, arcname=_DATABASE, filter=_plain)
        with part.open("rb") as done:
            os.fsync(done.fileno())
        part.replace(file)


def read_manifest(file: Path) -> tuple[Manifest, str]:
    """What the backup is of, and its config. Raises WrongFile if it is no backup of ours."""
    with _opened(file) as tar:
        try:
            manifest = msgspec.json.decode(_text(tar, _MANIFEST), type=Manifest)
        except msgspec.DecodeError:
            raise _no_backup(file, "its manifest is not readable") from None
        if manifest.format > FORMAT or manifest.schema > len(MIGRATIONS):
            raise WrongFile(
                f"This backup was made by syncjob {manifest.program}, a newer one than this.",
                where=str(file),
                next_step=f"Install syncjob {manifest.program} or later, then restore.",
            )
        try:
            return manifest, _text(tar, _CONFIG).decode()
        except UnicodeDecodeError:
            raise _no_backup(file, "its config is no text") from None


def unpack_database(file: Path, path: Path) -> None:
    """Write the backup's database to `path`, checked. Raises WrongFile if the backup is damaged,
    StateError if the disk is."""
    with readable_errors(path), _scratch(path.parent) as folder:
        copy = folder / _DATABASE
        copy.touch(mode=0o600)
        _whole(file)
        with _opened(file) as tar, copy.open("wb") as target:
            _copy(tar, target)
            target.flush()
            os.fsync(target.fileno())
        _sound(copy, file)
        copy.replace(path)


def replace_state(path: Path, new: Path, stamp: str) -> Path | None:
    """Put `new` in the state's place; what stands there is renamed, so that nothing is lost: its
    new name, None if there was none. Call it with the lease held.

    The sidecar goes too: the next batch finds a state without it, and starts in recovery. A kill
    in between leaves no state at all, which is recovered like any lost one.
    """
    with readable_errors(path):
        aside = _put_aside(path, stamp)
        path.with_name(path.name + ".seq").unlink(missing_ok=True)
        new.replace(path)
    return aside


def _put_aside(path: Path, stamp: str) -> Path | None:
    aside, number = path.with_name(f"{path.name}.before-{stamp}"), 1
    while any(aside.with_name(aside.name + ending).exists() for ending in _ENDINGS):
        number += 1  # two restores of one second
        aside = path.with_name(f"{path.name}.before-{stamp}-{number}")
    moved = None
    for ending in _ENDINGS:
        old = path.with_name(path.name + ending)
        if old.exists():
            old.replace(aside.with_name(aside.name + ending))
            moved = aside
    return moved


def _whole(file: Path) -> None:
    """Read to the end, where the checksum stands: the database may end before a file that is cut
    off does."""
    try:
        with gzip.open(file) as packed:
            while packed.read(_CHUNK_BYTES):
                pass
    except (*_DAMAGE, OSError) as error:
        raise _no_backup(file, f"it is cut off or damaged ({error})") from None


def _sound(copy: Path, file: Path) -> None:
    try:
        with contextlib.closing(sqlite3.connect(copy)) as db:
            said = db.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said != "ok":
        raise _no_backup(file, f"the database in it is damaged ({said})")
    _ours(copy, file)


def _ours(copy: Path, file: Path) -> None:
    """Open it as a state, and bring it up to date, while nothing depends on it yet."""
    with contextlib.closing(sqlite3.connect(copy)) as db:
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if not 0 < version <= len(MIGRATIONS):
        raise _no_backup(file, "the database in it is no state of syncjob")
    try:
        with contextlib.closing(State(copy)) as state:
            state.book.last_batches(1)
            state.db.execute("SELECT fence FROM lease").fetchone()[0]
    except (StateError, sqlite3.Error, TypeError) as error:
        if isinstance(error.__cause__, Exception) and advice(error.__cause__):
            raise  # the disk is full, or must not be written
        raise _no_backup(file, "the database in it is no state of syncjob") from None


def _copy(tar: tarfile.TarFile, target: io.BufferedWriter) -> None:
    source = tar.extractfile(_member(tar, _DATABASE, _DATABASE_BYTES_MAX))
    assert source is not None
    while chunk := source.read(_CHUNK_BYTES):
        target.write(chunk)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    with contextlib.ExitStack() as stack:
        try:
            tar = stack.enter_context(tarfile.open(file, mode="r:gz"))
        except FileNotFoundError:
            raise WrongFile(
                "There is no such file.", where=str(file),
                next_step="`syncjob restore` without a file lists the backups that there are.",
            ) from None  # fmt: skip
        except (*_DAMAGE, OSError) as error:
            raise _no_backup(file, str(error)) from None
        try:
            yield tar
        except _DAMAGE as error:  # and not every OSError: the disk that is written to may be full
            raise _no_backup(file, str(error)) from None


def _text(tar: tarfile.TarFile, name: str) -> bytes:
    source = tar.extractfile(_member(tar, name, _TEXT_BYTES_MAX))
    assert source is not None
    return source.read()


def _member(tar: tarfile.TarFile, name: str, most: int) -> tarfile.TarInfo:
    """The member of that name, a plain file of a believable size: nothing else is ever read."""
    member = next((one for one in tar if one.name == name), None)
    if member is None:
        raise tarfile.TarError(f"it holds no {name}")
    if not member.isfile() or member.size > most:
        raise tarfile.TarError(f"its {name} is not what it should be")
    return member


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o600
    tar.addfile(info, io.BytesIO(content))


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """No user's name of this machine in a file that is carried to another."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mode = 0o600
    return info


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder on the same disk, so that the last step is a rename; it goes in any case."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(
        dir=folder, prefix=".backup-", ignore_cleanup_errors=True
    ) as made:
        yield Path(made)


def _no_backup(file: Path, why: str) -> WrongFile:
    return WrongFile(
        f"This is no backup that syncjob can read: {why}.", where=str(file),
        next_step="Nothing was changed. Choose another: `syncjob restore` lists them.",
    )  # fmt: skip


def require_free(file: Path) -> None:
    """Raises StateError if something stands in the file's place already."""
    if file.exists():
        raise StateError(
            "There is a file of this name already; it was left as it is.", where=str(file),
            next_step="Name another file.",
        )  # fmt: skip
