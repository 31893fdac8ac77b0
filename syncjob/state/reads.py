"""Look-ups by one key, and how the answers for a whole group of records are read at once.

Deciding a deal takes some forty look-ups. Asked deal by deal they were a fifth of a load's CPU, so
a group of deals asks for all its keys in one statement a kind (`Reads.fetch`), and what was read
once in a group is not read again. Nothing of it outlives the group, nor any write: another value
of SQLite's own count of changed rows throws everything away.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, TypeVar

from sqlite_utils import Database

T = TypeVar("T")
Row = tuple[Any, ...]


class Ask:
    """A question about one key, and the same about many, which names the key first in each row.

    `any` asks whether there is anything to find at all, where that is seldom so and cheap to ask.
    """

    __slots__ = ("any", "many", "one")

    def __init__(self, one: str, many: str, any: str = "") -> None:
        self.one, self.many, self.any = one, many, any


class Lookup(Ask):
    """One kind of look-up: which columns of which rows have this key, and in which order.

    `where` narrows it further by constants of the program: no value of a record stands in it.
    `first`: only the first such row counts, and there is one column. `rare`: there are often no
    such rows of any key, which a group of records then asks once; `where` alone must be indexed.
    """

    __slots__ = ()

    def __init__(
        self, columns: str, table: str, key: str, *, where: str = "", order: str = "",
        first: bool = False, rare: bool = False,
    ) -> None:  # fmt: skip
        also = f"{where} AND " if where else ""
        ends = (f" ORDER BY {order}" if order else "") + (" LIMIT 1" if first else "")
        keys = "(SELECT value AS asked FROM json_each(?))"
        found = f"SELECT {columns} FROM {table} WHERE {also}{key} = "  # noqa: S608
        if first:
            many = f"SELECT asked, ({found}asked{ends}) AS found FROM {keys} "  # noqa: S608
            many += "WHERE found IS NOT NULL"
        else:  # a cross join, so that SQLite goes from each key to its rows
            many = f"SELECT asked, {columns} FROM {keys} CROSS JOIN {table} "  # noqa: S608
            many += f"WHERE {also}{key} = asked{ends}"
        only = f" WHERE {where}" if where else ""
        some = f"SELECT 1 FROM {table}{only} LIMIT 1" if rare else ""  # noqa: S608
        super().__init__(f"{found}?{ends}", many, some)


class _Nothing(dict[str, list[Row]]):
    """What is known of a look-up of which no key has any row."""

    def __missing__(self, key: str) -> list[Row]:
        return _NO_ROWS


_NO_ROWS: list[Row] = []
_UNKNOWN: Any = object()


class Reads:
    """What a group has read so far. Outside of `gathered` every look-up asks the database."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._conn = db.conn
        self._rows: dict[Ask, dict[str, list[Row]]] | None = None
        self._made: dict[Ask, dict[str, Any]] = {}
        self._whole: dict[Hashable, Any] = {}
        self._changes = 0

    @contextlib.contextmanager
    def gathered(self) -> Iterator[None]:
        """Keep what is read until the block ends, or until the first write. Call it inside one
        transaction, so that no other process writes in between."""
        if self._rows is not None:  # a part of a larger group
            yield
            return
        self._rows, self._changes = {}, self._conn.total_changes
        try:
            yield
        finally:
            self._rows = None
            self._made.clear()
            self._whole.clear()

    def rows(self, lookup: Ask, key: str) -> list[Row]:
        """The rows with this key; whoever asks must not change the list."""
        # Nearly every look-up of a group finds its answer here, some fifty a deal: no call for it.
        if self._rows is not None and self._conn.total_changes == self._changes:
            try:
                return self._rows[lookup][key]
            except KeyError:
                pass
        kept = self._kept()
        if kept is None:
            return self._conn.execute(lookup.one, (key,)).fetchall()
        known = kept.get(lookup)
        if known is None:
            known = self._begin(kept, lookup)
        try:
            return known[key]
        except KeyError:
            known[key] = found = self._conn.execute(lookup.one, (key,)).fetchall()
            return found

    def row(self, lookup: Ask, key: str) -> Row | None:
        """The first row with this key."""
        found = self.rows(lookup, key)
        return found[0] if found else None

    def value(self, lookup: Ask, key: str, make: Callable[[Row], T]) -> T | None:
        """What is made of the first row with this key, once a group; None without a row.

        One look-up is always made into one kind of value.
        """
        if self._rows is not None and self._conn.total_changes == self._changes:
            try:
                seen: T | None = self._made[lookup][key]
            except KeyError:
                pass
            else:
                return seen
        if self._kept() is None:
            row = self.row(lookup, key)
            return None if row is None else make(row)
        made = self._made.setdefault(lookup, {})
        known: T | None = made.get(key, _UNKNOWN)
        if known is _UNKNOWN:
            row = self.row(lookup, key)
            known = made[key] = None if row is None else make(row)
        return known

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is made of any look-ups under this name, once a group, unless that writes."""
        if self._kept() is None:
            return make()
        known: T = self._whole.get(key, _UNKNOWN)
        if known is _UNKNOWN:
            before = self._changes
            known = make()
            if before == self._conn.total_changes:
                self._whole[key] = known
        return known

    def fetch(self, lookup: Ask, keys: Iterable[str]) -> None:
        """Read the rows of all these keys in one statement; nothing outside of a group."""
        kept = self._kept()
        if kept is None:
            return
        known = kept.get(lookup)
        if known is None:
            known = self._begin(kept, lookup)
        if isinstance(known, _Nothing):
            return
        # One with a NUL is asked for by itself: `json_each` ends each text at its first NUL.
        new = [key for key in dict.fromkeys(keys) if key not in known and "\0" not in key]
        if not new:
            return
        known.update((key, []) for key in new)
        for row in self._conn.execute(lookup.many, (json.dumps(new),)).fetchall():
            known[row[0]].append(row[1:])

    def _begin(self, kept: dict[Ask, dict[str, list[Row]]], lookup: Ask) -> dict[str, list[Row]]:
        """Nothing of this look-up was asked before in this group: is there anything to find?"""
        none = lookup.any and self._conn.execute(lookup.any).fetchone() is None
        kept[lookup] = _Nothing() if none else {}
        return kept[lookup]

    def _kept(self) -> dict[Ask, dict[str, list[Row]]] | None:
        """What was read in this group, if nothing was written since."""
        if self._rows is not None and self._conn.total_changes != self._changes:
            self._rows.clear()
            self._made.clear()
            self._whole.clear()
            self._changes = self._conn.total_changes
        return self._rows
