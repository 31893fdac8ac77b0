"""What people decided, each with who, when and why, for ever: the inbox of the next batch, and what
took effect at once.

A decision that waits has no batch yet; one that took effect between batches (a pause) has batch 0.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlite_utils import Database

#: The batch of what took effect at once, with no batch about it.
AT_ONCE = 0

_COLUMNS = "id, at, who, kind, subject, reason, applied, outcome"


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One act of a person. `kind` is a word, with what it names after a colon: "never",
    "link:INV-0123", "take:crm:email", "match.same:<contact>", "accept:<plan>", "credit:<marker>",
    "mode:full", "pause:invoices", "ignore:<code>". `subject` is the deal ("deal:1042"), the
    customer ("contact:org:12") or "connection". `batch` is that which applied it, None while it
    waits for one, 0 if it took effect at once. `outcome` is what came of it, in words."""

    id: int
    at: datetime
    who: str
    kind: str
    subject: str
    reason: str = ""
    batch: int | None = None
    outcome: str = ""

    @property
    def verb(self) -> str:
        """The word of its kind."""
        return self.kind.partition(":")[0]


class Decisions:
    """Every act of a person. Methods that write are called inside `State.commit`."""

    def __init__(self, db: Database) -> None:
        self.db = db

    # --- taking down ------------------------------------------------------------

    def ask(self, kind: str, subject: str, *, who: str, reason: str, at: datetime) -> int:
        """A person decided this; the next batch applies it. Its id."""
        done = self.db.execute(
            "INSERT INTO inbox (kind, subject, who, reason, at) VALUES (?, ?, ?, ?, ?)",
            (kind, subject, who, reason, at.isoformat()),
        )
        return int(done.lastrowid or 0)

    def done(
        self, kind: str, subject: str, *, who: str, reason: str, at: datetime,
        batch: int = AT_ONCE, outcome: str = "",
    ) -> None:  # fmt: skip
        """A person decided this, and it took effect at once, or in the batch that runs."""
        self.db.execute(
            "INSERT INTO inbox (kind, subject, who, reason, at, applied, outcome) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (kind, subject, who, reason, at.isoformat(), batch, outcome),
        )

    # --- the inbox ------------------------------------------------------------

    def waiting(self) -> list[Decision]:
        """What the next batch has to apply, in the order in which it was decided."""
        rows = self.db.execute(
            f"SELECT {_COLUMNS} FROM inbox WHERE applied IS NULL ORDER BY id"  # noqa: S608
        )
        return [_read(row) for row in rows.fetchall()]

    def applied(self, decision_id: int, batch: int, outcome: str) -> None:
        """The batch has applied it; what came of it, in words."""
        self.db.execute(
            "UPDATE inbox SET applied = ?, outcome = ? WHERE id = ?", (batch, outcome, decision_id)
        )

    # --- reading ------------------------------------------------------------

    def of(self, *subjects: str) -> list[Decision]:
        """What was decided about these ("deal:1042", "contact:org:12", "connection"), oldest
        first; a match or a link is found by either of its two records."""
        found: dict[int, Decision] = {}
        for subject in subjects:
            name = subject.partition(":")[2] or subject
            rows = self.db.execute(
                f"SELECT {_COLUMNS} FROM inbox WHERE subject = ? "  # noqa: S608
                "OR kind IN (?, ?, ?, ?, ?)",
                (subject, f"link:{name}", f"match.same:{name}", f"match.different:{name}",
                 f"match.different:{subject}", f"credit:{name}"),
            )  # fmt: skip
            found.update((row[0], _read(row)) for row in rows.fetchall())
        return [found[number] for number in sorted(found)]

    def since(self, at: datetime | None = None) -> list[Decision]:
        """Everything decided from then on, or ever, oldest first."""
        where, given = ("", ()) if at is None else (" WHERE at >= ?", (at.isoformat(),))
        rows = self.db.execute(
            f"SELECT {_COLUMNS} FROM inbox{where} ORDER BY id",  # noqa: S608
            given,
        )
        return [_read(row) for row in rows.fetchall()]

    def in_batch(self, batch: int) -> list[Decision]:
        """What this batch applied."""
        rows = self.db.execute(
            f"SELECT {_COLUMNS} FROM inbox WHERE applied = ? ORDER BY id",  # noqa: S608
            (batch,),
        )
        return [_read(row) for row in rows.fetchall()]


def _read(row: tuple[int, str, str, str, str, str, int | None, str]) -> Decision:
    return Decision(
        id=row[0], at=datetime.fromisoformat(row[1]), who=row[2], kind=row[3], subject=row[4],
        reason=row[5], batch=row[6], outcome=row[7],
    )  # fmt: skip
