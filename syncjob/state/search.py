"""Find a record by what a person has at hand: a number, a name, a reference, a part of one.

Exact names go over the lookup keys; the rest looks through the snapshots, which a person at a
terminal may cause and a batch never does.
"""

from __future__ import annotations

from sqlite_utils import Database

from syncjob.core.records import Side

#: More than a person can choose from.
FOUND_MAX = 20

_CONTACT_NAMES = ("contact.name", "crm.name")
_CONTACT_EMAILS = ("contact.email", "crm.email")


class Search:
    """Looks at a state; writes nothing."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def has(self, side: Side, stream: str, id: str) -> bool:
        """Whether the record was ever read."""
        return bool(
            self.db.execute(
                "SELECT 1 FROM snapshot WHERE side = ? AND stream = ? AND id = ?",
                (side, stream, id),
            ).fetchone()
        )

    def invoices_numbered(self, number: str) -> list[str]:
        """The sales invoices with this number, without regard to case."""
        return self._ids(
            "SELECT DISTINCT id FROM lookup WHERE kind = 'invoice.number' "
            "AND upper(value) = upper(?) ORDER BY value = ? DESC, id LIMIT ?",
            (number, number, FOUND_MAX),
        )

    def invoices_settled_by(self, settlement: str) -> list[str]:
        """The invoices that this payment, prepayment, overpayment or credit note stands on."""
        return self._ids(
            "SELECT s.id FROM snapshot s, "
            "json_each(CAST(s.body AS TEXT), '$.settlements') one "
            "WHERE s.side = 'ledger' AND s.stream = 'invoices' "
            "AND json_extract(one.value, '$.id') = ? ORDER BY s.id LIMIT ?",
            (settlement, FOUND_MAX),
        )

    def invoice_of_page(self, url: str) -> list[str]:
        """The invoice that the customer sees at this address."""
        return self._ids("SELECT invoice FROM online_link WHERE url = ?", (url,))

    def invoices_saying(self, text: str) -> list[str]:
        """The invoices with this text in their reference, as a whole word first."""
        return self._ids(
            "SELECT id FROM snapshot WHERE side = 'ledger' AND stream = 'invoices' "
            "AND json_extract(CAST(body AS TEXT), '$.reference') LIKE ? ESCAPE '\\' "
            "ORDER BY id LIMIT ?",
            (_like(text), FOUND_MAX),
        )

    def numbered(self, stream: str, number: str) -> list[str]:
        """The records of this stream of the ledger with this number, such as credit notes."""
        return self._ids(
            "SELECT id FROM snapshot WHERE side = 'ledger' AND stream = ? AND "
            "json_extract(CAST(body AS TEXT), '$.number') = ? COLLATE NOCASE ORDER BY id LIMIT ?",
            (stream, number, FOUND_MAX),
        )

    def credits_of_deals(self, number: str) -> list[tuple[str, str]]:
        """(deal, id in the ledger) of the credit notes made here with this number or marker."""
        rows = self.db.execute(
            "SELECT deal, ledger_id FROM credit WHERE marker = ? OR number = ? COLLATE NOCASE "
            "ORDER BY 1",
            (number, number),
        )
        return [(row[0], row[1]) for row in rows.fetchall()]

    def contacts_called(self, key: str) -> list[str]:
        """The contacts of both sides with exactly this name, as a name key."""
        return self._keyed(_CONTACT_NAMES, "value = ?", key)

    def contacts_mailed(self, key: str) -> list[str]:
        """The contacts of both sides with this e-mail address, as an e-mail key."""
        return self._keyed(_CONTACT_EMAILS, "value = ?", key)

    def contacts_like(self, key: str) -> list[str]:
        """The contacts of both sides with this in their name or e-mail address."""
        return self._keyed(
            (*_CONTACT_NAMES, *_CONTACT_EMAILS), "value LIKE ? ESCAPE '\\'", _like(key)
        )

    def deals_titled(self, text: str, *, exactly: bool) -> list[str]:
        """The deals with this title, or with this in their title."""
        test = "= ? COLLATE NOCASE" if exactly else "LIKE ? ESCAPE '\\'"
        return self._ids(
            "SELECT id FROM snapshot WHERE side = 'crm' AND stream = 'deals' AND "  # noqa: S608
            f"json_extract(CAST(body AS TEXT), '$.title') {test} "
            "ORDER BY CAST(id AS INTEGER), id LIMIT ?",
            (text if exactly else _like(text), FOUND_MAX),
        )

    def deals_of(self, contact: str) -> list[str]:
        """The deals of a CRM customer, whether or not contacts are synced, oldest first."""
        return self._ids(
            "SELECT id FROM snapshot WHERE side = 'crm' AND stream = 'deals' AND "
            "(json_extract(CAST(body AS TEXT), '$.org_id') = ? "
            "OR json_extract(CAST(body AS TEXT), '$.person_id') = ?) "
            "ORDER BY CAST(id AS INTEGER), id",
            (contact, contact),
        )

    def _keyed(self, kinds: tuple[str, ...], test: str, value: str) -> list[str]:
        places = ", ".join("?" * len(kinds))
        return self._ids(
            f"SELECT DISTINCT id FROM lookup WHERE kind IN ({places}) AND {test} "  # noqa: S608
            "ORDER BY id LIMIT ?",
            (*kinds, value, FOUND_MAX),
        )

    def _ids(self, query: str, values: tuple[object, ...]) -> list[str]:
        return [row[0] for row in self.db.execute(query, values).fetchall()]


def _like(text: str) -> str:
    """The text as a pattern that finds it anywhere; its own wildcards are plain letters."""
    for sign in ("\\", "%", "_"):
        text = text.replace(sign, f"\\{sign}")
    return f"%{text}%"
