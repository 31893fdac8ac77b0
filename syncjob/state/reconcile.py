"""What a reading of both sides has found so far, and the questions that it asks of the state.

Keeps invariant 5: a finding shares its commit with the snapshot that it is about, so that a pass
that was killed forgets neither.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec
from sqlite_utils import Database

from syncjob.core.reconcile import Finding
from syncjob.core.records import DEAD, Side

#: Under these names the lists' positions stand beside those of polling.
ROW = "reconcile."
_DEAD = tuple(sorted(DEAD))


class Reconciled:
    """Every method that writes is called inside `State.commit`."""

    def __init__(self, db: Database) -> None:
        self.db = db

    # --- the pass under way ---------------------------------------------------------------------

    def begin(self) -> None:
        """Forget what an earlier pass has found, and where it stood."""
        self.db.execute("DELETE FROM finding")
        self.db.execute("DELETE FROM cursor WHERE stream GLOB ?", (f"{ROW}*",))

    def add(self, finding: Finding) -> None:
        """One finding a record and kind: what is seen twice is found once."""
        self.db.execute(
            "INSERT OR REPLACE INTO finding VALUES (?, ?, ?)",
            (finding.kind, finding.subject, msgspec.json.encode(finding)),
        )

    def findings(self) -> list[Finding]:
        rows = self.db.execute("SELECT body FROM finding ORDER BY kind, subject")
        return [msgspec.json.decode(row[0], type=Finding) for row in rows.fetchall()]

    # --- what the state knows -------------------------------------------------------------------

    def bodies(self, side: Side, stream: str, ids: Sequence[str]) -> dict[str, bytes]:
        """The snapshots of these records, undecoded."""
        rows = self.db.execute(
            "SELECT id, body FROM snapshot WHERE side = ? AND stream = ? "
            "AND id IN (SELECT value FROM json_each(?))",
            (side, stream, json.dumps(list(ids))),
        )
        return {row[0]: row[1] for row in rows.fetchall()}

    def deals_after(self, deal: str, most: int) -> list[str]:
        """The deals to compare, by id: those with an invoice or won, after this one."""
        # Each list ends by itself, so that no group of deals costs a scan of them all.
        rows = self.db.execute(
            "SELECT id FROM (SELECT DISTINCT deal AS id FROM part WHERE deal > ?1 "
            "ORDER BY 1 LIMIT ?2) UNION SELECT id FROM (SELECT DISTINCT deal AS id FROM repeat "
            "WHERE deal > ?1 ORDER BY 1 LIMIT ?2) UNION SELECT id FROM (SELECT id FROM snapshot "
            "WHERE side = 'crm' AND stream = 'deals' AND id > ?1 "
            "AND json_extract(CAST(body AS TEXT), '$.status') = 'won' ORDER BY id LIMIT ?2) "
            "ORDER BY 1 LIMIT ?2",
            (deal, most),
        )
        return [row[0] for row in rows.fetchall()]

    def open_deals_after(self, deal: str, most: int) -> list[str]:
        """The won deals, after this one, with an invoice that asks for money or is about to."""
        rows = self.db.execute(
            "SELECT DISTINCT p.deal FROM part p "
            "JOIN snapshot s ON s.side = 'ledger' AND s.stream = 'invoices' AND s.id = p.ledger_id "
            "JOIN snapshot d ON d.side = 'crm' AND d.stream = 'deals' AND d.id = p.deal "
            "WHERE p.ended IS NULL AND p.deal > ? "
            "AND json_extract(CAST(s.body AS TEXT), '$.status') IN "
            "('draft', 'submitted', 'authorised') "
            "AND json_extract(CAST(d.body AS TEXT), '$.status') = 'won' ORDER BY 1 LIMIT ?",
            (deal, most),
        )
        return [row[0] for row in rows.fetchall()]

    def links_after(self, crm_id: str, most: int) -> list[tuple[str, str]]:
        """Linked customers after this one: (CRM id, ledger id)."""
        rows = self.db.execute(
            "SELECT crm_id, ledger_id FROM contact_link WHERE crm_id > ? ORDER BY 1 LIMIT ?",
            (crm_id, most),
        )
        return [(row[0], row[1]) for row in rows.fetchall()]

    def unseen_deals(self, batch: int) -> list[str]:
        """The deals with a live invoice that no batch since this one has read."""
        rows = self.db.execute(
            "SELECT DISTINCT p.deal FROM part p LEFT JOIN snapshot s ON s.side = 'crm' "
            "AND s.stream = 'deals' AND s.id = p.deal "
            "WHERE p.ended IS NULL AND coalesce(s.batch, 0) < ? "
            "AND instr(p.deal, '-') = 0 ORDER BY 1",  # none of a CRM that was left
            (batch,),
        )
        return [row[0] for row in rows.fetchall()]

    def unseen(self, side: Side, stream: str, ids: Sequence[str], batch: int) -> list[str]:
        """Those of the records that no batch since this one has read."""
        rows = self.db.execute(
            "SELECT j.value FROM json_each(?1) j LEFT JOIN snapshot s ON s.side = ?2 "
            "AND s.stream = ?3 AND s.id = j.value WHERE coalesce(s.batch, 0) < ?4 ORDER BY 1",
            (json.dumps(list(ids)), side, stream, batch),
        )
        return [row[0] for row in rows.fetchall()]

    def stray_invoices(self, code: str) -> list[str]:
        """Live sales invoices that bear a marker of this connection and are tied to nothing."""
        rows = self.db.execute(
            "SELECT id FROM snapshot WHERE side = 'ledger' AND stream = 'invoices' "
            "AND json_extract(CAST(body AS TEXT), '$.marker') GLOB ? "
            "AND json_extract(CAST(body AS TEXT), '$.kind') = 'sale' "
            "AND json_extract(CAST(body AS TEXT), '$.status') NOT IN (?, ?) "
            "AND id NOT IN (SELECT ledger_id FROM part) "
            "AND id NOT IN (SELECT id FROM lookup WHERE kind = 'invoice.extra') "
            "AND id NOT IN (SELECT invoice FROM repeat) ORDER BY id",
            (f"{code}-*", *_DEAD),
        )
        return [row[0] for row in rows.fetchall()]

    def stray_contacts(self) -> list[tuple[str, str]]:
        """(marker, id) of ledger contacts that bear one and are linked with nothing."""
        rows = self.db.execute(
            "SELECT value, id FROM lookup WHERE kind = 'contact.marker' "
            "AND id NOT IN (SELECT ledger_id FROM contact_link) ORDER BY 1, 2"
        )
        return [(row[0], row[1]) for row in rows.fetchall()]

    def numbers(self, batch: int) -> dict[str, bool]:
        """Every invoice number that was seen, with whether its invoice stands; one that is tied to
        no deal, and was not shown since this batch, stands no more."""
        rows = self.db.execute(
            "SELECT json_extract(CAST(s.body AS TEXT), '$.number'), "
            "max(json_extract(CAST(s.body AS TEXT), '$.status') NOT IN (?, ?) "
            "AND (s.batch >= ? OR p.ledger_id IS NOT NULL)) "
            "FROM snapshot s LEFT JOIN part p ON p.ledger_id = s.id "
            "WHERE s.side = 'ledger' AND s.stream = 'invoices' "
            "AND json_extract(CAST(s.body AS TEXT), '$.number') IS NOT NULL GROUP BY 1",
            (*_DEAD, batch),
        )
        return {row[0]: bool(row[1]) for row in rows.fetchall()}

    def our_numbers(self) -> list[str]:
        """The numbers of the invoices that were made for deals."""
        rows = self.db.execute(
            "SELECT json_extract(CAST(s.body AS TEXT), '$.number') FROM part p "
            "JOIN snapshot s ON s.side = 'ledger' AND s.stream = 'invoices' AND s.id = p.ledger_id "
            "WHERE p.how <> 'person' "
            "AND json_extract(CAST(s.body AS TEXT), '$.number') IS NOT NULL"
        )
        return [row[0] for row in rows.fetchall()]

    def open_subjects(self) -> dict[str, set[str]]:
        """The codes of the open issues by what they are about."""
        found: dict[str, set[str]] = {}
        rows = self.db.execute("SELECT subject, code FROM issue WHERE closed_at IS NULL")
        for subject, code in rows.fetchall():
            found.setdefault(subject, set()).add(code)
        return found

    def pending_customers(self) -> set[str]:
        """The customers that the next batch decides anyway."""
        return {row[0] for row in self.db.execute("SELECT key FROM contact_todo").fetchall()}
