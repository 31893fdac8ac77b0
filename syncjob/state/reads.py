"""Look-ups by one key, and how the answers for a whole group of records are read at once.

Deciding a deal takes some forty look-ups. Asked deal by deal they were a fifth of a load's CPU, so
a group of deals asks for all its keys in one statement a kind (`Reads.fetch`), and what was read
once in a group is not read again. Nothing of it outlives the group, nor any write: another value
of SQLite's own count of changed rows throws everything away.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar, cast

from sqlite_utils import Database

T = TypeVar("T")
Row = tuple[Any, ...]


class Ask:
    """A question about one key, and the same about many, which names the key first in each row."""

    __slots__ = ("many", "one")

    def __init__(self, one: str, many: str) -> None:
        self.one, self.many = one, many


class Lookup(Ask):
    """One kind of look-up: which columns of which rows have this key, and in which order.

    `where` narrows it further by constants of the program: no value of a record stands in it.
    `first`: only the first such row counts, and there is one column.
    """

    __slots__ = ()

    def __init__(
        self, columns: str, table: str, key: str, *, where: str = "", order: str = "",
        first: bool = False,
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
        super().__init__(f"{found}?{ends}", many)


class Reads:
    """What a group has read so far. Outside of `gathered` every look-up asks the database."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._rows: dict[Ask, dict[str, list[Row]]] | None = None
        self._made: dict[tuple[Ask, str], Any] = {}
        self._changes = 0

    @contextlib.contextmanager
    def gathered(self) -> Iterator[None]:
        """Keep what is read until the block ends, or until the first write. Call it inside one
        transaction, so that no other process writes in between."""
        if self._rows is not None:  # a part of a larger group
            yield
            return
        self._rows, self._changes = {}, self.db.conn.total_changes
        try:
            yield
        finally:
            self._rows = None
            self._made.clear()

    def rows(self, lookup: Ask, key: str) -> list[Row]:
        """The rows with this key; whoever asks must not change the list."""
        kept = self._kept()
        if kept is None:
            return self.db.conn.execute(lookup.one, (key,)).fetchall()
        known = kept.setdefault(lookup, {})
        if key not in known:
            known[key] = self.db.conn.execute(lookup.one, (key,)).fetchall()
        return known[key]

    def row(self, lookup: Ask, key: str) -> Row | None:
        """The first row with this key."""
        found = self.rows(lookup, key)
        return found[0] if found else None

    def value(self, lookup: Ask, key: str, make: Callable[[Row], T]) -> T | None:
        """What is made of the first row with this key, once a group; None without a row.

        One look-up is always made into one kind of value.
        """
        row = self.row(lookup, key)
        if row is None or self._rows is None:
            return None if row is None else make(row)
        if (lookup, key) not in self._made:
            self._made[lookup, key] = make(row)
        return cast(T, self._made[lookup, key])

    def fetch(self, lookup: Ask, keys: Iterable[str]) -> None:
        """Read the rows of all these keys in one statement; nothing outside of a group."""
        kept = self._kept()
        if kept is None:
            return
        known = kept.setdefault(lookup, {})
        new = [key for key in dict.fromkeys(keys) if key not in known]
        if not new:
            return
        known.update((key, []) for key in new)
        for row in self.db.conn.execute(lookup.many, (json.dumps(new),)).fetchall():
            known[row[0]].append(row[1:])

    def _kept(self) -> dict[Ask, dict[str, list[Row]]] | None:
        """What was read in this group, if nothing was written since."""
        if self._rows and self.db.conn.total_changes != self._changes:
            self._rows.clear()
            self._made.clear()
            self._changes = self.db.conn.total_changes
        return self._rows
