"""A change of the CRM: what the old one's records are called from then on, and what became of them.

Keeps invariant 1: a deal's invoices go where the map says; under its old number nothing stays, for
the new CRM may have another record of that number. Every method that writes is called inside one
commit, so that a change of the CRM happens as a whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlite_utils import Database

from syncjob.core.markers import left_id, parse_invoice_marker
from syncjob.state.merges import Kind, Merges
from syncjob.state.reads import Lookup, Reads

_KINDS: tuple[Kind, ...] = ("deals", "contacts")
_WON = Lookup(
    "won", "relinked", "new", where="kind = 'deals' AND won IS NOT NULL", order="won", first=True,
    rare=True,
)  # fmt: skip
_STANDS = {
    kind: Lookup("1", "relinked", "new", where=f"kind = '{kind}'", first=True, rare=True)
    for kind in _KINDS
}

#: What is known of the old CRM alone, or is asked anew: (table, which rows).
_GONE = (
    ("snapshot", "side = 'crm'"), ("cursor", "side = 'crm'"), ("reference", "side = 'crm'"),
    ("lookup", "kind IN ('deal.party', 'contact.people', 'crm.name', 'crm.email', 'crm.near')"),
    ("base", "side = 'crm' OR target LIKE 'pair:%'"), ("near", "kind <> 'ledger_double'"),
    ("todo", "1"), ("wake", "1"), ("contact_todo", "1"), ("parked", "1"), ("setback", "1"),
    ("finding", "1"),
    ("meta", "key LIKE '%:crm' OR key LIKE '%:crm.%' OR key IN "
             "('contacts_decided_with', 'held_checked', 'contacts_checked', 'contacts_compared')"),
)  # fmt: skip
#: Where a deal stands by its bare number, and where by a name that begins so.
_DEALS = (
    ("part", "deal"), ("template", "deal"), ("repeat", "deal"), ("credit", "deal"),
    ("noted", "deal"), ("cancelled", "deal"),
)  # fmt: skip
_NAMED = (
    ("intent", "subject"), ("intent", "target"), ("audit", "subject"), ("audit", "target"),
    ("issue", "subject"), ("inbox", "subject"), ("ruling", "subject"), ("waited", "subject"),
    ("contact_ended", "id"), ("contact_link", "crm_id"), ("contact_person", "crm_id"),
    ("contact_person", "person_id"), ("apart", "first"), ("apart", "second"), ("meta", "key"),
)  # fmt: skip
_PREFIXES = (
    "deal:", "org:", "person:", "contact:org:", "contact:person:", "mark:org:", "mark:person:",
    "link:org:", "link:person:", "answer:deal:", "given:deal:", "mute:deal:", "answer:contact:org:",
    "answer:contact:person:",
)  # fmt: skip


class Relinks:
    """What `syncjob relink` changes in the state."""

    def __init__(self, db: Database, reads: Reads, merges: Merges) -> None:
        self.db, self.reads, self.merges = db, reads, merges

    # --- asked -----------------------------------------------------------------

    def code(self) -> str | None:
        """The code of the newest marker in this state, None if it has made nothing yet."""
        row = self.db.execute("SELECT marker FROM part ORDER BY batch DESC, rowid DESC").fetchone()
        parsed = parse_invoice_marker(row[0]) if row else None
        return parsed[0] if parsed else None

    def stands_for(self, kind: Kind, new: str) -> bool:
        """Whether this record stands for one of a CRM that was left."""
        names = (new, *self.merges.merged_into(kind, new))
        return any(self.reads.rows(_STANDS[kind], name) for name in names)

    def fetch(self, kind: Kind, ids: Iterable[str]) -> None:
        """Read which of these stand for another for the group that is being gathered."""
        self.reads.fetch(_STANDS[kind], ids)

    def first_win(self, new: str) -> datetime | None:
        """When the deal was first won in the CRM that it came from; None if nobody knows."""
        row = self.reads.row(_WON, new)
        return datetime.fromisoformat(row[0]) if row else None

    def target(self, kind: Kind, left: str) -> str | None:
        """What a row of an earlier map made of this record."""
        row = self.db.execute(
            "SELECT new FROM relinked WHERE kind = ? AND old = ?", (kind, left)
        ).fetchone()
        return row[0] if row else None

    def left_link(self, left: str) -> str | None:
        """The ledger contact that a customer of a CRM that was left was linked with."""
        row = self.db.execute(
            "SELECT ledger_id FROM left_link WHERE crm_id = ?", (left,)
        ).fetchone()
        return row[0] if row else None

    # --- leaving ---------------------------------------------------------------

    def leave(self, code: str, *, at: datetime) -> None:
        """Everything of the old CRM gets its lasting name, and what is read or decided of it goes:
        the new CRM is read from its beginning. Nothing that a paper in the ledger hangs on goes."""
        for subject in ("deal:", "deals:", "contact:org:", "contact:person:", "contacts:"):
            self.db.execute(
                "UPDATE issue SET closed_at = ? WHERE closed_at IS NULL AND subject LIKE ?",
                (at.isoformat(), f"{subject}%"),
            )
        for table, rows in _GONE:
            self.db.execute(f"DELETE FROM {table} WHERE {rows}")  # noqa: S608
        for table, column in _DEALS:
            self._rename(table, column, "", code)
        for kind in ("old", "new"):
            self._rename("merged", kind, "", code, "kind = 'deals'")
            for prefix in ("org:", "person:"):
                self._rename("merged", kind, prefix, code)
        self._rename("lookup", "value", "", code, "kind = 'invoice.extra'")
        for table, column in _NAMED:
            for prefix in _PREFIXES:
                self._rename(table, column, prefix, code)
        self.db.execute("UPDATE relinked SET new = coalesce((SELECT m.new FROM merged m WHERE "
                        "m.kind = relinked.kind AND m.old = relinked.old), new)")  # fmt: skip
        self.db.execute("INSERT OR REPLACE INTO left_link SELECT crm_id, ledger_id, how "
                        "FROM contact_link")  # fmt: skip
        self.db.execute("DELETE FROM contact_link")

    def _rename(self, table: str, column: str, prefix: str, code: str, where: str = "1") -> None:
        """A record's own number comes after the prefix; what was left before has its name."""
        self.db.execute(
            f"UPDATE OR REPLACE {table} SET {column} = ?1 || ?2 || '-' || substr({column}, ?3) "  # noqa: S608
            f"WHERE substr({column}, 1, ?3 - 1) = ?1 AND ({where}) "
            f"AND instr(substr({column}, ?3), '-') = 0 AND instr(substr({column}, ?3), ':') = 0",
            (prefix, code, len(prefix) + 1),
        )

    def note(self, kind: Kind, left: str, new: str, won: datetime | None, *, batch: int) -> None:
        """Remember what a record of a CRM that was left is now."""
        self.db.execute(
            "INSERT OR REPLACE INTO relinked VALUES (?, ?, ?, ?, ?)",
            (kind, left, new, won.isoformat() if won else None, batch),
        )

    def lead_answers(self, left: str, new: str) -> None:
        """What a person has decided about a deal and no batch has applied yet goes with it."""
        self.db.execute(
            "UPDATE inbox SET subject = ? WHERE subject = ? AND applied IS NULL",
            (f"deal:{new}", f"deal:{left}"),
        )

    def take_link(self, left: str, new: str, *, batch: int) -> str | None:
        """The customer takes the ledger contact of the one that it stands for, if both are free;
        which one that is."""
        done = self.db.execute(
            "INSERT OR IGNORE INTO contact_link SELECT ?, ledger_id, 'relink', ? FROM left_link "
            "WHERE crm_id = ?",
            (new, batch, left),
        )
        if not done.rowcount:
            return None
        ledger_id = self.left_link(left)
        self.db.execute("DELETE FROM left_link WHERE crm_id = ?", (left,))
        return ledger_id

    def void_crm_writes(self, why: str) -> None:
        """Nobody will ever know what became of the last writes to a CRM that was left."""
        self.db.execute(
            "UPDATE intent SET state = 'void', outcome = ? WHERE state = 'open' AND side = 'crm'",
            (why,),
        )
        self.db.execute("UPDATE call SET state = 'closed' WHERE state <> 'closed' AND side = 'crm'")

    def untied(self, code: str) -> Iterator[tuple[str, str]]:
        """Live invoices of deals of that CRM that have no place in the new one: (deal, invoice)."""
        rows = self.db.execute(
            "SELECT deal, ledger_id FROM part WHERE ended IS NULL AND deal LIKE ? ORDER BY 1, 2",
            (left_id(code, "%"),),
        )
        yield from ((row[0], row[1]) for row in rows.fetchall())
