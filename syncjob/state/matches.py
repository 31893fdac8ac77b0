"""Matches that wait for a person, and the pairs that a person has said are not the same.

Keeps invariant 2 (one link a record) where only a person can tell: while a record has an undecided
match, nothing is created for it.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlite_utils import Database

from syncjob.core.review import Kind, Proposal
from syncjob.state.reads import Lookup, Reads

_NEAR = tuple(Lookup("body", "near", name, rare=True) for name in ("first", "second"))
_APART = (
    Lookup("second", "apart", "first", rare=True),
    Lookup("first", "apart", "second", rare=True),
)


class Matches:
    """Undecided proposals, and pairs that are apart."""

    def __init__(self, db: Database, reads: Reads) -> None:
        self.db, self.reads = db, reads

    # --- undecided ------------------------------------------------------------

    def of(self, record_id: str) -> list[Proposal]:
        """The undecided proposals that name this record, best first."""
        found = (row[0] for lookup in _NEAR for row in self.reads.rows(lookup, record_id))
        return _best_first(_read(body) for body in dict.fromkeys(found))

    def fetch(self, ids: Iterable[str]) -> None:
        """Read what is said of these for the group that is being gathered (state/reads.py)."""
        for lookup in (*_NEAR, *_APART):
            self.reads.fetch(lookup, ids)

    def get(self, first: str, second: str) -> Proposal | None:
        """The undecided proposal for these two."""
        row = self.db.execute(
            "SELECT body FROM near WHERE first = ? AND second = ?", (first, second)
        ).fetchone()
        return _read(row[0]) if row else None

    def all(self, kinds: Iterable[Kind]) -> list[Proposal]:
        """All undecided proposals of these kinds, best first."""
        found: list[Proposal] = []
        for kind in sorted(kinds):
            rows = self.db.execute("SELECT body FROM near WHERE kind = ?", (kind,))
            found += [_read(row[0]) for row in rows.fetchall()]
        return _best_first(found)

    def count(self, kind: Kind) -> int:
        """How many proposals of this kind are undecided."""
        row = self.db.execute("SELECT count(*) FROM near WHERE kind = ?", (kind,)).fetchone()
        return int(row[0])

    def propose(self, proposals: Iterable[Proposal], *, batch: int) -> None:
        """Remember these until a person decides; a known one is brought up to date."""
        self.db.conn.executemany(
            "INSERT OR REPLACE INTO near VALUES (?, ?, ?, ?, ?)",
            [(p.first, p.second, p.kind, msgspec.json.encode(p), batch) for p in proposals],
        )

    def drop(self, first: str, second: str) -> None:
        """The proposal is decided, or no longer made."""
        self.db.execute("DELETE FROM near WHERE first = ? AND second = ?", (first, second))

    def drop_all(self, kinds: Iterable[Kind]) -> None:
        """Everything was compared anew: what is still proposed is proposed again."""
        for kind in kinds:
            self.db.execute("DELETE FROM near WHERE kind = ?", (kind,))

    def drop_of(self, record_id: str, kinds: Iterable[Kind]) -> None:
        """The record is linked (or forgotten): no more proposals of these kinds name it."""
        for kind in kinds:
            self.db.execute(
                "DELETE FROM near WHERE kind = ? AND (first = ? OR second = ?)",
                (kind, record_id, record_id),
            )

    # --- apart ------------------------------------------------------------

    def set_apart(self, first: str, second: str, *, who: str, at: str) -> None:
        """A person said that these two are not the same; they are never proposed again."""
        self.db.execute(
            "INSERT OR REPLACE INTO apart VALUES (?, ?, ?, ?)", (first, second, who, at)
        )

    def not_apart(self, first: str, second: str) -> None:
        """A person changed their mind."""
        self.db.execute("DELETE FROM apart WHERE first = ? AND second = ?", (first, second))

    def are_apart(self, first: str, second: str) -> bool:
        """Whether a person said that these two are not the same."""
        row = self.db.execute(
            "SELECT 1 FROM apart WHERE (first = ? AND second = ?) OR (first = ? AND second = ?)",
            (first, second, second, first),
        ).fetchone()
        return row is not None

    def apart_from(self, record_id: str) -> frozenset[str]:
        """The records that a person said are not this one."""
        found = (row for lookup in _APART for row in self.reads.rows(lookup, record_id))
        return frozenset(row[0] for row in found)

    def apart(self) -> list[tuple[str, str]]:
        """Every pair that a person set apart, in a fixed order."""
        rows = self.db.execute("SELECT first, second FROM apart ORDER BY first, second")
        return [(row[0], row[1]) for row in rows.fetchall()]


def _read(body: bytes) -> Proposal:
    return msgspec.json.decode(body, type=Proposal)


def _best_first(found: Iterable[Proposal]) -> list[Proposal]:
    return sorted(found, key=lambda p: (-p.score, p.first, p.second))
