"""Backups of a connection's state: made nightly or by hand, put back, or moved to a new machine.

BOOKKEEPING: a lost, week-old or second copy of the state doubles nothing. A state that is put
back starts in recovery (engine/recovery.py), and one that was moved away is paused.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

from syncjob.clock import Clock
from syncjob.config import Config, secret_values
from syncjob.config.secrets import without_secrets
from syncjob.core.records import Side
from syncjob.engine import desk
from syncjob.engine.backup_folder import STAMP, files, folder
from syncjob.engine.batch import Batch
from syncjob.engine.opening import Opening, holder
from syncjob.errors import StateError, WrongFile
from syncjob.state.backup import (
    SUFFIX,
    Backup,
    Manifest,
    Restored,
    read_manifest,
    replace_state,
    require_free,
    unpack_database,
    write_backup,
)
from syncjob.state.database import State
from syncjob.state.lock import Lease

_PINS: tuple[tuple[Side, str], ...] = (("crm", "crm_account"), ("ledger", "ledger_organisation"))


class Keeping(Opening):
    """What a command may ask of backups while the state is open."""

    def backup(self, file: Path | None, *, who: str) -> Backup:
        """Write a backup; a batch may run meanwhile. Raises StateError."""
        return back_up(self.config, self.state, now=self.clock.now(), who=who, file=file)

    def move(self, file: Path, *, who: str, reason: str) -> Backup:
        """Write everything that a new machine needs into one file, and pause this connection
        here, so that two never write at once. Raises LockHeld, StateError."""
        now = self.clock.now()
        with self._lease():
            made = back_up(self.config, self.state, now=now, who=who, file=file)
            why = f"moved to another machine with {file.name}" + (f": {reason}" if reason else "")
            desk.pause(self.state, only="all", until=None, reason=why, who=who, now=now)
        return made


def back_up(
    config: Config, state: State, *, now: datetime, who: str, file: Path | None = None,
    code: str | None = None,
) -> Backup:  # fmt: skip
    """Write a backup, into the folder of backups unless a file is named; there only the newest
    `retention.backups` stay. A batch may run meanwhile. `code`: the connection's, where the state
    still has an earlier one than the config. Raises StateError."""
    target = file or folder(config) / f"{config.connection.name}-{now.strftime(STAMP)}{SUFFIX}"
    if file is not None:
        require_free(file)
    manifest = _manifest(config, state, now, who)
    if code is not None:
        manifest = msgspec.structs.replace(manifest, code=code)
    write_backup(state, manifest, _config_text(config), target)
    if file is None:
        others = [old for old in files(config) if old != target]  # a clock may have been ahead
        for old in others[config.retention.backups - 1 :]:
            old.unlink(missing_ok=True)
    return Backup(file=str(target), size_bytes=target.stat().st_size, manifest=manifest)


def backup_tonight(batch: Batch, until: float) -> tuple[str, datetime | None]:
    """The night's backup, a chore (engine/chores.py)."""
    made = back_up(batch.config, batch.state, now=batch.clock.now(), who="nightly")
    return f"wrote {Path(made.file).name}", None


def backups(config: Config) -> list[Backup]:
    """The backups that there are, newest first; those that cannot be read say why."""
    found = []
    for file in files(config):
        try:
            manifest, why = read_manifest(file)[0], ""
        except WrongFile as error:
            manifest, why = None, error.what
        found.append(
            Backup(file=str(file), size_bytes=file.stat().st_size, manifest=manifest, why=why)
        )
    return found


def restore(config: Config, file: Path, *, clock: Clock, who: str, reason: str) -> Restored:
    """Put a backup in the state's place; what stands there is renamed, never lost.

    Raises WrongFile (no backup, or another connection's), LockHeld, StateError; nothing is
    changed then.
    """
    manifest, _ = read_manifest(file)
    require_same(config, manifest, file)
    path, now = config.resolve(config.connection.state), clock.now()
    lease = Lease(path)
    lease.take(holder())
    try:
        aside = _replace(path, file, now)
        state = State(path)
        try:
            _written_down(state, manifest, file, who, reason, now)
        finally:
            state.close()
    finally:
        lease.release()
    return Restored(manifest=manifest, state=str(path), aside=str(aside) if aside else None)


def _replace(path: Path, file: Path, now: datetime) -> Path | None:
    """What stood there goes aside only when the backup was found sound."""
    new = path.with_name(path.name + ".restored")
    unpack_database(file, new)
    return replace_state(path, new, now.strftime(STAMP))


def require_same(config: Config, manifest: Manifest, file: Path) -> None:
    """Raises WrongFile unless the backup is of this config's connection."""
    mine = (config.connection.name, config.connection.code)
    theirs = (manifest.connection, manifest.code)
    if theirs[0] != mine[0] or theirs[1] not in (mine[1], *config.connection.former_codes):
        raise WrongFile(
            f"This is a backup of the connection {theirs[0]} (code {theirs[1]}), and the config "
            f"is that of {mine[0]} (code {mine[1]}).",
            where=str(file),
            next_step="Name the config that it belongs to with -c, or choose another backup.",
        )


def _manifest(config: Config, state: State, now: datetime, who: str) -> Manifest:
    book = state.book
    last = book.last_batches(1)
    pins = {side: book.fact(key) for side, key in _PINS}
    contacts = state.db.execute("SELECT count(*) FROM contact_link").fetchone()[0]
    return Manifest(
        connection=config.connection.name, code=config.connection.code, made_at=now, made_by=who,
        last_batch=int(str(last[0]["id"])) if last else 0, crm=pins["crm"],
        ledger=pins["ledger"], deals=state.snapshots.count("crm", "deals"),
        invoices=state.links.live_count(), contacts=int(contacts),
    )  # fmt: skip


def _config_text(config: Config) -> str:
    """The config as it stands, with every secret in it masked; they are asked for anew."""
    try:
        text = config.path.read_text(encoding="utf-8")
    except OSError as error:
        raise StateError(
            f"The config cannot be read again ({error.strerror}).", where=str(config.path),
            next_step="Mend its rights and repeat.",
        ) from None  # fmt: skip
    return without_secrets(text, secret_values(config))


def _written_down(
    state: State, manifest: Manifest, file: Path, who: str, reason: str, now: datetime
) -> None:
    with state.commit():
        state.book.record(
            batch=manifest.last_batch, at=now, side="us", target="connection",
            subject="connection", reason=f"{who}: {reason}", intent=None,
            changes={"restore": (None, f"{file.name}, made {manifest.made_at:%Y-%m-%d %H:%M} UTC")},
        )  # fmt: skip
