"""Which rules decided what, as it was said when it was decided: kept for as long as the deal is.

The rules are asked anew in every batch, but of an invoice that is there they do not speak again,
and a config that has changed since would say something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlite_utils import Database


class Ruling(msgspec.Struct, frozen=True):
    """What the rules said of one deal or customer in the batch that wrote something for it."""

    batch: int
    at: datetime
    words: tuple[str, ...]


class Rulings:
    """The sentences of the rules by subject ("deal:1042") and batch."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def keep(self, subject: str, words: Sequence[str], *, batch: int, at: datetime) -> None:
        """Keep what was decided; once a batch and subject. Call it inside `State.commit`."""
        self.db.execute(
            "INSERT OR IGNORE INTO ruling VALUES (?, ?, ?, ?)",
            (subject, batch, at.isoformat(), msgspec.json.encode(list(words)).decode()),
        )

    def of(self, subject: str) -> list[Ruling]:
        """What was decided of it, oldest first."""
        rows = self.db.execute(
            "SELECT batch, at, words FROM ruling WHERE subject = ? ORDER BY batch", (subject,)
        )
        return [
            Ruling(
                row[0], datetime.fromisoformat(row[1]),
                tuple(msgspec.json.decode(row[2], type=list[str])),
            )
            for row in rows.fetchall()
        ]  # fmt: skip
