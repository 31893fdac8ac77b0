"""What the state holds of one record's past: when it was seen, what was sent for it, what it waits
for. Reading only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from sqlite_utils import Database

from syncjob.core.actions import Action
from syncjob.core.records import Receiver, Side

_WRITE = (
    "SELECT i.id, c.batch, i.side, i.action, i.state, coalesce(i.outcome, ''), c.opened_at, "
    "c.sent_at, c.server_time, c.sends, c.status, coalesce(c.answer, '') "
    "FROM intent i JOIN call c ON c.id = i.call"
)


class Seen(msgspec.Struct, frozen=True):
    """The last look at a record: its own stamp, the batch and when that began, and whether it was
    read by its id (`strong`) or in a list."""

    updated: datetime | None
    batch: int
    at: datetime | None
    strong: bool


class Write(msgspec.Struct, frozen=True):
    """One write as journaled, with what became of it. `answer` is the start of what the vendor
    answered to its whole call, `outcome` what that means for this write."""

    intent: int
    batch: int
    side: Receiver
    action: Action
    state: str
    outcome: str
    opened: datetime
    sent: datetime | None
    server_time: datetime | None
    sends: int
    status: int | None
    answer: str


class Tie(msgspec.Struct, frozen=True):
    """A CRM customer and its ledger contact, how they were found to be one, and in which batch."""

    crm_id: str
    ledger_id: str
    how: str
    batch: int


class Trail:
    """Looks at a state; writes nothing."""

    def __init__(self, db: Database) -> None:
        self.db = db

    # --- seen ------------------------------------------------------------

    def seen(self, side: Side, stream: str, id: str) -> Seen | None:
        """When the record was last seen, and how; None if it never was."""
        row = self.db.execute(
            "SELECT s.updated, s.batch, b.started, s.strong FROM snapshot s "
            "LEFT JOIN batch b ON b.id = s.batch WHERE s.side = ? AND s.stream = ? AND s.id = ?",
            (side, stream, id),
        ).fetchone()
        return Seen(_time(row[0]), row[1], _time(row[2]), bool(row[3])) if row else None

    def began(self, batch: int) -> datetime | None:
        """When a batch began; None for one that this state does not know."""
        row = self.db.execute("SELECT started FROM batch WHERE id = ?", (batch,)).fetchone()
        return _time(row[0]) if row else None

    def tie(self, contact: str) -> Tie | None:
        """The link of this contact, by either side's id."""
        row = self.db.execute(
            "SELECT crm_id, ledger_id, how, batch FROM contact_link "
            "WHERE crm_id = ? OR ledger_id = ?",
            (contact, contact),
        ).fetchone()
        return Tie(*row) if row else None

    def tied_in(self, marker: str) -> int:
        """The batch in which an invoice was tied to its deal."""
        row = self.db.execute("SELECT batch FROM part WHERE marker = ?", (marker,)).fetchone()
        return int(row[0]) if row else 0

    # --- sent ------------------------------------------------------------

    def writes(self, subjects: Sequence[str], targets: Sequence[str] = ()) -> list[Write]:
        """Every write for these deals or customers, and to these records, oldest first."""
        found: dict[int, Write] = {}
        for column, names in (("subject", subjects), ("target", targets)):
            for name in names:
                rows = self.db.execute(f"{_WRITE} WHERE i.{column} = ?", (name,))
                found.update((row[0], _write(row)) for row in rows.fetchall())
        return [found[number] for number in sorted(found)]

    # --- waiting ------------------------------------------------------------

    def queued(self, subject: str) -> str | None:
        """Why the next batch decides this deal or customer, if it does."""
        kind, _, key = subject.partition(":")
        table, column = ("todo", "deal") if kind == "deal" else ("contact_todo", "key")
        row = self.db.execute(
            f"SELECT why FROM {table} WHERE {column} = ?",  # noqa: S608
            (key,),
        ).fetchone()
        return row[0] if row else None

    def wakes(self, deal: str) -> date | None:
        """The day on which the deal is decided again though nothing changes."""
        row = self.db.execute("SELECT day FROM wake WHERE deal = ?", (deal,)).fetchone()
        return date.fromisoformat(row[0]) if row else None


def _write(row: tuple[Any, ...]) -> Write:
    return Write(
        row[0], row[1], row[2], msgspec.json.decode(row[3], type=Action), row[4], row[5],
        datetime.fromisoformat(row[6]), _time(row[7]), _time(row[8]), row[9], row[10], row[11],
    )  # fmt: skip


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
