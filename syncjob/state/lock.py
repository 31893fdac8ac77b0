"""One writer per connection: a file lock that dies with its process, and a fence that outlives it.

Keeps invariant 15. The lock stops a second process on this machine; the fence, a number in the
state that grows with each owner, stops a first process that was thought dead.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from datetime import datetime
from pathlib import Path

from syncjob.errors import LockHeld, StateError
from syncjob.state.database import State, readable_errors


class Lease:
    """The right to work on one connection, held from `take` to `release`."""

    def __init__(self, path: Path) -> None:
        """`path` is the state's path; the lock file stands beside it."""
        self.path = path.with_name(path.name + ".lock")
        self.fence = 0
        self._file: int | None = None

    def take(self, holder: str) -> None:
        """Take the file lock. Raises LockHeld, naming the holder, if another process has it.

        Raises StateError if the disk is full or must not be written.
        """
        with readable_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            other = os.read(handle, 200).decode("utf-8", "replace").strip() or "another process"
            os.close(handle)
            raise LockHeld(
                f"{other} is working on this connection.",
                where=str(self.path),
                next_step="Wait for it to end; a batch takes a few minutes at most.",
            ) from None
        self._file = handle
        try:
            with readable_errors(self.path):
                os.ftruncate(handle, 0)
                os.write(handle, holder.encode())
        except StateError:
            self.release()
            raise

    def fence_in(self, state: State, holder: str, now: datetime) -> None:
        """Raise the fence: whoever held the lease before can commit and send no more."""
        with state.commit():
            state.db.execute(
                "UPDATE lease SET fence = fence + 1, holder = ?, since = ?",
                (holder, now.isoformat()),
            )
            self.fence = int(state.db.execute("SELECT fence FROM lease").fetchone()[0])

    def check(self, state: State) -> None:
        """Assert that the lease is still ours. Raises LockHeld if somebody took it over."""
        fence = int(state.db.execute("SELECT fence FROM lease").fetchone()[0])
        if self._file is None or fence != self.fence:
            raise LockHeld(
                "Another process has taken over this connection.",
                where=str(self.path),
                next_step="Nothing more is sent from here; let the other process go on.",
            )

    def release(self) -> None:
        """Give the file lock back; the fence stays."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # the name is for people; the lock goes all the same
                os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None
