"""Records of the CRM that were merged under a new id: which became which, and what moves along.

Keeps invariant 1 across a merge: the invoices of a deal stand under the id that the deal has now,
those of a second deal stay under their own while both are alive. Markers never change.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from sqlite_utils import Database

from syncjob.state.links import Part
from syncjob.state.reads import Lookup, Reads

Kind = Literal["deals", "contacts"]
_KINDS: tuple[Kind, ...] = ("deals", "contacts")
_NEW = {k: Lookup("new", "merged", "old", where=f"kind = '{k}'", rare=True) for k in _KINDS}
_OLD = {
    k: Lookup("old", "merged", "new", where=f"kind = '{k}'", order="old", rare=True) for k in _KINDS
}

#: Tables besides `part` that name a deal, each by its column of that name.
_OF_DEALS = ("template", "repeat", "credit", "noted", "cancelled")


class Merges:
    """Old ids and what became of them. Every method that writes is called inside a commit."""

    def __init__(self, db: Database, reads: Reads) -> None:
        self.db, self.reads = db, reads

    def survivor(self, kind: Kind, record_id: str) -> str:
        """The id that this record has now: another one if it was merged."""
        row = self.reads.row(_NEW[kind], record_id)
        return row[0] if row else record_id

    def merged_into(self, kind: Kind, record_id: str) -> list[str]:
        """The ids of the records that this one was made from, in a fixed order."""
        return [row[0] for row in self.reads.rows(_OLD[kind], record_id)]

    def fetch(self, kind: Kind, ids: Iterable[str]) -> None:
        """Read what these were made from for the group that is being gathered."""
        self.reads.fetch(_OLD[kind], ids)

    def note(self, kind: Kind, old: str, new: str, *, batch: int) -> bool:
        """Remember a merge, and lead what was merged into `old` on; False if it is known."""
        known = self.survivor(kind, old) == new
        if not known:
            self.db.execute("INSERT OR REPLACE INTO merged VALUES (?, ?, ?, ?)",
                            (kind, old, new, batch))  # fmt: skip
            self.db.execute("UPDATE merged SET new = ? WHERE kind = ? AND new = ?",
                            (new, kind, old))  # fmt: skip
        return not known

    def split(self, kind: Kind) -> list[str]:
        """The survivors of which something still stands under an old id."""
        held = "SELECT deal FROM part" if kind == "deals" else "SELECT crm_id FROM contact_link"
        rows = self.db.execute(
            f"SELECT DISTINCT new FROM merged WHERE kind = ? AND old IN ({held}) "  # noqa: S608
            "ORDER BY new",
            (kind,),
        )
        return [row[0] for row in rows.fetchall()]

    # --- what moves ------------------------------------------------------------

    def forget_record(self, kind: Kind, old: str) -> None:
        """The old id is no record any more: nothing is read, decided or found under it."""
        streams = ("deals", "details") if kind == "deals" else ("contacts",)
        for stream in streams:
            self.db.execute(
                "DELETE FROM snapshot WHERE side = 'crm' AND stream = ? AND id = ?", (stream, old)
            )
        self.db.execute("DELETE FROM lookup WHERE id = ?", (old,))
        if kind == "contacts":
            self.db.execute("DELETE FROM contact_todo WHERE key = ?", (old,))
            self.db.execute("DELETE FROM near WHERE first = ? OR second = ?", (old, old))
            return
        for table in ("todo", "wake"):
            self.db.execute(f"DELETE FROM {table} WHERE deal = ?", (old,))  # noqa: S608
        for table in ("base", "parked"):
            self.db.execute(f"DELETE FROM {table} WHERE target = ?", (f"deal:{old}",))  # noqa: S608

    def move_parts(self, parts: Iterable[Part], new: str) -> None:
        """The invoices of a deal become another's. Their markers, which bear the old id, stay;
        their generations are counted on from those that it has."""
        for part in parts:
            used = {
                row[0]
                for row in self.db.execute(
                    "SELECT generation FROM part WHERE deal = ? AND part = ?", (new, part.part)
                ).fetchall()
            }
            free = max(part.generation, max(used, default=0) + 1)
            self.db.execute(
                "UPDATE part SET deal = ?, generation = ? WHERE ledger_id = ?",
                (new, free, part.ledger_id),
            )

    def move_base(self, old: str, new: str) -> None:
        """What the deal's own fields said and say by agreement: a merge copies their values, and
        whatever differs now from that is made true again. What is known of `new` stays."""
        self.db.execute(
            "INSERT INTO base SELECT ?, side, fields FROM base WHERE target = ? AND side = 'crm' "
            "ON CONFLICT DO UPDATE SET fields = json_patch(excluded.fields, base.fields)",
            (f"deal:{new}", f"deal:{old}"),
        )

    def move_papers(self, old: str, new: str) -> None:
        """What hangs on a deal's invoices goes with them."""
        for table in _OF_DEALS:
            self.db.execute(f"UPDATE {table} SET deal = ? WHERE deal = ?", (new, old))  # noqa: S608

    def move_contact(self, old: str, new: str) -> None:
        """Everything but the link that names this customer names its survivor."""
        for column in ("crm_id", "person_id"):
            self.db.execute(
                f"UPDATE OR REPLACE contact_person SET {column} = ? WHERE {column} = ?",  # noqa: S608
                (new, old),
            )
        self.db.execute(
            "INSERT OR IGNORE INTO contact_ended SELECT ?, why, batch FROM contact_ended "
            "WHERE id = ?",
            (new, old),
        )
        for one, other in (("first", "second"), ("second", "first")):
            self.db.execute(
                f"INSERT OR IGNORE INTO apart ({one}, {other}, who, at) "  # noqa: S608
                f"SELECT ?, {other}, who, at FROM apart WHERE {one} = ?",
                (new, old),
            )

    def naming(self, stream: Literal["deals", "contacts"], field: str, old: str) -> list[str]:
        """The CRM's records of which a field names this one: a scan, for a merge."""
        rows = self.db.execute(
            "SELECT id FROM snapshot WHERE side = 'crm' AND stream = ? "
            "AND json_extract(CAST(body AS TEXT), ?) = ? ORDER BY id",
            (stream, f"$.{field}", old),
        )
        return [row[0] for row in rows.fetchall()]
