"""The doors to the disk, wrapped from outside: commits, tokens, the sidecar, and statements.

Nothing in the product knows of them. A statement is one that writes; what only reads changes
nothing, so a process killed there leaves what one killed at its last commit leaves.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from syncjob.engine import recovery
from syncjob.state import database, vault
from syncjob.state.database import State, readable_errors
from syncjob.state.vault import Vault
from syncjob.transport.ports import Token
from tests.sim.faults import Faults, Killed, active

WRITING = ("INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "ALTER", "DROP")
_ENDING = ("ROLLBACK", "RELEASE")
_FULL, _LOCKED = "database or disk is full", "database is locked"
#: The folder whose functions name a statement's place.
_PROGRAM = str(Path(database.__file__).parent.parent)

_commit, _save = State.commit, Vault.save
_sidecar = recovery.write_sidecar


def _met(words: str) -> str | None:
    faults = active()
    return faults.meet("commit", words) if faults else None


def _before(fault: str | None, faults: Faults | None = None) -> None:
    """Killed or refused before it counts."""
    faults = faults or active()
    if fault == "kill before" and faults:
        faults.kill()
    if fault == "disk full":
        raise sqlite3.OperationalError(_FULL)
    if fault == "locked":
        raise sqlite3.OperationalError(_LOCKED)


def _after(fault: str | None) -> None:
    """Killed right after it counted."""
    faults = active()
    if fault == "kill after" and faults:
        faults.kill()


@contextmanager
def _watched_commit(self: State) -> Iterator[None]:
    if self.db.conn.in_transaction:  # a part of an outer commit
        with _commit(self):
            yield
        return
    with _commit(self):
        fault = _met("state")
        yield
        _before(fault)
    _after(fault)


def _watched_save(self: Vault, key: str, token: Token) -> None:
    fault = _met("token")
    with self._words():
        _before(fault)
    _save(self, key, token)
    _after(fault)


def _watched_sidecar(state: Path, batch: int) -> None:
    fault = _met("sidecar")
    with readable_errors(state):
        _before(fault)
    _sidecar(state, batch)
    _after(fault)


# --- statements ----------------------------------------------------------------------------------


class _Door:
    """What both kinds of files share: which statement takes the lock, and what passes."""

    def __init__(self) -> None:
        self.wrote = False

    def passed(self, sql: str) -> None:
        """Raises what a fault at this statement is."""
        faults = active()
        if faults is None:
            return
        word = _verb(sql)
        if faults.dead and word not in _ENDING:
            raise Killed
        if word == "BEGIN":
            self.wrote = False
        if word in WRITING:
            first, self.wrote = not self.wrote, True
            _before(faults.meet_statement(_one_line(sql), _place, first=first), faults)


@lru_cache(maxsize=2048)
def _verb(sql: str) -> str:
    """Kept, as `_one_line` is: a batch makes hundreds of statements of few texts."""
    return sql.lstrip()[:8].split(" ")[0].upper().rstrip(";")


@lru_cache(maxsize=2048)
def _one_line(sql: str) -> str:
    return " ".join(sql.split())


class WatchedConnection(sqlite3.Connection):
    """The state's connection."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.door = _Door()

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        self.door.passed(sql)
        return super().execute(sql, *values)

    def executemany(self, sql: str, *values: Any) -> sqlite3.Cursor:
        self.door.passed(sql)
        return super().executemany(sql, *values)


class WatchedVaultFile(Database):
    """The file of tokens and budgets, whose own connection is made without us."""

    def __init__(self, connection: sqlite3.Connection, **options: Any) -> None:
        self.door = _Door()
        super().__init__(connection, **options)

    def execute(self, sql: str, parameters: Any = None) -> sqlite3.Cursor:
        self.door.passed(sql)
        return super().execute(sql, parameters)


def _place() -> str:
    """The functions of the program, innermost first, that lead to this statement: two of them."""
    found: list[str] = []
    frame = sys._getframe(2)
    while frame is not None and len(found) < 2:
        code = frame.f_code
        if code.co_filename.startswith(_PROGRAM):
            found.append(f"{Path(code.co_filename).stem}.{code.co_name}")
        frame = frame.f_back  # type: ignore[assignment]
    return " < ".join(found)


def _watched_file(path: Path, **options: Any) -> Database:
    return Database(sqlite3.connect(path, factory=WatchedConnection), **options)


def install() -> None:
    """Wrap every door, once for the process."""
    wrapped: tuple[tuple[Any, str, Callable[..., Any]], ...] = (
        (State, "commit", _watched_commit), (Vault, "save", _watched_save),
        (recovery, "write_sidecar", _watched_sidecar), (database, "Database", _watched_file),
        (vault, "Database", WatchedVaultFile),
    )  # fmt: skip
    for owner, name, door in wrapped:
        setattr(owner, name, door)
