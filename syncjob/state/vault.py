"""Tokens and call budgets in one file of mode 0600, shared by all connections of this user.

It lies beside, not inside, one connection's state: a lost or restored state must not bring back a
refresh token that was rotated since, and two connections may share an app or an organisation.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import Any

from sqlite_utils import Database

from syncjob.clock import Clock, SystemClock
from syncjob.errors import StateError, Unreachable
from syncjob.state.database import advice
from syncjob.transport.ports import Span, Spent, Token

SCHEMA_VERSION = 2
#: What each version added; a file of an older one is brought up to date when it is opened.
SCHEMAS = (
    """
CREATE TABLE tokens (
    key TEXT PRIMARY KEY,           -- one an app and user
    generation INTEGER NOT NULL,    -- counts the tokens of this key from 1 on
    access TEXT NOT NULL,
    refresh TEXT,                   -- NULL where the app renews with its own credentials
    scope TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    refreshed_at TEXT NOT NULL      -- starts the refresh token's 60 days
) STRICT;
CREATE TABLE budgets (
    key TEXT NOT NULL,              -- one an app and tenant
    window TEXT NOT NULL,
    started_at TEXT NOT NULL,
    used INTEGER NOT NULL,
    remaining INTEGER,              -- what the vendor last said is left
    seen_at TEXT,                   -- when it said so
    PRIMARY KEY (key, window)
) STRICT;
""",
    """
ALTER TABLE budgets ADD COLUMN reset_at TEXT;  -- when the vendor was seen to begin anew
CREATE TABLE spans (                -- what was used, hour by hour
    key TEXT NOT NULL,
    window TEXT NOT NULL,
    began_at TEXT NOT NULL,         -- the hour's first call
    last_at TEXT NOT NULL,          -- and its last
    used INTEGER NOT NULL,
    PRIMARY KEY (key, window, began_at)
) STRICT;
""",
)
#: Another process commits in milliseconds; one that takes longer is stuck.
BUSY_S = 30.0
#: A renewal takes three attempts at most; a run never waits longer than this (DESIGN 3).
LOCK_WAIT_S = 60.0
LOCK_POLL_S = 0.1


class Vault:
    """A TokenStore and a BudgetStore; processes and threads may share the file.

    All methods raise StateError if the file cannot be read, trusted or written.
    """

    def __init__(self, path: Path, *, clock: Clock | None = None) -> None:
        self._path, self._clock = path, clock or SystemClock()
        self._mutex = RLock()
        with self._words():
            _make_private(path)
            self._connection = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False)
            self._db = Database(self._connection, execute_plugins=False)
            self._prepare()

    def token(self, key: str) -> Token | None:
        """The token as last saved by any process."""
        with self._words():
            row = self._db.execute(
                "SELECT access, refresh, scope, expires_at, refreshed_at, generation"
                " FROM tokens WHERE key = ?",
                [key],
            ).fetchone()
        return None if row is None else self._read_token(row)

    def save(self, key: str, token: Token) -> None:
        """Store durably; when this returns the token survives a power cut."""
        with self._words(), self._db.atomic():
            self._db.execute(
                "INSERT INTO tokens (key, generation, access, refresh, scope, expires_at,"
                " refreshed_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (key) DO UPDATE SET generation = excluded.generation,"
                " access = excluded.access, refresh = excluded.refresh, scope = excluded.scope,"
                " expires_at = excluded.expires_at, refreshed_at = excluded.refreshed_at",
                [
                    key,
                    token.generation,
                    token.access,
                    token.refresh,
                    token.scope,
                    _text(token.expires_at),
                    _text(token.refreshed_at),
                ],
            )

    def forget(self, key: str) -> None:
        """Remove a key's token (`syncjob connect --forget`, or a withdrawn consent)."""
        with self._words(), self._db.atomic():
            self._db.execute("DELETE FROM tokens WHERE key = ?", [key])

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Hold this key among all processes and threads; dies with its process (flock).

        A file of its own, not a transaction: saving must be possible while it is held. Raises
        Unreachable if another holds it for longer than a minute.
        """
        name = hashlib.sha256(key.encode()).hexdigest()[:16]
        with self._words():
            lock_path = self._path.with_name(f"{self._path.name}.{name}.lock")
            handle = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._wait_for(handle)
            yield
        finally:
            os.close(handle)

    def spend(self, key: str, window: str, seconds: float, amount: int, now: datetime) -> Spent:
        """Add `amount` (0 to read only) and return the sum; a window that is over starts anew."""
        oldest = _text(now - timedelta(seconds=seconds))
        with self._words(), self._db.atomic():
            self._db.execute(
                "INSERT INTO budgets (key, window, started_at, used) VALUES (?1, ?2, ?3, ?4)"
                " ON CONFLICT (key, window) DO UPDATE SET"
                " used = CASE WHEN started_at <= ?5 THEN ?4 ELSE used + ?4 END,"
                " remaining = CASE WHEN seen_at <= ?5 THEN NULL ELSE remaining END,"
                " seen_at = CASE WHEN seen_at <= ?5 THEN NULL ELSE seen_at END,"
                " started_at = CASE WHEN started_at <= ?5 THEN ?3 ELSE started_at END",
                [key, window, _text(now), amount, oldest],
            )
            if amount:
                self._add_span(key, window, amount, now, oldest)
            used, started, remaining, seen, reset = self._db.execute(
                "SELECT used, started_at, remaining, seen_at, reset_at FROM budgets"
                " WHERE key = ? AND window = ?",
                [key, window],
            ).fetchone()
            spans = self._db.execute(
                "SELECT began_at, last_at, used FROM spans"
                " WHERE key = ? AND window = ? AND last_at > ? ORDER BY began_at",
                [key, window, oldest],
            ).fetchall()
        return Spent(
            used=used,
            started_at=datetime.fromisoformat(started),
            remaining=remaining,
            seen_at=_instant(seen),
            reset_at=_instant(reset),
            spans=tuple(
                Span(
                    began_at=datetime.fromisoformat(began),
                    last_at=datetime.fromisoformat(last),
                    used=number,
                )
                for began, last, number in spans
            ),
        )

    def _add_span(self, key: str, window: str, amount: int, now: datetime, oldest: str) -> None:
        """Add to the present hour's span; what is a whole window old is forgotten."""
        self._db.execute(
            "DELETE FROM spans WHERE key = ? AND window = ? AND last_at <= ?", [key, window, oldest]
        )
        added = self._db.execute(
            "UPDATE spans SET used = used + ?4, last_at = max(last_at, ?3)"
            " WHERE key = ?1 AND window = ?2 AND began_at > ?5"
            " AND began_at = (SELECT max(began_at) FROM spans WHERE key = ?1 AND window = ?2)",
            [key, window, _text(now), amount, _text(now - timedelta(hours=1))],
        )
        if not added.rowcount:
            self._db.execute(
                "INSERT INTO spans (key, window, began_at, last_at, used)"
                " VALUES (?1, ?2, ?3, ?3, ?4)"
                " ON CONFLICT (key, window, began_at) DO UPDATE SET used = used + ?4",
                [key, window, _text(now), amount],
            )

    def note(
        self, key: str, window: str, remaining: int, now: datetime, reset: datetime | None = None
    ) -> None:
        """Keep what the vendor said is left, for the window that `spend` began, and when it was
        seen to begin anew."""
        with self._words(), self._db.atomic():
            self._db.execute(
                "UPDATE budgets SET remaining = ?, seen_at = ?, reset_at = coalesce(?, reset_at)"
                " WHERE key = ? AND window = ?",
                [remaining, _text(now), _text(reset) if reset else None, key, window],
            )

    def close(self) -> None:
        """Close the file; the vault cannot be used afterwards."""
        with self._mutex:
            self._connection.close()

    def _prepare(self) -> None:
        """WAL and full synchronous commits; the tables on first use."""
        self._db.execute("PRAGMA journal_mode = WAL").fetchone()
        self._db.execute("PRAGMA synchronous = FULL")
        # Deferred, two first starts at once would both see no tables.
        self._connection.execute("BEGIN IMMEDIATE")
        end = "ROLLBACK"
        try:
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            for schema in SCHEMAS[version:]:
                for statement in filter(str.strip, re.split(r";\s", schema)):
                    self._connection.execute(statement)
            if version < SCHEMA_VERSION:
                self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            end = "COMMIT"
        finally:
            self._connection.execute(end)
        if version > SCHEMA_VERSION:
            raise StateError(
                f"The token file was made by a newer syncjob (version {version}).",
                where=str(self._path),
                next_step="Use that version, or move the file away and connect again.",
            )

    def _wait_for(self, handle: int) -> None:
        until = self._clock.monotonic() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                pass
            if self._clock.monotonic() >= until:
                raise Unreachable(
                    "Another process has been renewing the same token for a minute.",
                    where=str(self._path),
                    next_step="The next run tries again.",
                )
            self._clock.sleep(LOCK_POLL_S)

    def _read_token(self, row: Any) -> Token:
        access, refresh, scope, expires_at, refreshed_at, generation = row
        try:
            return Token(
                access=access,
                refresh=refresh,
                scope=scope,
                expires_at=datetime.fromisoformat(expires_at),
                refreshed_at=datetime.fromisoformat(refreshed_at),
                generation=generation,
            )
        except ValueError:
            raise self._unusable("a date in it is none") from None

    @contextmanager
    def _words(self) -> Iterator[None]:
        """One thread at a time; what goes wrong with the file as a StateError with words."""
        with self._mutex:
            try:
                yield
            except (sqlite3.Error, OSError) as failure:
                raise self._unusable(str(failure), advice(failure)) from None

    def _unusable(self, why: str, next_step: str | None = None) -> StateError:
        return StateError(
            f"The token file cannot be used: {why}.",
            where=str(self._path),
            next_step=next_step
            or "Check the disk and the file's owner; if it is damaged, move it away and run "
            "`syncjob connect` again (invoices and links are not in it).",
        )


def _text(instant: datetime) -> str:
    """An instant as text of one length and zone, so that texts sort as instants do."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _make_private(path: Path) -> None:
    """The file exists and is nobody else's to read before the first secret is in it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
