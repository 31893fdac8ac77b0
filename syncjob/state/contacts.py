"""Which customers are to be decided, who an organization's main person is, and whose sync ended.

Links and bases stand in state/links.py; a pair's base has the target "pair:" and the CRM id, and
holds what the CRM and what the ledger said of each field.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlite_utils import Database

from syncjob.core.markers import is_left
from syncjob.state.fields import (
    AGREE,
    Pair,
    packed,
    rewritten,
    unpacked,
    unpacked_changes,
)

#: A person asked to be forgotten, or a person here said so.
FORGOTTEN = "forgotten"

#: Rows of a table that may have millions, looked through together.
_REWRITTEN_AT_ONCE = 1_000


class ContactBook:
    """Contacts both ways. Every method that writes is called inside `State.commit`."""

    def __init__(self, db: Database) -> None:
        self.db = db

    # --- what to decide ------------------------------------------------------------

    def want(self, keys: Iterable[str], why: str) -> None:
        """Ask that these customers ("org:12", "person:7", "ledger:<id>") be decided; none of a CRM
        that was left."""
        self.db.conn.executemany(
            "INSERT OR IGNORE INTO contact_todo VALUES (?, ?)",
            [(key, why) for key in keys if not is_left(key)],
        )

    def wanted(self) -> list[str]:
        """The customers to decide now, in a fixed order."""
        return [row[0] for row in self.db.execute("SELECT key FROM contact_todo ORDER BY key")]

    def settled(self, key: str) -> None:
        """Nothing is left to do for this customer now."""
        self.db.execute("DELETE FROM contact_todo WHERE key = ?", (key,))

    def want_all(self, *, ledger: bool) -> None:
        """Every customer of the CRM that was read, every linked one, and of the ledger's contacts
        without a partner all if `ledger`: for when the config has changed."""
        why = "contacts are decided anew"
        self.db.execute(
            "INSERT OR IGNORE INTO contact_todo SELECT id, ? FROM snapshot "
            "WHERE side = 'crm' AND stream = 'contacts' "
            "UNION SELECT crm_id, ? FROM contact_link",
            (why, why),
        )
        if ledger:
            self.db.execute(
                "INSERT OR IGNORE INTO contact_todo SELECT 'ledger:' || id, ? FROM snapshot "
                "WHERE side = 'ledger' AND stream = 'contacts' "
                "AND id NOT IN (SELECT ledger_id FROM contact_link)",
                (why,),
            )

    # --- links ------------------------------------------------------------

    def linked_ids(self) -> list[str]:
        """The CRM records of all links, main persons included, in a fixed order."""
        rows = self.db.execute(
            "SELECT crm_id FROM contact_link UNION SELECT person_id FROM contact_person ORDER BY 1"
        )
        return [row[0] for row in rows.fetchall()]

    def move_link(self, old: str, new: str) -> None:
        """Follow a merge in the CRM: the survivor takes the link and what was agreed. A link of its
        own must lead to the same contact through merges in the ledger, and gives way."""
        self.db.execute("DELETE FROM contact_link WHERE crm_id = ?", (new,))
        self.db.execute("UPDATE contact_link SET crm_id = ? WHERE crm_id = ?", (new, old))
        self.db.execute("DELETE FROM base WHERE target = ?", (f"pair:{new}",))
        self.db.execute(
            "UPDATE base SET target = ? WHERE target = ?", (f"pair:{new}", f"pair:{old}")
        )

    def deals_billed(self, ledger_id: str) -> list[str]:
        """The deals that were invoiced to this ledger contact: a scan, for a merge in the CRM."""
        rows = self.db.execute(
            "SELECT DISTINCT p.deal FROM part p JOIN snapshot s ON s.side = 'ledger' "
            "AND s.stream = 'invoices' AND s.id = p.ledger_id "
            "WHERE json_extract(CAST(s.body AS TEXT), '$.contact_id') = ? ORDER BY 1",
            (ledger_id,),
        )
        return [row[0] for row in rows.fetchall()]

    def merged(self, ids: Iterable[str]) -> dict[str, str]:
        """Those of these ledger contacts that were merged, each with the one it went into."""
        rows = self.db.execute(
            "SELECT id, json_extract(CAST(body AS TEXT), '$.merged_into') AS new FROM snapshot "
            "WHERE side = 'ledger' AND stream = 'contacts' AND new IS NOT NULL "
            "AND id IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(ids)),),
        )
        return dict(rows.fetchall())

    def papers_of(self, ledger_id: str) -> list[str]:
        """The invoices and credit of this ledger contact, in a fixed order: those that are found
        by it, and of those that are tied to a deal all, by a scan, for a merge in the ledger."""
        rows = self.db.execute(
            "SELECT id FROM lookup WHERE kind = 'invoice.buyer' AND value = :contact "
            "UNION SELECT id FROM lookup "
            "WHERE kind IN ('invoice.loose', 'credit.left', 'credit.names') "
            "AND value > :contact || '|' AND value < :contact || '}' "
            "UNION SELECT s.id FROM (SELECT ledger_id FROM part UNION SELECT invoice FROM repeat) "
            "AS p JOIN snapshot s ON s.side = 'ledger' AND s.stream = 'invoices' "
            "AND s.id = p.ledger_id "
            "WHERE json_extract(CAST(s.body AS TEXT), '$.contact_id') = :contact ORDER BY 1",
            {"contact": ledger_id},
        )
        return [row[0] for row in rows.fetchall()]

    # --- an organization's main person ------------------------------------------------------------

    def person(self, crm_id: str) -> str | None:
        row = self.db.execute(
            "SELECT person_id FROM contact_person WHERE crm_id = ?", (crm_id,)
        ).fetchone()
        return row[0] if row else None

    def people(self, crm_ids: Sequence[str]) -> list[str]:
        """The main persons of these organizations, in a fixed order."""
        rows = self.db.execute(
            "SELECT person_id FROM contact_person "
            "WHERE crm_id IN (SELECT value FROM json_each(?)) ORDER BY 1",
            (json.dumps(list(crm_ids)),),
        )
        return [row[0] for row in rows.fetchall()]

    def organization_of(self, person_id: str) -> list[str]:
        """The organizations whose main person this is."""
        rows = self.db.execute(
            "SELECT crm_id FROM contact_person WHERE person_id = ? ORDER BY 1", (person_id,)
        )
        return [row[0] for row in rows.fetchall()]

    def remember_person(self, crm_id: str, person_id: str) -> None:
        self.db.execute("INSERT OR REPLACE INTO contact_person VALUES (?, ?)", (crm_id, person_id))

    # --- bases ------------------------------------------------------------

    def base(self, crm_id: str) -> dict[str, Pair]:
        """What each side said of each field when both last agreed, as (crm, ledger)."""
        row = self.db.execute(
            "SELECT fields FROM base WHERE target = ? AND side = 'pair'", (f"pair:{crm_id}",)
        ).fetchone()
        return unpacked(row[0]) if row else {}

    def agree(self, crm_id: str, fields: Mapping[str, Pair]) -> None:
        """Remember what both sides say of these fields; what they said of others stays."""
        if fields:
            self.db.conn.execute(AGREE, (f"pair:{crm_id}", "pair", packed(fields)))

    def drop_base(self, crm_id: str) -> None:
        self.db.execute("DELETE FROM base WHERE target = ?", (f"pair:{crm_id}",))

    def drop_bases(self, targets: Iterable[str]) -> None:
        self.db.conn.executemany("DELETE FROM base WHERE target = ?", [(t,) for t in targets])

    def said(self, targets: Iterable[str], but: Iterable[str]) -> list[str]:
        """Every value that bases and audit hold of these targets, except of the fields `but`."""
        found: set[str | None] = set()
        plain = tuple(but)
        for target in targets:
            for (text,) in self._fields("base", target):
                known = unpacked(text).items()
                found.update(v for field, pair in known if field not in plain for v in pair)
            for (text,) in self._fields("audit", target):
                changes = unpacked_changes(text)
                found.update(v for field, *pair, _ in changes if field not in plain for v in pair)
        return sorted(value for value in found if value)

    def _fields(self, table: str, target: str) -> list[tuple[str]]:
        rows = self.db.execute(f"SELECT fields FROM {table} WHERE target = ?", (target,))  # noqa: S608
        return rows.fetchall()

    # --- ends ------------------------------------------------------------

    def ended(self, *ids: str | None) -> str | None:
        """Why the sync of one of these records has ended, None if it has not."""
        for record_id in filter(None, ids):
            row = self.db.execute(
                "SELECT why FROM contact_ended WHERE id = ?", (record_id,)
            ).fetchone()
            if row:
                return str(row[0])
        return None

    def end(self, record_id: str, why: str, *, batch: int) -> None:
        """Leave this record alone for good."""
        self.db.execute(
            "INSERT OR REPLACE INTO contact_ended VALUES (?, ?, ?)", (record_id, why, batch)
        )

    def any_ended(self) -> bool:
        return self.db.execute("SELECT 1 FROM contact_ended LIMIT 1").fetchone() is not None

    def rewrite(self, table: str, column: str, change: Callable[[str], str]) -> None:
        """Change a column's texts (or JSON bytes) row by row; only what differs is written."""
        rows = self.db.execute(
            f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608
        ).fetchall()
        for (old,) in rows:
            text = old.decode() if isinstance(old, bytes) else old
            new = change(text)
            if new != text:
                self.db.execute(
                    f"UPDATE {table} SET {column} = ? WHERE {column} = ?",  # noqa: S608
                    (new.encode() if isinstance(old, bytes) else new, old),
                )

    def rewrite_fields(self, table: str, change: Callable[[str], str]) -> None:
        """Change each value in the fields of this table's rows; only what differs is written."""
        last = -1
        while True:  # a group at a time: such a table can be larger than memory
            rows = self.db.execute(
                f"SELECT rowid, fields FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT ?",  # noqa: S608
                (last, _REWRITTEN_AT_ONCE),
            ).fetchall()
            changed = [(new, n) for n, old in rows if (new := rewritten(old, change)) != old]
            self.db.conn.executemany(
                f"UPDATE {table} SET fields = ? WHERE rowid = ?",  # noqa: S608
                changed,
            )
            if not rows:
                return
            last = rows[-1][0]
