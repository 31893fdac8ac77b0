"""Whether two worlds are one: equal in everything that their future and the judge can depend on.

A case whose faulted batch leaves a world that was already played to its green end has that end. The
mark is of bytes, so it errs to one side only: worlds with one mark are equal, and equal worlds may
have two marks.
"""

from __future__ import annotations

import hashlib
import pickle
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.sim.kinds import STATE_KINDS
from tests.sim.world import World

#: Kinds after which nobody asks by name that they happened: only what they left counts. The test
#: reads that no module of tests/sim asks for one of them.
UNASKED = (
    "kill before", "kill after", "refused", "reset", "timeout", "truncated", "html 200",
    "html 502", "empty", "500 before", "503 before", "lost", "html 502 after", "500 after",
    "503 after", "429 minute", "429 bare", "stopped",
)  # fmt: skip
#: What a file of the state leaves beside it while it is open, and says nothing of itself.
_BESIDE = ("-wal", "-shm", ".lock")


def mark_of(world: World) -> bytes | None:
    """The mark of this world between two batches; None where it is not one program on its own."""
    if type(world) is not World or world.face is not None:
        return None
    marked = hashlib.sha256(pickle.dumps(list(_parts(world)), -1))
    for path in sorted(world.folder.rglob("*")):
        if path.is_file() and not path.name.endswith(_BESIDE):
            marked.update(f"\n{path.relative_to(world.folder)}\n".encode())
            marked.update(_content(path))
    return marked.digest()


def _parts(world: World) -> Iterator[object]:
    """All that is not in files. What was only read is not: the judge has heard it (judge_calls),
    and what comes later is minutes away from it."""
    host, watch, faults = world.host, world.watch, world.faults
    yield {name: vars(server) for name, server in host.servers.items()}
    yield host._late, host._flying, world.time.now(), world.clock.skew
    yield {name: value for name, value in vars(watch).items() if name != "true_before"}
    yield world.rng.getstate(), world.keys, world.deeds, world.issues, world.credits
    yield world.away_until, world.state_lost, world.turns, world.page_max
    yield faults.barred, faults.culprit, [_asked(p.words, kind) for p, kind in faults.fired]
    for call in host.log.find():
        if not world.vendor.reads(call.method, call.path) and "/connect/token" not in call.path:
            yield (call.at, call.server, call.method, call.path, call.query, call.headers,
                   call.body, call.status, call.fault, call.effect)  # fmt: skip


def _asked(words: str, kind: str) -> str:
    """What can still be asked of a fault."""
    if kind in UNASKED:
        return ""
    return "a state's" if kind in STATE_KINDS else f"{words}: {kind}"


def _content(path: Path) -> bytes:
    """A file's bytes; of a database what it holds, wherever its pages lie."""
    if path.suffix != ".db":
        return path.read_bytes()
    with closing(sqlite3.connect(path)) as db:
        version = db.execute("PRAGMA user_version").fetchone()
        return "\n".join([str(version), *db.iterdump()]).encode("utf-8", "surrogateescape")
