"""Issues as a person works through them: by their numbers, open, closed or put aside.

They are opened and closed by `Book`, with the decisions that they belong to.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlite_utils import Database

from syncjob.core.actions import Issue

#: The end of what is put aside for good: until its cause is another.
FOR_GOOD = "9999-12-31T00:00:00+00:00"

_COLUMNS = (
    "id, code, subject, state, what, next_step, field, page, opened_at, opened_batch, raised_at, "
    "closed_at, ignored_until"
)


class KnownIssue(msgspec.Struct, frozen=True, kw_only=True):
    """An issue with its number and its times; `raised_at` is when it was last found to be true,
    `ignored_until` when it is told of again."""

    id: int
    issue: Issue
    opened_at: datetime
    opened_batch: int
    raised_at: datetime | None = None
    closed_at: datetime | None = None
    ignored_until: datetime | None = None

    def ignored(self, now: datetime) -> bool:
        """Whether a person has put it aside for now."""
        return self.ignored_until is not None and self.ignored_until > now


class Issues:
    """Every issue that there was. Methods that write are called inside `State.commit`."""

    def __init__(self, db: Database) -> None:
        self.db = db

    # --- reading ------------------------------------------------------------

    def get(self, number: int) -> KnownIssue | None:
        """The issue of this number, open or closed."""
        found = self._where("id = ?", number)
        return found[0] if found else None

    def told_of(self, subjects: Iterable[str]) -> frozenset[str]:
        """Those of the subjects that an open issue names."""
        rows = self.db.conn.execute(
            "SELECT DISTINCT subject FROM issue WHERE closed_at IS NULL "
            "AND subject IN (SELECT value FROM json_each(?))",
            (msgspec.json.encode(list(subjects)).decode(),),
        )
        return frozenset(row[0] for row in rows.fetchall())

    def open(self) -> list[KnownIssue]:
        """Every open one, those put aside included, oldest first."""
        return self._where("closed_at IS NULL")

    def open_of_others(self) -> list[KnownIssue]:
        """The open ones that are about anything but a deal, oldest first."""
        return self._where("closed_at IS NULL AND NOT (subject >= 'deal:' AND subject < 'deal:~')")

    def of(self, *subjects: str) -> list[KnownIssue]:
        """All that were ever open about these, oldest first."""
        places = ", ".join("?" * len(subjects))
        return self._where(f"subject IN ({places})", *subjects)

    def closed_since(self, at: datetime) -> list[KnownIssue]:
        """Those that were closed from then on, oldest first."""
        return self._where("closed_at >= ?", at.isoformat())

    def oldest(self, now: datetime) -> datetime | None:
        """Since when the oldest open issue that is not put aside has been open."""
        row = self.db.execute(
            "SELECT min(opened_at) FROM issue WHERE closed_at IS NULL "
            "AND (ignored_until IS NULL OR ignored_until <= ?)",
            (now.isoformat(),),
        ).fetchone()
        return datetime.fromisoformat(row[0]) if row[0] else None

    def ignored_count(self, now: datetime) -> int:
        """How many open issues are put aside for now."""
        row = self.db.execute(
            "SELECT count(*) FROM issue WHERE closed_at IS NULL AND ignored_until > ?",
            (now.isoformat(),),
        ).fetchone()
        return int(row[0])

    def _where(self, condition: str, *given: object) -> list[KnownIssue]:
        rows = self.db.execute(
            f"SELECT {_COLUMNS} FROM issue WHERE {condition} ORDER BY id",  # noqa: S608
            given,
        )
        return [_read(row) for row in rows.fetchall()]

    # --- putting aside ------------------------------------------------------------

    def ignore(self, numbers: Iterable[int], until: str | None) -> None:
        """Tell nobody of these until then (an aware instant as text); None tells again."""
        self.db.conn.executemany(
            "UPDATE issue SET ignored_until = ? WHERE id = ?", [(until, n) for n in numbers]
        )

    # --- closing ------------------------------------------------------------

    def close(self, numbers: Iterable[int], *, at: datetime) -> int:
        """Their cause is gone. How many were open."""
        done = self.db.conn.executemany(
            "UPDATE issue SET closed_at = ? WHERE id = ? AND closed_at IS NULL",
            [(at.isoformat(), number) for number in numbers],
        )
        return done.rowcount

    def not_raised_since(self, at: datetime, code: str, prefix: str) -> list[int]:
        """Open issues of this code, about subjects that begin so, last found true before then."""
        rows = self.db.execute(
            "SELECT id FROM issue WHERE closed_at IS NULL AND code = ? AND subject GLOB ? "
            "AND coalesce(raised_at, opened_at) < ?",
            (code, f"{prefix}*", at.isoformat()),
        )
        return [row[0] for row in rows.fetchall()]


def _read(row: tuple[object, ...]) -> KnownIssue:
    id, code, subject, state, what, next_step, field, page, opened, batch, *more = row
    raised, closed, ignored = more
    return msgspec.convert(
        {
            "id": id, "opened_at": opened, "opened_batch": batch, "raised_at": raised,
            "closed_at": closed, "ignored_until": ignored,
            "issue": {"code": code, "subject": subject, "state": state, "what": what,
                      "next_step": next_step, "field": field, "page": page},
        },
        KnownIssue,
    )  # fmt: skip
