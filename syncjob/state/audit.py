"""The audit as it is read: who changed what and when, from which value to which, and by which rule.

It is written by `Book.record`, in the commit of what it tells of: a write is one row of the table,
and a row for each of its fields to whoever reads. Rows are never changed, but that a forgotten
person's values are blanked.
"""

from __future__ import annotations

import msgspec
from sqlite_utils import Database

from syncjob.state.fields import unpacked_changes
from syncjob.state.reads import Row

_ROW = "SELECT id, batch, at, side, target, subject, fields, reason, rule, intent FROM audit"


class AuditRow(msgspec.Struct, frozen=True):
    """One field of one record. `side` is "crm", "ledger", "people" (messages), or "us" for what
    changed in our own state alone (a link, a person's answer). `target` and `subject` as in
    core.actions.Action; `rule` names who decided: a key or rule of the config, or a person.
    `batch` is the one whose call wrote it (0: none), `intent` its write in the journal. The rows
    of one write have one `id`."""

    id: int
    batch: int
    at: str
    side: str
    target: str
    subject: str
    field: str
    before: str | None
    after: str | None
    reason: str
    rule: str
    intent: int | None


class Audit:
    """The rows of the audit, oldest first."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def rows_of(
        self, *, target: str | None = None, subject: str | None = None, batch: int | None = None
    ) -> list[AuditRow]:
        """The rows of this record, of this deal or customer, of this batch: all that are given."""
        wanted = {"target": target, "subject": subject, "batch": batch}
        given = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(f"{name} = ?" for name in given)
        rows = self.db.execute(
            f"{_ROW}{' WHERE ' + where if where else ''} ORDER BY id", tuple(given.values())
        )
        return [one for row in rows.fetchall() for one in _rows(row)]

    def last_of(self, side: str, target: str, field: str) -> AuditRow | None:
        """The newest row of this field of this record."""
        rows = self.db.execute(
            f"{_ROW} WHERE side = ? AND target = ? ORDER BY id DESC", (side, target)
        )
        for row in rows.fetchall():
            for one in reversed(_rows(row)):
                if one.field == field:
                    return one
        return None


def _rows(row: Row) -> list[AuditRow]:
    """A write's fields in their order."""
    number, batch, at, side, target, subject, fields, reason, rule, intent = row
    return [
        AuditRow(number, batch, at, side, target, subject, field, before, after, reason,
                 rule if own is None else own, intent)
        for field, before, after, own in unpacked_changes(fields)
    ]  # fmt: skip
