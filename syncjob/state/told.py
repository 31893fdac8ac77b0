"""What people were told: each step once, and what may never have arrived (invariant 9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlite_utils import Database

from syncjob.core.actions import Tell
from syncjob.core.rules.notices import Told
from syncjob.state.reads import Lookup, Reads

_COLUMNS = "marker, due, step, person, way, sure, at"
_OF = Lookup(_COLUMNS, "told", "marker", order="due, step, person, way", rare=True)


class Notes:
    """The steps that were told. Methods that write are called inside `State.commit`."""

    def __init__(self, db: Database, reads: Reads) -> None:
        self.db, self.reads = db, reads

    def add(self, tells: Sequence[Tell], *, sure: bool, at: datetime, batch: int) -> None:
        """Somebody was told of these; `sure` False: nobody knows whether it came."""
        self.db.conn.executemany(
            "INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            [
                (t.marker, t.due.isoformat(), t.step, t.person, t.way, int(sure), at.isoformat(),
                 batch)
                for t in tells
            ],
        )  # fmt: skip

    def of(self, markers: Sequence[str]) -> list[Told]:
        """Everything that was told of these invoices."""
        known = dict.fromkeys(markers)
        return [_told(row) for marker in sorted(known) for row in self.reads.rows(_OF, marker)]

    def fetch(self, markers: Iterable[str]) -> None:
        """Read what was told of these for the group that is being gathered (state/reads.py)."""
        self.reads.fetch(_OF, markers)

    def since(self, instant: datetime) -> set[tuple[str, str]]:
        """(person, way) of everybody who was sent a message since then."""
        rows = self.db.execute(
            "SELECT DISTINCT person, way FROM told WHERE at >= ? AND way != 'task'",
            (instant.isoformat(),),
        )
        return {(row[0], row[1]) for row in rows.fetchall()}

    def doubtful(self) -> list[Told]:
        """What may never have reached somebody, and no later message has named yet."""
        rows = self.db.execute(
            f"SELECT {_COLUMNS} FROM told WHERE sure = 0 "  # noqa: S608
            "AND named IS NULL ORDER BY marker, due, step"
        )
        return [_told(row) for row in rows.fetchall()]

    def named(self, person: str, way: str, *, batch: int) -> None:
        """A later message to this person has named what was in doubt."""
        self.db.execute(
            "UPDATE told SET named = ? WHERE person = ? AND way = ? AND sure = 0 AND named IS NULL "
            "AND batch < ?",
            (batch, person, way, batch),
        )


def _told(row: tuple[str, str, int, str, str, int, str]) -> Told:
    return Told(
        marker=row[0], due=date.fromisoformat(row[1]), step=row[2], person=row[3], way=row[4],
        sure=bool(row[5]), at=datetime.fromisoformat(row[6]),
    )  # fmt: skip
