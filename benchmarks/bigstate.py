"""A batch on a state that has seen a million records: what it costs when nothing, or 100, changed.

A real load of some deals is copied under other ids until the state holds so many snapshots; the
servers know the real ones alone. Of ten copies one has the whole history of its deals (invoices,
bases, journal, audit), as of a million records in a CRM and a ledger most were never invoiced;
the others are records that were only seen, with everything by which they are found.
"""

from __future__ import annotations

import re
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.stage import Stage

Row = dict[str, Any]
CHANGED = 100
#: One copy in so many has a history.
HISTORY_EVERY = 10
#: Ids of a copy lie so far from those of the one before.
APART = 10**8
#: The least of so many runs is taken; the first after a growth fills the file cache.
RUNS = 3
_PAST_LOOKBACK, _BETWEEN = timedelta(minutes=20), timedelta(minutes=5)
_UUID = re.compile(r"[0-9a-f]{8}(?=-[0-9a-f]{4}-)")
_NUMBER = re.compile(r"(?:(?<=^)|(?<=:)|(?<=:SJ-)|(?<=:SJ-O)|(?<=^SJ-)|(?<=^SJ-O))[0-9]+(?=$|-A)")

#: How a copy of each table's rows differs, by column; every other column is the same. `id` shifts
#: the ids in a text, `name` tells names apart, `row` a row's own number.
_SEEN = {
    "snapshot": {"id": "id"}, "lookup": {"value": "name", "id": "id"},
    "contact_link": {"crm_id": "id", "ledger_id": "id"},
}  # fmt: skip
_HISTORY = {
    "part": {"deal": "id", "marker": "id", "ledger_id": "id"}, "base": {"target": "id"},
    "call": {"id": "row", "idempotency_key": "name"},
    "intent": {"id": "row", "call": "row", "subject": "id", "target": "id", "marker": "id"},
    "audit": {"id": "row", "subject": "id", "target": "id", "intent": "row"},
    "ruling": {"subject": "id"},
}  # fmt: skip


def rows(stage: Stage, sizes: tuple[int, ...]) -> list[Row]:
    """One row a size, smallest first. The stage's deals are loaded and their drafts untouched."""
    path = stage.folder / "state" / "syncjob.db"
    stage.advance(_PAST_LOOKBACK)
    stage.work("run")
    drafts = [invoice["id"] for invoice in stage.invoices()]
    found = []
    for number, size in enumerate(sizes):
        snapshots = grown(path, size)
        nothing = min(_quiet(stage) for _ in range(RUNS + 1))
        for invoice in drafts[number * CHANGED : (number + 1) * CHANGED]:
            stage.books("approve", invoice=invoice)
        changed = stage.work("run")
        found.append({
            "snapshots": snapshots, "nothing_s": nothing, "changed_s": changed["cpu_s"],
            "changed": changed["counts"].get("deal.update", 0),
            "file_mb": path.stat().st_size / 2**20,
        })  # fmt: skip
        stage.advance(_PAST_LOOKBACK)
        stage.work("run")
    return found


def _quiet(stage: Stage) -> float:
    """CPU seconds of a batch with nothing to do."""
    stage.advance(_BETWEEN)
    done = stage.work("run")
    if done["counts"]:
        raise RuntimeError(f"there was something to do: {done['counts']}")
    return float(done["cpu_s"])


def grown(path: Path, size: int) -> int:
    """Copy the records of a state until it holds so many snapshots; how many it then holds.

    The real rows stand in a file of their own, so that a copy reads no other copies.
    """
    with sqlite3.connect(path) as db:
        db.execute("ATTACH ? AS real", (str(path.parent.with_name("real.db")),))
        if not db.execute("SELECT 1 FROM real.sqlite_master").fetchone():
            for table in _SEEN | _HISTORY:
                db.execute(f"CREATE TABLE real.{table} AS SELECT * FROM main.{table}")
        done = int(db.execute("PRAGMA real.user_version").fetchone()[0])
        real = _count(db, "real")
        while real * (done + 1) < size:
            done += 1
            _copy(db, done)
        db.execute(f"PRAGMA real.user_version = {done}")
    db.execute("PRAGMA main.wal_checkpoint(TRUNCATE)")
    count = _count(db)
    db.close()
    return count


def _copy(db: sqlite3.Connection, number: int) -> None:
    """The real rows once more, as copy number so and so."""
    db.create_function("bench_id", 1, lambda text: shifted(text, number), deterministic=True)
    db.create_function("bench_name", 1, lambda text: named(text, number), deterministic=True)
    tables = {**_SEEN, **(_HISTORY if number % HISTORY_EVERY == 0 else {})}
    for table, changes in tables.items():
        names = [row[1] for row in db.execute(f"PRAGMA main.table_info({table})")]
        cells = ", ".join(_cell(name, changes.get(name), number) for name in names)
        columns = ", ".join(names)
        db.execute(
            f"INSERT OR IGNORE INTO main.{table} ({columns}) SELECT {cells} FROM real.{table}"
        )


def _cell(name: str, change: str | None, number: int) -> str:
    if change is None:
        return name
    return f"{name} + {number * APART}" if change == "row" else f"bench_{change}({name})"


def shifted(text: str | None, number: int) -> str | None:
    """The text with every id in it those of that copy: numbers raised, UUIDs begun otherwise."""
    if text is None:
        return None
    text = _UUID.sub(f"{number:08x}", text)
    return _NUMBER.sub(lambda found: str(int(found[0]) + number * APART), text)


def named(text: str | None, number: int) -> str | None:
    """A name, an address or an id as that copy has it."""
    other = shifted(text, number)
    return f"{other} {number}" if other == text and other is not None else other


def _count(db: sqlite3.Connection, where: str = "main") -> int:
    return int(db.execute(f"SELECT count(*) FROM {where}.snapshot").fetchone()[0])
