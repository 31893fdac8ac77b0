"""The firm's data as the CRM keeps it, with what lists and search still show of each record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from syncjob.sandbox.kernel import Clock, Entropy
from syncjob.sandbox.pipedrive.options import Options

Record = dict[str, Any]  # never changed in place: a change makes a new one
Key = int | str

KINDS = (
    "deals",
    "persons",
    "organizations",
    "products",
    "rows",
    "discounts",
    "installments",
    "users",
    "stages",
    "pipelines",
    "activities",
    "notes",
)
FIELD_KINDS = ("deals", "persons", "organizations", "products")
CHILDREN = ("rows", "discounts", "installments")
SEARCHED = frozenset(("deals", "persons", "organizations", "products"))
KEPT_DELETED_S = 30 * 86_400


@dataclass(slots=True)
class Shadow:
    """What a late view still shows of a record, and until when."""

    record: Record | None
    until: float


@dataclass(slots=True)
class Row:
    record: Record
    listed: Shadow | None = None
    indexed: Shadow | None = None


@dataclass
class Table:
    rows: dict[Key, Row] = field(default_factory=dict)
    last_id: int = 0
    by_deal: dict[int, list[Key]] = field(default_factory=dict)


class Company:
    """All tables, the clock that stamps them and the chance that delays them."""

    def __init__(self, clock: Clock, entropy: Entropy, options: Options) -> None:
        self.clock, self.entropy, self.options = clock, entropy, options
        self.tables: dict[str, Table] = {kind: Table() for kind in KINDS}
        self.fields: dict[str, dict[str, Record]] = {kind: {} for kind in FIELD_KINDS}
        self.external: dict[str, dict[str, Key]] = {kind: {} for kind in KINDS}
        self.late = True  # False while a file or a sample is loaded
        self.last_option = 0
        self._undo: list[tuple[str, Key, Row | None]] | None = None

    @contextmanager
    def whole(self) -> Iterator[None]:
        """All that happens inside, or nothing: what is refused has changed no record."""
        outer, self._undo = self._undo, []
        try:
            yield
        except BaseException:
            self._restore(self._undo)
            raise
        else:
            if outer is not None:
                outer.extend(self._undo)
        finally:
            self._undo = outer

    def _note(self, kind: str, key: Key) -> None:
        if self._undo is not None:
            row = self.tables[kind].rows.get(key)
            self._undo.append((kind, key, None if row is None else replace(row)))

    def _restore(self, notes: list[tuple[str, Key, Row | None]]) -> None:
        for kind, key, before in reversed(notes):
            table = self.tables[kind]
            now = table.rows.pop(key, None)
            if before is not None:
                table.rows[key] = before
            if kind in CHILDREN and (now is None) is not (before is None):
                siblings = table.by_deal[(before or now).record["deal_id"]]  # type: ignore[union-attr]
                siblings.remove(key) if before is None else siblings.append(key)

    def moment(self) -> float:
        return self.clock.now().timestamp()

    def stamp(self) -> int:
        """The vendor's times have whole seconds."""
        return int(self.moment())

    def free_id(self, kind: str, wanted: int | None = None) -> int:
        table = self.tables[kind]
        if wanted is not None and wanted > 0 and wanted not in table.rows:
            table.last_id = max(table.last_id, wanted)
            return wanted
        table.last_id += 1
        return table.last_id

    def add(self, kind: str, record: Record, key: Key | None = None) -> Record:
        """Stores a new record under a free id (or the given one), stamped now unless it says."""
        table, now = self.tables[kind], self.stamp()
        made = {"add_time": now, "update_time": now, **record}
        made["id"] = self.free_id(kind) if key is None else key
        self._note(kind, made["id"])
        table.rows[made["id"]] = self._new_row(kind, made)
        if kind in CHILDREN:
            table.by_deal.setdefault(made["deal_id"], []).append(made["id"])
        return made

    def change(self, kind: str, key: Key, values: Record, bump: bool = True) -> Record:
        """Replaces values of a record; `bump` moves its update time."""
        self._note(kind, key)
        row = self.tables[kind].rows[key]
        old = row.record
        row.record = {**old, **values, **({"update_time": self.stamp()} if bump else {})}
        if self.late:
            row.listed = self._shade(row.listed, old, self.options.lag_max_s)
            if kind in SEARCHED:
                row.indexed = self._shade(row.indexed, old, self.options.search_lag_max_s)
        return row.record

    def drop(self, kind: str, key: Key) -> None:
        """Removes a product row, a discount or an instalment for good."""
        self._note(kind, key)
        table = self.tables[kind]
        deal_id = table.rows.pop(key).record["deal_id"]
        table.by_deal[deal_id].remove(key)

    def get(self, kind: str, key: Key | None) -> Record | None:
        """The record as it is now: reads by id are strong. Long deleted ones are gone."""
        row = self.tables[kind].rows.get(key) if key is not None else None
        return row.record if row is not None and not self._gone(row.record) else None

    def live(self, kind: str, key: Key | None) -> Record | None:
        found = self.get(kind, key)
        return None if found is None or found.get("is_deleted") else found

    def children(self, kind: str, deal_id: int) -> list[Record]:
        table = self.tables[kind]
        return [table.rows[k].record for k in table.by_deal.get(deal_id, ())]

    def all(self, kind: str) -> Iterator[Record]:
        return (row.record for row in self.tables[kind].rows.values() if not self._gone(row.record))

    def listed(self, kind: str) -> Iterator[Record]:
        """What a list shows now, late changes left out."""
        return self._listed(self.tables[kind].rows.values())

    def listed_children(self, kind: str, deal_id: int) -> Iterator[Record]:
        table = self.tables[kind]
        return self._listed(table.rows[k] for k in table.by_deal.get(deal_id, ()))

    def _listed(self, rows: Iterable[Row]) -> Iterator[Record]:
        now = self.moment()
        for row in rows:
            shadow = row.listed
            shown = row.record if shadow is None or shadow.until <= now else shadow.record
            if shown is not None and not self._gone(shown):
                yield shown

    def indexed(self, kind: str) -> Iterator[Record]:
        """What search knows now."""
        now = self.moment()
        for row in self.tables[kind].rows.values():
            shadow = row.indexed
            shown = row.record if shadow is None or shadow.until <= now else shadow.record
            if shown is not None and not shown.get("is_deleted"):
                yield shown

    def _new_row(self, kind: str, record: Record) -> Row:
        if not self.late:
            return Row(record)
        listed = self._shade(None, None, self.options.lag_max_s)
        lag = self.options.search_lag_max_s if kind in SEARCHED else 0.0
        return Row(record, listed, self._shade(None, None, lag))

    def _shade(self, before: Shadow | None, old: Record | None, lag_max_s: float) -> Shadow | None:
        if lag_max_s <= 0:
            return None
        now = self.moment()
        until = now + self.entropy.uniform(0, lag_max_s)
        if before is not None and before.until > now:
            return Shadow(before.record, max(before.until, until))
        return Shadow(old, until)

    def _gone(self, record: Record) -> bool:
        if not record.get("is_deleted"):
            return False
        return self.moment() - float(record["update_time"]) >= KEPT_DELETED_S
