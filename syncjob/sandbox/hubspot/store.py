"""The account's records and their associations, with what the search index still shows of each."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from syncjob.sandbox.hubspot.options import OBJECT_TYPES, Options
from syncjob.sandbox.kernel import Clock, Entropy

ARCHIVE_LIFE_MS = 90 * 86_400_000  # facts: hubspot, 5e

Props = dict[str, str]


@dataclass(frozen=True, slots=True)
class Record:
    """One record at one moment; a change makes a new one."""

    kind: str
    id: int
    props: Props  # what is stored and calculated, without empty values
    created: int  # epoch milliseconds
    updated: int
    archived_at: int | None = None
    into: int | None = None  # the id that this record was merged into

    @property
    def live(self) -> bool:
        return self.archived_at is None and self.into is None


@dataclass(frozen=True, slots=True)
class Shadow:
    """What the index still shows of a record, and until when."""

    record: Record | None
    until: int


@dataclass(slots=True)
class Row:
    record: Record
    indexed: Shadow | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """The records that the index shows, by id, for as long as nothing changes."""

    version: int
    until: float
    ids: list[int]
    records: list[Record]


@dataclass
class Table:
    rows: dict[int, Row] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)  # ids, rising
    version: int = 0  # moves with every change
    seen: Seen | None = None  # what search knew the last time


class Store:
    """All tables, the clock that stamps them and the chance that delays them."""

    def __init__(self, clock: Clock, entropy: Entropy, options: Options) -> None:
        self.clock, self.entropy, self.options = clock, entropy, options
        self.tables: dict[str, Table] = {kind: Table() for kind in OBJECT_TYPES}
        self.links: dict[tuple[str, int], dict[str, dict[int, tuple[int, ...]]]] = {}
        self.definitions: dict[str, dict[str, dict[str, Any]]] = {k: {} for k in OBJECT_TYPES}
        self.groups: dict[str, dict[str, dict[str, Any]]] = {k: {} for k in OBJECT_TYPES}
        self.unique: dict[tuple[str, str], dict[str, int]] = {}
        self.pipelines: dict[str, dict[str, Any]] = {}
        self.owners: dict[int, dict[str, Any]] = {}
        self.tax_rates: dict[int, dict[str, Any]] = {}
        self.external: dict[str, dict[str, int]] = {k: {} for k in (*OBJECT_TYPES, "owners")}
        self.rules: list[dict[str, Any]] = []
        self.late = True  # False while a file or a sample is loaded
        self.last_id = dict.fromkeys(OBJECT_TYPES, options.first_id - 1)
        self._undo: list[Callable[[], None]] | None = None

    # --- all or nothing -----------------------------------------------------------------------

    @contextmanager
    def whole(self) -> Iterator[None]:
        """All that happens inside, or nothing: what is refused has changed no record."""
        outer, self._undo = self._undo, []
        try:
            yield
        except BaseException:
            undo, self._undo = self._undo, None
            for step in reversed(undo):
                step()
            raise
        else:
            if outer is not None:
                outer.extend(self._undo)
        finally:
            self._undo = outer

    def note(self, step: Callable[[], None]) -> None:
        """How to take back what is about to happen."""
        if self._undo is not None:
            self._undo.append(step)

    # --- records ------------------------------------------------------------------------------

    def now(self) -> int:
        return int(self.clock.now().timestamp() * 1000)

    def new_id(self, kind: str, wanted: int | None = None) -> int:
        rows = self.tables[kind].rows
        if wanted is not None and wanted > 0 and wanted not in rows:
            return wanted
        first = self.options.first_id
        if self.options.scattered_ids:
            while (drawn := self.entropy.randint(first, first + 900_000_000)) in rows:
                pass
            return drawn
        last = self.last_id[kind] + self.entropy.randint(1, max(1, self.options.id_stride_max))
        while last in rows:
            last += 1
        self.last_id[kind] = last
        return last

    def put(self, record: Record) -> Record:
        """Stores a new or changed record; search learns of it later."""
        table = self.tables[record.kind]
        row = table.rows.get(record.id)
        self.note(self._taker_back(table, record.id, None if row is None else replace(row)))
        old = None if row is None else row.record
        shadow = self._shade(None if row is None else row.indexed, old)
        table.rows[record.id] = Row(record, shadow)
        if row is None:
            insort(table.order, record.id)
        table.version += 1
        return record

    def _taker_back(self, table: Table, key: int, before: Row | None) -> Callable[[], None]:
        def undo() -> None:
            table.version += 1
            if before is not None:
                table.rows[key] = before
            elif table.rows.pop(key, None) is not None:
                table.order.pop(bisect_left(table.order, key))

        return undo

    def _shade(self, before: Shadow | None, old: Record | None) -> Shadow | None:
        lag_s = self.options.index_lag_max_s
        if not self.late or lag_s <= 0:
            return None
        now = self.now()
        until = now + round(self.entropy.uniform(0, lag_s) * 1000)
        if before is not None and before.until > now:
            return Shadow(before.record, max(before.until, until))
        return Shadow(old, until)

    def at(self, kind: str, key: int) -> Record | None:
        """The record under exactly this id, archived or merged ones too, unless it is gone."""
        row = self.tables[kind].rows.get(key)
        return None if row is None or self.gone(row.record) else row.record

    def live(self, kind: str, key: int) -> Record | None:
        found = self.at(kind, key)
        return found if found is not None and found.live else None

    def resolved(self, kind: str, key: int) -> Record | None:
        """The record that this id leads to, through merges."""
        found = self.at(kind, key)
        while found is not None and found.into is not None:
            found = self.at(kind, found.into)
        return found

    def gone(self, record: Record) -> bool:
        """Archived more than 90 days ago: nobody can restore it."""
        at = record.archived_at
        return at is not None and self.now() - at >= ARCHIVE_LIFE_MS

    def all(self, kind: str) -> Iterator[Record]:
        """The live records in the order of their ids."""
        table = self.tables[kind]
        return (r for key in table.order if (r := table.rows[key].record).live)

    def indexed(self, kind: str) -> Seen:
        """What search knows now: the live records in the order of their ids, as it has them."""
        table, now = self.tables[kind], self.now()
        seen = table.seen
        if seen is not None and seen.version == table.version and now < seen.until:
            return seen
        until, ids, records = math.inf, [], []
        for key in table.order:
            row = table.rows[key]
            shown: Record | None = row.record
            if row.indexed is not None:
                if row.indexed.until > now:
                    shown, until = row.indexed.record, min(until, row.indexed.until)
                else:
                    row.indexed = None
            if shown is not None and shown.live:
                ids.append(key)
                records.append(shown)
        table.seen = Seen(table.version, until, ids, records)
        return table.seen

    # --- associations -------------------------------------------------------------------------

    def links_of(self, kind: str, key: int, to: str) -> dict[int, tuple[int, ...]]:
        """Ids of the other kind with the type ids of each association, oldest first."""
        return self.links.get((kind, key), {}).get(to, {})

    def link(self, kind: str, key: int, to: str, other: int, types: tuple[int, ...]) -> None:
        """Sets one direction's association types; none removes the association."""
        side = self.links.setdefault((kind, key), {}).setdefault(to, {})
        before = dict(side)

        def undo() -> None:
            side.clear()
            side.update(before)

        self.note(undo)
        if types:
            side[other] = types
        else:
            side.pop(other, None)
