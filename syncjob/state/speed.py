"""How long won deals waited for their draft, and payments for their deal: the last weeks of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from sqlite_utils import Database

from syncjob.core.reports import Waits

Kind = Literal["draft", "payment"]

#: A person asks for the last week; a little more is kept.
KEPT = timedelta(days=35)


class Speed:
    """One row a draft that was made and a payment that was told."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def note(self, kind: Kind, subject: str, *, since: datetime, at: datetime) -> None:
        """What happened at `since` was done at `at`; what is too old to be asked for goes."""
        self.db.execute("DELETE FROM waited WHERE at < ?", ((at - KEPT).isoformat(),))
        seconds = max(0, round((at - since).total_seconds()))
        self.db.execute(
            "INSERT INTO waited (kind, subject, seconds, at) VALUES (?, ?, ?, ?)",
            (kind, subject, seconds, at.isoformat()),
        )

    def waits(self, kind: Kind, since: datetime) -> Waits | None:
        """Half of them, 95% of them and the longest, of those done since then; None if none."""
        rows = self.db.execute(
            "SELECT seconds FROM waited WHERE kind = ? AND at >= ? ORDER BY seconds",
            (kind, since.isoformat()),
        ).fetchall()
        if not rows:
            return None
        seconds = [int(row[0]) for row in rows]
        return Waits(
            count=len(seconds), half=_at(seconds, 50), most=_at(seconds, 95), longest=seconds[-1]
        )


def _at(ordered: list[int], percent: int) -> int:
    """The value within which so many of a hundred lie (nearest rank)."""
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]
