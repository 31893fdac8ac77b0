"""What was last seen on each side, how to find it again, and how far each walk has come.

Keeps invariants 5 (nothing unseen: pages and positions share a commit; snapshots never go back)
and 13 in part (a dry run works on a copy).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import TypeVar

import msgspec
from sqlite_utils import Database

from syncjob.core.markers import is_left
from syncjob.core.records import Contact, CreditNote, Record, Side
from syncjob.state.reads import Lookup, Reads

R = TypeVar("R", bound=msgspec.Struct)


@cache
def _snapshot(side: Side, stream: str) -> Lookup:
    return Lookup(
        "body, batch, strong", "snapshot", "id", where=f"side = '{side}' AND stream = '{stream}'"
    )


@cache  # which is asked for by place: names would be packed into a dict each time
def _key(kind: str, first: bool = False) -> Lookup:
    where = f"kind = '{kind}'"
    return Lookup("id", "lookup", "value", where=where, order="id", first=first, rare=True)


@cache
def _reader(kind: type[R]) -> Callable[[tuple[bytes, int, int]], R]:
    decode = msgspec.json.Decoder(kind).decode
    return lambda row: decode(row[0])


_WANT = (
    "INSERT OR IGNORE INTO todo VALUES "
    "(coalesce((SELECT new FROM merged WHERE kind = 'deals' AND old = ?), ?), ?)"
)


class Cursor(msgspec.Struct, frozen=True):
    """Where a stream stands: `since` for the next walk; `position` and `started` of a broken one;
    `polled` is when (server time) the last whole walk started."""

    since: datetime | None = None
    position: str | None = None
    started: datetime | None = None
    polled: datetime | None = None


class Put(msgspec.Struct):
    """What storing a page did: ids that changed, and ids that must be read again by id."""

    changed: list[str]
    doubtful: list[str]


class Snapshots:
    """Snapshots, their lookup keys and the cursors."""

    def __init__(self, db: Database, reads: Reads) -> None:
        self.db, self.reads = db, reads

    def get(self, side: Side, stream: str, id: str, kind: type[R]) -> R | None:
        """The snapshot as a record of type `kind`, or None."""
        return self.reads.value(_snapshot(side, stream), id, _reader(kind))

    def seen(self, side: Side, stream: str, id: str, kind: type[R]) -> tuple[R, int] | None:
        """The snapshot with the batch in which it was last read, or None."""
        lookup = _snapshot(side, stream)
        record, row = self.reads.value(lookup, id, _reader(kind)), self.reads.row(lookup, id)
        return (record, int(row[1])) if record is not None and row else None

    def fetch(self, side: Side, stream: str, ids: Iterable[str]) -> None:
        """Read these in one statement for the group that is being gathered (state/reads.py)."""
        self.reads.fetch(_snapshot(side, stream), ids)

    def fetch_keys(self, kind: str, values: Iterable[str], *, most: int = -1) -> None:
        """As `fetch`, for `find`."""
        self.reads.fetch(_key(kind, most == 1), values)

    def batch_of(self, side: Side, stream: str, id: str) -> int:
        """The batch in which the snapshot was last read, 0 if never."""
        row = self.reads.row(_snapshot(side, stream), id)
        return int(row[1]) if row else 0

    def stamped_before(
        self, side: Side, stream: str, ids: Sequence[str], instant: datetime
    ) -> list[str]:
        """Those of the ids whose snapshot's stamp is older than the instant, or that have none."""
        rows = self.db.execute(
            "SELECT id FROM snapshot WHERE side = ? AND stream = ? "
            "AND (updated IS NULL OR updated < ?) "
            "AND id IN (SELECT value FROM json_each(?)) ORDER BY id",
            (side, stream, instant.isoformat(), json.dumps(list(ids))),
        )
        return [row[0] for row in rows.fetchall()]

    def read_by_id(self, side: Side, stream: str, id: str, batch: int) -> bool:
        """Whether this batch read the record by its id, or wrote it: a list may lag behind."""
        row = self.reads.row(_snapshot(side, stream), id)
        return row is not None and row[1:] == (batch, 1)

    def count(self, side: Side, stream: str) -> int:
        """How many records of the stream are known: the database keeps the count."""
        row = self.db.execute(
            "SELECT count FROM tally WHERE name = ?", (f"{side}.{stream}",)
        ).fetchone()
        return int(row[0]) if row else 0

    def ids(self, side: Side, stream: str) -> list[str]:
        """The ids of all records of the stream, in a fixed order: a scan, for whole comparisons."""
        rows = self.db.execute(
            "SELECT id FROM snapshot WHERE side = ? AND stream = ? ORDER BY id", (side, stream)
        )
        return [row[0] for row in rows.fetchall()]

    def put(
        self, side: Side, stream: str, records: Iterable[Record], *, batch: int, strong: bool
    ) -> Put:
        """Store what a list (`strong=False`) or a read by id or a write's answer showed.

        An older observation is dropped. With an equal stamp and other content a strong one wins;
        a list's is not believed: its id is returned as doubtful.
        """
        result, records = Put([], []), list(records)
        known = self._stamps(side, stream, [record.id for record in records])
        for record in records:
            body = msgspec.json.encode(record)
            digest = hashlib.blake2b(_stamped(record, body), digest_size=12).hexdigest()
            stamp = record.updated.isoformat() if record.updated else None
            verdict = _judge(known.get(record.id), stamp, digest, strong=strong)
            if verdict == "doubt":
                result.doubtful.append(record.id)
            if verdict in ("same", "new"):
                self._store(side, stream, record.id, stamp, digest, body, batch, strong)
                known[record.id] = (stamp, digest)
            if verdict == "new":
                result.changed.append(record.id)
        return result

    def _stamps(
        self, side: Side, stream: str, ids: Sequence[str]
    ) -> dict[str, tuple[str | None, str]]:
        one = len(ids) == 1
        which = "= ?" if one else "IN (SELECT value FROM json_each(?))"
        rows = self.db.conn.execute(
            f"SELECT id, updated, hash FROM snapshot WHERE side = ? AND stream = ? AND id {which}",  # noqa: S608
            (side, stream, ids[0] if one else json.dumps(ids)),
        )
        return {row[0]: (row[1], row[2]) for row in rows.fetchall()}

    def replace(self, side: Side, stream: str, record: Record) -> None:
        """Put another content in a snapshot's place, whatever its stamp says."""
        body = msgspec.json.encode(record)
        digest = hashlib.blake2b(_stamped(record, body), digest_size=12).hexdigest()
        self.db.execute(
            "UPDATE snapshot SET hash = ?, body = ? WHERE side = ? AND stream = ? AND id = ?",
            (digest, body, side, stream, record.id),
        )

    def _store(
        self, side: str, stream: str, id: str, stamp: str | None, digest: str,
        body: bytes, batch: int, strong: bool,
    ) -> None:  # fmt: skip
        self.db.conn.execute(
            "INSERT INTO snapshot VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET updated = excluded.updated, hash = excluded.hash, "
            "body = excluded.body, batch = excluded.batch, strong = excluded.strong",
            (side, stream, id, stamp, digest, body, batch, int(strong)),
        )

    # --- lookup keys ------------------------------------------------------------

    def index(self, id: str, keys: Mapping[str, Sequence[str]]) -> None:
        """Replace the record's lookup keys: kind -> values. Kinds not named stay as they are."""
        kinds = ", ".join("?" * len(keys))
        self.db.conn.execute(
            f"DELETE FROM lookup WHERE id = ? AND kind IN ({kinds})",  # noqa: S608
            (id, *keys),
        )
        rows = [(kind, value, id) for kind in keys for value in dict.fromkeys(keys[kind])]
        if rows:
            self.db.conn.executemany("INSERT INTO lookup VALUES (?, ?, ?)", rows)

    def unindex(self, id: str, *, keep: str) -> None:
        """Drop the record's lookup keys but those of one kind."""
        self.db.execute("DELETE FROM lookup WHERE id = ? AND kind <> ?", (id, keep))

    def find(self, kind: str, value: str, *, most: int = -1) -> list[str]:
        """The ids that have this lookup key, in a fixed order; `most` of them, -1 for all."""
        if most in (-1, 1):
            found = self.reads.rows(_key(kind, most == 1), value)
            return [row[0] for row in found] if found else []
        rows = self.db.execute(
            "SELECT id FROM lookup WHERE kind = ? AND value = ? ORDER BY id LIMIT ?",
            (kind, value, most),
        )
        return [row[0] for row in rows.fetchall()]

    def loose_invoices(self) -> list[str]:
        """The sales invoices that are tied to no deal."""
        rows = self.db.execute(
            "SELECT DISTINCT id FROM lookup WHERE kind = 'invoice.loose' ORDER BY 1"
        )
        return [row[0] for row in rows.fetchall()]

    def keys(self, id: str, kind: str) -> list[str]:
        """The record's lookup keys of this kind."""
        rows = self.db.execute("SELECT value FROM lookup WHERE id = ? AND kind = ?", (id, kind))
        return [row[0] for row in rows.fetchall()]

    # --- cursors ------------------------------------------------------------

    def cursor(self, side: Side, stream: str) -> Cursor:
        """Where the stream stands; an empty cursor if it was never walked."""
        row = self.db.execute(
            "SELECT since, position, started, polled FROM cursor WHERE side = ? AND stream = ?",
            (side, stream),
        ).fetchone()
        return Cursor(_time(row[0]), row[1], _time(row[2]), _time(row[3])) if row else Cursor()

    def walked(self, side: Side) -> list[str]:
        """The streams of this side that were ever walked, "deals" before all lists of deals."""
        rows = self.db.execute(
            "SELECT stream FROM cursor WHERE side = ? ORDER BY stream <> 'deals', stream", (side,)
        )
        return [row[0] for row in rows.fetchall()]

    def move(self, side: Side, stream: str, cursor: Cursor) -> None:
        """Write the cursor; call it in the commit of the page it follows."""
        self.db.execute(
            "INSERT OR REPLACE INTO cursor VALUES (?, ?, ?, ?, ?, ?)",
            (side, stream, _text(cursor.since), cursor.position, _text(cursor.started),
             _text(cursor.polled)),
        )  # fmt: skip

    # --- what to decide ------------------------------------------------------------

    def want(self, deals: Iterable[str], why: str) -> None:
        """Ask that these deals be decided in the next plan, one that was merged as what it is now;
        none of a CRM that was left."""
        wanted = [(deal, deal, why) for deal in deals if not is_left(deal)]
        if wanted:
            self.db.conn.executemany(_WANT, wanted)

    def wanted(self, today: str) -> list[str]:
        """The deals to decide now: asked for, or due to be looked at by this day."""
        # Two questions: as one union in order SQLite walks all days of all deals. Row by row: a
        # first load asks for all there are, and each is kept once.
        asked = [row[0] for row in self.db.execute("SELECT deal FROM todo ORDER BY deal")]
        due = {row[0] for row in self.db.execute("SELECT deal FROM wake WHERE day <= ?", (today,))}
        return sorted(due.union(asked)) if due else asked

    def wins_without_invoice(self) -> list[str]:
        """The won deals that no live invoice is linked to: a scan, for when rules have changed."""
        rows = self.db.execute(
            "SELECT id FROM snapshot WHERE side = 'crm' AND stream = 'deals' "
            "AND json_extract(CAST(body AS TEXT), '$.status') = 'won' "
            "AND id NOT IN (SELECT deal FROM part WHERE ended IS NULL) ORDER BY id"
        )
        return [row[0] for row in rows.fetchall()]

    def deals_with_invoices(self, *statuses: str) -> list[str]:
        """The deals with a live invoice in one of these states, or one that their templates made: a
        scan, for when rules or the mode have changed."""
        rows = self.db.execute(
            "SELECT DISTINCT p.deal FROM (SELECT deal, ledger_id FROM part WHERE ended IS NULL "
            "UNION ALL SELECT deal, invoice FROM repeat) p JOIN snapshot s ON s.side = 'ledger' "
            "AND s.stream = 'invoices' AND s.id = p.ledger_id "
            "WHERE json_extract(CAST(s.body AS TEXT), '$.status') "
            "IN (SELECT value FROM json_each(?)) ORDER BY p.deal",
            (json.dumps(statuses),),
        )
        return [row[0] for row in rows.fetchall()]

    def settled(self, deals: Sequence[str]) -> None:
        """These deals were decided and nothing is left to do for them now."""
        self.db.conn.execute(
            "DELETE FROM todo WHERE deal IN (SELECT value FROM json_each(?))", (json.dumps(deals),)
        )

    def wake(self, days: Mapping[str, str | None]) -> None:
        """Decide each of these deals on its day though nothing changes; None: never."""
        self.db.conn.execute(
            "DELETE FROM wake WHERE deal IN (SELECT value FROM json_each(?))",
            (json.dumps(list(days)),),
        )
        ahead = [(deal, day) for deal, day in days.items() if day is not None]
        if ahead:
            self.db.conn.executemany("INSERT INTO wake VALUES (?, ?)", ahead)


def _stamped(record: Record, body: bytes) -> bytes:
    """The content that a change of which moves the record's stamp. A ledger says of a contact that
    it is a customer or supplier now without moving it (facts: xero, 4), so a list that shows that
    and nothing else is no contradiction. Nor is the net sum of a credit note, which an older
    version did not store: its lines do not change without its stamp."""
    if isinstance(record, Contact):
        record = msgspec.structs.replace(record, is_customer=False, is_supplier=False)
    elif isinstance(record, CreditNote):
        record = msgspec.structs.replace(record, sub_total=None)
    else:
        return body
    return msgspec.json.encode(record)


def _judge(
    old: tuple[str | None, str] | None, stamp: str | None, digest: str, *, strong: bool
) -> str:
    """What to do with an observation: "new", "same", "older" or "doubt"."""
    if old is None:
        return "new"
    known, known_hash = old
    if known_hash == digest:
        return "same"
    if stamp is not None and known is not None and stamp < known:
        return "older"
    if stamp is not None and stamp == known and not strong:
        return "doubt"
    return "new"


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
