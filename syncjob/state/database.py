"""The state file: opened safe (WAL, full synchronous, 0600), one object for all its tables."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlite_utils import Database

from syncjob.errors import StateError
from syncjob.state.audit import Audit
from syncjob.state.book import Book
from syncjob.state.contacts import ContactBook
from syncjob.state.decisions import Decisions
from syncjob.state.issues import Issues
from syncjob.state.journal import Journal
from syncjob.state.links import Links
from syncjob.state.matches import Matches
from syncjob.state.merges import Merges
from syncjob.state.papers import Papers
from syncjob.state.reads import Reads
from syncjob.state.reconcile import Reconciled
from syncjob.state.relinks import Relinks
from syncjob.state.rulings import Rulings
from syncjob.state.schema import migrate
from syncjob.state.search import Search
from syncjob.state.snapshots import Snapshots
from syncjob.state.speed import Speed
from syncjob.state.told import Notes
from syncjob.state.trail import Trail

#: How long a statement waits for another process's lock; commands that only decide wait this long.
BUSY_TIMEOUT_MS = 10_000


class State:
    """One connection's memory. All commits go through `commit`, which tests and faults can see."""

    def __init__(self, path: Path) -> None:
        """Open or create the state at `path`. Raises StateError if it cannot be used."""
        self.path = path
        self.existed = path.exists() and path.stat().st_size > 0
        with readable_errors(path):
            self.db = _open(path)
            migrate(self.db)
            self._file = _identity(path)
        self.reads = reads = Reads(self.db)
        self.snapshots = Snapshots(self.db, reads)
        self.links = Links(self.db, reads)
        self.contacts = ContactBook(self.db)
        self.matches = Matches(self.db, reads)
        self.merges = Merges(self.db, reads)
        self.papers = Papers(self.db, reads)
        self.journal = Journal(self.db, reads)
        self.notes = Notes(self.db, reads)
        self.book = Book(self.db, reads)
        self.speed = Speed(self.db)
        self.issues = Issues(self.db)
        self.reconciled = Reconciled(self.db)
        self.relinks = Relinks(self.db, reads, self.merges)
        self.rulings = Rulings(self.db)
        self.trail = Trail(self.db)
        self.search = Search(self.db)
        self.decisions = Decisions(self.db)
        self.audit = Audit(self.db)

    @contextlib.contextmanager
    def commit(self) -> Iterator[None]:
        """One transaction. Raises StateError if the disk is full, the file is locked, or another
        one stands in its place (a restore, while a command waited at its question)."""
        with readable_errors(self.path):
            there = _identity(self.path)
        if there != self._file:
            raise StateError(
                "The state was put back, or taken away, while this command had it open; nothing "
                "more is done with the one that stood there.", where=str(self.path),
                next_step="Run the command again.",
            )  # fmt: skip
        with readable_errors(self.path), self.db.atomic():
            # Its first word is a write, so that it waits for whoever else writes: one that has
            # read before cannot, and a command that decides would end the batch that runs.
            self.db.execute("UPDATE lease SET fence = fence WHERE 0")
            yield

    @property
    def changes(self) -> int:
        """How many rows this process has written: while it stays, so does what was read here."""
        return self.db.conn.total_changes

    @contextlib.contextmanager
    def gathering(self) -> Iterator[None]:
        """What a group of decisions reads is read once (state/reads.py), as of one moment: that of
        the commit around it, else one of its own. Nothing is to be written in it: that would be
        right, and slow."""
        # A transaction within one is a savepoint of a new name: two statements that SQLite
        # compiles each time, and that push others out of the ones that are kept compiled.
        inside = self.db.conn.in_transaction
        moment = contextlib.nullcontext() if inside else self.db.atomic()
        with readable_errors(self.path), moment, self.reads.gathered():
            yield

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """One unchanging view of everything; a write raises. Other processes go on writing."""
        with readable_errors(self.path):
            self.db.execute("PRAGMA query_only = ON")
            try:
                with self.db.atomic():
                    yield
            finally:
                self.db.execute("PRAGMA query_only = OFF")

    def copy(self, path: Path) -> State:
        """A second state with the same content, for a dry run."""
        with readable_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            with contextlib.closing(sqlite3.connect(path)) as target:
                self.db.conn.backup(target)
        return State(path)

    def close(self) -> None:
        self.db.close()


def _open(path: Path) -> Database:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    db = Database(path, execute_plugins=False)  # nobody else's code on the state
    db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    return db


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file stands there: a name says nothing of that. None for none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


@contextlib.contextmanager
def readable_errors(path: Path) -> Iterator[None]:
    """SQLite's errors in words, each with its next step."""
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.DatabaseError, OSError) as error:
        if isinstance(error, sqlite3.IntegrityError):
            raise
        raise StateError(
            f"The state file cannot be used: {_said(error)}.",
            where=str(path),
            next_step=advice(error)
            or "Restore it from a backup; the next run then rebuilds its links from the markers.",
        ) from error


@contextlib.contextmanager
def written(path: Path) -> Iterator[None]:
    """The errors of writing a file that a person named, which is not the state's."""
    try:
        yield
    except OSError as error:
        full = "space" in (error.strerror or "").lower()
        raise StateError(
            f"The file cannot be written: {error.strerror or error}.", where=str(path),
            next_step="Free some disk space and repeat." if full else "Name a file in a folder "
            "that you may write to.",
        ) from error  # fmt: skip


def _said(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def advice(error: Exception) -> str | None:
    """The next step where the disk or its rights are at fault, and not the file's content."""
    # An OSError names the path, which may hold any word.
    words = (error.strerror or "" if isinstance(error, OSError) else str(error)).lower()
    if isinstance(error, FileExistsError | NotADirectoryError | IsADirectoryError):
        return "Something else stands in the folder's place; change connection.state in the config."
    if "full" in words or "no space" in words or "disk i/o" in words or "too large" in words:
        return "Free some disk space and run again; nothing was sent that is not recorded."
    if "locked" in words:
        return "Another process holds the file; wait for it or end it."
    if any(sign in words for sign in ("readonly", "read-only", "permission", "unable to open")):
        return "Give this user the right to write the file and its folder (connection.state)."
    return None
