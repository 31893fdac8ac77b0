"""What hangs on a deal's invoices: templates and what they made, credit notes, e-mails, links.

Keeps invariants 1 (a template and a credit note have one marker for ever) and 9 (an invoice is
e-mailed at most once).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec
from sqlite_utils import Database

from syncjob.state.reads import Lookup, Reads

Mailed = Literal["sent", "unknown"]

_TEMPLATES = Lookup(
    "marker, deal, generation, ledger_id", "template", "deal", order="deal, generation", rare=True
)
_REPEATS = Lookup("invoice", "repeat", "deal", order="invoice", rare=True)
_NOTES = Lookup("marker", "noted", "deal", rare=True)
_MAILED = Lookup("state", "mailed", "invoice", rare=True)
_ONLINE = Lookup("url, missed, asked_at", "online_link", "invoice", rare=True)
_ADDRESS = Lookup("at", "address_change", "contact", rare=True)


class TemplateLink(msgspec.Struct, frozen=True):
    """A repeating invoice of a deal, and the generation of the invoice that it goes on from."""

    marker: str
    deal: str
    generation: int
    ledger_id: str


class Credit(msgspec.Struct, frozen=True):
    """A credit note that a person had made; `request` names what was asked for."""

    marker: str
    deal: str
    invoice: str
    ledger_id: str
    number: str | None
    request: str


class Cancelled(msgspec.Struct, frozen=True):
    """Who took a paper back by `syncjob cancel`, why and when."""

    who: str
    reason: str
    at: str

    @property
    def words(self) -> str:
        """As a sentence goes on: "by Ann on 2026-11-23: ordered twice"."""
        return f"by {self.who} on {self.at[:10]}" + (f": {self.reason}" if self.reason else "")


class OnlineLink(msgspec.Struct, frozen=True):
    """The customer's page of an invoice; `url` is empty if it is not there, as was found `missed`
    times, the last time at `asked_at` (None: nobody noted when)."""

    url: str
    missed: int
    asked_at: datetime | None


class Papers:
    """Every method that writes is called inside `State.commit`."""

    def __init__(self, db: Database, reads: Reads) -> None:
        self.db, self.reads = db, reads

    def fetch(self, deals: Iterable[str]) -> None:
        """Read what hangs on these deals for the group that is being gathered (state/reads.py)."""
        for lookup in (_TEMPLATES, _REPEATS, _NOTES):
            self.reads.fetch(lookup, deals)

    def fetch_of_invoices(self, invoices: Iterable[str]) -> None:
        """As `fetch`, of what is known of these invoices."""
        for lookup in (_MAILED, _ONLINE):
            self.reads.fetch(lookup, invoices)

    def fetch_addresses(self, contacts: Iterable[str]) -> None:
        """As `fetch`, of when the addresses of these ledger contacts changed."""
        self.reads.fetch(_ADDRESS, contacts)

    # --- repeating invoices ------------------------------------------------------------

    def templates(self, deal: str | None = None) -> list[TemplateLink]:
        """The templates of this deal, or of all, oldest generation first."""
        if deal is not None:
            return [TemplateLink(*row) for row in self.reads.rows(_TEMPLATES, deal)]
        rows = self.db.execute(
            "SELECT marker, deal, generation, ledger_id FROM template ORDER BY deal, generation"
        )
        return [TemplateLink(*row) for row in rows.fetchall()]

    def any_templates(self) -> bool:
        """Whether any deal has a template."""
        return self.db.execute("SELECT 1 FROM template LIMIT 1").fetchone() is not None

    def template_of(self, ledger_id: str) -> TemplateLink | None:
        """The template with this id in the ledger, if it is a deal's."""
        row = self.db.execute(
            "SELECT marker, deal, generation, ledger_id FROM template WHERE ledger_id = ?",
            (ledger_id,),
        ).fetchone()
        return TemplateLink(*row) if row else None

    def add_template(self, link: TemplateLink, *, batch: int) -> bool:
        """Tie a template to its deal; False if its marker or its id is tied already."""
        done = self.db.execute(
            "INSERT OR IGNORE INTO template VALUES (?, ?, ?, ?, ?)",
            (link.marker, link.deal, link.generation, link.ledger_id, batch),
        )
        return done.rowcount == 1

    def add_repeat(self, invoice: str, deal: str, template: str, *, batch: int) -> None:
        """Tie an invoice that a template made to the template's deal."""
        self.db.execute(
            "INSERT OR IGNORE INTO repeat VALUES (?, ?, ?, ?)", (invoice, deal, template, batch)
        )

    def repeats(self, deal: str) -> list[str]:
        """The invoices that the deal's templates have made."""
        return [row[0] for row in self.reads.rows(_REPEATS, deal)]

    def with_repeats(self, deals: Sequence[str]) -> set[str]:
        """Those of the deals whose templates have made invoices."""
        rows = self.db.execute(
            "SELECT DISTINCT deal FROM repeat WHERE deal IN (SELECT value FROM json_each(?))",
            (json.dumps(list(deals)),),
        )
        return {row[0] for row in rows.fetchall()}

    def deal_of_repeat(self, invoice: str) -> str | None:
        """The deal that an invoice made by a template is tied to."""
        row = self.db.execute("SELECT deal FROM repeat WHERE invoice = ?", (invoice,)).fetchone()
        return row[0] if row else None

    # --- what a person took back ------------------------------------------------------------

    def cancel(
        self, marker: str, deal: str, *, who: str, reason: str, at: datetime, batch: int
    ) -> None:
        """A person had this paper deleted."""
        self.db.execute(
            "INSERT OR REPLACE INTO cancelled VALUES (?, ?, ?, ?, ?, ?)",
            (marker, deal, who, reason, at.isoformat(), batch),
        )

    def cancelled(self, marker: str) -> Cancelled | None:
        """Who took this paper back and why; None if nobody did."""
        row = self.db.execute(
            "SELECT who, reason, at FROM cancelled WHERE marker = ?", (marker,)
        ).fetchone()
        return Cancelled(*row) if row else None

    # --- credit notes ------------------------------------------------------------

    def add_credit(self, credit: Credit, *, batch: int) -> None:
        """Remember a credit note that was made."""
        self.db.execute(
            "INSERT OR IGNORE INTO credit VALUES (?, ?, ?, ?, ?, ?, ?)",
            (credit.marker, credit.deal, credit.invoice, credit.ledger_id, credit.number,
             credit.request, batch),
        )  # fmt: skip

    def credits(self, deal: str) -> list[Credit]:
        """The credit notes made for this deal, oldest first."""
        rows = self.db.execute(
            "SELECT marker, deal, invoice, ledger_id, number, request FROM credit "
            "WHERE deal = ? ORDER BY rowid",
            (deal,),
        )
        return [Credit(*row) for row in rows.fetchall()]

    def open_credits(self) -> int:
        """How many of the credit notes that were made here are not known to be used up or dead."""
        row = self.db.execute(
            "SELECT count(*) FROM credit c LEFT JOIN snapshot s ON s.side = 'ledger' "
            "AND s.stream = 'credit_notes' AND s.id = c.ledger_id WHERE s.id IS NULL OR "
            "json_extract(CAST(s.body AS TEXT), '$.status') IN "
            "('draft', 'submitted', 'authorised')"
        ).fetchone()
        return int(row[0])

    # --- notes in deals' timelines ------------------------------------------------------------

    def add_note(self, marker: str, deal: str, *, batch: int) -> None:
        """Remember a note, or that there will be none: what happened is noted once."""
        self.db.execute("INSERT OR IGNORE INTO noted VALUES (?, ?, ?)", (marker, deal, batch))

    def notes(self, deal: str) -> list[str]:
        """The markers of the notes in this deal's timeline, and of what is never noted there."""
        return [row[0] for row in self.reads.rows(_NOTES, deal)]

    # --- e-mails ------------------------------------------------------------

    def mailed(self, invoice: str) -> Mailed | None:
        """Whether the ledger was asked to e-mail this invoice, and whether it surely did."""
        row = self.reads.row(_MAILED, invoice)
        return row[0] if row else None

    def mail(self, invoice: str, state: Mailed, at: datetime) -> None:
        """Remember an e-mail; one that was sent for certain stays so."""
        self.db.execute(
            "INSERT INTO mailed VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET "
            "state = CASE WHEN state = 'sent' THEN state ELSE excluded.state END",
            (invoice, state, at.astimezone(UTC).isoformat()),
        )

    def mailed_since(self, instant: datetime) -> int:
        """How many e-mails went out, or may have, since then."""
        row = self.db.execute(
            "SELECT count(*) FROM mailed WHERE at >= ?", (instant.astimezone(UTC).isoformat(),)
        ).fetchone()
        return int(row[0])

    def address_changed(self, contact: str, at: datetime) -> None:
        """The e-mail address of a ledger contact was seen to have changed."""
        self.db.execute(
            "INSERT OR REPLACE INTO address_change VALUES (?, ?)", (contact, at.isoformat())
        )

    def address_change(self, contact: str) -> datetime | None:
        """When the contact's e-mail address was last seen to change."""
        row = self.reads.row(_ADDRESS, contact)
        return datetime.fromisoformat(row[0]) if row else None

    # --- the customer's page ------------------------------------------------------------

    def online_link(self, invoice: str) -> OnlineLink | None:
        """The customer's own page of the invoice; None if it was never asked for."""
        row = self.reads.row(_ONLINE, invoice)
        if row is None:
            return None
        url, missed, at = row
        return OnlineLink(url, missed, datetime.fromisoformat(at) if at else None)

    def note_online_link(self, invoice: str, url: str | None, *, at: datetime) -> None:
        """What was answered when the page was asked for; None: it is not there."""
        self.db.execute(
            "INSERT INTO online_link VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "url = excluded.url, missed = missed + excluded.missed, asked_at = excluded.asked_at",
            (invoice, url or "", 0 if url else 1, at.astimezone(UTC).isoformat()),
        )
