"""Links between the sides, a deal's invoices by part and generation, and the bases of fields.

Keeps invariants 1 (at most one live part), 2 (one link a record) and 6 (the base is the server's
own answer).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec
from sqlite_utils import Database

from syncjob.core.records import Receiver
from syncjob.state.fields import AGREE, packed, unpacked
from syncjob.state.reads import Lookup, Reads, Row

Ender = Literal["us", "person"]

_PART_COLUMNS = "deal, part, generation, marker, ledger_id, ended, how, key"
_OF_DEAL = Lookup(_PART_COLUMNS, "part", "deal", order="part, generation")
_OF_INVOICE = Lookup(_PART_COLUMNS, "part", "ledger_id")
_OF_MARKER = Lookup(_PART_COLUMNS, "part", "marker")
_PARTNER = Lookup("ledger_id", "contact_link", "crm_id")
_OWNER = Lookup("crm_id", "contact_link", "ledger_id")
_SIDES: tuple[Receiver, ...] = ("crm", "ledger", "people")
_BASE = {side: Lookup("fields", "base", "target", where=f"side = '{side}'") for side in _SIDES}


class Part(msgspec.Struct, frozen=True):
    """One invoice of a deal: its marker, the invoice's id in the ledger, and `key`, which part of
    the deal's schedule it is; "" for the deal as a whole, and for a part of which nobody knows."""

    deal: str
    part: str
    generation: int
    marker: str
    ledger_id: str
    ended: Ender | None
    how: str
    key: str = ""


class Base(msgspec.Struct, frozen=True):
    """A field on which we and the server agreed: what we wanted, what it then stored."""

    wanted: str | None
    stored: str | None


class Links:
    """Contact links, parts and bases."""

    def __init__(self, db: Database, reads: Reads) -> None:
        self.db, self.reads = db, reads

    # --- contacts ------------------------------------------------------------

    def contact(self, crm_id: str) -> str | None:
        """The ledger contact linked with this CRM record."""
        row = self.reads.row(_PARTNER, crm_id)
        return row[0] if row else None

    def contact_owner(self, ledger_id: str) -> str | None:
        """The CRM record linked with this ledger contact."""
        row = self.reads.row(_OWNER, ledger_id)
        return row[0] if row else None

    def fetch_contacts(self, crm_ids: Iterable[str]) -> None:
        """Read the partners of these for the group that is being gathered (state/reads.py)."""
        self.reads.fetch(_PARTNER, crm_ids)

    def fetch_owners(self, ledger_ids: Iterable[str]) -> None:
        """As `fetch_contacts`, from the ledger's side."""
        self.reads.fetch(_OWNER, ledger_ids)

    def contacts(self) -> list[tuple[str, str]]:
        """Every link of a CRM record with a ledger contact."""
        rows = self.db.execute("SELECT crm_id, ledger_id FROM contact_link ORDER BY crm_id")
        return [(row[0], row[1]) for row in rows.fetchall()]

    def link_contact(self, crm_id: str, ledger_id: str, *, how: str, batch: int) -> None:
        """Link two contacts that are both free; the caller has checked that they are."""
        self.db.execute(
            "INSERT INTO contact_link VALUES (?, ?, ?, ?)", (crm_id, ledger_id, how, batch)
        )
        # Whatever was asked about either of them is answered (state/matches.py).
        self.db.execute(
            "DELETE FROM near WHERE kind = 'pair' AND (first = ? OR second = ?)",
            (crm_id, ledger_id),
        )

    def unlink_contact(self, crm_id: str) -> None:
        """End a link that a person calls a mistake."""
        self.db.execute("DELETE FROM contact_link WHERE crm_id = ?", (crm_id,))

    def repoint_contact(self, old: str, new: str) -> None:
        """Follow a merge in the ledger: the link moves to the survivor, if that one is free.

        Where both were linked the old link stays: whoever reads it follows the merge, and finds
        that the survivor belongs to another customer.
        """
        self.db.execute(
            "UPDATE OR IGNORE contact_link SET ledger_id = ? WHERE ledger_id = ?", (new, old)
        )

    # --- parts ------------------------------------------------------------

    def parts(self, deal: str) -> list[Part]:
        """All invoices ever made for the deal, oldest generation first."""
        return [Part(*row) for row in self.reads.rows(_OF_DEAL, deal)]

    def fetch_parts(self, deals: Iterable[str]) -> None:
        """Read the invoices of these for the group that is being gathered (state/reads.py)."""
        self.reads.fetch(_OF_DEAL, deals)

    def with_parts(self, deals: Iterable[str]) -> list[str]:
        """Those of the deals that ever had an invoice."""
        rows = self.db.execute(
            "SELECT DISTINCT deal FROM part WHERE deal IN (SELECT value FROM json_each(?))",
            (json.dumps(list(deals)),),
        )
        return [row[0] for row in rows.fetchall()]

    def linked_of(self, crm_ids: Iterable[str]) -> list[str]:
        """Those of the CRM records that are linked with a ledger contact."""
        rows = self.db.execute(
            "SELECT crm_id FROM contact_link WHERE crm_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(crm_ids)),),
        )
        return [row[0] for row in rows.fetchall()]

    def part_of_invoice(self, ledger_id: str) -> Part | None:
        """The deal's part that this invoice is."""
        row = self.reads.row(_OF_INVOICE, ledger_id)
        return Part(*row) if row else None

    def part_of_marker(self, marker: str) -> Part | None:
        """The part that was made under this marker."""
        row = self.reads.row(_OF_MARKER, marker)
        return Part(*row) if row else None

    def fetch_parts_of(self, *, invoices: Iterable[str], markers: Iterable[str] = ()) -> None:
        """As `fetch_parts`, by the ids or markers of the invoices."""
        self.reads.fetch(_OF_INVOICE, invoices)
        self.reads.fetch(_OF_MARKER, markers)

    def live_part(self, deal: str, part: str) -> Part | None:
        """The deal's invoice that is not voided or deleted, if there is one."""
        return next((p for p in self.parts(deal) if p.part == part and p.ended is None), None)

    def add_part(self, part: Part, *, batch: int) -> None:
        """Record an invoice as this deal's. Raises sqlite3.IntegrityError on a second live one."""
        self.db.execute(
            "INSERT INTO part (deal, part, generation, marker, ledger_id, ended, how, batch, key) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (part.deal, part.part, part.generation, part.marker, part.ledger_id, part.ended,
             part.how, batch, part.key),
        )  # fmt: skip

    def end_part(self, ledger_id: str, ended: Ender) -> None:
        """The invoice was voided or deleted, by us or by a person."""
        self.db.execute(
            "UPDATE part SET ended = ? WHERE ledger_id = ? AND ended IS NULL", (ended, ledger_id)
        )

    def withdrawn(self, ledger_id: str) -> None:
        """We deleted this invoice, even if a list showed it deleted before we knew that."""
        self.db.execute("UPDATE part SET ended = 'us' WHERE ledger_id = ?", (ledger_id,))

    def cancelled(self, ledger_id: str) -> None:
        """We deleted this invoice at a person's word: it is theirs to issue anew."""
        self.db.execute("UPDATE part SET ended = 'person' WHERE ledger_id = ?", (ledger_id,))

    def deals_in_parts(self) -> list[str]:
        """The deals that have a live invoice for a part of a schedule."""
        rows = self.db.execute(
            "SELECT DISTINCT deal FROM part WHERE ended IS NULL AND part <> 'A' ORDER BY deal"
        )
        return [row[0] for row in rows.fetchall()]

    def live_key(self, deal: str, key: str) -> Part | None:
        """The live invoice of this part of the deal's schedule, whatever its name."""
        live = (p for p in self.parts(deal) if p.ended is None)
        return next((p for p in live if p.key == key), None)

    def name_part(self, ledger_id: str, key: str) -> None:
        """A person said which part of the schedule this invoice is."""
        self.db.execute("UPDATE part SET key = ? WHERE ledger_id = ?", (key, ledger_id))

    def allow_reissue(self, deal: str, part: str) -> None:
        """A person asked for a new invoice: what a person ended counts as ended by us."""
        self.db.execute(
            "UPDATE part SET ended = 'us' WHERE deal = ? AND part = ? AND ended = 'person'",
            (deal, part),
        )

    def unseen_invoices(self, batch: int) -> list[str]:
        """The live invoices that this batch has not read, though it walked them all."""
        rows = self.db.execute(
            "SELECT p.ledger_id FROM part p LEFT JOIN snapshot s ON s.side = 'ledger' "
            "AND s.stream = 'invoices' AND s.id = p.ledger_id "
            "WHERE p.ended IS NULL AND coalesce(s.batch, 0) < ? ORDER BY 1",
            (batch,),
        )
        return [row[0] for row in rows.fetchall()]

    def live_invoices(self) -> list[tuple[str, str]]:
        """Every deal with each of its live invoices: a scan, for a report."""
        rows = self.db.execute("SELECT deal, ledger_id FROM part WHERE ended IS NULL ORDER BY 1, 2")
        return [(row[0], row[1]) for row in rows.fetchall()]

    def owed_invoices(self) -> list[tuple[str, str]]:
        """The same with the invoices that the deals' repeating invoices made."""
        rows = self.db.execute(
            "SELECT deal, ledger_id FROM part WHERE ended IS NULL "
            "UNION SELECT deal, invoice FROM repeat ORDER BY 1, 2"
        )
        return [(row[0], row[1]) for row in rows.fetchall()]

    def live_count(self) -> int:
        """How many live invoices the deals have: the database keeps the count."""
        row = self.db.execute("SELECT count FROM tally WHERE name = 'part'").fetchone()
        return int(row[0])

    # --- bases ------------------------------------------------------------

    def base(self, side: Receiver, target: str) -> dict[str, Base]:
        """The agreed values of a record, by field; empty if we never wrote it. Whoever asks must
        not change it."""
        return self.reads.value(_BASE[side], target, _agreed) or {}

    def fetch_bases(self, side: Receiver, targets: Iterable[str]) -> None:
        """Read the agreed values of these for the group that is being gathered."""
        self.reads.fetch(_BASE[side], targets)

    def forget_base(self, side: Receiver, target: str) -> None:
        """The record was written anew: what it said before is no base any more."""
        self.db.execute("DELETE FROM base WHERE side = ? AND target = ?", (side, target))

    def agree(
        self,
        side: Receiver,
        target: str,
        wanted: Mapping[str, str | None],
        stored: Mapping[str, str | None],
    ) -> None:
        """Remember what we wanted and what the server stored, for the fields of `wanted`; those of
        other fields stay."""
        if wanted:
            fields = packed({field: (value, stored.get(field)) for field, value in wanted.items()})
            self.db.conn.execute(AGREE, (target, side, fields))


def _agreed(row: Row) -> dict[str, Base]:
    return {field: Base(*pair) for field, pair in unpacked(row[0]).items()}
